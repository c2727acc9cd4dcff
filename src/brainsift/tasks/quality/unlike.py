"""Signs that a scan is unlike what the quality network learnt from: its answer is then not to be relied upon.

Asked of scans that the network calls proper, because those may be accepted without anybody looking; of others, only
whether it contradicts itself. The flags are those that refer a finding (`brainsift.decide.doubt`). Bounds come from
what training showed and from what other scans measure, not from labels; how many scans each stops,
`benchmarks/bench_quality_musts.py` counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.tasks.base import Measurement
from brainsift.tasks.quality.network import EVEN_ODDS, Answer

OUT_OF_DISTRIBUTION, LOW_CONFIDENCE, OUTSIDE_RANGE = "out_of_distribution", "low_confidence", "outside_training_range"

NO_SEQUENCE = "other"
CONTRADICTION = "it looks like a proper scan, but of no known sequence"

MAX_ENTROPY = 0.5
"""Of the sequences, as a share of what not knowing at all would give. Two sequences at even odds have 0.36, three 0.56:
from there on the image looks like none of them."""

MAX_DISSENT = 1 / 3
"""Share of the slices that, asked alone, call the scan improper: one orientation out of the three."""

MIN_CONFIDENCE = 0.3
"""Of the anatomy, as for the integrity of a scan."""

WORST_TIER = 3
"""A severe artefact blurs what the sequence is and makes slices look improper: it explains these signs, and such a scan
is not accepted anyway."""

SPACING_SEEN_MM = (0.5, 2.5)
"""Voxel sizes, any axis. Training showed 0.85 to 1.35 mm, resolved to 2.2 mm at the coarsest; real scans of 1.6 and
1.75 mm were answered like finer ones. Noise and ringing of much finer voxels are averaged away before the network."""

METRIC_LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "icvs_csf": (0.0, 0.46),
        "icvs_gm": (0.14, 0.74),
        "icvs_wm": (0.18, 0.55),
        "fwhm_avg": (0.0, 11.0),
    }
)
"""Image metrics that say what is shown rather than how well: two spreads (5-95 %) outside of the tails of 1,394 T1w scans
in ABIDE and MR-ART (`data/ratings`). Metrics that rise with an artefact have no limits here: a strong artefact is no reason
to disbelieve that it is strong."""  # noqa: E501


def unlike_training(
    answer: Answer, spacing_mm: Sequence[float], anatomy: Anatomy | None, metrics: Mapping[str, Measurement]
) -> dict[str, str]:
    """Flags, each with what was found in words; of a scan that is called improper, a contradiction alone.

    Parameters
    ----------
    spacing_mm : voxel size of the scan, (3,).
    anatomy : None where the pass was refused.
    metrics : by MRIQC's names.
    """
    if answer.proper <= EVEN_ODDS:
        return {OUT_OF_DISTRIBUTION: CONTRADICTION} if _contradicts(answer) else {}
    found = {
        OUT_OF_DISTRIBUTION: _of_answer(answer),
        LOW_CONFIDENCE: _of_anatomy(anatomy),
        OUTSIDE_RANGE: [*_of_voxels(spacing_mm), *_of_metrics(metrics)],
    }
    return {flag: "; ".join(told) for flag, told in found.items() if told}


def dissent(answer: Answer) -> float:
    """Share of the slices that, asked alone, call the scan improper."""
    return float(np.mean(answer.slice_proper <= EVEN_ODDS))


def sequence_entropy(answer: Answer) -> float:
    """Entropy of the sequences as a share of its maximum: 0 sure of one, 1 no idea."""
    p = np.array([value for value in answer.sequence.values() if value > 0])
    return float(-(p * np.log(p)).sum() / np.log(len(answer.sequence)))


def _contradicts(answer: Answer) -> bool:
    """Improper for its sequence alone: most slices look proper."""
    return answer.likeliest_sequence() == NO_SEQUENCE and dissent(answer) <= MAX_DISSENT


def _of_answer(answer: Answer) -> list[str]:
    told: list[str] = []
    if answer.tier() == WORST_TIER:
        return told
    if sequence_entropy(answer) > MAX_ENTROPY:
        told.append("it looks like several sequences at once")
    if (share := dissent(answer)) > MAX_DISSENT:
        told.append(f"{share:.0%} of the slices look improper")
    return told


def _of_anatomy(anatomy: Anatomy | None) -> list[str]:
    if anatomy is None or not anatomy.has_brain:
        return ["it looks proper, but no brain was found"]
    return [] if anatomy.confidence >= MIN_CONFIDENCE else [f"the anatomy has a confidence of {anatomy.confidence:.2f}"]


def _of_voxels(spacing_mm: Sequence[float]) -> list[str]:
    low, high = SPACING_SEEN_MM
    if low <= min(spacing_mm) and max(spacing_mm) <= high:
        return []
    size = " x ".join(f"{mm:.3g}" for mm in spacing_mm)
    return [f"voxels of {size} mm"]


def _of_metrics(metrics: Mapping[str, Measurement]) -> list[str]:
    told = []
    for name, (low, high) in METRIC_LIMITS.items():
        value = metrics.get(name)
        if isinstance(value, int | float) and not low <= value <= high:
            told.append(f"{name} is {value:.3g}")
    return told
