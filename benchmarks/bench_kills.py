"""Ten kills (SIGKILL) of workers and of runs at random moments in a study of 300 scans: what is left of it.

Run: python benchmarks/bench_kills.py [SCANS] [SEED]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine.driver import finish, start  # noqa: E402
from tests.engine.kills import answers, disturbed, rows  # noqa: E402
from tests.engine.parts import write_ball  # noqa: E402

SCANS = 300
WORKER_KILLS, RUN_KILLS = 7, 3


def main() -> int:
    """Print what was killed and what came out; 1 if anything differs from the undisturbed run."""
    scans = int(sys.argv[1]) if len(sys.argv) > 1 else SCANS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        source, peace, out = (Path(folder, name) for name in ("in", "peace", "out"))
        for n in range(scans):
            write_ball(source / f"nap{n:03}.nii", seed=n, size=8)
        finish(start(source, peace, 2))
        killed = disturbed(source, out, WORKER_KILLS, RUN_KILLS, seed)
        found, before, after = rows(out), answers(peace), answers(out)
        differing = sum(before.get(scan) != after.get(scan) for scan in before)
        doubled = sum(count > 1 for count in found.values())
        print(f"{killed} kills in {scans} scans: {len(found)} rows, {doubled} doubled, {differing} answers differ")
        return 0 if (len(found), doubled, differing) == (scans, 0, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
