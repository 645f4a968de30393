"""The command `zoo`."""

import csv
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from earlier_exports import move_hashes_to_card
from PIL import Image
from videos import make_frames, write_video

import zoo
from zoo.cli import main as cli
from zoo.cli.errors import EXIT_CODES, exit_on_user_error
from zoo.cli.predict_table import PredictionTable
from zoo.datasets.readers.tables import TableFormat, read_table
from zoo.errors import InputError, Interrupted, UsageError
from zoo.tasks.text_classification import LabelPrediction
from zoo.training.progress import Progress

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "saved_models"
DOG, FILM = str(ROOT / "docs/drawings/dog.jpg"), str(ROOT / "docs/drawings/film.mp4")

Run = Callable[..., tuple[str, str, int]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process; returns its output, its error output and its exit code."""

    def run_command(*arguments: str, stdin: Sequence[bytes] = ()) -> tuple[str, str, int]:
        monkeypatch.setattr(sys, "argv", ["zoo", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"".join(stdin))))
        code = 0
        try:
            cli.main()
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        return captured.out, captured.err, code

    return run_command


def test_list_prints_score_and_size(run: Run) -> None:
    out, _, code = run("list")
    rows, scores, licenses = (out.splitlines()[start::3] for start in range(3))
    assert code == 0
    assert [row.split()[0] for row in rows] == [
        "captioning",
        "language_model",
        "sentiment",
        "tagging",
        "translation",
    ]
    card = json.loads((SHIPPED / "captioning/1/card.json").read_text())
    assert scores[0].strip() == f"BLEU-4 on test data: {card['metrics']['test BLEU-4']:.1f}"
    assert f" {card['size_bytes'] / 1e6:.1f} MB  " in rows[0]
    assert rows[2].endswith("Classifies a text as negative or positive.")
    assert licenses[0].strip() == f"License: {card['license']}"


def test_show_prints_the_card(run: Run) -> None:
    out, _, _ = run("show", "tagging")
    assert out.startswith("# Shots of videos")
    assert (SHIPPED / "tagging/1/README.md").read_text(encoding="utf-8").endswith(out)


def test_predict_prints_lines_or_json_and_plots(run: Run, tmp_path: Path) -> None:
    out, _, _ = run("predict", "sentiment", "A delight.", "--plot", str(tmp_path / "words.png"))
    assert out.split() == ["positive", out.split()[1], "A", "delight."]
    assert (tmp_path / "words.png").stat().st_size > 10_000
    (tmp_path / "texts.txt").write_text("Where is he?\n\nI am here.\n")
    out, _, _ = run("predict", "translation", "--json", "--file", str(tmp_path / "texts.txt"))
    first, empty, last = map(json.loads, out.splitlines())
    assert first["input"] == "Where is he?"
    assert last["translations"][0] == "Ich bin hier."
    assert empty["status"] == "no text"
    assert "attention" not in first


def test_predict_reads_paths_from_standard_input(run: Run) -> None:
    out, _, code = run("predict", "captioning", stdin=[DOG.encode(), b"\n", DOG.encode()])
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [DOG, DOG]


def test_predict_ends_at_a_line_without_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.cli.predict.MAX_LINE", 20)
    out, err, code = run("predict", "sentiment", "--json", stdin=[b"Good." + b" " * 15 + b"\r\n", b"x" * 99])
    assert [bool(json.loads(line)["status"]) for line in out.splitlines()] == [False, True]
    assert "standard input, line 2: found more than 20 bytes, and read no further." in err
    assert code == 1


def test_predict_reads_standard_input_in_utf_8(run: Run) -> None:
    out, err, code = run("predict", "sentiment", "--json", stdin=["\ufeffGood.\na\0b".encode()])
    assert (json.loads(out.splitlines()[0])["input"], code) == ("Good.", 1)
    assert "standard input, line 2: found the character NUL." in err
    out, err, code = run("predict", "sentiment", "--json", stdin=[b"caf\xe9\n\n"])
    row, empty = map(json.loads, out.splitlines())
    assert (row | {"input": "", "status": empty["status"]}, code) == (empty, 1)
    assert (
        row["status"]
        == "found b'caf\\xe9'. Expected text in UTF-8. Convert it, as with `iconv -f CP1252 -t UTF-8`."
    )
    assert f"standard input, line 1: {row['status']}" in err
    out, err, code = run("predict", "sentiment", stdin=["Good.\nBad.\n".encode("utf-16")])
    assert (out, code) == ("", 2)
    assert "standard input is not in UTF-8" in err


def test_commands_of_the_readme_run(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for directory in ("docs", "saved_models"):
        (tmp_path / directory).symlink_to(ROOT / directory)
    (tmp_path / "reviews.csv").write_text("review,stars\nA delight.,5\nDull.,1\n")
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(zoo list.*?)^```", readme, re.MULTILINE | re.DOTALL)
    commands = [shlex.split(line, comments=True)[1:] for line in block.replace("\\\n", "").splitlines()]
    assert {command[0] for command in commands} == {"list", "show", "predict", "evaluate", "verify", "demo"}
    for arguments in commands:
        if arguments != ["demo"]:  # which test_page.py runs
            out, err, code = run(*arguments)
            assert code == 0, err
            assert out


def test_demo_leaves_out_models_of_arrays(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(models: dict[str, Path], *_: object) -> None:
        raise UsageError(f"started with {', '.join(models)}")

    monkeypatch.setattr("zoo.serving.page.PageServer", start)
    shutil.copytree(SHIPPED / "sentiment", tmp_path / "sentiment")
    shutil.copytree(SHIPPED / "sentiment", tmp_path / "features")
    card = json.loads((tmp_path / "features/1/card.json").read_text(encoding="utf-8"))
    (tmp_path / "features/1/card.json").write_text(json.dumps(card | {"input_kind": "array"}))
    _, err, _ = run("demo", "--models", str(tmp_path))
    assert err == "error: started with sentiment\n"
    (tmp_path / "features/1/card.json").write_text("{}")
    _, err, _ = run("demo", "--models", str(tmp_path))
    assert err.startswith("features is left out: ")
    assert err.endswith("error: started with sentiment\n")


def test_predict_writes_tables_of_a_video(run: Run, tmp_path: Path) -> None:
    out, err, _ = run("predict", "tagging", FILM, "--json", "--output-dir", str(tmp_path))
    prediction = json.loads(out)
    end = prediction["segments"][1]["end"]
    assert prediction["segments"][1] == {"label": "cut", "start": 70, "end": end}
    assert "wrote tables and a contact sheet to" in err
    written = {path.name for path in (tmp_path / "film.mp4").iterdir()}
    assert written == {"frames.csv", "segments.csv", "segments.png"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "sentimnt", "x"], "Did you mean sentiment"),
        (["predict", "runs/no/1", "x"], "runs/no/1 holds no SavedModel"),
        (["predict", str(SHIPPED / "tagging"), "x"], "Did you mean " + str(SHIPPED / "tagging" / "1")),
        (["predict", "sentiment", "--file", "no.txt"], "--file: there is no file no.txt"),
        (["predict", "sentiment", "x", "--file", DOG], "Got both inputs and --file"),
        (["predict", "tagging", FILM, "--output-dir", f"{DOG}/x"], f"{DOG} is no directory. Name another"),
        (
            ["predict", "sentiment", "x", "--plot", "docs.png"],
            "docs.png is a directory. Expected the name of a",
        ),
        (["predict", "sentiment", "x", "--plot", "x" * 252 + ".png"], "--plot: found the path x"),
        (["predict", "sentiment", "x", "--output", "/dev/null/x.csv"], "--output: /dev/null is a device"),
        (
            ["predict", "sentiment", "--file", "~nosuchuser/x"],
            "--file: found the path ~nosuchuser/x. There is no",
        ),
        (["predict", "sentiment", "--file", DOG, "--encoding", "utf-99"], "there is no encoding 'utf-99'"),
        (["predict", "x" * 300, "x"], "with a name of 300 bytes"),
        (["verify", "sentiment", "--digest", "12"], "--digest: got 12. Expected 64 hexadecimal digits"),
        (["verify", "--digest", "0" * 64], "--digest is that of one model"),
        (["predict", "captioning"], "There is no input. Give one image or several"),
        (["predict", "sentiment", "x", "--output", "x.xlsx"], "Expected the name of a file .csv or .tsv"),
        (["predict", "sentiment", "x", "--output", "x.csv", "--json"], "Got both --json and --output"),
        (["predict", "sentiment", "x", "--column", "review"], "Got --column or --encoding without --file"),
        (
            ["predict", "sentiment", "--file", DOG, "--column", "a"],
            "dog.jpg is no table. Expected .csv or .tsv",
        ),
        (["predict", "sentiment", "x", "--output", f"{DOG}/x.csv"], f"--output: {DOG} is no directory"),
        (
            ["predict", "tagging", FILM, "--output", "x.txt"],
            "shots, .csv, .edl",
        ),
        (["predict", "tagging", FILM, "--output", "x.tsv"], "got x.tsv. Expected .edl (CMX 3600)"),
        (["predict", "tagging", FILM, FILM, "--output", "x.edl"], "holds the shots of one video, got 2"),
        (["predict", "sentiment", "x", "--output", "x.edl"], "Expected the name of a file .csv or .tsv"),
        (["predict", "tagging", FILM, "--exact"], "Got --exact without --split"),
        (["predict", "tagging", "docs", "--split"], "docs is a directory of images. Expected video files"),
        (["predict", "sentiment", "x", "--split"], "the model reads texts, which have no shots"),
        (["predict", "sentiment", "x", "--plot", "x.wrong"], "the name of an image file"),
        (["list", "--models", "nowhere"], "There is no directory nowhere"),
        (["show", "nothing"], "neither the name of a model nor a directory"),
        (["demo", "--port", "70000"], "a port from 0 to 65535"),
        (["train", "sentimnt"], "Did you mean sentiment"),
        (["train", "nothing"], "Expected one of captioning, "),
        (["lst"], "list"),
    ],
)
def test_mistakes_exit_with_code_2_and_a_message(
    run: Run, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "docs.png").mkdir()
    monkeypatch.chdir(tmp_path)
    _, err, code = run(*arguments)
    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


REVIEWS = [
    ["1", "Great fun, really; \nI loved it.", "so-so"],
    ["2", "", "x"],
    ["3", 'The "worst" film ever.\tSo dull', "ä"],
    ["", "", ""],
    *([str(number), f"It was good, and {number} times bad.", ""] for number in range(4, 100)),
]


@pytest.mark.parametrize(
    ("delimiter", "encoding", "output_encoding"),
    [(";", "utf-8-sig", "utf-8-sig"), ("\t", "utf-16", "utf-16"), (",", "cp1252", "utf-8-sig")],
)
def test_predict_writes_a_table(
    run: Run, tmp_path: Path, delimiter: str, encoding: str, output_encoding: str
) -> None:
    path, output = tmp_path / "reviews.csv", tmp_path / "new" / "answers.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([["Nr", "Review", "Note"], *REVIEWS])
    content = path.read_bytes()
    options = [
        "--column",
        "review",
        "--top-k",
        "2",
        *(["--encoding", encoding] if encoding == "cp1252" else []),
    ]
    out, err, code = run("predict", "sentiment", "--file", str(path), "--output", str(output), *options)
    assert (out, code) == ("", 1)
    assert err.startswith(f"wrote 100 rows to {output}, separated by ")
    assert (
        "error: 2 of 100 inputs have no answer or were read in part; the column prediction_status of" in err
    )
    assert err.endswith(", line 4: no words in the text\n")
    with output.open(encoding=output_encoding, newline="") as file:
        header, *rows = csv.reader(file, delimiter=delimiter, strict=True)
    names = ["label", "probability", "label_2", "probability_2"]
    assert header == ["Nr", "Review", "Note", *(f"predicted_{name}" for name in names), "prediction_status"]
    assert [row[:3] for row in rows] == REVIEWS
    predictions = zoo.load(SHIPPED / "sentiment/1").predict([text for _, text, _ in REVIEWS])
    for row, prediction in zip(rows, predictions, strict=True):
        assert row[7] == prediction.status
        if prediction.status == "no words in the text":
            assert row[3:7] == [""] * 4
            continue
        (first, probability), (second, _) = prediction.rank_labels()
        assert row[3] == prediction.label == first
        assert row[5] == second
        assert float(row[4]) == pytest.approx(probability, abs=1e-5)
    assert [row[7] for row in rows[:4]] == ["", "no words in the text", "", "no words in the text"]
    for target in (path, path.parent / "new" / ".." / "reviews.csv"):
        _, err, code = run("predict", "sentiment", "--file", str(path), "--output", str(target))
        assert code == 2
        assert "is also the input" in err
    assert path.read_bytes() == content


def test_a_bad_row_has_a_status_and_does_not_affect_the_others(run: Run, tmp_path: Path) -> None:
    shutil.copy(DOG, tmp_path / "dog.jpg")
    (tmp_path / "text.jpg").write_text("no picture")
    path, output = tmp_path / "images.tsv", tmp_path / "answers.tsv"
    path.write_text(f'note\timage\n"a\tnothing.jpg\nb\tdog.jpg \nc\t{DOG}\nd\t\ne\ttext.jpg\n')
    _, err, code = run("predict", "captioning", "--file", str(path), "--output", str(output))
    assert code == 1
    assert "error: 3 of 5 inputs have no answer or were read in part; the column prediction_status of" in err
    header, *rows = (line.split("\t") for line in output.read_text(encoding="utf-8").splitlines())
    assert header == ["note", "image", "predicted_caption", "predicted_score", "prediction_status"]
    assert [row[0] for row in rows] == ['"a', "b", "c", "d", "e"]
    assert rows[1][2:] == rows[2][2:]
    assert rows[1][2]
    assert rows[1][4] == ""
    assert "nothing.jpg cannot be read" in rows[0][4]
    assert all(row[2:4] == ["", ""] and row[4] for row in (rows[0], rows[3], rows[4]))
    assert rows[3][4] == "found an empty path. Expected that of the image. Write it, or leave it out."


TEXTS = ["good", "", '"Bad, \tso "bad"', " ", "two\nlines; fine"]


@pytest.mark.parametrize("names", [("a.csv", "b.tsv"), ("a.tsv", "b.csv"), ("a.csv", "b.csv")])
def test_output_has_all_rows_in_the_format_of_its_suffix(
    run: Run, tmp_path: Path, names: tuple[str, str]
) -> None:
    path, output = (tmp_path / name for name in names)
    with path.open("w", encoding="utf-8", newline="") as file:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        csv.writer(file, delimiter=delimiter).writerows([["text"], *([text] for text in TEXTS)])
    _, err, code = run("predict", "sentiment", "--file", str(path), "--output", str(output))
    assert (code, err[:12]) == (1, "wrote 5 rows")
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t" if output.suffix == ".tsv" else ",", strict=True))
    assert [row[0] for row in rows] == ["text", *TEXTS]
    table = read_table(output, lambda cells: True, keep_blank_rows=True)
    assert [table.header, *(row.cells for row in table.rows)] == rows


def test_suffixes_in_capitals_mean_the_same(run: Run, tmp_path: Path) -> None:
    """Also a table is one by its last suffix alone, behind which only that of a compression may stand."""
    source, output, plot = (tmp_path / name for name in ("A.CSV", "B.CSV", "C.PNG"))
    source.write_text("number;text\n1;Good.\n2;Bad.\n")
    arguments = ["predict", "sentiment", "--file", str(source), "--output", str(output), "--plot", str(plot)]
    _, err, code = run(*arguments)
    assert code == 0, err
    assert plot.read_bytes().startswith(b"\x89PNG")
    lines = output.read_text().splitlines()
    assert lines[0].startswith("number;text;predicted_label;")
    assert [line.split(";")[:3] for line in lines[1:]] == [["1", "Good.", "pos"], ["2", "Bad.", "neg"]]
    notes = source.rename(tmp_path / "notes.csv.txt")
    out, _, _ = run("predict", "sentiment", "--file", str(notes))
    assert len(out.splitlines()) == 3


def test_the_home_directory_is_filled_in_everywhere(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option that is not filled in would overwrite the input, or make a directory with the name `~`."""
    home, working = tmp_path / "home", tmp_path / "working"
    for directory in (home, working):
        directory.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(working)
    monkeypatch.setenv("ZOO_MODELS", str(SHIPPED))
    table = "text,label\nGood.,pos\nBad.,neg\n"
    (home / "a.csv").write_text(table)
    out, err, code = run("predict", "sentiment", "--file", "~/a.csv", "--output", "~/a.csv")
    assert (out, code) == ("", 2)
    assert "is also the input" in err
    assert (home / "a.csv").read_text() == table
    options = ["--output", "~/b.csv", "--plot", "~/c.svg"]
    assert run("predict", "sentiment", "--file", "~/a.csv", *options)[2] == 0
    out, _, code = run("evaluate", "sentiment", "~/a.csv", "--json")
    assert (code, json.loads(out)["metrics"]["accuracy"]) == (0, 100.0)
    shutil.copy(FILM, home)
    for _ in range(2):
        _, err, code = run("predict", "tagging", "~/film.mp4", "--output-dir", "~/films", "--split")
    assert code == 2
    assert f"--split: {home}/films/film.mp4/shots exists" in err
    assert sorted(path.name for path in home.iterdir()) == ["a.csv", "b.csv", "c.svg", "film.mp4", "films"]
    assert list(working.iterdir()) == []


def test_one_column_without_quotes_becomes_a_table_of_commas(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nGood, good.\nBad.\n", encoding="utf-8")
    run("predict", "sentiment", "--file", str(tmp_path / "a.csv"), "--output", str(tmp_path / "b.csv"))
    header, first, _ = (tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("text,predicted_label,")
    assert first.startswith('"Good, good.",pos,')


def test_bare_quotes_of_tabs_are_quoted_in_csv(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('id\ttext\n1\t"great film\n2\tso, "bad"\n', encoding="utf-8")
    run("predict", "sentiment", "--file", str(tmp_path / "a.tsv"), "--output", str(tmp_path / "b.csv"))
    with (tmp_path / "b.csv").open(encoding="utf-8", newline="") as file:
        assert [row[:2] for row in csv.reader(file, strict=True)][1:] == [
            ["1", '"great film'],
            ["2", 'so, "bad"'],
        ]


def test_errors_leave_no_output(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "answers.csv"
    output.write_text("earlier")
    for content, message in (
        ('text,label\nGood.,x\nBad,"y\nz', "reviews.csv, line 3: found a quote that is not closed"),
        ("text,predicted_label\nGood.,x\n", "found the column predicted_label in the input"),
        ("text,prediction_status\n?,x\n", "found the column prediction_status in the input"),
        (
            "review,label\nGood.,x\n",
            "Expected a header with the column text. Name the column of the texts with",
        ),
        ("texts,label\nGood.,x\n", "the column text. Did you mean texts? Name the column of the texts with"),
        (
            "text,label\nSchön,x\n".encode("cp1252"),
            "reviews.csv, line 2: found byte 0xf6, which is not UTF-8",
        ),
    ):
        path = tmp_path / "reviews.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        _, err, code = run("predict", "sentiment", "--file", str(path), "--output", str(output))
        assert code == 2
        assert message in err
        assert output.read_text() == "earlier"
        assert sorted(file.name for file in tmp_path.iterdir()) == ["answers.csv", "reviews.csv"]


def test_arguments_and_lines_can_be_written_as_a_table(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "answers.csv"
    run("predict", "sentiment", "Good, good.", "Bad.", "--output", str(output))
    assert [line.split(",")[-3] for line in output.read_text().splitlines()] == [
        "predicted_label",
        "pos",
        "neg",
    ]
    (tmp_path / "texts.txt").write_bytes("Good, gööd.\r\nBad.\r\n".encode("utf-16"))
    out, _, _ = run("predict", "sentiment", "--file", str(tmp_path / "texts.txt"))
    assert [line.split()[0] for line in out.splitlines()] == ["positive", "negative"]
    assert out.splitlines()[0].endswith("  Good, gööd.")
    for encoding, options in (("utf-8-sig", []), ("cp1252", ["--encoding", "cp1252"])):
        (tmp_path / "texts.txt").write_bytes("Good, gööd.\r\nBad.\r\n".encode(encoding))
        assert run("predict", "sentiment", "--file", str(tmp_path / "texts.txt"), *options)[0] == out


def test_top_k_sets_the_number_of_printed_labels(run: Run) -> None:
    one, two = (run("predict", "sentiment", "Dull.", "--top-k", k)[0].splitlines() for k in "12")
    assert [line.split()[0] for line in two] == ["negative", "positive"]
    assert one == two[:1]


def test_messages_stay_out_of_the_output(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where standard error is closed."""
    monkeypatch.setattr(sys, "stderr", None)
    out, _, code = run("predict", "sentiment", "--json", "Good.", "")
    sys.stderr.close()
    assert [json.loads(line)["input"] for line in out.splitlines()] == ["Good.", ""]
    assert code == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_no_partial_table(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def add(*_: object) -> None:
        assert len(list(tmp_path.iterdir())) == 1
        os.kill(os.getpid(), number)

    signal.signal(number, signal.SIG_DFL)  # nohup ignores SIGHUP
    monkeypatch.setattr(PredictionTable, "add", add)
    _, err, code = run("predict", "sentiment", "Good.", "--output", str(tmp_path / "x.csv"))
    assert (code, list(tmp_path.iterdir()), "interrupted" in err) == (128 + number, [], True)
    assert signal.getsignal(number) == signal.SIG_DFL


def test_plots_need_the_directory_that_a_link_leads_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.png").symlink_to(tmp_path / "missing/x.png")
    _, err, code = run("predict", "sentiment", "Good.", "--plot", str(tmp_path / "x.png"))
    assert (code, f"--plot: there is no directory {tmp_path / 'missing'}" in err) == (2, True)


def test_unreadable_inputs_do_not_affect_the_others(run: Run, tmp_path: Path) -> None:
    out, err, code = run("predict", "captioning", "no.jpg", DOG, str(tmp_path), "--json")
    first, second, third = map(json.loads, out.splitlines())
    assert [each["input"] for each in (first, second, third)] == ["no.jpg", DOG, str(tmp_path)]
    assert first["status"].startswith("no.jpg cannot be read: ")
    assert second["status"] == ""
    assert err.startswith("error: input 1: no.jpg cannot be read: ")
    assert f"\nerror: input 3: {tmp_path} cannot be read: " in err
    assert err.endswith("error: 2 of 3 inputs have no answer or were read in part; see above.\n")
    assert code == 1
    (tmp_path / "text.mp4").write_text("no video")
    videos = str(tmp_path / "text.mp4"), FILM
    out, err, code = run("predict", "tagging", *videos, "--output-dir", str(tmp_path / "out"))
    assert out.splitlines()[0] == FILM
    assert f"error: input 1: {videos[0]} cannot be read as a video" in err
    assert code == 1
    (tmp_path / "texts.txt").write_bytes(b"Good.\n\xff\nBad.\n")
    out, err, code = run("predict", "sentiment", "--file", str(tmp_path / "texts.txt"))
    first, second, third = out.splitlines()
    assert (first.split()[0], third.split()[0]) == ("positive", "negative")
    assert second.startswith(" " * 20 + "\ufffd")
    assert f"error: {tmp_path / 'texts.txt'}, line 2: found b'\\xff'. Expected text in UTF-8. Name the" in err
    assert code == 1


def test_damaged_and_foreign_files_exit_with_1(run: Run, tmp_path: Path) -> None:
    """Read in part, or not at all: the message names the file and what it is."""
    video = write_video(tmp_path / "film.mkv", make_frames(60))
    whole = run("predict", "tagging", str(video), "--output-dir", str(tmp_path / "out"))
    assert whole[2] == 0
    (tmp_path / "cut.mkv").write_bytes(video.read_bytes()[:-3000])
    (tmp_path / "drawing.svg").write_text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    for model, name, message, has_answer in (
        ("tagging", "cut.mkv", "the file seems truncated", True),
        ("tagging", DOG, "cannot be read as a video", False),
        ("captioning", "drawing.svg", "the picture is SVG, which is not read here", False),
        ("captioning", "film.mkv", "the file is a video or an audio file", False),
        ("captioning", "broken.png", "the picture is broken", False),
        ("captioning", "missing.png", "There is no file", False),
    ):
        path = str(tmp_path / name)
        out, err, code = run("predict", model, path, "--output-dir", str(tmp_path / "out"))
        assert code == 1, name
        assert err.splitlines()[-1].startswith("error: ") or name == "missing.png"
        assert message in err
        assert path in err
        assert ("0:00:00.000 to" in out) == has_answer


def test_rows_are_written_while_the_model_computes(tmp_path: Path) -> None:
    """Memory does not grow with the rows; without an answer, the rows wait until there are columns."""
    file = io.StringIO()
    table = PredictionTable(
        file, TableFormat(",", True, "utf-8"), ["text"], 1, Progress("x", 1, stream=io.StringIO()), 8
    )
    table.add(["a"], UsageError("broken"))
    assert file.getvalue() == ""
    table.add(["b"], LabelPrediction("", "pos", {"pos": 0.75}))
    header = "text,predicted_label,predicted_probability,prediction_status"
    assert file.getvalue().splitlines() == [header, "a,,,broken", "b,pos,0.75,"]
    table.add(["c"], LabelPrediction("no words", "", {}))
    assert file.getvalue().splitlines()[-1] == "c,,,no words"


def test_tables_without_any_answer_have_a_status(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "answers.csv"
    _, err, code = run("predict", "sentiment", "", " ", "--output", str(output))
    assert output.read_text() == "text,prediction_status\n,no words in the text\n ,no words in the text\n"
    assert "error: 2 of 2 inputs have no answer or were read in part; the column prediction_status" in err
    assert code == 1


def test_models_are_named_by_the_directory_of_a_run(run: Run, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "sentiment/1", tmp_path / "run/export/1")
    card = hashlib.sha256((tmp_path / "run/export/1/card.json").read_bytes()).hexdigest()
    (tmp_path / "run/lstm").mkdir()
    (tmp_path / "run/lstm/run.json").touch()
    _, err, code = run("predict", str(tmp_path / "run"), "Good.")
    assert (code, "It is a run without an export. Repeat its command" in err) == (2, True)
    (tmp_path / "run/export.json").write_text(json.dumps({"directory": "export/1", "card": card}))
    out, _, code = run("predict", str(tmp_path / "run"), "Good.")
    assert (code, out[:3]) == (0, "pos")
    assert run("verify", str(tmp_path / "run"))[2] == 0


def test_verify_compares_a_digest_and_adds_a_manifest(run: Run, tmp_path: Path) -> None:
    export = Path(shutil.copytree(SHIPPED / "sentiment/1", tmp_path / "sentiment/1"))
    digest = hashlib.sha256((export / "SHA256SUMS").read_bytes()).hexdigest()
    out, _, code = run("verify", str(export), "--digest", digest.upper())
    assert (code, f"; digest {digest}" in out) == (0, True)
    out, _, code = run("verify", str(export), "--digest", "0" * 64)
    assert (code, f"the digest is {digest}, expected 0000" in out) == (1, True)
    move_hashes_to_card(export)
    out, _, code = run("verify", str(export), "--add-manifest")
    digest = hashlib.sha256((export / "SHA256SUMS").read_bytes()).hexdigest()
    assert (code, f"; no SHA256SUMS: wrote it, with the digest {digest}" in out) == (0, True)
    out, _, code = run("verify", "nothing", "sentiment", "--models", str(tmp_path))
    assert code == 1
    assert out.startswith("nothing: nothing is neither the name of a model")
    assert (
        "sentiment: 8 files as exported; its example gives what the card states: 20 texts are equal, numbers "
        in out
    )


@pytest.mark.parametrize("arguments", ["list > /dev/full", "predict sentiment <&-"])
def test_streams_that_are_closed_or_full_are_named(arguments: str, tmp_path: Path) -> None:
    process = subprocess.run(
        f"{sys.executable} {ROOT}/zoo_command.py {arguments}",
        shell=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"ZOO_MODELS": str(SHIPPED)},
    )
    assert process.returncode == 2
    assert "error: " in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("one of three"), 1, "error: one of three\n"),
        (UsageError("an option"), 2, "error: an option\n"),
        (
            IsADirectoryError(21, "Is a directory", "x"),
            2,
            "error: x cannot be read or written: Is a directory.",
        ),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (Interrupted("saved", signal.SIGINT), 130, "\nsaved\n"),
        (Interrupted("saved", signal.SIGTERM), 143, "\nsaved\n"),
    ],
)
def test_exit_codes(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_, exit_on_user_error():
        raise error
    assert exit_.value.code == code
    assert capsys.readouterr().err.startswith(message)
    assert re.search(rf"\b{code}\b", EXIT_CODES)


@pytest.mark.parametrize("command", ["predict", "verify", "demo"])
def test_help_states_that_there_are_none_by_default(run: Run, command: str) -> None:
    printed = " ".join(run(command, "--help")[0].replace("│", " ").split())
    assert "(default: none)" in printed
    assert "(default: )" not in printed


def test_help_names_the_exit_codes(run: Run) -> None:
    for arguments in (["--help"], *([name, "--help"] for name in ("predict", "evaluate", "verify"))):
        out, _, code = run(*arguments)
        assert (code, "Exit codes: 0, " in out) == (0, True)


def test_the_plot_of_a_long_text_shows_some_of_its_words(run: Run, tmp_path: Path) -> None:
    run("predict", "sentiment", "word " * 400, "--plot", str(tmp_path / "words.png"))
    with Image.open(tmp_path / "words.png") as plot:
        assert plot.width < 7_000


def test_verify_reports_damaged_models_and_checks_the_others(run: Run, tmp_path: Path) -> None:
    for name in ("sentiment", "tagging", "translation"):
        shutil.copytree(SHIPPED / name, tmp_path / name)
    (tmp_path / "tagging/1/card.json").write_text("{")
    (tmp_path / "translation/1/saved_model.pb").unlink()
    out, _, code = run("verify", "--models", str(tmp_path))
    sentiment, tagging, translation = out.splitlines()
    assert code == 1
    assert "what the card states" in sentiment
    assert "tagging/1/card.json cannot be read as a model card: " in tagging
    assert translation == "translation: saved_model.pb is missing"
    out, _, code = run("list", "--models", str(tmp_path))
    assert (len(out.splitlines()), code) == (7, 0)  # score and license of each model whose card can be read
    for name, message in (
        ("tagging", "card.json cannot be read"),
        ("translation", "saved_model.pb cannot be read: No such file"),
    ):
        _, err, code = run("predict", name, "x", "--models", str(tmp_path))
        assert message in err
        assert code == 2


def test_zoo_runs_as_a_module_and_ends_with_its_reader(tmp_path: Path) -> None:
    process = subprocess.run(
        f"set -o pipefail; {sys.executable} -m zoo predict sentiment | head -1",
        shell=True,
        executable="/bin/bash",
        input="Good.\n" * 100,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"ZOO_MODELS": str(SHIPPED)},
    )
    assert process.returncode == 141
    assert process.stdout.startswith("pos")
    assert process.stdout.count("\n") == 1
    assert "Traceback" not in process.stderr
