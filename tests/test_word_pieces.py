"""Word pieces equal those of `tokenizers`, and give back the text."""

import gzip
import random
import re
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest
import tensorflow as tf
import text_reference
from test_benchmarks import load
from tokenizers import Tokenizer

from zoo.errors import DataError, UsageError
from zoo.preprocessing.text import (
    END_ID,
    PADDING_ID,
    START_ID,
    UNKNOWN_ID,
    WordPieceTokenizer,
    pre_tokenize,
    train_wordpiece,
    write_vocabulary,
)
from zoo.tasks.base import describe_truncation

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
    tokens = train_wordpiece(SENTENCES, 500, min_frequency=1)
    return write_vocabulary(tokens, tmp_path_factory.mktemp("text") / "pieces.txt")


@pytest.fixture(scope="module")
def tokenizer(vocabulary: Path) -> WordPieceTokenizer:
    return WordPieceTokenizer(vocabulary, 400)


@pytest.fixture(scope="module")
def reference(benchmark: ModuleType, vocabulary: Path) -> Tokenizer:
    return benchmark.build_reference(vocabulary.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("side", "part"),
    [("left", "the last 5"), ("middle", "the first 3 and the last 2"), ("right", "the first 5")],
)
def test_the_card_states_what_is_read_of_a_long_text(
    side: Literal["left", "middle", "right"], part: str, vocabulary: Path
) -> None:
    tokenizer = WordPieceTokenizer(vocabulary, 5, truncation_side=side)
    assert describe_truncation(tokenizer) == f"A text of more than 5 word pieces is cut: {part} are read."
    assert f"cut: {part} pieces of" in decode(tokenizer(tf.constant(SENTENCES[:1])).status)[0]
    assert describe_truncation(WordPieceTokenizer(vocabulary, 1_000)).count("1,000") == 2


def decode(strings: tf.Tensor) -> list[str]:
    return [string.decode() for string in strings.numpy()]


def clean(text: str | bytes) -> str:
    """The text after cleaning, by the standard library."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace").replace("\ufffd", " ")
    return "".join(text_reference.pre_tokenize(text)).replace("▁", " ").strip()


def encode(reference: Tokenizer, text: str | bytes) -> list[int]:
    """The ids of `tokenizers`, for pre-tokens made by the standard library."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace").replace("\ufffd", " ")
    pre_tokens = text_reference.pre_tokenize(text)
    return [token.id for pre_token in pre_tokens for token in reference.model.tokenize(pre_token)]


@pytest.mark.parametrize(
    ("text", "pre_tokens"),
    [
        ("Don't pay 14!", "▁Don ' t ▁pay ▁1 4 !"),
        ("„Łódź“, été…", "▁„ Łódź “ , ▁été …"),
        ("e\u0301te\u0301 a_b x²", "▁été ▁a _ b ▁x ²"),
        (" a \u00a0\u200b\u3000 b\u2581c ", "▁a ▁b ▁c"),
        ("soft\u00adware zero\u200bwidth", "▁software ▁zerowidth"),
        ("👍🏽👨\u200d👩\u200d👧 🇩🇪🇫🇷 ❤️ 1️⃣", "▁👍🏽 👨\u200d👩\u200d👧 ▁🇩🇪 🇫🇷 ▁❤️ ▁1️⃣"),
        ("می\u200cخواهم 5\u200f/3", "▁می\u200cخواهم ▁5 \u200f / 3"),
        ("面包店。 ☃😀", "▁ 面 包 店 。 ▁☃ 😀"),
        ("ラーメン ภาษา", "▁ ラ ー メ ン ▁ ภ า ษ า"),
        ("", ""),
    ],
)
def test_pre_tokenize(text: str, pre_tokens: str) -> None:
    assert decode(pre_tokenize([text])[0]) == pre_tokens.split()


def assert_equals_tokenizers(
    tokenizer: WordPieceTokenizer, reference: Tokenizer, texts: list[str | bytes]
) -> None:
    tokenized = tokenizer(texts)
    assert tokenized.ids.dtype == tf.int32
    without_copies = decode(tokenizer.detokenize(tokenized.ids))
    with_copies = decode(tokenizer.detokenize(tokenized.ids, tokenized.tokens.to_tensor("")))
    columns = tokenized.ids.numpy().tolist(), tokenized.tokens.to_list(), without_copies, with_copies
    for text, ids, tokens, known, full in zip(texts, *columns, strict=True):
        clean_text = clean(text)
        expected = encode(reference, text)
        assert ids == expected + [PADDING_ID] * (len(ids) - len(expected))
        assert len(tokens) == len(expected)
        assert b"".join(tokens).decode().replace("\u2581", " ").strip() == full == clean_text
        assert (known == clean_text) == (UNKNOWN_ID not in expected)


def test_tokens_equal_those_of_tokenizers(tokenizer: WordPieceTokenizer, reference: Tokenizer) -> None:
    assert_equals_tokenizers(tokenizer, reference, SENTENCES + ODD)
    assert all(UNKNOWN_ID not in encode(reference, sentence) for sentence in SENTENCES)
    assert any(token.startswith("##") and len(token) > 4 for token in reference.get_vocab())


def test_tokens_of_random_texts_equal_those_of_tokenizers(
    tokenizer: WordPieceTokenizer, reference: Tokenizer
) -> None:
    rng = random.Random(1)
    parts = [*"abert  \u00a0\u2581'’-#.1ß\u0308ü包😀☃\u200d[]", "baker", "Straße", "##", "[UNK]", "early"]
    texts = ["".join(rng.choices(parts, k=rng.randrange(40))) for _ in range(400)]
    assert_equals_tokenizers(tokenizer, reference, texts)


def test_status_names_unknown_words(tokenizer: WordPieceTokenizer) -> None:
    long_word = "\u2581" + "z" * 120
    tokenized = tokenizer(["the ☃ ქა's", "", "the", f"☃{long_word} ☃ ☃"])
    assert decode(tokenized.tokens[0]) == ["▁the", "▁☃", "▁ქა", "'", "s"]
    assert [n == UNKNOWN_ID for n in tokenized.ids[0].numpy()] == [False, True, True, False, False]
    assert decode(tokenized.tokens[3]) == ["▁☃", long_word, "▁☃", "▁☃"]
    assert decode(tokenized.status) == [
        *("unknown: ☃, ქა", "no text", "", f"unknown: ☃, {'z' * 30}..., ☃, ..."),
    ]


def test_long_text_is_truncated(vocabulary: Path, reference: Tokenizer) -> None:
    tokenizer = WordPieceTokenizer(vocabulary, max_tokens=5)
    texts = ["a b c d e", "a b c d e f", "the baker reopened", "☃ " * 7, "a, " * 350_000]
    tokenized = tokenizer(texts)
    assert tokenized.ids.numpy().tolist() == [encode(reference, text[:50])[:5] for text in texts]
    assert [len(row) for row in tokenized.tokens] == [5] * 5
    assert len(encode(reference, texts[2])) > 5
    truncated = "cut: the first 5 pieces of {} words and marks were read"
    assert decode(tokenized.status) == [
        *("", truncated.format(6), truncated.format(3)),
        truncated.format(7) + "; unknown: ☃, ☃, ☃, ...",
        truncated.format(700_000),
    ]


@pytest.mark.parametrize(
    ("side", "max_tokens", "parts"),
    [
        ("left", 5, "the last 5"),
        ("middle", 5, "the first 3 and the last 2"),
        ("middle", 6, "the first 3 and the last 3"),
        ("middle", 1, "the first 1 and the last 0"),
    ],
)
def test_other_ends_of_long_texts_are_kept(
    side: str, max_tokens: int, parts: str, vocabulary: Path, tokenizer: WordPieceTokenizer
) -> None:
    texts = ["", "the rolls", *SENTENCES]
    truncated = WordPieceTokenizer(vocabulary, max_tokens, truncation_side=side)(texts)
    num_first = 0 if side == "left" else -(-max_tokens // 2)
    full = tokenizer(texts)
    all_rows, rows = (
        [[i for i in ids if i != PADDING_ID] for ids in x.ids.numpy().tolist()] for x in (full, truncated)
    )
    for ids, kept, status in zip(all_rows, rows, decode(truncated.status), strict=True):
        is_long = len(ids) > max_tokens
        ends = ids[:num_first] + ids[len(ids) - max_tokens + num_first :]
        assert kept == (ends if is_long else ids)
        assert status.startswith(f"cut: {parts} pieces of ") == is_long


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_ids_have_at_least_one_time_step(tokenizer: WordPieceTokenizer, texts: list[str]) -> None:
    tokenized = tokenizer(tf.constant(texts, tf.string))
    assert tokenized.ids.shape == (len(texts), 1)
    assert decode(tokenized.status) == ["no text"] * len(texts)
    assert decode(tokenizer.detokenize(tokenized.ids, tokenized.tokens.to_tensor(""))) == [""] * len(texts)


def test_detokenize_reads_up_to_the_end_and_copies_unknown_words(tokenizer: WordPieceTokenizer) -> None:
    known = tokenizer(["The baker's rolls"]).ids[0].numpy().tolist()
    rows = [
        [START_ID, *known, END_ID, *known],
        [*known, PADDING_ID, *known, PADDING_ID],
        [UNKNOWN_ID, *known, UNKNOWN_ID, END_ID, *known[:-1]],
        [END_ID, *known, *known, END_ID],
    ]
    ids = tf.constant(rows)
    copies = tf.fill(ids.shape, "▁☃")
    copies = tf.tensor_scatter_nd_update(copies, [[2, 0]], [""])
    assert decode(tokenizer.detokenize(ids)) == [
        *("The baker's rolls", "The baker's rolls", "[UNK] The baker's rolls [UNK]", ""),
    ]
    assert decode(tokenizer.detokenize(ids, copies))[2] == "[UNK] The baker's rolls ☃"
    tokens = tokenizer.ids_to_tokens(ids)
    assert tokens.shape == ids.shape
    row = decode(tokens[0])
    assert row[0] == ""
    assert row[1 : len(known) + 1] == decode(tokenizer(["The baker's rolls"]).tokens[0])
    assert not any(row[len(known) + 1 :])


def test_training_is_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary = train_wordpiece(SENTENCES, 400, 1)
    assert len(vocabulary) == len(set(vocabulary)) == 400
    assert vocabulary[:4] == ["[PAD]", "[UNK]", "[START]", "[END]"]
    assert train_wordpiece(iter(SENTENCES), 400, 1) == vocabulary
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    assert train_wordpiece(iter(SENTENCES), 400, 1) == vocabulary


def test_training_leaves_out_rare_tokens() -> None:
    special_tokens = ["[PAD]", "[UNK]", "[START]", "[END]"]
    assert train_wordpiece(["ab ab ab", "ab ac d d"], 100, 2) == [
        *(*special_tokens, "a", "b", "d", "▁", "##a", "##b", "##d", "##▁"),
        *("▁a", "▁ab", "▁d"),
    ]
    assert train_wordpiece([], 100) == special_tokens
    with pytest.raises(UsageError, match="of 11 word pieces is too small: the 4 characters alone make 12"):
        train_wordpiece(["ab ab ab", "ab ac d d"], 11, 2)


def test_vocabulary_without_special_tokens_is_refused(tmp_path: Path) -> None:
    path = write_vocabulary(["[UNK]", "[PAD]", "a"], tmp_path / "words.txt")
    with pytest.raises(DataError, match=re.escape(f"{path} starts with the lines ['[UNK]', '[PAD]', 'a'")):
        WordPieceTokenizer(path, 5)


class RoundTrip(tf.Module):
    """Texts to tokens and back."""

    def __init__(self, tokenizer: WordPieceTokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        tokenized = self.tokenizer(text)
        tokens = tokenized.tokens.to_tensor("")
        texts = self.tokenizer.detokenize(tokenized.ids, tokens)
        return {"ids": tokenized.ids, "tokens": tokens, "texts": texts, "status": tokenized.status}


def test_saved_model_contains_the_vocabulary(
    tokenizer: WordPieceTokenizer, vocabulary: Path, tmp_path: Path
) -> None:
    copy = write_vocabulary(vocabulary.read_text(encoding="utf-8").splitlines(), tmp_path / "pieces.txt")
    module = RoundTrip(WordPieceTokenizer(copy, 400))
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.serve)
    copy.unlink()
    assert [file.name for file in (tmp_path / "1" / "assets").iterdir()] == ["pieces.txt"]
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    for texts in (SENTENCES + ODD, [""], []):
        outputs = loaded.signatures["serving_default"](text=tf.constant(texts, tf.string))
        expected = tokenizer(tf.constant(texts, tf.string))
        assert outputs["ids"].numpy().tolist() == expected.ids.numpy().tolist()
        assert outputs["tokens"].numpy().tolist() == expected.tokens.to_tensor("").numpy().tolist()
        assert decode(outputs["status"]) == decode(expected.status)
        assert decode(outputs["texts"]) == [clean(text) for text in texts]


def test_benchmark_compares_every_sentence(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, packed, pairs = (tmp_path / name for name in ("a.txt", "b.gz", "c.zip"))
    plain.write_text("\n".join(SENTENCES), encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with zipfile.ZipFile(pairs, "w") as archive:
        archive.writestr("_about.txt", "about")
        archive.writestr("c.txt", "".join(f"{text}\t{text[::-1]}\tnote\n" for text in SENTENCES * 40))
    assert benchmark.read_sentences(plain) == benchmark.read_sentences(packed) == SENTENCES
    assert benchmark.read_sentences(pairs)[:2] == [SENTENCES[0], SENTENCES[0][::-1]]
    assert benchmark.run(benchmark.Settings((pairs,), min_frequency=41))
    assert re.search(r"^\| c.zip \| 1040 \| \d+ \| 0 \|", capsys.readouterr().out, re.M)


def test_benchmark_reports_differences(
    benchmark: ModuleType, tokenizer: WordPieceTokenizer, vocabulary: Path
) -> None:
    tokens = vocabulary.read_text(encoding="utf-8").splitlines()
    tokens[-2:] = reversed(tokens[-2:])
    comparison = benchmark.compare(tokenizer, benchmark.build_reference(tokens), SENTENCES)
    assert 0 < len(comparison.differences) < len(SENTENCES)
    assert comparison.zoo_seconds > 0 < comparison.tokenizers_seconds
