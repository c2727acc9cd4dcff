"""The exit codes, and the one way in which a verb stops because of something that the user can mend."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the shell is told. 70 is `EX_SOFTWARE` of sysexits.h; 130 is 128 + SIGINT, as shells report Ctrl-C."""

    DONE = 0
    SCANS_FAILED = 1
    USAGE = 2
    INTERNAL = 70
    INTERRUPTED = 130


class Stop(Exception):  # noqa: N818 - it is a way to stop, not always an error
    """End the verb with a message of cause and remedy instead of a traceback."""

    def __init__(self, cause: str, remedy: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy
        self.code = code
