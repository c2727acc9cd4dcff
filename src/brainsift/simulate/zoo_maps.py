"""Pictures of a head that are no weighted MRI: maps of T1, diffusion and susceptibility, phase, CT, diffusion-weighted,
angiography."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.acquire import add_rician_noise
from brainsift.simulate.artefacts.gadolinium import Gadolinium, apply_gadolinium
from brainsift.simulate.contrast import RELAXATION_MS, twin
from brainsift.simulate.freesurfer import WHITE
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]

TISSUES: dict[str, tuple[int, ...]] = {
    "white": (2, 7, 85, 28, 16, 136),
    "cortex": (3, 8, 163),
    "deep": (10, 11, 12, 26, 17, 18),
    "pallidum": (13,),
    "csf": (4, 5, 14, 15, 24, 72, 506),
    "blood": (30, 31, 502, 514),
    "fat": (511, 516),
    "bone": (515,),
}
"""Tissue → left-sided labels; what is in none of them is like muscle."""

# Values per tissue in the order of `TISSUES`, then for muscle and for air.
HOUNSFIELD = (29, 38, 37, 39, 8, 45, -90, 1100, 55, -1000)
"""CT numbers (Bushberg, The Essential Physics of Medical Imaging, 2012, table 10-3; rounded)."""

DIFFUSIVITY = (0.75, 0.85, 0.78, 0.75, 3.0, 1.2, 0.1, 0.05, 1.3, 0.0)
"""Apparent diffusion coefficient, 1e-3 mm²/s (Helenius 2002, AJNR 23:194; rounded)."""

SUSCEPTIBILITY = (-0.03, 0.01, 0.05, 0.13, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0)
"""Relative to CSF, ppm (Lim 2013, NeuroImage 82:449; rounded)."""

KINDS = ("t1_map", "adc", "chimap", "phase", "ct", "dwi", "angiography")


@dataclass(frozen=True, eq=False)
class Map:
    """A picture float32 (X, Y, Z) with what it is in words, and its sequence."""

    image: Float32
    why: str
    sequence: str = "other"


def make_map(rng: np.random.Generator, kind: str, labels: NDArray[np.int64], spacing_mm: float) -> Map:
    """Make the picture of one of `KINDS` from FreeSurfer labels (X, Y, Z).

    Raises
    ------
    ValueError
        if the kind is unknown.
    """
    makers = {
        "t1_map": _t1_map, "adc": _adc, "chimap": _chimap, "phase": _phase, "ct": _ct, "dwi": _dwi,
        "angiography": _angiography,
    }  # fmt: skip
    if kind not in makers:
        raise ValueError(f"maps are {', '.join(makers)}, got {kind}")
    return makers[kind](rng, labels, spacing_mm)


def paint(labels: NDArray[np.int64], values: tuple[float, ...]) -> Float32:
    """Give each label the value of its tissue, (X, Y, Z)."""
    tissue_of = {label: i for i, members in enumerate(TISSUES.values()) for label in members}
    table = np.full(int(labels.max()) + 1, len(TISSUES), np.int64)
    for label in np.unique(labels):
        table[label] = tissue_of.get(twin(int(label)), len(TISSUES))
    table[0] = len(TISSUES) + 1
    painted: Float32 = np.asarray(values, np.float32)[table][labels]
    return painted


def _t1_map(rng: np.random.Generator, labels: NDArray[np.int64], spacing_mm: float) -> Map:
    """Milliseconds in the head; in air the fit finds anything."""
    names = {"deep": "putamen"}
    values = [RELAXATION_MS[names.get(t, t)][0] for t in TISSUES] + [RELAXATION_MS["muscle"][0], 0]
    image = paint(labels, tuple(float(v) for v in values))
    image *= 1 + 0.05 * rng.standard_normal(image.shape, dtype=np.float32)
    air = labels == 0
    if rng.random() < 0.6:
        image[air] = rng.uniform(0, 5000, int(air.sum())).astype(np.float32)
    return Map(image, "map of T1 in milliseconds")


def _adc(rng: np.random.Generator, labels: NDArray[np.int64], spacing_mm: float) -> Map:
    image = ndimage.gaussian_filter(paint(labels, DIFFUSIVITY), 0.8 / spacing_mm)
    image += 0.08 * rng.standard_normal(image.shape, dtype=np.float32)
    return Map(np.maximum(image, 0) * np.float32(1000), "map of apparent diffusion")


def _chimap(rng: np.random.Generator, labels: NDArray[np.int64], spacing_mm: float) -> Map:
    """Parts per million around 0 in the brain, 0 outside."""
    image = paint(labels, SUSCEPTIBILITY)
    image += 0.012 * rng.standard_normal(image.shape, dtype=np.float32)
    image += 0.01 * spline_field(rng, _shape(labels), 40.0 / spacing_mm)
    return Map(image * _intracranial(labels), "", "Chimap")


def _phase(rng: np.random.Generator, labels: NDArray[np.int64], spacing_mm: float) -> Map:
    """Radians, wrapped; random where there is no signal."""
    field = 4 * spline_field(rng, _shape(labels), 45.0 / spacing_mm) + 8 * paint(labels, SUSCEPTIBILITY)
    signal = (labels > 0) & (paint(labels, HOUNSFIELD) < 500)
    field += 0.1 * rng.standard_normal(field.shape, dtype=np.float32)
    image = np.angle(np.exp(1j * field)).astype(np.float32)
    image[~signal] = rng.uniform(-np.pi, np.pi, int((~signal).sum())).astype(np.float32)
    return Map(image, "phase image")


def _ct(rng: np.random.Generator, labels: NDArray[np.int64], spacing_mm: float) -> Map:
    image = ndimage.gaussian_filter(paint(labels, HOUNSFIELD), 0.5 / spacing_mm)
    image += np.float32(rng.uniform(3, 20)) * rng.standard_normal(image.shape, dtype=np.float32)
    style = rng.random()
    if style < 0.3:
        return Map(np.maximum(image + 1024, 0), "CT with an offset")
    if style < 0.6:
        return Map(np.clip(image, 0, 90), "CT in the brain's window")
    return Map(np.clip(image, -1024, 3000), "CT")


def _dwi(rng: np.random.Generator, labels: NDArray[np.int64], spacing_mm: float) -> Map:
    """Echo-planar at 2 mm: cerebrospinal fluid and fat dark, noisy, stretched along y near the nose."""
    b_value = float(rng.choice([0.0, 0.7, 1.0, 2.0]))
    t2 = paint(labels, (0.8, 1.0, 0.9, 0.6, 2.2, 0.8, 0.1, 0.02, 0.35, 0.0))
    image = t2 * np.exp(-b_value * paint(labels, DIFFUSIVITY))
    image = ndimage.gaussian_filter(image, 1.0 / spacing_mm)
    return Map(add_rician_noise(rng, image, 0.04 * float(image.max())), f"diffusion-weighted, b {b_value * 1000:.0f}")


def _angiography(rng: np.random.Generator, labels: NDArray[np.int64], spacing_mm: float) -> Map:
    """Still tissue nearly saturated, flowing blood bright."""
    image = paint(labels, (0.30, 0.33, 0.32, 0.28, 0.18, 0.5, 0.45, 0.05, 0.35, 0.0))
    flow = Gadolinium(4.0, 0.0, 0.0, 0.0, 1.3, 0.5, 1.0, int(rng.integers(2**31)))
    if np.isin(labels, WHITE).any():
        image = apply_gadolinium(image, labels, flow, (spacing_mm,) * 3).image
    return Map(add_rician_noise(rng, image, 0.03), "angiography")


def _intracranial(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    values = np.unique(labels)
    brain, csf = brain_and_csf(values)
    inside: NDArray[np.bool_] = np.isin(labels, values[brain | csf])
    return inside


def _shape(labels: NDArray[np.int64]) -> tuple[int, int, int]:
    x, y, z = labels.shape
    return x, y, z
