"""The tables of review: the trail that only grows, and what is worked with while people read.

The server itself refuses to change a review (`store.migrations`, version 2).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from brainsift.store.schema import Base, Key


class ReviewRow(Base):
    """One act of a person on one scan. Rows are only ever added: taking one back is a new row with `undo_of`.

    All columns from `study` to `at` go into `sha256` together with `previous_sha256`, the digest of the row before
    (`chain`). Times and durations are text and whole milliseconds, so that every server gives back what was hashed. The
    scan stands by its name and content, not by a row number: the trail can be read without the other tables.

    Attributes
    ----------
    position : 1, 2, 3, … within the study, without a gap.
    key, part : the client's key of the act, and which scan of it (a signed sheet has many); together they come once.
    request_sha256 : of what was asked with that key.
    kind : ``decision`` or ``undo``.
    stage : ``reading``, ``adjudication`` or ``catch`` (a scan with a known answer).
    outcome : ``answer``, ``later``, ``cannot_tell``, ``look`` or ``undo``.
    fields, shown : JSON; what was added to the choice, and what was on the screen with its SHA-256.
    meaning : the sentence that the person signed.
    machine_action, machine_label, model_id, model_sha256 : what the machine said, whether or not it was shown.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("study", "position"),
        UniqueConstraint("study", "key", "part"),
        Index(None, "study", "item"),
        Index(None, "study", "task", "scan"),
        Index(None, "study", "reviewer", "task"),
        Index(None, "study", "undo_of"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study: Mapped[str] = mapped_column(Key)
    position: Mapped[int]
    key: Mapped[str] = mapped_column(Key)
    part: Mapped[int]
    request_sha256: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    task: Mapped[str] = mapped_column(Key)
    list_name: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(Text)
    scan: Mapped[str] = mapped_column(Key)
    item: Mapped[str | None] = mapped_column(Key)
    sheet: Mapped[str | None] = mapped_column(Text)
    reviewer: Mapped[str] = mapped_column(Key)
    outcome: Mapped[str] = mapped_column(Text)
    choice: Mapped[str | None] = mapped_column(Text)
    fields: Mapped[str] = mapped_column(Text)
    meaning: Mapped[str] = mapped_column(Text)
    milliseconds: Mapped[int] = mapped_column(BigInteger)
    shown: Mapped[str] = mapped_column(Text)
    second_wanted: Mapped[bool]
    input_sha256: Mapped[str] = mapped_column(Text)
    model_id: Mapped[str | None] = mapped_column(Text)
    model_sha256: Mapped[str | None] = mapped_column(Text)
    machine_action: Mapped[str | None] = mapped_column(Text)
    machine_label: Mapped[str | None] = mapped_column(Text)
    software: Mapped[str] = mapped_column(Text)
    undo_of: Mapped[int | None]
    at: Mapped[str] = mapped_column(Text)
    previous_sha256: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)


class ChainRow(Base):
    """The end of a study's trail. Whoever adds to the trail writes to this row first, which makes the others wait.

    `ident` is drawn when the study is first reviewed: a browser keeps unsent decisions under it.
    """

    __tablename__ = "review_chains"

    study: Mapped[str] = mapped_column(Key, primary_key=True)
    ident: Mapped[str] = mapped_column(Text)
    length: Mapped[int]
    sha256: Mapped[str] = mapped_column(Text)


class CaseRow(Base):
    """How far people have come with one scan in one task; follows from the trail (`cases.replay`)."""

    __tablename__ = "review_cases"
    __table_args__ = (Index(None, "study", "task", "state"),)

    study: Mapped[str] = mapped_column(Key, primary_key=True)
    task: Mapped[str] = mapped_column(Key, primary_key=True)
    scan: Mapped[str] = mapped_column(Key, primary_key=True)
    basis: Mapped[str] = mapped_column(Key)
    state: Mapped[str] = mapped_column(Text)
    home: Mapped[str] = mapped_column(Text)
    first_reader: Mapped[str | None] = mapped_column(Key)
    second_reader: Mapped[str | None] = mapped_column(Key)
    choice: Mapped[str | None] = mapped_column(Text)
    fields: Mapped[str] = mapped_column(Text)
    position: Mapped[int | None]


class LeaseRow(Base):
    """A scan handed to one person until `until_ms` (milliseconds since 1970).

    `slot` is empty for ordinary scans, of which one person may hold each; the person's name for catch trials; the item
    itself once it was decided or another person has taken the scan over, so that a late answer, or one after an undo,
    still finds what was handed out.
    """

    __tablename__ = "review_leases"
    __table_args__ = (UniqueConstraint("study", "task", "scan", "slot"), Index(None, "study", "holder", "task"))

    item: Mapped[str] = mapped_column(Key, primary_key=True)
    study: Mapped[str] = mapped_column(Key)
    task: Mapped[str] = mapped_column(Key)
    scan: Mapped[str] = mapped_column(Key)
    slot: Mapped[str] = mapped_column(Key)
    holder: Mapped[str] = mapped_column(Key)
    list_name: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(Text)
    sheet: Mapped[str | None] = mapped_column(Key)
    rank: Mapped[int] = mapped_column(BigInteger)
    decided: Mapped[bool]
    taken_ms: Mapped[int] = mapped_column(BigInteger)
    until_ms: Mapped[int] = mapped_column(BigInteger)
    offered: Mapped[str] = mapped_column(Text)


class CatchRow(Base):
    """A scan whose answer is known, to be mixed in."""

    __tablename__ = "review_catches"

    study: Mapped[str] = mapped_column(Key, primary_key=True)
    task: Mapped[str] = mapped_column(Key, primary_key=True)
    scan: Mapped[str] = mapped_column(Key, primary_key=True)
    good: Mapped[bool]


class ReviewerRow(Base):
    """A person who may log in; of the token only its SHA-256 is kept."""

    __tablename__ = "reviewers"
    __table_args__ = (UniqueConstraint("study", "token_sha256"),)

    study: Mapped[str] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(Key, primary_key=True)
    role: Mapped[str] = mapped_column(Text)
    faces: Mapped[bool]
    simulated: Mapped[bool]
    active: Mapped[bool]
    token_sha256: Mapped[str | None] = mapped_column(Key)
    since: Mapped[str] = mapped_column(Text)


class SessionRow(Base):
    """A browser that is logged in; of the cookie only its SHA-256 is kept."""

    __tablename__ = "review_sessions"

    cookie_sha256: Mapped[str] = mapped_column(Key, primary_key=True)
    study: Mapped[str] = mapped_column(Key)
    name: Mapped[str] = mapped_column(Key)
    csrf: Mapped[str] = mapped_column(Text)
    seen_ms: Mapped[int] = mapped_column(BigInteger)
