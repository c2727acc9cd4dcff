"""The frame around the verbs: versions, help, exit codes, and errors without tracebacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift import __version__
from brainsift.cli import info
from brainsift.cli.exits import Exit
from brainsift.models.errors import ModelError
from brainsift.scans.errors import ScanError
from brainsift.store.errors import StoreError
from tests.cli.conftest import Call

VERBS = ("run", "check", "report", "demo", "info", "models", "simulate", "train")


def test_the_version_is_the_package_version(call: Call) -> None:
    assert call("--version").out == f"brainsift {__version__}\n"


def test_help_names_every_verb_and_the_exit_codes(call: Call) -> None:
    answer = call("--help")
    assert answer.code == Exit.DONE
    assert all(f" {verb} " in answer.out for verb in VERBS)
    assert "Exit codes" in answer.out


@pytest.mark.parametrize(
    "arguments", [["sift"], ["run"], ["run", "only-input"], ["--colour"], ["run", "a", "b", "--nprocs", "0"]]
)
def test_wrong_usage_exits_with_2_and_points_to_the_help(call: Call, arguments: list[str]) -> None:
    answer = call(*arguments)
    assert answer.code == Exit.USAGE
    assert "--help" in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ModelError("anatomy", "It is gone.", "Find it."), Exit.INTERNAL, ("It is gone.", "Find it.")),
        (StoreError("output_full", "No space left.", "Free some."), Exit.USAGE, ("No space left.", "Free some.")),
        (ScanError("truncated", "It ends early.", "Copy it again."), Exit.USAGE, ("It ends early.", "Copy it again.")),
        (PermissionError(13, "Permission denied", "/secret"), Exit.USAGE, ("Permission denied: /secret",)),
        (KeyboardInterrupt(), Exit.INTERRUPTED, ()),
    ],
)
def test_foreseen_errors_are_told_without_a_traceback(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: Exit, told: tuple[str, ...]
) -> None:
    def fail(shelf: Path | None) -> None:
        raise error

    monkeypatch.setattr(info, "gather", fail)
    answer = call("info")
    assert answer.code == code
    assert all(text in answer.err for text in told)
    assert "Traceback" not in answer.err


def test_an_unforeseen_error_exits_with_70_and_keeps_its_traceback(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(info, "gather", lambda shelf: {}["nothing"])
    answer = call("info")
    assert answer.code == Exit.INTERNAL
    assert "Traceback" in answer.err
    assert "Please report it" in answer.err


def test_text_in_brackets_is_printed_as_it_is(call: Call, tmp_path: Path) -> None:
    assert "[bold]x[/bold]" in call("check", tmp_path / "[bold]x[/bold].nii").err
