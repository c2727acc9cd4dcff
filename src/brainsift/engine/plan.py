"""What is to do and what is done: a stream over the catalog, compared with what is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Protocol

from brainsift.engine.scan_unit import fingerprint
from brainsift.scans.ref import ScanRef
from brainsift.store.database import Database, Known
from brainsift.store.errors import StoreError
from brainsift.store.ingest import models_sha256
from brainsift.store.record import Record
from brainsift.store.record_io import read_record, record_path

CHUNK = 500
"""Scans looked up at once: enough to hide a query's cost, few enough to keep no catalog in memory."""


class Step(StrEnum):
    """What to do with a scan."""

    RUN = "run"
    REFRESH = "refresh"
    SKIP = "skip"


@dataclass(frozen=True)
class Planned:
    """A scan, what to do with it and why.

    `known_sha256` is what its bytes were (with ``refresh``); `found` is a record on disk that the database does not
    have yet; `failed` says that a skipped scan had failed.
    """

    ref: ScanRef
    step: Step
    why: str
    known_sha256: str | None = None
    found: Record | None = None
    failed: bool = False


@dataclass(frozen=True)
class Identity:
    """What a record must have been made with to stay valid."""

    models: dict[str, str]
    settings_sha256: str


class Lookup(Protocol):
    """What planning needs of a database."""

    def known(self, scans: list[str]) -> dict[str, Known]:
        """Known scans among `scans`."""
        ...


class Unknown:
    """The lookup where there is no database yet."""

    def known(self, scans: list[str]) -> dict[str, Known]:
        """Nothing."""
        return {}


def plan(
    refs: Iterable[ScanRef], output: Path, identity: Identity, lookup: Database | Lookup, retry_failed: bool = False
) -> Iterator[Planned]:
    """Compare a stream of scans with what is known, a chunk at a time.

    A scan is skipped if its record is there and was made from the same size and modification time with the same models
    and settings; if only the size or time differ, its bytes decide (``refresh``). A scan that failed is done again if
    it changed, or with `retry_failed`.
    """
    models = models_sha256(identity.models)
    stream = iter(refs)
    while chunk := list(islice(stream, CHUNK)):
        known = lookup.known([ref.scan for ref in chunk])
        for ref in chunk:
            before, found = _known(ref, output, known.get(ref.scan))
            yield _judge(ref, before, found, models, identity.settings_sha256, retry_failed)


def _known(ref: ScanRef, output: Path, row: Known | None) -> tuple[Known | None, Record | None]:
    """The row, if its record is there; else the row that the record on disk would have."""
    path = record_path(output, ref.stem)
    if row is not None:
        # A record that no file can hold (its name is too long) lives in the database alone.
        kept = row.stem == ref.stem and (row.failure_kind == "unwritable_record" or path.exists())
        return (row, None) if kept else (None, None)
    try:
        found = read_record(path)
    except (OSError, StoreError) as error:
        if isinstance(error, StoreError) and error.kind == "newer_schema":
            raise
        return None, None
    return (_as_known(found), found) if found.scan == ref.scan else (None, None)


def _as_known(record: Record) -> Known:
    failure = record.failure
    return Known(
        scan=record.scan,
        stem=record.stem,
        status=record.status,
        fingerprint=record.input.fingerprint,
        sha256=record.input.sha256,
        models_sha256=models_sha256(record.models),
        settings_sha256=record.settings_sha256,
        failure_kind=failure.kind if failure else None,
        failure_stage=failure.stage if failure else None,
    )


def _judge(
    ref: ScanRef, before: Known | None, found: Record | None, models: str, settings: str, retry_failed: bool
) -> Planned:
    if before is None:
        return Planned(ref, Step.RUN, "new")
    failed = before.status == "failed"
    if before.models_sha256 != models:
        return Planned(ref, Step.RUN, "the models changed")
    if before.settings_sha256 != settings:
        return Planned(ref, Step.RUN, "the settings changed")
    if failed and retry_failed:
        return Planned(ref, Step.RUN, "failed before")
    if (ref.problem.kind if ref.problem else None) != (
        before.failure_kind if before.failure_stage == "catalog" else None
    ):
        return Planned(
            ref, Step.RUN, "it could not be listed before" if ref.problem is None else "it cannot be listed now"
        )
    if before.fingerprint == fingerprint(ref):
        return Planned(ref, Step.SKIP, "failed before" if failed else "done", found=found, failed=failed)
    if failed or before.sha256 is None:
        return Planned(ref, Step.RUN, "the file changed")
    return Planned(ref, Step.REFRESH, "its time or size changed", known_sha256=before.sha256, found=found)
