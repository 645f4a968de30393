"""`zoo verify`: files and outputs of exports against their cards."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from zoo.errors import UsageError
from zoo.serving.verification import compare_outputs, find_clear_choices, verify

SHIPPED = Path(__file__).parents[1] / "saved_models"


@pytest.fixture
def sentiment(tmp_path: Path) -> Path:
    """A copy of the shipped sentiment model."""
    return Path(shutil.copytree(SHIPPED / "sentiment/1", tmp_path / "sentiment" / "1"))


def edit_card(directory: Path, edit: object) -> None:
    path = directory / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    edit(card)
    path.write_text(json.dumps(card), encoding="utf-8")


@pytest.mark.parametrize("name", ["captioning", "sentiment", "tagging", "translation"])
def test_shipped_models_are_as_on_their_cards(name: str) -> None:
    problems, summary = verify(SHIPPED / name / "1")
    assert problems == []
    assert "as on the card" in summary


def test_changed_outputs_are_reported(sentiment: Path) -> None:
    outputs = json.loads((sentiment / "card.json").read_text(encoding="utf-8"))["example"]["outputs"]

    def swap(card: dict) -> None:
        card["example"]["outputs"]["scores"][0] = outputs["scores"][0][::-1]

    def relabel(card: dict) -> None:
        card["example"]["outputs"] |= outputs | {"label": ["unknown", *outputs["label"][1:]]}

    edit_card(sentiment, swap)
    assert any("`scores` differs by" in problem for problem in verify(sentiment)[0])
    edit_card(sentiment, relabel)
    assert [problem.split(" is ")[0] for problem in verify(sentiment)[0]] == ["`label`"]


def test_changed_files_are_reported(sentiment: Path) -> None:
    weights = sentiment / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    (sentiment / "notes.txt").touch()
    (sentiment / "fingerprint.pb").unlink()
    assert verify(sentiment)[0] == [
        "fingerprint.pb is missing",
        "notes.txt is not on the card",
        "variables/variables.data-00000-of-00001 has changed",
    ]


def test_an_export_without_a_card_cannot_be_verified(sentiment: Path) -> None:
    (sentiment / "card.json").unlink()
    with pytest.raises(UsageError, match="has no card to compare with"):
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
