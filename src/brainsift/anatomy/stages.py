"""The stages of the anatomy pass.

A network says where the tissues are, on a 4 mm grid and in any contrast. Its labels lay an average head over the scan
(`lay`), brightness is evened out (`even_out`) and the average head bent (`bend_prior`) until its structures explain
the image best. A mixture model of this very scan's brightness then draws the edges on the 2 mm grid (`draw_edges`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.atlas_prior import load_inside, load_prior, sample, table_coordinates
from brainsift.anatomy.bias import FIELD_LIMITS, ROUNDS, brightness_field
from brainsift.anatomy.cleaning import bounding_box, fill_holes
from brainsift.anatomy.fov import FieldOfView
from brainsift.anatomy.grids import COARSE_AFFINE, Box, coarse_image, double, fine
from brainsift.anatomy.labels import N_TISSUES, Tissue
from brainsift.anatomy.laid import INTRACRANIAL_LEVEL, PROBABILITY_FLOOR, Laid, floored
from brainsift.anatomy.mni import MAX_RESIDUAL_MM, fit_affine
from brainsift.anatomy.mni_reference import load_reference
from brainsift.anatomy.moments import cloud_from_labels
from brainsift.anatomy.refine import PRIOR_FLOOR, bins_of, estimate_densities, posterior_of
from brainsift.anatomy.register import Explain, align, bend
from brainsift.anatomy.structures import TISSUE_OF, to_tissues
from brainsift.anatomy.voxels import Voxels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

REACH = 2
"""4 mm voxels around all that may lie inside the skull: the average head may be bent by about as much."""

BOX_MARGIN = 2
"""4 mm voxels around that, for the smoothing of the displacement."""

LANDMARK_POINTS = 1500
"""Voxels of a class that the average head is fitted to: about 190 in an octant place its centre within 0.6 mm."""

FAR_OUTSIDE = 0.05
MAX_STRIPPED_SHARE = 0.15
"""Of the voxels that are not empty, outside the skull of the average head: a bare brain leaves a few percent there
where it is misplaced, a head with its scalp more than a third, even without its face."""

ALIGN_STEPS = (4,)
REALIGN_STEPS = (4,)
"""Gauss-Newton steps of the affine after each new estimate of the mixture model; again when brightness is even. Four
more before that changed mean tissue Dice by .001 (28 simulated heads) for 0.05 s."""

NETWORK_WEIGHT = np.float32(0.5)
NETWORK_FLOOR = np.float32(1e-3)
"""The network's share of a tissue counts as half a witness when the affine is sought: by brightness alone the average
head left the brain of one in four simulated heads of random contrast, where the scalp looks like the brain."""

STEPS = (4, 4)
"""Steps of the registration after each new estimate of the mixture model. Eighteen steps gained 0.005 in mean Dice of
simulated heads for half a second more; a start on an 8 mm grid lost 0.02."""


def find(session: Any, image: Float32) -> tuple[Float32, Float32]:
    """Where the tissues are, by the network: normalised head (X, Y, Z) → its 4 mm image and posterior (10, x, y, z)."""
    coarse = coarse_image(image)
    return coarse, softmax(run_network(session, coarse[None]))


def lay(coarse: Float32, where: Float32) -> Laid | None:
    """Lay the average head over the network's labels, then over the mixture model's, then where it explains the image
    best; None where the labels cannot be fitted.

    Parameters
    ----------
    coarse : (x, y, z), from `find`.
    where : (10, x, y, z), from `find`.
    """
    to_mni = _fit(where.argmax(axis=0).astype(np.uint8), COARSE_AFFINE, coarse)
    if to_mni is None:
        return None
    inside = _inside(to_mni, coarse)
    stripped = shows_no_head(coarse, inside)
    where = without_head(where, coarse) if stripped else where
    laid = _place(coarse, where, inside, to_mni, stripped)
    if laid is None:
        return None
    labels = laid.voxels.put(to_tissues(laid.posterior()).argmax(axis=0).astype(np.uint8))
    again = _fit(labels, laid.affine, coarse)
    laid = align_prior(laid if again is None else replace(laid, to_mni=again), ALIGN_STEPS)
    return _place(coarse, where, _inside(laid.to_mni, coarse), laid.to_mni, stripped)


def _inside(to_mni: Float64, coarse: Float32) -> Float32:
    """What of each voxel of the 4 mm grid (x, y, z) the average head puts inside the skull."""
    x, y, z = coarse.shape
    return sample(load_inside(), table_coordinates(to_mni, (x, y, z), COARSE_AFFINE))[..., 0]


def _place(coarse: Float32, where: Float32, inside: Float32, to_mni: Float64, stripped: bool) -> Laid | None:
    mask = may_lie_inside(inside, where)
    if not mask.any():
        return None
    box = _box(mask)
    seen = coarse[box]
    still = np.zeros((3, *seen.shape), np.float32)
    return Laid(where, box, Voxels.of(mask[box]), seen, np.ones_like(seen), to_mni, still, stripped)


def shows_no_head(coarse: Float32, inside: Float32) -> bool:
    """Whether next to nothing is seen where the average head has only air or head: the skull has been stripped."""
    filled = coarse > 0
    beyond = filled & (inside < FAR_OUTSIDE)
    return bool(np.count_nonzero(beyond) < MAX_STRIPPED_SHARE * np.count_nonzero(filled))


def without_head(where: Float32, coarse: Float32) -> Float32:
    """The network's posterior where nothing is head: what is empty and open to the outside is air, the rest lies inside
    the skull."""
    inside = where[Tissue.HEAD + 1 :] + PRIOR_FLOOR
    filled = fill_holes(coarse > 0)
    result = np.zeros_like(where)
    result[Tissue.HEAD + 1 :] = inside / inside.sum(axis=0) * filled
    result[Tissue.BACKGROUND] = ~filled
    return result


def may_lie_inside(inside: Float32, where: Float32) -> Mask:
    """Voxels of the 4 mm grid that the average head, or it and the network together, put inside the skull, and those
    around them that it could be bent to.

    Parameters
    ----------
    inside : float32 (x, y, z), by the average head.
    where : float32 (10, x, y, z), by the network; what is surely air or head stays out.
    """
    from scipy.ndimage import binary_dilation

    network = 1 - where[Tissue.BACKGROUND] - where[Tissue.HEAD]
    core = (inside > INTRACRANIAL_LEVEL) | (inside * network > INTRACRANIAL_LEVEL**2)
    reached: Mask = binary_dilation(core, iterations=REACH) & (where[Tissue.BACKGROUND] < 1)
    return reached


def even_out(laid: Laid) -> Laid:
    """Take the smooth brightness field out of the image."""
    for _ in range(ROUNDS):
        field = laid.field * brightness_field(laid.coarse, laid.posterior(), laid.voxels, COARSE_AFFINE[0, 0])
        field = np.clip(field, *FIELD_LIMITS)
        laid = replace(laid, field=field, coarse=np.clip(laid.coarse * (laid.field / field), 0, 1))
    return laid


def bend_prior(laid: Laid) -> Laid:
    """Bend the average head until it explains the image best."""
    start = laid.displacement.copy()
    return replace(laid, displacement=bend(load_prior(), laid.coordinates(), laid.voxels, _explain(laid), start, STEPS))


def align_prior(laid: Laid, steps: tuple[int, ...] = REALIGN_STEPS) -> Laid:
    """Move the average head as a whole until it explains the image, and what the network says of it, best."""
    network = np.ascontiguousarray((laid.network()[TISSUE_OF] + NETWORK_FLOOR).T ** NETWORK_WEIGHT)
    by_brightness = _explain(laid)

    def at(motion: Float64) -> Float32:
        x, y, z = laid.coarse.shape
        return table_coordinates(laid.to_mni, (x, y, z), laid.affine @ motion)

    motion = align(load_prior(), at, laid.voxels, lambda shares: by_brightness(shares) * network, steps)
    to_mni = laid.to_mni @ laid.affine @ motion @ np.linalg.inv(laid.affine)
    return replace(laid, to_mni=to_mni)


def _explain(laid: Laid) -> Explain:
    """The mixture model on the 4 mm grid: prior of the average head (N, 17) → likelihood of each structure (N, 17)."""
    bins = laid.bins()

    def explain(shares: Float32) -> Float32:
        likelihood: Float32 = np.ascontiguousarray(laid.densities(laid.settle(shares)).T)[bins]
        return likelihood

    return explain


def draw_edges(laid: Laid, image: Float32) -> Float32:
    """The mixture model on the 2 mm grid, air or head by the network beyond: posterior float32 (10, X, Y, Z)."""
    box = fine(laid.box)
    evened = image[box] / double(laid.field)
    shares = laid.prior()
    chosen = np.flatnonzero(_seen_inside(laid, shares, image[box]))
    prior = floored(np.stack([double(laid.voxels.put(row)).reshape(-1)[chosen] for row in shares]))
    bins = bins_of(evened.reshape(-1)[chosen])
    posterior = to_tissues(posterior_of(prior, estimate_densities(prior, bins), bins))
    return _complete(laid, posterior, chosen)


def _seen_inside(laid: Laid, shares: Float32, image: Float32) -> Mask:
    """Voxels of the 2 mm grid of the box that may lie inside the skull."""
    if laid.stripped:
        return fill_holes(image > 0) & (double(laid.voxels.put(np.ones_like(shares[0]))) > 0)
    inside = double(laid.voxels.put(1 - shares[0] - shares[1]))
    return np.asarray(inside > INTRACRANIAL_LEVEL)


def _complete(laid: Laid, posterior: Float32, chosen: NDArray[np.intp]) -> Float32:
    """Class probabilities of the whole grid, (10, X, Y, Z), from those (10, N) of the `chosen` voxels of the box."""
    air_or_head = laid.where[: Tissue.HEAD + 1] + PROBABILITY_FLOOR
    result = np.zeros((N_TISSUES, *(2 * n for n in laid.where.shape[1:])), np.float32)
    result[Tissue.BACKGROUND] = double(air_or_head[0] / air_or_head.sum(axis=0))
    result[Tissue.HEAD] = 1 - result[Tissue.BACKGROUND]
    for row, found in zip(result, posterior, strict=True):
        part = row[fine(laid.box)]
        inside = np.ascontiguousarray(part).reshape(-1)
        inside[chosen] = found
        part[:] = inside.reshape(part.shape)
    return result


def _fit(labels: NDArray[np.uint8], affine: Float64, coarse: Float32) -> Float64 | None:
    cloud = cloud_from_labels(labels, affine, LANDMARK_POINTS)
    fit = fit_affine(cloud, _seen(coarse), load_reference())
    return None if fit is None or fit.residual_mm > MAX_RESIDUAL_MM else fit.affine


def _seen(coarse: Float32) -> FieldOfView | None:
    """The box of voxels that are not empty; None for an image without any."""
    filled = coarse > 0
    planes = [np.flatnonzero(filled.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    if not all(len(p) for p in planes):
        return None
    lower, upper = (np.array([p[end] + shift for p in planes], np.float64) for end, shift in ((0, 0.0), (-1, 1.0)))
    return FieldOfView(COARSE_AFFINE, lower, upper)


def _box(mask: Mask) -> Box:
    """The box around the true voxels, with a margin."""
    x, y, z = bounding_box(mask, BOX_MARGIN)
    return x, y, z


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


def softmax(logits: Float32) -> Float32:
    """Probabilities over the first axis, computed without overflow, in place."""
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits
