"""What requests hold. Unknown fields are refused: a misspelt one must not be lost in silence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from brainsift.review.deciding import Answer, Sign
from brainsift.store.reviews.people import Role

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
ItemId = Annotated[str, Field(min_length=1, max_length=64)]
Seconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)]
FieldValues = Annotated[dict[str, bool | int | None], Field(max_length=20)]
Outcome = Literal["answer", "later", "cannot_tell", "look"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Empty(_Body):
    """Nothing."""


class Login(_Body):
    """A token."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class Hand(_Body):
    """How many scans to hold."""

    size: Annotated[int, Field(ge=1, le=20)] = 4


class SheetSize(_Body):
    """How many scans a sheet has; None: as the server is set."""

    size: Annotated[int, Field(ge=1, le=60)] | None = None


class Shown(_Body):
    """What was on the screen."""

    pictures: Annotated[list[str], Field(max_length=50)] = Field(default_factory=list)
    viewer: bool = False
    overlay: bool = False


class Decision(_Body):
    """One decision."""

    key: Key
    outcome: Outcome
    choice: str | None = None
    fields: FieldValues = Field(default_factory=dict)
    seconds: Seconds
    shown: Shown = Field(default_factory=Shown)

    def sign(self) -> Sign:
        """Key, seconds and what was shown."""
        return Sign(self.key, self.seconds, self.shown.model_dump())


class Marked(_Body):
    """One marked scan of a sheet."""

    item: ItemId
    outcome: Outcome
    choice: str | None = None
    fields: FieldValues = Field(default_factory=dict)

    def answer(self) -> Answer:
        """What was said of it."""
        return Answer(self.item, self.outcome, self.choice, self.fields)


class Signature(_Body):
    """A signed sheet."""

    key: Key
    seconds: Seconds
    exceptions: Annotated[list[Marked], Field(max_length=60)] = Field(default_factory=list)
    shown: Shown = Field(default_factory=Shown)

    def sign(self) -> Sign:
        """Key, seconds and what was shown."""
        return Sign(self.key, self.seconds, self.shown.model_dump())


class Undo(_Body):
    """Which decision to take back; None: the latest own one."""

    key: Key
    event: int | None = None


class Items(_Body):
    """Items that are held."""

    items: Annotated[list[ItemId], Field(max_length=200)]


class NewReviewer(_Body):
    """Somebody to let in."""

    name: str
    role: Role = "reviewer"
    faces: bool = False
    simulated: bool = False


class ReviewerChange(_Body):
    """What to change of a person."""

    role: Role | None = None
    faces: bool | None = None
    active: bool | None = None
    new_token: bool = False
