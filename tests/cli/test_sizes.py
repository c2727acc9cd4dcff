"""Amounts of memory on the command line."""

from __future__ import annotations

import pytest

from brainsift.cli.exits import Stop
from brainsift.cli.sizes import LEAST, parse_memory
from brainsift.engine.settings import LEAST_MEMORY_LIMIT


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        (None, None),
        ("3G", 3 << 30),
        ("1500M", 1500 << 20),
        ("2.5 GiB", 5 << 29),
        ("1t", 1 << 40),
        ("1073741824", 1 << 30),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str | None, amount: int | None) -> None:
    assert parse_memory(text) == amount


@pytest.mark.parametrize("text", ["", "much", "-3G", "3X", "1e9", "511M", "3 G B"])
def test_what_is_no_amount_or_too_little_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(Stop):
        parse_memory(text)


def test_the_least_amount_is_that_of_the_engine() -> None:
    assert LEAST == LEAST_MEMORY_LIMIT
