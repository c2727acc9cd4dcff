"""The demo's comparison of answers with simulated truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.cli.compare import compare, sums, tell_comparison

TRUTH = """scan\tsequence\tdimension\tbrain_ml\ticv_ml\tbrain_outside_fov\tskull_stripped\tbroken
a.nii.gz\tT1w\t3D\t1000.0\t1200.0\t0.0\tfalse\t
b.nii.gz\tFLAIR\t2D\t1200.0\t1400.0\t0.25\tfalse\t
c.nii.gz\tT1w\t3D\t\t\t\tfalse\ttruncated
d.nii.gz\tT1w\t3D\t1300.0\t1500.0\t0.0\tfalse\t
"""

ANSWERS = """scan\tstatus\treason\tsequence\tdimension\tbrain_ml\tbrain_outside_fov
a.nii.gz\tdone\t\tT1w\t3D\t1010.0\t0.01
b.nii.gz\tdone\t\tT2w\t2D\t1080.0\t0.2
c.nii.gz\tfailed\tThe file ends early.\t\t\t\t
"""


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """A truth table and a study table that lacks one scan."""
    (tmp_path / "truth.tsv").write_text(TRUTH, encoding="utf-8")
    (tmp_path / "brainsift.tsv").write_text(ANSWERS, encoding="utf-8")
    return tmp_path / "truth.tsv", tmp_path / "brainsift.tsv"


def test_errors_are_relative_to_the_simulated_volume(tables: tuple[Path, Path]) -> None:
    errors = [one.brain_error for one in compare(*tables)]
    assert errors[:2] == [pytest.approx(0.01), pytest.approx(-0.1)]
    assert errors[2:] == [None, None]


def test_a_scan_without_an_answer_counts_as_wrong_and_not_as_absent(tables: tuple[Path, Path]) -> None:
    lines = sums(compare(*tables))
    assert "sequence as simulated: 1 of 3" in lines
    assert "dimension as simulated: 2 of 3" in lines


def test_broken_files_are_counted_apart(tables: tuple[Path, Path]) -> None:
    assert "broken on purpose and reported with a reason: 1 of 1" in sums(compare(*tables))


def test_the_table_shows_truth_and_answer_side_by_side(
    tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    tell_comparison(compare(*tables))
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("b.nii.gz"))
    assert row.split() == ["b.nii.gz", "FLAIR", "2D", "T2w", "2D", "1200", "1080", "25", "%", "20", "%"]
