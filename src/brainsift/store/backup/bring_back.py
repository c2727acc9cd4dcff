"""A study out of its backup, into an empty folder and the database that is wanted now."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from brainsift.store.backup.archive import ROWS, SNAPSHOT, STUDY, Manifest, lines_of, unpack
from brainsift.store.backup.rows import count_scans, dumped, loaded
from brainsift.store.database import DATABASE_NAME, Database
from brainsift.store.database_state import upgrade_database
from brainsift.store.errors import StoreError
from brainsift.store.reviews.chain import Head, check_trail
from brainsift.store.schema import DATABASE_VERSION

UNPACKED = ".restoring"
"""Folder in OUTPUT that the archive is unpacked to; what it holds is moved when all of it is known to be whole."""

NOTE = "restored.json"


@dataclass(frozen=True)
class Restored:
    """What came back: the manifest, scans in the database, and the end of the trail, as it was and as it is."""

    manifest: Manifest
    scans: int
    before: Head
    after: Head

    @property
    def signed_anew(self) -> bool:
        """Whether the trail has another end, because the study has another name."""
        return self.before != self.after


def bring_back(file: Path, output: Path, url: str | None = None) -> Restored:
    """Restore a study; nothing stays behind if anything is wrong with the backup.

    Parameters
    ----------
    file : the archive.
    output : a folder that is empty or not there.
    url : database to put the rows into; None for a file in OUTPUT, whatever the study had before.

    Raises
    ------
    StoreError
        if OUTPUT holds anything, the archive is not whole, its tables are of another version, or the database has the
        study already.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise StoreError("output_not_empty", f"OUTPUT {output} holds files.", "Name a new or an empty folder.")
    fresh = not output.exists()
    try:
        manifest = unpack(file, output / UNPACKED)
        _move(output / UNPACKED / STUDY, output)
        restored = _database(manifest, output, url)
        shutil.rmtree(output / UNPACKED)
        _note(restored, file, output)
    except BaseException:
        _empty(output, fresh)
        raise
    return restored


def _database(manifest: Manifest, output: Path, url: str | None) -> Restored:
    unpacked = output / UNPACKED
    held = unpacked / SNAPSHOT / DATABASE_NAME
    if held.is_file():
        upgrade_database(held.parent)
    before = Head(manifest.reviews, manifest.trail_sha256)
    if held.is_file() and url is None:
        held.replace(output / DATABASE_NAME)
        with Database(output, durable=True) as database:
            return _checked(manifest, database, before, before)
    if not held.is_file() and manifest.database_version != DATABASE_VERSION:
        raise StoreError(
            "other_version",
            f"The rows are of database version {manifest.database_version}, and this BrainSift has {DATABASE_VERSION}.",
            f"Restore with {manifest.software}, then update.",
        )
    with Database(output, url, durable=True) as database:
        if held.is_file():
            with Database(held.parent) as source, source.engine.connect() as connection:
                after = loaded(dict(dumped(connection, source.study)), database, source.study)
        else:
            tables = {path.stem: lines_of(path) for path in sorted((unpacked / ROWS).glob("*.jsonl"))}
            after = loaded(tables, database, manifest.study)
        return _checked(manifest, database, before, after)


def _checked(manifest: Manifest, database: Database, before: Head, after: Head) -> Restored:
    """Look at what is in the database now, not at what was meant to be."""
    trail = check_trail(database, after)
    with database.engine.connect() as connection:
        scans = count_scans(connection, database.study)
    if not trail.whole or trail.events != manifest.reviews or scans != manifest.scans:
        raise StoreError(
            "restored_otherwise",
            f"{scans} scans and {trail.events} reviews came back of {manifest.scans} and {manifest.reviews}.",
            "Use another backup, and report this one.",
        )
    return Restored(manifest, scans, before, after)


def _note(restored: Restored, file: Path, output: Path) -> None:
    """Say in OUTPUT what it came from: an auditor must be able to follow a trail that was signed anew."""
    note = {
        "backup": file.name,
        "made": restored.manifest.made,
        "made_by": restored.manifest.software,
        "restored": datetime.now(UTC).isoformat(timespec="seconds"),
        "study_before": restored.manifest.study,
        "trail_before": {"length": restored.before.length, "sha256": restored.before.sha256},
        "trail_after": {"length": restored.after.length, "sha256": restored.after.sha256},
    }
    (output / NOTE).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def _move(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    for path in sorted(source.iterdir()):
        path.replace(target / path.name)


def _empty(output: Path, fresh: bool) -> None:
    """Take away what was begun: OUTPUT was empty, so all of it is ours."""
    if fresh:
        shutil.rmtree(output, ignore_errors=True)
        return
    for path in output.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
