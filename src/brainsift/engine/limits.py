"""What one scan may take of the machine: memory, and with it the children that it started."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from brainsift.engine.resources import RESERVED_BYTES

UNTOUCHED_BYTES = 1 << 30
"""Address space that a worker reserves and never fills: stacks of threads (8 MiB each), arenas of the C library,
buffers of OpenBLAS. It is added where the system counts what is reserved; what is filled is watched against the limit
itself."""

READING_SHARE = 0.5
"""Of the limit: reading holds the stored numbers and the image at once, and may need the image twice."""

_limit: int | None = None
"""Of this process, once `limit_own_memory` set it."""

BLOATED_SHARE = 0.5
"""Of the limit: a worker that holds more than this between two scans is replaced, or the next scan would be blamed for
memory that an earlier one left behind."""


def share_of_memory(available_bytes: int, workers: int, least: int) -> int:
    """Bytes one of `workers` may take: an equal part of what the machine has left, `least` at the least."""
    return max(least, (available_bytes - RESERVED_BYTES) // max(1, workers))


def limit_own_memory(limit: int) -> None:
    """Let this process and its children reserve no more than `limit` bytes and some: beyond, allocation fails.

    A claim of 100 GB is then a `MemoryError` in the scan that made it, before a page is touched. Linux counts private
    writable memory under RLIMIT_DATA (setrlimit(2), since 4.7); other systems do not, there `resident_bytes` alone
    stands guard.
    """
    global _limit
    _limit = limit
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = limit + UNTOUCHED_BYTES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def reading_limit() -> int | None:
    """Bytes that a scan may take while it is read: a part of this worker's limit, None where it has none."""
    return None if _limit is None else int(READING_SHARE * _limit)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had, in the words of Python, the system or ONNX Runtime (whose
    own exceptions are named by what failed, and tell of memory in the text alone)."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    foreign = type(error).__module__.startswith("onnxruntime")
    return foreign and any(word in str(error).lower() for word in ("bad_alloc", "failed to allocate", "bad allocation"))


def resident_bytes(pid: int) -> int:
    """Memory that process `pid` has filled; 0 if it is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def kill_tree(pid: int) -> None:
    """Kill a process and all that it started, such as a converter that hangs: it would outlive its worker."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        # Found before their parent is gone: afterwards nobody knows whose they are.
        children = process.children(recursive=True)
        for one in (process, *children):
            with suppress(psutil.Error):
                one.kill()


def leave_with_children() -> None:
    """End this process, and all that it started, at once."""
    import psutil

    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    os._exit(1)
