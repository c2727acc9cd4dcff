"""What is measured of a scan weighs on what the network sees of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.dimension import dimension_of
from brainsift.tasks.quality.contrast import Metrics, with_measured_contrast
from brainsift.tasks.quality.network import Answer
from brainsift.tasks.quality.noise import with_measured_noise
from brainsift.tasks.quality.signed import with_sign

PROPER_STACK = 0.01
"""Probability given to a stack of 2D slices, whatever it looks like: the protocol rejects it by its geometry (Bottani
2022, MedIA 75:102219), and pixels of 1 mm do not always show how thick the slices across them are."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What numbers say of a scan.

    Attributes
    ----------
    spacing : (3,) voxel size, mm.
    metrics : image metrics by name; empty where no brain was found.
    anatomy : tells whether the metrics can be trusted.
    snr : of the brain, `measured_snr`.
    negative_share : share of values below zero.
    header : allow-listed fields.
    """

    spacing: NDArray[np.float64]
    metrics: Metrics
    anatomy: Anatomy | None
    snr: float | None
    negative_share: float
    header: dict[str, Any] = field(default_factory=dict)


def with_measured(answer: Answer, scan: Measured, filed_as: str | None = None) -> tuple[Answer, bool]:
    """The answer by both, and whether the scan is a stack of 2D slices.

    Parameters
    ----------
    filed_as : suffix that its name or header gives, where that is certain; else what it looks like counts.
    """
    answer = with_sign(answer, scan.negative_share)
    sequence = filed_as or answer.likeliest_sequence()
    answer = with_measured_contrast(answer, scan.metrics, scan.anatomy, sequence)
    answer = with_measured_noise(answer, scan.snr)
    stack = dimension_of(scan.spacing, scan.header, answer.likeliest_sequence())[0] == "2D"
    return (replace(answer, proper=min(answer.proper, PROPER_STACK)) if stack else answer), stack
