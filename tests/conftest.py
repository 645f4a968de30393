"""Files that take long come first, so that both processes end at about the same time."""

import pytest

LONG = (
    "test_sentiment",
    "test_translation",
    "test_captioning",
    "test_loop",
    "test_cells",
    "test_resume",
    "test_recurrence",
    "test_workers",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONG)))
