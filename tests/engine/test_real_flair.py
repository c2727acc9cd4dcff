"""Real scans that are filed as FLAIR: proper, 2D, stripped, and a T2w under the name of one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.study import run_study
from brainsift.models.shelf import inspect
from brainsift.store.record_io import read_record, record_files
from brainsift.tasks.base import Finding

SCANS = Path(__file__).parents[3] / "shared" / "data" / "scans"

pytestmark = [
    pytest.mark.skipif(not SCANS.is_dir(), reason="the shared test data are not beside the project"),
    pytest.mark.skipif(inspect("anatomy").state != "ok", reason="the anatomy network is not on the shelf"),
    pytest.mark.skipif(inspect("quality").state != "ok", reason="the quality network is not on the shelf"),
]

FILED = {
    "sub-head_FLAIR": "flair_head_a",
    "sub-thick_FLAIR": "flair_2d_p03_s2_defaced",
    "sub-stripped_FLAIR": "flair_brain_b",
    "sub-other_FLAIR": "t2w_brain_b",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """Name → finding of the quality task."""
    folder = tmp_path_factory.mktemp("flair")
    (folder / "in").mkdir()
    for name, scan in FILED.items():
        shutil.copy(SCANS / f"{scan}.nii.gz", folder / "in" / f"{name}.nii.gz")
    settings = RunSettings(tasks=("quality",), pictures=False)
    run_study(folder / "in", folder / "out", settings, RunOptions(nprocs=1))
    records = {Path(r.scan).name.split(".")[0]: r for r in map(read_record, record_files(folder / "out"))}
    findings = {name: record.finding("quality") for name, record in records.items()}
    assert set(findings) == set(FILED)
    return {name: finding for name, finding in findings.items() if finding is not None}


def test_a_whole_3d_flair_is_proper_and_gets_grades_and_a_tier(found: dict[str, Finding]) -> None:
    finding = found["sub-head_FLAIR"]
    assert finding.label == "proper"
    assert finding.measurements["not_proper_because"] is None
    assert finding.measurements["skull_stripped"] is False
    assert finding.measurements["tier"] in (1, 2)


def test_slices_are_told_as_slices(found: dict[str, Finding]) -> None:
    finding = found["sub-thick_FLAIR"]
    assert finding.label == "improper"
    assert "a stack of 2D slices" in str(finding.measurements["not_proper_because"])
    assert finding.measurements["tier"] is None


def test_a_stripped_skull_is_told(found: dict[str, Finding]) -> None:
    finding = found["sub-stripped_FLAIR"]
    assert finding.measurements["skull_stripped"] is True
    assert finding.measurements["sequence"] == "FLAIR"
    assert "The skull was removed." in finding.reason


def test_a_t2w_filed_as_flair_is_rejected_for_what_it_is(found: dict[str, Finding]) -> None:
    finding = found["sub-other_FLAIR"]
    assert finding.label == "improper"
    assert "it looks like T2w (fluid " in str(finding.measurements["not_proper_because"])
