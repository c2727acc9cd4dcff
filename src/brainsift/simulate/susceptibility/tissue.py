"""What a gradient echo sees of each tissue: susceptibility, relaxation, water."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.contrast import RELAXATION_MS, twin
from brainsift.simulate.susceptibility.physics import spoiled_gre

Float32 = NDArray[np.float32]

AIR_PPM = 9.4
"""Air over soft tissue: +0.36 against -9.05 ppm (Schenck 1996, Med Phys 23:815)."""

TISSUES: dict[str, tuple[str, float, float, float]] = {
    "white": ("white", -0.03, 12.0, 3.0),
    "cortex": ("cortex", 0.02, 10.0, 2.6),
    "thalamus": ("thalamus", 0.02, 12.0, 3.4),
    "caudate": ("caudate", 0.05, 11.0, 4.0),
    "putamen": ("putamen", 0.07, 11.0, 5.3),
    "pallidum": ("pallidum", 0.14, 13.0, 10.0),
    "nigra": ("pallidum", 0.13, 13.0, 8.5),
    "dentate": ("pallidum", 0.10, 12.0, 6.0),
    "hippocampus": ("hippocampus", 0.0, 9.0, 2.4),
    "brainstem": ("brainstem", -0.01, 12.0, 2.8),
    "csf": ("csf", 0.0, 0.8, 0.5),
    "lesion": ("lesion", 0.0, 8.0, 2.0),
    "choroid": ("choroid", 0.03, 8.0, 3.0),
    "sinus": ("blood", 0.35, 12.0, 8.0),
    "muscle": ("muscle", 0.0, 20.0, 5.0),
    "fat": ("fat", 0.6, 15.0, 8.0),
    "bone": ("bone", -2.1, 400.0, 100.0),
    "marrow": ("marrow", 0.2, 40.0, 20.0),
    "mucosa": ("mucosa", 0.0, 15.0, 5.0),
    "lens": ("lens", 0.0, 20.0, 5.0),
    "air": ("bone", AIR_PPM, 1e4, 0.0),
}
"""Tissue → where its T1 and density come from, susceptibility over water in ppm, R2* at no field (1/s) and its slope
with the field (1/s/T). Rounded from Langkammer 2012 (NeuroImage 62:1593), Péran 2009 (JMRI 29:413), Yao 2009
(NeuroImage 44:1259), Schenck 1996 (Med Phys 23:815)."""

TISSUE_OF_LABEL: dict[int, str] = {
    0: "air",
    **dict.fromkeys((2, 7, 77, 78, 79, 85, 251, 252, 253, 254, 255), "white"),
    **dict.fromkeys((3, 8, 136, 163), "cortex"),
    **dict.fromkeys((4, 5, 14, 15, 24, 72, 506, 30, 514), "csf"),
    10: "thalamus", 11: "caudate", 12: "putamen", 13: "pallidum", 26: "caudate",
    **dict.fromkeys((17, 18), "hippocampus"),
    **dict.fromkeys((16, 28, 512, 508), "brainstem"),
    25: "lesion", 31: "choroid",
    **dict.fromkeys((502, 507), "muscle"),
    511: "fat", 515: "bone", 516: "marrow", 509: "mucosa", 530: "lens",
}  # fmt: skip
"""Left-sided label → tissue. Vessels are drawn anew: those of label maps are scattered voxels."""

T1_GROWTH = {1.5: 0.82, 3.0: 1.0, 7.0: 1.35}
"""T1 relative to 3 T (Rooney 2007, MRM 57:308)."""


@dataclass(frozen=True)
class Look:
    """One drawn set of tissues: values by tissue name.

    Attributes
    ----------
    chi_ppm, signal : susceptibility; magnitude at the echo, brightest of the brain 1.
    artery : magnitude of arteries: flow makes them bright or void.
    texture, texture_mm, seed : relative variation within tissues.
    """

    chi_ppm: dict[str, float]
    signal: dict[str, float]
    artery: float
    texture: float
    texture_mm: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def tables(self, values: NDArray[np.integer]) -> tuple[Float32, Float32]:
        """Susceptibility and signal by label code, two float32 (n,)."""
        names = [tissue_of(int(value)) for value in values]
        chi = np.asarray([self.chi_ppm[name] for name in names], np.float32)
        return chi, np.asarray([self.signal[name] for name in names], np.float32)


VOID_SHARE = 0.4
"""Of scans show arteries dark: slices, or no flow compensation. In the others fresh blood is bright."""

BRIGHTEST_OF = ("white", "cortex", "thalamus", "caudate", "putamen", "csf")


def tissue_of(value: int) -> str:
    """Name of the tissue of a FreeSurfer label; the unknown is muscle outside of the brain, white matter in it."""
    return TISSUE_OF_LABEL.get(twin(value), "muscle" if 500 <= value < 1000 else "white")


def draw_look(rng: np.random.Generator, field_t: float, te_ms: float, tr_ms: float, flip_deg: float) -> Look:
    """Draw tissues at a field strength and the signal that a sequence makes of them."""
    nearest = min(T1_GROWTH, key=lambda f: abs(f - field_t))
    iron = float(np.exp(rng.normal(0.0, 0.35)))
    chi, signal = {}, {}
    for name, (source, ppm, r0, slope) in TISSUES.items():
        t1, _, density = RELAXATION_MS[source]
        is_iron = name in ("caudate", "putamen", "pallidum", "nigra", "dentate")
        gain = iron * float(np.exp(rng.normal(0, 0.25))) if is_iron else 1.0
        chi[name] = float(ppm * gain + (rng.normal(0, 0.01) if abs(ppm) < 1 else 0.0))
        r2_star = (r0 + slope * gain * field_t) * float(np.exp(rng.normal(0, 0.08)))
        t1 = t1 * T1_GROWTH[nearest] * float(np.exp(rng.normal(0, 0.06)))
        density = density * float(np.exp(rng.normal(0, 0.03)))
        made = spoiled_gre(np.array(density), np.array(t1), np.array(r2_star), tr_ms, te_ms, flip_deg)
        signal[name] = float(made)
    top = max(signal[name] for name in BRIGHTEST_OF)
    return Look(
        chi_ppm=chi,
        signal={name: value / top for name, value in signal.items()},
        artery=float(rng.uniform(0.0, 0.35) if rng.random() < VOID_SHARE else rng.uniform(0.5, 1.6)),
        texture=float(rng.uniform(0.01, 0.04)),
        texture_mm=float(rng.uniform(1.5, 6)),
        seed=int(rng.integers(2**31)),
    )
