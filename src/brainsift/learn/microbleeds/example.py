"""What is kept of a scan to learn from: the networks' input in bytes, and where the bleeds and their mimics are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.detection.marks import Marks, marks_of_points
from brainsift.simulate.susceptibility.mimics import Mimic
from brainsift.tasks.microbleeds.network import Prepared

UInt8 = NDArray[np.uint8]
Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

LEVELS = 255


@dataclass(frozen=True)
class Lesion:
    """One bleed.

    Attributes
    ----------
    mm : centre.
    diameter_mm : of the blood, NaN where nobody knows.
    seen_diameter_mm : of what a rater would mark, with blooming; NaN where only a point is known.
    place : ``lobar``, ``deep``, ``infratentorial`` or empty.
    """

    mm: tuple[float, float, float]
    diameter_mm: float
    seen_diameter_mm: float
    place: str = ""


@dataclass(frozen=True, eq=False)
class Example:
    """One scan of one modality.

    Attributes
    ----------
    image, frst : uint8 (X, Y, Z), the networks' channels times 255.
    seen : bool (X, Y, Z), where anything is looked at.
    affine : 4x4, voxel → scan mm.
    modality : ``gre``, ``swi`` or ``qsm``.
    person : whose head it is; nobody may be on both sides of a split.
    lesions : (N,) the bleeds.
    bleed_voxels, bleed_numbers : places in the flattened grid that belong to a bleed, and 1 + its row in `lesions`.
    mimic_voxels, mimic_kinds : places that look like bleeds and are none, and what they are.
    facts : what was drawn or read, for tables.
    """

    image: UInt8
    frst: UInt8
    seen: NDArray[np.bool_]
    affine: Float64
    modality: str
    person: str
    lesions: tuple[Lesion, ...]
    bleed_voxels: Int32
    bleed_numbers: UInt8
    mimic_voxels: Int32
    mimic_kinds: UInt8
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(X, Y, Z)."""
        x, y, z = self.image.shape
        return x, y, z

    @property
    def spacing(self) -> Float64:
        """Voxel size, mm, (3,)."""
        lengths: Float64 = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return lengths

    def whole(self) -> Float32:
        """The networks' input, float32 (2, X, Y, Z)."""
        return channels(self.image, self.frst)

    def prepared(self) -> Prepared:
        """What the task's own functions take for a prepared scan; they read its input and `seen`."""
        return cast(Prepared, _Stored(self.whole(), self.affine, self.seen, self.seen, self.modality))

    def pieces(self) -> UInt8:
        """0 or 1 + the row of the bleed that a voxel belongs to, uint8 (X, Y, Z)."""
        flat = np.zeros(self.image.size, np.uint8)
        flat[self.bleed_voxels] = self.bleed_numbers
        return flat.reshape(self.image.shape)

    def unasked(self) -> Int32:
        """Places in the flattened grid where nothing is learnt or chosen: calcium in the magnitude of a gradient echo.

        It takes signal as blood does, and only where it lies tells it: that is asked of the anatomy
        (`tasks.microbleeds.calcified`). Taught as no bleeds, bleeds would be unlearnt with it.
        """
        return self.mimic_voxels[~self._asked()]

    def mimics(self) -> tuple[Int32, UInt8]:
        """Places in the flattened grid of the other mimics, and their kinds."""
        asked = self._asked()
        return self.mimic_voxels[asked], self.mimic_kinds[asked]

    def _asked(self) -> NDArray[np.bool_]:
        asked: NDArray[np.bool_] = (self.mimic_kinds != Mimic.CALCIFICATION) | (self.modality != "gre")
        return asked

    def centres(self) -> Float64:
        """(N, 3) voxels of the bleeds' centres."""
        return self.to_voxel(np.array([one.mm for one in self.lesions], float).reshape(-1, 3))

    def to_voxel(self, mm: Float64) -> Float64:
        """(N, 3) mm → voxels."""
        inverse = np.linalg.inv(self.affine)
        moved: Float64 = mm @ inverse[:3, :3].T + inverse[:3, 3]
        return moved

    def to_mm(self, voxel: Float64) -> Float64:
        """(N, 3) voxels → mm."""
        moved: Float64 = voxel @ self.affine[:3, :3].T + self.affine[:3, 3]
        return moved

    def marks(self) -> Marks:
        """The bleeds as a reference to measure against; sizes are those that a rater would measure."""
        return marks_of_points([one.mm for one in self.lesions], [one.seen_diameter_mm for one in self.lesions])


def channels(image: UInt8, frst: UInt8) -> Float32:
    """Stored bytes of any shape as the networks' input, float32 (2, ...)."""
    return np.stack([image, frst]).astype(np.float32) / np.float32(LEVELS)


@dataclass(frozen=True, eq=False)
class _Stored:
    """The part of `Prepared` that lies in a bank."""

    input: Float32
    affine: Float64
    inside: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    modality: str


LEAST_RADIUS_MM = 1.0
"""Around a bleed's centre all is bleed, whatever the mask's voxels: one of 2 mm may fall between them."""


def lay_pieces(pieces: NDArray[np.integer], affine: Float64, shape: Sequence[int], to: Float64) -> UInt8:
    """Numbered pieces brought to another grid by nearest neighbour, each looked up in its own box; uint8 of `shape`.

    Parameters
    ----------
    pieces, affine : whole numbers from 1 on (X, Y, Z) and their voxel → mm.
    shape, to : of the other grid, and its voxel → mm.
    """
    from scipy.ndimage import find_objects

    result = np.zeros(tuple(shape), np.uint8)
    back = np.linalg.inv(affine) @ to
    there = np.linalg.inv(to) @ affine
    for number, box in enumerate(find_objects(pieces.astype(np.int32)), start=1):
        if box is None:
            continue
        corners = np.array(np.meshgrid(*((s.start - 0.5, s.stop - 0.5) for s in box), indexing="ij")).reshape(3, -1)
        reached = there[:3, :3] @ corners + there[:3, 3:]
        low = np.clip(np.floor(reached.min(axis=1)).astype(int), 0, shape)
        high = np.clip(np.ceil(reached.max(axis=1)).astype(int) + 1, 0, shape)
        if (high <= low).any():
            continue
        at = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"))
        voxel = np.rint(np.tensordot(back[:3, :3], at, axes=1) + back[:3, 3].reshape(3, 1, 1, 1)).astype(int)
        inside = ((voxel >= 0) & (voxel < np.reshape(pieces.shape, (3, 1, 1, 1)))).all(axis=0)
        hit = np.zeros(inside.shape, bool)
        hit[inside] = pieces[tuple(voxel[:, inside])] == number
        result[tuple(at[:, hit])] = number
    return result


def add_balls(pieces: UInt8, voxel: Float64, radius_mm: Float64, spacing: Float64) -> None:
    """Number the voxels within a radius of each place (N, 3), in place; those that have a number keep it."""
    for number, (centre, radius) in enumerate(zip(voxel, radius_mm, strict=True), start=1):
        reach = np.ceil(radius / spacing) + 1
        low = np.clip(np.floor(centre - reach).astype(int), 0, pieces.shape)
        high = np.clip(np.ceil(centre + reach).astype(int) + 1, 0, pieces.shape)
        if (high <= low).any():
            continue
        axes = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
        away = sum(
            ((axis - c) * mm).reshape([-1 if i == n else 1 for i in range(3)]) ** 2
            for n, (axis, c, mm) in enumerate(zip(axes, centre, spacing, strict=True))
        )
        part = pieces[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        near = np.asarray(away <= radius**2)
        if not near.any():
            near = np.asarray(away == np.min(away))
        part[near & (part == 0)] = number


def make_example(
    prepared: Prepared,
    person: str,
    lesions: Sequence[Lesion],
    *,
    pieces: tuple[NDArray[np.integer], Float64] | None = None,
    mimics: tuple[NDArray[np.integer], Float64] | None = None,
    facts: dict[str, Any] | None = None,
) -> Example:
    """An example of what inference would see.

    Parameters
    ----------
    lesions : bleeds; those whose centre lies outside of the networks' grid are left out.
    pieces : numbered mask, number 1 + row of the bleed, on any grid with its voxel → mm; balls where there is none.
    mimics : kinds of mimic, 0 for none, likewise.
    """
    shape, affine = prepared.input.shape[1:], prepared.affine
    laid = np.zeros(shape, np.uint8) if pieces is None else lay_pieces(pieces[0], pieces[1], shape, affine)
    inverse = np.linalg.inv(affine)
    centres = np.array([one.mm for one in lesions], float).reshape(-1, 3) @ inverse[:3, :3].T + inverse[:3, 3]
    inside = ((centres > -0.5) & (centres < np.array(shape) - 0.5)).all(axis=1)
    sizes = np.array([one.seen_diameter_mm for one in lesions], float) / 2
    radii = np.where(np.isfinite(sizes) & (pieces is None), np.maximum(sizes, LEAST_RADIUS_MM), LEAST_RADIUS_MM)
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    add_balls(laid, centres, radii, spacing)
    kept = np.flatnonzero(inside)
    renumber = np.zeros(256, np.uint8)
    renumber[kept + 1] = np.arange(1, len(kept) + 1)
    laid = renumber[laid]
    places = np.flatnonzero(laid).astype(np.int32)
    found = np.zeros(0, np.int32), np.zeros(0, np.uint8)
    if mimics is not None:
        found = _places_of(mimics[0], mimics[1], shape, affine, laid)
    return Example(
        image=to_levels(prepared.input[0]),
        frst=to_levels(prepared.input[1]),
        seen=prepared.seen,
        affine=affine,
        modality=prepared.modality,
        person=person,
        lesions=tuple(lesions[i] for i in kept.tolist()),
        bleed_voxels=places,
        bleed_numbers=laid.reshape(-1)[places],
        mimic_voxels=found[0],
        mimic_kinds=found[1],
        facts=facts or {},
    )


MIMIC_PLACES = 400
"""Kept of each kind of mimic: enough to draw crops around; veins have a hundred times as many."""


def _places_of(
    kinds: NDArray[np.integer], affine: Float64, shape: Sequence[int], to: Float64, bleeds: UInt8
) -> tuple[Int32, UInt8]:
    """Evenly spread voxels of each kind on the other grid, and the kinds; none of them in a bleed."""
    move = np.linalg.inv(to) @ affine
    flat, what = [np.zeros(0, np.int64)], [np.zeros(0, np.uint8)]
    for kind in np.unique(kinds[kinds > 0]).tolist():
        at = np.argwhere(kinds == kind)
        at = at[np.unique(np.linspace(0, len(at) - 1, min(MIMIC_PLACES, len(at))).astype(int))]
        voxel = np.rint(at @ move[:3, :3].T + move[:3, 3]).astype(int)
        voxel = voxel[((voxel >= 0) & (voxel < np.array(shape))).all(axis=1)]
        places = np.unique(np.ravel_multi_index(tuple(voxel.T), tuple(shape)))
        places = places[bleeds.reshape(-1)[places] == 0]
        flat.append(places)
        what.append(np.full(len(places), kind, np.uint8))
    return np.concatenate(flat).astype(np.int32), np.concatenate(what)


def to_levels(values: Float32) -> UInt8:
    """Values in [0, 1] as bytes."""
    rounded: UInt8 = np.rint(np.clip(values, 0, 1) * np.float32(LEVELS)).astype(np.uint8)
    return rounded
