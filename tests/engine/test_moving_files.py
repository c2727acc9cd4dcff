"""Files that change, vanish or have no room while a run is under way, and clocks that jump."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from brainsift.engine.calibrations import read_sites
from brainsift.engine.errors import RunError
from brainsift.engine.job import Context, Job, do_job
from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.study import _gather, _Run
from brainsift.scans.catalog import catalog
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.store.files import file_mark
from brainsift.store.record import Record
from brainsift.store.record_io import read_record, record_files, record_path, write_record
from tests.engine.conftest import Rows, Run
from tests.engine.parts import MODELS, STAGES, write_ball
from tests.scans.dicom_bytes import write_series


def read_after(change: str) -> object:
    """A stage that reads a scan after something happened to its file, once."""

    def read(ref: ScanRef, scratch: Path | None) -> Volume:
        if ref.scan == "a.nii" and not ref.paths[0].with_suffix(".done").exists():
            ref.paths[0].with_suffix(".done").touch()
            if change == "vanishes":
                ref.paths[0].unlink()
            else:
                write_ball(ref.paths[0], seed=99)
        return STAGES.read(ref, scratch)

    return read


def test_a_file_that_vanished_since_it_was_listed_is_a_row_that_says_so(run: Run, rows: Rows) -> None:
    stages = replace(STAGES, read=read_after("vanishes"))  # type: ignore[arg-type]
    summary = run(more={"stages": stages})
    assert (summary.counts.done, [failure.kind for failure in summary.failures]) == (1, ["missing_file"])
    assert rows()["a.nii"]["status"] == "failed"


def test_the_hash_is_of_what_was_read_and_the_next_run_finds_it_right(run: Run, rows: Rows, source: Path) -> None:
    stages = replace(STAGES, read=read_after("changes"))  # type: ignore[arg-type]
    assert run(more={"stages": stages}).counts.done == 2
    assert rows()["a.nii"]["sha256"] == hashlib.sha256((source / "a.nii").read_bytes()).hexdigest()
    again = run(more={"stages": stages})
    assert (again.counts.refreshed, again.counts.skipped, again.counts.done) == (1, 1, 0)


def test_a_scan_that_changed_while_it_was_read_is_done_again_by_the_next_run(
    run: Run, rows: Rows, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brainsift.scans.stream import ByteSource

    finish = ByteSource.finish

    def touched(self: ByteSource, tolerance: int) -> tuple[str, int]:
        if self.path.name == "a.nii":
            os.utime(self.path, ns=(0, self.path.stat().st_mtime_ns + 1))
        return finish(self, tolerance)

    with monkeypatch.context() as patch:
        patch.setattr(ByteSource, "finish", touched)
        assert [failure.kind for failure in run().failures] == ["changed_while_read"]
    assert rows()["a.nii"]["sha256"] == ""
    assert run().counts.done == 1
    assert rows()["a.nii"]["status"] == "done"


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_changes_nothing(days: int, run: Run, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {scan: {**row, "seconds": ""} for scan, row in run_rows(run, rows).items()}

    class Jumped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=days)

    monkeypatch.setattr("brainsift.engine.study.datetime", Jumped)
    again = run()
    assert (again.counts.skipped, again.counts.done) == (2, 0)
    assert {scan: {**row, "seconds": ""} for scan, row in rows().items()} == before


def run_rows(run: Run, rows: Rows) -> dict[str, dict[str, str]]:
    """Rows after a first run."""
    run()
    return rows()


class _Kept:
    """A collector that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def add(self, record: Record) -> None:
        """Keep one."""
        self.records.append(record)


def test_what_workers_finished_is_told_by_the_file_and_not_by_its_time(run: Run, source: Path, output: Path) -> None:
    run()
    stopped = _Run(source, output, RunSettings(), RunOptions(), Context(output, output / "scratch", RunSettings()))
    for scan in ("a", "sub/b"):
        path = record_path(output, scan)
        stopped.under_way[read_record(path).scan] = (path, file_mark(path))
    written = write_record(read_record(record_path(output, "a")), output)
    os.utime(written, (0, 0))  # The clock of the file system stands in 1970.
    kept = _Kept()
    _gather(stopped, kept)  # type: ignore[arg-type]
    assert [record.scan for record in kept.records] == ["a.nii"]


def test_no_room_to_convert_dicom_stops_the_run_and_blames_no_scan(tmp_path: Path, small_disk: Path) -> None:
    write_series(tmp_path / "in" / "series", slices=40, size=128)
    (ref,) = catalog(tmp_path / "in")
    output = small_disk / "out"
    output.mkdir()
    outcome = do_job(Job(ref), Context(output, output / ".scratch", RunSettings(), MODELS, stages=STAGES))
    assert outcome.record is None
    assert outcome.fatal is not None
    assert outcome.fatal.kind == "output_full"
    assert not list(record_files(output))
    assert not list((output / ".scratch").iterdir())


def test_a_table_of_participants_with_an_endless_cell_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "participants.tsv").write_text("participant_id\tsite\n01\t" + "x" * 200_000 + "\n")
    with pytest.raises(RunError, match="tab-separated"):
        read_sites(tmp_path)
