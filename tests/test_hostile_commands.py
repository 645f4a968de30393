"""A few of each class of hostile inputs of the command `zoo`; `hostile_commands.py` runs any number of them."""

import pytest
from hostile_commands import CLASSES, try_class

NUMBERS = {
    "cards": 12,
    "cards of --init-from": 6,
    "paths and values": 25,
    "paths of recipes": 4,
    "lines": 8,
    "tables": 8,
    "damaged exports": 12,
}


@pytest.mark.parametrize("name", CLASSES)
def test_hostile_inputs_have_an_error_of_their_own(name: str) -> None:
    assert try_class(name, NUMBERS[name]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_many_hostile_inputs_have_an_error_of_their_own(name: str) -> None:
    assert try_class(name, 10 * NUMBERS[name], seed=1) == []
