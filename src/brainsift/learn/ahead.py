"""Batches made while the network works: reading and cutting examples takes a third as long as a step."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

DEPTH = 2
"""Batches that wait at the most."""

AT_ONCE = DEPTH + 2
"""Batches that exist at the same time: those that wait, one that is made, and one that the network works on. Who writes
batches over older ones needs memory for as many."""

LOOK_AGAIN_S = 0.2


@contextmanager
def made_ahead(batches: Iterable[T]) -> Iterator[Iterator[T]]:
    """Go through `batches` in a thread of its own, `DEPTH` items ahead and in the same order.

    What `batches` raises is raised where its item would have come. When the block is left, the thread ends.
    """
    waiting: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(DEPTH)
    left = threading.Event()

    def put(is_item: bool, value: T | BaseException | None) -> bool:
        while not left.is_set():
            with suppress(queue.Full):
                waiting.put((is_item, value), timeout=LOOK_AGAIN_S)
                return True
        return False

    def make() -> None:
        try:
            for item in batches:
                if not put(True, item):
                    return
            put(False, None)
        except BaseException as error:
            put(False, error)

    def taken() -> Iterator[T]:
        while True:
            is_item, value = waiting.get()
            if is_item:
                yield value  # type: ignore[misc]
                continue
            if isinstance(value, BaseException):
                raise value
            return

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        left.set()
        thread.join()
