"""The one anatomy pass: a scan in, labels and everything derived from them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import clean_labels
from brainsift.anatomy.confidence import assess_trust, brain_found, mean_certainty
from brainsift.anatomy.coverage import Coverage, estimate_coverage, seen_box
from brainsift.anatomy.emptiness import fill_partly_empty, filled_share
from brainsift.anatomy.fov import FieldOfView
from brainsift.anatomy.framing import frame_head
from brainsift.anatomy.labels import BRAIN, INTRACRANIAL, N_TISSUES, WORKING_SPACING_MM, Tissue
from brainsift.anatomy.mni import MAX_RESIDUAL_MM, MniFit, fit_affine, visible_part
from brainsift.anatomy.mni_reference import load_reference
from brainsift.anatomy.moments import TissueCloud, cloud_from_labels
from brainsift.anatomy.network import Segments, open_network
from brainsift.anatomy.normalise import normalise
from brainsift.anatomy.tissue_stats import tissue_statistics
from brainsift.scans.conform import to_working_grid
from brainsift.scans.volume import Volume
from brainsift.stage_clock import stage


def compute_anatomy(
    volume: Volume,
    network: Segments | None = None,
    *,
    threads: int | None = None,
    shelf: Path | None = None,
) -> Anatomy:
    """Label the tissues of a scan of any contrast, resolution and orientation, and derive the rest.

    Parameters
    ----------
    volume : the scan.
    network : what labels the tissues; default the packaged network, or the one on `shelf`.
    threads, shelf : for the packaged network, as in `open_network`.

    Returns
    -------
    the anatomy; a scan without a brain gives one with `has_brain` false, not an error.

    Raises
    ------
    ModelError
        if the packaged network is missing or damaged.
    """
    network = open_network(threads, shelf) if network is None else network
    with stage("conform"):
        grid, grid_affine = to_working_grid(volume, WORKING_SPACING_MM)
        frame = frame_head(grid)
        image, affine, inside = frame.cut(grid), frame.affine(grid_affine), frame.inside(grid.shape)
        filled = filled_share(volume, grid)
        normal = normalise(frame.cut(fill_partly_empty(grid, filled)))
    posterior = network.posterior(normal)
    with stage("clean"):
        labels, brain = clean_labels(posterior, inside)
    with stage("measure"):
        cloud = cloud_from_labels(labels, affine)
        return _assemble(
            labels,
            brain,
            image,
            affine,
            cloud,
            mean_certainty(posterior, brain),
            seen_box(volume, grid, grid_affine),
            network,
            None if filled is None else frame.cut(filled),
        )


def _assemble(
    labels: NDArray[np.uint8],
    brain: NDArray[np.bool_],
    image: NDArray[np.float32],
    affine: NDArray[np.float64],
    cloud: TissueCloud,
    certainty: float,
    fov: FieldOfView,
    network: Segments,
    filled: NDArray[np.float32] | None,
) -> Anatomy:
    reference = load_reference()
    fit = _fit(cloud, fov)
    to_mni = None if fit is None else fit.affine
    coverage: Coverage = estimate_coverage(cloud, to_mni, fov, reference)
    seen = None if to_mni is None else visible_part(reference.cloud, to_mni, fov)
    confidence = assess_trust(certainty, cloud, fit, seen, coverage, reference).confidence
    volumes = class_volumes(labels, affine)
    brain_ml = sum(volumes[tissue.name.lower()] for tissue in BRAIN)
    return Anatomy(
        labels=labels,
        affine=affine,
        image=image,
        brain=brain,
        volumes_ml=volumes,
        brain_ml=brain_ml,
        icv_ml=sum(volumes[tissue.name.lower()] for tissue in INTRACRANIAL),
        outside_fov=coverage.outside_fov,
        to_mni=to_mni,
        mni_residual_mm=None if fit is None else fit.residual_mm,
        confidence=confidence,
        has_brain=brain_found(brain_ml, confidence),
        model_id=network.model_id,
        model_sha256=network.model_sha256,
        tissue=tissue_statistics(labels, image),
        filled=filled,
    )


def _fit(cloud: TissueCloud, fov: FieldOfView) -> MniFit | None:
    fit = fit_affine(cloud, fov, load_reference())
    return None if fit is None or fit.residual_mm > MAX_RESIDUAL_MM else fit


def class_volumes(labels: NDArray[np.uint8], affine: NDArray[np.float64]) -> dict[str, float]:
    """Volume of every class in mL, by lower-case name; background is left out."""
    voxel_ml = float(abs(np.linalg.det(affine[:3, :3]))) / 1000.0
    counts = np.bincount(labels.reshape(-1), minlength=N_TISSUES)
    return {tissue.name.lower(): float(counts[tissue]) * voxel_ml for tissue in Tissue if tissue}
