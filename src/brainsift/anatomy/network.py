"""The networks of the anatomy pass, with their identity."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.refine import refine_posterior
from brainsift.anatomy.stages import edge_inputs, intracranial_box, locate, run_network, softmax

Float32 = NDArray[np.float32]

WHERE_MODEL, EDGES_MODEL = "anatomy", "anatomy_edges"


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
    """The two packaged networks behind ONNX Runtime, see `brainsift.anatomy.stages`.

    Attributes
    ----------
    where : session of the first network; logits of the classes on a 4 mm grid.
    edges : session of the second network, or None to stop after the mixture model.
    model_id, model_sha256 : what goes into records; the digest is that of both files' digests.
    """

    where: Any
    edges: Any | None
    model_id: str
    model_sha256: str

    def posterior(self, image: Float32) -> Float32:
        """Class probabilities of a normalised head, as `Segments` says."""
        where = locate(self.where, image)
        posterior = refine_posterior(where, image).posterior
        box = intracranial_box(where) if self.edges is not None else None
        if box is None:
            return posterior
        inputs = edge_inputs(image[box], where[:, *box], posterior[:, *box])
        result = posterior.copy() if posterior is where else posterior
        result[:, *box] = softmax(run_network(self.edges, inputs))
        return result


@functools.cache
def open_network(threads: int | None = None, shelf: Path | None = None) -> AnatomyNetwork:
    """The anatomy networks from the shelf, opened once per process.

    Raises
    ------
    ModelError
        if a model is missing or damaged.
    """
    from brainsift.models.session import open_session
    from brainsift.models.shelf import find

    digest = joint_digest(find(name, shelf).sha256 for name in (WHERE_MODEL, EDGES_MODEL))
    where, edges = (open_session(name, threads, shelf) for name in (WHERE_MODEL, EDGES_MODEL))
    return AnatomyNetwork(where, edges, WHERE_MODEL, digest)


def joint_digest(digests: Iterable[str]) -> str:
    """One SHA-256 for several files, from theirs in order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()
