"""The stages of the anatomy pass.

A network says where the tissues are, on a 4 mm grid and in any contrast. Its labels lay an average head over the scan
(`lay`), brightness is evened out (`even_out`) and the average head bent (`bend_prior`) until its structures explain
the image best. A mixture model of this very scan's brightness then draws the edges on the 2 mm grid (`draw_edges`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.atlas_prior import load_prior, sample, table_coordinates
from brainsift.anatomy.bias import FIELD_LIMITS, ROUNDS, brightness_field
from brainsift.anatomy.cleaning import bounding_box, fill_holes
from brainsift.anatomy.fov import FieldOfView
from brainsift.anatomy.labels import N_TISSUES, WORKING_SPACING_MM, Tissue
from brainsift.anatomy.mni import MAX_RESIDUAL_MM, fit_affine
from brainsift.anatomy.mni_reference import load_reference
from brainsift.anatomy.moments import cloud_from_labels
from brainsift.anatomy.normalise import normalise
from brainsift.anatomy.refine import PRIOR_FLOOR, bins_of, estimate_densities, posterior_of
from brainsift.anatomy.register import Explain, bend
from brainsift.anatomy.structures import N_STRUCTURES, TISSUE_OF, to_tissues

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Box = tuple[slice, slice, slice]

INTRACRANIAL_LEVEL = 0.02
"""Voxels with less probability of lying inside the skull are left to the network."""

BOX_MARGIN = 3
"""4 mm voxels around the intracranial box: the average head may be bent by about as much."""

COARSE_AFFINE = np.diag([2 * WORKING_SPACING_MM] * 3 + [1.0])

LANDMARK_POINTS = 1500
"""Voxels of a class that the average head is fitted to: about 190 in an octant place its centre within 0.6 mm."""

FAR_OUTSIDE = 0.95
MAX_STRIPPED_SHARE = 0.15
"""Of the voxels that are not empty, outside the skull of the average head: a bare brain leaves a few percent there
where it is misplaced, a head with its scalp more than a third, even without its face."""

STEPS = (4, 4)
"""Steps of the registration after each new estimate of the mixture model. Eighteen steps gained 0.005 in mean Dice of
simulated heads for half a second more; a start on an 8 mm grid lost 0.02."""

PROBABILITY_FLOOR = np.float32(1e-6)


@dataclass(frozen=True, eq=False)
class Laid:
    """The average head over a scan, on the box of the 4 mm grid around all that may lie inside the skull.

    Attributes
    ----------
    box : of the 4 mm grid.
    where : float32 (10, x, y, z), the network's posterior in the box.
    coarse : float32 (x, y, z), the image in the box, evened out.
    field : float32 (x, y, z), the smooth brightness that was taken out of it.
    to_mni : 4x4, mm of the 4 mm grid → MNI152 mm, from the network's labels and then from the mixture model's.
    displacement : float32 (3, x, y, z), voxels of the table of the average head, beside that affine.
    stripped : the scan shows nothing outside the skull; what is not empty is then brain or fluid.
    """

    box: Box
    where: Float32
    coarse: Float32
    field: Float32
    to_mni: Float64
    displacement: Float32
    stripped: bool

    @property
    def affine(self) -> Float64:
        """Voxels of the box → mm of the 4 mm grid, 4x4."""
        affine = COARSE_AFFINE.copy()
        affine[:3, 3] = [COARSE_AFFINE[0, 0] * s.start for s in self.box]
        return affine

    def coordinates(self) -> Float32:
        """Voxels of the table at each voxel of the box without the displacement, (3, x, y, z)."""
        x, y, z = self.coarse.shape
        return table_coordinates(self.to_mni, (x, y, z), self.affine)

    def prior(self) -> Float32:
        """Share of each structure, float32 (x, y, z, 17)."""
        shares = sample(load_prior(), self.coordinates() + self.displacement)
        return self.settle(shares)

    def settle(self, shares: Float32) -> Float32:
        """Let the scan say what the average head cannot know, air or head: changes `shares` (x, y, z, 17)."""
        air, head = self.where[Tissue.BACKGROUND], self.where[Tissue.HEAD]
        outside = shares[..., 0] + shares[..., 1]
        if self.stripped:
            shares *= ((1 - air) / (1 - outside + PRIOR_FLOOR))[..., None]
            shares[..., 0], shares[..., 1] = air, 0
            return shares
        outside /= air + head + PROBABILITY_FLOOR
        shares[..., 0], shares[..., 1] = outside * air, outside * head
        return shares


def find(session: Any, image: Float32) -> tuple[Float32, Float32]:
    """Where the tissues are, by the network: normalised head (X, Y, Z) → its 4 mm image and posterior (10, x, y, z)."""
    coarse = coarse_image(image)
    return coarse, softmax(run_network(session, coarse[None]))


def lay(coarse: Float32, where: Float32) -> Laid | None:
    """Lay the average head over the network's labels, then over the mixture model's; None where neither can be fitted.

    Parameters
    ----------
    coarse : (x, y, z), from `find`.
    where : (10, x, y, z), from `find`.
    """
    to_mni = _fit(where, COARSE_AFFINE, coarse)
    if to_mni is None:
        return None
    x, y, z = coarse.shape
    shares = sample(load_prior(), table_coordinates(to_mni, (x, y, z), COARSE_AFFINE))
    stripped = shows_no_head(coarse, shares)
    where = without_head(where, coarse) if stripped else where
    box = intracranial_box(combine(to_tissues(np.moveaxis(shares, -1, 0)), where))
    if box is None:
        return None
    seen = coarse[box]
    still = np.zeros((3, *seen.shape), np.float32)
    laid = Laid(box, where[:, *box], seen, np.ones_like(seen), to_mni, still, stripped)
    again = _fit(to_tissues(np.moveaxis(_posterior(laid), -1, 0)), laid.affine, coarse)
    return laid if again is None else replace(laid, to_mni=again)


def shows_no_head(coarse: Float32, shares: Float32) -> bool:
    """Whether next to nothing is seen where the average head has only air or head: the skull has been stripped."""
    filled = coarse > 0
    beyond = filled & (shares[..., 0] + shares[..., 1] > FAR_OUTSIDE)
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


def even_out(laid: Laid) -> Laid:
    """Take the smooth brightness field out of the image."""
    for _ in range(ROUNDS):
        field = laid.field * brightness_field(laid.coarse, _posterior(laid), COARSE_AFFINE[0, 0])
        field = np.clip(field, *FIELD_LIMITS)
        laid = replace(laid, field=field, coarse=np.clip(laid.coarse * (laid.field / field), 0, 1))
    return laid


def bend_prior(laid: Laid) -> Laid:
    """Bend the average head until it explains the image best."""
    bent = bend(load_prior(), laid.coordinates(), _explain(laid), laid.displacement.copy(), STEPS)
    return replace(laid, displacement=bent)


def draw_edges(laid: Laid, image: Float32) -> Float32:
    """The mixture model on the 2 mm grid of the box: posterior float32 (10, 2x, 2y, 2z)."""
    shares = double(np.ascontiguousarray(np.moveaxis(laid.prior(), -1, 0)))
    bins = bins_of(image[fine(laid.box)] / double(laid.field[None])[0]).reshape(-1)
    flat = shares.reshape(N_STRUCTURES, -1)
    region = _inside_skull(flat)
    prior = floored(flat[:, region])
    flat[:, region] = posterior_of(prior, estimate_densities(prior, bins[region]), bins[region])
    return to_tissues(shares)


def complete(where: Float32, laid: Laid | None, inside: Float32 | None) -> Float32:
    """Class probabilities of the whole head on the 2 mm grid: `inside` the box, air or head by the network beyond.

    Parameters
    ----------
    where : float32 (10, x, y, z), from `find`; doubled and given back where there is no box.
    inside : float32 (10, X, Y, Z) of the box.

    Returns
    -------
    float32 (10, X, Y, Z), sums to 1.
    """
    if inside is None or laid is None:
        return double(where)
    air_or_head = where[: Tissue.HEAD + 1] + PROBABILITY_FLOOR
    result = np.zeros((N_TISSUES, *(2 * n for n in where.shape[1:])), np.float32)
    result[: Tissue.HEAD + 1] = double(air_or_head / air_or_head.sum(axis=0))
    result[:, *fine(laid.box)] = inside
    return result


def _explain(laid: Laid) -> Explain:
    """The mixture model on the 4 mm grid: prior of the average head → likelihood of each structure.

    It is estimated under the geometric mean of the average head and the network.
    """
    bins = bins_of(laid.coarse)

    def explain(shares: Float32) -> Float32:
        shares = laid.settle(shares)
        tissues = to_tissues(np.moveaxis(shares, -1, 0))
        agreed = np.sqrt((laid.where + PRIOR_FLOOR) / (tissues + PRIOR_FLOOR))
        prior = (shares * np.moveaxis(agreed[TISSUE_OF], 0, -1)).reshape(-1, N_STRUCTURES).T
        region = _inside_skull(prior)
        densities = estimate_densities(floored(prior[:, region]), bins.reshape(-1)[region])
        likelihood: Float32 = np.ascontiguousarray(densities.T)[bins]
        return likelihood

    return explain


def _posterior(laid: Laid) -> Float32:
    """Posterior of the structures on the 4 mm grid of the box, (x, y, z, 17)."""
    shares = laid.prior()
    shares *= _explain(laid)(shares.copy())
    shares /= shares.sum(axis=-1, keepdims=True) + PROBABILITY_FLOOR
    return shares


def _inside_skull(shares: Float32) -> NDArray[np.intp]:
    """Numbers of the voxels of shares (17, N) that may lie inside the skull."""
    region: NDArray[np.intp] = np.flatnonzero(shares[0] + shares[1] < 1 - INTRACRANIAL_LEVEL)
    return region


def floored(shares: Float32) -> Float32:
    """Probabilities (17, N) of which none is zero, summing to 1."""
    result = np.maximum(shares, PRIOR_FLOOR)
    result /= result.sum(axis=0)
    return result


def _fit(posterior: Float32, affine: Float64, coarse: Float32) -> Float64 | None:
    cloud = cloud_from_labels(posterior.argmax(axis=0).astype(np.uint8), affine, LANDMARK_POINTS)
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


def combine(prior: Float32, where: Float32) -> Float32:
    """Geometric mean of the average head and the network, (10, x, y, z); air or head is the network's alone to say."""
    air, head = Tissue.BACKGROUND, Tissue.HEAD
    result: Float32 = np.sqrt(prior * where)
    outside, share = prior[air] + prior[head], where[air] + where[head] + PROBABILITY_FLOOR
    for tissue in (air, head):
        result[tissue] = where[tissue] * np.sqrt(outside / share)
    result += PROBABILITY_FLOOR
    result /= result.sum(axis=0)
    return result


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


def fine(box: Box) -> Box:
    """A box of the 4 mm grid on the 2 mm grid."""
    x, y, z = (slice(2 * s.start, 2 * s.stop) for s in box)
    return x, y, z


def intracranial_box(posterior: Float32) -> Box | None:
    """The box around all that may lie inside the skull, with a margin; None where there is nothing."""
    inside = 1 - posterior[Tissue.BACKGROUND] - posterior[Tissue.HEAD] > INTRACRANIAL_LEVEL
    if not inside.any():
        return None
    x, y, z = bounding_box(inside, BOX_MARGIN)
    return x, y, z
