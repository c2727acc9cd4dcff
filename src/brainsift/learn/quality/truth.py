"""What is known of an example, as one row of numbers, and the loss of an answer against it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.evaluate.labels import Label
from brainsift.tasks.quality.network import GRADED, SEQUENCES

Float32 = NDArray[np.float32]

COLUMNS = ("proper", "gadolinium", *GRADED, "sequence")
"""Of a row: probabilities 0-1, scores 0-2, index into `SEQUENCES`; NaN where it is not known or makes no sense."""

RAMP = 1.0
"""Width of the rise of a target around the border of a grade. Over a whole grade, both targets of an artefact add up to
its score, so that each example says how bad it is and not only on which side of a border: no one can tell 0.49 from
0.51, and a third of the moved scans lie within a quarter of a border."""

SLICE_SHARE = 0.3
"""Weight of the loss of single slices. An artefact is mostly in every slice, and 12 answers teach faster than one."""

SMALLEST_SHARE = 0.1
"""A rarer answer counts no more than this share makes it: a handful of examples must not steer the training."""

N_BINARY = 2 + 2 * len(GRADED)


def truth_row(known: Mapping[str, float | bool | str | None]) -> Float32:
    """A row of `COLUMNS` from what is known by name; `sequence` is a suffix.

    Raises
    ------
    ValueError
        if something else than a column is given.
    """
    unknown = set(known) - set(COLUMNS)
    if unknown:
        raise ValueError(f"truth has the columns {', '.join(COLUMNS)}, got {sorted(unknown)}")
    return np.array([_number(name, known.get(name)) for name in COLUMNS], np.float32)


def _number(name: str, value: float | bool | str | None) -> float:
    if value is None:
        return float("nan")
    if name == "sequence":
        return float(SEQUENCES.index(str(value) if value in SEQUENCES else "other"))
    return float(value)


def sequence_of(row: Float32) -> str | None:
    """The suffix that a row of `COLUMNS` names; None where it names none."""
    named = row[COLUMNS.index("sequence")]
    return SEQUENCES[int(named)] if np.isfinite(named) else None


def label_row(label: Label) -> Float32:
    """What people say of a scan. Nothing else is said of one that is not proper."""
    if label.proper is False:
        return truth_row({"proper": False})
    grades = {name: getattr(label, name) for name in GRADED}
    return truth_row({"proper": label.proper, "gadolinium": label.gadolinium, "sequence": label.sequence, **grades})


def binary_targets(truth: Tensor) -> Tensor:
    """Rows (N, 6) → (N, 8): proper, gadolinium, then for each artefact how far grades 1 and 2 are reached; NaN kept."""
    grades = truth[:, 2 : 2 + len(GRADED)]
    steps = torch.stack([grades - 0.5, grades - 1.5], dim=2)
    reached = (steps / RAMP + 0.5).clamp(0, 1)
    return torch.cat([truth[:, :2], reached.flatten(1)], dim=1)


def even_odds(truth: Float32, drawn: Float32) -> Tensor:
    """Weights (8, 2) of the no and the yes of each binary answer, under which both count alike.

    How many scans of a site are bad is not known beforehand, so an answer of one half must mean even odds whatever the
    share in the bank; it is also what balanced accuracy asks for.

    Parameters
    ----------
    truth : rows (N, 6) of the bank.
    drawn : (N,) how often each is drawn.
    """
    targets = binary_targets(torch.from_numpy(truth[:, : len(COLUMNS)]))
    known = torch.isfinite(targets) * torch.from_numpy(drawn)[:, None]
    share = (torch.nan_to_num(targets) * known).sum(dim=0) / known.sum(dim=0).clamp(min=1e-6)
    share = share.clamp(SMALLEST_SHARE, 1 - SMALLEST_SHARE)
    return torch.stack([0.5 / (1 - share), 0.5 / share], dim=1)


def quality_loss(logits: Tensor, truth: Tensor, odds: Tensor | None = None) -> Tensor:
    """Cross-entropy of the scan's answers and, with less weight, of each slice's.

    Parameters
    ----------
    logits : (N, 1 + S, outputs).
    truth : rows (N, 6 or 7); a seventh column is the weight of the example.
    odds : weights (8, 2) from `even_odds`; None to let the answers follow their shares.
    """
    weight = truth[:, len(COLUMNS)] if truth.shape[1] > len(COLUMNS) else torch.ones(len(truth), device=truth.device)
    targets = binary_targets(truth)
    known = torch.isfinite(targets)
    filled = torch.nan_to_num(targets)
    share = known * weight[:, None]
    if odds is not None:
        no, yes = odds.to(truth.device).T
        share = share * (no + (yes - no) * filled)
    share = share[:, None]
    loss = F.binary_cross_entropy_with_logits(
        logits[..., :N_BINARY], filled[:, None].expand(-1, logits.shape[1], -1), reduction="none"
    )
    per_answer = (loss * share).sum(dim=(0, 2)) / share.sum().clamp(min=1)
    total: Tensor = N_BINARY * (per_answer[0] + SLICE_SHARE * per_answer[1:].mean())
    named = torch.isfinite(truth[:, len(COLUMNS) - 1])
    if named.any():
        index = truth[named, len(COLUMNS) - 1].long()
        sequence = F.cross_entropy(logits[named, 0, N_BINARY:], index, reduction="none")
        total = total + (sequence * weight[named]).sum() / weight[named].sum().clamp(min=1e-6)
    return total


def balancing_weights(truth: Float32) -> Float32:
    """How often each row should be drawn, (N,), mean 1: rows with rare answers more often, four times at the most.

    For every column that a row knows, its answer's share among the known ones is taken; the row gets the mean of the
    inverse shares.
    """
    rare = np.full(truth.shape, np.nan)
    for column in range(len(COLUMNS)):
        known = np.isfinite(truth[:, column])
        if not known.any():
            continue
        values, which, counts = np.unique(np.rint(truth[known, column]), return_inverse=True, return_counts=True)
        rare[known, column] = (known.sum() / (len(values) * counts))[which]
    some = np.isfinite(rare).any(axis=1)
    weights = np.ones(len(truth))
    weights[some] = np.nanmean(rare[some], axis=1)
    weights = np.clip(weights / weights.mean(), 0.25, 4.0)
    balanced: Float32 = (weights / weights.mean()).astype(np.float32)
    return balanced
