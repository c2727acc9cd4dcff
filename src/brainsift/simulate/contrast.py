"""Contrast: one mean and one spread per label, from a signal equation or at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

_LEFT_OF_RIGHT = {
    41: 2, 42: 3, 43: 4, 44: 5, 46: 7, 47: 8, 49: 10, 50: 11, 51: 12, 52: 13, 53: 17, 54: 18, 58: 26, 60: 28, 57: 25,
    62: 30, 63: 31, 137: 136, 164: 163,
}  # fmt: skip
"""FreeSurfer right-sided label → its left twin, which has the same contrast."""

RELAXATION_MS: dict[str, tuple[float, float, float]] = {
    "white": (840, 70, 0.70),
    "cortex": (1350, 99, 0.82),
    "thalamus": (1080, 80, 0.77),
    "caudate": (1330, 88, 0.82),
    "putamen": (1230, 80, 0.80),
    "pallidum": (1000, 55, 0.75),
    "hippocampus": (1400, 105, 0.84),
    "brainstem": (960, 78, 0.74),
    "csf": (4000, 1800, 1.00),
    "lesion": (1350, 140, 0.85),
    "choroid": (1700, 150, 0.90),
    "blood": (1700, 120, 0.88),
    "muscle": (1200, 42, 0.75),
    "fat": (380, 70, 0.90),
    "bone": (900, 4, 0.15),
    "marrow": (480, 60, 0.70),
    "mucosa": (1500, 85, 0.90),
    "lens": (1000, 40, 0.70),
}
"""T1 in ms, T2 in ms, proton density relative to water, at 3 T (Stanisz 2005, MRM 54:507; Wansapura 1999, JMRI 9:531;
Gold 2004, AJR 183:343; rounded). Draws vary them, so field strength and age are covered in passing."""

_TISSUE_OF_LABEL: dict[int, str] = {
    **dict.fromkeys((2, 7, 77, 78, 79, 85, 251, 252, 253, 254, 255), "white"),
    **dict.fromkeys((3, 8, 136, 163), "cortex"),
    **dict.fromkeys((4, 5, 14, 15, 24, 72, 506), "csf"),
    10: "thalamus", 11: "caudate", 12: "putamen", 13: "pallidum", 26: "caudate",
    **dict.fromkeys((17, 18), "hippocampus"),
    **dict.fromkeys((16, 28, 512, 508), "brainstem"),
    25: "lesion", 31: "choroid",
    **dict.fromkeys((30, 502, 514), "blood"),
    507: "muscle", 511: "fat", 515: "bone", 516: "marrow", 509: "mucosa", 530: "lens",
}  # fmt: skip
"""Left-sided label → tissue. The whole-head maps' clusters 502-530 were named by where they lie."""

MPRAGE_INVERSION_MS = (850, 1150)
"""UK Biobank inverts 880 ms before it reads (Alfaro-Almagro 2018, NeuroImage 166:400), ADNI 900 ms at 3 T (Jack 2008,
JMRI 27:685), the Human Connectome Project 1000 ms (Glasser 2013, NeuroImage 80:105). At 750 ms grey matter would be
next to its null and as dark as fluid, which nobody chooses."""

_FLOWING = ("blood", "mucosa")
SEQUENCES = ("mprage", "spgr", "t1_se", "t2_se", "pd_se", "flair", "gre")

ON_REQUEST = ("stir",)
"""Drawn by name alone: fat is nulled and fluid is bright, which is at times filed as FLAIR."""


@dataclass(frozen=True)
class Contrast:
    """Mean and within-label standard deviation for each label value, in units of the brightest tissue (about 0-1).

    `kind` is one of `SEQUENCES`, of `ON_REQUEST`, or ``random``; `settings` are the sequence's times in ms and angle in
    degrees.
    """

    kind: str
    values: tuple[int, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    settings: dict[str, float]


def twin(value: int) -> int:
    """The label whose contrast `value` shares (left for right, cortex for parcels)."""
    if 1000 <= value < 3000:
        return 3
    if 3000 <= value < 5000:
        return 2
    return _LEFT_OF_RIGHT.get(value, value)


def draw_contrast(rng: np.random.Generator, values: NDArray[np.integer], kind: str | None = None) -> Contrast:
    """Draw a contrast for the labels `values`; a random sequence, or plain random values, where `kind` is None."""
    if kind is None:
        kind = str(rng.choice(["random", *SEQUENCES], p=[0.40, 0.14, 0.08, 0.07, 0.10, 0.05, 0.09, 0.07]))
    settings = {} if kind == "random" else _draw_settings(rng, kind)
    mean_of: dict[int, float] = {}
    spread_of: dict[int, float] = {}
    tissue_jitter: dict[str, NDArray[np.float64]] = {}
    top_spread = rng.uniform(0.01, 0.08)
    for value in map(int, values):
        key = twin(value)
        if value == 0 or key in mean_of:
            continue
        if kind == "random":
            mean_of[key] = rng.uniform(0.02, 1.0)
        else:
            tissue = _TISSUE_OF_LABEL.get(key, "muscle")
            if tissue not in tissue_jitter:
                tissue_jitter[tissue] = np.exp(rng.normal(0, [0.10, 0.10, 0.04]))
            mean_of[key] = _signal(kind, settings, tissue, tissue_jitter[tissue] * np.exp(rng.normal(0, 0.025, 3)))
            if tissue in _FLOWING:
                mean_of[key] *= float(rng.choice([0.2, 1.0, 1.8]))
        spread_of[key] = top_spread * rng.uniform(0.3, 1.5)
    top = max(mean_of.values(), default=1.0) or 1.0
    air = rng.uniform(0, 0.02) if kind != "random" or rng.random() < 0.7 else rng.uniform(0, 0.4)
    means = [air if v == 0 else mean_of[twin(int(v))] / top for v in values]
    spreads = [0.0 if v == 0 else spread_of[twin(int(v))] for v in values]
    return Contrast(kind, tuple(int(v) for v in values), tuple(means), tuple(spreads), settings)


def _draw_settings(rng: np.random.Generator, kind: str) -> dict[str, float]:
    ranges: dict[str, dict[str, tuple[float, float]]] = {
        "mprage": {"tr": (1700, 2600), "ti": MPRAGE_INVERSION_MS, "te": (2, 5)},
        "spgr": {"tr": (7, 35), "flip": (12, 35), "te": (2, 6)},
        "t1_se": {"tr": (350, 800), "te": (8, 20)},
        "t2_se": {"tr": (2800, 9000), "te": (75, 130)},
        "pd_se": {"tr": (2200, 5000), "te": (8, 35)},
        "flair": {"tr": (5000, 11000), "te": (80, 160)},
        "gre": {"tr": (25, 800), "flip": (10, 25), "te": (8, 40)},
        "stir": {"tr": (3000, 8000), "te": (25, 90), "ti": (190, 270)},
    }
    settings = {name: float(rng.uniform(*limits)) for name, limits in ranges[kind].items()}
    if kind == "flair":
        t1 = RELAXATION_MS["csf"][0]
        null = t1 * (np.log(2) - np.log1p(np.exp(-settings["tr"] / t1)))
        settings["ti"] = float(null * rng.uniform(0.92, 1.08))
    return settings


def _signal(kind: str, s: dict[str, float], tissue: str, jitter: NDArray[np.float64]) -> float:
    """Magnitude of the signal of one tissue (Bernstein, Handbook of MRI Pulse Sequences, 2004, ch. 14)."""
    t1, t2, pd = np.asarray(RELAXATION_MS[tissue]) * jitter
    t2_star = t2 * 0.6
    if kind in ("mprage", "flair", "stir"):
        recovery = abs(1 - 2 * np.exp(-s["ti"] / t1) + np.exp(-s["tr"] / t1))
        decay = np.exp(-s["te"] / (t2_star if kind == "mprage" else t2))
    elif kind in ("spgr", "gre"):
        e1, angle = np.exp(-s["tr"] / t1), np.deg2rad(s["flip"])
        recovery = np.sin(angle) * (1 - e1) / (1 - np.cos(angle) * e1)
        decay = np.exp(-s["te"] / t2_star)
    else:
        recovery, decay = 1 - np.exp(-s["tr"] / t1), np.exp(-s["te"] / t2)
    return float(pd * recovery * decay)


def tables(contrast: Contrast) -> tuple[Float32, Float32]:
    """Look-up tables (n,) of mean and spread by label code (index into the label map's values)."""
    return np.asarray(contrast.means, np.float32), np.asarray(contrast.spreads, np.float32)
