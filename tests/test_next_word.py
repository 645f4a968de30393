"""The lab of next words: its data, its six models, and its export, in a process with TensorFlow alone."""

import io
import json
import re
import time
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from exports import Answer, ask, figures
from references import randomize_weights

import zoo
from zoo.cli.predict import Question
from zoo.cli.predict import ask as ask_aloud
from zoo.datasets import ClozeSet, DataSplits, load_cloze
from zoo.datasets.builders import fluent
from zoo.datasets.builders.fluent import DISTANCES, LANGUAGES
from zoo.recipes import next_word
from zoo.serving.loading import load

TWINS = {"train": 150, "validation": 12, "test": 24}
RNG = np.random.default_rng(2)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smaller `fluent`."""
    folder = tmp_path_factory.mktemp("fluent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fluent, "PAIRS", TWINS)
        load_cloze(folder)
    return folder


@pytest.fixture(scope="module")
def splits(data: Path) -> DataSplits[ClozeSet]:
    return load_cloze(data)


@pytest.mark.parametrize("split", TWINS)
def test_twins_have_the_same_words_and_other_answers(splits: DataSplits[ClozeSet], split: str) -> None:
    """So whatever a bag of words says, it is right for one of them at most."""
    texts, following, distances = getattr(splits, split)
    assert len(texts) == len(following) == len(distances) == 2 * TWINS[split]
    for row in range(0, len(texts), 2):
        assert Counter(texts[row].split()) == Counter(texts[row + 1].split())
        assert texts[row] != texts[row + 1]
        assert following[row] != following[row + 1]
        assert distances[row] == distances[row + 1]


def test_the_answer_is_of_the_country_to_grow_up_in(splits: DataSplits[ClozeSet]) -> None:
    seen = set()
    for text, following, distance in zip(*splits.train, strict=True):
        words = text.split()
        home = words[words.index("grew") + 3]
        assert LANGUAGES[home] == following
        places = [len(words) - place for place, word in enumerate(words) if word in LANGUAGES]
        assert len(places) == 2
        assert min(places) == distance
        assert max(places) - distance in (4, 5)
        assert not set(words) & set(LANGUAGES.values())
        seen.add(words.index("grew") < words.index("live"))
    assert seen == {True, False}
    assert splits.train.distances.max() > 60
    assert Counter(splits.test.distances.tolist()) == dict.fromkeys(DISTANCES, 4)


def test_no_sentence_is_in_two_splits(splits: DataSplits[ClozeSet]) -> None:
    long = [{t for t in getattr(splits, split).texts if len(t.split()) > 30} for split in TWINS]
    assert all(long)
    assert not long[0] & long[1] | long[0] & long[2] | long[1] & long[2]


@pytest.mark.parametrize("kind", next_word.KINDS)
def test_each_model_looks_back_as_far_as_it_should_and_never_ahead(kind: str) -> None:
    """What moves the logits at a place: a window's words, or all before."""
    model = next_word.network(kind, 6, 20)
    ids = RNG.integers(2, 20, (1, 45))
    model(ids)
    randomize_weights(model)
    before = model(ids).numpy()
    assert before.shape == (1, 45, 20)
    moved = []
    for place in range(45):
        other = ids.copy()
        other[0, place] = 2 + (other[0, place] - 1) % 18
        moved.append(np.abs(model(other).numpy()[0, 40] - before[0, 40]).max() > 1e-7)
    width = {"small window": 10, "large window": 30}.get(kind)
    assert not any(moved[41:])
    if width:
        assert not any(moved[: 41 - width])
        assert sum(moved[41 - width : 41]) > width - 3
    else:
        assert sum(moved[30:41]) > 8


def test_a_bag_does_not_know_the_order_of_its_words() -> None:
    model = next_word.network("bag of words", 6, 20)
    ids = RNG.integers(2, 20, (3, 12))
    other = np.concatenate([RNG.permuted(ids[:, :-1], axis=1), ids[:, -1:]], 1)
    np.testing.assert_allclose(model(ids)[:, -1], model(other)[:, -1], atol=1e-5)


@pytest.mark.parametrize("kind", next_word.KINDS)
def test_models_have_about_the_same_number_of_parameters(kind: str) -> None:
    model, count = next_word.sized(kind, 20_000, 50)
    model.build((None, None))
    assert count == model.count_params()
    assert 18_000 < count <= 20_000


def test_only_the_gap_counts(splits: DataSplits[ClozeSet], tmp_path: Path) -> None:
    gaps = ClozeSet(*(part[:6] for part in splits.train))
    known = sorted({word for text in [*gaps.texts, *gaps.next_words] for word in text.split()})
    file = zoo.preprocessing.text.write_vocabulary(known, tmp_path / "words.txt")
    words = zoo.preprocessing.text.WordTokenizer(file, 300)
    names = next_word.named(words)
    found = []
    for ids, targets, weights in next_word.gaps_batched(gaps, words, 4)(0).as_numpy_iterator():
        for row in range(len(ids)):
            (place,) = np.flatnonzero(weights[row])
            assert place == (ids[row] > 0).sum() - 1
            text = " ".join(names[i] for i in ids[row, : place + 1])
            found.append((text, names[targets[row, place]]))
    assert sorted(found) == sorted(zip(gaps.texts, gaps.next_words, strict=True))


@pytest.fixture(scope="module")
def compared(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An export of the lab, with smaller models, and what was printed."""
    folder = tmp_path_factory.mktemp("lab")
    settings = next_word.Settings(
        data_dir=data,
        folder=folder / "run",
        export=folder / "1",
        parameters=6_000,
        epochs=1,
        choices=3,
        rates=(0.01,),
    )
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(fluent, "PAIRS", TWINS)
        next_word.train(settings)
    return folder, printed.getvalue()


def test_the_lab_prints_a_table_and_draws_a_figure(compared: tuple[Path, str]) -> None:
    folder, printed = compared
    rows = [line for line in printed.splitlines() if re.match(rf"({'|'.join(next_word.KINDS)})  ", line)]
    assert [row[:14].strip() for row in rows] == list(next_word.KINDS)
    assert all(len(row.split()) >= 1 + len(DISTANCES) for row in rows)
    for kind in next_word.KINDS:
        assert figures(folder / "1")[f"parameters, {kind}"] <= 6_000
    assert figures(folder / "1")["test accuracy, bag of words"] <= 50
    assert (folder / "run" / "reach.png").stat().st_size > 10_000
    assert "<svg" in (folder / "run" / "reach.svg").read_text()


TEXTS = ["I grew up in Italy and", "", "qwxz qwxz", "I GREW UP IN ITALY AND", "live " * 300]


@pytest.fixture(scope="module")
def answers(compared: tuple[Path, str]) -> list[Answer]:
    one_by_one = [[text] for text in TEXTS]
    return ask(compared[0] / "1", *(("serving_default", some) for some in [TEXTS, [], *one_by_one]))


def test_an_export_says_what_may_follow(answers: list[Answer]) -> None:
    whole, none, *single = answers
    assert whole["words"].shape == whole["probabilities"].shape == (5, 3)
    assert none["words"].shape == (0, 3)
    status = [said.decode() for said in whole["status"]]
    assert status[:4] == ["", "no words in the text", "none of the words is known", ""]
    assert status[4].startswith("cut: of 300 words")
    assert whole["words"][1].tolist() == [b""] * 3
    assert not whole["probabilities"][1].any()
    assert (np.diff(whole["probabilities"], axis=1) <= 0).all()
    assert (whole["probabilities"].sum(1) < 1 + 1e-5).all()
    for row, said in enumerate(single):
        np.testing.assert_allclose(said["probabilities"][0], whole["probabilities"][row], atol=1e-5)
    np.testing.assert_allclose(whole["probabilities"][0], whole["probabilities"][3], atol=1e-6)


def test_predict_prints_words_and_probabilities(
    compared: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    ask_aloud(load(compared[0] / "1"), Question(("I grew up in",)))
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"I grew up in \.\.\.(  \S+ [01]\.\d{3}){3}", line)


# A text.


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences of a kind in which three words tell the next."""
    rng = np.random.default_rng(1)
    file = tmp_path_factory.mktemp("book") / "book.txt"
    pets = {"cat": "milk", "dog": "meat", "bird": "seed", "cow": "grass"}
    rows = [f"the {pet} eats {pets[pet]} ." for pet in rng.choice(list(pets), 600)]
    file.write_text("\n".join(rows[:300]) + "\n" + " ".join(rows[300:]), encoding="utf-8")
    return file


def test_a_model_of_a_text(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of five words all but the pet are certain: a perplexity of 4 ** (1 / 5) = 1.32 at best."""
    settings = next_word.Settings(
        dataset=str(book),
        folder=tmp_path / "run",
        export=tmp_path / "1",
        units=24,
        epochs=6,
        batch_size=4,
        steps=10,
        rates=(0.02,),
        dropout=0.0,
        cell="gru",
    )
    (tmp_path / "run" / "another").mkdir(parents=True)
    timing = {"wall_time": time.time() - 9_000, "seconds": 7_200}  # of a run that shares the folder
    line = json.dumps({"kind": "epoch", "timing": timing})
    (tmp_path / "run" / "another" / "log.jsonl").write_text(line, encoding="utf-8")
    next_word.train(settings)
    printed = capsys.readouterr().out
    assert figures(tmp_path / "1")["minutes"] < 5
    assert 1.25 < figures(tmp_path / "1")["test perplexity"] < 1.5
    written = printed.split("it writes:\n")[1].splitlines()[:3]
    assert all(
        re.search(r"the (cat eats milk|dog eats meat|bird eats seed|cow eats grass)", row) for row in written
    )
    (said,) = ask(tmp_path / "1", ("serving_default", ["The cow eats"]))
    assert said["words"][0, 0] == b"grass"


def test_carried_states_give_the_loss_of_the_whole_text() -> None:
    """Windows one after the other, each from the states in which the one before ended."""
    ids = RNG.integers(2, 20, 4 * 21 + 1)
    carrying = next_word.language_model(20, zoo.LSTMCell(8), stateful=True)
    windows = zoo.training.bptt_windows(ids, 4, 7)
    carrying(next(iter(windows))[0])
    randomize_weights(carrying)
    whole = next_word.language_model(20, zoo.LSTMCell(8))
    whole.build((None, None))
    whole.set_weights(carrying.get_weights())
    x, y = ids[:-1].reshape(4, 21), ids[1:].reshape(4, 21)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    wanted = float(loss(y, whole(x)))
    found = zoo.training.evaluate(carrying, windows, loss=next_word.MEASURES["loss"])["loss"]
    assert found == pytest.approx(wanted, rel=1e-5)
    states = whole.encoder.get_initial_state(4)
    for t in range(21):
        logits, states = whole.step(tf.constant(x[:, t]), states)
    np.testing.assert_allclose(logits, whole(x)[:, -1], atol=1e-5)
