"""The slices that a finding names, as a picture beside the mosaic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.slice_pictures import MAX_BYTES
from brainsift.engine.scan_unit import run_scan
from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.slices_evidence import named_slices
from brainsift.engine.stages import Stages
from brainsift.engine.study import run_study
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.store.record_io import read_record, record_path
from brainsift.tasks.base import Finding, Task
from tests.anatomy.heads import head
from tests.anatomy.test_pictures import NOSE, finer
from tests.engine.parts import STAGES, BallTask, file_catalog, write_ball
from tests.engine.quality_parts import NamedQuality, know_quality

NAME = "sub/p99"
AT_THE_NOSE = 60
"""An axial slice of the finer head that meets its nose."""

PICTURE = "sub/p99_desc-qualityslices_qc.webp"


def read_head(ref: ScanRef, scratch: Path | None) -> Volume:
    """A simulated head with a face, whatever the file holds."""
    return finer(head().image)


def read_bright_nose(ref: ScanRef, scratch: Path | None) -> Volume:
    """The same head with a face of another brightness."""
    return finer(np.where(NOSE, np.float32(30_000), head().image))


def see_head(volume: Volume, settings: RunSettings, threads: int | None) -> Anatomy:
    return head()


def see_no_brain(volume: Volume, settings: RunSettings, threads: int | None) -> Anatomy:
    return head(has_brain=False)


class MiddleSlices(NamedQuality):
    """A slice through the middle, which motion and noise share, and one through brain and nose."""

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        finding = super().run(volume, anatomy, ref)
        middle = {"motion_worst_slice": 90, "noise_worst_slice": 90, "contrast_worst_slice": AT_THE_NOSE}
        planes = {"motion_worst_plane": "coronal", "noise_worst_plane": "coronal", "contrast_worst_plane": "axial"}
        return finding.model_copy(update={"measurements": {**finding.measurements, **middle, **planes}})


def middle_task(name: str) -> Task:
    return MiddleSlices() if name == "quality" else BallTask()


HEADS = replace(STAGES, read=read_head, anatomy=see_head, task=middle_task)


@pytest.fixture
def ref(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScanRef:
    know_quality(monkeypatch)
    write_ball(tmp_path / "in" / f"{NAME}.nii")
    (found,) = file_catalog(tmp_path / "in", ())
    return found


def pictured(ref: ScanRef, output: Path, stages: Stages = HEADS, **settings: bool) -> tuple[dict[str, str], bytes]:
    """Evidence of the quality finding, and the bytes of its picture."""
    asked = RunSettings(tasks=("quality",), **settings)  # type: ignore[arg-type]
    finding = run_scan(ref, asked, output=output, stages=stages).finding("quality")
    assert finding is not None
    path = output / PICTURE
    return finding.evidence, path.read_bytes() if path.exists() else b""


def test_the_worst_slices_lie_beside_the_mosaic_and_the_finding_says_where(ref: ScanRef, tmp_path: Path) -> None:
    evidence, data = pictured(ref, tmp_path / "out")
    assert evidence == {"worst_slices": PICTURE}
    assert (tmp_path / "out" / "sub" / "p99_desc-mosaic_qc.webp").is_file()
    assert 1000 < len(data) <= MAX_BYTES
    with Image.open(tmp_path / "out" / PICTURE) as picture:
        assert picture.format == "WEBP"
        assert np.ptp(np.asarray(picture)) > 100


def test_the_face_changes_no_byte_of_the_picture(ref: ScanRef, tmp_path: Path) -> None:
    assert NOSE[:, :, AT_THE_NOSE // 2].any()
    bright = pictured(ref, tmp_path / "bright", replace(HEADS, read=read_bright_nose))
    assert pictured(ref, tmp_path / "plain") == bright


def test_a_slice_that_two_artefacts_name_is_shown_once() -> None:
    measured = {
        "motion_worst_plane": "coronal",
        "motion_worst_slice": 90,
        "noise_worst_plane": "coronal",
        "noise_worst_slice": 90,
        "contrast_worst_plane": "axial",
        "contrast_worst_slice": 4,
        "spikes_worst_plane": "oblique",
        "spikes_worst_slice": 4,
        "blur_worst_plane": "axial",
        "tier": 1,
    }
    named = named_slices(Finding(task="quality", label="proper", measurements=measured))
    assert named == {(1, 90): ["motion", "noise"], (2, 4): ["contrast"]}


def test_without_a_brain_or_without_pictures_no_slice_is_shown(ref: ScanRef, tmp_path: Path) -> None:
    assert pictured(ref, tmp_path / "a", replace(HEADS, anatomy=see_no_brain)) == ({}, b"")
    assert pictured(ref, tmp_path / "b", pictures=False) == ({}, b"")


def test_a_finding_that_names_no_slice_gets_no_picture(ref: ScanRef, tmp_path: Path) -> None:
    record = run_scan(ref, RunSettings(tasks=("quality",)), output=tmp_path / "out", stages=HEADS)
    integrity = record.finding("integrity")
    assert integrity is not None
    assert integrity.evidence == {}
    assert not list((tmp_path / "out").rglob("*integrityslices*"))


def test_a_scan_that_is_done_again_leaves_no_picture_of_what_it_was(ref: ScanRef, tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    asked, options = RunSettings(tasks=("quality",)), RunOptions(nprocs=1)
    run_study(source, output, asked, options, stages=HEADS, catalog=file_catalog)
    assert (output / PICTURE).is_file()
    unseen = replace(HEADS, anatomy=see_no_brain, models=other_models)
    run_study(source, output, asked, options, stages=unseen, catalog=file_catalog)
    assert not (output / PICTURE).exists()
    finding = read_record(record_path(output, NAME)).finding("quality")
    assert finding is not None
    assert finding.evidence == {}


def other_models(settings: RunSettings) -> dict[str, str]:
    return {"threshold": "1" * 64}
