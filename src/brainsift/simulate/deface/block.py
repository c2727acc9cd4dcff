"""Boxes along the scan's own axes, as hand-made scripts and drawing tools leave them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainsift.simulate.deface.geometry import HeadGeometry, Mask


@dataclass(frozen=True)
class Blocks:
    """Boxes as limits in mm of MNI152, low and high (x, y, z) each."""

    boxes: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...]


def draw_blocks(rng: np.random.Generator, aim: str) -> Blocks:
    """Draw boxes that should do what `aim` says on a usual head."""
    deeper = {"excessive": rng.uniform(12, 40), "insufficient": rng.uniform(-45, 4)}.get(aim, rng.uniform(-5, 5))
    half = float(rng.uniform(70, 110)) if aim != "insufficient" or rng.random() < 0.6 else float(rng.uniform(15, 45))
    wide = float(rng.uniform(-1, 1)) * (110 - half) / 4
    split = float(rng.uniform(-36, -27))
    # Two steps: high before the frontal lobes, and further back below them.
    boxes = [
        ((wide - half, 77.0 - deeper * 0.6, -200.0), (wide + half, 200.0, float(rng.uniform(-12, 5)) + deeper * 0.5)),
        ((wide - half, 42.0 - deeper, -200.0), (wide + half, 200.0, split + deeper * 0.5)),
    ]
    if aim != "insufficient" or rng.random() < 0.4:
        inner = float(rng.uniform(69, 76)) - (float(rng.uniform(0, 14)) if aim == "excessive" else 0.0)
        low, high = float(rng.uniform(-120, -95)), float(rng.uniform(-20, -4))
        for sign in (-1, 1):
            ends = sorted((sign * inner, sign * 200.0))
            boxes.append(((ends[0], -85.0, low), (ends[1], 5.0, high)))
    return Blocks(tuple(boxes))


def reach_of_blocks(blocks: Blocks, geometry: HeadGeometry) -> Mask:
    """Voxels in any box, bool (X, Y, Z). The boxes' corners are placed in MNI152, their sides lie along the grid."""
    mask = np.zeros(geometry.shape, bool)
    inverse = np.linalg.inv(geometry.to_mni)
    upright = np.diag(inverse)[:3]
    for low, high in blocks.boxes:
        middle = (np.asarray(low) + np.asarray(high)) / 2
        # Where a far side is meant to lie outside the head, the tilt of the head must not bring it in.
        anchor = np.clip(middle, (-60, -40, -60), (60, 70, 0))
        voxel = inverse[:3, :3] @ anchor + inverse[:3, 3]
        ends = np.sort([voxel + (np.asarray(edge) - anchor) * upright for edge in (low, high)], axis=0)
        part = [
            slice(int(np.clip(np.ceil(a), 0, n)), int(np.clip(np.floor(b) + 1, 0, n)))
            for a, b, n in zip(ends[0], ends[1], geometry.shape, strict=True)
        ]
        mask[tuple(part)] = True
    return mask
