from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.compute import compute_anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.integrity import TASK
from brainsift.tasks.integrity.appearance import sequence_look
from tests.anatomy.synthetic import FLAIR, T1W, T2W, KnownTruth, average_head, render, soft, volume_of


def ref(suffix: str | None = None) -> ScanRef:
    return ScanRef("a.nii.gz", "a", "nifti", (Path("a.nii.gz"),), 1, 1, suffix=suffix)


def scan(contrast: dict[Tissue, float], planes: int | None = None) -> tuple[Volume, Anatomy]:
    labels, affine = average_head()
    labels = labels[:, :, :planes]
    volume = volume_of(render(labels, contrast), affine)
    return volume, compute_anatomy(volume, KnownTruth(volume, soft(labels)))


@pytest.fixture(scope="module")
def t1w() -> tuple[Volume, Anatomy]:
    return scan(T1W)


def test_whole_t1w_is_a_plain_image(t1w: tuple[Volume, Anatomy]) -> None:
    finding = TASK.run(*t1w, ref("T1w"))
    assert (finding.label, finding.flags) == ("image", ())
    assert finding.measurements["sequence"] == "T1w"
    assert finding.reason == "3D T1w scan."


@pytest.mark.parametrize(
    ("contrast", "expected"), [(T1W, "T1w"), (T2W, "T2w"), (FLAIR, "FLAIR")], ids=["T1w", "T2w", "FLAIR"]
)
def test_look_of_the_image_tells_the_sequence(contrast: dict[Tissue, float], expected: str) -> None:
    look = sequence_look(scan(contrast)[1])
    assert max(look, key=lambda name: look[name]) == expected
    assert sum(look.values()) == pytest.approx(1)


def test_wrong_name_is_reported(t1w: tuple[Volume, Anatomy]) -> None:
    finding = TASK.run(*t1w, ref("FLAIR"))
    assert "sequence_conflict" in finding.flags
    assert finding.measurements["sequence"] == "T1w"
    assert "the name says FLAIR but the image says T1w" in finding.reason


def test_cut_brain_is_called_cut_with_its_share() -> None:
    finding = TASK.run(*scan(T1W, planes=70), ref())
    share = finding.measurements["outside_fov"]
    assert finding.label == "cut"
    assert isinstance(share, float)
    assert f"{share:.0%} of the brain outside the field of view" in finding.reason


def test_mask_is_named_without_an_anatomy() -> None:
    mask = np.zeros((20, 20, 20), np.float32)
    mask[5:9, 5:9, 5:9] = 1
    finding = TASK.run(volume_of(mask, np.eye(4)), None, ref("T1w"))
    assert (finding.label, finding.reason) == ("mask", "A mask, not an image.")
    assert finding.measurements["brain_ml"] is None


def test_four_dimensions_and_lost_voxels_are_flagged(t1w: tuple[Volume, Anatomy]) -> None:
    volume, anatomy = t1w
    four_d = volume_of(volume.data, volume.affine, stored_shape=(*volume.shape, 3), nonfinite_voxels=17)
    finding = TASK.run(four_d, anatomy, ref())
    assert set(finding.flags) == {"four_d", "nonfinite"}
    assert "holds 3 volumes" in finding.reason
    assert "17 voxels were not numbers" in finding.reason


def test_every_scan_is_asked() -> None:
    assert TASK.applies_to(ref(), None)
