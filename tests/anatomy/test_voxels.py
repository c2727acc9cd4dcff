"""Lists of voxels with their neighbours."""

import numpy as np

from brainsift.anatomy.voxels import Voxels


def some(seed: int = 0) -> tuple[np.ndarray, Voxels, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = rng.random((7, 5, 6)) < 0.3
    return mask, Voxels.of(mask), rng.normal(size=(2, 7, 5, 6)).astype(np.float32)


def test_what_is_taken_can_be_put_back() -> None:
    mask, voxels, field = some()
    taken = voxels.take(field)
    assert taken.shape == (2, np.count_nonzero(mask))
    np.testing.assert_array_equal(voxels.put(taken, outside=9.0), np.where(mask, field, np.float32(9)))


def test_halo_holds_each_voxel_and_its_face_neighbours() -> None:
    mask, voxels, field = some(1)
    halo = voxels.take_halo(field)
    np.testing.assert_array_equal(halo[:, voxels.here], voxels.take(field))
    padded = np.pad(field, [(0, 0), (1, 1), (1, 1), (1, 1)], mode="edge")
    for axis in range(3):
        shifted = [
            padded[:, *(slice(1 + step * (a == axis), 1 + step * (a == axis) + n) for a, n in enumerate(mask.shape))]
            for step in (-1, 1)
        ]
        np.testing.assert_array_equal(halo[:, voxels.before[axis]], shifted[0][:, mask])
        np.testing.assert_array_equal(halo[:, voxels.after[axis]], shifted[1][:, mask])


def test_an_empty_mask_has_no_voxels() -> None:
    voxels = Voxels.of(np.zeros((3, 4, 5), np.bool_))
    assert voxels.put(voxels.take(np.ones((3, 4, 5), np.float32))).sum() == 0
