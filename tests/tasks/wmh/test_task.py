"""The whole task, network and all, on a simulated head, and that storage changes nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.models.session import load_onnx
from brainsift.scans.read import read_file
from brainsift.scans.ref import ScanRef
from brainsift.tasks.base import Draws, Networked, NotApplicableError
from brainsift.tasks.wmh import TASK
from brainsift.tasks.wmh.marked import mark
from brainsift.tasks.wmh.model import WmhNetwork, network_of
from brainsift.tasks.wmh.native import to_native
from brainsift.tasks.wmh.places import find_places
from brainsift.tasks.wmh.task import WmhTask
from brainsift.tasks.wmh.volumes import region_volumes_ml
from tests.tasks.wmh.scene import anatomy, probability
from tests.tasks.wmh.sick_head import LESIONS, sick_anatomy, write_sick_head
from tests.tasks.wmh.tiny import write_tiny_wmh

REF = ScanRef("scan.nii", "scan", "nifti", (), 0, 0)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> WmhNetwork:
    path = write_tiny_wmh(tmp_path_factory.mktemp("shelf") / "wmh.onnx")
    return network_of(load_onnx(path, "wmh", 1), "tiny", "5" * 64)


def test_it_is_a_task_that_draws_and_takes_its_network_from_a_shelf() -> None:
    assert isinstance(TASK, Draws)
    assert isinstance(TASK, Networked)
    given = WmhTask(lambda: pytest.fail("never opened"))
    assert given.on(Path("elsewhere"), 1) is given


def test_lesions_of_a_tilted_head_are_found_drawn_and_told(network: WmhNetwork, tmp_path: Path) -> None:
    volume = read_file(write_sick_head(tmp_path / "head.nii"))
    drawn = WmhTask(lambda: network).draw(volume, sick_anatomy(), REF, pictures=True)
    finding = drawn.finding
    truth = sum(4 / 3 * np.pi * r**3 for _, r in LESIONS) / 1000
    assert finding.measurements["count"] == len(LESIONS)
    assert finding.measurements["volume_ml"] == pytest.approx(truth, rel=0.2)
    assert (finding.label, finding.model_id, finding.model_sha256) == ("lesions", "tiny", "5" * 64)
    assert "2 lesions" in finding.reason
    mask, levels = drawn.images["wmh_mask"].values, drawn.images["wmh_probability"].values
    assert mask.shape == levels.shape == volume.shape
    voxel_ml = abs(np.linalg.det(volume.affine[:3, :3])) / 1000
    assert finding.measurements["volume_ml"] == pytest.approx(mask.sum() * voxel_ml, abs=0.0006)
    assert (levels[mask > 0] >= 127).all()
    rows = drawn.tables["wmh_lesions"].splitlines()
    first = dict(zip(rows[0].split("\t"), rows[1].split("\t"), strict=True))
    assert [float(first[f"{axis}_mm"]) for axis in "xyz"] == pytest.approx(LESIONS[0][0], abs=1.0)
    stored = nib.load(tmp_path / "head.nii").affine @ [*(float(first[f"{a}_voxel"]) for a in "ijk"), 1.0]
    assert stored[:3] == pytest.approx(LESIONS[0][0], abs=1.0)
    assert set(drawn.pictures) == {"wmh_slices", "wmh_slices_outline"}


def test_a_scan_without_anatomy_or_of_another_contrast_is_not_asked(network: WmhNetwork) -> None:
    task = WmhTask(lambda: network)
    assert not task.applies_to(REF, None)
    assert not task.applies_to(REF, replace(anatomy(), has_brain=False))
    assert task.applies_to(REF, anatomy())
    volume = read_volume()
    with pytest.raises(NotApplicableError, match="anatomy"):
        task.run(volume, None, REF)
    dark = replace(sick_anatomy(), image=1000 - sick_anatomy().image, tissue={})
    with pytest.raises(NotApplicableError, match="not brighter"):
        task.run(volume, dark, REF)


def read_volume():  # type: ignore[no-untyped-def]
    from tests.tasks.wmh.scene import volume

    return volume()


def test_flips_and_other_orders_of_the_axes_change_no_figure(tmp_path: Path) -> None:
    """The 48 ways in which one scan can be stored give the same mask in space, and the same volumes to the digit."""
    shape = (12, 13, 11)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -22.0, -58.0, 8.0
    data = np.random.default_rng(0).integers(0, 99, shape).astype(np.int16)
    found = probability((((4.0, -30.0, 30.0), 9.0),), (40, 44, 40), moved(affine, 1.1))
    told = set()
    for number, (axes, flips) in enumerate(product(permutations(range(3)), product((False, True), repeat=3))):
        path = tmp_path / f"{number}.nii"
        nib.save(nib.Nifti1Image(*stored(data, affine, axes, flips)), path)
        volume = read_file(path)
        native = to_native(found, moved(affine, 1.1), volume)
        marked = mark(native)
        places = find_places(marked, anatomy()) if number % 24 == 0 else None
        if places is not None:
            told.add(tuple(region_volumes_ml(marked, places).values()))
        kept = volume.input_grid.restore(native.whole(marked.mask))
        assert kept.shape == nib.load(path).shape
        assert np.array_equal(unstored(kept, axes, flips), native.whole(marked.mask))
        told.add(marked.volume_mm3)
    assert len(told) == 2


def moved(affine: np.ndarray, mm: float) -> np.ndarray:
    """A grid of 1 mm whose first voxel lies `mm` off that of another."""
    fine = np.eye(4)
    fine[:3, 3] = affine[:3, 3] + mm
    return fine


def stored(data, affine, axes, flips):  # type: ignore[no-untyped-def]
    """The same scan with its axes in another order, some backwards: what `Nifti1Image` takes."""
    order = np.zeros((4, 4))
    order[3, 3] = 1
    for place, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
        order[axis, place] = -1 if flip else 1
        order[axis, 3] = data.shape[axis] - 1 if flip else 0
    turned = np.transpose(data, axes)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    return np.ascontiguousarray(turned), affine @ order


def unstored(data, axes, flips):  # type: ignore[no-untyped-def]
    """Back again."""
    return np.transpose(data[tuple(slice(None, None, -1 if f else 1) for f in flips)], np.argsort(axes))
