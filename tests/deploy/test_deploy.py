"""What people copy to their machines: checked by the tools that will read it, where they are, and by its own rules."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_examples import parse

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SCRIPTS = sorted((DEPLOY / "slurm").iterdir())
DOCUMENTS = [ROOT / "docs" / name for name in ("operations.md", "data_protection.md")]

VERBS = "run|backup|restore|status|review|db|models|report"
COMMAND = re.compile(rf"(?:^|[\s`/\"])brainsift ((?:{VERBS}) [^`\n&|>#\"]*)", re.MULTILINE)
VARIABLE = re.compile(r"\"\$\{labels\[@\]\}\"|'?\"?\$\{?\w+\}?\"?'?")

CONTAINER_WORDS = {"ARG", "FROM", "COPY", "RUN", "LABEL", "ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
APPTAINER_SECTIONS = {"files", "post", "environment", "runscript", "test", "labels", "help"}


def commands(path: Path) -> list[str]:
    """The `brainsift` command lines of a file, shell variables replaced."""
    return [found.strip() for found in COMMAND.findall(VARIABLE.sub("X", path.read_text(encoding="utf-8")))]


TOLD = sorted({(path.name, line) for path in (*UNITS, *SCRIPTS, *DOCUMENTS) for line in commands(path)})


def test_there_are_commands_to_check() -> None:
    assert {name for name, _ in TOLD} >= {"brainsift.service", "participants.sbatch", "submit.sh", "operations.md"}


@pytest.mark.parametrize(("name", "line"), TOLD)
def test_every_command_of_the_examples_parses(name: str, line: str) -> None:
    parse(line)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        # The program is not where it will be: systemd would complain of that and of nothing else.
        text = unit.read_text(encoding="utf-8").replace("/opt/brainsift/bin/brainsift", sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    names = [str(tmp_path / unit.name) for unit in UNITS]
    told = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, timeout=120)
    about_ours = [line for line in told.stderr.splitlines() if "brainsift" in line]
    assert about_ours == []


def test_a_wrong_unit_would_be_noticed(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine")
    wrong = tmp_path / "brainsift-wrong.service"
    wrong.write_text("[Service]\nExecStart=nowhere\nTypo=yes\n")
    told = subprocess.run(["systemd-analyze", "verify", str(wrong)], capture_output=True, text=True, timeout=120)
    assert "brainsift-wrong.service" in told.stderr


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_no_service_runs_as_root_or_writes_where_it_likes(unit: Path) -> None:
    lines = unit.read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith(("#", "[")))
    assert settings["User"] == "brainsift"
    assert settings["ProtectSystem"] == "strict"
    assert settings["NoNewPrivileges"] == "yes"
    assert settings.get("PrivateNetwork") == "yes" or settings.get("IPAddressDeny") == "any"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not on this machine")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_bash_can_read_the_scripts(script: Path) -> None:
    told = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, timeout=60)
    assert told.stderr == ""
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")


def test_slurm_is_told_its_options_before_the_first_command() -> None:
    lines = (DEPLOY / "slurm" / "participants.sbatch").read_text(encoding="utf-8").splitlines()
    options = [number for number, line in enumerate(lines) if line.startswith("#SBATCH")]
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    assert options
    assert max(options) < first
    assert all(re.fullmatch(r"#SBATCH --[a-z-]+(=\S+)?", lines[number]) for number in options)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not on this machine")
@pytest.mark.parametrize(("code", "told"), [(0, 0), (1, 0), (2, 2), (70, 70)])
def test_a_job_with_failed_scans_is_done_and_its_share_is_its_own(tmp_path: Path, code: int, told: int) -> None:
    for number in range(1, 8):
        (tmp_path / "bids" / f"sub-{number:02}").mkdir(parents=True)
    tool = tmp_path / "brainsift"
    tool.write_text(f'#!/bin/bash\necho "$@" >> {tmp_path}/told\nexit {code}\n')
    tool.chmod(0o755)
    script = DEPLOY / "slurm" / "participants.sbatch"
    for place in (1, 2, 3):
        path = f"{tmp_path}:/usr/bin:/bin"
        slurm = {"PATH": path, "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_ID": str(place)}
        done = subprocess.run(["bash", str(script), str(tmp_path / "bids"), "out", "db"], env=slurm, timeout=60)
        assert done.returncode == told
    labels = [re.findall(r"sub-(\d\d)", line) for line in (tmp_path / "told").read_text().splitlines()]
    assert sorted(label for share in labels for label in share) == [f"{number:02}" for number in range(1, 8)]
    assert [len(share) for share in labels] == [3, 2, 2]


def instructions(text: str) -> list[tuple[str, str]]:
    """Instructions of a Containerfile with their arguments, continued lines joined."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


def test_the_container_is_made_of_known_instructions_and_of_files_that_are_there() -> None:
    made = instructions((DEPLOY / "Containerfile").read_text(encoding="utf-8"))
    assert {word for word, _ in made} <= CONTAINER_WORDS
    assert made[0][0] == "ARG"
    stages = {rest.split(" AS ")[1] for word, rest in made if word == "FROM" and " AS " in rest}
    for word, rest in made:
        if word == "COPY":
            stage = re.match(r"--from=(\S+)", rest)
            assert stage is None or stage.group(1) in stages
        if word == "FROM":
            assert not re.match(r"[\w-]+(\.[\w-]+)+[/:]", rest), "images are named without a registry"
    users = [rest for word, rest in made if word == "USER"]
    assert users, "it must not run as root"
    assert users[-1] not in ("0", "root")


def test_what_the_container_needs_is_not_kept_from_it() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    needed = {"src", "ui", "hatch_build.py", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"}
    assert needed <= kept
    assert all((ROOT / name).exists() for name in kept)


def test_the_apptainer_definition_has_known_sections_and_starts_the_same_program() -> None:
    text = (DEPLOY / "brainsift.def").read_text(encoding="utf-8")
    assert text.startswith("Bootstrap: docker\nFrom: ")
    assert set(re.findall(r"^%(\w+)", text, re.MULTILINE)) == APPTAINER_SECTIONS
    assert 'exec brainsift "$@"' in text
    base = re.search(r"^From: (\S+)$", text, re.MULTILINE)
    assert base is not None
    container = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    python = re.search(r"^ARG PYTHON=(\S+)$", container, re.MULTILINE)
    assert python is not None
    assert base.group(1) == f"python:{python.group(1)}-slim-bookworm"
