"""The tables of the database, the same on SQLite and PostgreSQL; those of review are in `store.reviews.schema`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATABASE_VERSION = 3
"""Counts changes of these tables, each of which has its file in `store.migrations.versions`."""

Key = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by its bytes on both servers, so that the study table has one order everywhere."""


class Base(DeclarativeBase):
    """Root of the mapped tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class SchemaInfo(Base):
    """One row: the version of these tables, also for programs older than the migrations, which look here alone."""

    __tablename__ = "schema_info"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class ScanRow(Base):
    """One scan of one study: its record, and the columns that are searched by.

    `study` tells apart the OUTPUT folders that share a server; `record` is the JSON of the record, word for word its
    content.
    """

    __tablename__ = "scans"
    __table_args__ = (UniqueConstraint("study", "scan"), Index(None, "study", "sha256"), Index(None, "study", "status"))

    id: Mapped[int] = mapped_column(primary_key=True)
    study: Mapped[str] = mapped_column(Key)
    scan: Mapped[str] = mapped_column(Key)
    stem: Mapped[str] = mapped_column(Key)
    participant: Mapped[str | None] = mapped_column(Text)
    session: Mapped[str | None] = mapped_column(Text)
    suffix: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    failure_kind: Mapped[str | None] = mapped_column(Text)
    failure_stage: Mapped[str | None] = mapped_column(Text)
    duplicate_of: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(Key)
    fingerprint: Mapped[str] = mapped_column(Text)
    models_sha256: Mapped[str] = mapped_column(Text)
    settings_sha256: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float]
    record: Mapped[str] = mapped_column(Text)


class FindingRow(Base):
    """What one task found in one scan; JSON columns hold the dictionaries of `Finding`."""

    __tablename__ = "findings"
    __table_args__ = (UniqueConstraint("scan_id", "task"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scan_id: Mapped[int] = mapped_column(ForeignKey("scans.id"))
    task: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    probabilities: Mapped[str] = mapped_column(Text)
    measurements: Mapped[str] = mapped_column(Text)
    flags: Mapped[str] = mapped_column(Text)
    model_id: Mapped[str | None] = mapped_column(Text)
    model_sha256: Mapped[str | None] = mapped_column(Text)
    seconds: Mapped[float]


class DecisionRow(Base):
    """What was decided about one finding, by which rule and threshold."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("scan_id", "task"), Index(None, "task", "action", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    scan_id: Mapped[int] = mapped_column(ForeignKey("scans.id"))
    task: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    rule: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    threshold: Mapped[float | None]
    provisional: Mapped[bool]


class RunRow(Base):
    """One call of `brainsift run`: when, with what, how it ended. `counts` and `settings` are JSON."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    study: Mapped[str] = mapped_column(Key)
    started: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    software: Mapped[str] = mapped_column(Text)
    settings: Mapped[str] = mapped_column(Text)
    counts: Mapped[str] = mapped_column(Text)
    interrupted: Mapped[bool]
