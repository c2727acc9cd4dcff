"""What the networks see of a scan: bleeds bright whatever the scan, or a refusal with its reason."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.errors import ScanError
from brainsift.scans.volume import Volume
from brainsift.tasks.microbleeds.modality import Modality
from brainsift.tasks.microbleeds.network import (
    CUBE_CHANNELS,
    CUBE_MM,
    CUBE_VOXELS,
    MULTIPLE_OF,
    SPACING_MM,
    Prepared,
    candidates,
    cube,
    cubes,
    prepare,
)
from brainsift.tasks.microbleeds.scaling import TISSUE
from tests.tasks.microbleeds import scene

COARSE = (1.0, 1.0, 2.0)


@cache
def drawn(kind: str) -> tuple[Volume, Anatomy]:
    volume = scene.qsm(spacing=COARSE) if kind == "qsm" else scene.gre(spacing=COARSE)
    return volume, scene.anatomy_of(volume)


def changed(kind: str, change: object) -> tuple[Volume, Anatomy]:
    """A scene with other values: the same change to the scan and to what the anatomy pass kept of it."""
    volume = drawn(kind)[0]
    other = scene.with_data(volume, change(volume.data))  # type: ignore[operator]
    return other, scene.anatomy_of(other)


def at(prepared: Prepared, mm: tuple[float, float, float]) -> tuple[int, int, int]:
    x, y, z = (np.linalg.inv(prepared.affine) @ [*mm, 1.0])[:3].round().astype(int).tolist()
    return x, y, z


def sees_all_bleeds(prepared: Prepared) -> bool:
    """Whether each bleed is much brighter than tissue and stands out as round."""
    image, frst = prepared.input
    tissue = float(np.median(image[prepared.seen]))
    found = [at(prepared, ball.mm) for ball in scene.BALLS]
    noise = float(np.quantile(frst[prepared.seen], 0.99))
    return tissue < 0.45 and all(image[v] > tissue + 0.3 and frst[v] > 2 * noise for v in found)


@pytest.mark.parametrize("kind", ["gre", "qsm"])
def test_bleeds_are_bright_and_round_and_tissue_is_in_its_place(kind: Modality) -> None:
    prepared = prepare(*drawn(kind), kind)
    assert sees_all_bleeds(prepared)
    assert np.median(prepared.input[0][prepared.seen]) == pytest.approx(TISSUE, abs=0.06)
    assert prepared.input.min() >= 0
    assert prepared.input.max() <= 1
    assert prepared.reading.flags == ()


def test_the_grid_is_fine_in_slices_and_its_sizes_fit_the_network() -> None:
    prepared = prepare(*drawn("gre"), "gre")
    assert np.allclose(np.sqrt((prepared.affine[:3, :3] ** 2).sum(axis=0)), SPACING_MM)
    assert all(n % m == 0 for n, m in zip(prepared.input.shape[1:], MULTIPLE_OF, strict=True))
    assert (prepared.input[0][~prepared.seen] == np.float32(TISSUE)).all()


@pytest.mark.parametrize("across", [0, 1])
def test_slices_run_along_the_last_axis_whichever_way_they_were_cut(across: int) -> None:
    volume = scene.gre(spacing=(1.0, 1.0, 2.5), across=across)
    prepared = prepare(volume, scene.anatomy_of(volume), "gre")
    assert int(np.abs(prepared.affine[:3, 2]).argmax()) == across
    assert sees_all_bleeds(prepared)


@pytest.mark.parametrize(("kind", "called"), [("qsm", "swi"), ("qsm", "gre"), ("gre", "qsm")])
def test_the_image_has_the_last_word_on_the_polarity(kind: str, called: Modality) -> None:
    prepared = prepare(*drawn(kind), called)
    assert sees_all_bleeds(prepared)
    assert prepared.modality == kind
    assert prepared.reading.flags == ("modality_from_image",)


def test_an_inverted_magnitude_is_turned() -> None:
    prepared = prepare(*changed("gre", lambda data: data.max() - data), "gre")
    assert prepared.reading.inverted
    assert "inverted" in prepared.reading.flags
    assert sees_all_bleeds(prepared)


def test_an_inverted_map_is_turned() -> None:
    prepared = prepare(*changed("qsm", lambda data: -data), "qsm")
    assert prepared.reading.inverted
    assert sees_all_bleeds(prepared)


def test_ppb_are_read_as_ppm() -> None:
    one, other = prepare(*drawn("qsm"), "qsm"), prepare(*changed("qsm", lambda data: 1000 * data), "qsm")
    assert np.allclose(one.input[0], other.input[0], atol=1e-3)


def test_units_of_a_magnitude_do_not_matter() -> None:
    one, other = prepare(*drawn("gre"), "gre"), prepare(*changed("gre", lambda data: 4000 * data), "gre")
    assert np.allclose(one.input, other.input, atol=1e-2)


@pytest.mark.parametrize("called", ["gre", "swi", "qsm"])
def test_a_t1w_is_refused_whatever_it_is_called(called: Modality) -> None:
    volume = scene.draw(scene.T1W, (), spacing=COARSE)
    with pytest.raises(ScanError, match="T1w") as caught:
        prepare(volume, scene.anatomy_of(volume), called)
    assert caught.value.kind == "not_susceptibility"
    assert caught.value.remedy


@pytest.mark.parametrize("levels", [1.0, 4096 / (2 * np.pi)])
@pytest.mark.parametrize("signed", [True, False])
def test_phase_is_refused(signed: bool, levels: float) -> None:
    volume, _ = drawn("gre")
    ramp = scene.distance(volume, (0.0, 30.0, 80.0)) / 6 + 0.3 * volume.data
    wrapped = (ramp + np.pi) % (2 * np.pi) - (np.pi if signed else 0.0)
    phase = scene.with_data(volume, (wrapped * levels).astype(np.float32))
    with pytest.raises(ScanError, match="phase"):
        prepare(phase, scene.anatomy_of(phase), "swi")


def test_standardised_values_are_refused_since_nothing_says_where_no_signal_is() -> None:
    volume, anatomy = changed("gre", lambda data: (data - 0.8) / 0.1)
    with pytest.raises(ScanError, match="neither ppm nor ppb") as caught:
        prepare(volume, anatomy, "swi")
    assert caught.value.kind == "unknown_units"


def test_without_a_brain_or_a_signal_nothing_is_prepared() -> None:
    volume, anatomy = drawn("gre")
    with pytest.raises(ScanError, match="No brain"):
        prepare(volume, replace(anatomy, has_brain=False), "gre")
    with pytest.raises(ScanError, match="no signal"):
        prepare(volume, replace(anatomy, image=np.zeros_like(anatomy.image)), "gre")


def test_a_cube_has_its_place_in_the_middle_and_is_16_mm_wide() -> None:
    prepared = prepare(*drawn("gre"), "gre")
    centre = (np.linalg.inv(prepared.affine) @ [*scene.DEEP.mm, 1.0])[:3]
    image, frst, vesselness = cube(prepared, centre)
    assert len(CUBE_CHANNELS) == 3
    assert image.shape == (CUBE_VOXELS,) * 3
    half = image > (image.max() + np.median(image)) / 2
    assert np.abs(np.argwhere(half).mean(axis=0) - (CUBE_VOXELS - 1) / 2).max() < 1
    width = np.cbrt(6 * half.sum() / np.pi) * CUBE_MM / CUBE_VOXELS
    assert width == pytest.approx(scene.DEEP.diameter_mm, rel=0.25)
    assert frst[11:13, 11:13, 11:13].max() > 0.3
    assert vesselness.min() >= 0
    assert vesselness.max() <= 1


def test_cubes_at_the_border_of_the_grid_are_filled() -> None:
    prepared = prepare(*drawn("gre"), "gre")
    found = cubes(prepared, np.array([[0.0, 0.0, 0.0], prepared.input.shape[1:]]))
    assert np.isfinite(found).all()
    assert cubes(prepared, np.zeros((0, 3))).shape == (0, 3, *(CUBE_VOXELS,) * 3)


def probability_of(prepared: Prepared, spots: list[tuple[tuple[int, int, int], float]]) -> np.ndarray:  # type: ignore[type-arg]
    found = np.zeros(prepared.input.shape[1:], np.float32)
    for (x, y, z), height in spots:
        found[x - 1 : x + 2, y - 1 : y + 2, z] = height
    return found


def test_each_peak_is_a_candidate_the_highest_first_and_near_ones_are_one() -> None:
    prepared = prepare(*drawn("gre"), "gre")
    x, y, z = at(prepared, scene.DEEP.mm)
    spots = [((x, y, z), 0.9), ((x + 2, y, z), 0.7), ((x + 12, y, z), 0.5), ((x, y + 20, z), 0.04)]
    found = candidates(probability_of(prepared, spots), prepared, 0.1)
    assert [round(one.score, 2) for one in found] == [0.9, 0.5]
    assert np.abs(np.array(found[1].voxel) - (x + 12, y, z)).max() < 0.6
    assert len(candidates(probability_of(prepared, spots), prepared, 0.1, most=1)) == 1
    assert candidates(np.zeros(prepared.input.shape[1:], np.float32), prepared, 0.1) == []


def test_nothing_is_a_candidate_where_nothing_is_seen() -> None:
    prepared = prepare(*drawn("gre"), "gre")
    assert not prepared.seen[0, 0, 0]
    found = np.zeros(prepared.input.shape[1:], np.float32)
    found[0, 0, 0] = 0.9
    assert candidates(found, prepared, 0.1) == []
    with pytest.raises(ValueError, match="between 0 and 1"):
        candidates(found, prepared, 0.0)
