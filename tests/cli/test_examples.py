"""What the help and the README tell people to type: it parses, and what is quick is run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from brainsift.cli.exits import Exit
from brainsift.cli.main import app
from brainsift.simulate.heads import simulate_heads
from tests.cli.conftest import Call

ROOT = Path(__file__).parents[2]

ELSEWHERE = {
    "demo": "tests/test_packaging.py runs it from the wheel",
    "train": "takes an hour",
    "review serve": "serves until it is stopped: tests/review/test_twenty.py starts and stops it",
}
"""Verbs of the README's snippets that are not run here, and why."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every verb with its command object, nested ones included."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


VERBS = dict(commands(typer.main.get_command(app)))

HELP = {verb: re.findall(r"`brainsift ([^`]+)`", f"{command.help} {command.epilog}") for verb, command in VERBS.items()}

SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)

README = [
    line.split("#")[0].strip().removeprefix("brainsift ")
    for block in SHELL_BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    for line in block.splitlines()
    if line.startswith("brainsift ")
]


def parse(line: str) -> None:
    """Parse a command line without running it; an unknown verb, option or value raises."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)
    context = None
    while hasattr(command, "commands"):
        name = words.pop(0)
        context = command.make_context(name, [], parent=context, resilient_parsing=True)
        command = command.commands[name]
    command.make_context("verb", words, parent=context)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_help_of_every_verb_has_an_example_of_it(verb: str) -> None:
    assert any(example.startswith(verb) for example in HELP[verb])


@pytest.mark.parametrize("line", sorted({example for examples in HELP.values() for example in examples} | set(README)))
def test_every_command_that_people_are_told_to_type_parses(line: str) -> None:
    parse(line)


def test_a_wrong_example_would_be_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse("run scans results --colour red")


def test_the_readme_starts_with_two_commands_that_the_makefile_knows() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", SHELL_BLOCK.findall(text)[0], re.MULTILINE)
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{target}:" in makefile for target in targets)
    assert README[0].startswith("run ")


def test_the_snippets_of_the_readme_run_one_after_the_other(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    simulate_heads(tmp_path / "scans", n=1, seed=3, contrast="T1w", spacing_mm=2.0)
    shutil.copy(tmp_path / "scans" / "head_0001.nii.gz", tmp_path / "scan.nii.gz")
    for line in README:
        if line.startswith(tuple(f"{verb} " for verb in ELSEWHERE)):
            continue
        answer = call(*shlex.split(line))
        judged = line.startswith("check ") and answer.code == Exit.SCANS_FAILED
        assert answer.code == Exit.DONE or judged, f"brainsift {line}: {answer.err}"
