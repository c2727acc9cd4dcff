"""Label maps of heads that nobody has, whole enough for the anatomy pass."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.simulate.atlas import load_atlas
from brainsift.simulate.atlas_draw import draw_label_map


@pytest.fixture(scope="session")
def drawn_maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two label maps, 2 mm."""
    folder = tmp_path_factory.mktemp("drawn_maps")
    atlas = load_atlas()
    for seed in range(2):
        head = draw_label_map(atlas, np.random.default_rng(seed), 2.0)
        image = nib.Nifti1Image(head.values[head.codes].astype(np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
        nib.save(image, folder / f"drawn_{seed}_labels.nii.gz")
    return folder
