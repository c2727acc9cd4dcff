"""Scans that take more than their share: the batch goes on, and the record says what was wrong."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from brainsift.engine import limits
from brainsift.engine.job import Context, Job
from brainsift.engine.limits import out_of_memory, share_of_memory
from brainsift.engine.pool import ProcessPool
from brainsift.engine.resources import RESERVED_BYTES
from brainsift.engine.settings import GIB, RunOptions, RunSettings
from brainsift.engine.stages import Stages
from brainsift.engine.study import _choose_executor
from brainsift.store.record_io import record_files
from tests.engine.conftest import Rows, Run
from tests.engine.driver import start, wait_until
from tests.engine.parts import MODELS, STAGES, file_catalog, write_ball

LIMIT = 640 << 20
"""Above what a worker fills without a scan, below what the greedy one takes."""


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has taken leave of counts."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_scans_that_take_too_much_memory_are_given_up_and_the_others_go_on(run: Run, rows: Rows, source: Path) -> None:
    write_ball(source / "greedy.nii", seed=3)
    write_ball(source / "claims.nii", seed=4)
    summary = run(nprocs=2, memory_limit=LIMIT)
    assert summary.counts.done == 2
    assert {failure.scan: failure.kind for failure in summary.failures} == {
        "greedy.nii": "out_of_memory",
        "claims.nii": "out_of_memory",
    }
    assert "0.6 GiB" in rows()["greedy.nii"]["reason"]
    assert "--memory-limit" in rows()["claims.nii"]["reason"]


def test_what_a_scan_started_ends_with_it(run: Run, source: Path) -> None:
    write_ball(source / "child.nii", seed=3)
    summary = run(nprocs=1, timeout_s=8.0)
    assert [failure.kind for failure in summary.failures] == ["timeout"]
    pid = int((source / "child.pid").read_text())
    wait_until(lambda: gone(pid))


def test_workers_end_with_the_run_that_was_killed_and_so_does_what_they_started(tmp_path: Path) -> None:
    write_ball(tmp_path / "in" / "child.nii", size=8)
    write_ball(tmp_path / "in" / "slow.nii", size=8)
    process = start(tmp_path / "in", tmp_path / "out", 2)
    wait_until(lambda: (tmp_path / "in" / "child.pid").exists() and (tmp_path / "in" / "child.pid").read_text() != "")
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: all(gone(worker.pid) for worker in workers))
    assert not list(record_files(tmp_path / "out"))


class _DiesOnce:
    """Kills the first worker that unpacks it, before that worker could say that it is ready."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __call__(self, settings: RunSettings) -> dict[str, str]:
        return MODELS

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _die_once, (self.marker,)


def _die_once(marker: str) -> _DiesOnce:
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _DiesOnce(marker)


def test_a_worker_that_is_killed_while_it_starts_is_replaced(tmp_path: Path) -> None:
    write_ball(tmp_path / "in" / "a.nii", size=8)
    stages = Stages(STAGES.read, STAGES.anatomy, STAGES.task, _DiesOnce(str(tmp_path / "died")))
    context = Context(
        tmp_path / "out", tmp_path / "scratch", RunSettings(pictures=False), MODELS, threads=1, stages=stages
    )
    outcomes = list(ProcessPool(1).run((Job(ref) for ref in file_catalog(tmp_path / "in", ())), context))
    assert (tmp_path / "died").exists()
    assert [outcome.record.status for outcome in outcomes if outcome.record] == ["done"]


def test_a_worker_that_kept_much_memory_is_replaced_before_the_next_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        write_ball(tmp_path / "in" / f"{n}.nii", seed=n, size=8)
    context = Context(
        tmp_path / "out", tmp_path / "scratch", RunSettings(pictures=False), MODELS, threads=1, stages=STAGES
    )
    monkeypatch.setattr("brainsift.engine.pool.BLOATED_SHARE", 0.0)
    before = workers()
    for outcome in ProcessPool(1, memory_limit=8 * GIB).run(
        (Job(ref) for ref in file_catalog(tmp_path / "in", ())), context
    ):
        assert outcome.record is not None
        assert outcome.record.status == "done"
        assert workers() == before


def workers() -> set[int]:
    """Processes that work for this one."""
    children = psutil.Process().children()
    return {child.pid for child in children if any("spawn_main" in word for word in child.cmdline())}


def test_the_share_of_memory_is_equal_and_never_less_than_a_scan_needs() -> None:
    assert share_of_memory(RESERVED_BYTES + 9 * GIB, 3, 2 * GIB) == 3 * GIB
    assert share_of_memory(RESERVED_BYTES + 3 * GIB, 3, 2 * GIB) == 2 * GIB


@pytest.mark.parametrize(
    ("options", "in_this_process"),
    [
        (RunOptions(nprocs=1), True),
        (RunOptions(nprocs=1, timeout_s=60.0), False),
        (RunOptions(nprocs=1, memory_limit=GIB), False),
        (RunOptions(nprocs=2), False),
    ],
)
def test_a_limit_needs_a_process_that_can_be_ended(options: RunOptions, in_this_process: bool) -> None:
    executor = _choose_executor(options)
    assert isinstance(executor, ProcessPool) is not in_this_process
    if isinstance(executor, ProcessPool):
        assert executor.memory_limit is not None
        assert executor.timeout_s is not None


def test_a_reader_under_a_limit_refuses_what_would_meet_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.reading_limit() is None
    monkeypatch.setattr(limits, "_limit", 2 * GIB)
    assert limits.reading_limit() == GIB


def test_errors_that_tell_of_memory_are_known() -> None:
    class ForeignError(RuntimeError):
        __module__ = "onnxruntime.capi"

    assert out_of_memory(MemoryError())
    assert out_of_memory(OSError(12, "Cannot allocate memory"))
    assert out_of_memory(ForeignError("[ONNXRuntimeError] std::bad_alloc"))
    assert not out_of_memory(ValueError())
    assert not out_of_memory(ForeignError("shape mismatch"))
    assert not out_of_memory(RuntimeError("bad_alloc in a text of ours"))
