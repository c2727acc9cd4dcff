"""The shear takes the face and never the brain; files stay what they were but for the voxels that are cleared."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.engine.defacing.clear import clear_voxels
from brainsift.engine.defacing.shear import ear_planes, face_plane, shear_mask
from brainsift.scans.errors import ScanError
from brainsift.scans.read import read_file
from brainsift.tasks.defacing.average import BOXES, box_slices
from brainsift.tasks.defacing.frame import GRID_MM, GRID_ORIGIN_MM
from tests.tasks.defacing.scene import average_masks, scan


def left(cleared: np.ndarray, feature: str) -> float:
    """Share of a feature's tissue that stays."""
    head, kept = average_masks()[0], ~cleared
    parts = [box_slices(box) for box in BOXES[feature]]
    return float(sum((head & kept)[p].sum() for p in parts) / sum(head[p].sum() for p in parts))


def test_face_and_ears_go_and_the_brain_stays() -> None:
    volume, anatomy = scan()
    cleared = shear_mask(volume, anatomy, 5.0)
    assert not (cleared & anatomy.brain).any()
    assert max(left(cleared, name) for name in ("nose", "mouth")) < 0.05
    assert left(cleared, "ears") < 0.5
    assert left(shear_mask(volume, anatomy, 5.0, ears=False), "ears") > 0.8


def test_a_wider_buffer_takes_less() -> None:
    volume, anatomy = scan()
    taken = [int(shear_mask(volume, anatomy, mm, ears=False).sum()) for mm in (0.0, 5.0, 10.0, 20.0)]
    assert taken == sorted(taken, reverse=True)
    assert taken[0] > 1.2 * taken[-1]


def test_planes_keep_their_distance_from_the_brain() -> None:
    brain = np.argwhere(average_masks()[1]) * GRID_MM + GRID_ORIGIN_MM
    for plane in (face_plane(brain, 7.0), *ear_planes(brain, 7.0)):
        assert np.linalg.norm(plane.normal) == pytest.approx(1)
        assert (brain @ np.asarray(plane.normal)).max() == pytest.approx(plane.offset - 7.0)
        assert not plane.beyond(brain).any()


def test_sides_are_told_apart_by_the_fit_and_not_by_the_file() -> None:
    """A scan that lies elsewhere in space is cut in the same place."""
    volume, anatomy = scan()
    turned = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    elsewhere = replace(anatomy, affine=turned, to_mni=np.diag([-1.0, -1.0, 1.0, 1.0]))
    assert (shear_mask(replace(volume, affine=turned), elsewhere) == shear_mask(volume, anatomy)).all()


def test_without_a_brain_nothing_is_cut() -> None:
    volume, anatomy = scan()
    for lost in (replace(anatomy, to_mni=None), replace(anatomy, has_brain=False)):
        with pytest.raises(ValueError, match="brain"):
            shear_mask(volume, lost)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize(("slope", "inter"), [(1.0, 0.0), (0.5, -100.0)])
def test_only_cleared_voxels_differ_in_the_file(tmp_path: Path, ending: str, slope: float, inter: float) -> None:
    raw = np.random.default_rng(1).integers(300, 900, (5, 6, 7, 2)).astype(np.int16)
    affine = np.array([[0, -2.0, 0, 3], [2.0, 0, 0, -4], [0, 0, 3.0, 5], [0, 0, 0, 1]])
    image = nib.Nifti1Image(raw, affine)
    image.header["descrip"] = b"left as it is"
    source, target = tmp_path / f"a{ending}", tmp_path / f"b{ending}"
    nib.save(image, source)
    content = bytearray(gzip.decompress(source.read_bytes()) if ending == ".nii.gz" else source.read_bytes())
    content[112:120] = np.array([slope, inter], "<f4").tobytes()
    source.write_bytes(gzip.compress(bytes(content)) if ending == ".nii.gz" else bytes(content))
    volume = read_file(source)
    cleared = volume.data > np.median(volume.data)
    clear_voxels(source, volume, cleared, target)
    made = gzip.decompress(target.read_bytes()) if ending == ".nii.gz" else target.read_bytes()
    assert made[:352] == bytes(content[:352])
    again = read_file(target)
    assert (again.data[cleared] == 0).all()
    assert (again.data[~cleared] == volume.data[~cleared]).all()
    stored = np.frombuffer(made, np.int16, offset=352).reshape(raw.shape, order="F")
    same = stored == raw
    assert (same[..., 0] == same[..., 1]).all(), "every volume is cleared in the same place"


def test_other_formats_are_refused(tmp_path: Path) -> None:
    volume, _ = scan()
    with pytest.raises(ScanError, match="Convert"):
        clear_voxels(tmp_path / "a.mgz", volume, volume.data > 0, tmp_path / "b.nii")
