"""The packaged average head as a scan: no person's face, and everything is where MNI152 has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.scans.volume import InputGrid, ReadFacts, Volume
from brainsift.tasks.defacing.average import load_average
from brainsift.tasks.defacing.frame import GRID_MM, GRID_ORIGIN_MM, GRID_SHAPE, standard_affine

Bool = NDArray[np.bool_]
NOISE = 0.01


def mm() -> tuple[NDArray[np.float64], ...]:
    """Coordinates of the standard grid in MNI152, three arrays that broadcast."""
    x, y, z = (GRID_ORIGIN_MM[a] + GRID_MM * np.arange(n) for a, n in enumerate(GRID_SHAPE))
    return x[:, None, None], y[None, :, None], z[None, None, :]


def average_masks() -> tuple[Bool, Bool]:
    """Head, with ears put on (they vanish in an average), and brain."""
    average = load_average()
    x, y, z = mm()
    ears = ((np.abs(x) - 80) / 8) ** 2 + ((y + 30) / 18) ** 2 + ((z + 50) / 30) ** 2 <= 1
    return (average.head > 0.5) | ears, average.brain > 0.5


def face_cut(buffer_mm: float = 8.0) -> Bool:
    """What an oblique plane before the brain takes away, `buffer_mm` from its frontal pole and its temporal lobes."""
    _, y, z = mm()
    normal = np.array([1.0, -1.0]) / np.sqrt(2)
    brain = np.argwhere(average_masks()[1])[:, 1:] * GRID_MM + GRID_ORIGIN_MM[1:]
    return np.broadcast_to(y * normal[0] + z * normal[1] > (brain @ normal).max() + buffer_mm, GRID_SHAPE)


def ears_cut() -> Bool:
    """What two upright planes beside the brain take away."""
    x, _, z = mm()
    return np.broadcast_to((np.abs(x) > 72) & (z < 0), GRID_SHAPE)


def scan(taken: Bool | None = None, seed: int = 0, noise: float = NOISE) -> tuple[Volume, Anatomy]:
    """A scan of the average head without the voxels `taken`, and its anatomy, both on the standard grid."""
    head, brain = average_masks()
    rng = np.random.default_rng(seed)
    x, y, z = mm()
    skin = 0.55 + 0.25 * np.sin(x / 7) * np.cos(y / 9) * np.sin(z / 8)
    image = np.where(brain, 1.0, np.where(head, skin, 0.0)) + np.abs(rng.normal(0, noise, GRID_SHAPE))
    if taken is not None:
        image[taken] = 0
        brain = brain & ~taken
    image = (1000 * image).astype(np.float32)
    affine = standard_affine()
    grid = InputGrid(GRID_SHAPE, affine, (0, 1, 2), (False, False, False))
    volume = Volume(image, affine, grid, ReadFacts("nifti1", "float32", GRID_SHAPE, "0" * 64))
    return volume, anatomy_of(image, head if taken is None else head & ~taken, brain)


def anatomy_of(image: NDArray[np.float32], head: Bool, brain: Bool, **changes: Any) -> Anatomy:
    """An anatomy pass that knows the truth."""
    labels = np.where(brain, Tissue.WHITE, np.where(head, Tissue.HEAD, Tissue.BACKGROUND)).astype(np.uint8)
    made = Anatomy(
        labels=labels,
        affine=standard_affine(),
        image=image,
        brain=brain,
        volumes_ml={},
        brain_ml=float(brain.sum()) * GRID_MM**3 / 1000,
        icv_ml=float(brain.sum()) * GRID_MM**3 / 1000,
        outside_fov=0.0,
        to_mni=np.eye(4),
        mni_residual_mm=1.0,
        confidence=0.95,
        has_brain=True,
        model_id="truth",
        model_sha256="0" * 64,
    )
    return replace(made, **changes)
