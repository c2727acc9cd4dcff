"""What can be wrong with an output folder or a database, as opposed to a scan."""

from __future__ import annotations

import errno

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The disk, the user's quota or the allowed file size is used up: no later write can succeed."""

READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class StoreError(RuntimeError):
    """The results cannot be kept where they should go; it concerns the run, not one scan.

    Parameters
    ----------
    kind : short stable identifier such as ``"output_full"``.
    cause : one sentence saying what was found.
    remedy : one sentence saying what the user can do.
    """

    def __init__(self, kind: str, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.kind = kind
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str, str]]:
        return type(self), (self.kind, self.cause, self.remedy)


def output_error(error: OSError, where: object) -> StoreError | None:
    """Name the fault of the output folder behind `error`, or None where the error concerns one file only."""
    if error.errno in FULL:
        return StoreError(
            "output_full",
            f"There is no space left for {where}.",
            "Free space or raise the quota, then run the same command again: finished scans are kept.",
        )
    if error.errno in READ_ONLY:
        return StoreError(
            "output_read_only", f"{where} cannot be written.", "Choose an OUTPUT folder that you may write to."
        )
    return None
