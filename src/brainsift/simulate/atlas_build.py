"""Build the head atlas from whole-head label maps: align, register, average, take the modes of shape."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.atlas import LEVELS, RIGHT_OF_LEFT, Atlas, save_atlas
from brainsift.simulate.contrast import twin
from brainsift.simulate.labelmap import LabelMap, load_label_map
from brainsift.simulate.register import register, warp
from brainsift.simulate.separable import along, linear_interpolation

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

COARSE = 3
"""Registration works on blocks of so many voxels: 6 mm."""


@dataclass(frozen=True)
class Grid:
    """Where the atlas is computed, symmetric in x about the centre of the brain's structures.

    Attributes
    ----------
    shape : (X, Y, Z), multiples of `COARSE`, X even; wide enough for ears, nose and chin.
    spacing_mm : isotropic.
    first_mm : y and z of voxel (0, 0, 0).
    """

    shape: tuple[int, int, int] = (96, 129, 117)
    spacing_mm: float = 2.0
    first_mm: tuple[float, float] = (-113.0, -125.0)

    @property
    def origin_mm(self) -> Float64:
        """Voxel (0, 0, 0) about the centre of the brain's structures, (3,)."""
        return np.array([-(self.shape[0] - 1) * self.spacing_mm / 2, *self.first_mm])

    @property
    def coarse(self) -> tuple[int, int, int]:
        """Blocks along x, y and z."""
        x, y, z = (n // COARSE for n in self.shape)
        return x, y, z


ROUNDS, ITERATIONS = 2, 25
N_MODES = 6
"""Of sixteen heads: the main ways to differ, too few to rebuild any of them."""

ANCHORS = (2, 3, 4, 7, 8, 10, 11, 12, 13, 16, 17, 18)
"""Structures whose centres place a head in the atlas."""

MERGED = {25: 2, 77: 2, 78: 2, 79: 2, 85: 2, 136: 3, 163: 3, 5: 4, 31: 4, 63: 4, 72: 14, 26: 11, 30: 24}
"""Small or uncertain labels → the class that takes them in."""

CHANNELS: tuple[tuple[int, ...], ...] = (
    (2,), (3,), (24,), (4, 14), (10, 11, 12, 13, 28), (16, 15), (7, 8), (17, 18), (515, 516), (506, 530), (0,),
)  # fmt: skip
"""What is brought into register: brain tissues, skull, eyes, air."""

FACE_BELOW_MM = 100.0
"""A head whose front reaches so far below the brain's centre has its face; one cut below the eyes ends at 80 mm."""
CUT_HEADS_COUNT_ABOVE_MM = -45.0
"""The part of the atlas, relative to the brain's centre, in which heads without a face have a say."""


@dataclass(frozen=True, eq=False)
class _Head:
    """One label map in the atlas: class index and the affine (3, 4) from atlas mm to its voxels."""

    classes: NDArray[np.uint8]
    to_voxels: Float64
    whole: bool


def build_atlas(label_maps: Sequence[Path], report: Callable[[str], None] = print, grid: Grid | None = None) -> Atlas:
    """Build an atlas from label maps of whole heads with FreeSurfer's values and clusters above 500.

    Heads that are cut below the eyes contribute to the upper part alone.

    Raises
    ------
    ValueError
        if fewer than three label maps are given, or one lacks a structure that places it.
    """
    grid = grid or Grid()
    if len(label_maps) < 3:
        raise ValueError(f"an atlas needs three label maps at the least, got {len(label_maps)}")
    maps = []
    for path in label_maps:
        maps.append(load_label_map(path))
        report(f"read {path.name}")
    values = np.unique([_merge(int(v)) for m in maps for v in m.values])
    affines = _align([_centres(m, p.name) for m, p in zip(maps, label_maps, strict=True)])
    heads = [_Head(_class_map(m, values), a / m.spacing_mm, _has_face(m)) for m, a in zip(maps, affines, strict=True)]
    if not any(h.whole for h in heads):
        raise ValueError("an atlas needs a label map with a whole face, got none that reaches below the nose")
    displacements = _group_register(heads, values, grid, report)
    levels = _average(heads, values, displacements, grid)
    size_sd, stretch_sd = _sizes(affines, maps)
    return Atlas(
        values=values,
        levels=levels,
        spacing_mm=grid.spacing_mm,
        origin_mm=grid.origin_mm,
        modes_mm=_modes(displacements) * np.float32(COARSE * grid.spacing_mm),
        mode_spacing_mm=2 * COARSE * grid.spacing_mm,
        mode_offset_mm=(COARSE - 1) / 2 * grid.spacing_mm,
        size_sd=size_sd,
        stretch_sd=stretch_sd,
    )


def _merge(value: int) -> int:
    left = twin(value)
    return MERGED.get(left, left)


def _class_map(head: LabelMap, values: NDArray[np.int64]) -> NDArray[np.uint8]:
    table = np.searchsorted(values, [_merge(int(v)) for v in head.values]).astype(np.uint8)
    return table[head.codes]


def _has_face(head: LabelMap) -> bool:
    front = head.codes[:, int(head.centre[1] + 30 / head.spacing_mm) :].any(axis=(0, 1))
    lowest = float(np.flatnonzero(front)[0]) if front.any() else float(head.centre[2])
    return bool((head.centre[2] - lowest) * head.spacing_mm > FACE_BELOW_MM)


def _centres(head: LabelMap, name: str) -> Float64:
    """Centres in mm of the anchors, left then right, (2 * len(ANCHORS), 3)."""
    step = 2
    values = head.values[head.codes[::step, ::step, ::step]]
    wanted = [*ANCHORS, *(RIGHT_OF_LEFT.get(a, a) for a in ANCHORS)]
    missing = sorted(set(wanted) - set(np.unique(values).tolist()))
    if missing:
        raise ValueError(f"{name}: the structures {missing} are missing; an atlas needs whole brains")
    return np.array(ndimage.center_of_mass(values > 0, values, wanted)) * step * head.spacing_mm


def _align(centres: list[Float64]) -> list[Float64]:
    """Affines (3, 4), atlas mm → label-map mm, by least squares on the centres of structures."""
    n = len(ANCHORS)
    average = centres[0] - centres[0].mean(axis=0)
    for _ in range(3):
        average = np.mean([_rigid(c, average) for c in centres], axis=0)
    across = (average[n:] - average[:n]).sum(axis=0)
    average = average @ _turn_onto_x(across).T
    mirrored = np.concatenate([average[n:], average[:n]]) * [-1, 1, 1]
    average = (average + mirrored) / 2
    design = np.column_stack([average, np.ones(len(average))])
    return [np.linalg.lstsq(design, c, rcond=None)[0].T for c in centres]


def _rigid(points: Float64, target: Float64) -> Float64:
    """`points` moved onto `target` by rotation and shift."""
    from scipy.spatial.transform import Rotation

    centred = points - points.mean(axis=0)
    turn, _ = Rotation.align_vectors(target - target.mean(axis=0), centred)
    moved: Float64 = turn.apply(centred)
    return moved


def _turn_onto_x(direction: Float64) -> Float64:
    """Smallest rotation (3, 3) that brings `direction` onto x."""
    from scipy.spatial.transform import Rotation

    unit = direction / np.linalg.norm(direction)
    axis = np.cross(unit, [1.0, 0.0, 0.0])
    sine = np.linalg.norm(axis)
    angle = np.arctan2(sine, unit[0])
    matrix: Float64 = Rotation.from_rotvec(axis / max(float(sine), 1e-12) * angle).as_matrix()
    return matrix


def _sample(head: _Head, grid: Grid, displacement: Float32 | None) -> NDArray[np.uint8]:
    """Classes of a head on the atlas grid; `displacement` (3, x, y, z) in coarse voxels."""
    axes = [
        np.arange(n, dtype=np.float32) * np.float32(grid.spacing_mm) + np.float32(o)
        for n, o in zip(grid.shape, grid.origin_mm, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"))
    if displacement is not None:
        points += np.float32(COARSE * grid.spacing_mm) * _to_atlas_grid(displacement, grid)
    at = np.einsum("ij,jxyz->ixyz", head.to_voxels[:, :3].astype(np.float32), points)
    at += head.to_voxels[:, 3].astype(np.float32).reshape(3, 1, 1, 1) + np.float32(0.5)
    voxel = np.floor(at).astype(np.int32)
    size = np.array(head.classes.shape).reshape(3, 1, 1, 1)
    inside = ((voxel >= 0) & (voxel < size)).all(axis=0)
    voxel *= inside
    return np.where(inside, head.classes[tuple(voxel)], np.uint8(0))


def _to_atlas_grid(displacement: Float32, grid: Grid) -> Float32:
    """Interpolate (3, x, y, z) from the centres of the coarse voxels to the atlas grid."""
    ups = [
        linear_interpolation((np.arange(n) - (COARSE - 1) / 2) / COARSE, m)
        for n, m in zip(grid.shape, displacement.shape[1:], strict=True)
    ]
    fine = []
    for component in displacement:
        for axis, up in enumerate(ups):
            component = along(up, np.ascontiguousarray(component), axis)
        fine.append(component)
    return np.stack(fine)


def _channels(classes: NDArray[np.uint8], values: NDArray[np.int64], grid: Grid) -> Float32:
    """Share of each of `CHANNELS` in blocks of `COARSE` voxels, float32 (K, x, y, z)."""
    x, y, z = grid.coarse
    table = np.full(len(values), len(CHANNELS))
    for channel, labels in enumerate(CHANNELS):
        table[np.isin(values, labels)] = channel
    channel_of = table[classes]
    blocks = [
        (channel_of == k).reshape(x, COARSE, y, COARSE, z, COARSE).mean(axis=(1, 3, 5)) for k in range(len(CHANNELS))
    ]
    return np.stack(blocks).astype(np.float32)


def _valid(head: _Head, shape: tuple[int, ...], first_mm: float, spacing_mm: float) -> Float32:
    """1 where a head has a say, (x, y, z)."""
    z = np.arange(shape[2]) * spacing_mm + first_mm
    counts = np.ones_like(z) if head.whole else z > CUT_HEADS_COUNT_ABOVE_MM
    return np.broadcast_to(counts.astype(np.float32), shape)


def _group_register(
    heads: list[_Head], values: NDArray[np.int64], grid: Grid, report: Callable[[str], None]
) -> list[Float32]:
    """Displacements (3, x, y, z) in coarse voxels from the common average to each head; their mean is 0."""
    shares = [_channels(_sample(h, grid, None), values, grid) for h in heads]
    valid = [_valid(h, grid.coarse, grid.first_mm[1], grid.spacing_mm * COARSE) for h in heads]
    displacements = [np.zeros((3, *grid.coarse), np.float32) for _ in heads]
    for number in range(ROUNDS):
        warped = [warp(s, d) for s, d in zip(shares, displacements, strict=True)]
        template = np.sum([w * v for w, v in zip(warped, valid, strict=True)], axis=0) / np.sum(valid, axis=0)
        template = ((template + template[:, ::-1]) / 2).astype(np.float32)
        displacements = [
            register(template, s, d, v, ITERATIONS) for s, d, v in zip(shares, displacements, valid, strict=True)
        ]
        common: Float32 = np.mean([_symmetric(d) for d in displacements], axis=0, dtype=np.float32)
        displacements = [d - common for d in displacements]
        report(f"registered, round {number + 1} of {ROUNDS}")
    return displacements


def _mirror(displacement: Float32) -> Float32:
    """The displacement of the mirrored head."""
    mirrored = displacement[:, ::-1].copy()
    mirrored[0] *= -1
    return mirrored


def _symmetric(displacement: Float32) -> Float32:
    return (displacement + _mirror(displacement)) / np.float32(2)


def _average(
    heads: list[_Head], values: NDArray[np.int64], displacements: list[Float32], grid: Grid
) -> NDArray[np.uint8]:
    """Share of each class over heads and sides, times `LEVELS`, uint8 (C, X/2, Y, Z)."""
    votes = np.zeros((len(values), *grid.shape), np.uint8)
    for head, displacement in zip(heads, displacements, strict=True):
        classes = _sample(head, grid, displacement)
        says = _valid(head, grid.shape, grid.first_mm[1], grid.spacing_mm) > 0
        for index in range(len(values)):
            votes[index] += (classes == index) & says
    half = grid.shape[0] // 2
    both = votes[:, :half] + votes[:, : half - 1 : -1]
    levels: NDArray[np.uint8] = np.round(both * np.float32(LEVELS) / both.sum(axis=0, dtype=np.float32)).astype(
        np.uint8
    )
    return levels


def _modes(displacements: list[Float32]) -> Float32:
    """Principal modes of heads and their mirror images, in coarse voxels, at every second one of them."""
    both = [d[:, ::2, ::2, ::2] for head in displacements for d in (head, _mirror(head))]
    both = [d - np.mean(both, axis=0) for d in both]
    rows = np.stack([d.ravel() for d in both])
    _, strength, modes = np.linalg.svd(rows, full_matrices=False)
    kept = min(N_MODES, len(modes))
    scaled: Float32 = (modes[:kept] * (strength[:kept, None] / np.sqrt(len(rows) - 1))).astype(np.float32)
    return scaled.reshape(kept, *both[0].shape)


def _sizes(affines: list[Float64], maps: list[LabelMap]) -> tuple[float, Float64]:
    """Spread of the logarithm of the size, and of each axis's stretch beside it."""
    logs = np.log([np.linalg.norm(a[:, :3], axis=0) for a in affines])
    size = logs.mean(axis=1)
    return float(size.std(ddof=1)), (logs - size[:, None]).std(axis=0, ddof=1)


def main() -> None:
    """Build an atlas file: ``python -m brainsift.simulate.atlas_build OUT.npz --label-maps DIR``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--label-maps", type=Path, required=True)
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="NAME", help="starts of file names not to use")
    options = parser.parse_args()
    paths = sorted(p for p in options.label_maps.glob("*.nii*") if not p.name.startswith(tuple(options.leave_out)))
    save_atlas(build_atlas(paths), options.output)


if __name__ == "__main__":
    main()
