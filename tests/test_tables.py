"""The reader of users' tables: delimiters, quotes, encodings, and what is wrong with a file."""

import csv
import io
import itertools
import random
import re
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from zoo.datasets.readers.tables import Table, TableFormat, read_table, write_row
from zoo.datasets.readers.text_files import read_text
from zoo.errors import DataError

HEADER = ["text", "label", "id"]
GERMAN = ["Schöne Grüße, Übelkeit;", "„Gut“, sagte sie", "5,5 € für «Süßes»", "Straße", 'er rief: "Äh!"']
JAPANESE = ["良い映画でした。", "「とても、悪い」", "東京、2024年; 晴れ", "ソ表能", "日本\n語"]


def is_header(cells: list[str]) -> bool:
    return "text" in cells


def read(path: Path, content: bytes | str, encoding: str | None = None, **options: object) -> Table:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, is_header, is_header, encoding=encoding, **options)


def get_cells(table: Table) -> list[list[str]]:
    return [table.header, *(row.cells for row in table.rows)]


def write_csv(rows: Sequence[Sequence[str]], delimiter: str, **options: object) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, **options).writerows(rows)
    return buffer.getvalue()


# What was written is read back.


def make_cell(generator: random.Random) -> str:
    """Return a cell of pieces that are hard to read."""
    pieces = [
        "a",
        "word",
        " ",
        ",",
        ";",
        "\t",
        '"',
        '""',
        "\n",
        "\r\n",
        "\r",
        "'",
        "|",
        "ä",
        "語",
        "\x85",
        "\u2028",
        "",
    ]
    return "".join(generator.choices(pieces, k=generator.randrange(8)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_tables_of_csv_writers_are_read_back(tmp_path: Path, delimiter: str, suffix: str) -> None:
    generator = random.Random(f"{delimiter}{suffix}")
    ambiguous = 0
    for number in range(150):
        rows = [
            [make_cell(generator), generator.choice(["good", "bad", "so, so", "a;b"]), f"{number}.{line}"]
            for line in range(generator.randrange(1, 9))
        ]
        quoting = generator.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        ending = generator.choice(["\r\n", "\n"] if suffix == ".csv" else ["\r\n"])
        text = write_csv([HEADER, *rows], delimiter, quoting=quoting)
        if ending == "\n" and "\r" not in "".join(itertools.chain(*rows)):
            text = text.replace("\r\n", "\n")
        encoding = generator.choice(["utf-8", "utf-8-sig", "utf-16"])
        try:
            table = read(tmp_path / f"table{suffix}", text.encode(encoding))
        except DataError as error:
            message = str(error)
        else:
            message = ""
        if message:
            assert delimiter == "\t"
            assert "may begin a cell of several lines" in message
            ambiguous += 1
            continue
        assert get_cells(table) == [HEADER, *rows]
        assert table.format == TableFormat(delimiter, table.format.is_quoted, encoding)
        starts = itertools.accumulate(
            (
                len(io.StringIO(write_csv([row], delimiter), newline="").readlines())
                for row in [HEADER, *rows]
            ),
            initial=1,
        )
        assert [row.line for row in table.rows] == list(starts)[1:-1]
    assert ambiguous < 5


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_japanese_texts(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [HEADER, *([text, "肯定", "1"] for text in JAPANESE)]
    chosen = None if encoding in ("utf-8", "utf-8-sig", "utf-16") else encoding
    table = read(tmp_path / "a.csv", write_csv(rows, delimiter).encode(encoding), chosen)
    assert get_cells(table) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "iso8859-15"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_german_texts(tmp_path: Path, encoding: str, delimiter: str) -> None:
    texts = GERMAN if encoding.startswith(("utf", "cp")) else [re.sub("[„“]", "'", text) for text in GERMAN]
    rows = [HEADER, *([text, "gut", "1"] for text in texts)]
    chosen = None if encoding.startswith("utf") else encoding
    table = read(tmp_path / "a.csv", write_csv(rows, delimiter).encode(encoding), chosen)
    assert get_cells(table) == rows


def test_texts_full_of_commas_between_semicolons(tmp_path: Path) -> None:
    texts = ["Gut, aber teuer", "Nett, sauber", "Laut, heiß"]  # one comma in each, unquoted
    lines = [f"{text};{'pos'}" for text in texts]
    table = read(tmp_path / "a.csv", "\n".join(["text;label", *lines]))
    assert [row.cells for row in table.rows] == [[text, "pos"] for text in texts]
    assert str(table.format) == "separated by semicolons, in UTF-8"


def test_tabs_with_and_without_quoting(tmp_path: Path) -> None:
    plain = ['"A" is a letter', 'say "hi', '"quoted"', '"Never', 'again"', "'s", '""']
    table = read(tmp_path / "a.tsv", "\n".join(["text\tlabel", *(f"{text}\tx" for text in plain)]))
    assert [row.cells[0] for row in table.rows] == plain
    assert not table.format.is_quoted
    # Quotes that nobody doubled stand for themselves, those around a whole column do not.
    table = read(tmp_path / "a.tsv", 'text\tlabel\n"quoted"\tx\nplain\ty')
    assert table.rows[0].cells[0] == '"quoted"'
    table = read(tmp_path / "a.tsv", '"text"\tlabel\n"quoted"\tx\n"plain"\ty')
    assert [row.cells[0] for row in table.rows] == ["quoted", "plain"]
    table = read(tmp_path / "a.tsv", 'text\tlabel\n"two\nlines"\tx\nplain\ty')
    assert [row.cells[0] for row in table.rows] == ["two\nlines", "plain"]


@pytest.mark.parametrize(("size", "suffix"), [(131_073, ".csv"), (3_000_000, ".tsv")])
def test_long_cells_are_whole(tmp_path: Path, size: int, suffix: str) -> None:
    text = "lang, länger; " * (size // 14 + 1)
    table = read(tmp_path / f"a{suffix}", write_csv([["text", "label"], [text, "x"]], ";"))
    assert table.rows[0].cells == [text, "x"]


def test_blank_rows_and_line_ends(tmp_path: Path) -> None:
    for ending in ("\n", "\r\n", "\r"):
        for delimiter in (",", ";", "\t"):
            lines = [
                "",
                f"text{delimiter} label ",
                "",
                f"a{delimiter}x",
                delimiter,
                f"b{delimiter}y",
                "  ",
                "",
            ]
            content = ending.join(lines)
            table = read(tmp_path / "a.csv", content)
            assert get_cells(table) == [["text", "label"], ["a", "x"], ["b", "y"]]
            assert [row.line for row in table.rows] == [4, 6]
            table = read(tmp_path / "a.csv", content, keep_blank_rows=True)
            assert [row.cells for row in table.rows] == [["a", "x"], ["", ""], ["b", "y"]]


def test_a_single_column(tmp_path: Path) -> None:
    assert get_cells(read(tmp_path / "a.csv", 'text\nYes, sir; no\n"No, sir"\n')) == [
        ["text"],
        ["Yes, sir; no"],
        ["No, sir"],
    ]
    assert get_cells(read(tmp_path / "a.csv", "")) == [[]]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("name", "lines", "cells"),
    [
        ("a.csv", ["", "text", '"a"', '""', " ", "", "b", ""], ["a", "", " ", "", "b", ""]),
        ("a.tsv", ["text", "a", "", "b", " ", ""], ["a", "", "b", " ", ""]),
        ("a.tsv", ['"text"', '"a"', "", '""', '"b"'], ["a", "", "", "b"]),
        ("a.csv", ["text"], []),
    ],
)
def test_each_line_of_one_column_is_a_row(
    tmp_path: Path, ending: str, name: str, lines: list[str], cells: list[str]
) -> None:
    content = "".join(line + ending for line in lines)
    table = read(tmp_path / name, content, keep_blank_rows=True)
    assert table.header == ["text"]
    assert [row.cells for row in table.rows] == [[cell] for cell in cells]
    table = read(tmp_path / name, content)
    assert [row.cells for row in table.rows] == [[cell] for cell in cells if cell.strip()]


def test_columns_are_found_in_any_case_and_duplicates_raise(tmp_path: Path) -> None:
    table = read(tmp_path / "a.csv", "Text,text,LABEL,id,ID \na,b,c,d,e\n")
    assert [table.find_column(name) for name in ("text", "Text", "label", "LABEL", "other")] == [
        1,
        0,
        2,
        2,
        None,
    ]
    with pytest.raises(DataError, match=r"a\.csv: found the columns text and label. Expected one of them"):
        read(tmp_path / "a.csv", "text,label\na,b\n").find_column("text", "label")
    with pytest.raises(DataError, match="found the columns text and text"):
        read(tmp_path / "a.csv", "text,text\na,b\n").find_column("text")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("is_quoted", [True, False])
def test_written_rows_are_read_back(tmp_path: Path, delimiter: str, is_quoted: bool) -> None:
    if delimiter != "\t" and not is_quoted:
        return
    cells = [["text", "label"], ["plain", "x"], ['say "hi', "y"]]
    cells += [['a, b; "c"', "two\nlines"], ["lone\rreturn\t", "z"]] if is_quoted else []
    path = tmp_path / "out.tsv"
    with path.open("w", encoding="utf-16", newline="") as file:
        for row in cells:
            write_row(file, TableFormat(delimiter, is_quoted, "utf-16"), row)
    table = read_table(path, is_header, is_header)
    assert get_cells(table) == cells
    assert table.format == TableFormat(delimiter, is_quoted, "utf-16")


# What is wrong with a file.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "text,label\nfine,good\na,b,c\n",
            r"line 3: found 3 cells, separated by commas. Expected 2, as in the first",
        ),
        ("text;label\nfine;good\n\nshort\n", "line 4: found 1 cell, separated by semicolons. Expected 2"),
        ("text\tlabel\nfine\tgood\t\n", "line 2: found 3 cells, separated by tabs. Expected 2"),
        (
            'text,label\nfine,good\n"open,bad\nx,good\n',
            "line 3: found a quote that is not closed: '\"open,bad'",
        ),
        (
            'text,label\n"open,bad\nx,good\n"Yes, sir",bad\n',
            "line 2: found a quote that is not closed: '\"open,bad'",
        ),
        (
            'text,label\n"open,bad\nx,good\n24",bad\nx,good\ny,bad\n',
            "line 2: found a quote that is not closed: '\"open,b",
        ),
        (
            'label,text\ngood,y\ngood,"open\nbad,x\ngood,24"\nbad,y\n',
            "line 3: found a quote that is not closed: 'good",
        ),
        (
            'text;label\n"A" is a letter;good\n',
            "line 2: found a quote inside a cell in quotes, or one that is not",
        ),
    ],
)
def test_broken_rows_are_named_by_their_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path / "a.csv", content)
    assert str(error.value).startswith(f"{tmp_path / 'a.csv'}, line ")


def test_quotes_of_tabs_that_can_be_read_in_two_ways_raise(tmp_path: Path) -> None:
    content = 'text\tlabel\n"Oh\tgood\nNo"\tbad\nx\ty\n'
    with pytest.raises(
        DataError, match=r"line 2: found a quote that may begin a cell of several lines, .* '\"Oh"
    ):
        read(tmp_path / "a.tsv", content)
    table = read(tmp_path / "a.csv", content)
    assert table.rows[0].cells == ["Oh\tgood\nNo", "bad"]


def test_an_open_quote_among_doubled_ones_raises(tmp_path: Path) -> None:
    lines = ["text\tlabel", '"a ""b"" c"\tx', '"open\ty', '"d ""e"""\tx']
    with pytest.raises(DataError, match=r"line 3: found a quote that is not closed: '\"open"):
        read(tmp_path / "a.tsv", "\n".join(lines))


def test_quotes_that_swallow_rows_are_no_quoting_of_tabs(tmp_path: Path) -> None:
    lines = ["text\tlabel", '"Come in\tgood', 'and sit down."\tbad', "Thanks\tgood", "No\tbad"]
    table = read(tmp_path / "a.tsv", "\n".join(lines))
    assert [row.cells[0] for row in table.rows] == ['"Come in', 'and sit down."', "Thanks", "No"]


def test_two_possible_delimiters_raise(tmp_path: Path) -> None:
    content = "Yes, sir;Ja\nNo, sir;Nein\n"
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(
        DataError, match=r"separated by commas .Yes,  sir;Ja. or by semicolons .Yes, sir, Ja."
    ):
        read_table(tmp_path / "a.csv", lambda cells: False)


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (
            "text,label\na,b\nschön,x\n".encode("cp1252"),
            None,
            "line 3: found byte 0xf6, which is not UTF-8. Expected ",
        ),
        (
            "text,label\na,b\nschön,x\n".encode("cp1252"),
            None,
            "--encoding: in cp1252 this part .* reads 'schön,x'",
        ),
        (
            "text,label\n良い。,x\n".encode("cp932"),
            None,
            "line 2: .* --encoding: in cp932 this part .* reads '良い。,x'",
        ),
        (
            "text,label\nschön,x\n".encode("utf-16-le"),
            None,
            "seems to be in UTF-16 without .* --encoding utf-16-le",
        ),
        (
            "text,label\nschön,x\n".encode("utf-16-be"),
            None,
            "seems to be in UTF-16 without .* --encoding utf-16-be",
        ),
        (b"text,label\na,b\nnul\0,x\n", None, r"line 3: found '\\x00'. Expected text in UTF-8 without"),
        ("text,label\nschön,x\n".encode(), "cp1252", "is in UTF-8. Expected a file in cp1252, as --encoding"),
        ("text,label\nschön,x\n".encode("utf-8-sig"), "cp1252", "begins with the byte order mark of UTF-8"),
        ("text,label\nschön,x\n".encode("utf-16"), "utf-8", "begins with the byte order mark of UTF-16"),
        (
            "text,label\n„gut“,x\n".encode("cp1252"),
            "latin-1",
            "line 2: found the control character .* in cp1252 this",
        ),
        ("text,label\n良い,x\n".encode("utf-16-le"), "utf-16-be", "try --encoding utf-16-le"),
        ("text,label\n良い。,x\n".encode("cp932"), "cp1252", "line 2: found byte 0x81, which is not cp1252"),
        (
            b"text,label\na,b\n",
            "latn-1",
            "--encoding: found 'latn-1'. Expected the name of a text encoding, such as",
        ),
        (b"text,label\na,b\n", "base64", "--encoding: found 'base64'. Expected the name of a text encoding"),
        (
            "text,label\na,b\n".encode("utf-16")[:-1],
            None,
            "line 2: found byte 0x0a, which is not UTF-16. .* The file is damaged",
        ),
    ],
)
def test_other_encodings_raise(tmp_path: Path, content: bytes, encoding: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.csv", content, encoding)


def test_the_place_of_a_wrong_byte_is_its_line_also_in_long_files(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"eine Zeile\r\n" * 1_233 + b"sch\xf6n\n")
    with pytest.raises(DataError, match="line 1,234: found byte 0xf6"):
        read_text(path)


# Memory.


def test_memory_is_in_proportion_to_the_file(tmp_path: Path) -> None:
    """Two delimiters that do not occur are not tried, and the text is not copied."""
    content = "text,label\n" + "".join(
        f'"Text {number}, of some words and more",a\n' for number in range(20_000)
    )
    tracemalloc.start()
    table = read(tmp_path / "a.csv", content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table.rows) == 20_000
    assert peak < 15 * len(content)
