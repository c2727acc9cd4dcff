"""Real heads, on the grid of the anatomy pass, defaced with known settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.compute import compute_anatomy
from brainsift.models.errors import ModelError
from brainsift.scans.read import read_file
from brainsift.simulate.deface.geometry import HeadGeometry
from brainsift.simulate.deface.marked import MarkedHead
from brainsift.simulate.deface.plane import Plane, reach_of_plane
from brainsift.simulate.deface.real import deface_real, geometry_of_scan, head_of
from brainsift.simulate.deface.truth import LABELS, measure_defacing

SCANS = Path(__file__).parents[4] / "shared" / "data" / "scans"

Seen = tuple[Anatomy, HeadGeometry]


@pytest.fixture(scope="module", params=["t1w_head_a", "flair_head_a"])
def seen(request: pytest.FixtureRequest) -> Seen:
    path = SCANS / f"{request.param}.nii.gz"
    if not path.is_file():
        pytest.skip(f"{path.name} of the shared test data is not on this machine")
    try:
        anatomy = compute_anatomy(read_file(path))
    except ModelError as error:
        pytest.skip(f"no anatomy network: {error}")
    assert anatomy.to_mni is not None
    return anatomy, geometry_of_scan(anatomy.image, anatomy.affine, anatomy.brain, anatomy.to_mni)


def test_a_real_face_is_found_whole(seen: Seen) -> None:
    _, geometry = seen
    truth = measure_defacing(geometry, np.zeros(geometry.shape, bool))
    assert (truth.eyes, truth.nose, truth.ears) == (1.0, 1.0, 1.0)
    assert truth.label == "failed"


def test_five_buffers_give_the_classes_in_their_order(seen: Seen) -> None:
    _, geometry = seen
    truths = [measure_defacing(geometry, reach_of_plane(Plane(b, ears=True), geometry)) for b in (-25, -8, 4, 30, 55)]
    assert [t.label for t in truths[:2]] == ["excessive", "excessive"]
    assert truths[2].brain_removed_ml < truths[1].brain_removed_ml < truths[0].brain_removed_ml
    assert truths[3].label == truths[4].label == "insufficient"
    left = [t.face for t in truths if t.face is not None]
    assert left == sorted(left)
    assert len(left) == 5


def test_a_real_head_can_be_defaced_with_another_face(seen: Seen, marked: MarkedHead) -> None:
    anatomy, geometry = seen
    rng = np.random.default_rng(4)
    for label in LABELS:
        example = deface_real(
            rng, anatomy.image, anatomy.affine, geometry, label=label, tools=("reface", "shell"), donors=[marked]
        )
        assert np.array_equal(example.image[~example.changed], anatomy.image[~example.changed])
        assert example.truth.other_face == (example.tool == "reface" and bool(example.changed.any()))
        assert example.scan_to_mni == pytest.approx(anatomy.to_mni)


def test_a_brain_mask_on_another_grid_is_refused() -> None:
    image = np.ones((8, 8, 8), np.float32)
    with pytest.raises(ValueError, match="brain mask on the scan's grid"):
        geometry_of_scan(image, np.eye(4), np.ones((4, 4, 4), bool), np.eye(4))
    with pytest.raises(ValueError, match="0 voxels"):
        geometry_of_scan(image, np.eye(4), np.zeros((8, 8, 8), bool), np.eye(4))


def test_the_head_is_filled_and_noise_around_it_is_air(geometry: HeadGeometry, rng: np.random.Generator) -> None:
    noise = np.abs(rng.normal(0, 0.02, geometry.shape)).astype(np.float32)
    hollow = ndimage.binary_erosion(geometry.brain, iterations=5)
    assert hollow.any()
    found = head_of(np.where(geometry.head & ~hollow, np.float32(0.8), noise))
    assert found[hollow].all()
    assert np.count_nonzero(found ^ geometry.head) < 0.06 * np.count_nonzero(geometry.head)
