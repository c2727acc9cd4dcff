"""What else lands in a folder of brain scans: phantoms and other parts of the body, drawn from simple bodies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.acquire import acquire, draw_acquisition
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]
Three = tuple[float, float, float]

IRREGULAR_MM = 5.0
"""Standard deviation by which the outlines of a living body leave the ellipse."""

# Tissues of the painted bodies.
AIR, FAT, MUSCLE, BONE, MARROW, FLUID, ORGAN, SOFT = range(8)

T1_LIKE = (0.0, 0.95, 0.45, 0.05, 0.85, 0.15, 0.55, 0.35)
T2_LIKE = (0.0, 0.60, 0.25, 0.04, 0.50, 1.00, 0.55, 0.45)
"""Brightness of the tissues in two common contrasts; draws vary them."""


@dataclass(frozen=True, eq=False)
class Body:
    """Painted tissues uint8 (X, Y, Z) and what they show in words."""

    tissues: NDArray[np.uint8]
    why: str


class _Canvas:
    """A grid in mm about its centre, bent for living bodies; later shapes cover earlier ones."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int, int], spacing_mm: float, bent: bool) -> None:
        axes = [(np.arange(n, dtype=np.float32) - (n - 1) / 2) * spacing_mm for n in shape]
        at = np.broadcast_arrays(axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None])
        self.x, self.y, self.z = (a.astype(np.float32) for a in at)
        if bent:
            for a in (self.x, self.y, self.z):
                a += IRREGULAR_MM * spline_field(rng, shape, 60.0 / spacing_mm)
        self.half = tuple(n * spacing_mm / 2 for n in shape)
        self.tissues = np.zeros(shape, np.uint8)

    def ellipsoid(self, tissue: int, centre: Three, half: Three) -> None:
        square = ((self.x - centre[0]) / half[0]) ** 2 + ((self.y - centre[1]) / half[1]) ** 2
        self.tissues[square + ((self.z - centre[2]) / half[2]) ** 2 <= 1] = tissue

    def column(
        self, tissue: int, centre: tuple[float, float], half: tuple[float, float], low: float, high: float
    ) -> None:
        """An elliptic column along z."""
        square = ((self.x - centre[0]) / half[0]) ** 2 + ((self.y - centre[1]) / half[1]) ** 2
        self.tissues[(square <= 1) & (self.z >= low) & (self.z <= high)] = tissue


def draw_body(rng: np.random.Generator, kind: str, shape: tuple[int, int, int], spacing_mm: float) -> Body:
    """Draw one of `KINDS`.

    Raises
    ------
    ValueError
        if the kind is unknown.
    """
    if kind not in _PAINTERS:
        raise ValueError(f"bodies are {', '.join(_PAINTERS)}, got {kind}")
    canvas = _Canvas(rng, shape, spacing_mm, bent=kind != "phantom")
    why = _PAINTERS[kind](rng, canvas)
    return Body(canvas.tissues, why)


def render_body(rng: np.random.Generator, body: Body, spacing_mm: float) -> Float32:
    """Give the tissues a T1- or T2-like brightness and acquire them, float32 (X, Y, Z)."""
    base = np.asarray(T1_LIKE if rng.random() < 0.6 else T2_LIKE) * np.exp(rng.normal(0, 0.15, len(T1_LIKE)))
    mean = base.astype(np.float32)[body.tissues]
    spread = np.where(body.tissues == AIR, 0, np.float32(rng.uniform(0.01, 0.06))).astype(np.float32)
    return acquire(mean, spread, draw_acquisition(rng), spacing_mm)


def _limb(rng: np.random.Generator, canvas: _Canvas) -> str:
    radius, far = float(rng.uniform(45, 85)), 2 * canvas.half[2]
    canvas.column(FAT, (0, 0), (radius, radius * 0.95), -far, far)
    canvas.column(MUSCLE, (0, 0), (radius * 0.86, radius * 0.82), -far, far)
    bones = [(0.0, 0.0, 0.24)] if rng.random() < 0.5 else [(-0.2, 0.25, 0.22), (0.35, -0.1, 0.13)]
    for x, y, size in bones:
        canvas.column(BONE, (x * radius, y * radius), (size * radius,) * 2, -far, far)
        canvas.column(MARROW, (x * radius, y * radius), (0.62 * size * radius,) * 2, -far, far)
    return "limb"


def _knee(rng: np.random.Generator, canvas: _Canvas) -> str:
    far = 2 * canvas.half[2]
    canvas.column(FAT, (0, 0), (70, 72), -far, far)
    canvas.column(MUSCLE, (0, -8), (58, 52), -far, far)
    for sign in (-1.0, 1.0):
        canvas.column(BONE, (0, 5), (20, 19), *sorted((sign * 30, sign * far)))
        canvas.column(MARROW, (0, 5), (16, 15), *sorted((sign * 30, sign * far)))
        for side in (-1.0, 1.0):
            canvas.ellipsoid(SOFT, (22 * side, 2, 22 * sign), (25, 29, 24))
            canvas.ellipsoid(BONE, (22 * side, 2, 24 * sign), (23, 27, 21))
            canvas.ellipsoid(MARROW, (22 * side, 2, 25 * sign), (21, 25, 19))
    canvas.ellipsoid(FLUID, (0, 10, 0), (38, 24, 2.5))
    canvas.ellipsoid(MARROW, (0, 44, 12), (20, 9, 22))
    return "knee"


def _abdomen(rng: np.random.Generator, canvas: _Canvas) -> str:
    x, y = 0.92 * canvas.half[0], 0.62 * canvas.half[1]
    far = 2 * canvas.half[2]
    canvas.column(FAT, (0, 0), (x, y), -far, far)
    canvas.column(MUSCLE, (0, 0), (0.88 * x, 0.85 * y), -far, far)
    canvas.column(FAT, (0, 0), (0.82 * x, 0.76 * y), -far, far)
    canvas.ellipsoid(ORGAN, (0.4 * x, 0.15 * y, 35), (0.42 * x, 0.55 * y, 70))
    canvas.ellipsoid(ORGAN, (-0.58 * x, -0.2 * y, 50), (0.18 * x, 0.32 * y, 45))
    for side in (-1.0, 1.0):
        canvas.ellipsoid(SOFT, (0.42 * x * side, -0.42 * y, -20), (0.14 * x, 0.2 * y, 48))
    for _ in range(int(rng.integers(15, 30))):
        place = rng.uniform(-0.55, 0.55, 2) * (x, y)
        size = float(rng.uniform(6, 15))
        canvas.ellipsoid(
            int(rng.choice([FLUID, SOFT, AIR])), (place[0], place[1], rng.uniform(-110, 0)), (size, size, 1.5 * size)
        )
    canvas.column(BONE, (0, -0.55 * y), (20, 17), -far, far)
    canvas.column(MARROW, (0, -0.55 * y), (18, 15), -far, far)
    return "abdomen"


def _spine(rng: np.random.Generator, canvas: _Canvas) -> str:
    far, height = canvas.half[2], float(rng.uniform(20, 34))
    canvas.column(FAT, (0, -10), (85, 80), -2 * far, 2 * far)
    canvas.column(MUSCLE, (0, -10), (75, 66), -2 * far, 2 * far)
    canvas.column(AIR, (0, 48), (11, 10), -2 * far, 2 * far)
    canvas.column(FLUID, (0, -24), (10, 8), -2 * far, 2 * far)
    canvas.column(ORGAN, (0, -24), (6, 5), -2 * far, 2 * far)
    for z in np.arange(-far, far, height):
        canvas.column(MARROW, (0, 0), (20, 15), z, z + 0.75 * height)
        canvas.column(SOFT, (0, 0), (19, 14), z + 0.79 * height, z + 0.96 * height)
        canvas.ellipsoid(MARROW, (0, -52, z + 0.2 * height), (5, 17, 0.22 * height))
    return "spine"


def _phantom(rng: np.random.Generator, canvas: _Canvas) -> str:
    radius, style = float(rng.uniform(60, 95)), int(rng.integers(4))
    if style == 0:
        canvas.ellipsoid(SOFT, (0, 0, 0), (radius, radius, radius))
        return "phantom: sphere"
    canvas.column(FLUID if style == 1 else SOFT, (0, 0), (radius, radius), -radius, radius)
    if style == 1:
        return "phantom: bottle"
    step = float(rng.uniform(18, 32))
    places = np.arange(-radius, radius + 1, step)
    inner = AIR if rng.random() < 0.5 else FAT
    for x in places:
        for y in places:
            if np.hypot(x, y) > 0.85 * radius:
                continue
            if style == 2:
                canvas.column(inner, (x, y), (0.2 * step,) * 2, -0.9 * radius, 0.9 * radius)
                continue
            for z in places:
                canvas.ellipsoid(inner, (x, y, z), (0.27 * step,) * 3)
    return "phantom: " + ("rods" if style == 2 else "grid of spheres")


_PAINTERS: dict[str, Callable[[np.random.Generator, _Canvas], str]] = {
    "limb": _limb, "knee": _knee, "abdomen": _abdomen, "spine": _spine, "phantom": _phantom,
}  # fmt: skip
KINDS = tuple(_PAINTERS)
