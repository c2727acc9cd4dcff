"""The two networks of the anatomy pass and what passes between them.

The first says where the tissues are, on a 4 mm grid and in any contrast. A mixture model turns that and the image's
own histogram into likelihoods on the 2 mm grid (`refine_posterior`), which look alike in every contrast. The second
network reads both and draws the edges; it needs no wide view, so it runs on the box around the brain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import N_TISSUES, Tissue
from brainsift.anatomy.normalise import normalise

Float32 = NDArray[np.float32]

INTRACRANIAL_LEVEL = 0.02
"""Voxels with less probability of lying inside the skull need no second look."""

BOX_MARGIN = 6
"""Working-grid voxels around the intracranial box: the second network sees 12 mm beyond it."""

BOX_MULTIPLE = 4
"""The second network halves the grid twice."""


def run_network(session: Any, inputs: Float32) -> Float32:
    """Run a session with one input on float32 (C, X, Y, Z); returns its one output without the batch axis.

    Raises
    ------
    ValueError
        if the model gives another number of classes.
    """
    name = session.get_inputs()[0].name
    answer: Float32 = session.run(None, {name: np.ascontiguousarray(inputs[None])})[0][0]
    if answer.shape[0] != N_TISSUES:
        raise ValueError(f"an anatomy model must give {N_TISSUES} classes, got {answer.shape[0]}: import another")
    return answer


def locate(session: Any, image: Float32) -> Float32:
    """Where the tissues are, by the first network: normalised head (X, Y, Z) → posterior (10, X, Y, Z)."""
    return double(softmax(run_network(session, coarse_image(image)[None])))


def softmax(logits: Float32) -> Float32:
    """Probabilities over the first axis, computed without overflow, in place."""
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits


def coarse_image(image: Float32) -> Float32:
    """Average over 2x2x2 voxels and normalise again: what the first network was trained on. Sizes must be even."""
    return normalise(pool(image) / np.float32(8))


def pool(image: NDArray[Any]) -> NDArray[Any]:
    """Sum over blocks of 2x2x2 voxels; masks are counted as uint8."""
    a = image.view(np.uint8) if image.dtype == bool else image
    a = a[::2] + a[1::2]
    a = a[:, ::2] + a[:, 1::2]
    result: NDArray[Any] = a[:, :, ::2] + a[:, :, 1::2]
    return result


def double(field: Float32) -> Float32:
    """Linear interpolation to twice the resolution, cell centres kept, (C, X, Y, Z) → (C, 2X, 2Y, 2Z)."""
    for axis in (1, 2, 3):
        wide = np.empty([n * (2 if a == axis else 1) for a, n in enumerate(field.shape)], np.float32)
        source, target = np.moveaxis(field, axis, 0), np.moveaxis(wide, axis, 0)
        near, far = np.float32(0.75) * source, np.float32(0.25) * source
        np.add(near[1:], far[:-1], out=target[2::2])
        np.add(near[:-1], far[1:], out=target[1:-1:2])
        target[0], target[-1] = source[0], source[-1]
        field = wide
    return field


def intracranial_box(posterior: Float32) -> tuple[slice, slice, slice] | None:
    """The box around all that may lie inside the skull, with a margin; None where there is nothing."""
    inside = 1 - posterior[Tissue.BACKGROUND] - posterior[Tissue.HEAD] > INTRACRANIAL_LEVEL
    if not inside.any():
        return None
    box = []
    for axis in range(3):
        hit = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        low = max(0, int(hit[0]) - BOX_MARGIN) // BOX_MULTIPLE * BOX_MULTIPLE
        high = min(inside.shape[axis], -(-(int(hit[-1]) + 1 + BOX_MARGIN) // BOX_MULTIPLE) * BOX_MULTIPLE)
        box.append(slice(low, high))
    return box[0], box[1], box[2]


def edge_inputs(image: Float32, where: Float32, refined: Float32) -> Float32:
    """What the second network reads, (21, X, Y, Z): the image and both posteriors on the working grid."""
    return np.concatenate([image[None], where, refined])
