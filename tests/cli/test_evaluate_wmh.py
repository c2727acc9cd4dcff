"""`brainsift evaluate wmh`: masks of any program, matched by name, on grids that differ by rounding or altogether."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.cli.exits import Exit
from brainsift.cli.masks import find_masks, score_files
from brainsift.store.record_io import write_record
from brainsift.tasks.base import Finding
from tests.cli.conftest import Call
from tests.store.parts import done_record

SHAPE = (20, 24, 16)
AFFINE = np.array([[-1.0, 0, 0, 10], [0, 1.0, 0, -12], [0, 0, 2.0, -16], [0, 0, 0, 1]])


def lesions(*boxes: tuple[slice, slice, slice]) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    for box in boxes:
        mask[box] = 1
    return mask


TRUTH = lesions(np.s_[2:6, 2:6, 2:6], np.s_[12:14, 12:14, 12:14])
FOUND = lesions(np.s_[3:7, 2:6, 2:6])


def save(path: Path, mask: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(mask, affine), path)
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Three labelled scans of three people, one of them used in training."""
    lines = ["scan\tparticipant\twmh_mask\tsplit"]
    for number, split in ((1, "test"), (2, "test"), (3, "train")):
        save(tmp_path / "truth" / f"{number}.nii.gz", TRUTH)
        lines.append(f"sub-0{number}/anat/sub-0{number}_T1w.nii.gz\tp{number}\ttruth/{number}.nii.gz\t{split}")
    path = tmp_path / "labels.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_another_programs_masks_are_scored(call: Call, labels: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path / "other" / f"sub-0{number}_T1w_wmh.nii.gz", FOUND)
    answer = call("evaluate", "wmh", "--masks", tmp_path / "other", "--labels", labels, "--tables", tmp_path / "out")
    assert answer.code == Exit.DONE, answer.err
    assert "2 masks of 2 people compared" in answer.out
    assert "1 rows marked `train` or `validation`" in answer.out
    rows = table(tmp_path / "out" / "evaluation_wmh.tsv")
    assert [row["participant"] for row in rows] == ["p1", "p2"]
    assert float(rows[0]["dice"]) == pytest.approx(2 * 48 / (72 + 64), rel=1e-5)
    assert float(rows[0]["lesion_recall"]) == 0.5
    assert float(rows[0]["reference_ml"]) == pytest.approx(72 * 2 / 1000)
    group = {(r["scans"], r["metric"], r["statistic"]): r for r in table(tmp_path / "out" / "evaluation_wmh_group.tsv")}
    assert group["all", "dice", "median"]["n"] == "2"


def test_the_masks_of_a_run_are_found_by_its_records(call: Call, labels: Path, tmp_path: Path) -> None:
    output = tmp_path / "results"
    for number in (1, 2):
        scan = f"sub-0{number}/anat/sub-0{number}_T1w.nii.gz"
        mask = save(output / f"sub-0{number}" / "anat" / "mask.nii.gz", TRUTH)
        finding = Finding(task="wmh", label="lesions", evidence={"wmh_mask": mask.relative_to(output).as_posix()})
        write_record(done_record(scan, participant=f"0{number}", findings=(finding,)), output)
    answer = call("evaluate", "wmh", output, "--labels", labels)
    assert answer.code == Exit.DONE, answer.err
    assert all(float(row["dice"]) == 1 for row in table(output / "evaluation_wmh.tsv"))


def test_a_scan_without_a_mask_is_told_and_counts_as_failed(call: Call, labels: Path, tmp_path: Path) -> None:
    save(tmp_path / "other" / "sub-01_T1w.nii.gz", FOUND)
    answer = call("evaluate", "wmh", "--masks", tmp_path / "other", "--labels", labels)
    assert answer.code == Exit.SCANS_FAILED
    assert "not compared: sub-02/anat/sub-02_T1w.nii.gz: no mask has its name" in answer.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [((), "nothing to score"), (("--masks", "nowhere"), "There is no folder nowhere")],
)
def test_what_cannot_be_scored_is_said(call: Call, labels: Path, arguments: tuple[str, ...], told: str) -> None:
    answer = call("evaluate", "wmh", "--labels", labels, *arguments)
    assert answer.code == Exit.USAGE
    assert told in answer.err


def test_labels_without_masks_are_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("scan\tproper\na.nii.gz\tyes\n")
    answer = call("evaluate", "wmh", "--labels", tmp_path / "labels.tsv", "--masks", tmp_path)
    assert answer.code == Exit.USAGE
    assert "wmh_mask" in answer.err


SCAN = "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([SCAN, "sub-01_ses-1_T1w_wmh.nii.gz"], SCAN),
        (["flat/sub-01_ses-1_T1w.nii"], "flat/sub-01_ses-1_T1w.nii"),
        (["sub-01_ses-1_T1w_seg.nii.gz", "sub-01_ses-1_T1wx.nii.gz"], "sub-01_ses-1_T1w_seg.nii.gz"),
        (
            ["d/sub-01_ses-1_space-orig_label-L_mask.nii.gz", "d/sub-01_ses-1_space-orig_desc-brain_mask.nii.gz"],
            "d/sub-01_ses-1_space-orig_label-L_mask.nii.gz",
        ),
        (
            ["sub-01_ses-1_label-L_desc-wmh_probseg.nii.gz", "sub-01_ses-1_label-L_desc-wmh_mask.nii.gz"],
            "sub-01_ses-1_label-L_desc-wmh_mask.nii.gz",
        ),
        (["sub-01_ses-2_label-L_mask.nii.gz"], None),
        (["sub-01_ses-1_mod-FLAIR_label-L_mask.nii.gz"], None),
        (["sub-01_ses-1_acq-b_label-L_mask.nii.gz"], None),
        (["a/sub-01_ses-1_T1w.nii.gz", "b/sub-01_ses-1_T1w.nii.gz"], "several"),
        (["sub-01_ses-1_T1w.json"], None),
    ],
)
def test_masks_are_matched_by_name(files: list[str], expected: str | None, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    masks = find_masks(tmp_path, [SCAN])
    if expected in (None, "several"):
        assert not masks.found
        assert ("several masks fit" in masks.missing[SCAN]) == (expected == "several")
    else:
        assert masks.found == {SCAN: tmp_path / str(expected)}


def test_a_table_names_masks_of_any_name(tmp_path: Path) -> None:
    save(tmp_path / "x" / "17.nii.gz", FOUND)
    listing = tmp_path / "masks.tsv"
    listing.write_text(f"scan\tmask\n{SCAN}\tx/17.nii.gz\nother.nii.gz\tx/18.nii.gz\n")
    masks = find_masks(listing, [SCAN, "other.nii.gz", "third.nii.gz"])
    assert masks.found == {SCAN: tmp_path / "x" / "17.nii.gz"}
    assert masks.missing == {"other.nii.gz": "there is no file x/18.nii.gz", "third.nii.gz": "not in the table"}


def test_affines_that_differ_by_rounding_are_one_grid(tmp_path: Path) -> None:
    truth = save(tmp_path / "truth.nii.gz", TRUTH)
    rounded = AFFINE + np.random.default_rng(0).uniform(-1e-3, 1e-3, (4, 4)) * (np.arange(4) < 3)[:, None]
    scores, note = score_files(truth, save(tmp_path / "mask.nii.gz", TRUTH, rounded))
    assert (scores.dice, note) == (1, "")


def test_another_storage_order_is_the_same_grid(tmp_path: Path) -> None:
    flipped = AFFINE @ np.array([[-1.0, 0, 0, SHAPE[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    truth, mask = save(tmp_path / "truth.nii.gz", TRUTH), save(tmp_path / "mask.nii.gz", TRUTH[::-1], flipped)
    scores, note = score_files(truth, mask)
    assert (scores.dice, note) == (1, "")


def test_a_mask_on_a_finer_grid_is_resampled_and_that_is_said(tmp_path: Path) -> None:
    """Each voxel split in two along z: nearest neighbour gives the same mask back."""
    fine = AFFINE @ np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, -0.25], [0, 0, 0, 1]])
    truth = save(tmp_path / "truth.nii.gz", TRUTH)
    scores, note = score_files(truth, save(tmp_path / "mask.nii.gz", np.repeat(TRUTH, 2, axis=2), fine))
    assert scores.dice == 1
    assert "20x24x32 voxels" in note
    far = AFFINE.copy()
    far[0, 3] += 500
    with pytest.raises(ValueError, match="another space"):
        score_files(truth, save(tmp_path / "far.nii.gz", TRUTH, far))


def test_probabilities_count_from_one_half_on(tmp_path: Path) -> None:
    truth = save(tmp_path / "truth.nii.gz", TRUTH)
    fractions = np.where(TRUTH > 0, 0.7, 0.3).astype(np.float32)
    assert score_files(truth, save(tmp_path / "p.nii.gz", fractions))[0].dice == 1
