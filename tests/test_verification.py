"""`zoo verify`: files and outputs of exports against their cards."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.card import format_page, read_card
from zoo.errors import UsageError
from zoo.manifest import compare_files, compute_digest, write_manifest
from zoo.serving.verification import compare_outputs, find_clear_choices, verify

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


@pytest.mark.parametrize("name", ["captioning", "sentiment", "tagging", "translation"])
def test_shipped_models_are_as_on_their_cards(name: str) -> None:
    problems, summary = verify(SHIPPED / name / "1")
    assert problems == []
    assert "as on the card" in summary
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
}


def replace_directory_by_link(path: Path, target: Path) -> None:
    path.rename(target)
    path.symlink_to(target)


@pytest.mark.parametrize("has_manifest", [True, False])
@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_reported(sentiment: Path, kind: str, has_manifest: bool) -> None:
    """In exports with a manifest, and in those of earlier versions, whose cards have the hashes."""
    manifest = sentiment / "SHA256SUMS"
    manifest.unlink(missing_ok=True)
    if has_manifest:
        write_manifest(sentiment)
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


@pytest.mark.parametrize(
    "content", ["", "\n", "0" * 64, f"{'0' * 64}  a\n{'0' * 64}  a\n", "x" * 64 + "  a\n"]
)
def test_a_corrupt_manifest_is_refused(sentiment: Path, content: str) -> None:
    (sentiment / "SHA256SUMS").write_text(content)
    with pytest.raises(UsageError, match=r"SHA256SUMS, line \d, is corrupt"):
        verify(sentiment)


def test_models_whose_files_were_copied_in_part_are_not_loaded(sentiment: Path) -> None:
    weights = sentiment / "variables/variables.data-00000-of-00001"
    content = weights.read_bytes()
    for size in (0, len(content) // 2, len(content) - 1):
        weights.write_bytes(content[:size])
        with pytest.raises(
            UsageError, match=r"expected 6,832,104, .*variables.data-00000-of-00001 has changed"
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
