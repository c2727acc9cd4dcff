"""Jobs of Slurm, submitted as dask-jobqueue does it to an `sbatch` that runs them at once on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from brainsift.engine.cluster.executor import DaskExecutor
from brainsift.engine.cluster.options import SLURM, ClusterOptions, parse_slurm
from brainsift.engine.settings import RunSettings
from brainsift.engine.study import run_study
from tests.engine.cluster.driver import ROOT
from tests.engine.cluster.kills import answers
from tests.engine.parts import STAGES, file_catalog, write_ball

pytest.importorskip("dask_jobqueue", reason="the extra `dask` is not installed")

SBATCH = """#!/bin/sh
cp "$1" "{folder}/job.sh"
setsid sh "$1" > "{folder}/job.log" 2>&1 &
echo $! >> "{folder}/jobs"
echo "Submitted batch job $!"
"""

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


def test_scans_are_done_in_jobs_with_the_options_that_were_asked_for(slurm: Path, tmp_path: Path) -> None:
    for n in range(6):
        write_ball(tmp_path / "in" / f"nap{n}.nii", seed=n, size=8)
    words = ["queue=short", "account=brain", "cores=2", "memory=2GB", "walltime=00:20:00", "interface=lo"]
    cluster = ClusterOptions(SLURM, 1, parse_slurm(words))
    summary = run_study(
        tmp_path / "in",
        tmp_path / "out",
        RunSettings(pictures=False),
        stages=STAGES,
        catalog=file_catalog,
        executor=DaskExecutor(cluster),
    )
    assert (summary.exit_code, summary.counts.done, summary.workers) == (0, 6, 2)
    assert len(answers(tmp_path / "out")) == 6
    script = (slurm / "job.sh").read_text()
    for line in ("-p short", "-A brain", "-t 00:20:00", "--mem=2G", "--cpus-per-task=2", "-J brainsift"):
        assert f"#SBATCH {line}" in script
    assert "tls://127.0.0.1:" in script, "whoever may speak to the scheduler may run programs"
    assert set((slurm / "jobs").read_text().split()) <= set((slurm / "cancelled").read_text().split())
    assert not (tmp_path / "out" / ".scratch").exists()
