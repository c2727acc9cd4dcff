"""What is known of a defacing, as one row of numbers, and the loss of an answer against it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.tasks.defacing.network import CLASSES, OUTPUTS

Float32 = NDArray[np.float32]

FEATURES = OUTPUTS[len(CLASSES) : -1]

COLUMNS = ("label", *FEATURES, "touched")
"""Of a row: index into `CLASSES`; whether each feature is left, and anything was touched, 0 to 1. NaN: not known."""

LEFT_SHARE, RAMP = 0.3, 0.2
"""A feature counts as left from this share on (docs/defacing.md); shares near it are partly of both."""

SMOOTHING = 0.02
"""Of the labels: a rule with sharp limits on measured shares is no certainty near them."""

FEATURE_WEIGHT = 0.5
"""Of the five features and `touched` together, against the class."""


def truth_row(label: str, left: Mapping[str, float | None], touched: bool | None) -> Float32:
    """A row of `COLUMNS`.

    Parameters
    ----------
    left : feature → share that is left, None where it is not in view.
    touched : whether a tool changed anything.

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
    return np.array([CLASSES.index(label), *reached, known], np.float32)


def defacing_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of the class, and of features and `touched` where they are known.

    Parameters
    ----------
    logits : (N, outputs).
    truth : rows (N, 7).
    """
    loss = F.cross_entropy(logits[:, : len(CLASSES)], truth[:, 0].long(), label_smoothing=SMOOTHING)
    asked = truth[:, 1:]
    known = torch.isfinite(asked)
    if known.any():
        binary = F.binary_cross_entropy_with_logits(
            logits[:, len(CLASSES) :], torch.nan_to_num(asked), reduction="none"
        )
        per_question = (binary * known).sum() / known.sum()
        loss = loss + FEATURE_WEIGHT * len(FEATURES) * per_question
    return loss
