"""The real stages, on real scans: nothing put in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from brainsift.engine.scan_unit import run_scan
from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.study import list_scans, run_study
from brainsift.models.shelf import inspect
from brainsift.store.record_io import read_record, record_path
from brainsift.store.table import TABLE_NAME, read_table

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data are not beside the project"),
    pytest.mark.skipif(inspect("anatomy").state != "ok", reason="the anatomy network is not on the shelf"),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """INPUT with a whole head, a lesion mask and a file that is cut short, and the OUTPUT of a run on two processes."""
    folder = tmp_path_factory.mktemp("real")
    source, output = folder / "in", folder / "out"
    source.mkdir()
    head = DATA / "scans" / "t1w_head_c_defaced.nii.gz"
    shutil.copy(head, source / "head.nii.gz")
    shutil.copy(sorted((DATA / "lesion_masks").glob("*.nii.gz"))[0], source / "lesions.nii.gz")
    (source / "short.nii.gz").write_bytes(head.read_bytes()[:100_000])
    run_study(source, output, RunSettings(keep_masks=True), RunOptions(nprocs=2))
    return source, output


def test_each_scan_is_a_row_that_says_what_it_is(study: tuple[Path, Path]) -> None:
    rows = {row["scan"]: row for row in read_table(study[1] / TABLE_NAME)}
    assert list(rows) == ["head.nii.gz", "lesions.nii.gz", "short.nii.gz"]
    assert rows["head.nii.gz"]["status"] == "done"
    assert rows["head.nii.gz"]["sequence"] == "T1w"
    assert 900 < float(rows["head.nii.gz"]["brain_ml"]) < 1700
    assert "mask" in rows["lesions.nii.gz"]["reason"]
    assert rows["short.nii.gz"]["status"] == "failed"


def test_the_mask_lies_on_the_grid_of_the_scan_and_holds_the_brain(study: tuple[Path, Path]) -> None:
    import nibabel as nib
    import numpy as np

    source, output = study
    record = read_record(record_path(output, "head"))
    path = output / record.evidence["brain_mask"]
    mask, scan = nib.load(path), nib.load(source / "head.nii.gz")
    assert mask.shape == scan.shape[:3]
    assert np.allclose(mask.affine, scan.affine)
    millilitres = np.asarray(mask.dataobj).sum() * np.prod(mask.header.get_zooms()[:3]) / 1000
    assert millilitres == pytest.approx(float(record.anatomy["brain_ml"] or 0), rel=0.1)
    sidecar = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
    assert sidecar["Sources"] == ["bids:source:head.nii.gz"]


def test_a_worker_and_this_process_say_the_same(study: tuple[Path, Path]) -> None:
    source, output = study
    (ref,) = (ref for ref in list_scans(source, ()) if ref.scan == "head.nii.gz")
    here, there = run_scan(ref, RunSettings(keep_masks=True)), read_record(record_path(output, "head"))
    timed = {"seconds": 0.0, "stage_seconds": {}, "evidence": {}}
    still = [r.model_copy(update=timed | {"findings": tuple(_still(f) for f in r.findings)}) for r in (here, there)]
    assert still[0] == still[1]


def _still(finding):  # type: ignore[no-untyped-def]
    return finding.model_copy(update={"seconds": 0.0})


def test_a_second_run_has_nothing_to_do(study: tuple[Path, Path]) -> None:
    again = run_study(*study, RunSettings(keep_masks=True), RunOptions(nprocs=2))
    assert (again.counts.skipped, again.counts.still_failed, again.counts.done) == (2, 1, 0)
