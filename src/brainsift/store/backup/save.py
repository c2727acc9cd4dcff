"""A study into one file, also while a run or a review is at work on it."""

from __future__ import annotations

import json
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, select

from brainsift import __version__
from brainsift.store.backup.archive import LEVEL, ROWS, SNAPSHOT, STUDY, ArchiveWriter, Manifest
from brainsift.store.backup.rows import count_scans, dumped
from brainsift.store.database import DATABASE_NAME, Database, open_engine
from brainsift.store.errors import StoreError
from brainsift.store.files import PART_SUFFIX
from brainsift.store.record_io import RECORD_SUFFIX
from brainsift.store.reviews.chain import START, snapshot
from brainsift.store.reviews.schema import ChainRow
from brainsift.store.schema import DATABASE_VERSION
from brainsift.store.schema_version import read_state

NEVER = (".scratch", "brainsift-attempts")
"""Folders of OUTPUT that are left out: what a run is working on, and scans (they are INPUT's to keep)."""

FOLDERS_KEPT = ("calibrations",)


def save(output: Path, file: Path, url: str | None = None, *, everything: bool = False) -> Manifest:
    """Write the backup of a study: whole, or not at all.

    The database is copied first. What a run finishes meanwhile is in the backup as a record on disk, and the next run
    finds it there.

    Parameters
    ----------
    output : OUTPUT of the study.
    file : the archive; replaced if it is there. Readable by its owner alone.
    url : of the database, where it is not the file in OUTPUT.
    everything : pages, pictures and masks too, which the next run would not make again.

    Raises
    ------
    StoreError
        if OUTPUT holds no study, or the archive would lie in OUTPUT.
    OSError
        if the archive cannot be written.
    """
    _check(output, file, url)
    part = file.with_name(f".{file.name}.{os.getpid()}{PART_SUFFIX}")
    try:
        with _open_private(part) as tar:
            manifest = _fill(ArchiveWriter(tar), output, url, everything, file)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return manifest


def _check(output: Path, file: Path, url: str | None) -> None:
    if not output.is_dir() or (url is None and not (output / DATABASE_NAME).is_file()):
        raise StoreError(
            "no_study",
            f"{output} holds no study.",
            "Give the OUTPUT of a `brainsift run`, with --db where it was given.",
        )
    if file.resolve().is_relative_to(output.resolve()):
        raise StoreError(
            "backup_inside", f"{file} lies in the study itself.", "Keep backups elsewhere, on another disk if possible."
        )


@contextmanager
def _open_private(path: Path) -> Iterator[tarfile.TarFile]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz", compresslevel=LEVEL) as tar:
        yield tar


def _fill(writer: ArchiveWriter, output: Path, url: str | None, everything: bool, file: Path) -> Manifest:
    if url is None:
        manifest = _add_snapshot(writer, output, file)
    else:
        with Database(output, url) as database:
            manifest = _add_rows(writer, database, file)
    manifest.everything = everything
    for path in kept_files(output, everything):
        writer.add_file(path, f"{STUDY}/{path.relative_to(output).as_posix()}")
    writer.close_with(manifest)
    return manifest


def _add_snapshot(writer: ArchiveWriter, output: Path, file: Path) -> Manifest:
    """The SQLite file by its own backup interface: consistent while others write."""
    folder = file.with_name(f".{file.name}.{os.getpid()}")
    folder.mkdir()
    copy = folder / DATABASE_NAME
    try:
        source = f"{(output / DATABASE_NAME).resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(source, uri=True)) as live, closing(sqlite3.connect(copy)) as still:
            copy.chmod(0o600)
            live.backup(still)
        with closing(sqlite3.connect(copy)) as still:
            still.execute("PRAGMA journal_mode=DELETE").close()  # one file, without the log beside it
        # Tables of an older version are kept as they are: before an upgrade is when a backup is wanted most.
        engine = open_engine(f"sqlite:///{copy}")
        with engine.connect() as connection:
            manifest = _facts(connection, read_state(connection).version)
        engine.dispose()
        writer.add_file(copy, f"{SNAPSHOT}/{DATABASE_NAME}")
    finally:
        for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
    return manifest


def _add_rows(writer: ArchiveWriter, database: Database, file: Path) -> Manifest:
    """The rows of a study on a server, all of one moment."""
    spool = file.with_name(f".{file.name}.{os.getpid()}.rows")
    try:
        with snapshot(database) as connection:
            for table, rows in dumped(connection, database.study):
                spool.touch(0o600)
                with spool.open("w", encoding="utf-8") as lines:
                    lines.writelines(json.dumps(row) + "\n" for row in rows)
                writer.add_file(spool, f"{ROWS}/{table}.jsonl")
            return _facts(connection, DATABASE_VERSION, database.study)
    finally:
        spool.unlink(missing_ok=True)


def _facts(connection: Connection, version: int | None, study: str = ".") -> Manifest:
    noted = select(ChainRow.length, ChainRow.sha256).where(ChainRow.study == study)
    end = connection.execute(noted).one_or_none() if inspect(connection).has_table(ChainRow.__tablename__) else None
    return Manifest(
        software=f"brainsift {__version__}",
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        study=study,
        database_version=version or 0,
        scans=count_scans(connection, study),
        reviews=0 if end is None else end.length,
        trail_sha256=START if end is None else end.sha256,
        everything=False,
    )


def kept_files(output: Path, everything: bool) -> Iterator[Path]:
    """Files of OUTPUT that belong into a backup, in name order; links are passed by."""
    for folder, folders, files in os.walk(output):
        here = Path(folder)
        top = here == output
        folders[:] = sorted(name for name in folders if not (top and name in NEVER) and not (here / name).is_symlink())
        for name in sorted(files):
            path = here / name
            beside = name.startswith(DATABASE_NAME) or name.endswith(PART_SUFFIX)
            if path.is_symlink() or (top and beside):
                continue
            inside = here.relative_to(output).parts
            own = top or inside[0] in FOLDERS_KEPT or name.endswith(RECORD_SUFFIX)
            page = top and name.endswith((".html", "_qc.webp", ".nii.gz"))
            if everything or (own and not page):
                yield path
