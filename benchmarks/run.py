"""Run the benchmarks beside this file, all or those named, and print what they measured."""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent


def main(usual: Sequence[str] = ()) -> int:
    """Run each script in its own process, the `usual` ones (none: all) where nothing is named; 1 if one failed."""
    scripts = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(scripts)}")
    names = parser.parse_args().names or list(usual or scripts)
    unknown = [name for name in names if name not in scripts]
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(scripts)}")
    print(f"{platform.platform()}, Python {platform.python_version()}", flush=True)
    failed = 0
    for name in names:
        print(f"\n== {name}", flush=True)
        start = time.perf_counter()
        failed += subprocess.run([sys.executable, str(scripts[name])], check=False).returncode != 0
        print(f"   ({time.perf_counter() - start:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
