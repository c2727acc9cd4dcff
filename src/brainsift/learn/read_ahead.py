"""Batches made in a second thread while the network learns from the one before."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

WAIT_S = 0.2
"""Between looks at whether anybody still wants what was made."""


def read_ahead(source: Iterator[T], ready: int = 2) -> Iterator[T]:
    """What `source` gives, in its order, with up to `ready` items made before they are asked for.

    NumPy and zlib let go of the interpreter while they work, so that making a batch costs the training little. An error
    of `source` is raised where its item would have come; the thread ends with the iterator that is given back.
    """
    made: Queue[T | _End] = Queue(maxsize=ready)
    stop = Event()
    thread = Thread(target=_fill, args=(source, made, stop), daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        thread.join()


class _End:
    """Nothing more comes, perhaps because of an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


def _fill(source: Iterator[T], made: Queue[T | _End], stop: Event) -> None:
    end = _End()
    try:
        for item in source:
            if not _put(made, item, stop):
                return
    except Exception as error:
        end = _End(error)
    _put(made, end, stop)


def _put(made: Queue[T | _End], item: T | _End, stop: Event) -> bool:
    while not stop.is_set():
        try:
            made.put(item, timeout=WAIT_S)
        except Full:
            continue
        return True
    return False
