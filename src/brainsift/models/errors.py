"""The error of the shelf: which model, what is wrong with it, what to do."""

from __future__ import annotations


class ModelError(RuntimeError):
    """A model that is unknown, missing, damaged or of the wrong shape.

    Parameters
    ----------
    model : name asked for.
    cause : one sentence saying what was found.
    remedy : one sentence saying what the user can do.
    """

    def __init__(self, model: str, cause: str, remedy: str) -> None:
        super().__init__(f"Model '{model}': {cause} {remedy}")
        self.model = model
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[ModelError], tuple[str, str, str]]:
        return type(self), (self.model, self.cause, self.remedy)
