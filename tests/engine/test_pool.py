"""Worker processes, and what happens when they die."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from brainsift.engine.errors import RunError
from brainsift.engine.job import Context, Job
from brainsift.engine.pool import ProcessPool
from brainsift.engine.settings import RunSettings
from brainsift.engine.stages import Stages
from tests.engine.conftest import Rows, Run
from tests.engine.parts import MODELS, STAGES, file_catalog, write_ball


def context(output: Path, stages: Stages = STAGES) -> Context:
    return Context(output, output / ".scratch", RunSettings(pictures=False), MODELS, threads=1, stages=stages)


def test_a_killed_worker_costs_its_scan_only(run: Run, rows: Rows, source: Path, output: Path) -> None:
    for n in range(6):
        write_ball(source / f"c{n}.nii", seed=10 + n)
    write_ball(source / "b_killed.nii", seed=3)
    write_ball(source / "b_once.nii", seed=4)
    summary = run(nprocs=2)
    assert (summary.counts.found, summary.counts.done, summary.counts.failed) == (10, 9, 1)
    assert [(failure.scan, failure.kind) for failure in summary.failures] == [("b_killed.nii", "worker_died")]
    assert rows()["b_once.nii"]["status"] == "done", "a scan whose worker died once is tried again"
    assert rows()["b_killed.nii"]["reason"].startswith("The process that worked on this scan")
    assert not (output / ".scratch").exists()
    again = run(nprocs=2)
    assert (again.counts.skipped, again.counts.still_failed, again.counts.done) == (9, 1, 0)


def test_a_pool_and_this_process_make_the_same_table(run: Run, rows: Rows, source: Path, output: Path) -> None:
    write_ball(source / "bug.nii", seed=9)
    run(nprocs=2)
    pooled = {scan: {**row, "seconds": ""} for scan, row in rows().items()}
    for path in sorted(output.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    run(nprocs=1)
    assert {scan: {**row, "seconds": ""} for scan, row in rows().items()} == pooled


def test_a_scan_that_takes_too_long_is_given_up(run: Run, rows: Rows, source: Path) -> None:
    write_ball(source / "slow.nii", seed=3)
    summary = run(nprocs=2, timeout_s=6.0)
    assert [failure.kind for failure in summary.failures] == ["timeout"]
    assert summary.counts.done == 2
    assert "6 s" in rows()["slow.nii"]["reason"]


def test_jobs_are_taken_one_by_one_as_hands_are_free(tmp_path: Path) -> None:
    for n in range(30):
        write_ball(tmp_path / "in" / f"{n:02}.nii", seed=n, size=6)
    taken = 0

    def jobs() -> Iterator[Job]:
        nonlocal taken
        for ref in file_catalog(tmp_path / "in", ()):
            taken += 1
            yield Job(ref)

    outcomes = ProcessPool(2).run(jobs(), context(tmp_path / "out"))
    for finished in range(1, 31):
        next(outcomes)
        assert taken <= finished + 2 * 2, "no more than one job in hand and one held back per worker"
    assert next(outcomes, None) is None


def test_closing_stops_the_workers(tmp_path: Path) -> None:
    import psutil

    for n in range(4):
        write_ball(tmp_path / "in" / f"{n}.nii", seed=n, size=6)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    outcomes = ProcessPool(2).run((Job(ref) for ref in file_catalog(tmp_path / "in", ())), context(tmp_path / "out"))
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    left = {child for child in psutil.Process().children(recursive=True) if child.pid not in before}
    assert not [child for child in left if "resource_tracker" not in " ".join(child.cmdline())]


def test_workers_that_cannot_start_stop_the_run_instead_of_failing_every_scan(tmp_path: Path) -> None:
    write_ball(tmp_path / "in" / "a.nii", size=6)
    hidden = Stages(models=_Vanishing())
    with pytest.raises(RunError) as refusal:
        list(ProcessPool(2).run((Job(ref) for ref in file_catalog(tmp_path / "in", ())), context(tmp_path, hidden)))
    assert refusal.value.kind == "worker_start"
    assert "--nprocs 1" in refusal.value.remedy


class _Vanishing:
    """Can be sent to a worker, but not unpacked there."""

    def __call__(self, settings: RunSettings) -> dict[str, str]:
        return {}

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _explode, ("here",)


def _explode(where: str) -> None:
    raise ImportError(where)
