"""Findings and labelled scans of a model that is right as often as its scores say, or surer than it should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from brainsift.decide.calibrate import Labelled
from brainsift.tasks.base import Finding

SHA = "a" * 64


def quality(
    proper: float = 0.99, motion: float = 0.01, noise: float = 0.01, contrast: float = 0.01, **more: Any
) -> Finding:
    """A quality finding; the last three are probabilities of a severe fault."""
    values: dict[str, Any] = {
        "task": "quality",
        "label": "proper" if proper >= 0.5 else "improper",
        "probabilities": {
            "proper": proper,
            "gadolinium": 0.1,
            "motion_severe": motion,
            "noise_severe": noise,
            "contrast_severe": contrast,
        },
        "model_sha256": SHA,
    }
    return Finding(**{**values, **more})


def draw(n: int, seed: int, sharpness: float = 3.0, boast: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """(n,) probabilities of good as a model says them, and (n,) truth.

    The log odds are normal with a spread of `sharpness`; the model says them times `boast`, so above 1 it is too sure.
    """
    rng = np.random.default_rng(seed)
    odds = rng.normal(0.5, sharpness, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-odds))
    return 1 / (1 + np.exp(-boast * odds)), truth


def labelled(n: int, seed: int = 0, scans_each: int = 1, stratum: str | None = None, **how: float) -> list[Labelled]:
    """`n` people with `scans_each` scans, all of a person equally good and equally scored."""
    p, truth = draw(n, seed, **how)
    return [
        Labelled(quality(proper=float(p[person])), bool(truth[person]), f"{stratum}{person}", stratum)
        for person in range(n)
        for _ in range(scans_each)
    ]
