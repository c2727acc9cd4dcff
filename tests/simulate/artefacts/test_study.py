from __future__ import annotations

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.evaluate.labels import read_labels
from brainsift.simulate.artefacts.grades import contrast_grade, motion_grade, noise_grade, whole
from brainsift.simulate.artefacts.study import ARTEFACTS, simulate_artefact
from brainsift.simulate.heads import grid_shape

SPACING_MM = 4.0


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_every_scan_has_its_parameters_its_measurements_and_the_grades_that_follow(
    artefact: str, phantom_files: list[Path], tmp_path: Path
) -> None:
    done: list[int] = []
    rows = _rows(simulate_artefact(artefact, tmp_path, phantom_files, 3, 5, SPACING_MM, done.append))
    assert done == [1, 2, 3]
    for row in rows:
        assert nib.load(tmp_path / row["scan"]).shape == grid_shape(SPACING_MM)
        note = json.loads((tmp_path / row["scan"].replace(".nii.gz", "_parameters.json")).read_text())
        assert ({"motion", "lost_contrast"} & note.keys()) == (
            {"motion": {"motion"}, "contrast": {"lost_contrast"}, "noise": set()}[artefact]
        )
        expected = motion_grade(float(row["displacement_mm"]), float(row["change"]))
        assert float(row["motion"]) == pytest.approx(expected, abs=2e-3)
        assert float(row["noise"]) == pytest.approx(noise_grade(float(row["snr"])), abs=2e-3)
        assert float(row["contrast"]) == pytest.approx(contrast_grade(float(row["relative_contrast"])), abs=2e-3)
        assert (float(row["displacement_mm"]) > 0) == (artefact == "motion")
    assert len({row[artefact] for row in rows}) > 1


def test_the_labels_can_be_read_and_hold_whole_grades(phantom_files: list[Path], tmp_path: Path) -> None:
    rows = _rows(simulate_artefact("noise", tmp_path, phantom_files, 3, 6, SPACING_MM))
    labels = read_labels(tmp_path / "labels.tsv")
    assert [label.scan for label in labels] == [row["scan"] for row in rows]
    assert [label.noise for label in labels] == [whole(float(row["noise"])) for row in rows]
    assert all(label.proper and label.sequence == "T1w" for label in labels)


def test_the_same_seed_gives_the_same_scans(phantom_files: list[Path], tmp_path: Path) -> None:
    for folder in ("a", "b"):
        simulate_artefact("motion", tmp_path / folder, phantom_files, 1, 7, SPACING_MM)
    first, second = ((tmp_path / folder / "motion_0001.nii.gz").read_bytes() for folder in ("a", "b"))
    assert first == second
    simulate_artefact("motion", tmp_path / "c", phantom_files, 1, 8, SPACING_MM)
    third = np.asanyarray(nib.load(tmp_path / "c" / "motion_0001.nii.gz").dataobj)
    assert not np.array_equal(third, np.asanyarray(nib.load(tmp_path / "a" / "motion_0001.nii.gz").dataobj))


def test_an_unknown_artefact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"motion, noise, contrast.*got sneeze"):
        simulate_artefact("sneeze", tmp_path)
