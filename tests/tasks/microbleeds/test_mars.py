"""Finer regions by an atlas in MNI152: labels or their squares, and always within the group of the scan's anatomy."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.scans.errors import ScanError
from brainsift.tasks.microbleeds.mars import GROUP, REGIONS, MarsAtlas, load_mars_atlas

PUBLISHED = Path(__file__).parents[3].parent / "shared" / "data" / "mars_atlas"


def write(folder: Path, values: np.ndarray, name: str = "atlas.nii.gz") -> Path:  # type: ignore[type-arg]
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -20
    nib.save(nib.Nifti1Image(values.astype(np.int16), affine), folder / name)  # type: ignore[attr-defined]
    return folder / name


def blocks() -> np.ndarray:  # type: ignore[type-arg]
    """Frontal in front, parietal behind, thalamus in the middle of both."""
    values = np.zeros((20, 20, 20))
    values[:, 10:, :] = 9
    values[:, :10, :] = 10
    values[8:12, 8:12, 8:12] = 4
    return values


@pytest.mark.parametrize("power", [1, 2])
def test_labels_and_their_squares_are_read_alike(tmp_path: Path, power: int) -> None:
    atlas = load_mars_atlas(write(tmp_path, blocks() ** power, f"atlas{power}.nii.gz"))
    assert np.array_equal(np.unique(atlas.labels), [0, 4, 9, 10][1:] if blocks().all() else [0, 4, 9, 10])
    assert atlas.name_at((0.0, 15.0, 15.0), "lobar") == "frontal"
    assert atlas.name_at((0.0, -15.0, 15.0), "lobar") == "parietal"


def test_the_nearest_region_of_the_group_is_named(tmp_path: Path) -> None:
    atlas = load_mars_atlas(write(tmp_path, blocks()))
    assert atlas.name_at((0.0, 2.0, 0.0), "deep") == "thalamus"
    assert atlas.name_at((0.0, 2.0, 0.0), "lobar") == "frontal"
    assert atlas.name_at((0.0, 10.0, 0.0), "deep") == "thalamus"
    assert atlas.name_at((0.0, 18.0, 0.0), "deep") is None
    assert atlas.name_at((0.0, 0.0, 0.0), "infratentorial") is None
    assert atlas.name_at((500.0, 0.0, 0.0), "lobar") is None


@pytest.mark.parametrize("values", [np.zeros((4, 4, 4)), np.full((4, 4, 4), 15.0), np.full((4, 4, 4), 400.0)])
def test_what_is_no_such_atlas_is_refused(tmp_path: Path, values: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ScanError, match="13"):
        load_mars_atlas(write(tmp_path, values, f"bad{values.max():g}.nii.gz"))


@pytest.fixture
def published() -> MarsAtlas:
    files = sorted(PUBLISHED.glob("*.nii.gz"))
    if not files:
        pytest.skip("the MARS atlas of shared/data is not here")
    return load_mars_atlas(files[0])


@pytest.mark.parametrize(
    ("mni_mm", "label"),
    [
        ((0.0, -28.0, -34.0), 1),
        ((30.0, -65.0, -40.0), 2),
        ((26.0, 2.0, 2.0), 3),
        ((-10.0, -18.0, 8.0), 4),
        ((0.0, -36.0, 14.0), 7),
        ((-30.0, 45.0, 25.0), 9),
        ((40.0, -50.0, 52.0), 10),
        ((-58.0, -20.0, -18.0), 11),
        ((12.0, -92.0, 4.0), 12),
        ((38.0, 6.0, 0.0), 13),
    ],
)
def test_the_published_atlas_names_well_known_places(
    published: MarsAtlas, mni_mm: tuple[float, float, float], label: int
) -> None:
    assert published.name_at(mni_mm, GROUP[label]) == REGIONS[label]
