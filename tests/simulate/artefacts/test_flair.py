"""Artefacts of FLAIR do to fluid, brain and slab what they say, as strongly as they measure."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.evaluate.labels import read_labels
from brainsift.simulate.artefacts.flair import (
    CsfFlow,
    Slab,
    Unsuppressed,
    apply_csf_flow,
    apply_slab,
    apply_unsuppressed,
    draw_csf_flow,
    draw_slab,
    draw_unsuppressed,
    fluid_level,
)
from brainsift.simulate.artefacts.flair_study import FLAIR_ARTEFACTS, simulate_flair
from brainsift.simulate.artefacts.grades import contrast_grade, whole
from brainsift.simulate.contrast import draw_contrast
from brainsift.simulate.zoo import BRIGHTEST_FLUID, draw_good_contrast

SHAPE, SPACING = (40, 48, 44), (2.0, 2.0, 2.0)
VALUES = np.array([0, 2, 3, 4, 511])


@pytest.fixture
def scene() -> dict[str, NDArray[np.generic]]:
    """A ball of white matter with fluid in the middle, in a shell of cortex; fluid is dark."""
    axes = [np.arange(n) - (n - 1) / 2 for n in SHAPE]
    radius = np.sqrt(sum(a**2 for a in np.meshgrid(*axes, indexing="ij")))
    fluid, brain = radius < 8, radius < 18
    white = brain & ~fluid & (radius < 14)
    image = np.where(fluid, 0.1, np.where(white, 0.5, np.where(brain, 0.6, 0.0))).astype(np.float32)
    return {"image": image, "fluid": fluid, "white": white, "brain": brain}


def test_flow_brightens_fluid_alone_where_it_does_not_pulsate(scene: dict[str, NDArray[np.generic]]) -> None:
    done = apply_csf_flow(**_with(scene, CsfFlow(1.5, 0.0, 1, 0.2, 3)))
    far = scene["brain"] & ~_near(scene["fluid"])
    assert np.allclose(done.image[far], scene["image"][far], atol=1e-3)
    assert done.image[scene["fluid"]].max() > 0.1 + 0.6 * 0.75
    assert done.ghost == pytest.approx(0.0, abs=0.01)


def test_its_ghosts_lie_along_the_phase_axis_and_are_measured(scene: dict[str, NDArray[np.generic]]) -> None:
    quiet, loud = (apply_csf_flow(**_with(scene, CsfFlow(1.5, p, 1, 0.35, 3))) for p in (0.05, 0.8))
    assert loud.ghost > 5 * quiet.ghost > 0
    added = np.abs(loud.image - scene["image"])
    band = np.abs(np.arange(SHAPE[0]) - (SHAPE[0] - 1) / 2) < 9
    assert added[~band].max() < 0.02  # moved along y, so nowhere else along x
    assert added[:, 36:].max() > 0.02


def test_fluid_gets_the_level_asked_for_and_never_darker(scene: dict[str, NDArray[np.generic]]) -> None:
    done = apply_unsuppressed(**_with(scene, Unsuppressed(0.9, 0.0, 1)))
    assert done.fluid == pytest.approx(0.9, abs=0.02)
    assert (done.image >= scene["image"] - 1e-6).all()
    kept = apply_unsuppressed(**_with(scene, Unsuppressed(0.0, 0.0, 1)))
    assert np.array_equal(kept.image, scene["image"])
    uneven = apply_unsuppressed(**_with(scene, Unsuppressed(0.9, 0.8, 1)))
    assert uneven.image[scene["fluid"]].std() > done.image[scene["fluid"]].std()


def test_a_slab_fades_towards_both_ends_and_the_brain_s_mean_stays(scene: dict[str, NDArray[np.generic]]) -> None:
    flat = np.ones(SHAPE, np.float32)
    done = apply_slab(flat, Slab(2, 0.8, 0.2, 0.0), scene["brain"])
    profile = done.image.mean(axis=(0, 1))
    assert profile[0] == pytest.approx(profile[-1])
    assert profile[0] < 0.35 * profile[22]
    assert (np.diff(profile[:22]) >= -1e-6).all()
    assert done.image[scene["brain"]].mean() == pytest.approx(1.0, abs=1e-5)
    assert apply_slab(flat, Slab(2, 0.0, 0.2, 0.0), scene["brain"]).change == pytest.approx(0.0, abs=1e-6)


def test_more_is_asked_for_more_severe_artefacts() -> None:
    draws = {s: [np.random.default_rng(i) for i in range(60)] for s in (0.3, 2.0)}
    for draw, name in ((draw_csf_flow, "brightness"), (draw_unsuppressed, "level"), (draw_slab, "roll_off")):
        mild, strong = (np.mean([getattr(draw(rng, s), name) for rng in rngs]) for s, rngs in draws.items())
        assert strong > 1.5 * mild


def test_without_white_matter_nothing_can_be_measured(scene: dict[str, NDArray[np.generic]]) -> None:
    with pytest.raises(ValueError, match="one of the masks is empty"):
        fluid_level(scene["image"], scene["fluid"], np.zeros(SHAPE, bool))  # type: ignore[arg-type]


def test_bright_fluid_is_graded_in_a_flair_alone() -> None:
    assert contrast_grade(0.3, "FLAIR", 0.2) == 0
    assert contrast_grade(0.3, "FLAIR", 1.0) == pytest.approx(1.5)
    assert contrast_grade(0.3, "T2w", 3.0) == contrast_grade(0.3, "T2w")
    assert contrast_grade(0.02, "FLAIR", 0.2) == 2


def test_good_flair_suppresses_fluid_and_stir_does_not() -> None:
    rng = np.random.default_rng(0)
    for _ in range(12):
        means = _means(draw_good_contrast(rng, VALUES, "flair"))
        assert means[4] / means[2] < BRIGHTEST_FLUID + 0.15
        means = _means(draw_contrast(rng, VALUES, "stir"))
        assert means[4] > means[2]
        assert means[511] < means[2]


def test_every_scan_has_its_artefact_its_measurements_and_grades(phantom_files: list[Path], tmp_path: Path) -> None:
    table = simulate_flair(tmp_path, phantom_files, 3, 5, 4.0)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["kind"] for row in rows] == list(FLAIR_ARTEFACTS)
    for row, label in zip(rows, read_labels(tmp_path / "labels.tsv"), strict=True):
        note = json.loads((tmp_path / row["scan"].replace(".nii.gz", "_parameters.json")).read_text())
        assert row["kind"] in note
        assert (row["sequence"], row["proper_flair"], row["proper_t1w"]) == ("FLAIR", "yes", "no")
        graded = contrast_grade(float(row["relative_contrast"]), "FLAIR", float(row["fluid"]))
        assert float(row["contrast"]) == pytest.approx(graded, abs=2e-3)
        assert label.contrast == whole(float(row["contrast"]))


def _with(scene: dict[str, NDArray[np.generic]], what: object) -> dict[str, object]:
    name = "flow" if isinstance(what, CsfFlow) else "failed"
    return {**scene, name: what, "spacing_mm": SPACING}


def _near(mask: NDArray[np.generic]) -> NDArray[np.bool_]:
    from scipy import ndimage

    grown: NDArray[np.bool_] = ndimage.binary_dilation(mask, iterations=4)
    return grown


def _means(contrast: object) -> dict[int, float]:
    return dict(zip(contrast.values, contrast.means, strict=True))  # type: ignore[attr-defined]
