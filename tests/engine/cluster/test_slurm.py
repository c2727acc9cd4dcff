"""Jobs of Slurm, submitted as dask-jobqueue does it to an `sbatch` that runs them at once on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from brainsift.engine.cluster.executor import DaskExecutor
from brainsift.engine.cluster.options import SLURM, ClusterOptions, parse_slurm
from brainsift.engine.settings import RunSettings
from brainsift.engine.study import run_study
from brainsift.store.record_io import record_files
from tests.engine.cluster.driver import ROOT
from tests.engine.cluster.kills import answers
from tests.engine.driver import wait_until
from tests.engine.parts import STAGES, file_catalog, write_ball

pytest.importorskip("dask_jobqueue", reason="the extra `dask` is not installed")

SCANS = 16

SBATCH = """#!/bin/sh
cp "$1" "{folder}/job-$$.sh"
setsid sh "{folder}/job-$$.sh" > "{folder}/job-$$.log" 2>&1 &
echo $! >> "{folder}/jobs"
echo "Submitted batch job $!"
"""
"""Like the real one it keeps a copy of the script, whose original is gone when it returns."""

SCANCEL = """#!/bin/sh
for job in "$@"; do echo "$job" >> "{folder}/cancelled"; kill -- "-$job" 2>/dev/null; done
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder that notes what was submitted (`job.sh`, `jobs`) and cancelled."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        program = folder / name
        program.write_text(text.format(folder=folder))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield folder
    for job in (folder / "jobs").read_text().split() if (folder / "jobs").exists() else []:
        subprocess.run(["kill", "-s", str(int(signal.SIGKILL)), "--", f"-{job}"], check=False, capture_output=True)


def kill_first_job(slurm: Path, output: Path) -> None:
    """Let the first job end in the middle, as at its time limit."""
    wait_until(lambda: len(list(record_files(output))) >= 2, 400)
    first = int((slurm / "jobs").read_text().split()[0])
    os.killpg(first, signal.SIGKILL)


def test_scans_are_done_in_jobs_as_asked_for_and_a_job_that_ends_is_followed_by_another(
    slurm: Path, tmp_path: Path
) -> None:
    for n in range(SCANS):
        write_ball(tmp_path / "in" / f"nap{n:02}.nii", seed=n, size=8)
    words = ["queue=short", "account=brain", "cores=2", "memory=4GB", "walltime=00:20:00", "interface=lo"]
    killer = Thread(target=kill_first_job, args=(slurm, tmp_path / "out"), daemon=True)
    killer.start()
    summary = run_study(
        tmp_path / "in",
        tmp_path / "out",
        RunSettings(),
        stages=STAGES,
        catalog=file_catalog,
        executor=DaskExecutor(ClusterOptions(SLURM, 1, parse_slurm(words))),
    )
    killer.join()
    assert (summary.exit_code, summary.counts.done) == (0, SCANS)
    assert len(answers(tmp_path / "out")) == SCANS
    script = next(slurm.glob("job-*.sh")).read_text()
    for line in ("-p short", "-A brain", "-t 00:20:00", "--mem=4G", "--cpus-per-task=2", "-J brainsift"):
        assert f"#SBATCH {line}" in script
    assert "tls://127.0.0.1:" in script, "whoever may speak to the scheduler may run programs"
    jobs = (slurm / "jobs").read_text().split()
    assert len(jobs) >= 2
    assert jobs[-1] in (slurm / "cancelled").read_text().split(), "no job is left in the queue"
    assert not (tmp_path / "out" / ".scratch").exists()
