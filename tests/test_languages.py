"""Languages by their usual spellings, and languages that are written without spaces between words."""

import logging
from pathlib import Path

import pytest
import tensorflow as tf

import zoo.metrics.text
from zoo.datasets import DataSplits, load_translation
from zoo.datasets.builders import dates as dates_module
from zoo.datasets.splits import SPLITS
from zoo.errors import UsageError
from zoo.languages import is_same_language, normalize_language
from zoo.metrics import bleu, choose_bleu_tokenizer, exact_match, score_translations

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
        'BLEU is that of characters. For words, as papers count them, run pip install "rnn-zoo[ja]".'
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
