"""A user's command is run word by word, never by a shell."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from brainsift.engine.defacing.command import fill_in, run_command, split_template

COPY = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"


def places(folder: Path) -> dict[str, Path]:
    """Names that a shell would take apart."""
    source = folder / "a; touch hacked $(id) 'b.nii"
    source.write_bytes(b"scan")
    return {"input": source, "output": folder / "made.nii", "mask": folder / "mask.nii"}


def test_paths_stay_single_arguments_whatever_they_hold(tmp_path: Path) -> None:
    given = places(tmp_path)
    words = split_template(f"{sys.executable} -c '{COPY}' {{input}} {{output}}")
    assert run_command(words, given, tmp_path).made
    assert given["output"].read_bytes() == b"scan"
    assert not (tmp_path / "hacked").exists()


def test_shell_signs_in_a_template_are_plain_words(tmp_path: Path) -> None:
    words = split_template("tool {input} {output} ; rm -rf $HOME | cat > x")
    assert words == ("tool", "{input}", "{output}", ";", "rm", "-rf", "$HOME", "|", "cat", ">", "x")
    assert fill_in(words, places(tmp_path))[3:] == list(words[3:])


def test_other_braces_are_left_alone(tmp_path: Path) -> None:
    assert fill_in(("{awk}", "{output}.x"), {"output": tmp_path / "o"}) == ["{awk}", f"{(tmp_path / 'o').resolve()}.x"]


@pytest.mark.parametrize("template", ["", "tool {input}", "tool {output}", "tool '{input} {output}"])
def test_a_template_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"command|quotation"):
        split_template(template)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import sys; print('Doe^John', file=sys.stderr); sys.exit(3)", "code 3"),
        ("pass", "made no made.nii"),
        ("import time; time.sleep(30)", "did not end"),
    ],
)
def test_failures_are_told_without_what_the_tool_printed(tmp_path: Path, script: str, reason: str) -> None:
    words = (sys.executable, "-c", script, "{input}", "{output}")
    ran = run_command(words, places(tmp_path), tmp_path, timeout_s=20 if "sleep" not in script else 0.5)
    assert not ran.made
    assert reason in ran.reason
    assert "Doe" not in ran.reason


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    ran = run_command(("no-such-defacer", "{input}", "{output}"), places(tmp_path), tmp_path)
    assert "no-such-defacer" in ran.reason
