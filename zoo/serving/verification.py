"""Whether an exported model still is what its card describes: its files, and its outputs for the example."""

from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.card import ModelCard, read_card
from zoo.errors import UsageError
from zoo.manifest import MANIFEST, compare_files, compare_page, compute_digest, has_manifest, read_hashes

TOLERANCE = 1e-3
"""Accepted difference of numbers: processors add in different orders."""

MARGIN = 1e-2
"""Scores further apart than this have the same order on every machine."""


class Comparison(NamedTuple):
    """How outputs differ from those on a card.

    Attributes:
        problems: what differs by more than it may, a sentence each.
        difference: largest difference of the compared numbers.
        num_strings: number of compared strings.
    """

    problems: list[str]
    difference: float
    num_strings: int


def verify(directory: Path, digest: str | None = None) -> tuple[list[str], str]:
    """Compare the files of an export with its manifest, its page with its card, and its outputs with those on the card.

    Numbers must agree within 0.001. Strings must be equal where the scores that decide them are more than 0.01
    apart from the next ones.

    This finds damage. It does not find forgery, because who changes the files can change the manifest, too: compare
    with a digest from elsewhere.

    Args:
        directory: directory of the export.
        digest: the SHA-256 of its manifest, from a source that is trusted; None does not compare it.

    Returns:
        The problems, and a summary for an export without any.

    Raises:
        UsageError: the card or the manifest is missing or corrupt, or the model cannot be loaded.
    """
    from zoo.serving.loading import load  # imports TensorFlow, which damaged files do not need

    if digest is not None and (problem := _compare_digest(directory, digest)):
        return [problem], ""
    card = read_card(directory)
    problems = [*compare_files(directory, card), *compare_page(directory, card, version("rnn-zoo"))]
    if problems:  # damaged files may not load
        return problems, ""
    suffix = f"; digest {compute_digest(directory)}" if has_manifest(directory) else f"; no {MANIFEST}"
    files = f"{len(read_hashes(directory, card))} files as exported"
    predictor = load(directory)
    if not card["example"]["inputs"]:
        return [], f"{files}, and no example on the card to compare outputs with{suffix}"
    try:
        outputs = predictor.serve(**read_example_inputs(directory, card))
        expected = {name: np.array(value) for name, value in card["example"]["outputs"].items()}
        scores = predictor.get_ranking_scores(expected)
        always_compared = {predictor.ranking_output, "labels", "status"}
        comparison = compare_outputs(expected, outputs, scores, always_compared)
    except Exception as error:  # an example of another form fails anywhere, also within TensorFlow
        reason = f"{type(error).__name__}: {str(error)[:500]}"
        return [f"the model does not compute the example on its card: {reason}"], ""
    return comparison.problems, f"{files}; {_describe_agreement(comparison)}{suffix}"


def _describe_agreement(comparison: Comparison) -> str:
    """Return in words how far the outputs for an example are those on the card.

    >>> _describe_agreement(Comparison([], 2.4e-7, 6))
    'its example gives what the card states: 6 texts are equal, numbers differ by at most 0.0000002'
    >>> _describe_agreement(Comparison([], 0.0, 0))
    'its example gives what the card states: numbers are equal'
    """
    count = comparison.num_strings
    texts = f"{count:,} text{' is' if count == 1 else 's are'} equal, " if count else ""
    largest = np.format_float_positional(comparison.difference, precision=1, fractional=False)
    numbers = f"differ by at most {largest}" if comparison.difference else "are equal"
    return f"its example gives what the card states: {texts}numbers {numbers}"


def _compare_digest(directory: Path, digest: str) -> str:
    """Return that an export has another digest than expected; empty if it has this one."""
    if not has_manifest(directory):
        raise UsageError(
            f"--digest: {directory} has no {MANIFEST}, whose SHA-256 is the digest. Restore the file; `zoo verify NAME "
            "--add-manifest` writes it for an export of an earlier version, which had none."
        )
    actual = compute_digest(directory)
    if actual != digest:
        return (
            f"the digest is {actual}, expected {digest}: these are other files than those that were published"
        )
    return ""


def read_example_inputs(directory: Path, card: ModelCard) -> dict[str, Any]:
    """Return the inputs of the example on a card."""

    def read(value: Any) -> Any:
        if "array" in value:
            return np.load(directory / value["array"])
        return [(directory / name).read_bytes() for name in value["files"]] if "files" in value else value

    return {name: read(value) for name, value in card["example"]["inputs"].items()}


def compare_outputs(
    expected: Mapping[str, np.ndarray],
    outputs: Mapping[str, np.ndarray],
    scores: np.ndarray | None,
    always_compared: Collection[str | None],
) -> Comparison:
    """Compare outputs with those on a card.

    Args:
        expected: outputs on the card by name.
        outputs: outputs of the model by name.
        scores: scores [..., choices] on the card that decide the other outputs; None if no output is decided
            by scores.
        always_compared: names of outputs that are compared even where scores are close, such as the scores.
    """
    problems = [f"`{name}` is missing" for name in sorted(expected.keys() - outputs.keys())]
    difference, num_strings = 0.0, 0
    for name in sorted(expected.keys() & outputs.keys()):
        reference, actual = expected[name], outputs[name]
        if reference.shape != actual.shape:
            problems.append(f"`{name}` has shape {list(actual.shape)}, expected {list(reference.shape)}")
            continue
        comparable = np.ones(actual.shape, bool)
        if scores is not None and name not in always_compared:
            comparable = find_clear_choices(actual.shape, scores)
        reference, actual = reference[comparable], actual[comparable]
        if actual.dtype == object:
            strings = np.array([text.decode() for text in actual], object)
            num_strings += len(strings)
            if (strings != reference).any():
                problems.append(f"`{name}` is {strings.tolist()}, expected {reference.tolist()}")
        else:
            largest = float(np.abs(actual - reference).max(initial=0))
            difference = max(difference, largest)
            if not largest <= TOLERANCE:  # also where it is not a number
                problems.append(f"`{name}` differs by {largest:.2g}, expected at most {TOLERANCE:g}")
    return Comparison(problems, difference, num_strings)


def find_clear_choices(shape: tuple[int, ...], scores: np.ndarray) -> np.ndarray:
    """Return which values of an output depend on scores that are clearly apart.

    Args:
        shape: shape of the output. If it is that of the scores, each value has a score of its own, as captions
            have; otherwise all values of a row depend on its best score, as a label does.
        scores: [..., choices].
    """
    gaps = -np.diff(-np.sort(-scores))
    sides = [(0, 0)] * (scores.ndim - 1)
    if shape == scores.shape:
        before, after = (np.pad(gaps, [*sides, side], constant_values=np.inf) for side in ((1, 0), (0, 1)))
        return np.minimum(before, after) > MARGIN
    best = (gaps[..., :1] > MARGIN).all(-1)
    return np.broadcast_to(best.reshape(best.shape + (1,) * (len(shape) - best.ndim)), shape)
