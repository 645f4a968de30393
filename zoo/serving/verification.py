"""Whether an exported model is what its card says: the files, and what it answers."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import UsageError
from zoo.files import sha256
from zoo.serving.loading import load
from zoo.serving.model_store import read_card

TOLERANCE = 1e-3  # of scores: processors add in another order
CLEAR = 1e-2  # scores further apart than this keep their order everywhere


def verify(folder: Path) -> tuple[list[str], str]:
    """Compare the files of an exported model with their hashes, and its answers with those on its card.

    Scores have to agree within 0.001. Strings have to be equal where the margin is clear: where the score
    that chose them is more than 0.01 from the next.

    Args:
        folder: of the model.

    Returns:
        What is wrong, and what is to be said if nothing is.

    Raises:
        UsageError: It has no card, or cannot be read.
    """
    facts = read_card(folder)
    if not facts:
        raise UsageError(f"{folder} has no card to compare with. Export the model anew.")
    hashes = facts["sha256"]
    there = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and file.name not in ("card.json", "README.md")
    }
    wrong = [f"there is no {name}" for name in sorted(hashes.keys() - there)]
    wrong += [f"{name} is not on the card" for name in sorted(there - hashes.keys())]
    changed = [name for name in sorted(there & hashes.keys()) if sha256(folder / name) != hashes[name]]
    wrong += [f"{name} has changed" for name in changed]
    if wrong:  # what is damaged may not load
        return wrong, ""
    said = load(folder).serve(**example_inputs(folder, facts))
    several = facts["settings"].get("multi_label") == "True"
    inputs = facts["signatures"]["serving_default"]["takes"]
    expected = {name: value for name, value in facts["example"].items() if name not in inputs}
    wrong, most, strings = compared(expected, said, several)
    return wrong, f"{len(hashes)} files, {strings} strings and all numbers (within {most:.0e}) as on the card"


def example_inputs(folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """The inputs of the example on a card."""

    def read(given: Any) -> Any:
        if "array" in given:
            return np.load(folder / given["array"])
        return [(folder / name).read_bytes() for name in given["files"]] if "files" in given else given

    takes = facts["signatures"]["serving_default"]["takes"]
    return {name: read(facts["example"][name]) for name in takes}


def compared(
    expected: dict[str, Any], said: dict[str, np.ndarray], several: bool = False
) -> tuple[list[str], float, int]:
    """What differs, the largest difference of numbers, and how many strings were compared.

    Args:
        expected: the outputs on the card.
        said: the outputs.
        several: whether each label holds or not, by a probability of its own, instead of the best one.
    """
    by = "scores" if "scores" in expected else "probabilities"
    scores = np.array(expected[by], np.float64)
    if several:  # the choice that is nearest to being another
        nearest = np.abs(scores - 0.5).min(-1)
        scores = np.stack([0.5 + nearest, 0.5 - nearest], -1)
    wrong, most, strings = [f"{name} is not given" for name in sorted(expected.keys() - said.keys())], 0.0, 0
    for name, found in said.items():
        wanted = np.array(expected[name])
        if wanted.shape != found.shape:
            wrong.append(f"{name} has the shape {list(found.shape)} instead of {list(wanted.shape)}")
            continue
        certain = name in (by, "labels", "status")
        which = np.ones(found.shape, bool) if certain else chosen_clearly(found.shape, scores)
        wanted = wanted[which]
        if found.dtype == object:
            own = np.array([text.decode() for text in found[which]], object)
            strings += len(own)
            if (own != wanted).any():
                wrong.append(f"{name} are {own.tolist()} instead of {wanted.tolist()}")
        else:
            far = float(np.abs(found[which] - wanted).max(initial=0))
            most = max(most, far)
            if not far <= TOLERANCE:  # nor if it is no number
                wrong.append(f"{name} differ by {far:.2g}")
    return wrong, most, strings


def chosen_clearly(shape: tuple[int, ...], scores: np.ndarray) -> np.ndarray:
    """Which values of an output hang on scores that are far apart.

    Args:
        shape: of the output. If it is that of the scores, each value has its score, as captions have;
            otherwise all hang on the best one, as a label does, or the words of the best caption.
        scores: [..., choices].
    """
    gaps = -np.diff(-np.sort(-scores))
    ends = [(0, 0)] * (scores.ndim - 1)
    if shape == scores.shape:
        before, after = (np.pad(gaps, [*ends, side], constant_values=np.inf) for side in ((1, 0), (0, 1)))
        return np.minimum(before, after) > CLEAR
    best = (gaps[..., :1] > CLEAR).all(-1)
    return np.broadcast_to(best.reshape(best.shape + (1,) * (len(shape) - best.ndim)), shape)
