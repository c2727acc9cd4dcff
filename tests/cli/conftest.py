"""Calling the command line as a shell would, within this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from brainsift.cli.main import main
from brainsift.models.importing import import_model
from tests.models.tiny import write_tiny_anatomy


@dataclass(frozen=True)
class Answer:
    """What the shell gets."""

    code: int
    out: str
    err: str


Call = Callable[..., Answer]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run `brainsift ARGUMENTS` and give back exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: str | Path) -> Answer:
        capfd.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Answer(int(leaving.value.code or 0), out, err)

    return run


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A shelf with a network that fits its place but has learnt nothing: quick, and enough for what the verbs do."""
    folder = tmp_path / "shelf"
    import_model("anatomy", write_tiny_anatomy(tmp_path / "tiny.onnx"), folder)
    return folder
