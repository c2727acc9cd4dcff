"""A run in a process of its own: `python -m tests.engine.driver INPUT OUTPUT NPROCS`; prints the summary as JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

PATIENCE_S = 400.0
"""On an idle machine nothing here takes ten seconds; on a starved one starting a run alone took minutes."""


def main() -> int:
    """Run, print, and leave as the command line does; 70 with the kind of the error where the run could not go on."""
    from brainsift.engine.settings import RunOptions, RunSettings
    from brainsift.engine.study import run_study
    from brainsift.store.errors import StoreError
    from tests.engine.parts import STAGES, file_catalog, write_page

    signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background job has it ignored.
    source, output, nprocs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    try:
        summary = run_study(
            source,
            output,
            RunSettings(),
            RunOptions(nprocs=nprocs),
            after_scan=write_page,
            stages=STAGES,
            catalog=file_catalog,
        )
    except StoreError as error:
        print(json.dumps({"kind": error.kind, "remedy": error.remedy}))
        return 70
    print(json.dumps(asdict(summary)))
    return summary.exit_code


def start(source: Path, output: Path, nprocs: int, **more: Any) -> subprocess.Popen[str]:
    """Start a run in a process group of its own, so that a signal can be sent as a terminal sends it."""
    command = [sys.executable, "-m", "tests.engine.driver", str(source), str(output), str(nprocs)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True, **more)


def finish(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    """Exit code, printed summary and standard error of a run; the whole group is gone afterwards."""
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, json.loads(out) if out else {}, err


def wait_until(true: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Wait for a condition; raise if it does not come about."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"It did not come about in {seconds} s.")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
