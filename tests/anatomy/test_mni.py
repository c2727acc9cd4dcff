from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.anatomy.fov import FieldOfView
from brainsift.anatomy.labels import Tissue, group_freesurfer
from brainsift.anatomy.mni import MniFit, fit_affine
from brainsift.anatomy.mni_reference import (
    MNI_CENTRES_MM,
    label_centres,
    load_reference,
    map_affine,
    read_label_map,
)
from brainsift.anatomy.moments import CLASSES, cloud_from_labels, octant_landmarks
from tests.anatomy.conftest import Head

MAX_MEDIAN_LANDMARK_MM = 5.0  # the project's own criterion for validation maps


def fit(labels: NDArray[np.uint8], affine: NDArray[np.float64]) -> MniFit:
    result = fit_affine(cloud_from_labels(labels, affine), FieldOfView.of_grid(labels.shape, affine), load_reference())
    assert result is not None
    return result


def test_average_brain_lies_in_mni_already(head: Head) -> None:
    result = fit(*head)
    corners = np.array([[60.0, 60, 60, 1], [-60, -90, -40, 1]]).T
    assert np.abs(result.affine @ corners - corners).max() < 3.0
    assert result.residual_mm < 2.0


@pytest.mark.parametrize("angle", [-0.3, 0.3])
def test_known_motion_is_recovered(head: Head, angle: float) -> None:
    labels, affine = head
    c, s = np.cos(angle), np.sin(angle)
    motion = np.array([[0.9, 0, 0, 30], [0, 1.1 * c, -s, -12], [0, s, 0.95 * c, 7], [0, 0, 0, 1.0]])
    still, moved = fit(labels, affine), fit(labels, motion @ affine)
    corners = np.array([[60.0, 60, 60, 1], [-60, -90, -40, 1], [0, 0, 0, 1]]).T
    apart = np.linalg.norm((moved.affine @ motion @ corners - still.affine @ corners)[:3], axis=0)
    assert apart.max() < 3.0


def test_left_stays_left(head: Head) -> None:
    assert np.linalg.det(fit(*head).affine[:3, :3]) > 0


def test_cut_brain_is_fitted_as_well_as_the_whole(head: Head) -> None:
    labels, affine = head
    cut = labels[:, :, 30:60]
    shifted = affine.copy()
    shifted[2, 3] += 2.0 * 30
    centre = np.array([0.0, -20, 10, 1])
    assert np.linalg.norm((fit(cut, shifted).affine @ centre - centre)[:3]) < 4.0


def test_shuffled_labels_fit_badly(head: Head) -> None:
    labels, affine = head
    brain = np.isin(labels, [int(c) for c in CLASSES])
    shuffled = labels.copy()
    shuffled[brain] = np.random.default_rng(0).permutation(labels[brain])
    assert fit_affine(cloud_from_labels(shuffled, affine), None, load_reference()) is None or (
        fit(shuffled, affine).residual_mm > 3 * fit(labels, affine).residual_mm
    )


def test_no_fit_without_the_middle_of_the_brain(head: Head) -> None:
    labels, affine = head
    only_cortex = np.where(labels == Tissue.CORTEX, labels, 0).astype(np.uint8)
    assert fit_affine(cloud_from_labels(only_cortex, affine), None, load_reference()) is None


def test_octants_of_a_box_lie_at_its_quarters() -> None:
    labels = np.zeros((40, 40, 40), np.uint8)
    labels[10:30, 10:30, 10:30] = Tissue.DEEP_GREY
    centres, masses = octant_landmarks(cloud_from_labels(labels, np.eye(4), max_points=10**6), np.eye(4))
    first = CLASSES.index(Tissue.DEEP_GREY) * 8
    np.testing.assert_allclose(centres[first], [14.5, 14.5, 14.5], atol=0.5)
    np.testing.assert_allclose(centres[first + 7], [24.5, 24.5, 24.5], atol=0.5)
    np.testing.assert_allclose(masses[first : first + 8], 1000.0)


def test_thinning_keeps_the_volume(head: Head) -> None:
    labels, affine = head
    thin, full = cloud_from_labels(labels, affine), cloud_from_labels(labels, affine, max_points=labels.size)
    assert len(thin.points) < len(full.points) / 3
    np.testing.assert_allclose(thin.class_mass(), full.class_mass())


@pytest.fixture(scope="module")
def validation_maps(data_folder: Path) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    maps = []
    for number in (17, 18, 19, 20):
        labels, affine = read_label_map(data_folder / "label_maps" / f"head_{number}_labels.nii.gz")
        maps.append((labels, affine))
    return maps


def test_held_out_subcortical_centres_fall_within_five_millimetres(
    validation_maps: list[tuple[NDArray[np.int64], NDArray[np.float64]]],
) -> None:
    published = np.array(list(MNI_CENTRES_MM.values()), dtype=np.float64)
    errors = []
    for labels, affine in validation_maps:
        coarse = affine @ np.diag([2.0, 2.0, 2.0, 1.0])
        result = fit(group_freesurfer(labels[::2, ::2, ::2]), coarse)
        centres = np.array(list(label_centres(labels, affine).values()))
        errors.extend(np.linalg.norm(centres @ result.affine[:3, :3].T + result.affine[:3, 3] - published, axis=1))
    assert np.median(errors) <= MAX_MEDIAN_LANDMARK_MM
    assert np.percentile(errors, 95) <= 2 * MAX_MEDIAN_LANDMARK_MM


def test_map_affine_puts_given_centres_on_the_published_ones(head: Head) -> None:
    labels, affine = head
    brain = cloud_from_labels(labels, affine, max_points=labels.size).points
    centres = {label: np.asarray(centre, dtype=np.float64) for label, centre in MNI_CENTRES_MM.items()}
    fitted = map_affine(centres, brain)
    for centre in centres.values():
        assert np.linalg.norm(fitted[:3, :3] @ centre + fitted[:3, 3] - centre) < 3.0


def test_missing_structure_is_named() -> None:
    with pytest.raises(ValueError, match="no voxel of label 10"):
        label_centres(np.zeros((4, 4, 4), np.int64), np.eye(4))


def test_thinning_the_average_brain_keeps_its_volumes_and_centres() -> None:
    reference = load_reference()
    np.testing.assert_allclose(reference.thinned.class_mass(), reference.cloud.class_mass(), rtol=1e-6)
    apart = np.linalg.norm(reference.thinned.class_centres() - reference.cloud.class_centres(), axis=1)
    assert len(reference.thinned.points) < 0.4 * len(reference.cloud.points)
    assert apart.max() < 0.7
