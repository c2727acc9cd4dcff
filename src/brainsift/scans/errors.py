"""The one error that a reader raises: what is wrong with a scan, and what to do about it."""


class ScanError(ValueError):
    """A scan that cannot be used as it is.

    Parameters
    ----------
    kind : short stable identifier such as ``"truncated"``; goes into the record and `failures.tsv`.
    cause : one sentence saying what was found, without patient data.
    remedy : one sentence saying what the user can do.
    """

    def __init__(self, kind: str, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.kind = kind
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["ScanError"], tuple[str, str, str]]:
        return type(self), (self.kind, self.cause, self.remedy)
