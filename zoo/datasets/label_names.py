"""New names of labels, as `rename_labels` of a loader and `--rename-labels` state them."""

from collections.abc import Collection, Mapping

from zoo.datasets.messages import abbreviate, count_noun, suggest_names
from zoo.errors import DataError


def check_renames(renames: Mapping[str, str], labels: Collection[str], location: str) -> list[str]:
    """Check that labels to rename occur.

    Args:
        renames: new names by old ones.
        labels: the labels that occur.
        location: file or data set, for the message.

    Returns:
        A note on those that do not, if there are any.

    Raises:
        DataError: none of them does.
    """
    unknown, known = [old for old in renames if old not in labels], sorted(labels)
    if not unknown:
        return []
    problem = f"--rename-labels names {abbreviate(unknown)}, which no example has"
    if len(unknown) == len(renames):
        raise DataError(
            f"{location}: {problem}. Expected some of {', '.join(known)[:200]}. {suggest_names(unknown, known)}"
            "Correct the name before the `=`."
        )
    return [f"{problem}. The labels are {', '.join(known)[:200]}."]


def note_left_out(renames: Mapping[str, str], num_left_out: int, noun: str) -> list[str]:
    """Return a note on the examples that are left out, because the new name of their label is empty.

    >>> note_left_out({"1": "neg", "3": ""}, 50, "text")
    ['Left out, by --rename-labels: 50 texts with the label 3.']
    """
    labels = [old for old, new in renames.items() if not new]
    if not num_left_out:
        return []
    names = f"label{'s' if len(labels) > 1 else ''} {abbreviate(labels)}"
    return [f"Left out, by --rename-labels: {count_noun(num_left_out, noun)} with the {names}."]
