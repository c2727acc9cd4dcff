"""What is known of a defacing, as one row of numbers, and the loss of an answer against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.defacing.places import Known, cells_of
from brainsift.simulate.deface.truth import label_of
from brainsift.tasks.defacing.network import CLASSES, FEATURES, N_OUTPUTS

Float32 = NDArray[np.float32]

COLUMNS = ("label", *FEATURES, "touched", "kept")
"""Of a row: index into `CLASSES`; whether each feature is left, and anything was touched, 0 to 1 (NaN: not known); and
the share of the detail that the tool left where it acted."""

LEFT_SHARE, RAMP = 0.3, 0.2
"""A feature counts as left from this share on (docs/defacing.md); shares near it are partly of both."""

UNSURE_ML, UNSURE_MM, UNSURE_SHARE = 0.25, 0.7, 0.06
"""How well what the rule asks is known: standard deviation of the logarithm of brain removed, of its depth in mm, and
of what is left of a feature. A rule with sharp limits is no certainty near them."""

READINGS = 200
"""Of the rule, each with other errors of measurement."""

SMOOTHING = 0.01
"""Of the chances of the labels, beside what lies near a limit."""

MAPS_WEIGHT = 1.0
"""Of the maps, against the class."""

NOTHING_CELLS = 300.0
"""Cells of 4 mm, 19 mL: errors of a map are told against what is there and so much more, or maps of nothing would weigh
most."""

FEATURE_WEIGHT = 0.5
"""Of the five features and `touched` together, against the class."""


def truth_row(label: str, left: Mapping[str, float | None], touched: bool | None, kept: float = 0.0) -> Float32:
    """A row of `COLUMNS`.

    Parameters
    ----------
    left : feature → share that is left, None where it is not in view.
    touched : whether a tool changed anything.
    kept : share of the detail that it left where it did.

    Raises
    ------
    ValueError
        if the label is no class.
    """
    if label not in CLASSES:
        raise ValueError(f"a label is one of {', '.join(CLASSES)}, got {label!r}")
    shares = [left.get(name) for name in FEATURES]
    reached = [float("nan") if s is None else min(1.0, max(0.0, (s - LEFT_SHARE) / RAMP + 0.5)) for s in shares]
    known = float("nan") if touched is None else float(touched)
    return np.array([CLASSES.index(label), *reached, known, kept], np.float32)


def label_chances(label: str, facts: Mapping[str, Any], seed: int = 0) -> Float32:
    """Chance of each class if what was measured were a little different, (classes,).

    Parameters
    ----------
    label : by the rule.
    facts : ``left`` (feature → share), ``brain_removed_ml``, ``brain_removed_depth_mm`` and ``brain_removed_share`` of
        a simulated scan; where they are not there the label is taken as it is.
    """
    chances = np.zeros(len(CLASSES), np.float32)
    if "left" not in facts or facts.get("brain_removed_share") is None:
        chances[CLASSES.index(label)] = 1
    else:
        rng = np.random.default_rng(seed)
        for _ in range(READINGS):
            more = float(np.exp(UNSURE_ML * rng.standard_normal()))
            depth = facts["brain_removed_depth_mm"] + UNSURE_MM * rng.standard_normal()
            left = {
                name: None if share is None else share + UNSURE_SHARE * rng.standard_normal()
                for name, share in facts["left"].items()
            }
            told, _ = label_of(left, facts["brain_removed_ml"] * more, facts["brain_removed_share"] * more, depth)
            chances[CLASSES.index(told)] += 1 / READINGS
    result: Float32 = (1 - SMOOTHING) * chances + SMOOTHING / len(CLASSES)
    return result


def defacing_loss(answers: Tensor, known: Known) -> Tensor:
    """Cross-entropy of the class, of features and `touched` where they are known, and of the maps.

    Parameters
    ----------
    answers : (N, N_OUTPUTS + maps x cells), of `DefacingNet`.
    """
    cells = cells_of(known.places, known.rows[:, COLUMNS.index("kept")])
    maps = answers[:, N_OUTPUTS:].reshape(cells.shape)
    return answer_loss(answers[:, :N_OUTPUTS], known.rows, known.chances) + MAPS_WEIGHT * maps_loss(maps, cells)


def answer_loss(logits: Tensor, rows: Tensor, chances: Tensor) -> Tensor:
    """Of the class, and of what is known of features and `touched`; logits (N, N_OUTPUTS)."""
    loss = F.cross_entropy(logits[:, : len(CLASSES)], chances)
    asked = rows[:, 1:-1]
    known = torch.isfinite(asked)
    if known.any():
        binary = F.binary_cross_entropy_with_logits(
            logits[:, len(CLASSES) : -1], torch.nan_to_num(asked), reduction="none"
        )
        per_question = (binary * known).sum() / known.sum()
        loss = loss + FEATURE_WEIGHT * len(FEATURES) * per_question
    return loss


def maps_loss(maps: Tensor, cells: Tensor) -> Tensor:
    """Cross-entropy of the share of every cell, logits (N, maps, X, Y, Z); a small thing counts as much as a large."""
    wrong = F.binary_cross_entropy_with_logits(maps, cells, reduction="none").sum(dim=(2, 3, 4))
    return (wrong / (cells.sum(dim=(2, 3, 4)) + NOTHING_CELLS)).mean()
