"""What the base install weighs: goal <= 650 MB on disk with the environment's own pip, without PyTorch."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN = 12


def megabytes(folder: Path) -> float:
    """Space that the files below take on disk, MB of 1024 x 1024 bytes as `du -sm` counts."""
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*")) / 1024**2


def main() -> None:
    """Install into a fresh environment; print the time, the sum and the largest packages."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "venv", name], check=True)
        start = time.perf_counter()
        pip = [str(folder / "bin/pip"), "install", "--quiet", "-c", str(ROOT / "constraints.txt"), str(ROOT)]
        subprocess.run(pip, check=True)
        print(f"installed in {time.perf_counter() - start:.0f} s, {megabytes(folder):.0f} MB on disk")
        packages = next(folder.glob("lib/python*/site-packages"))
        print(f"torch in it: {any(packages.glob('torch*'))}")
        sizes = {part.name: megabytes(part) for part in packages.iterdir() if part.is_dir()}
        for part, size in sorted(sizes.items(), key=lambda item: -item[1])[:SHOWN]:
            print(f"{size:8.1f} MB  {part}")


if __name__ == "__main__":
    main()
