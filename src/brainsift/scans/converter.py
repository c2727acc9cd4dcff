"""dcm2niix as a child that can do no harm: bounded in time, memory and output, and told no name of the input."""

from __future__ import annotations

import errno
import subprocess
from contextlib import suppress
from pathlib import Path

from brainsift.scans.errors import ScanError

BASE_TIMEOUT_S = 60.0
TIMEOUT_S_PER_MB = 0.5
"""dcm2niix converts about 200 MB/s on one core; a hundredth of that still is not a hang."""

PROGRAM_BYTES = 512 << 20
"""Address space of the program itself, its libraries and tables, on top of what the series may take."""

OPTIONS = ("-g", "i", "-b", "y", "-ba", "y", "-z", "n", "-w", "2", "-d", "0", "-f", "series")


def convert(source: Path, target: Path, size: int, memory_limit_bytes: int) -> int:
    """Convert the files in `source` (`size` bytes) to NIfTI files in `target`; return the converter's exit status.

    Parameters
    ----------
    source, target : absolute, so that neither can be taken for an option.
    memory_limit_bytes : what it may reserve, and the largest file that it may write.

    Raises
    ------
    ScanError
        ``dicom_timeout``, ``no_converter``.
    MemoryError
        if there is none to start it.
    """
    import dcm2niix

    limit = BASE_TIMEOUT_S + TIMEOUT_S_PER_MB * size / 2**20
    try:
        # Its messages may hold names and descriptions: they are dropped, pydicom explains failures.
        child = subprocess.Popen(
            [dcm2niix.bin, *OPTIONS, "-o", str(target), str(source)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        if error.errno in (errno.ENOMEM, errno.EAGAIN):
            raise MemoryError from error
        raise ScanError(
            "no_converter", "dcm2niix could not be started.", "Reinstall the dcm2niix package (pip install dcm2niix)."
        ) from error
    with child:
        try:
            _bind(child.pid, limit, memory_limit_bytes)
            return child.wait(limit)
        except subprocess.TimeoutExpired as error:
            raise ScanError(
                "dicom_timeout", f"The conversion took longer than {limit:.0f} s.", "Export the series again."
            ) from error
        finally:
            child.kill()


def _bind(pid: int, seconds: float, memory_limit_bytes: int) -> None:
    """Limit a running child where the system can (Linux, prlimit(2)): its own code is never trusted to stop.

    The limit on processor time ends it even where the process that started it was killed.
    """
    try:
        from resource import RLIMIT_AS, RLIMIT_CPU, RLIMIT_FSIZE, prlimit
    except ImportError:
        return
    for what, most in (
        (RLIMIT_CPU, int(seconds) + 1),
        (RLIMIT_AS, memory_limit_bytes + PROGRAM_BYTES),
        (RLIMIT_FSIZE, memory_limit_bytes),
    ):
        with suppress(OSError, ValueError):  # It may have ended, or the system's own limit may be lower.
            prlimit(pid, what, (most, most))
