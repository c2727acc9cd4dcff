"""Optional packages that are not installed are named, with the command that installs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.cli import extras
from brainsift.cli.exits import Exit
from tests.cli.conftest import Call


@pytest.fixture
def _nothing_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "EXTRAS", dict.fromkeys(extras.EXTRAS, "no_such_package_anywhere"))


@pytest.mark.usefixtures("_nothing_optional")
@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("train", ["train", "anatomy", "out", "--label-maps", "."]),
        ("postgres", ["run", ".", "out", "--db", "postgresql+psycopg://user@nowhere/name"]),
        ("postgres", ["report", "out", "--db", "postgresql://user@nowhere/name"]),
    ],
)
def test_a_verb_that_needs_an_extra_says_what_to_type(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = call(*arguments)
    assert answer.code == Exit.USAGE
    assert f'pip install "brainsift[{extra}]"' in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("_nothing_optional")
def test_sqlite_needs_no_extra() -> None:
    extras.need_driver("sqlite:///results.db")
    extras.need_driver(None)


def test_an_installed_package_counts_as_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "EXTRAS", {"train": "json"})
    assert extras.has_extra("train")
