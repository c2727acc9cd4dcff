from __future__ import annotations

import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.compute import compute_anatomy
from brainsift.anatomy.labels import BRAIN, Tissue
from brainsift.anatomy.network import AnatomyNetwork
from brainsift.anatomy.regions import (
    Region,
    head_surface,
    juxtacortical,
    periventricular,
    region_map,
    ventricle_distance,
)
from brainsift.anatomy.skull import is_skull_stripped
from brainsift.anatomy.stages import softmax
from brainsift.anatomy.tissue_stats import inner_voxels
from tests.anatomy.conftest import Head
from tests.anatomy.synthetic import T1W, KnownTruth, average_head, render, soft, volume_of


def test_volumes_are_those_of_the_labels(head: Head, t1w_anatomy: Anatomy) -> None:
    true_ml = np.isin(head[0], [int(t) for t in BRAIN]).sum() * 0.008
    assert t1w_anatomy.brain_ml == pytest.approx(true_ml, rel=0.03)
    assert t1w_anatomy.icv_ml > t1w_anatomy.brain_ml
    assert sum(t1w_anatomy.volumes_ml[t.name.lower()] for t in BRAIN) == pytest.approx(t1w_anatomy.brain_ml)


def test_whole_head_is_trusted_and_complete(t1w_anatomy: Anatomy) -> None:
    assert t1w_anatomy.has_brain
    assert t1w_anatomy.confidence > 0.5
    assert t1w_anatomy.outside_fov < 0.03
    assert t1w_anatomy.mni_residual_mm is not None
    assert t1w_anatomy.mni_residual_mm < 3


def test_labels_lie_where_the_scan_lies(head: Head, t1w_anatomy: Anatomy) -> None:
    def centre(labels: np.ndarray, affine: np.ndarray) -> np.ndarray:
        return np.asarray(affine[:3, :3] @ np.argwhere(labels == Tissue.DEEP_GREY).mean(axis=0) + affine[:3, 3])

    assert np.linalg.norm(centre(*head) - centre(t1w_anatomy.labels, t1w_anatomy.affine)) < 1.0


def test_tissue_is_measured_in_the_scans_own_units(t1w_anatomy: Anatomy) -> None:
    assert t1w_anatomy.tissue["white"].median == pytest.approx(1000 * T1W[Tissue.WHITE], rel=0.05)
    assert t1w_anatomy.tissue["white"].mad < 60


def test_inner_voxels_have_only_neighbours_of_their_kind() -> None:
    labels = np.ones((7, 7, 7), np.uint8)
    labels[3, 3, 3] = 2
    inner = inner_voxels(labels)
    assert not inner[3, 3, 3]
    assert not inner[2, 3, 3]
    assert inner[2, 2, 3]
    assert not inner[0].any()


def test_noise_is_not_a_brain() -> None:
    image = np.random.default_rng(0).rayleigh(20, (96, 96, 96)).astype(np.float32)
    volume = volume_of(image, np.diag([2.0, 2, 2, 1]))
    noise = np.random.default_rng(1).dirichlet(np.ones(10), image.size).T.reshape(10, *image.shape)
    anatomy = compute_anatomy(volume, KnownTruth(volume, noise.astype(np.float32)))
    assert not anatomy.has_brain


def test_empty_scan_gives_no_brain_and_no_error() -> None:
    volume = volume_of(np.zeros((20, 20, 20), np.float32), np.diag([2.0, 2, 2, 1]))
    posterior = np.zeros((10, 20, 20, 20), np.float32)
    posterior[0] = 1
    anatomy = compute_anatomy(volume, KnownTruth(volume, posterior))
    assert not anatomy.has_brain
    assert anatomy.to_mni is None
    assert anatomy.brain_ml == 0


def test_skull_stripping_is_seen(t1w_anatomy: Anatomy) -> None:
    labels, affine = average_head(skull=False)
    volume = volume_of(render(labels, T1W, noise=0.0), affine)
    stripped = compute_anatomy(volume, KnownTruth(volume, soft(labels)))
    assert is_skull_stripped(stripped) is True
    assert is_skull_stripped(t1w_anatomy) is False


def test_regions_cover_the_brain_once(t1w_anatomy: Anatomy) -> None:
    regions = region_map(t1w_anatomy)
    assert ((regions != Region.OUTSIDE) == t1w_anatomy.brain).all()
    cerebellum = t1w_anatomy.labels == Tissue.CEREBELLUM
    assert (regions[cerebellum & t1w_anatomy.brain] == Region.INFRATENTORIAL).all()
    assert (regions[(t1w_anatomy.labels == Tissue.DEEP_GREY) & t1w_anatomy.brain] == Region.DEEP).all()


def test_distances_are_millimetres(t1w_anatomy: Anatomy) -> None:
    distance = ventricle_distance(t1w_anatomy)
    ventricles = t1w_anatomy.labels == Tissue.VENTRICLES
    assert not distance[ventricles].any()
    assert distance[~ventricles].min() == pytest.approx(2.0, abs=1e-4)
    assert 40 < distance[t1w_anatomy.labels == Tissue.CORTEX].max() < 110
    assert not (periventricular(t1w_anatomy) & (distance >= 10)).any()
    assert (t1w_anatomy.labels[juxtacortical(t1w_anatomy)] == Tissue.WHITE).all()


def test_head_surface_is_a_closed_shell(t1w_anatomy: Anatomy) -> None:
    surface = head_surface(t1w_anatomy)
    assert surface.any()
    assert not (surface & t1w_anatomy.brain).any()


def test_softmax_survives_large_logits() -> None:
    probabilities = softmax(np.array([1e4, 1e4 - 1, -1e4], np.float32)[:, None])
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities[0, 0] > probabilities[1, 0] > probabilities[2, 0]


def test_model_with_other_classes_is_refused() -> None:
    class Input:
        name = "image"

    class ThreeClasses:
        def get_inputs(self) -> list[Input]:
            return [Input()]

        def run(self, _: None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [np.zeros((1, 3, *feed["image"].shape[2:]), np.float32)]

    with pytest.raises(ValueError, match="10 classes, got 3"):
        AnatomyNetwork(ThreeClasses(), None, "x", "y").posterior(np.zeros((16, 16, 16), np.float32))
