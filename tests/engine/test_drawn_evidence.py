"""Masks, maps, tables and pictures of the lesion task beside the record, on the grid of the input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from brainsift.anatomy.anatomy import Anatomy
from brainsift.engine.scan_unit import run_scan
from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.stages import Stages
from brainsift.engine.study import run_study
from brainsift.models.session import load_onnx
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.store.record import Record
from brainsift.store.record_io import read_record, record_path
from brainsift.store.table import TABLE_NAME, read_table
from brainsift.tasks.base import Finding, NotApplicableError, Task
from brainsift.tasks.wmh.model import WmhNetwork, network_of
from brainsift.tasks.wmh.task import WmhTask
from tests.engine.parts import STAGES, BallTask, file_catalog
from tests.tasks.wmh.sick_head import sick_anatomy, write_sick_head
from tests.tasks.wmh.tiny import write_tiny_wmh

NAME = "ward/p07_T1"
MASK = f"{NAME}_space-orig_label-L_desc-wmh_mask.nii.gz"
PROBABILITY = f"{NAME}_space-orig_label-L_desc-wmh_probseg.nii.gz"
TABLE = f"{NAME}_desc-wmhlesions_table.tsv"
PICTURES = (f"{NAME}_desc-wmhslices_qc.webp", f"{NAME}_desc-wmhslicesoutline_qc.webp")


def see_sick(volume: Volume, settings: RunSettings, threads: int | None) -> Anatomy:
    return sick_anatomy()


class OtherTask(BallTask):
    """Says that it is a FLAIR."""

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        return Finding(task="integrity", label="image", measurements={"sequence": "FLAIR", "dimension": "3D"})


class Unfit(BallTask):
    """Finds out only when it looks that its question does not apply."""

    name = "wmh"

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        raise NotApplicableError("White matter is not brighter than fluid.")


def stages_with(network: WmhNetwork, integrity: Task) -> Stages:
    def task(name: str) -> Task:
        return WmhTask(lambda: network) if name == "wmh" else integrity

    return replace(STAGES, anatomy=see_sick, task=task)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Record]:
    """INPUT, OUTPUT and the record of a study of one oblique scan."""
    folder = tmp_path_factory.mktemp("study")
    source, output = folder / "in", folder / "out"
    write_sick_head(source / f"{NAME}.nii")
    network = network_of(load_onnx(write_tiny_wmh(folder / "wmh.onnx"), "wmh", 1), "tiny", "5" * 64)
    run_study(
        source,
        output,
        RunSettings(tasks=("wmh",)),
        RunOptions(nprocs=1),
        stages=stages_with(network, BallTask()),
        catalog=file_catalog,
    )
    return source, output, read_record(record_path(output, NAME))


def test_the_finding_names_the_mask_first_and_all_that_was_written(done: tuple[Path, Path, Record]) -> None:
    _, output, record = done
    finding = record.finding("wmh")
    assert finding is not None
    assert finding.evidence == {
        "wmh_mask": MASK,
        "wmh_probability": PROBABILITY,
        "wmh_lesions": TABLE,
        "wmh_slices": PICTURES[0],
        "wmh_slices_outline": PICTURES[1],
    }
    assert next(iter(finding.evidence)) == "wmh_mask"  # labels of the review take the first image
    assert all((output / path).is_file() for path in finding.evidence.values())
    assert finding.seconds > 0


def test_mask_and_map_share_the_grid_of_the_input_exactly(done: tuple[Path, Path, Record]) -> None:
    source, output, _ = done
    scan = nib.load(source / f"{NAME}.nii")
    for path in (MASK, PROBABILITY):
        image = nib.load(output / path)
        assert image.shape == scan.shape
        assert np.array_equal(image.affine, scan.affine)
        assert image.header.get_xyzt_units() == scan.header.get_xyzt_units()
        assert [int(image.header[f"{form}_code"]) for form in ("sform", "qform")] == [
            int(scan.header[f"{form}_code"]) for form in ("sform", "qform")
        ]


def test_the_map_holds_probabilities_in_bytes_and_the_mask_follows_from_it(done: tuple[Path, Path, Record]) -> None:
    _, output, record = done
    finding = record.finding("wmh")
    assert finding is not None
    mask, kept = nib.load(output / MASK), nib.load(output / PROBABILITY)
    assert kept.get_data_dtype() == np.uint8
    assert float(kept.dataobj.slope) == pytest.approx(1 / 255, rel=1e-6)
    probability, marked = np.asarray(kept.dataobj), np.asarray(mask.dataobj)
    assert 0 < probability.max() <= 1
    assert len(np.unique(probability)) > 20  # graded, not a second mask
    assert set(np.unique(marked)) == {0, 1}
    assert ((probability >= 0.5) & (marked == 0)).sum() * voxel_ml(mask) < 0.1  # specks alone
    assert marked.sum() * voxel_ml(mask) == pytest.approx(finding.measurements["volume_ml"], abs=0.001)
    sidecar = json.loads((output / MASK.replace(".nii.gz", ".json")).read_text())
    assert sidecar["Sources"] == [f"bids:source:{NAME}.nii"]
    assert "tiny" in sidecar["Description"]


def voxel_ml(image: nib.Nifti1Image) -> float:
    return float(abs(np.linalg.det(image.affine[:3, :3]))) / 1000


def test_table_picture_and_decision(done: tuple[Path, Path, Record]) -> None:
    _, output, record = done
    finding, decision = record.finding("wmh"), record.decision("wmh")
    assert finding is not None
    assert decision is not None
    rows = (output / TABLE).read_text().splitlines()
    assert len(rows) == 1 + int(finding.measurements["count"] or 0)
    with Image.open(output / PICTURES[0]) as plain, Image.open(output / PICTURES[1]) as outline:
        assert plain.size == outline.size
        drawn = np.asarray(outline.convert("RGBA"))
        assert drawn[..., 3].any()
        assert not drawn[..., 3].all()
    (row,) = read_table(output / TABLE_NAME)
    assert float(row["wmh_ml"]) == finding.measurements["volume_ml"]
    assert row["wmh_count"] == str(finding.measurements["count"])
    assert row["wmh_decision"] == decision.action.value
    regions = [float(row[f"wmh_{name}_ml"]) for name in ("periventricular", "juxtacortical", "deep", "infratentorial")]
    assert round(sum(regions), 3) == float(row["wmh_ml"])


def test_other_sequences_are_not_asked_and_the_record_says_why(done: tuple[Path, Path, Record]) -> None:
    (ref,) = file_catalog(done[0], ())

    def never() -> WmhNetwork:
        raise AssertionError("the network was opened")

    def task(name: str) -> Task:
        return WmhTask(never) if name == "wmh" else OtherTask()

    record = run_scan(ref, RunSettings(tasks=("wmh",)), stages=replace(STAGES, task=task, anatomy=see_sick))
    assert record.status == "done"
    assert record.finding("wmh") is None
    assert "FLAIR" in record.not_asked["wmh"]


def test_what_a_task_finds_out_when_it_looks_is_no_failure_of_the_scan(done: tuple[Path, Path, Record]) -> None:
    (ref,) = file_catalog(done[0], ())

    def task(name: str) -> Task:
        return Unfit() if name == "wmh" else BallTask()

    record = run_scan(ref, RunSettings(tasks=("wmh",)), stages=replace(STAGES, task=task, anatomy=see_sick))
    assert record.status == "done"
    assert record.not_asked["wmh"] == "White matter is not brighter than fluid."
