"""`zoo verify`: files and outputs of exports against their cards."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from earlier_exports import move_hashes_to_card
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from zoo.card import format_page, read_card
from zoo.errors import UsageError
from zoo.manifest import check_sizes, compare_files, compute_digest, read_hashes, write_manifest
from zoo.serving.verification import compare_outputs, find_clear_choices, verify
from zoo.tasks import get_task

SHIPPED = Path(__file__).parents[1] / "saved_models"


@pytest.fixture
def sentiment(tmp_path: Path) -> Path:
    """A copy of the shipped sentiment model."""
    return Path(shutil.copytree(SHIPPED / "sentiment/1", tmp_path / "sentiment" / "1"))


def edit_card(directory: Path, edit: Callable[[dict], object]) -> None:
    path = directory / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    edit(card)
    path.write_text(json.dumps(card), encoding="utf-8")


def rewrite_page(directory: Path) -> None:
    """Make the page that of the card, as who forges both does."""
    (directory / "README.md").write_text(format_page(read_card(directory)), encoding="utf-8")


@pytest.mark.parametrize("name", ["captioning", "language_model", "sentiment", "tagging", "translation"])
def test_shipped_models_are_as_on_their_cards(name: str) -> None:
    problems, summary = verify(SHIPPED / name / "1")
    assert problems == []
    assert "its example gives what the card states: " in summary
    assert compute_digest(SHIPPED / name / "1") in summary


def test_changed_outputs_are_reported(sentiment: Path) -> None:
    """Also where hashes are those of the changed card."""
    outputs = json.loads((sentiment / "card.json").read_text(encoding="utf-8"))["example"]["outputs"]

    def swap(card: dict) -> None:
        card["example"]["outputs"]["scores"][0] = outputs["scores"][0][::-1]

    def relabel(card: dict) -> None:
        card["example"]["outputs"] |= outputs | {"label": ["unknown", *outputs["label"][1:]]}

    def reshape(card: dict) -> None:
        card["example"]["outputs"] |= {"scores": [[1.0], [1.0, 2.0]]}

    for edit, message in (
        (swap, "`scores` differs by"),
        (relabel, "`label` is "),
        (reshape, "the model does not compute the example on its card"),
    ):
        edit_card(sentiment, edit)
        write_manifest(sentiment)
        (problem,) = verify(sentiment)[0]
        assert problem.startswith(message)


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replace_by_link(path: Path, target: Path) -> None:
    shutil.copy(path, target)
    path.unlink()
    path.symlink_to(target)


DAMAGE: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "weights": (
        lambda export: damage(export / "variables/variables.data-00000-of-00001"),
        ["variables/variables.data-00000-of-00001 has changed"],
    ),
    "page": (
        lambda export: damage(export / "README.md"),
        ["README.md has changed", "README.md is not the page"],
    ),
    "a figure on the card": (
        lambda export: edit_card(export, lambda card: card["metrics"].update({"test accuracy": 99.9})),
        ["card.json has changed", "README.md is not the page of card.json"],
    ),
    "a figure on card and page": (
        lambda export: (
            edit_card(export, lambda card: card["metrics"].update({"test accuracy": 99.9})),
            rewrite_page(export),
        ),
        ["README.md has changed", "card.json has changed"],
    ),
    "more and fewer files": (
        lambda export: ((export / "notes.txt").touch(), (export / "fingerprint.pb").unlink()),
        ["fingerprint.pb is missing", "notes.txt is not "],
    ),
    "a link that leaves": (
        lambda export: replace_by_link(export / "fingerprint.pb", export.parent / "elsewhere"),
        ["fingerprint.pb is a link that leaves the directory, to "],
    ),
    "a directory that is a link": (
        lambda export: replace_directory_by_link(export / "assets", export.parent / "elsewhere"),
        ["assets/vocabulary.txt is missing", "assets is a link that leaves the directory, to "],
    ),
    "line ends": (
        lambda export: (export / "assets/vocabulary.txt").write_bytes(
            (export / "assets/vocabulary.txt").read_bytes().replace(b"\n", b"\r\n")
        ),
        ["assets/vocabulary.txt has changed"],
    ),
    "a pipe": (lambda export: os.mkfifo(export / "pipe"), ["pipe is no file"]),
    "empty directories": (
        lambda export: ((export / "assets.extra").mkdir(), (export / "variables/a/b").mkdir(parents=True)),
        ["assets.extra/ is an empty directory", "variables/a/b/ is an empty directory"],
    ),
    "a name that clears the line of a terminal": (
        lambda export: (export / "\r\x1b[2Kx\udcff").touch(),
        [r"'\r\x1b[2Kx\udcff' is not "],
    ),
    "links in a circle": (lambda export: (export / "loop").symlink_to("loop"), ["loop is "]),
}


def replace_directory_by_link(path: Path, target: Path) -> None:
    path.rename(target)
    path.symlink_to(target)


@pytest.mark.parametrize("has_manifest", [True, False])
@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_reported(sentiment: Path, kind: str, has_manifest: bool) -> None:
    """In exports with a manifest, and in those of earlier versions, whose cards have the hashes."""
    if not has_manifest:
        move_hashes_to_card(sentiment)
    change, expected = DAMAGE[kind]
    change(sentiment)
    problems = verify(sentiment)[0]
    if not has_manifest:  # which do not cover the card, so that nothing shows where the page is forged, too
        expected = [
            text for text in expected if text not in ("card.json has changed", "README.md has changed")
        ]
    assert len(problems) == len(expected)
    for problem, text in zip(problems, expected, strict=True):
        assert problem.startswith(text)


def test_a_link_within_the_directory_is_a_file(sentiment: Path) -> None:
    replace_by_link(sentiment / "fingerprint.pb", sentiment / "assets" / "fingerprint.pb")
    write_manifest(sentiment)
    assert compare_files(sentiment, read_card(sentiment)) == []


def test_another_size_than_that_on_the_card_is_explained(sentiment: Path) -> None:
    """Of an export whose manifest was written anew after a file was changed."""
    card = read_card(sentiment)
    with (sentiment / "fingerprint.pb").open("ab") as file:
        file.write(b"more")
    with pytest.raises(UsageError, match=r"as on its card: fingerprint.pb has changed\. Restore"):
        check_sizes(sentiment, card)
    write_manifest(sentiment)
    expected = (
        "as on its card: all files are there and have the hashes in SHA256SUMS, so it was changed after"
    )
    with pytest.raises(UsageError, match=expected):
        check_sizes(sentiment, card)


def test_a_digest_recognizes_forgery(sentiment: Path) -> None:
    """A model whose files agree with each other, but that is another one."""
    published = write_manifest(sentiment)
    assert verify(sentiment, published)[0] == []
    edit_card(sentiment, lambda card: card["metrics"].update({"test accuracy": 99.9}))
    rewrite_page(sentiment)
    forged = write_manifest(sentiment)
    assert verify(sentiment)[0] == []
    assert verify(sentiment, published)[0] == [
        f"the digest is {forged}, expected {published}: these are other files than those that were published"
    ]
    (sentiment / "SHA256SUMS").unlink()
    with pytest.raises(UsageError, match="has no SHA256SUMS, whose SHA-256 is the digest"):
        verify(sentiment, published)


def test_the_manifest_is_that_of_sha256sum(sentiment: Path) -> None:
    digest = write_manifest(sentiment)
    names = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=sentiment, capture_output=True, text=True)
    assert names.returncode == 0
    assert (
        len(names.stdout.splitlines()) == len([path for path in sentiment.rglob("*") if path.is_file()]) - 1
    )
    manifest = subprocess.run(["sha256sum", "SHA256SUMS"], cwd=sentiment, capture_output=True, text=True)
    assert manifest.stdout.split()[0] == digest


def test_the_empty_directory_that_tensorflow_makes_is_no_damage(tmp_path: Path) -> None:
    """Of a model without vocabularies. Git does not keep it."""
    tagging = Path(shutil.copytree(SHIPPED / "tagging/1", tmp_path / "1"))
    (tagging / "assets").mkdir()
    assert compare_files(tagging, read_card(tagging)) == []


HASH = "0" * 64
MANIFEST_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "an empty line": lambda content: content + b"\n",
    "no names": lambda content: HASH.encode(),
    "twice": lambda content: content + content.splitlines(keepends=True)[-1],
    "no hash": lambda content: b"x" + content[1:],
    "no last line end": lambda content: content[:-1],
    "another order": lambda content: b"".join(reversed(content.splitlines(keepends=True))),
    "the binary mark of sha256sum": lambda content: content.replace(b"  ", b" *", 1),
    "not UTF-8": lambda content: content + HASH.encode() + b"  \xff\n",
    "NUL": lambda content: content + HASH.encode() + b"  z\0\n",
    **{
        f"separator {separator!r}": lambda content, separator=separator: content.replace(
            b"\n", separator.encode()
        )
        for separator in ("\r\n", "\r", "\v", "\f", "\x1e", "\x85", "\u2028")
    },
}


@pytest.mark.parametrize("change", MANIFEST_CHANGES)
def test_a_corrupt_manifest_is_refused(sentiment: Path, change: str) -> None:
    path = sentiment / "SHA256SUMS"
    path.write_bytes(MANIFEST_CHANGES[change](path.read_bytes()))
    with pytest.raises(UsageError, match=r"SHA256SUMS, line \d+, is corrupt"):
        verify(sentiment)
    with pytest.raises(UsageError, match=r"SHA256SUMS, line \d+, is corrupt"):
        zoo.load(sentiment)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.data())
def test_only_the_text_that_the_export_wrote_is_its_manifest(data: st.DataObject) -> None:
    """Any change of it is refused, or gives other hashes or names, which the comparison finds."""
    card = read_card(SHIPPED / "sentiment/1")
    original = (SHIPPED / "sentiment/1/SHA256SUMS").read_bytes()
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, min(start + 3, len(original))))
    inserted = data.draw(
        st.binary(max_size=3) | st.sampled_from([b"\r\n", b"\n", b" ", b"\xe2\x80\xa8", b"./"])
    )
    changed = original[:start] + inserted + original[end:]
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "SHA256SUMS").write_bytes(changed)
        try:
            hashes = read_hashes(Path(directory), card)
        except UsageError:
            return
    assert (hashes == read_hashes(SHIPPED / "sentiment/1", card)) == (changed == original)


def test_what_has_no_end_is_not_opened(sentiment: Path) -> None:
    """Pipes and devices in the place of each file, and beside them; the test would not end otherwise."""
    names = sorted(path.relative_to(sentiment) for path in sentiment.rglob("*") if path.is_file())
    others = ("fingerprint", "saved_model.cpb", "saved_model.pbtxt", "assets.extra/x")
    for name in (*names, *map(Path, others)):
        for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
            path, stored = sentiment / name, sentiment.with_name("stored")
            if name in names:
                path.rename(stored)
            path.parent.mkdir(exist_ok=True)
            make(path)
            for act in (zoo.load, get_task("text_classification").from_export, check_verified):
                with pytest.raises(UsageError, match=re.escape(str(name)).replace("/", ".")):
                    act(sentiment)
            path.unlink()
            if name in names:
                stored.rename(path)


def check_verified(directory: Path) -> None:
    """Raise an error if an export is not as it was."""
    if problems := verify(directory)[0]:
        raise UsageError("; ".join(problems))


def test_digests_of_large_manifests_are_not_computed(sentiment: Path) -> None:
    os.truncate(sentiment / "SHA256SUMS", 10**12)
    with pytest.raises(UsageError, match="It has more than 10,000,000 bytes"):
        verify(sentiment, HASH)


def test_files_that_may_not_be_read_are_reported(sentiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each as a problem of its own, so that `zoo verify` goes on with the next model."""

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("zoo.manifest.sha256", refuse)
    problems, _ = verify(sentiment)
    assert "saved_model.pb cannot be read: Permission denied" in problems
    monkeypatch.setattr("os.scandir", refuse)
    assert verify(sentiment)[0][0].endswith("1 cannot be read: Permission denied")


def test_a_damaged_fingerprint_is_refused(sentiment: Path) -> None:
    """TensorFlow loads the model after a traceback."""
    path = sentiment / "fingerprint.pb"
    path.write_bytes(bytes(255 for _ in range(path.stat().st_size)))
    with pytest.raises(UsageError, match=r"cannot be read: .*[Ff]ingerprint"):
        zoo.load(sentiment)


def test_models_whose_files_were_copied_in_part_are_not_loaded(sentiment: Path) -> None:
    weights = sentiment / "variables/variables.data-00000-of-00001"
    content = weights.read_bytes()
    for size in (0, len(content) // 2, len(content) - 1):
        weights.write_bytes(content[:size])
        with pytest.raises(
            UsageError, match=r"expected 13,121,889, .*variables.data-00000-of-00001 has changed"
        ):
            zoo.load(sentiment)
    weights.unlink()
    with pytest.raises(UsageError, match=r"variables.data-00000-of-00001 cannot be read: No such file"):
        zoo.load(sentiment)


def test_load_checks_hashes_on_request(sentiment: Path) -> None:
    assert zoo.load(sentiment, verify=True).input_kind == "text"
    damage(sentiment / "assets/vocabulary.txt")
    assert zoo.load(sentiment).input_kind == "text"
    with pytest.raises(UsageError, match=r"is not as it was exported: assets/vocabulary.txt has changed\."):
        zoo.load(sentiment, verify=True)


def test_an_export_without_a_card_cannot_be_verified(sentiment: Path) -> None:
    (sentiment / "card.json").unlink()
    with pytest.raises(UsageError, match=r"has no card\.json"):
        verify(sentiment)


def test_strings_are_compared_where_scores_are_clearly_apart() -> None:
    scores = np.array([[3.0, 2.0, 1.999], [1.0, 0.999, 0.5], [0.9, 0.05, 0.05]])
    assert find_clear_choices((3,), scores).tolist() == [True, False, True]
    assert find_clear_choices((3, 2), scores).tolist() == [[True] * 2, [False] * 2, [True] * 2]
    ranked = [[True, False, False], [False, False, True], [True, False, False]]
    assert find_clear_choices((3, 3), scores).tolist() == ranked
    steps = np.array([[[0.9, 0.1], [0.5, 0.5]]])
    assert find_clear_choices((1, 2), steps).tolist() == [[True, False]]
    assert find_clear_choices((2,), np.array([[-1.0], [-2.0]])).tolist() == [True, True]


def test_outputs_are_compared_by_shape_value_and_clear_choice() -> None:
    scores = np.array([[0.9, 0.1], [0.501, 0.499]])
    expected = {"scores": scores, "label": np.array(["a", "b"])}
    outputs = {"scores": scores, "label": np.array([b"a", b"x"], object)}
    assert compare_outputs(expected, outputs, scores, {"scores"}) == ([], 0.0, 1)
    problems, _, strings = compare_outputs(expected, outputs, None, {"scores"})
    assert problems == ["`label` is ['a', 'x'], expected ['a', 'b']"]
    assert strings == 2
    problems, *_ = compare_outputs(expected, {"scores": np.full((2, 2), np.nan)}, scores, {"scores"})
    assert problems == ["`label` is missing", "`scores` differs by nan, expected at most 0.001"]
    problems, *_ = compare_outputs(expected, outputs | {"scores": scores[:1]}, scores, {"scores"})
    assert problems == ["`scores` has shape [1, 2], expected [2, 2]"]
