"""Batches that a second thread makes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count, islice

import pytest

from brainsift.learn.read_ahead import read_ahead


def test_items_come_in_order_and_end_with_the_source() -> None:
    assert list(read_ahead(iter(range(50)))) == list(range(50))


def test_no_more_is_made_than_was_asked_for_and_the_thread_ends() -> None:
    made: list[int] = []

    def source() -> Iterator[int]:
        for number in count():
            made.append(number)
            yield number

    ahead = read_ahead(source(), ready=2)
    assert list(islice(ahead, 5)) == [0, 1, 2, 3, 4]
    ahead.close()  # type: ignore[attr-defined]
    assert len(made) <= 5 + 2 + 2, "two ready, one in hand, one being made"
    assert not [thread for thread in threading.enumerate() if "_fill" in thread.name]


def test_an_error_is_raised_where_its_item_would_have_come() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("chunk is broken")

    ahead = read_ahead(source())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="chunk is broken"):
        next(ahead)
