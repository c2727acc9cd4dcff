"""The networks of the anatomy pass, with their identity and that of the average head between them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.atlas_prior import prior_digest
from brainsift.anatomy.grids import double
from brainsift.anatomy.laid import Laid
from brainsift.anatomy.sharpen import sharpen
from brainsift.anatomy.stages import align_prior, bend_prior, draw_edges, even_out, find, lay
from brainsift.stage_clock import stage

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
    """The packaged networks behind ONNX Runtime and all that lies between them, see `brainsift.anatomy.stages`.

    Attributes
    ----------
    where : session of the first network; logits of the classes on a 4 mm grid.
    edges : session of the one that draws the edges, see `brainsift.anatomy.sharpen`; None to leave them to the mixture
        model.
    model_id, model_sha256 : what goes into records; the digest stands for the networks and the average head.
    """

    where: Any
    edges: Any | None
    model_id: str
    model_sha256: str

    def posterior(self, image: Float32) -> Float32:
        """Class probabilities of a normalised head, as `Segments` says."""
        with stage("network"):
            coarse, where = find(self.where, image)
        laid = lay_and_bend(coarse, where)
        if laid is None:
            return network_alone(where)
        with stage("mixture"):
            mixture = draw_edges(laid, image)
        if self.edges is None:
            return mixture
        with stage("edges"):
            return sharpen(self.edges, laid, image, mixture)


def lay_and_bend(coarse: Float32, where: Float32) -> Laid | None:
    """The average head over the scan until it explains it best; None where the network's labels cannot be fitted.

    Parameters
    ----------
    coarse, where : from `stages.find`.
    """
    with stage("lay"):
        laid = lay(coarse, where)
    if laid is None:
        return None
    with stage("even_out"):
        laid = even_out(laid)
    with stage("align"):
        laid = align_prior(laid)
    with stage("bend"):
        return bend_prior(laid)


def network_alone(where: Float32) -> Float32:
    """The network's posterior (10, x, y, z) brought to the 2 mm grid: the answer where no average head can be laid."""
    return np.stack([double(share) for share in where])


@functools.cache
def open_network(threads: int | None = None, shelf: Path | None = None) -> AnatomyNetwork:
    """The anatomy networks from the shelf, opened once per process.

    Raises
    ------
    ModelError
        if a model is missing or damaged.
    """
    from brainsift.models.session import open_session
    from brainsift.models.shelf import find as find_model

    digest = joint_digest([*(find_model(name, shelf).sha256 for name in (WHERE_MODEL, EDGES_MODEL)), prior_digest()])
    where, edges = (open_session(name, threads, shelf) for name in (WHERE_MODEL, EDGES_MODEL))
    return AnatomyNetwork(where, edges, WHERE_MODEL, digest)


def joint_digest(digests: Iterable[str]) -> str:
    """One SHA-256 for several files, from theirs in order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()
