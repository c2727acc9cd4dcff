"""What is put where a mask says that the face was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainsift.simulate.deface.geometry import Float32, Mask

FILLS = ("zero", "constant", "air", "noise", "blur", "other_face")

FEATURE_MM = 20.0
"""Length of a wave as wide as a feature of the face, such as a nose with its wings or an eye with its lids."""

BOX_MARGIN_SD = 3.0


@dataclass(frozen=True)
class Fill:
    """A filling: one of `FILLS`.

    Attributes
    ----------
    amount : grey value relative to the bright tissue for ``constant``; standard deviation of the blur in mm for
        ``blur`` and of the smoothing of an ``other_face``; strength relative to the bright tissue for ``noise``.
    seed : of random values.
    """

    kind: str
    amount: float
    seed: int


def draw_fill(rng: np.random.Generator, kind: str, aim: str) -> Fill:
    """Draw the amount of a filling; a weak blur where too little is asked for.

    Raises
    ------
    ValueError
        if the filling is unknown.
    """
    weak = aim == "insufficient" and rng.random() < 0.6
    ranges = {
        "zero": (0.0, 0.0),
        "constant": (0.05, 1.0),
        "air": (0.0, 0.0),
        "noise": (0.1, 0.8),
        "blur": (1.6, 2.8) if weak else (6.0, 14.0),
        "other_face": (0.4, 1.6),
    }
    if kind not in ranges:
        raise ValueError(f"a filling is one of {', '.join(FILLS)}, got {kind!r}")
    return Fill(kind, float(rng.uniform(*ranges[kind])), int(rng.integers(2**31)))


def kept_by(fill: Fill) -> float:
    """Share of a face's detail that the filling leaves, 0 to 1.

    A Gaussian blur passes exp(-2 pi² sd² / wave²) of a wave's amplitude; all else replaces the grey values.
    """
    if fill.kind != "blur":
        return 0.0
    return float(np.exp(-2 * (np.pi * fill.amount / FEATURE_MM) ** 2))


def apply_fill(
    image: Float32, mask: Mask, fill: Fill, spacing_mm: tuple[float, float, float], other: Float32 | None = None
) -> Float32:
    """The image (X, Y, Z) with the mask filled; 0.1 s for zero, 0.5 s for a blur of 192x224x192.

    Parameters
    ----------
    other : another head's picture on the same grid, for ``other_face``.

    Raises
    ------
    ValueError
        if another face is asked for and none is given.
    """
    done = image.copy()
    box = _box(mask)
    if box is None:
        return done
    rng = np.random.default_rng(fill.seed)
    inside, values = mask[box], done[box]
    bright = float(np.percentile(image[::3, ::3, ::3], 98)) or 1.0
    if fill.kind == "zero":
        values[inside] = 0.0
    elif fill.kind == "constant":
        values[inside] = fill.amount * bright
    elif fill.kind == "air":
        corner = image[:6, -6:, -6:].ravel()
        values[inside] = rng.choice(corner, int(np.count_nonzero(inside)))
    elif fill.kind == "noise":
        noise = fill.amount * bright * np.abs(rng.standard_normal(inside.shape, dtype=np.float32))
        values[inside] = noise[inside]
    elif fill.kind == "blur":
        done[box] = _blurred(image, mask, box, fill.amount, spacing_mm)
    elif fill.kind == "other_face":
        if other is None:
            raise ValueError("the filling 'other_face' needs another head; give a donor, or leave the tool out")
        smooth = ndimage.gaussian_filter(other[box], [fill.amount / s for s in spacing_mm])
        values[inside] = smooth[inside]
    else:
        raise ValueError(f"a filling is one of {', '.join(FILLS)}, got {fill.kind!r}")
    return done


def _blurred(
    image: Float32, mask: Mask, box: tuple[slice, ...], sd_mm: float, spacing_mm: tuple[float, float, float]
) -> Float32:
    """The box with what is masked blurred, what lies around it taken into account."""
    wide = []
    for part, n, s in zip(box, image.shape, spacing_mm, strict=True):
        margin = int(np.ceil(BOX_MARGIN_SD * sd_mm / s))
        wide.append(slice(max(0, part.start - margin), min(n, part.stop + margin)))
    smooth = ndimage.gaussian_filter(image[tuple(wide)], [sd_mm / s for s in spacing_mm], truncate=BOX_MARGIN_SD)
    inner = tuple(slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wide, strict=True))
    blurred: Float32 = np.where(mask[box], smooth[inner], image[box])
    return blurred


def _box(mask: Mask) -> tuple[slice, slice, slice] | None:
    parts = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if not hit.size:
            return None
        parts.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return parts[0], parts[1], parts[2]
