"""Items that are carried over unchanged: what is found, what is learnt, and that each is generated."""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from exports import Outputs
from hypothesis import given, settings
from hypothesis import strategies as st
from references import randomize_weights

from zoo.datasets import DataInfo, load_translation
from zoo.datasets.builders import notices
from zoo.errors import UsageError
from zoo.preprocessing.text import (
    COPY_TOKENS,
    CopiedItems,
    CopyingTokenizer,
    gather_items,
    pre_tokenize,
    pre_tokenize_marked,
    train_wordpiece,
    write_vocabulary,
)
from zoo.preprocessing.text.copying_tokenizer import join_items
from zoo.preprocessing.text.item_patterns import KINDS, WORD_KINDS, exchange_separators
from zoo.preprocessing.text.marked_pairs import find_item
from zoo.recipes import translation
from zoo.tasks.translation import TASK, TranslationModule, TranslationPreprocessor
from zoo.training import Run

PAIRS = [
    ("Tom has dogs.", "Tom hat Hunde."),
    ("The dogs like Tom.", "Die Hunde mögen Tom."),
    ("Tom's dogs see the park.", "Toms Hunde sehen den Park."),
    ("I like the Park.", "Ich mag den Park."),
]
PRICE = ("It costs 2.5.", "Es kostet 2,5.")
EVERYTHING = (
    'Hi Xaver, <a href="https://x.org/a">see</a> https://x.org/?a=1&b=(2). Mail a.b+c@x-y.co.uk: {n} of %(m)s 👍🏽 '
    "&amp; 37!"
)


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> CopiedItems:
    """Of pairs in which no kind of items occurs often, so that all are carried over."""
    return CopiedItems.adapt(PAIRS, tmp_path_factory.mktemp("items") / "words.txt")


def find(items: CopiedItems, text: str) -> list[str]:
    segments = [segment.decode() for segment in items.find(tf.constant([text]))[0].numpy()]
    assert "".join(segments) == text
    return segments[1::2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the https://x.org/a?b=1.", ["https://x.org/a?b=1"]),
        ("the (www.x.org), ftp://x.org/_(y) and x.org!", ["www.x.org", "ftp://x.org/_(y)", "x.org"]),
        ("the https://x.org/{id}/a: https://ü.de/ß", ["https://x.org/{id}/a", "https://ü.de/ß"]),
        ("see <https://x.org>", ["https://x.org"]),
        ("我看https://x.org/a今天", ["https://x.org/a"]),
        ("the j.d+x@mail.x-y.org.", ["j.d+x@mail.x-y.org"]),
        ("https://zh.x.org/a/中文 the", ["https://zh.x.org/a/中文"]),
        ("https://x.org谢谢, https://x.org/中。", ["https://x.org", "https://x.org/中"]),
        (
            "https://例え.jp/パス https://x.org/🎉 x.org/ไทย",
            ["https://例え.jp/パス", "https://x.org/🎉", "x.org/ไทย"],
        ),
        ("https://x.org/it's /a https://x.org/a|b^c", ["https://x.org/it's", "https://x.org/a|b^c"]),
        ("'https://x.org/a','https://x.org/?q=\"x\"'", ["https://x.org/a", 'https://x.org/?q="x"']),
        ("https://[::1]:80/x [https://x.org]", ["https://[::1]:80/x", "https://x.org"]),
        ("see zeit.de, x.co.uk/a: e.g. i.e. z.B. x.org?", ["zeit.de", "x.co.uk/a", "x.org"]),
        ("<me@x.org>", ["me@x.org"]),
        ("user@例え.jp, 用户@例え.jp 看tom@x.org谢谢", ["user@例え.jp", "用户@例え.jp", "tom@x.org"]),
        (
            "{a}{{ b.c }}${d} %s %1$d %(e)s %.2f %@ {0} {n, number}",
            ["{a}", "{{ b.c }}", "${d}", "%s", "%1$d", "%(e)s", "%.2f", "%@", "{0}", "{n, number}"],
        ),
        ("100% sure, 50% off", ["100", "50"]),
        ('<b>the</b><br/> <a href="x y" hidden>', ["<b>", "</b>", "<br/>", '<a href="x y" hidden>']),
        ("the a < b and b > a, <3", ["3"]),
        ("<0>the</0> <3 a>", ["<0>", "</0>", "3"]),
        ("the &nbsp; &#x1F600; R&D;", ["&nbsp;", "&#x1F600;", "&D;"]),
        ("the 😀😀 👨‍👩‍👧 🇩🇪 ❤️ 1️⃣ ☎", ["😀😀", "👨‍👩‍👧", "🇩🇪", "❤️", "1️⃣", "☎"]),
        ("the 3 %, 3:05, 1,000.50 and 5/6/18.", ["3", "3:05", "1,000.50", "5/6/18"]),
        ("3rd 10k x3, the_3", ["3rd", "10k", "x3", "the_3"]),
        ("12:30pm 1e-5 v1.2.3 at", ["12:30pm", "1e-5", "v1.2.3"]),
        ("2020-01-01T10:00:00Z, 5kg.", ["2020-01-01T10:00:00Z", "5kg"]),
        (
            "{a b} {{{x}}} {n, plural, one {# a} other {# b}}",
            ["{a b}", "{{{x}}}", "{n, plural, one {# a} other {# b}}"],
        ),
        ("{n,plural,=0{none}other{#}}", ["{n,plural,=0{none}other{#}}"]),
        ("我有3个", ["3"]),
        ("Tom's Dogs: TOM, tom", ["Tom", "TOM"]),
        ("the Xaver Yves-Zoe von Ay", ["Xaver Yves-Zoe", "Ay"]),
        ("the A B", []),
        ("the dogs. The DOGS. I like", []),
        ("", []),
    ],
)
def test_find(items: CopiedItems, text: str, expected: list[str]) -> None:
    assert find(items, text) == expected


def test_brackets_and_punctuation_stay_outside_of_items(items: CopiedItems) -> None:
    segments = items.find(tf.constant(["(<b>the</b>) 3 %"])).to_list()
    assert segments == [[b"(", b"<b>", b"the", b"</b>", b") ", b"3", b" %"]]


def test_equal_items_share_a_number_and_the_ninth_stays_text(items: CopiedItems) -> None:
    marked, table, num_items = items.mark(
        tf.constant(["{a} {b} {a}", "", "".join(f"{{{n}}}" for n in range(10)), "the"])
    )
    assert [text.decode().replace("\x01", "|") for text in marked.numpy()] == [
        "|1| |2| |1|",
        "",
        "".join(f"|{n}|" for n in range(1, 9)) + "{8}{9}",
        "the",
    ]
    assert table.shape == (4, len(COPY_TOKENS))
    assert num_items.numpy().tolist() == [2, 0, 10, 0]
    assert [[item.decode() for item in row if item] for row in table.numpy()] == [
        ["{a}", "{b}"],
        [],
        [f"{{{n}}}" for n in range(8)],
        [],
    ]


def test_nothing_is_lost_or_added(items: CopiedItems) -> None:
    """Marked texts with their items in place are the texts, apart from joiners beside items; alone and in a batch."""
    rng = random.Random(1)
    parts = [
        *"ab 3.:/<>{}%@$&#;()'-",
        "Xy",
        "https://",
        "x.org",
        "😀",
        "\u200d",
        "\ufe0f",
        "é",
        "e\u0301",
        "Tom",
        " the ",
    ]
    texts = ["".join(rng.choices(parts, k=rng.randrange(25))) for _ in range(300)] + [EVERYTHING]
    marked, table, _ = items.mark(tf.constant(texts))
    words = pre_tokenize_marked(marked).to_list()
    for text, row, found in zip(texts, words, table.numpy(), strict=True):
        names = dict(zip((token.encode() for token in COPY_TOKENS), found, strict=True))
        joined = b"".join(names.get(word, word) for word in row).decode()
        expected = b"".join(pre_tokenize([text])[0].numpy()).decode()
        got, expected = (text.replace("▁", " ").replace("\u200d", "").split() for text in (joined, expected))
        assert got == expected
    for row in range(0, 300, 30):
        alone, found, _ = items.mark(tf.constant([texts[row]]))
        assert alone[0] == marked[row]
        assert found[0].numpy().tolist() == table[row].numpy().tolist()


def test_batches_may_be_empty(items: CopiedItems) -> None:
    marked, table, _ = items.mark(tf.constant([], tf.string))
    assert (marked.shape, table.shape) == ((0,), (0, len(COPY_TOKENS)))
    assert pre_tokenize_marked(marked).nrows() == 0


# What is learnt.


def learn(pairs: list[tuple[str, str]], tmp_path: Path) -> set[str]:
    return set(CopiedItems.adapt(pairs, tmp_path / "words.txt").kinds)


@pytest.mark.parametrize(
    ("kind", "copied", "changed", "omitted"),
    [
        (
            "whole numbers",
            ("we have 12", "wir haben 12"),
            ("we have 12", "wir haben 13"),
            ("we have 12", "wir haben zwölf"),
        ),
        (
            "numbers with colons",
            ("at 3:05", "um 3:05"),
            ("at 3:05", "um 15:05"),
            ("at 3:05", "kurz nach drei"),
        ),
        (
            "URLs",
            ("see x.org/a", "siehe x.org/a"),
            ("see x.org/a", "siehe x.net/b"),
            ("see x.org/a", "siehe dort"),
        ),
        ("tags", ("<b>a</b>", "<b>x</b>"), ("<b>a</b>", "<i>x</i>"), ("<b>a</b>", "x")),
    ],
)
def test_a_kind_is_carried_over_if_targets_have_no_other_item_of_it(
    kind: str, copied: tuple[str, str], changed: tuple[str, str], omitted: tuple[str, str], tmp_path: Path
) -> None:
    assert kind in learn([copied] * 19 + [changed] * 2, tmp_path)
    assert kind not in learn([copied] * 19 + [changed] * 3, tmp_path)
    assert kind in learn([copied] * 19 + [changed] * 2 + [omitted] * 20, tmp_path)
    assert kind in learn([changed] * 4, tmp_path)  # too few to decide


def test_decimal_numbers_have_points_and_commas_exchanged_as_in_the_targets(tmp_path: Path) -> None:
    def exchanges(pairs: list[tuple[str, str]]) -> tuple[bool, bool]:
        items = CopiedItems.adapt(pairs, tmp_path / "words.txt")
        return items.exchanges_separators, "decimal numbers" in items.kinds

    same, spelled = ("It costs 2.5.", "It kosta 2.5."), ("It costs 1,000.", "Es kostet 1000.")
    assert exchanges([PRICE] * 10) == (True, True)
    assert exchanges([PRICE] * 9) == (False, True)  # too few to decide: carried over unchanged
    assert exchanges([PRICE] * 10 + [same]) == (True, True)
    assert exchanges([PRICE] * 10 + [same] * 2) == (False, False)
    assert exchanges([same] * 10) == (False, True)
    assert exchanges([PRICE] * 10 + [spelled] * 20) == (True, True)
    assert exchanges([PRICE] * 10 + [("Install 1.2.3.", "Installiere 1.2.3.")] * 20) == (True, True)
    items = CopiedItems.adapt([PRICE] * 10, tmp_path / "words.txt")
    pairs = [("2,345.5 of 1.2.3", "2.345,5 von 1.2.3"), ("1,000", "1000"), ("2.5", "2.5")]
    assert mark_pairs(items, pairs) == [("|1| of |2|", "|1| von |2|"), *pairs[1:]]
    assert items.describe()[0].endswith("Decimal numbers have points and commas exchanged.")


@given(
    st.lists(
        st.from_regex(
            r"[0-9]{1,6}|[0-9]+[.,][0-9]+|[1-9][0-9]{0,2}(,[0-9]{3}){1,3}(\.[0-9]+)?", fullmatch=True
        ),
        min_size=1,
    )
)
def test_exchanged_twice_a_number_is_as_before(numbers: list[str]) -> None:
    once = exchange_separators(tf.constant(numbers))
    expected = [number.translate(str.maketrans(".,", ",.")) for number in numbers]
    assert [number.decode() for number in once.numpy()] == expected
    np.testing.assert_array_equal(exchange_separators(once), tf.constant(numbers))


def test_unknown_words_are_carried_over_like_words_that_occur_once(tmp_path: Path) -> None:
    names = [f"{first}{second}a" for first in "BCDFGH" for second in "aeiou"]
    known = [("the dogs like him", "die Hunde mögen ihn")] * 3
    copied = [(f"the dogs like {name}", f"die Hunde mögen {name}") for name in names]
    translated = [(f"{name} dogs like it", "Hunde mögen es") for name in reversed(names)]
    capitalized, first, mixed = WORD_KINDS
    assert learn([*known, *copied], tmp_path) >= {capitalized, first, mixed}
    assert learn([*known, *copied[:15], *translated[:15]], tmp_path) & set(WORD_KINDS) == {capitalized, mixed}
    items = CopiedItems.adapt([*known, *copied[:15], *translated[:15]], tmp_path / "words.txt")
    assert find(items, "Zoe likes Zoe well. Zoe likes Bea a lot. Mr. Zoe") == ["Zoe", "Bea", "Zoe"]
    assert find(items, "Bea likes it") == ["Bea"]


def test_names_are_words_that_are_nearly_always_copied(items: CopiedItems) -> None:
    lines = items.words_path.read_text(encoding="utf-8").splitlines()
    assert lines[1:6] == ["Tom", "dogs", "the", "like", "park"]
    assert lines[7:] == ["has", "s", "see", "i"]  # once, in small letters


def test_a_capitalized_word_inside_a_sentence_is_a_name_if_training_has_it_once_in_small_letters(
    tmp_path: Path,
) -> None:
    known = [("dogs like to play and to bill", "Hunde mögen es")] * 2
    items = CopiedItems.adapt([*known, ("supplies peter out", "Vorräte gehen aus")], tmp_path / "words.txt")
    assert find(items, "Dogs like Peter and Bill! Peter out! PETER") == ["Peter"]


@pytest.mark.parametrize(
    ("num_copied", "num_translated", "is_name"),
    [(1, 1, True), (4, 4, True), (1, 2, False), (5, 5, False), (9, 1, True), (4, 5, False)],
)
def test_half_of_the_occurrences_of_a_rare_name_are_enough(
    tmp_path: Path, num_copied: int, num_translated: int, is_name: bool
) -> None:
    copied = [("dogs saw Peter", "Hunde sahen Peter")] * num_copied
    translated = [("dogs at Peter Square", "Hunde am Petersplatz")] * num_translated
    known = [("dogs like to play", "Hunde mögen es")] * 2
    items = CopiedItems.adapt([*known, *copied, *translated], tmp_path / "words.txt")
    assert find(items, "Dogs like Peter") == (["Peter"] if is_name else [])


def test_a_rare_word_that_is_mostly_in_small_letters_is_no_name(tmp_path: Path) -> None:
    pairs = [("dogs go Shipping", "Hunde Shipping"), ("dogs like shipping", "Hunde shipping")]
    pairs += [("dogs go on shipping", "Hunde senden")]
    items = CopiedItems.adapt(pairs, tmp_path / "words.txt")
    assert find(items, "Dogs like Shipping") == []
    items = CopiedItems.adapt([*pairs, *[("see Shipping", "Shipping")] * 2], tmp_path / "words.txt")
    assert find(items, "Dogs like Shipping") == ["Shipping"]


def test_adapt_depends_on_the_pairs_alone(items: CopiedItems, tmp_path: Path) -> None:
    again = CopiedItems.adapt(iter(PAIRS), tmp_path / "words.txt")
    assert again.words_path.read_bytes() == items.words_path.read_bytes()
    assert again.kinds == items.kinds


def test_find_item() -> None:
    assert find_item("Tom", "Toms Tomaten, Tom; Atom") == [0, 14]
    assert find_item("5", "5. Mai, 2,5 5:30 15 Uhr 5 km/5") == [0, 24, 29]
    assert find_item("{a}", "{a}{a}b") == [0, 3]
    assert find_item("x.org", "x.org, xx.org") == [0]


def mark_pairs(
    items: CopiedItems, pairs: list[tuple[str, str]], inserted: float = 0.0
) -> list[tuple[str, ...]]:
    return [tuple(text.replace("\x01", "|") for text in pair) for pair in items.mark_pairs(pairs, inserted)]


def test_training_pairs_have_numbers_where_both_sides_have_the_item(items: CopiedItems) -> None:
    [(source, target)] = mark_pairs(items, [("Tom's {a}, {b} {b} in 3", "Toms {a}, {b} in 3 {c}")])
    tom, a, three = (part for part in source.split("|")[1::2])
    assert source == f"|{tom}|'s |{a}|, {{b}} {{b}} in |{three}|"
    assert target == f"|{tom}|s |{a}|, {{b}} in |{three}| {{c}}"
    assert len({tom, a, three}) == 3
    [(source, target)] = mark_pairs(items, [(*["{0} {1} {2} {3} {4} {5} {6} {7} {8} {9}"] * 2,)])
    assert sorted(source.split("|")[1::2]) == sorted(target.split("|")[1::2]) == list("12345678")


def test_all_numbers_are_trained_and_drawn_the_same_way_again(items: CopiedItems) -> None:
    pairs = [("see {a}", "siehe {a}"), ("the warm hands", "die Hände")] * 200
    marked = mark_pairs(items, pairs, inserted=0.5)
    assert marked == mark_pairs(items, pairs, inserted=0.5)
    sources = [source for source, _ in marked if source.startswith("see")]
    numbers = Counter(source.split("|")[1] for source in sources)
    assert (len(sources), set(numbers)) == (200, set("12345678"))
    assert numbers["1"] > 90  # as at serving
    assert marked.count(pairs[1]) == 200
    with_items = [pair for pair in marked if "hands" in pair[0] and pair != pairs[1]]
    assert 70 < len(with_items) < 130
    assert all(source.split("|")[1::2] == target.split("|")[1::2] != [] for source, target in with_items)
    assert len(mark_pairs(items, pairs)) == len(pairs)


def test_words_that_both_sides_share_become_items(items: CopiedItems) -> None:
    marked = set(mark_pairs(items, [("my warm hand", "warm ist sie")] * 100, inserted=1.0))
    assert ("my |1| hand", "|1| ist sie") in marked
    assert ("my |1|warm|2| hand", "|1|warm|2| ist sie") in marked
    assert ("|1|my warm hand|2|", "|1|warm ist sie|2|") in marked
    assert ("my warm hand |1|", "warm ist sie |1|") in marked


# Tokens, model and export.


def test_items_become_one_token_each(items: CopiedItems, tmp_path: Path) -> None:
    texts = [text for pair in PAIRS * 5 for text in pair]
    vocabulary = train_wordpiece(texts, 200, split=pre_tokenize_marked, special_tokens=COPY_TOKENS)
    assert vocabulary[4:12] == list(COPY_TOKENS)
    tokenizer = CopyingTokenizer(write_vocabulary(vocabulary, tmp_path / "pieces.txt"), 100)
    marked, table, _ = items.mark(tf.constant(["the dogs see Xaver's {a}."]))
    tokenized = tokenizer(marked)
    assert [token.decode() for token in tokenizer.ids_to_tokens(tokenized.ids)[0].numpy()] == [
        *("▁the", "▁dogs", "▁see", "▁", "[COPY1]", "'", "s", "▁", "[COPY2]", "."),
    ]
    copies = gather_items(tokenized.ids, table)
    assert tokenizer.detokenize(tokenized.ids, copies)[0].numpy().decode() == "the dogs see Xaver's {a}."


def test_items_do_not_become_parts_of_words(tmp_path: Path) -> None:
    vocabulary = ["[PAD]", "[UNK]", "[START]", "[END]", *COPY_TOKENS, "dog", "3", "s", "."]
    tokenizer = CopyingTokenizer(write_vocabulary(vocabulary, tmp_path / "pieces.txt"), 100)
    dog, three, ending, period = range(12, 16)
    ids = tf.constant([[dog, 4, ending, dog, 5, three, 4, 6, period], [5, 4, three, dog, 6, dog, 5, 5, 3]])
    copies = gather_items(ids, tf.constant([["Tom", "12", "{x}", *[""] * 5]] * 2))
    texts = [text.decode() for text in tokenizer.detokenize(ids, copies).numpy()]
    tokens = tokenizer.ids_to_tokens(ids, copies).numpy()
    assert [b"".join(row).decode().replace("▁", " ").strip() for row in tokens] == texts
    assert texts == ["dog Tom sdog 12 3 Tom {x}.", "12 Tom 3dog {x} dog 12 12"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|https://x.org/a|und", "https://x.org/a und"),
        ("|5|und|{a}|und", "5 und {a} und"),
        ("Spiel.|e@f.org|", "Spiel. e@f.org"),
        ("hast.|3|; du:|Tom|", "hast. 3; du: Tom"),
        ("|a@b.org|,|c@d.org|;|e@f.org|", "a@b.org, c@d.org; e@f.org"),
        ("|Tom|s Hund, |Tom|aten, |Tom|'s", "Toms Hund, Tom aten, Tom's"),
        ("-|5|, -|5|.5 |5|-jährig", "-5, -5. 5 5-jährig"),
        ("|5|% |5|€ |5|°C $|5|", "5% 5€ 5°C $5"),
        ('(<|b|> "|5|", (|a@b.org|).', '(< b > "5", (a@b.org).'),
        ("|<b>||{a}||</b>|, |<b>|und|</b>|.|<br>|", "<b>{a}</b>, <b>und</b>.<br>"),
        ("|1||2||x.org||y.org||{a}||{b}||%s||%s|", "1 2 x.org y.org {a}{b} %s%s"),
        ("|x.org/||{b}||x.org|...de", "x.org/ {b} x.org... de"),
        ("有|5|个。|5|个 |x.org/|个", "有5个。5个 x.org/ 个"),
    ],
)
def test_items_do_not_merge_with_their_neighbors(text: str, expected: str) -> None:
    assert join_items(tf.constant([text.replace("|", "\x01")]))[0].numpy().decode() == expected


SHORT_ITEMS = (
    "<b> </b> https://x.org/a www.x.org https://x.org/中 x.org zeit.de/?a=1 a.b@c.org user@例え.jp &nbsp; {a} {{b}} "
    "${d} $d %s %1$d 😀 🇩🇪 7 37 3.5 3:05 5/6/18 3rd 12:30pm v1.2.3 2020-01-01T10:00:00Z Tom"
)
JOINABLE = [*SHORT_ITEMS.split(), '<a href="x y">', "{n, plural, one {#}}"]
MARKS = ". , ; : ! ? ( ) [ ] ' \" “ ” % € - + / & # @ $ _ = 中 。 ... und 9 s n de ß"
AROUND = [*MARKS.split(), "", " ", "die ", " so"]


def list_incomplete(items: CopiedItems, rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the joined texts in which one of the items, the second, fourth, and so on, is not found again."""
    joined = join_items(tf.constant(["\x01".join(row) for row in rows]))
    missing = []
    for row, text, segments in zip(rows, joined.numpy(), items.find(joined).to_list(), strict=True):
        found = Counter(segment.decode() for segment in segments[1::2])
        found["Tom"] = len(
            re.findall(r"(?<![A-Za-z0-9_])Tom[a-zß]{0,2}(?![A-Za-zß0-9_])", text.decode())
        )  # "Tom Tom" is one name
        if Counter(row[1::2]) - found:
            missing.append(text.decode())
    return missing


def test_every_item_is_found_again_next_to_every_other_one(items: CopiedItems) -> None:
    assert not list_incomplete(
        items, [("", a, text, b, "") for a in JOINABLE for text in AROUND for b in JOINABLE]
    )


@settings(derandomize=True, max_examples=20, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(AROUND), st.sampled_from(AROUND), st.sampled_from(JOINABLE)), max_size=4
        ),
        min_size=30,
        max_size=30,
    )
)
def test_every_item_is_found_again(items: CopiedItems, rows: list[list[tuple[str, str, str]]]) -> None:
    texts = [[part for a, b, item in row for part in (a + b, item)] + ["und"] for row in rows]
    assert not list_incomplete(items, texts)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> TranslationModule:
    """A translator with random weights."""
    pairs = [*PAIRS * 9, *[PRICE] * 10]
    train = tf.data.Dataset.from_tensor_slices(tuple(map(list, zip(*pairs, strict=True))))
    preprocessor = TranslationPreprocessor.adapt(
        train, 200, 60, ("en", "de"), tmp_path_factory.mktemp("translator")
    )
    settings = translation.Settings(cell="simple_rnn", units=3, embedding_dim=4, decoder_depth=1)
    model = translation.build_model(settings, preprocessor, "multiplicative")
    model.build(((None, None), (None, None)))
    randomize_weights(model)
    return TranslationModule(preprocessor, model, num_beams=3)


TEXTS = [
    EVERYTHING,
    "",
    "the dogs",
    "Tom likes {a} and {a}.",
    "see " + " ".join(f"x{n}.org" for n in range(9)),
]


@pytest.mark.parametrize("signature", ["serving_default", "greedy"])
def test_every_translation_has_every_item_as_often_as_its_source(
    module: TranslationModule, signature: str
) -> None:
    outputs = module.searches[signature](tf.constant(TEXTS))
    _, table = module.preprocessor.tokenize(tf.constant(TEXTS))
    for row, status in {
        0: "3 of 11 items were not carried over",
        4: "1 of 9 items were not carried over",
    }.items():
        assert status in outputs["status"][row].numpy().decode().split("; ")
    assert all(b"carried" not in outputs["status"][row].numpy() for row in (1, 2, 3))
    for row, text in enumerate(TEXTS):
        items = [item.decode() for item in table[row].numpy() if item]
        assert len(items) == [8, 0, 0, 2, 8][row]
        for translated in outputs["translations"][row].numpy():
            for item in items:
                assert translated.decode().count(item) >= text.count(item) > 0
            assert "[COPY" not in translated.decode()
        tokens = Counter(token.decode().lstrip("▁") for token in outputs["target_tokens"][row].numpy())
        joined = b"".join(outputs["target_tokens"][row].numpy()).decode().replace("▁", " ")
        assert joined.split() == outputs["translations"][row, 0].numpy().decode().split()
        sources = Counter(token.decode() for token in outputs["source_tokens"][row].numpy())
        assert {item: tokens[item] for item in items} == {item: sources[item] for item in items}
        alone = module.searches[signature](tf.constant([text]))
        assert alone["translations"][0].numpy().tolist() == outputs["translations"][row].numpy().tolist()


@pytest.mark.parametrize("signature", ["serving_default", "greedy"])
def test_a_translation_has_points_and_commas_exchanged(module: TranslationModule, signature: str) -> None:
    outputs = module.searches[signature](tf.constant(["Tom likes 1,250.75 and 0.5 of 12."]))
    for translated in outputs["translations"][0].numpy():
        assert Counter(re.findall("[0-9.,]*[0-9]", translated.decode())) == Counter(["1.250,75", "0,5", "12"])
    sources, targets = (
        {token.decode().lstrip("▁") for token in outputs[name][0].numpy()}
        for name in ("source_tokens", "target_tokens")
    )
    assert sources >= {"Tom", "1,250.75", "0.5", "12"}
    assert targets >= {"Tom", "1.250,75", "0,5", "12"}


def test_an_export_keeps_the_rules(
    module: TranslationModule,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    predict_in_process: Callable[..., Outputs],
) -> None:
    monkeypatch.setitem(vars(module), "signatures", module.searches)  # their parts take as long again
    TASK.export(Run(tmp_path, {}), module, DataInfo("pairs"), tmp_path / "1", {"text": TEXTS})
    assert {path.name for path in (tmp_path / "1" / "assets").iterdir()} == {
        "source.txt",
        "target.txt",
        "words.txt",
    }
    preprocessor, _ = TASK.from_export(tmp_path / "1")
    assert preprocessor.get_config() == module.preprocessor.get_config()
    for tensor, expected in zip(
        tf.nest.flatten(preprocessor.tokenize(tf.constant(TEXTS)), expand_composites=True),
        tf.nest.flatten(module.preprocessor.tokenize(tf.constant(TEXTS)), expand_composites=True),
        strict=True,
    ):
        np.testing.assert_array_equal(tensor, expected)
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    outputs = loaded.signatures["greedy"](text=tf.constant(TEXTS))
    np.testing.assert_array_equal(
        outputs["translations"], module.searches["greedy"](tf.constant(TEXTS))["translations"]
    )
    card = (tmp_path / "1" / "README.md").read_text(encoding="utf-8")
    assert "items of a text are carried over unchanged. They are tags, URLs" in card


def test_a_changed_file_of_words_is_refused(tmp_path: Path) -> None:
    items = CopiedItems.adapt(PAIRS, tmp_path / "words.txt")
    (tmp_path / "words.txt").write_text("other\n")
    with pytest.raises(UsageError, match=r"words\.txt has changed since it was read"):
        items.get_config()


def test_kinds_have_names_for_the_card(items: CopiedItems) -> None:
    assert set(items.kinds) == {*KINDS, *WORD_KINDS}
    [sentence] = items.describe()
    assert all(kind in sentence for kind in items.kinds)


# The embedded data set.


def test_notices_have_items_of_one_split_only() -> None:
    seen: dict[str, set[str]] = {}
    for split in notices.SIZES:
        seen[split] = set()
        for number in range(200):
            made = notices.make_items(split, number)
            seen[split] |= {item.lower() for item in made.values()}
            for source, target in [notices.TEMPLATES[number % len(notices.TEMPLATES)]]:
                for name, item in made.items():
                    texts = [text.format(nouns="", **made) for text in (source, target)]
                    is_used = f"{{{name}}}" in source
                    assert is_used == (f"{{{name}}}" in target)
                    assert not is_used or all(item in text for text in texts)
    assert not seen["train"] & seen["validation"]
    assert not seen["train"] & seen["test"]
    assert not seen["validation"] & seen["test"]


def test_every_item_of_the_notices_is_carried_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rules that their training pairs teach, the kinds of unknown words included."""
    monkeypatch.setattr(notices, "SIZES", {"train": 320, "validation": 16, "test": 64})
    data = load_translation("notices", data_dir=tmp_path / "data")
    train, test = (
        [(source.decode(), target.decode()) for source, target in split.as_numpy_iterator()]
        for split in (data.train, data.test)
    )
    items = CopiedItems.adapt(train, tmp_path / "words.txt")
    marked, table, _ = items.mark(tf.constant([source for source, _ in test]))
    expected = {}  # of each source
    for number in range(64):
        made = notices.make_items("test", number)
        template, _ = notices.TEMPLATES[number % len(notices.TEMPLATES)]
        used = {item for name, item in made.items() if f"{{{name}}}" in template}
        expected |= {template.format(nouns=noun, **made): used for noun, _ in notices.NOUNS}
    for (source, _), text, row in zip(test, marked.numpy(), table.numpy(), strict=True):
        assert {item.decode() for item in row if item} == expected[source]
        assert text.decode().count("\x01") == 2 * len(expected[source])
