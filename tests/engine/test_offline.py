"""No run opens a socket, in no process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.driver import finish, start
from tests.engine.parts import write_ball

GUARD = """
import os, sys

def forbid(event, arguments):
    if event.startswith("socket."):
        with open(os.environ["SOCKETS_SEEN"], "a") as file:
            file.write(f"{event} in {sys.argv}\\n")
        raise RuntimeError("a socket was opened")

sys.addaudithook(forbid)
with open(os.environ["GUARDED"], "a") as file:
    file.write("x")
"""
"""Python runs `sitecustomize` at the start of every process, workers included."""


@pytest.fixture
def guarded(tmp_path: Path) -> dict[str, str]:
    """Environment in which a socket is an error in every Python process."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    return {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "guard"),
        "SOCKETS_SEEN": str(tmp_path / "sockets"),
        "GUARDED": str(tmp_path / "guarded"),
    }


def test_the_guard_bites(guarded: dict[str, str]) -> None:
    code = "import socket; socket.socket()"
    result = subprocess.run([sys.executable, "-c", code], env=guarded, capture_output=True, text=True, check=False)
    assert "a socket was opened" in result.stderr
    assert Path(guarded["SOCKETS_SEEN"]).exists()


@pytest.mark.parametrize("nprocs", [1, 2])
def test_a_run_opens_no_socket(nprocs: int, guarded: dict[str, str], source: Path, output: Path) -> None:
    write_ball(source / "bug.nii", seed=4)
    code, summary, errors = finish(start(source, output, nprocs, env=guarded))
    assert (code, summary["counts"]["done"], summary["counts"]["failed"]) == (1, 2, 1), errors
    assert not Path(guarded["SOCKETS_SEEN"]).exists()
    assert len(Path(guarded["GUARDED"]).read_text()) >= nprocs
