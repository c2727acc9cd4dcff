"""`--help` answers at once because nothing heavy is loaded for it; `benchmarks/bench_startup.py` measures the time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Not pydantic: typer itself loads it to describe the parameters of a verb.
HEAVY = {
    "bids2table", "distributed", "fastapi", "jinja2", "nibabel", "numpy", "onnxruntime", "pandas", "PIL", "psutil",
    "pyarrow", "pydicom", "scipy", "sqlalchemy", "starlette", "torch", "uvicorn",
}  # fmt: skip

PROBE = """
import json, sys
from brainsift.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as leaving:
    print()
    print(json.dumps([leaving.code, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def modules_loaded(*arguments: str) -> set[str]:
    """Top-level modules in memory after the command."""
    command = [sys.executable, "-c", PROBE, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    code, names = json.loads(result.stdout.splitlines()[-1])
    assert code == 0, result.stdout
    return set(names)


VERBS = [
    "", "run", "check", "report", "demo", "info", "models", "models import", "calibrate", "evaluate quality",
    "train anatomy", "train quality", "simulate heads", "simulate zoo", "review", "review serve", "review verify",
    "db status",
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_help_loads_no_library_that_it_does_not_need(verb: str) -> None:
    assert modules_loaded(*verb.split(), "--help") & HEAVY == set()


def test_the_version_is_told_without_loading_anything() -> None:
    assert modules_loaded("--version") & HEAVY == set()
