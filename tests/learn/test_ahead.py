"""Items made in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from brainsift.learn.ahead import made_ahead


def test_items_come_in_order_and_all_of_them() -> None:
    with made_ahead(iter(range(50))) as items:
        assert list(items) == list(range(50))


def test_no_more_than_a_few_are_made_before_they_are_taken() -> None:
    made = []
    before = threading.active_count()

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with made_ahead(numbers()) as items:
        assert next(items) == 0
        assert next(items) == 1
    # Two taken, two waiting, one in hand.
    assert len(made) <= 5
    assert threading.active_count() == before


def test_what_goes_wrong_is_raised_where_its_item_would_have_come() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("a chunk was lost")

    with made_ahead(broken()) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="a chunk was lost"):
            next(items)
