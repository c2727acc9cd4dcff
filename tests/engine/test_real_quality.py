"""The quality task as a run asks it: the network on the shelf, real scans, nothing put in."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.study import run_study
from brainsift.models.registry import REGISTRY as MODELS
from brainsift.models.shelf import inspect
from brainsift.report.scan_page import scan_page
from brainsift.simulate.artefacts.course import Motion, draw_motion
from brainsift.simulate.artefacts.grades import motion_grade
from brainsift.simulate.artefacts.motion import Moved, apply_motion
from brainsift.store.record import Record
from brainsift.store.record_io import read_record, record_path
from brainsift.store.table import TABLE_NAME, read_table
from brainsift.tasks.quality.network import GRADED, SEQUENCES
from brainsift.tasks.registry import REGISTRY as TASKS

DATA = Path(__file__).parents[3] / "shared" / "data"
REGISTERED = "quality" in TASKS and "quality" in MODELS

pytestmark = [
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data are not beside the project"),
    pytest.mark.skipif(not REGISTERED, reason="no quality model is registered yet"),
    pytest.mark.skipif(inspect("anatomy").state != "ok", reason="the anatomy network is not on the shelf"),
    pytest.mark.skipif(
        REGISTERED and inspect("quality").state != "ok", reason="the quality network is not on the shelf"
    ),
]

GRADE_CELLS = tuple(f"{name}_{what}" for name in GRADED for what in ("grade", "score"))
STILL, MOVED, THICK, MASK = "still", "moved", "thick", "mask"


def severe_motion(image: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """The image after a movement that is graded severe, of the first seed that makes one."""
    for seed in range(20):
        drawn: Motion = draw_motion(np.random.default_rng(seed), 3.5)
        made: Moved = apply_motion(image, drawn, spacing, image > 0)
        if motion_grade(made.displacement_mm, made.change) > 1.9:
            return made.image
    raise AssertionError("no seed makes a severe movement: has the simulator changed?")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUTPUT of a run over a clean scan, the same one moved, thick slices and a lesion mask."""
    folder = tmp_path_factory.mktemp("quality")
    source, output = folder / "in", folder / "out"
    source.mkdir()
    clean = DATA / "scans" / "t1w_brain_01.nii.gz"
    shutil.copy(clean, source / f"{STILL}.nii.gz")
    shutil.copy(DATA / "scans" / "flair_2d_p01_s2_defaced.nii.gz", source / f"{THICK}.nii.gz")
    shutil.copy(sorted((DATA / "lesion_masks").glob("*.nii.gz"))[0], source / f"{MASK}.nii.gz")
    scan = nib.load(clean)
    image = np.asarray(scan.dataobj, dtype=np.float32)
    x, y, z = (float(mm) for mm in scan.header.get_zooms()[:3])
    moved = np.round(severe_motion(image, (x, y, z))).astype(np.int16)
    nib.save(nib.Nifti1Image(moved, scan.affine), source / f"{MOVED}.nii.gz")
    run_study(source, output, RunSettings(tasks=("quality",)), RunOptions(nprocs=1))
    return output


def record_of(output: Path, stem: str) -> Record:
    return read_record(record_path(output, stem))


def row_of(output: Path, stem: str) -> dict[str, str]:
    return {row["scan"]: row for row in read_table(output / TABLE_NAME)}[f"{stem}.nii.gz"]


def test_a_clean_scan_is_proper_named_graded_and_pictured(study: Path) -> None:
    row, finding = row_of(study, STILL), record_of(study, STILL).finding("quality")
    assert finding is not None
    assert (finding.label, finding.measurements["sequence"]) == ("proper", "T1w")
    assert float(row["proper_probability"]) > 0.5
    assert row["tier"] in ("1", "2", "3")
    assert all(row[name] for name in GRADE_CELLS)
    assert (study / finding.evidence["worst_slices"]).stat().st_size > 1000
    assert finding.measurements["metric_cjv"] == pytest.approx(0.4, abs=0.2)
    assert finding.model_sha256 == inspect("quality").sha256


def test_severe_motion_scores_higher_than_rest(study: Path) -> None:
    still, moved = (record_of(study, stem).finding("quality") for stem in (STILL, MOVED))
    assert still is not None
    assert moved is not None
    assert moved.probabilities["motion_moderate"] > still.probabilities["motion_moderate"] + 0.2
    assert moved.probabilities["motion_severe"] > still.probabilities["motion_severe"]


def test_thick_slices_are_less_proper_than_a_volume(study: Path) -> None:
    assert float(row_of(study, THICK)["proper_probability"]) < float(row_of(study, STILL)["proper_probability"])


def test_a_mask_is_not_asked_and_the_record_says_why(study: Path) -> None:
    record = record_of(study, MASK)
    assert record.finding("quality") is None
    assert "mask" in record.not_asked["quality"]
    assert not any(row_of(study, MASK)[name] for name in (*GRADE_CELLS, "tier", "proper_probability"))


@pytest.mark.parametrize("stem", [STILL, MOVED, THICK])
def test_tier_grades_table_and_page_agree(study: Path, stem: str) -> None:
    record, row = record_of(study, stem), row_of(study, stem)
    finding = record.finding("quality")
    assert finding is not None
    grades = [finding.measurements[f"{name}_grade"] for name in GRADED]
    proper = finding.label == "proper"
    assert proper is (finding.probabilities["proper"] > 0.5)
    assert finding.measurements["tier"] == (1 + max(grades) if proper else None)
    assert all(bool(row[name]) is proper for name in (*GRADE_CELLS, "tier"))
    assert sum(finding.probabilities[f"sequence_{name}"] for name in SEQUENCES) == pytest.approx(1, abs=1e-3)
    page = scan_page(record, study)
    assert ("does not look like a proper scan" in page) is not proper
    assert ("Loss of contrast</dt>" in page) is proper


@pytest.mark.parametrize("stem", [STILL, MOVED, THICK])
def test_without_a_calibration_nothing_is_promised(study: Path, stem: str) -> None:
    decision = record_of(study, stem).decision("quality")
    assert decision is not None
    assert decision.provisional
