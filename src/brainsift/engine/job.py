"""What a worker is given, does and gives back."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from brainsift.engine.calibrations import Calibrations
from brainsift.engine.content import content_sha256
from brainsift.engine.scan_unit import LOG_SUFFIX, fingerprint, lost_record, run_scan
from brainsift.engine.settings import RunSettings
from brainsift.engine.stages import Stages
from brainsift.scans.ref import ScanRef
from brainsift.stage_clock import StageClock
from brainsift.store.errors import StoreError, output_error
from brainsift.store.files import derived_path
from brainsift.store.record import Failure, Record
from brainsift.store.record_io import read_record, record_path, write_record

PAGE = "page"
"""Stage of the record that says how long its page took."""

AfterScan = Callable[[Record, Path], None]
"""Called with the record and OUTPUT before the record is written; makes the scan's page."""


@dataclass(frozen=True)
class Job:
    """One scan to be done. With `known_sha256`, only if its bytes are no longer those."""

    ref: ScanRef
    known_sha256: str | None = None


@dataclass(frozen=True)
class Context:
    """What all jobs of a run share; sent to each worker once."""

    output: Path
    scratch: Path
    settings: RunSettings
    models: dict[str, str] = field(default_factory=dict)
    threads: int | None = None
    stages: Stages = field(default_factory=Stages)
    calibrations: Calibrations = field(default_factory=Calibrations)
    after_scan: AfterScan | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    record : to be ingested.
    refreshed : the bytes were as before; the work was not done again.
    page_error : the page of the scan could not be made; type of the error.
    fatal : the run cannot go on (no room, no permission); `record` was not written.
    """

    record: Record | None
    refreshed: bool = False
    page_error: str | None = None
    fatal: StoreError | None = None


def do_job(job: Job, context: Context) -> Outcome:
    """Do one scan and write its record, the last thing written: a scan with a record is finished."""
    try:
        refreshed = _refresh(job, context)
        if refreshed is not None:
            return Outcome(refreshed, refreshed=True)
        forget(job, context)
        with scratch_folder(context.scratch) as scratch:
            record = run_scan(
                job.ref,
                context.settings,
                output=context.output,
                scratch=scratch,
                models=context.models,
                threads=context.threads,
                stages=context.stages,
                calibrations=context.calibrations,
            )
        return finish(record, context)
    except StoreError as error:
        return Outcome(None, fatal=error)
    except OSError as error:
        fault = output_error(error, context.output)
        return Outcome(
            None, fatal=fault or StoreError("output", f"OUTPUT failed: {error.strerror}.", "Check the disk.")
        )


def finish(record: Record, context: Context) -> Outcome:
    """Make the page of a scan, then write its record."""
    page_error = None
    if context.after_scan is not None:
        clock = StageClock()
        try:
            with clock.at(PAGE):
                context.after_scan(record, context.output)
        except Exception as error:
            fault = output_error(error, context.output) if isinstance(error, OSError) else None
            if fault is not None:
                raise fault from error
            page_error = type(error).__name__
        record = _with_page_time(record, clock)
    try:
        write_record(record, context.output)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and output_error(error, context.output) is not None:
            raise
        record = _unwritable(record, error)
    return Outcome(record, page_error=page_error)


def _with_page_time(record: Record, clock: StageClock) -> Record:
    """Note how long the page took, the first time that it is made: later ones change nothing else of the record."""
    if PAGE in record.stage_seconds:
        return record
    return record.model_copy(update={"stage_seconds": {**record.stage_seconds, PAGE: round(clock.wall[PAGE], 4)}})


def failed_record(job: Job, context: Context, failure: Failure) -> Record:
    """The record of a scan whose worker could not write one."""
    return lost_record(job.ref, context.settings, context.models, failure)


def _unwritable(record: Record, error: Exception) -> Record:
    """A record that only the database can hold: its name is too long or taken by a file, or a number is not finite."""
    failure = Failure(
        kind="unwritable_record",
        cause=f"The record of this scan cannot be written as a file ({type(error).__name__}).",
        remedy="Shorten or rename the scan's folder, then run again.",
        stage="record",
    )
    kept = {
        "scan",
        "stem",
        "participant",
        "session",
        "suffix",
        "input",
        "models",
        "settings_sha256",
        "software",
        "seconds",
    }
    return Record(
        **{name: getattr(record, name) for name in kept}, status="failed", reason=failure.cause, failure=failure
    )


def _refresh(job: Job, context: Context) -> Record | None:
    """Where only the modification time moved, note the new one and keep the answer."""
    if job.known_sha256 is None or content_sha256(job.ref) != job.known_sha256:
        return None
    try:
        record = read_record(record_path(context.output, job.ref.stem))
    except (OSError, StoreError):
        return None
    facts = record.input.model_copy(update={"fingerprint": fingerprint(job.ref), "size": job.ref.size})
    record = record.model_copy(update={"input": facts})
    write_record(record, context.output)
    return record


def forget(job: Job, context: Context) -> None:
    """Remove the record that is to be replaced, with its pictures and masks: they may show what is no longer there."""
    path = record_path(context.output, job.ref.stem)
    try:
        before = read_record(path)
    except (OSError, StoreError):
        return
    path.unlink()
    traces = [*before.evidence.values(), *(e for finding in before.findings for e in finding.evidence.values())]
    for trace in (context.output / name for name in traces):
        if trace.resolve().is_relative_to(context.output.resolve()):
            trace.unlink(missing_ok=True)
    derived_path(context.output, job.ref.stem, LOG_SUFFIX).unlink(missing_ok=True)


def scratch_prefix(pid: int) -> str:
    """How the scratch folders of process `pid` begin, so that those of a dead worker can be told."""
    return f"scan-{pid}-"


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A folder for the intermediate files of one scan, always removed; Python's own temporary files go there too."""
    root.mkdir(parents=True, exist_ok=True)
    before = tempfile.tempdir
    folder = Path(tempfile.mkdtemp(prefix=scratch_prefix(os.getpid()), dir=root.absolute()))
    tempfile.tempdir = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)
