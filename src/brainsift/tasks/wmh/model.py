"""The lesion network behind ONNX Runtime, with its identity and what its file says of how it is to be read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.models.errors import ModelError
from brainsift.tasks.wmh.marked import DEFAULT_MIN_MM3, DEFAULT_THRESHOLD
from brainsift.tasks.wmh.network import MODEL, Prepared, probability

Float32 = NDArray[np.float32]

THRESHOLD, MIN_LESION = "threshold", "min_lesion_mm3"
"""Names in the metadata of the ONNX file: chosen on validation scans when the model was trained."""


@dataclass(frozen=True, eq=False)
class WmhNetwork:
    """A network with its identity.

    Attributes
    ----------
    session : of ONNX Runtime; one input (1, channels, X, Y, Z), one output of logits (1, 1, X, Y, Z).
    model_id, model_sha256 : what goes into records.
    threshold : probability from which a voxel is lesion.
    min_lesion_mm3 : smaller lesions are not counted.
    """

    session: Any
    model_id: str
    model_sha256: str
    threshold: float = DEFAULT_THRESHOLD
    min_lesion_mm3: float = DEFAULT_MIN_MM3

    def ask(self, prepared: Prepared) -> Float32:
        """Lesion probability on the grid of `prepared`, float32 (X, Y, Z); 0 outside the scan's field of view."""
        name = self.session.get_inputs()[0].name
        found = probability(self.session.run(None, {name: prepared.input[None]})[0])
        found[~prepared.inside] = 0
        return found


def network_of(session: Any, model_id: str, model_sha256: str) -> WmhNetwork:
    """A session with the settings that its file holds, or the defaults.

    Raises
    ------
    ModelError
        if the file holds a setting that is none.
    """
    told = session.get_modelmeta().custom_metadata_map
    threshold = _number(told, THRESHOLD, DEFAULT_THRESHOLD, model_id)
    smallest = _number(told, MIN_LESION, DEFAULT_MIN_MM3, model_id)
    if not 0 < threshold < 1 or smallest < 0:
        raise _bad(model_id, f"threshold {threshold:g}, smallest lesion {smallest:g} mm³")
    return WmhNetwork(session, model_id, model_sha256, threshold, smallest)


def _number(told: dict[str, str], name: str, default: float, model_id: str) -> float:
    try:
        value = float(told.get(name, default))
    except ValueError:
        raise _bad(model_id, f"{name} {told[name]!r}") from None
    if not math.isfinite(value):
        raise _bad(model_id, f"{name} {value}")
    return value


def _bad(model_id: str, what: str) -> ModelError:
    return ModelError(model_id, f"its file holds settings that cannot be used: {what}.", "Export it again.")


def open_wmh_network(threads: int | None = None, shelf: Path | None = None) -> WmhNetwork:
    """The lesion network from the shelf; its session is opened once per process.

    Raises
    ------
    ModelError
        if the model is missing or damaged.
    """
    from brainsift.models.session import open_session
    from brainsift.models.shelf import find

    return network_of(open_session(MODEL, threads, shelf), MODEL, find(MODEL, shelf).sha256)
