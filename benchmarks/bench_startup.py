"""How long `brainsift` takes to answer when there is nothing to compute: goal < 0.3 s for `--help`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

REPEATS = 15
COMMANDS = (("--help",), ("run", "--help"), ("--version",), ("info", "--json"))


def seconds(command: list[str]) -> float:
    """Wall time of one call, s."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print median and range per command, and of the bare interpreter to compare with."""
    tool = str(Path(sys.executable).with_name("brainsift"))
    cases = {"python -c pass": [sys.executable, "-c", "pass"]}
    cases |= {f"brainsift {' '.join(words)}": [tool, *words] for words in COMMANDS}
    for name, command in cases.items():
        times = [seconds(command) for _ in range(REPEATS)]
        print(f"{name:28s} median {median(times):.3f} s  ({min(times):.3f} to {max(times):.3f}, n={REPEATS})")


if __name__ == "__main__":
    main()
