"""`brainsift evaluate microbleeds`: masks and points, of a run or of any program, against people's."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.cli.evaluate_microbleeds import read_pair
from brainsift.cli.exits import Exit
from brainsift.evaluate.detection.match import match_marks
from brainsift.store.record_io import write_record
from brainsift.tasks.base import Finding
from tests.cli.conftest import Call
from tests.store.parts import done_record

SHAPE = (40, 40, 20)
AFFINE = np.array([[-0.5, 0, 0, 10], [0, 0.5, 0, -12], [0, 0, 2.0, -16], [0, 0, 0, 1]])
PLACES = [(6, 6, 4), (30, 30, 10), (8, 30, 15)]


def mask_of(places: list[tuple[int, int, int]]) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    for number, (x, y, z) in enumerate(places, start=1):
        mask[x - 1 : x + 2, y - 1 : y + 2, z] = number
    return mask


def save(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, AFFINE), path)
    return path


def write_points(path: Path, rows: list[tuple[float, ...]], names: str = "x\ty\tz") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([names, *("\t".join(str(v) for v in row) for row in rows)]) + "\n")
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Four scans of four people: a mask, points, none, and one used in training."""
    lines = ["scan\tparticipant\tmicrobleeds\tsplit"]
    save(tmp_path / "truth" / "1.nii.gz", mask_of(PLACES))
    write_points(tmp_path / "truth" / "2.tsv", PLACES[:2])
    write_points(tmp_path / "truth" / "3.tsv", [])
    write_points(tmp_path / "truth" / "4.tsv", [])
    for number, (ending, split) in enumerate((("nii.gz", ""), ("tsv", ""), ("tsv", ""), ("tsv", "train")), start=1):
        save(tmp_path / f"sub-0{number}_swi.nii.gz", np.ones(SHAPE, np.uint8))
        lines.append(f"sub-0{number}_swi.nii.gz\tp{number}\ttruth/{number}.{ending}\t{split}")
    path = tmp_path / "labels.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_another_programs_points_and_masks_are_scored(call: Call, labels: Path, tmp_path: Path) -> None:
    names = "x\ty\tz\tprobability"
    write_points(tmp_path / "other" / "sub-01_swi.tsv", [(*PLACES[0], 0.9), (*PLACES[1], 0.4), (1, 38, 1, 0.6)], names)
    save(tmp_path / "other" / "sub-02_swi_microbleeds.nii.gz", mask_of(PLACES[:1]))
    write_points(tmp_path / "other" / "sub-03_swi.tsv", [(20, 20, 10, 0.3)], names)
    arguments = ("evaluate", "microbleeds", "--masks", tmp_path / "other", "--labels", labels)
    answer = call(*arguments, "--tables", tmp_path / "out")
    assert answer.code == Exit.DONE, answer.err
    assert "3 scans of 3 people compared" in answer.out
    assert "1 rows marked `train` or `validation`" in answer.out
    rows = {row["scan"]: row for row in table(tmp_path / "out" / "evaluation_microbleeds.tsv")}
    counts = {scan[:6]: tuple(int(row[name]) for name in ("reference", "found", "false")) for scan, row in rows.items()}
    assert counts == {"sub-01": (3, 2, 1), "sub-02": (2, 1, 0), "sub-03": (0, 0, 1)}
    told = {
        (r["scans"], r["metric"], r["statistic"]): r
        for r in table(tmp_path / "out" / "evaluation_microbleeds_group.tsv")
    }
    assert float(told["all", "tpr", "pooled"]["value"]) == pytest.approx(3 / 5)
    assert float(told["no lesion", "false_per_scan", "mean"]["value"]) == 1
    assert len(table(tmp_path / "out" / "evaluation_microbleeds_froc.tsv")) == 5
    sure = call(*arguments, "--threshold", "0.5", "--tables", tmp_path / "sure")
    assert sure.code == Exit.DONE, sure.err
    rows = {row["scan"]: row for row in table(tmp_path / "sure" / "evaluation_microbleeds.tsv")}
    assert [rows[f"sub-0{n}_swi.nii.gz"]["found"] for n in (1, 2, 3)] == ["1", "1", "0"]
    folded = call(*arguments, "--folds", "3", "--tables", tmp_path / "folds")
    assert folded.code == Exit.DONE, folded.err
    assert len({row["threshold"] for row in table(tmp_path / "folds" / "evaluation_microbleeds.tsv")}) > 1


def test_the_tables_of_a_run_are_found_by_its_records(call: Call, labels: Path, tmp_path: Path) -> None:
    output = tmp_path / "results"
    found = {1: PLACES, 2: PLACES[:2], 3: []}
    for number, places in found.items():
        folder = output / f"sub-0{number}"
        mask = save(folder / "mask.nii.gz", mask_of(places))
        listed = write_points(folder / "table.tsv", [(*(AFFINE @ [*p, 1])[:3], 0.8) for p in places], MM)
        paths = {"microbleeds_mask": mask, "microbleeds_table": listed} if number > 1 else {"microbleeds_mask": mask}
        paths["microbleeds_candidates"] = write_points(folder / "looked.tsv", [(500, 0, 0, 0.1)], MM)
        evidence = {name: path.relative_to(output).as_posix() for name, path in paths.items()}
        finding = Finding(task="microbleeds", label="microbleeds", evidence=evidence)
        write_record(done_record(f"sub-0{number}_swi.nii.gz", participant=f"0{number}", findings=(finding,)), output)
    answer = call("evaluate", "microbleeds", output, "--labels", labels)
    assert answer.code == Exit.DONE, answer.err
    for row in table(output / "evaluation_microbleeds.tsv"):
        assert row["found"] == row["reference"]
        assert row["false"] == "0"
    answer = call("evaluate", "microbleeds", output, "--labels", labels, "--candidates")
    assert answer.code == Exit.DONE, answer.err
    assert [row["false"] for row in table(output / "evaluation_microbleeds.tsv")] == ["1", "1", "1"]


MM = "x_mm\ty_mm\tz_mm\tprobability"


@pytest.mark.parametrize("scan_there", [True, False])
def test_voxels_are_those_of_the_scan_or_else_of_the_mask_on_the_other_side(tmp_path: Path, scan_there: bool) -> None:
    """Stored right to left: voxels of the reordered array would lie on the other side of the head."""
    scan = save(tmp_path / "scan.nii.gz", np.ones(SHAPE, np.uint8)) if scan_there else None
    points = write_points(tmp_path / "points.tsv", PLACES)
    mask = save(tmp_path / "mask.nii.gz", mask_of(PLACES))
    assert match_marks(*read_pair(points, mask, scan)).counts() == (3, 3, 0)
    assert match_marks(*read_pair(mask, points, scan)).counts() == (3, 3, 0)


def test_voxels_of_an_unknown_grid_are_not_guessed(call: Call, labels: Path, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_points(tmp_path / "other" / f"sub-0{number}_swi.tsv", PLACES)
    (tmp_path / "nowhere").mkdir()
    arguments = ("evaluate", "microbleeds", "--masks", tmp_path / "other", "--labels", labels)
    answer = call(*arguments, "--scans", tmp_path / "nowhere")
    assert answer.code == Exit.SCANS_FAILED
    assert "sub-02_swi.nii.gz: The points are in voxels of a scan that is not there" in answer.out
    assert "1 scans of 1 people compared" in answer.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nothing to score"),
        (("--masks", "nowhere"), "There is no folder nowhere"),
        (("--masks", ".", "--threshold", "0.5", "--folds", "2"), "exclude each other"),
        (("--masks", ".", "--folds", "9"), "fewer `--folds`"),
    ],
)
def test_what_cannot_be_scored_is_said(
    call: Call, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = call("evaluate", "microbleeds", "--labels", labels, *arguments)
    assert answer.code == Exit.USAGE
    assert told in answer.err
