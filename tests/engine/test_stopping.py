"""Runs that are stopped from outside: Ctrl-C, a batch system, a full disk, a folder that may not be written."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from brainsift.store.errors import StoreError
from brainsift.store.record_io import read_record, record_files
from brainsift.store.table import TABLE_NAME, read_table
from tests.engine.conftest import Run
from tests.engine.driver import finish, start, wait_until
from tests.engine.parts import write_ball

SCANS = 16


@pytest.fixture
def naps(tmp_path: Path) -> Path:
    """INPUT with scans that take a third of a second each."""
    for n in range(SCANS):
        write_ball(tmp_path / "in" / f"nap{n:02}.nii", seed=n, size=8)
    return tmp_path / "in"


@pytest.mark.parametrize(("nprocs", "number"), [(1, signal.SIGINT), (2, signal.SIGINT), (2, signal.SIGTERM)])
def test_a_stopped_run_is_clean_and_the_next_one_goes_on(
    nprocs: int, number: signal.Signals, naps: Path, output: Path
) -> None:
    process = start(naps, output, nprocs)
    wait_until(lambda: len(list(record_files(output))) >= 3)
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # The terminal sends Ctrl-C to the workers too.
    else:
        process.send_signal(number)
    code, summary, errors = finish(process)
    assert (code, summary["interrupted"]) == (130, True)
    assert errors == ""
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(output) in (p.info["cmdline"] or [])]
    assert not list(output.rglob("*.part"))
    assert not (output / ".scratch").exists()
    done = len(list(record_files(output)))
    assert 3 <= done < SCANS
    assert len(list(read_table(output / TABLE_NAME))) == done

    code, summary, _ = finish(start(naps, output, 2))
    assert code == 0
    assert (summary["counts"]["skipped"], summary["counts"]["done"]) == (done, SCANS - done)
    assert len(list(read_table(output / TABLE_NAME))) == SCANS


def test_a_killed_run_loses_at_most_the_scan_in_hand(naps: Path, output: Path) -> None:
    process = start(naps, output, 2)
    wait_until(lambda: len(list(record_files(output))) >= 3)
    process.kill()
    process.communicate(timeout=60)
    kept = len(list(record_files(output)))
    half = output / f".nap00_desc-brainsift_qc.json.{process.pid}.part"
    half.write_text("{")
    code, summary, _ = finish(start(naps, output, 1))
    assert code == 0
    assert not half.exists(), "what a killed process was writing goes with its scratch"
    assert summary["counts"]["skipped"] >= kept
    assert summary["counts"]["skipped"] + summary["counts"]["done"] == SCANS
    assert not (output / ".scratch").exists()
    assert len(list(read_table(output / TABLE_NAME))) == SCANS


@pytest.mark.parametrize("nprocs", [1, 2])
def test_files_that_may_grow_no_further_stop_the_run_with_a_remedy(nprocs: int, naps: Path, output: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))

    code, said, _ = finish(start(naps, output, nprocs, preexec_fn=limit))
    assert (code, said["kind"]) == (70, "output_full")
    assert "Free space" in said["remedy"]
    assert not list(output.rglob("*.part"))
    shutil.rmtree(naps)
    write_ball(naps / "a.nii", size=8)
    assert finish(start(naps, output, 1))[0] == 0


def test_a_full_disk_stops_the_run_and_freeing_it_lets_it_go_on(naps: Path, small_disk: Path) -> None:
    code, said, _ = finish(start(naps, small_disk / "out", 2))
    assert (code, said["kind"]) == (70, "output_full")
    for path in record_files(small_disk):
        assert read_record(path).status == "done"
    assert not list(small_disk.rglob("*.part"))
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    code, summary, _ = finish(start(naps, small_disk / "out", 2))
    assert code == 0
    assert summary["counts"]["skipped"] + summary["counts"]["done"] == SCANS


def test_an_output_that_may_not_be_written_is_refused_before_any_work(
    run: Run, source: Path, request: pytest.FixtureRequest
) -> None:
    from brainsift.engine.settings import RunOptions
    from brainsift.engine.study import run_study
    from tests.engine.parts import STAGES, file_catalog

    run()  # Loads all modules while they can surely be read.
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(source, folder / "in")
    (folder / "locked").mkdir(mode=0o555)
    folder.chmod(0o755)
    try:
        request.getfixturevalue("ordinary_user")
        with pytest.raises(StoreError) as refusal:
            run_study(
                folder / "in",
                folder / "locked" / "out",
                None,
                RunOptions(nprocs=1),
                stages=STAGES,
                catalog=file_catalog,
            )
        assert refusal.value.kind == "output_read_only"
        assert "that you may write to" in refusal.value.remedy
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        (folder / "locked").chmod(0o755)
        shutil.rmtree(folder)
