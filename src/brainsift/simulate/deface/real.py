"""Real heads to deface: the same geometry from an image, its brain mask and its affine to MNI152."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from brainsift.simulate.contrast import draw_contrast, tables
from brainsift.simulate.deface.draw import DefacedExample, deface, draw_aim, find_defacing, usable
from brainsift.simulate.deface.geometry import Float32, Float64, HeadGeometry, Mask, Region
from brainsift.simulate.deface.marked import MarkedHead
from brainsift.simulate.deface.regions import face_regions
from brainsift.simulate.deface.tools import choose_tools
from brainsift.simulate.deface.truth import DefacingLabel

AIR_SHARE = 0.12
"""Of the bright tissue: darker voxels are air, or bone, which lies within the head and is filled."""

DONOR_BLUR_MM = 0.6


def geometry_of_scan(image: Float32, affine: Float64, brain: Mask, scan_to_mni: Float64) -> HeadGeometry:
    """The geometry of a real scan; 3 s for 256x256x192.

    Parameters
    ----------
    image : float32 (X, Y, Z), axes closest to RAS+.
    affine : 4x4, voxel → mm of the scan.
    brain : bool (X, Y, Z).
    scan_to_mni : 4x4, mm of the scan → mm of MNI152.

    Raises
    ------
    ValueError
        if the shapes differ or the brain mask is empty.
    """
    if image.shape != brain.shape or not brain.any():
        raise ValueError(
            f"a brain mask on the scan's grid is needed, got shape {brain.shape} with {int(brain.sum())} voxels for a "
            f"scan of shape {image.shape}"
        )
    head = head_of(image) | brain
    to_mni = np.asarray(scan_to_mni @ affine)
    x, y, z = (float(s) for s in np.linalg.norm(affine[:3, :3], axis=0))
    regions = face_regions(head, to_mni)
    regions[brain] = Region.OTHER
    return HeadGeometry(brain, head, regions, to_mni, (x, y, z))


def head_of(image: Float32) -> Mask:
    """All that is not air, its cavities filled, bool (X, Y, Z)."""
    bright = float(np.percentile(image[::2, ::2, ::2], 98))
    mask = ndimage.binary_opening(image > AIR_SHARE * bright)
    labels, count = ndimage.label(mask)
    if count > 1:
        mask = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    head: Mask = ndimage.binary_fill_holes(ndimage.binary_closing(mask, iterations=2))
    return head


def deface_real(
    rng: np.random.Generator,
    image: Float32,
    affine: Float64,
    geometry: HeadGeometry,
    *,
    label: DefacingLabel | None = None,
    tools: tuple[str, ...] | None = None,
    exclude: tuple[str, ...] = (),
    donors: Sequence[MarkedHead] = (),
    masks: Path | None = None,
    sequence: str = "T1w",
) -> DefacedExample:
    """Deface a real head with drawn settings; arguments as for `draw_defaced_example`.

    The truth is as good as the brain mask and the places of the features that `geometry_of_scan` found.

    Raises
    ------
    ValueError
        if a tool or label is unknown, or ``reface`` alone is asked for and there are no donors.
    """
    names = usable(choose_tools(tools, exclude), donors)
    defacing = find_defacing(rng, geometry, str(rng.choice(names)), draw_aim(rng, label), masks)
    donor = None
    if defacing.fill.kind == "other_face":
        donor = _paint_donor(rng, image, geometry, donors[int(rng.integers(len(donors)))])
    done, mask, truth = deface(image, geometry, defacing, donor)
    return DefacedExample(
        image=done,
        affine=affine,
        spacing_mm=geometry.spacing_mm,
        original_image=image,
        geometry=geometry,
        truth=truth,
        tool=defacing.tool,
        parameters={"defacing": defacing.to_dict()},
        changed=mask,
        fill=defacing.fill,
        sequence=sequence,
    )


def _paint_donor(rng: np.random.Generator, image: Float32, geometry: HeadGeometry, donor: MarkedHead) -> Float32:
    """The donor's head in the place of this one, with a T1w contrast brought to the scan's grey values."""
    there = np.linalg.inv(donor.to_mni) @ geometry.to_mni
    codes = ndimage.affine_transform(donor.head.codes, there[:3, :3], there[:3, 3], geometry.shape, order=0)
    mean, _ = tables(draw_contrast(rng, donor.head.values, "mprage"))
    painted = ndimage.gaussian_filter(mean[codes], [DONOR_BLUR_MM / s for s in geometry.spacing_mm])
    outside = geometry.head & ~geometry.brain
    level = float(np.median(image[outside])) / max(float(np.median(painted[outside & (codes > 0)])), 1e-3)
    scaled: Float32 = (painted * level).astype(np.float32)
    return scaled
