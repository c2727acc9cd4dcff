"""Small label maps with the FreeSurfer values that matter, so that training code runs in seconds."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')


def ball_head(seed: int) -> np.ndarray:
    """Concentric shells, 2 mm voxels: skin, bone, CSF, cortex, white matter, ventricles; a cerebellum below."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.arange(n) - n / 2 for n in (88, 104, 96)), indexing="ij"))
    radius = np.sqrt(
        ((grid / (np.array([0.85, 1.0, 0.9]) * rng.uniform(0.95, 1.05, 3)).reshape(3, 1, 1, 1)) ** 2).sum(0)
    )
    labels = np.zeros(radius.shape, np.int16)
    for edge, value in ((46, 511), (43, 515), (40, 24), (37, 3), (32, 2), (12, 10), (8, 4)):
        labels[radius < edge] = value
    labels[(radius < 37) & (grid[2] < -22)] = 8
    labels[(radius < 37) & (grid[0] > 0) & (labels == 2)] = 41
    return labels


@pytest.fixture(scope="session")
def label_maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three label maps."""
    folder = tmp_path_factory.mktemp("label_maps")
    for i in range(3):
        image = nib.Nifti1Image(ball_head(i), np.diag([2.0, 2.0, 2.0, 1.0]))
        nib.save(image, folder / f"person_{i}_labels.nii.gz")
    return folder
