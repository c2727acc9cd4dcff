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
from brainsift.tasks.defacing.average import FEATURES
from brainsift.tasks.defacing.frame import standard_head
from brainsift.tasks.defacing.renders import COLUMNS, NO_BRAIN_MM, ROWS, VIEWS, View, render_views
from brainsift.tasks.defacing.signals import NAMES, Signals, measure_signals

__all__ = [
    "CLASSES", "COLUMNS", "KNOWN_ROW", "LAYERS", "MODEL", "N_OUTPUTS", "OUTPUTS", "PLANES", "ROWS", "SIGNAL_NAMES",
    "VALUE_ROW", "VIEWS", "Answer", "DefacingNetwork", "Seen", "decode", "look_at", "network_input",
    "open_defacing_network", "scaled_signals", "stacked_views", "view_planes",
]  # fmt: skip
"""What a network is fed, in one place: training imports from here alone."""

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

MODEL = "defacing"

CLASSES = ("correct", "insufficient", "excessive", "failed")

OUTPUTS = (*CLASSES, *FEATURES, "touched")
"""Logits in this order: the classes share a softmax; each feature that is left, and whether anything was taken away at
all, is a question of its own."""

N_OUTPUTS = len(OUTPUTS)

LAYERS = ("depth", "cover", "brightness", "edge", "blanked")
"""Planes of a view; each in [0, 1]."""

PLANES = len(VIEWS) * len(LAYERS) + 1
"""And one more whose first rows hold the signals: a model has one input."""

DEPTH_RANGE_MM = 180.0
"""A ray's length, rounded up; nearer is brighter, nothing is 0."""

BRIGHTEST = 2.0
"""Times the brain's grey value."""

VALUE_ROW, KNOWN_ROW = 0, 1
"""Rows of the last plane: the signals, scaled, and which of them are known."""

SCALES: Mapping[str, float] = {
    "face_sunk_mm": 50.0,
    "face_sunk_most_mm": 100.0,
    "forehead_sunk_mm": 20.0,
    "flat_share": 0.3,
    "flat_cm2": 50.0,
    "exposed_brain_cm2": 20.0,
    "thin_cover_cm2": 40.0,
    "brain_missing_ml": 30.0,
    "brain_missing_depth_mm": 20.0,
    "face_roughness_mm": 2.0,
    "mni_residual_mm": 4.0,
    "brain_ml": 1200.0,
    "outside_fov": 0.2,
}
"""Signal → what it is divided by to be about 1; those not named are shares already."""

MAX_SCALED = 4.0
"""A cut through the middle of the brain should not weigh a hundred times as much as a cut of its border."""

SIGNAL_NAMES = NAMES
"""Of the signals in the last plane, in order."""

MASKED_AIR = 0.3
"""Share of the air behind the head that is exactly empty from which the whole background is taken to be masked, as
scanners and skull-stripping do: then empty air before the face says nothing of a defacing."""

BLANK_SIGNALS = ("blank_before_share", "blank_behind_share")

Views = Mapping[str, View]


@dataclass(frozen=True, eq=False)
class Seen:
    """All that is known of a scan before a network is asked: its views and its signals."""

    views: Views
    signals: Signals


@dataclass(frozen=True)
class Answer:
    """Answers about a scan, all probabilities.

    Attributes
    ----------
    classes : of each of `CLASSES`; they sum to 1.
    features : that each of `FEATURES` is left.
    touched : that anything was taken away.
    """

    classes: dict[str, float]
    features: dict[str, float]
    touched: float

    def label(self) -> str:
        """The likeliest class."""
        return max(self.classes, key=lambda name: self.classes[name])


def look_at(volume: Volume, anatomy: Anatomy | None) -> Seen:
    """Views and signals of a scan; 0.3 s on one core."""
    head = standard_head(volume, anatomy)
    views = render_views(head)
    return Seen(views, measure_signals(head, views, anatomy))


def without_masked_air(seen: Seen) -> Seen:
    """The same, not knowing what is empty where all air is; see `MASKED_AIR`."""
    behind = seen.signals.get("blank_behind_share")
    if behind is None or behind < MASKED_AIR:
        return seen
    views = {name: replace(view, blanked=np.zeros_like(view.blanked)) for name, view in seen.views.items()}
    return Seen(views, {**seen.signals, **dict.fromkeys(BLANK_SIGNALS)})


def network_input(seen: Seen) -> Float32:
    """The one input of the network, float32 (PLANES, ROWS, COLUMNS) in [0, 1] but for the plane of signals."""
    seen = without_masked_air(seen)
    planes = np.zeros((PLANES, ROWS, COLUMNS), np.float32)
    planes[:-1] = stacked_views(seen.views)
    values, known = scaled_signals(seen.signals)
    planes[-1, VALUE_ROW, : len(values)] = values
    planes[-1, KNOWN_ROW, : len(known)] = known
    return planes


def stacked_views(views: Views) -> Float32:
    """The layers of all views, one after the other, float32 (views x layers, ROWS, COLUMNS) in [0, 1]."""
    return np.concatenate([view_planes(views[name]) for name in VIEWS])


def view_planes(view: View) -> Float32:
    """The layers of one view, float32 (len(LAYERS), ROWS, COLUMNS) in [0, 1]."""
    nearness = np.where(view.hit, 1 - view.depth_mm / DEPTH_RANGE_MM, 0)
    layers = (
        np.clip(nearness, 0, 1),
        np.where(view.hit, np.clip(1 - view.cover_mm / NO_BRAIN_MM, 0, 1), 0),
        np.clip(view.brightness / BRIGHTEST, 0, 1),
        view.edge,
        view.blanked,
    )
    return np.stack([np.asarray(layer, np.float32) for layer in layers])


def scaled_signals(signals: Signals) -> tuple[Float32, Float32]:
    """Signals about 1, and which are known, (len(NAMES),) each; the unknown ones are 0."""
    values = np.array([np.nan if signals.get(name) is None else signals[name] for name in NAMES], np.float32)
    scales = np.array([SCALES.get(name, 1.0) for name in NAMES], np.float32)
    known = np.isfinite(values)
    scaled = np.where(known, np.clip(np.nan_to_num(values) / scales, -MAX_SCALED, MAX_SCALED), 0)
    return scaled.astype(np.float32), known.astype(np.float32)


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
    yes = 0.5 * (1 + np.tanh(0.5 * x[len(CLASSES) :]))
    return Answer(
        dict(zip(CLASSES, classes.tolist(), strict=True)),
        dict(zip(FEATURES, yes[:-1].tolist(), strict=True)),
        float(yes[-1]),
    )


@dataclass(frozen=True, eq=False)
class DefacingNetwork:
    """The packaged network behind ONNX Runtime, with its identity."""

    session: Any
    model_id: str
    model_sha256: str

    def ask(self, seen: Seen) -> Answer:
        """Answer for one scan; 0.02 s on one core."""
        name = self.session.get_inputs()[0].name
        logits: Float32 = self.session.run(None, {name: network_input(seen)[None]})[0]
        return decode(logits[0])


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
