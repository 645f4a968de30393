"""Word pieces beside those of `tokenizers`, and back to text."""

import gzip
import random
import re
import unicodedata
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import tensorflow as tf
from test_benchmarks import load
from tokenizers import Tokenizer

from zoo.preprocessing.text import (
    END,
    PADDING,
    START,
    UNKNOWN,
    WordPieceTokenizer,
    train_wordpiece,
    write_vocabulary,
)
from zoo.preprocessing.text.word_pieces import pre_tokens

SENTENCES = [
    "Die Bäckerin öffnet früh, und um 6:45 Uhr riecht die ganze Straße nach Brötchen.",
    "„Wer backt denn hier?“, fragt die Straßenbahnfahrerin – und die Bäckerin lacht.",
    "Don't wait: the bakery's open at 7, isn't it? They've baked 120 rolls already!",
    "The baker's rolls and the baker's loaves rise early; so do the bakers.",
    "L'été, la boulangère n'ouvre qu'à 8 h ; c'est déjà ça, dit-elle.",
    "Łódź leży w środku Polski, a żółw śpi.",
    "Őszinte kérdés: hány óra van? ¿Qué hora es? ¡Qué más da!",
    "Η αρτοποιός ανοίγει νωρίς. Пекарня открывается рано.",
    "面包店很早开门。面包很香。",
    "빵집은 일찍 문을 연다.",
    "Cafe\u0301 mit Umla\u0308uten, aus zwei Zeichen: a\u0308 o\u0308 u\u0308.",
    "Prix\u00a0: 3,50\u202f€ (TTC) — 20 % de réduction… [PAD] [UNK] [END] ##s #1 ###",
    "Gern 😀👍🏽! I ❤️ it 👩‍👩‍👧 1️⃣",
]
ODD = [
    "",
    " \t\r\n ",
    "\u2581",
    "a\u2581b\u2581\u2581c",
    b"one\0two \xff\xfe three\x80 \xf0\x9f\x98",
    "tab\tline\nend\u0085next\u2028last",
    "zero\u200bwidth soft\u00adhyphen \ufeffmark",
    "ba" * 49 + "b",  # with the space before it 100 characters
    "ba" * 50,
    "12" * 60,
    "early" * 30 + " early",
    "the ქართული baker ☃ ☃☃ and t☃",
    "\u0301combining first \u0308",
    "end ",
]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return load("wordpiece")


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pieces = train_wordpiece(SENTENCES, 500, min_frequency=1)
    return write_vocabulary(pieces, tmp_path_factory.mktemp("text") / "pieces.txt")


@pytest.fixture(scope="module")
def encoder(vocabulary: Path) -> WordPieceTokenizer:
    return WordPieceTokenizer(vocabulary, 400)


@pytest.fixture(scope="module")
def reference(benchmark: ModuleType, vocabulary: Path) -> Tokenizer:
    return benchmark.reference(vocabulary.read_text(encoding="utf-8").splitlines())


def decoded(strings: tf.Tensor) -> list[str]:
    return [string.decode() for string in strings.numpy()]


def clean(text: str | bytes) -> str:
    """What is left of a text, by the standard library."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace").replace("\ufffd", " ")
    shown = "\u200c\u200d\u200e\u200f"  # joiners and marks of direction belong to the text
    hidden = ((unicodedata.category(c)[0] in "ZC" and c not in shown) or c == "\u2581" for c in text)
    shows = (" " if hides else c for hides, c in zip(hidden, text, strict=True))
    return " ".join("".join(shows).split())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't pay 14!", "▁Don ' t ▁pay ▁1 4 !"),
        ("„Łódź“, été…", "▁„ Łódź “ , ▁été …"),
        ("e\u0301te\u0301 a_b x²", "▁e\u0301te\u0301 ▁a _ b ▁x ²"),
        (" a \u00a0\u200b\u3000 b\u2581c ", "▁a ▁b ▁c"),
        ("می\u200cخواهم 5\u200f/3", "▁می\u200cخواهم ▁5 \u200f / 3"),
        ("面包店。 ☃😀", "▁面包店 。 ▁☃ 😀"),
        ("", ""),
    ],
)
def test_pre_tokens(text: str, tokens: str) -> None:
    assert decoded(pre_tokens([text])[0]) == tokens.split()


def assert_as_tokenizers(encoder: WordPieceTokenizer, reference: Tokenizer, texts: list[str | bytes]) -> None:
    found = encoder(texts)
    assert found.ids.dtype == tf.int32
    back = decoded(encoder.text(found.ids))
    copied = decoded(encoder.text(found.ids, found.pieces.to_tensor("")))
    rows = found.ids.numpy().tolist(), found.pieces.to_list(), back, copied
    for text, ids, pieces, known, whole in zip(texts, *rows, strict=True):
        plain = clean(text)
        expected = reference.encode(plain).ids
        assert ids == expected + [PADDING] * (len(ids) - len(expected))
        assert len(pieces) == len(expected)
        assert b"".join(pieces).decode().replace("\u2581", " ").strip() == whole == plain
        assert (known == plain) == (UNKNOWN not in expected)


def test_pieces_are_those_of_tokenizers(encoder: WordPieceTokenizer, reference: Tokenizer) -> None:
    assert_as_tokenizers(encoder, reference, SENTENCES + ODD)
    assert all(UNKNOWN not in reference.encode(sentence).ids for sentence in SENTENCES)
    assert any(piece.startswith("##") and len(piece) > 4 for piece in reference.get_vocab())


def test_pieces_of_random_texts_are_those_of_tokenizers(
    encoder: WordPieceTokenizer, reference: Tokenizer
) -> None:
    draw = random.Random(1)
    parts = [*"abert  \u00a0\u2581'’-#.1ß\u0308ü包😀☃\u200d[]", "baker", "Straße", "##", "[UNK]", "early"]
    texts = ["".join(draw.choices(parts, k=draw.randrange(40))) for _ in range(400)]
    assert_as_tokenizers(encoder, reference, texts)


def test_words_that_are_unknown_are_shown_and_named(encoder: WordPieceTokenizer) -> None:
    long = "\u2581" + "z" * 120
    found = encoder(["the ☃ ქა's", "", "the", f"☃{long} ☃ ☃"])
    assert decoded(found.pieces[0]) == ["▁the", "▁☃", "▁ქა", "'", "s"]
    assert [n == UNKNOWN for n in found.ids[0].numpy()] == [False, True, True, False, False]
    assert decoded(found.pieces[3]) == ["▁☃", long, "▁☃", "▁☃"]
    assert decoded(found.status) == [
        *("unknown: ☃, ქა", "no text", "", f"unknown: ☃, {'z' * 30}..., ☃, ..."),
    ]


def test_long_text_is_cut_and_says_so(vocabulary: Path, reference: Tokenizer) -> None:
    encoder = WordPieceTokenizer(vocabulary, 5)
    texts = ["a b c d e", "a b c d e f", "the baker reopened", "☃ " * 7, "a, " * 350_000]
    found = encoder(texts)
    assert found.ids.numpy().tolist() == [reference.encode(text[:50]).ids[:5] for text in texts]
    assert [len(row) for row in found.pieces] == [5] * 5
    assert len(reference.encode(texts[2]).ids) > 5
    read = "cut: the first 5 pieces of {} words and marks were read"
    assert decoded(found.status) == [
        *("", read.format(6), read.format(3)),
        read.format(7) + "; unknown: ☃, ☃, ☃, ...",
        read.format(700_000),
    ]


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_there_is_always_a_time_step(encoder: WordPieceTokenizer, texts: list[str]) -> None:
    found = encoder(tf.constant(texts, tf.string))
    assert found.ids.shape == (len(texts), 1)
    assert decoded(found.status) == ["no text"] * len(texts)
    assert decoded(encoder.text(found.ids, found.pieces.to_tensor(""))) == [""] * len(texts)


def test_text_of_ids(encoder: WordPieceTokenizer) -> None:
    known = encoder(["The baker's rolls"]).ids[0].numpy().tolist()
    rows = [
        [START, *known, END, *known],
        [*known, PADDING, *known, PADDING],
        [UNKNOWN, *known, UNKNOWN, END, *known[:-1]],
        [END, *known, *known, END],
    ]
    ids = tf.constant(rows)
    copies = tf.fill(ids.shape, "▁☃")
    copies = tf.tensor_scatter_nd_update(copies, [[2, 0]], [""])
    assert decoded(encoder.text(ids)) == [
        *("The baker's rolls", "The baker's rolls", "[UNK] The baker's rolls [UNK]", ""),
    ]
    assert decoded(encoder.text(ids, copies))[2] == "[UNK] The baker's rolls ☃"
    pieces = encoder.pieces_of(ids)
    assert pieces.shape == ids.shape
    shown = decoded(pieces[0])
    assert shown[0] == ""
    assert shown[1 : len(known) + 1] == decoded(encoder(["The baker's rolls"]).pieces[0])
    assert not any(shown[len(known) + 1 :])


def test_vocabulary_is_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = train_wordpiece(SENTENCES, 400, 1)
    assert len(learnt) == len(set(learnt)) == 400
    assert learnt[:4] == ["[PAD]", "[UNK]", "[START]", "[END]"]
    assert train_wordpiece(iter(SENTENCES), 400, 1) == learnt
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    assert train_wordpiece(iter(SENTENCES), 400, 1) == learnt


def test_vocabulary_leaves_out_what_is_rare() -> None:
    special = ["[PAD]", "[UNK]", "[START]", "[END]"]
    assert train_wordpiece(["ab ab ab", "ab ac d d"], 100, 2) == [
        *(*special, "a", "b", "d", "▁", "##a", "##b", "##d", "##▁"),
        *("▁a", "▁ab", "▁d"),
    ]
    assert train_wordpiece([], 100) == special
    with pytest.raises(ValueError, match="size=11 is too small: the 4 characters alone make 12 pieces"):
        train_wordpiece(["ab ab ab", "ab ac d d"], 11, 2)


def test_a_file_that_is_no_vocabulary_of_pieces_is_refused(tmp_path: Path) -> None:
    file = write_vocabulary(["[UNK]", "[PAD]", "a"], tmp_path / "words.txt")
    with pytest.raises(ValueError, match=re.escape(f"{file} starts with the lines ['[UNK]', '[PAD]', 'a'")):
        WordPieceTokenizer(file, 5)


class Echo(tf.Module):
    """Texts to pieces and back."""

    def __init__(self, encoder: WordPieceTokenizer) -> None:
        super().__init__()
        self.encoder = encoder

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        found = self.encoder(text)
        pieces = found.pieces.to_tensor("")
        back = self.encoder.text(found.ids, pieces)
        return {"ids": found.ids, "pieces": pieces, "back": back, "status": found.status}


def test_saved_model_holds_the_vocabulary(
    encoder: WordPieceTokenizer, vocabulary: Path, tmp_path: Path
) -> None:
    moved = write_vocabulary(vocabulary.read_text(encoding="utf-8").splitlines(), tmp_path / "pieces.txt")
    echo = Echo(WordPieceTokenizer(moved, 400))
    tf.saved_model.save(echo, str(tmp_path / "1"), signatures=echo.serve)
    moved.unlink()
    assert [file.name for file in (tmp_path / "1" / "assets").iterdir()] == ["pieces.txt"]
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    for texts in (SENTENCES + ODD, [""], []):
        said = serve(text=tf.constant(texts, tf.string))
        expected = encoder(tf.constant(texts, tf.string))
        assert said["ids"].numpy().tolist() == expected.ids.numpy().tolist()
        assert said["pieces"].numpy().tolist() == expected.pieces.to_tensor("").numpy().tolist()
        assert decoded(said["status"]) == decoded(expected.status)
        assert decoded(said["back"]) == [clean(text) for text in texts]


def test_benchmark_compares_every_sentence(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, packed, pairs = (tmp_path / name for name in ("a.txt", "b.gz", "c.zip"))
    plain.write_text("\n".join(SENTENCES), encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with zipfile.ZipFile(pairs, "w") as archive:
        archive.writestr("_about.txt", "about")
        archive.writestr("c.txt", "".join(f"{text}\t{text[::-1]}\tnote\n" for text in SENTENCES * 40))
    assert benchmark.read(plain) == benchmark.read(packed) == SENTENCES
    assert benchmark.read(pairs)[:2] == [SENTENCES[0], SENTENCES[0][::-1]]
    assert benchmark.run(benchmark.Settings((pairs,), min_frequency=41))
    assert re.search(r"^\| c.zip \| 1040 \| \d+ \| 0 \|", capsys.readouterr().out, re.M)


def test_benchmark_finds_what_differs(
    benchmark: ModuleType, encoder: WordPieceTokenizer, vocabulary: Path
) -> None:
    pieces = vocabulary.read_text(encoding="utf-8").splitlines()
    pieces[-2:] = reversed(pieces[-2:])
    found = benchmark.compare(encoder, benchmark.reference(pieces), SENTENCES)
    assert 0 < len(found.different) < len(SENTENCES)
    assert found.ours > 0 < found.theirs
