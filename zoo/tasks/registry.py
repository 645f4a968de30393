"""Tasks by name."""

from importlib.metadata import entry_points

from zoo.errors import UsageError
from zoo.tasks.base import Task

GROUP = "zoo.tasks"
"""Entry-point group in which a package names its tasks, `name = "module:TASK"`."""


def list_tasks() -> list[str]:
    """Return the names of all installed tasks.

    Example:
        >>> import zoo
        >>> "translation" in zoo.tasks.list_tasks()
        True
    """
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def get_task(name: str) -> Task:
    """Return the task of a name.

    Raises:
        UsageError: no installed package has a task of this name.

    Example:
        >>> import zoo
        >>> zoo.tasks.get_task("translation").headline_metrics
        ('test BLEU',)
    """
    for entry in entry_points(group=GROUP, name=name):
        task: Task = entry.load()
        return task
    raise UsageError(
        f"There is no task {name!r}. Expected one of {', '.join(list_tasks())}, or a package that names it in "
        f"the entry-point group {GROUP!r}: install that package."
    )
