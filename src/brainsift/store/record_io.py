"""Records as files: one JSON per scan below OUTPUT."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from brainsift.store.errors import StoreError
from brainsift.store.files import derived_path, write_atomic
from brainsift.store.record import SCHEMA_VERSION, Record

RECORD_SUFFIX = "_desc-brainsift_qc.json"


def record_path(output: Path, stem: str) -> Path:
    """Where the record of a scan lies."""
    return derived_path(output, stem, RECORD_SUFFIX)


def dump_record(record: Record) -> str:
    """Serialise a record, sure that it can be read back.

    Raises
    ------
    ValueError
        if it cannot, as with a probability that is NaN.
    """
    text = record.model_dump_json(indent=1)
    Record.model_validate_json(text)
    return text


def write_record(record: Record, output: Path) -> Path:
    """Write the record of a scan, whole or not at all, and return its path."""
    path = record_path(output, record.stem)
    write_atomic(path, dump_record(record) + "\n", output)
    return path


def read_record(path: Path) -> Record:
    """Read one record.

    Raises
    ------
    StoreError
        ``newer_schema`` if a newer BrainSift wrote it, ``broken_record`` if it is no valid record.
    OSError
        if the file cannot be read.
    """
    return parse_record(path.read_bytes(), path.name)


def parse_record(text: str | bytes, name: str) -> Record:
    """Parse the JSON of one record; `name` is for the error message. Raises as `read_record`."""
    try:
        record = Record.model_validate_json(text)
    except ValidationError as error:
        version = _schema_version(text)
        if version is not None and version > SCHEMA_VERSION:
            raise newer_schema(name, version) from None
        raise StoreError(
            "broken_record",
            f"{name} is no valid record ({error.error_count()} faults, the first at {error.errors()[0]['loc']}).",
            "Delete it; the next run makes it again.",
        ) from None
    if record.schema_version > SCHEMA_VERSION:
        raise newer_schema(name, record.schema_version)
    return record


def newer_schema(name: str, version: int) -> StoreError:
    """Say that `name` was written by a later version of this program."""
    return StoreError(
        "newer_schema",
        f"{name} has schema version {version}; this BrainSift knows up to {SCHEMA_VERSION}.",
        "Update BrainSift, or use another OUTPUT folder.",
    )


def _schema_version(text: str | bytes) -> int | None:
    try:
        version = json.loads(text)["schema_version"]
    except (ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, int) else None


def record_files(output: Path) -> Iterator[Path]:
    """All record files below `output`, in name order, hidden folders left out."""
    for folder, folders, files in os.walk(output):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(RECORD_SUFFIX) and not name.startswith("."):
                yield Path(folder, name)
