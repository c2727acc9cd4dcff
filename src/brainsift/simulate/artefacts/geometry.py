"""Artefacts of place: what lies outside the field of view folds into it; metal takes the signal away."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.artefacts.measures import Corrupted, Mask, change_in, not_air

Float32 = NDArray[np.float32]
Three = tuple[float, float, float]


@dataclass(frozen=True)
class Wrap:
    """A field of view too small along one axis.

    Attributes
    ----------
    axis : along which.
    field : its size as a share of the image's.
    centre : of the field, as a share of the image's size.
    suppressed : share of the folded signal that oversampling or a saturation band takes away.
    """

    axis: int
    field: float
    centre: float
    suppressed: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Wrapped:
    """The smaller image, the box of the old one that it shows, and the share of its brain that lies under a fold."""

    image: Float32
    box: tuple[slice, slice, slice]
    overlap: float


def draw_wrap(rng: np.random.Generator, severity: float) -> Wrap:
    """Draw a small field of view, at an asked `severity` of 0 to 2 roughly."""
    return Wrap(
        axis=int(rng.integers(3)),
        field=float(np.clip(1 - 0.16 * severity * rng.uniform(0.7, 1.3), 0.4, 1)),
        centre=float(rng.uniform(0.4, 0.6)),
        suppressed=float(rng.choice([0.0, rng.uniform(0.2, 0.8)])),
    )


def apply_wrap(image: Float32, wrap: Wrap, brain: Mask | None = None) -> Wrapped:
    """Cut to the field of view and add what lies outside at the other side; milliseconds.

    Raises
    ------
    ValueError
        if the field is not above 0 and at most 1.
    """
    if not 0 < wrap.field <= 1:
        raise ValueError(f"the field must be a share above 0 and at most 1, got {wrap.field}")
    brain = not_air(image) if brain is None else brain
    n = image.shape[wrap.axis]
    size = max(1, round(n * wrap.field))
    first = int(np.clip(round(n * wrap.centre - size / 2), 0, n - size))
    rows = np.moveaxis(image, wrap.axis, 0)
    folded = np.zeros((size, *rows.shape[1:]), np.float32)
    for i in [*range(first), *range(first + size, n)]:
        folded[(i - first) % size] += rows[i]
    seen = rows[first : first + size]
    mask = np.moveaxis(brain, wrap.axis, 0)[first : first + size]
    level = float(image[brain].mean())
    under = (folded[mask] * (1 - wrap.suppressed) > 0.1 * level).mean() if mask.any() else 0.0
    out = seen + np.float32(1 - wrap.suppressed) * folded
    box = [slice(0, m) for m in image.shape]
    box[wrap.axis] = slice(first, first + size)
    return Wrapped(np.ascontiguousarray(np.moveaxis(out, 0, wrap.axis)), (box[0], box[1], box[2]), float(under))


@dataclass(frozen=True)
class Metal:
    """A piece of metal: signal is lost around it and piles up at one side of the loss.

    Attributes
    ----------
    at_mm : (3,), place about the centre of the brain.
    radii_mm : (3,), half-axes of the loss.
    pile : brightness of the rim relative to the tissue.
    axis : readout axis, along which the signal is displaced.
    """

    at_mm: Three
    radii_mm: Three
    pile: float
    axis: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_metal(rng: np.random.Generator, severity: float) -> Metal:
    """Draw braces, a hearing aid, a clip or a shunt valve, at an asked `severity` of 0 to 2 roughly."""
    side = float(rng.choice([-1.0, 1.0]))
    place = [(0.0, 80.0, -75.0), (70.0 * side, -15.0, -20.0), (15.0 * side, 15.0, -20.0), (55.0 * side, -30.0, 55.0)]
    at = np.asarray(place[int(rng.integers(len(place)))]) + rng.normal(0, 8, 3)
    radii = np.clip(18 * severity, 3, None) * np.exp(rng.normal(0, 0.3, 3))
    return Metal(
        at_mm=(float(at[0]), float(at[1]), float(at[2])),
        radii_mm=(float(radii[0]), float(radii[1]), float(radii[2])),
        pile=float(rng.uniform(0, 1.5)),
        axis=int(rng.integers(3)),
    )


def apply_metal(image: Float32, metal: Metal, spacing_mm: Three, brain: Mask | None = None) -> Corrupted:
    """Take the signal away inside and pile it up on one side; 0.1 s for 192x224x192."""
    brain = not_air(image) if brain is None else brain
    centre = np.array([np.average(np.arange(n), weights=_profile(brain, a)) for a, n in enumerate(image.shape)])
    squares, offsets = [], []
    for axis, n in enumerate(image.shape):
        shape = [1, 1, 1]
        shape[axis] = n
        mm = (np.arange(n) - centre[axis]) * spacing_mm[axis] - metal.at_mm[axis]
        offsets.append((mm / metal.radii_mm[axis]).astype(np.float32).reshape(shape))
        squares.append(offsets[-1] ** 2)
    distance = np.sqrt(squares[0] + squares[1] + squares[2])
    kept = np.clip((distance - 0.85) / 0.3, 0, 1)
    rim = np.exp(-0.5 * ((distance - 1.1) / 0.12) ** 2) * np.clip(offsets[metal.axis], 0, 1)
    out = (image * (kept + np.float32(metal.pile) * rim)).astype(np.float32)
    return Corrupted(out, change_in(image, out, brain))


def _profile(mask: Mask, axis: int) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = mask.sum(axis=tuple(a for a in range(3) if a != axis))
    return counts
