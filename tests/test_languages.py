"""Languages by their usual spellings, and languages that are written without spaces between words."""

import logging
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
import tensorflow as tf
from PIL import Image

import zoo.metrics.text
from zoo.datasets import DataSplits, load_captioning, load_text, load_translation
from zoo.datasets.builders import dates as dates_module
from zoo.datasets.splits import SPLITS
from zoo.errors import UsageError
from zoo.languages import is_same_language, normalize_language
from zoo.metrics import (
    bleu,
    choose_bleu_tokenizer,
    exact_match,
    normalize_caption_lists,
    normalize_captions,
    score_captions,
    score_translations,
    sentence_chrf,
)
from zoo.preprocessing.text import (
    WordPieceTokenizer,
    merge_word_pieces,
    normalize_texts,
    train_wordpiece,
    write_vocabulary,
)
from zoo.reports.splits import hash_texts

# Names.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("zh", "zh"),
        ("zh_CN", "zh_Hans_CN"),
        ("ZH-cn", "zh_Hans_CN"),
        ("zh-Hans", "zh_Hans"),
        ("zho_Hans", "zh_Hans"),
        ("zh_TW", "zh_Hant_TW"),
        ("pt-BR", "pt_BR"),
        ("jpn", "ja_JP"),
        ("iw", "he_IL"),
        ("tok", "tok"),
        ("", ""),
        ("source", "source"),
        ("x_y_z", "x_y_z"),
    ],
)
def test_languages_have_one_name(name: str, expected: str) -> None:
    assert normalize_language(name) == expected
    assert normalize_language(expected) == expected


@pytest.mark.parametrize(
    ("name", "same", "others"),
    [
        ("zh_CN", ["zh", "zh-cn", "zh_Hans", "zh_Hans_CN", "cmn"], ["zh_TW", "zh_Hant", "yue", "ja"]),
        ("pt", ["pt_BR", "pt-br", "por"], ["pt_PT", "es"]),
        ("sr", ["sr_Cyrl", "sr_RS"], ["sr_Latn", "sr_Latn_RS"]),
        ("source", ["source"], ["target", "", "en"]),
        ("German", ["de", "deu", "german", " German"], ["en", "Deutsch"]),
    ],
)
def test_names_of_the_same_language(name: str, same: list[str], others: list[str]) -> None:
    assert all(is_same_language(name, other) and is_same_language(other, name) for other in same)
    assert not any(is_same_language(name, other) or is_same_language(other, name) for other in others)


# Data.


def read_pairs(data: DataSplits[tf.data.Dataset], split: str) -> list[tuple[str, str]]:
    return [(a.decode(), b.decode()) for a, b in getattr(data, split).as_numpy_iterator()]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tfds")


@pytest.mark.parametrize("target", ["zh_CN", "zh-cn", "zh-Hans-CN", "cmn-CN"])
def test_dates_take_every_spelling_of_a_locale(
    target: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dates_module, "SIZES", {"train": 100, "validation": 100, "test": 100})
    data = load_translation(f"dates/{target}", languages=("en", target), data_dir=data_dir)
    assert data.info.source.startswith("dates/zh_Hans_CN/1.")
    assert data.info.languages == ("en", target)
    assert [path.name for path in (data_dir / "dates").glob("*_*")] == ["zh_Hans_CN"]
    assert any("星期" in translation for _, translation in read_pairs(data, "train"))


def write_pairs(directory: Path, source: str, target: str) -> None:
    directory.mkdir()
    for name, sides in (("train", source), ("dev", source), ("test", source)):
        (directory / f"{name}.{sides}").write_text(f"{name} one\n{name} two\n", encoding="utf-8")
        (directory / f"{name}.{target}").write_text(f"{name}一\n{name}二\n", encoding="utf-8")


def test_files_may_have_the_name_of_a_locale_as_suffix(tmp_path: Path) -> None:
    write_pairs(tmp_path / "data", "en", "zh_CN")
    data = load_translation(str(tmp_path / "data"), languages=("en", "zh_CN"))
    assert read_pairs(data, "train") == [("train one", "train一"), ("train two", "train二")]
    assert data.info.languages == ("en", "zh_CN")


@pytest.mark.parametrize("header", ["en,zh_CN", "en-US,zh-CN", "zh,en", "zh_Hans,en"])
def test_columns_may_have_any_spelling_of_the_language(tmp_path: Path, header: str) -> None:
    rows = [(f"number {i}", f"第{i}号") for i in range(200)]
    is_swapped = not header.startswith("en")
    lines = [header, *(",".join(row[::-1] if is_swapped else row) for row in rows)]
    (tmp_path / "pairs.csv").write_text("\n".join(lines), encoding="utf-8")
    data = load_translation(str(tmp_path / "pairs.csv"), languages=("en", "zh_CN"))
    pairs = [pair for split in SPLITS for pair in read_pairs(data, split)]
    assert sorted(pairs) == sorted(rows)


# Metrics.


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [
        *[(name, "zh") for name in ("zh", "zh_CN", "zh-TW", "zho_Hant", "yue")],
        *[(name, "ja-mecab") for name in ("ja", "ja_JP", "jpn")],
        *[(name, "char") for name in ("th", "lo_LA", "khm", "my")],
        *[(name, "13a") for name in ("de", "ko", "hi", "vi", "target", "")],
    ],
)
def test_bleu_tokenizer_of_a_language(language: str, tokenizer: str) -> None:
    assert choose_bleu_tokenizer(language) == tokenizer
    assert choose_bleu_tokenizer(language, "none") == "none"
    assert f"|tok:{tokenizer}" in bleu(["a"], ["a"], tokenizer).signature


def test_japanese_without_mecab(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(zoo.metrics.text, "find_spec", lambda name: None)
    with caplog.at_level(logging.WARNING, "zoo"):
        assert choose_bleu_tokenizer("ja") == "char"
    assert caplog.messages == [
        "BLEU is that of characters. For words, as papers count them, run "
        '`pip install -c constraints.txt -e ".[ja]"`.'
    ]
    with pytest.raises(UsageError, match="ja-mecab of BLEU needs MeCab, which is not installed"):
        choose_bleu_tokenizer("ja", "ja-mecab")


SIMILAR = {
    "zh": ("2018年3月5日星期一 15:05", "2018年3月6日星期二 15:05"),
    "ja": ("2018年3月5日月曜日 15:05", "2018年3月6日火曜日 15:05"),
    "th": ("วันจันทร์ที่ 5 มีนาคม 2018", "วันอังคารที่ 6 มีนาคม 2018"),
}


@pytest.mark.parametrize("language", SIMILAR)
def test_similar_sentences_without_spaces_have_a_score_in_between(language: str) -> None:
    prediction, reference = SIMILAR[language]
    tokenizer = choose_bleu_tokenizer(language)
    scores = score_translations([prediction, reference], [reference, reference], tokenizer)
    assert 50 < scores["BLEU"] < 95
    assert 50 < scores["chrF"] < 95
    assert scores["exact match"] == 50
    assert score_translations([reference], [reference], tokenizer) == pytest.approx(
        dict.fromkeys(scores, 100)
    )


def test_exact_match_of_texts_without_spaces() -> None:
    reference = "今天天气很好。"
    others = ["今天天气不好。", "今天天气很好", "今天 天气很好。", "", "天今天气很好。"]
    assert exact_match([reference, *others], [reference] * 6) == pytest.approx(100 / 6)
    assert exact_match(["下午\u30003:05", "下午\u202f3:05"], ["下午 3:05"] * 2) == 100


@pytest.mark.parametrize(
    "text",
    ["Ca\u0302y que\u0302", "\u1112\u1161\u11ab\u1100\u1173\u11af 배우다", "soft\u00adware", "\u0958लम है"],
)
def test_metrics_compare_normalized_texts(text: str) -> None:
    """A model generates normalized text, whatever the form of the references."""
    (normalized,) = (row.decode() for row in normalize_texts([text]).numpy())
    assert normalized != text
    scores = score_translations([normalized], [text], "char")
    assert scores == pytest.approx(dict.fromkeys(scores, 100))
    assert sentence_chrf([normalized], [["a", text]]) == pytest.approx([100])


CAPTIONS = {
    "zh": ("一只黑色的狗在雪地里奔跑。", "两个孩子坐在红色的长椅上。"),
    "ja": ("黒い犬が雪の中を走っている。", "二人の子供が赤いベンチに座る。"),
    "th": ("สุนัขสีดำกำลังวิ่งบนหิมะ", "เด็กสองคนนั่งอยู่บนม้านั่ง"),
    "hi": ("एक काला कुत्ता बर्फ़ में दौड़ रहा है।", "दो बच्चे लाल बेंच पर बैठे हैं।"),
    "ar": ("كَلْبٌ أَسْوَدُ يَرْكُضُ فِي الثَّلْجِ.", "طِفْلَانِ جَالِسَانِ عَلَى مَقْعَدٍ."),
    "he": ("כֶּלֶב שָׁחוֹר רָץ בַּשֶּׁלֶג.", "שְׁנֵי יְלָדִים יוֹשְׁבִים עַל סַפְסָל."),
    "vi": ("Một con chó đen đang chạy trên tuyết.", "Hai đứa trẻ ngồi trên ghế đỏ."),
    "ta": ("கருப்பு நாய் பனியில் ஓடுகிறது.", "இரண்டு குழந்தைகள் பெஞ்சில் உள்ளனர்."),
}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_captions_of_many_languages_score_by_their_words(form: Literal["NFC", "NFD"]) -> None:
    first, second = zip(*CAPTIONS.values(), strict=True)
    references = [[unicodedata.normalize(form, caption)] for caption in first]
    scores = score_captions(first, references)
    assert scores.pop("CIDEr") == pytest.approx(1000)  # of captions that have no words in common
    assert scores == pytest.approx(dict.fromkeys(scores, 100))
    others = score_captions(second, references)
    assert others["BLEU-4"] < 5
    assert others["ROUGE-L"] < 35
    assert others["CIDEr"] < 50
    # The captions keep their marks, and lose nothing but punctuation.
    for caption, normalized in zip(first, normalize_captions(first), strict=True):
        letters = [c for c in unicodedata.normalize("NFC", caption) if c not in "。.।"]
        assert normalized == "".join(letters).lower()


def test_a_captioning_file_in_hindi(tmp_path: Path) -> None:
    captions = {"a.png": "एक काला कुत्ता दौड़ रहा है।", "b.png": "लाल गेंद", "c.png": "नीली गेंद"}
    for split in ("train", "validation", "test"):
        for name in captions:
            Image.new("RGB", (8, 8)).save(tmp_path / f"{split}-{name}")
        rows = "".join(f"{split}-{name}\t{caption}\n" for name, caption in captions.items())
        (tmp_path / f"{split}.tsv").write_text(f"image\tcaption\n{rows}", encoding="utf-8")
    train = load_captioning(str(tmp_path)).train
    assert list(map(list, train.captions)) == [[caption] for caption in captions.values()]
    normalized = normalize_caption_lists(train.captions)
    assert normalized[0] == ["एक काला कुत्ता दौड़ रहा है"]
    vocabulary = train_wordpiece([caption for (caption,) in normalized] * 5, 100)
    tokenizer = WordPieceTokenizer(write_vocabulary(vocabulary, tmp_path / "pieces.txt"), max_tokens=50)
    tokenized = tokenizer([caption for (caption,) in normalized])
    texts = [text.decode() for text in tokenizer.detokenize(tokenized.ids).numpy()]
    assert [[text] for text in texts] == normalized
    assert all(status == b"" for status in tokenized.status.numpy())


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("ein Hund", ["ein", "Hund"]),
        ("一只狗 red", ["一", "只", "狗", "red"]),
        ("ที่นี่", ["ที่", "นี่"]),
    ],
)
def test_attention_is_that_of_words_or_characters(caption: str, words: list[str], tmp_path: Path) -> None:
    vocabulary = train_wordpiece([caption] * 2, 100, min_frequency=1)
    tokenizer = WordPieceTokenizer(write_vocabulary(vocabulary, tmp_path / "pieces.txt"), max_tokens=50)
    ids = tokenizer([caption, ""]).ids
    merged, means = merge_word_pieces(tokenizer.ids_to_tokens(ids), tf.ones([*ids.shape, 2]))
    assert [word.decode() for word in merged[0].numpy()] == words
    assert set(merged[1].numpy()) == {b""}
    assert means.shape == (2, len(words), 2)
    assert means[0].numpy().min() == 1


def test_long_chinese_pairs_are_left_out(tmp_path: Path) -> None:
    rows = [(f"number {i}", f"第{i}号") for i in range(200)] + [("long", "很长" * 30)]
    lines = ["en\tzh", *map("\t".join, rows)]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines), encoding="utf-8")
    data = load_translation(str(tmp_path / "pairs.tsv"), max_words=50)
    assert "Left out of train: 1 pair of more than 50 words on a side." in data.info.notes
    assert "long" not in {source for source, _ in read_pairs(data, "train")}


def test_a_chinese_text_is_read_by_sentences(tmp_path: Path) -> None:
    sentences = [f"第{i}天，他们走了{i}里路。" for i in range(2000)]
    (tmp_path / "book.txt").write_text("".join(sentences), encoding="utf-8")
    data = load_text(tmp_path / "book.txt")
    assert [len(getattr(data, split)) for split in SPLITS] == [90, 5, 5]
    assert data.train[0] == " ".join(sentences[:20])


def test_overlap_ignores_the_form_of_characters() -> None:
    texts = ["한글, 두 번", unicodedata.normalize("NFD", "한글 두 번"), "다른 글"]
    first, second, other = hash_texts(texts).numpy()
    assert first == second != other


def test_word_pieces_of_chinese_are_its_characters(tmp_path: Path) -> None:
    """A character has one token, wherever it stands, and none for a continuation."""
    texts = ["今天很好", "很 好, ok", "นำ"]
    vocabulary = train_wordpiece(texts, 100, min_frequency=1)
    assert {token for token in vocabulary if token.startswith("##")} == {"##o", "##k", "##ำ", "##▁", "##,"}
    tokenizer = WordPieceTokenizer(write_vocabulary(vocabulary, tmp_path / "pieces.txt"), max_tokens=50)
    tokens = [[token.decode() for token in row] for row in tokenizer(texts).tokens.to_list()]
    assert tokens == [["▁", *"今天很好"], ["▁", "很", "▁", "好", ",", "▁ok"], ["▁", "นำ"]]
    assert [text.decode() for text in tokenizer.detokenize(tokenizer(texts).ids).numpy()] == texts
