"""Scans on a real Dask cluster of processes, some of which are killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from brainsift.store.database import Database
from brainsift.store.record_io import record_files
from tests.engine.cluster.driver import start
from tests.engine.cluster.kills import answers, kill_during
from tests.engine.driver import finish, wait_until
from tests.engine.parts import write_ball

pytest.importorskip("distributed", reason="the extra `dask` is not installed")

SCANS, KILLS = 12, 2


@pytest.fixture
def naps(tmp_path: Path) -> Path:
    """INPUT with scans that take a third of a second each."""
    for n in range(SCANS):
        write_ball(tmp_path / "in" / f"nap{n:02}.nii", seed=n, size=8)
    return tmp_path / "in"


def test_killed_workers_cost_no_scan_and_poison_is_set_aside(naps: Path, tmp_path: Path) -> None:
    """A worker and a process are killed -9 in the middle; two scans kill or break whatever looks at them."""
    write_ball(naps / "nap_bug.nii", seed=90, size=8)
    write_ball(naps / "nap_killed.nii", seed=91, size=8)
    process = start(naps, tmp_path / "hurt")
    killed = kill_during(process.pid, tmp_path / "hurt", SCANS, KILLS)
    code, summary, errors = finish(process)
    assert killed == ["worker", "scan process"]
    assert (code, errors) == (1, "")
    assert {failure["scan"]: failure["kind"] for failure in summary["failures"]} == {
        "nap_bug.nii": "internal_error",
        "nap_killed.nii": "worker_died",
    }
    assert summary["counts"]["done"] == SCANS
    hurt = answers(tmp_path / "hurt")
    assert len(hurt) == SCANS + 2
    with Database(tmp_path / "hurt") as database:
        assert database.counts() == {"done": SCANS, "failed": 2}
    assert not (tmp_path / "hurt" / ".scratch").exists()
    assert not [path for path in (tmp_path / "hurt").rglob(".*") if path.is_file()], "nothing half-written stays"

    (naps / "nap_killed.nii").unlink()
    process = start(naps, tmp_path / "calm")
    assert finish(process)[0] == 1
    calm = answers(tmp_path / "calm")
    del hurt["nap_killed.nii"]
    assert hurt == calm, "what was killed answers as if nothing had happened"


def test_a_stopped_run_leaves_nobody_behind_and_another_executor_goes_on(naps: Path, output: Path) -> None:
    process = start(naps, output)
    wait_until(lambda: len(list(record_files(output))) >= 3, 300)
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # The terminal sends Ctrl-C to the workers too.
    code, summary, errors = finish(process)
    assert (code, summary["interrupted"], errors) == (130, True, "")
    assert psutil.wait_procs(family, timeout=60)[1] == []
    assert not (output / ".scratch").exists()
    done = len(list(record_files(output)))
    assert 3 <= done < SCANS
    assert len(answers(output)) == done

    from tests.engine import driver

    code, summary, _ = finish(driver.start(naps, output, 1))
    assert code == 0
    assert (summary["counts"]["skipped"], summary["counts"]["done"]) == (done, SCANS - done)
    assert len(answers(output)) == SCANS
