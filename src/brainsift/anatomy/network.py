"""The network of the anatomy pass, with its identity."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import N_TISSUES

Float32 = NDArray[np.float32]

MODEL_NAME = "anatomy"


class Segments(Protocol):
    """Anything that turns a normalised head into class probabilities, and says what it is."""

    @property
    def model_id(self) -> str:
        """Name and version."""
        ...

    @property
    def model_sha256(self) -> str:
        """Digest of the model file."""
        ...

    def posterior(self, image: Float32) -> Float32:
        """float32 (X, Y, Z) in [0, 1], sizes multiples of 16 → float32 (10, X, Y, Z), summing to 1."""
        ...


@dataclass(frozen=True, eq=False)
class AnatomyNetwork:
    """The packaged network behind ONNX Runtime.

    Attributes
    ----------
    session : of ONNX Runtime; one input (1, 1, X, Y, Z), one output of logits (1, 10, X, Y, Z).
    model_id, model_sha256 : what goes into records.
    """

    session: Any
    model_id: str
    model_sha256: str

    def posterior(self, image: Float32) -> Float32:
        """Class probabilities of a normalised head, as `Segments` says."""
        name = self.session.get_inputs()[0].name
        logits: Float32 = self.session.run(None, {name: np.ascontiguousarray(image[None, None])})[0][0]
        if logits.shape[0] != N_TISSUES:
            raise ValueError(f"the anatomy model must give {N_TISSUES} classes, got {logits.shape[0]}: import another")
        return softmax(logits)


def softmax(logits: Float32) -> Float32:
    """Probabilities over the first axis, computed without overflow."""
    shifted: Float32 = logits - logits.max(axis=0)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=0)
    return shifted


@functools.cache
def open_network(threads: int | None = None, shelf: Path | None = None) -> AnatomyNetwork:
    """The anatomy network from the shelf, opened once per process.

    Raises
    ------
    ModelError
        if the model is missing or damaged.
    """
    from brainsift.models.session import open_session
    from brainsift.models.shelf import find

    model = find(MODEL_NAME, shelf)
    return AnatomyNetwork(open_session(MODEL_NAME, threads, shelf), MODEL_NAME, model.sha256)
