"""Derive the packaged average head from label maps: fitted by affines, then bent onto their average, twice.

`python -m brainsift.anatomy.atlas_derive LABEL_MAPS` writes it from the sixteen training label maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.atlas_prior import LEVELS, PRIOR_FILE, PRIOR_MM, PRIOR_SHAPE, as_shares, prior_affine
from brainsift.anatomy.atlas_prior import table_coordinates as place
from brainsift.anatomy.labels import group_freesurfer
from brainsift.anatomy.mni import fit_affine
from brainsift.anatomy.mni_reference import load_reference, read_label_map
from brainsift.anatomy.moments import cloud_from_labels
from brainsift.anatomy.register import bend
from brainsift.anatomy.structures import N_STRUCTURES, group_structures
from brainsift.anatomy.voxels import Voxels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

ROUNDS = 3
STEPS = (6, 6, 6)
INVERSION_ROUNDS = 8
SMOOTH_MM = 1.2
"""Keeps the table free of the staircase of 1 mm labels."""

SURE = 0.02
"""Likelihood of a structure that a label map does not show at a place: label maps err too."""


@dataclass(frozen=True, eq=False)
class _Person:
    """One label map: structures at full and at table resolution, and its affines."""

    structures: NDArray[np.uint8]
    affine: Float64
    to_mni: Float64
    shares: Float32
    coarse_affine: Float64


def derive_prior(label_maps: list[Path]) -> NDArray[np.uint8]:
    """The packaged table, uint8 (17, *PRIOR_SHAPE): `LEVELS` = in all label maps.

    Raises
    ------
    ValueError
        if the brain of a label map cannot be fitted to MNI152.
    """
    people = [_read(path) for path in label_maps]
    bent = [np.zeros((3, *p.shares.shape[:3]), np.float32) for p in people]
    levels = _average(people, bent)
    for _ in range(ROUNDS):
        table = as_shares(levels)
        for person, displacement in zip(people, bent, strict=True):
            grid = person.shares.shape[:3]
            at = place(person.to_mni, (grid[0], grid[1], grid[2]), person.coarse_affine)
            shown, everywhere = person.shares.reshape(-1, N_STRUCTURES), Voxels.of(np.ones(grid, np.bool_))
            bend(table, at, everywhere, lambda _, shown=shown: shown, displacement, STEPS)  # type: ignore[misc]
        levels = _average(people, bent)
    return levels


def _read(path: Path) -> _Person:
    from scipy.ndimage import affine_transform, gaussian_filter

    values, affine = read_label_map(path)
    fit = fit_affine(cloud_from_labels(group_freesurfer(values), affine), None, load_reference())
    if fit is None:
        raise ValueError(f"{path.name}: the brain of this label map cannot be fitted to MNI152")
    structures = group_structures(values)
    spacing = float(np.abs(np.linalg.det(affine[:3, :3])) ** (1 / 3))
    step = PRIOR_MM / spacing
    x, y, z = (int(n / step) for n in structures.shape)
    start = (step - 1) / 2
    shares = np.empty((x, y, z, N_STRUCTURES), np.float32)
    for number in range(N_STRUCTURES):
        smooth = gaussian_filter((structures == number).astype(np.float32), step / 3)
        shares[..., number] = affine_transform(smooth, np.full(3, step), np.full(3, start), (x, y, z), order=1)
    coarse = affine @ np.array([[step, 0, 0, start], [0, step, 0, start], [0, 0, step, start], [0, 0, 0, 1.0]])
    return _Person(structures, affine, fit.affine, shares + np.float32(SURE), coarse)


def _average(people: list[_Person], bent: list[Float32]) -> NDArray[np.uint8]:
    """Mean over people and both sides of the labels that the table's voxels show."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    total = np.zeros((N_STRUCTURES, *PRIOR_SHAPE), np.float32)
    for person, displacement in zip(people, bent, strict=True):
        at = _seen_by(person, displacement)
        spacing = float(np.abs(np.linalg.det(person.affine[:3, :3])) ** (1 / 3))
        for number in range(N_STRUCTURES):
            share = gaussian_filter((person.structures == number).astype(np.float32), SMOOTH_MM / spacing)
            total[number] += map_coordinates(share, at, order=1, mode="nearest")
    total += total[:, ::-1].copy()
    levels: NDArray[np.uint8] = np.rint(LEVELS * total / total.sum(axis=0)).astype(np.uint8)
    return levels


def _seen_by(person: _Person, displacement: Float32) -> Float64:
    """Label-map voxels that fall onto the table's voxels, (3, *PRIOR_SHAPE): the bent fit, inverted by iteration."""
    from scipy.ndimage import map_coordinates

    to_map = np.linalg.inv(prior_affine()) @ person.to_mni @ person.coarse_affine
    back = np.linalg.inv(to_map)
    table = np.indices(PRIOR_SHAPE, dtype=np.float64)
    moved = table
    for _ in range(INVERSION_ROUNDS):
        at = np.einsum("ij,jxyz->ixyz", back[:3, :3], moved) + back[:3, 3].reshape(3, 1, 1, 1)
        moved = table - np.stack([map_coordinates(d, at, order=1, mode="nearest") for d in displacement])
    fine = np.linalg.inv(person.affine) @ person.coarse_affine @ back
    result: Float64 = np.einsum("ij,jxyz->ixyz", fine[:3, :3], moved) + fine[:3, 3].reshape(3, 1, 1, 1)
    return result


def _main() -> None:
    import sys

    maps = sorted(Path(sys.argv[1]).glob("head_*_labels.nii.gz"))[:16]  # 17-20 are kept for validation
    np.savez_compressed(Path(__file__).with_name(PRIOR_FILE), levels=derive_prior(maps))


if __name__ == "__main__":
    _main()
