"""A run on a Dask cluster in a process of its own: `python -m tests.engine.cluster.driver INPUT OUTPUT ADDRESS N`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def main() -> int:
    """Run, print the summary as JSON, and leave as the command line does."""
    from brainsift.engine.cluster.executor import DaskExecutor
    from brainsift.engine.cluster.options import ClusterOptions
    from brainsift.engine.settings import RunSettings
    from brainsift.engine.study import run_study
    from brainsift.store.errors import StoreError
    from tests.engine.parts import STAGES, file_catalog, write_page

    signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background job has it ignored.
    source, output, address, workers = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    told: list[str] = []
    try:
        summary = run_study(
            source,
            output,
            RunSettings(),
            after_scan=write_page,
            stages=STAGES,
            catalog=file_catalog,
            executor=DaskExecutor(ClusterOptions(address, workers), tell=told.append),
        )
    except StoreError as error:
        print(json.dumps({"kind": error.kind, "cause": error.cause, "remedy": error.remedy}))
        return 70
    print(json.dumps({**asdict(summary), "told": told}))
    return summary.exit_code


def start(source: Path, output: Path, address: str = "local", workers: int = 2) -> subprocess.Popen[str]:
    """Start a run in a process group of its own."""
    command = [sys.executable, "-m", "tests.engine.cluster.driver", str(source), str(output), address, str(workers)]
    pipe: Any = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


if __name__ == "__main__":
    sys.exit(main())
