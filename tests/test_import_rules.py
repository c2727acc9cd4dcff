"""The doors between the rooms: kept by the tree as it is, and shut for a breach."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in `folder/src`."""
    linter = Path(sys.executable).with_name("lint-imports")
    command = [str(linter), "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


def test_every_room_keeps_its_doors() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("scans", "import brainsift.anatomy.labels", "scans imports no other room"),
        ("tasks/integrity", "import brainsift.store.record", "tasks import scans, anatomy and models"),
        ("store", "import brainsift.tasks.registry", "store imports scans, tasks.base and decide"),
        ("engine", "import brainsift.report.page", "engine imports the rooms before it"),
        ("report", "import brainsift.scans.volume", "report imports store alone"),
        ("review", "import brainsift.engine.study", "review imports store, decide, and evaluate for kappa and labels"),
        ("engine", "import uvicorn", "only review serves"),
        ("report", "import brainsift.review.offer", "report imports store alone"),
        ("anatomy", "import torch", "torch lives in learn alone"),
        ("simulate", "import urllib.request", "no network code"),
        ("engine", "def send():\n    import socket", "no network code"),
        ("engine", "from distributed import Client", "no network code"),
        ("engine/cluster", "import socket", "no network code"),
        ("store", "import psycopg", "no network code"),
    ],
)
def test_a_breach_is_noticed(tmp_path: Path, room: str, line: str, contract: str) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.onnx", "*.npz"))
    (tmp_path / "src/brainsift" / room / "breach.py").write_text(line + "\n", encoding="utf-8")
    result = lint(tmp_path)
    assert result.returncode == 1
    assert f"{contract} BROKEN" in result.stdout
