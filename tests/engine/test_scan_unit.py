"""One scan from reference to record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.engine.scan_unit import LOG_SUFFIX, run_scan
from brainsift.engine.settings import RunSettings
from brainsift.scans.errors import ScanError
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.stage_clock import whole_stages
from brainsift.store.files import derived_path
from brainsift.tasks.base import Finding
from tests.engine.parts import MODELS, STAGES, BallTask, file_catalog, write_ball


def only_scan(folder: Path, name: str = "scan") -> ScanRef:
    write_ball(folder / "in" / f"{name}.nii", seed=1)
    (ref,) = file_catalog(folder / "in", ())
    return ref


def test_a_record_says_what_was_read_with_what_and_how_long_each_stage_took(tmp_path: Path) -> None:
    ref = only_scan(tmp_path)
    record = run_scan(ref, RunSettings(), stages=STAGES)
    assert record.status == "done"
    assert record.input.stored_shape == (20, 20, 20)
    assert record.input.spacing_mm == (4.0, 4.0, 4.0)
    assert record.input.fingerprint == f"{ref.size}:{ref.mtime_ns}"
    assert record.models == MODELS
    assert record.settings_sha256 == RunSettings().sha256()
    assert set(record.stage_seconds) == {"read", "anatomy", "integrity"}
    assert record.seconds >= sum(whole_stages(record.stage_seconds).values()) - 0.001
    assert record.decisions[0].action == "accept"


class OnShelf(BallTask):
    """A task with a network of its own, that says where it would take it from."""

    def __init__(self, told: str = "nowhere") -> None:
        self.told = told

    def on(self, shelf: Path | None, threads: int | None) -> OnShelf:
        """Remember both."""
        return OnShelf(f"{shelf} {threads}")

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Say what was remembered."""
        return super().run(volume, anatomy, ref).model_copy(update={"reason": self.told})


def test_a_task_with_a_network_takes_it_from_the_user_s_shelf_with_its_share_of_the_cores(tmp_path: Path) -> None:
    stages = replace(STAGES, task=lambda name: OnShelf())
    settings = RunSettings(shelf=tmp_path / "ours")
    record = run_scan(only_scan(tmp_path), settings, stages=stages, threads=1)
    assert record.findings[0].reason == f"{tmp_path / 'ours'} 1"


def test_nothing_is_written_without_an_output(tmp_path: Path) -> None:
    ref = only_scan(tmp_path, "bug")
    before = sorted(tmp_path.rglob("*"))
    record = run_scan(ref, RunSettings(keep_masks=True), stages=STAGES)
    assert record.failure is not None
    assert "brainsift info" in record.failure.remedy
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("name", "kind"), [("refused", "odd"), ("memory", "out_of_memory"), ("bug", "internal_error")])
def test_what_goes_wrong_is_told_apart(name: str, kind: str, tmp_path: Path) -> None:
    record = run_scan(only_scan(tmp_path, name), RunSettings(), output=tmp_path / "out", stages=STAGES)
    assert record.failure is not None
    assert (record.failure.kind, record.failure.stage) == (kind, "integrity")
    assert record.reason == record.failure.cause
    assert record.failure.remedy


def test_the_log_of_an_unforeseen_error_holds_code_and_no_data(tmp_path: Path) -> None:
    ref = only_scan(tmp_path, "bug")
    record = run_scan(ref, RunSettings(), output=tmp_path / "out", stages=STAGES)
    log = derived_path(tmp_path / "out", ref.stem, LOG_SUFFIX)
    assert record.failure is not None
    assert log.name in record.failure.remedy
    text = log.read_text()
    assert "KeyError" in text
    assert "parts.py" in text
    assert "Doe" not in text
    assert "Doe" not in record.model_dump_json()


def test_a_file_that_is_no_image_fails_in_reading(tmp_path: Path) -> None:
    ref = only_scan(tmp_path)
    ref.paths[0].write_bytes(b"no image")
    record = run_scan(ref, RunSettings(), stages=STAGES)
    assert record.failure is not None
    assert record.failure.stage == "read"
    assert record.anatomy == {}


def refuse(volume: Volume, settings: RunSettings, threads: int | None) -> Anatomy:
    raise ScanError("constant", "All voxels have one value.", "Convert it again.")


def test_a_scan_without_anatomy_still_gets_its_integrity_answered(tmp_path: Path) -> None:
    stages = replace(STAGES, anatomy=refuse)
    record = run_scan(only_scan(tmp_path, "mask"), RunSettings(), stages=stages)
    assert record.status == "done"
    assert record.findings[0].label == "mask"
    assert record.decisions[0].action == "reject"


def test_an_image_without_anatomy_has_failed(tmp_path: Path) -> None:
    record = run_scan(only_scan(tmp_path), RunSettings(), stages=replace(STAGES, anatomy=refuse))
    assert record.failure is not None
    assert (record.failure.kind, record.failure.stage) == ("constant", "anatomy")


def test_a_mask_is_written_on_the_grid_that_the_scan_came_on(tmp_path: Path) -> None:
    source = tmp_path / "in" / "oblique.nii"
    source.parent.mkdir()
    data = np.zeros((12, 16, 9), dtype=np.int16)
    data[2:6, 3:12, 4:8] = 100
    turn = np.array([[0.0, 0.1, -3.0], [2.0, 0.0, 0.2], [0.0, -4.0, 0.0]])
    affine = np.eye(4)
    affine[:3, :3] = turn
    affine[:3, 3] = (10, -20, 30)
    nib.save(nib.Nifti1Image(data, affine), source)
    (ref,) = file_catalog(source.parent, ())
    record = run_scan(ref, RunSettings(keep_masks=True, pictures=False), output=tmp_path / "out", stages=STAGES)
    mask = nib.load(tmp_path / "out" / record.evidence["brain_mask"])
    assert np.array_equal(np.asarray(mask.dataobj), (data > 50).astype(np.uint8))
    assert np.allclose(mask.affine, affine)


def test_no_mask_is_kept_of_what_is_no_image(tmp_path: Path) -> None:
    record = run_scan(only_scan(tmp_path, "mask"), RunSettings(keep_masks=True), output=tmp_path / "out", stages=STAGES)
    assert "brain_mask" not in record.evidence
    assert "mosaic" in record.evidence


def test_a_task_that_does_not_apply_is_not_asked(tmp_path: Path) -> None:
    class Shy(BallTask):
        def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
            return False

    record = run_scan(only_scan(tmp_path), RunSettings(), stages=replace(STAGES, task=lambda name: Shy()))
    assert record.findings == ()
    assert record.status == "done"


def test_a_task_kept_to_other_sequences_is_not_asked_and_the_record_says_so(source: Path) -> None:
    ref = next(iter(file_catalog(source, ())))
    flair = RunSettings(tasks=("quality",), only_for=(("quality", ("FLAIR",)),))
    record = run_scan(ref, flair, stages=STAGES)
    assert record.not_asked == {"quality": "The run asks it of FLAIR scans alone, and this one is taken for T1w."}
    both = RunSettings(tasks=("quality",), only_for=(("quality", ("FLAIR", "T1w")),))
    assert run_scan(ref, both, stages=STAGES).not_asked == {}
