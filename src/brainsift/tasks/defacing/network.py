"""What the defacing network is fed and what it answers. No torch in here; learning uses the same functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.volume import Volume
from brainsift.tasks.defacing.average import FEATURES, load_average
from brainsift.tasks.defacing.frame import StandardHead, sample_nearest, standard_head, standard_step
from brainsift.tasks.defacing.renders import View, render_views
from brainsift.tasks.defacing.signals import Signals, measure_signals
from brainsift.tasks.defacing.window import (
    CHANNELS,
    EMPTY_FIRST,
    EMPTY_LEVELS,
    INSIDE,
    LEVELS,
    WINDOW,
    WINDOW_SHAPE,
    Window,
    window_of,
)

__all__ = [
    "CHANNELS", "CLASSES", "EMPTY_FIRST", "EMPTY_LEVELS", "FEATURES", "INSIDE", "LEVELS", "MODEL", "N_OUTPUTS",
    "OUTPUTS", "WINDOW", "WINDOW_SHAPE", "Answer", "DefacingNetwork", "Seen", "StandardHead", "Window", "decode",
    "load_average", "look_at", "network_input", "open_defacing_network", "sample_nearest", "standard_head",
    "standard_step", "window_of",
]  # fmt: skip
"""What a network is fed, in one place: training imports from here alone."""

Float32 = NDArray[np.float32]

MODEL = "defacing"

CLASSES = ("correct", "insufficient", "excessive", "failed")

OUTPUTS = (*CLASSES, *FEATURES, "touched", "brain_removed_ml")
"""Logits in this order: the classes share a softmax; each feature that is left, and whether anything was taken away at
all, is a question of its own. The last is no logit but mL of brain that seem to be gone."""

N_OUTPUTS = len(OUTPUTS)

Views = Mapping[str, View]


@dataclass(frozen=True, eq=False)
class Seen:
    """All that is known of a scan before a network is asked.

    Attributes
    ----------
    views, signals, window : of `render_views`, `measure_signals` and `window_of`; the network sees the last.
    scale : mL of the scan that a mL of the standard grid stands for: small heads are blown up to the size of MNI152.
    """

    views: Views
    signals: Signals
    window: Window
    scale: float = 1.0


@dataclass(frozen=True)
class Answer:
    """Answers about a scan, probabilities but for the last.

    Attributes
    ----------
    classes : of each of `CLASSES`; they sum to 1.
    features : that each of `FEATURES` is left.
    touched : that anything was taken away.
    brain_removed_ml : brain that seems to be gone, mL.
    """

    classes: dict[str, float]
    features: dict[str, float]
    touched: float
    brain_removed_ml: float

    def label(self) -> str:
        """The likeliest class."""
        return max(self.classes, key=lambda name: self.classes[name])


def look_at(volume: Volume, anatomy: Anatomy | None) -> Seen:
    """Views, signals and window of a scan; 0.3 s on one core."""
    head = standard_head(volume, anatomy)
    views = render_views(head)
    scale = 1 / float(abs(np.linalg.det(head.pose[:3, :3])))
    return Seen(views, measure_signals(head, views, anatomy), window_of(head), scale)


def network_input(window: Window) -> Float32:
    """The one input of the network, float32 (1, channels, *WINDOW_SHAPE) in [0, 1]."""
    return window.channels()[None]


def decode(logits: NDArray[np.floating]) -> Answer:
    """Read the logits (outputs,) of one scan.

    Raises
    ------
    ValueError
        if there is another number of outputs.
    """
    if logits.shape != (N_OUTPUTS,):
        raise ValueError(f"a defacing model must give {N_OUTPUTS} outputs, got {logits.shape}: import another")
    x = logits.astype(np.float64)
    shifted = np.exp(x[: len(CLASSES)] - x[: len(CLASSES)].max())
    classes = shifted / shifted.sum()
    yes = 0.5 * (1 + np.tanh(0.5 * x[len(CLASSES) : -1]))
    return Answer(
        dict(zip(CLASSES, classes.tolist(), strict=True)),
        dict(zip(FEATURES, yes[:-1].tolist(), strict=True)),
        float(yes[-1]),
        max(0.0, float(x[-1])),
    )


@dataclass(frozen=True, eq=False)
class DefacingNetwork:
    """The packaged network behind ONNX Runtime, with its identity."""

    session: Any
    model_id: str
    model_sha256: str

    def ask(self, seen: Seen) -> Answer:
        """Answer for one scan; 0.1 s on one core."""
        name = self.session.get_inputs()[0].name
        logits: Float32 = self.session.run(None, {name: network_input(seen.window)})[0]
        answer = decode(logits[0])
        return replace(answer, brain_removed_ml=seen.scale * answer.brain_removed_ml)


def open_defacing_network(threads: int | None = None, shelf: Path | None = None) -> DefacingNetwork:
    """The defacing network from the shelf; its session is opened once per process.

    Raises
    ------
    ModelError
        if the model is missing or damaged.
    """
    from brainsift.models.session import open_session
    from brainsift.models.shelf import find

    return DefacingNetwork(open_session(MODEL, threads, shelf), MODEL, find(MODEL, shelf).sha256)
