"""A Dask scheduler that somebody else started: workers that share nothing with this machine, and a scheduler lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from brainsift.store.database import Database
from brainsift.store.record_io import record_files
from tests.engine.cluster.driver import ROOT, start
from tests.engine.cluster.kills import answers
from tests.engine.driver import finish, wait_until
from tests.engine.parts import write_ball

pytest.importorskip("distributed", reason="the extra `dask` is not installed")

SCANS = 8
APART = 'mount -t tmpfs none "$0" && mount -t tmpfs none "$1" && shift && exec "$@"'
"""Shell: hide two folders, then become the program."""


class Cluster:
    """`dask scheduler` on a port of its own, and workers that are started one by one."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.address = self._said("scheduler", r"Scheduler at:\s+(tcp://\S+)")

    def add_worker(self, apart: tuple[Path, Path] | None = None, places: int = 1) -> subprocess.Popen[bytes]:
        """A worker; with `apart`, one that sees neither of these folders."""
        shell = [] if apart is None else ["unshare", "-m", "sh", "-c", APART, *map(str, apart)]
        folder = self._folder / "space"
        folder.mkdir(exist_ok=True)
        options = ("--nthreads", str(places), "--no-dashboard", "--local-directory", str(folder), "--host", "127.0.0.1")
        return self._start("worker", self.address, *options, shell=shell)

    def _start(self, verb: str, *options: str, shell: list[str] | None = None) -> subprocess.Popen[bytes]:
        command = [*(shell or []), sys.executable, "-m", "dask", verb, *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self._folder / f"{verb}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        self._stack.callback(_end, process)
        return process

    def _said(self, verb: str, pattern: str) -> str:
        log = self._folder / f"{verb}.log"
        wait_until(lambda: re.search(pattern, log.read_text()) is not None, 300)
        found = re.search(pattern, log.read_text())
        assert found is not None
        return found[1]


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler without workers."""
    with ExitStack() as stack:
        (tmp_path / "dask").mkdir()
        yield Cluster(tmp_path / "dask", stack)


@pytest.fixture
def naps(tmp_path: Path) -> Path:
    """INPUT with scans that take a third of a second each, and one that fails."""
    for n in range(SCANS):
        write_ball(tmp_path / "in" / "sub" / f"nap{n:02}.nii", seed=n, size=8)
    write_ball(tmp_path / "in" / "bug.nii", seed=90, size=8)
    return tmp_path / "in"


@pytest.fixture
def namespaces(tmp_path: Path) -> None:
    """Skip where a process may not have file systems of its own."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    command = ["unshare", "-m", "sh", "-c", APART, str(tmp_path / "a"), str(tmp_path / "b"), "true"]
    try:
        allowed = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("hiding folders from a process is not allowed here")


@pytest.mark.usefixtures("namespaces")
def test_workers_that_see_neither_input_nor_output_give_the_same_study(
    cluster: Cluster, naps: Path, tmp_path: Path
) -> None:
    """Scans travel to the workers, and records, pages and logs back; a record of before is renewed on the way."""
    output = tmp_path / "out"
    output.mkdir()
    cluster.add_worker(apart=(naps, output), places=2)
    code, summary, errors = finish(start(naps, output, cluster.address))
    assert (code, errors) == (1, ""), summary
    assert (summary["counts"]["done"], summary["counts"]["failed"], summary["workers"]) == (SCANS, 1, 2)
    assert len(list(output.glob("*.page"))) == SCANS + 1, "pages came back"
    assert (output / "bug_desc-traceback_log.txt").is_file()
    assert not list((tmp_path / "dask" / "space").rglob("*.nii")), "no scan stays on a worker"
    assert not list(output.rglob(".brainsift-probe*"))
    with Database(output) as database:
        assert database.counts() == {"done": SCANS, "failed": 1}
    found = answers(output)

    touched = naps / "sub" / "nap00.nii"
    os.utime(touched, ns=(1, 1))
    code, summary, _ = finish(start(naps, output, cluster.address))
    assert (summary["counts"]["refreshed"], summary["counts"]["skipped"]) == (1, SCANS - 1)
    assert answers(output) == found


def test_a_lost_scheduler_ends_the_run_with_what_to_do_and_what_is_done_is_kept(
    cluster: Cluster, naps: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    cluster.add_worker()
    process = start(naps, output, cluster.address)
    wait_until(lambda: len(list(record_files(output))) >= 2, 300)
    cluster.scheduler.kill()
    code, said, errors = finish(process)
    assert (code, said["kind"], errors) == (70, "scheduler_lost", ""), said
    assert cluster.address in said["cause"]
    assert "finished scans are kept" in said["remedy"]
    kept = len(list(record_files(output)))
    assert kept >= 2

    from tests.engine import driver

    code, summary, _ = finish(driver.start(naps, output, 1))
    counts = summary["counts"]
    assert counts["skipped"] + counts["still_failed"] >= kept
    assert counts["skipped"] + counts["still_failed"] + counts["done"] + counts["failed"] == SCANS + 1
    assert len(answers(output)) == SCANS + 1


def test_a_scheduler_that_is_not_there_is_named(naps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from brainsift.engine.cluster import connect
    from brainsift.engine.cluster.options import ClusterOptions
    from brainsift.engine.errors import RunError

    monkeypatch.setattr(connect, "CONNECT_S", 1)
    address = "tcp://127.0.0.1:9"  # RFC 863: the port of `discard`, which nothing serves any more.
    with (
        pytest.raises(RunError, match=re.escape(address)) as refusal,
        connect.connected(ClusterOptions(address), tmp_path),
    ):
        pass
    assert refusal.value.kind == "dask_unreachable"
