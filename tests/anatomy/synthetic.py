"""Heads without external data: the packaged average brain as labels, and images drawn from labels."""

from __future__ import annotations

from importlib import resources

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

from brainsift.anatomy.framing import frame_head
from brainsift.anatomy.labels import N_TISSUES, Tissue
from brainsift.anatomy.mni_reference import GRID_ORIGIN_MM
from brainsift.anatomy.moments import CLASSES
from brainsift.scans.conform import to_working_grid
from brainsift.scans.volume import InputGrid, ReadFacts, Volume

T1W = {
    Tissue.HEAD: 0.45,
    Tissue.WHITE: 0.85,
    Tissue.CORTEX: 0.58,
    Tissue.VENTRICLES: 0.15,
    Tissue.CSF: 0.2,
    Tissue.DEEP_GREY: 0.68,
    Tissue.HIPPOCAMPUS_AMYGDALA: 0.6,
    Tissue.BRAINSTEM: 0.8,
    Tissue.CEREBELLUM: 0.65,
}
T2W = {**T1W, Tissue.WHITE: 0.35, Tissue.CORTEX: 0.5, Tissue.VENTRICLES: 0.95, Tissue.CSF: 0.9, Tissue.DEEP_GREY: 0.42}
FLAIR = {**T1W, Tissue.WHITE: 0.5, Tissue.CORTEX: 0.62, Tissue.VENTRICLES: 0.15, Tissue.DEEP_GREY: 0.55}


def average_head(skull: bool = True) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Labels at 2 mm in MNI152 and their affine: the most common class of each voxel, 2 mm of fluid, 8 mm of head."""
    with resources.files("brainsift.anatomy").joinpath("mni_reference.npz").open("rb") as file:
        density = np.load(file)["density"].astype(np.float32) / 255
    fine = np.stack([gaussian_filter(d.repeat(2, 0).repeat(2, 1).repeat(2, 2), 1.0) for d in density])
    best = fine.argmax(axis=0)
    brain = fine.sum(axis=0) > 0.5
    labels = np.where(brain, np.array([int(c) for c in CLASSES], dtype=np.uint8)[best], np.uint8(0))
    labels = np.pad(labels, 8)
    fluid = binary_dilation(labels > 0, iterations=2)
    labels[fluid & (labels == 0)] = Tissue.CSF
    if skull:
        head = binary_dilation(labels > 0, iterations=6)
        labels[head & (labels == 0)] = Tissue.HEAD
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = GRID_ORIGIN_MM - 1.0 - 16.0
    return labels, affine


def render(
    labels: NDArray[np.uint8], contrast: dict[Tissue, float], seed: int = 0, noise: float = 0.02
) -> NDArray[np.float32]:
    """Image of labels: one grey value per class, a little blur, Rician noise."""
    table = np.zeros(N_TISSUES, dtype=np.float32)
    for tissue, value in contrast.items():
        table[tissue] = value
    rng = np.random.default_rng(seed)
    clean = gaussian_filter(table[labels], 0.4)
    return (1000 * np.hypot(clean + rng.normal(0, noise, labels.shape), rng.normal(0, noise, labels.shape))).astype(
        np.float32
    )


def soft(labels: NDArray[np.uint8], sigma: float = 1.0) -> NDArray[np.float32]:
    """What a network with soft edges would say: blurred one-hot, float32 (10, X, Y, Z)."""
    stack = np.stack([gaussian_filter((labels == t).astype(np.float32), sigma) for t in Tissue]) + 1e-4
    return (stack / stack.sum(axis=0)).astype(np.float32)


def volume_of(image: NDArray[np.float32], affine: NDArray[np.float64], **facts: object) -> Volume:
    """A volume as the reader would give it."""
    grid = InputGrid(image.shape, affine, (0, 1, 2), (False, False, False))
    known = {"format": "nifti1", "stored_dtype": "int16", "stored_shape": image.shape, "sha256": "0" * 64}
    return Volume(image, affine, grid, ReadFacts(**{**known, **facts}))  # type: ignore[arg-type]


class KnownTruth:
    """A network that answers with the truth of one scan, cut to the frame that the pass chooses."""

    model_id = "known-truth"
    model_sha256 = "0" * 64

    def __init__(self, volume: Volume, posterior: NDArray[np.float32]) -> None:
        self.frame = frame_head(to_working_grid(volume)[0])
        self.stack = posterior

    def posterior(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        cut = np.stack([self.frame.cut(layer) for layer in self.stack])
        cut[Tissue.BACKGROUND][cut.sum(axis=0) == 0] = 1.0
        return cut


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Overlap of two masks."""
    return float(2 * (first & second).sum() / max(1, first.sum() + second.sum()))
