"""What goes wrong around a tool: not run, the axes misread, a mask laid far off or used the wrong way round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainsift.simulate.deface.geometry import Mask

SLIPS = ("none", "skipped", "front_to_back", "upside_down", "axes_swapped", "far_off", "inverted")
SLIP_SHARES = (0.0, 0.38, 0.16, 0.12, 0.12, 0.16, 0.06)
"""Of failures: a tool that did nothing is the commonest; a wrong header turns the mask; an inverted one is rare."""

FAR_MM = (35.0, 90.0)
"""How far a mask is laid off where registration found nothing."""


@dataclass(frozen=True)
class Slip:
    """A mishap: one of `SLIPS`, and for ``far_off`` the shift in mm, (3,)."""

    kind: str = "none"
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)


def draw_slip(rng: np.random.Generator) -> Slip:
    """Draw a mishap (never ``none``)."""
    way = rng.standard_normal(3)
    x, y, z = (way / np.linalg.norm(way) * rng.uniform(*FAR_MM)).tolist()
    return Slip(str(rng.choice(SLIPS, p=SLIP_SHARES)), (x, y, z))


def apply_slip(mask: Mask, slip: Slip, head: Mask, spacing_mm: tuple[float, float, float]) -> Mask:
    """The mask (X, Y, Z) that comes of it.

    Raises
    ------
    ValueError
        if the mishap is unknown.
    """
    if slip.kind == "none":
        return mask
    if slip.kind == "skipped":
        return np.zeros_like(mask)
    if slip.kind == "front_to_back":
        return mask[:, ::-1]
    if slip.kind == "upside_down":
        return mask[:, :, ::-1]
    if slip.kind == "axes_swapped":
        return _swapped(mask, spacing_mm)
    if slip.kind == "far_off":
        return _moved(mask, slip.shift_mm, spacing_mm)
    if slip.kind == "inverted":
        return head & ~mask
    raise ValueError(f"a mishap is one of {', '.join(SLIPS)}, got {slip.kind!r}")


def _swapped(mask: Mask, spacing_mm: tuple[float, float, float]) -> Mask:
    """Second and third axis taken for each other, about the centre of the field of view."""
    ratio = spacing_mm[2] / spacing_mm[1]
    matrix = np.array([[1.0, 0, 0], [0, 0, ratio], [0, 1 / ratio, 0]])
    centre = (np.asarray(mask.shape) - 1) / 2
    turned: Mask = ndimage.affine_transform(mask.view(np.uint8), matrix, centre - matrix @ centre, order=0) > 0
    return turned


def _moved(mask: Mask, shift_mm: tuple[float, float, float], spacing_mm: tuple[float, float, float]) -> Mask:
    moved = np.zeros_like(mask)
    source, target = [], []
    for n, shift, spacing in zip(mask.shape, shift_mm, spacing_mm, strict=True):
        by = round(shift / spacing)
        first, last = max(0, by), min(n, n + by)
        target.append(slice(first, max(first, last)))
        source.append(slice(first - by, max(first, last) - by))
    moved[tuple(target)] = mask[tuple(source)]
    return moved
