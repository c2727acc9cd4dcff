"""The parts of the image metrics: formulas, smoothness, field of brightness, places."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, gaussian_filter

from brainsift.tasks.quality.metrics import compute_metrics
from brainsift.tasks.quality.metrics_bias import MIN_POINTS, fit_bias
from brainsift.tasks.quality.metrics_formulas import (
    Summary,
    cjv,
    cnr,
    efc,
    fber,
    is_artefact,
    snr_dietrich,
    summarise,
    wm2max,
)
from brainsift.tasks.quality.metrics_places import (
    HAT,
    OUTSIDE,
    above_base,
    draw_samples,
    lattice,
    place_codes,
    widen,
)
from brainsift.tasks.quality.metrics_sharpness import SD_TO_FWHM, brain_fwhm, fwhm, native_box
from tests.tasks.quality.metrics_scene import AFFINE, NATIVE_AFFINE, NATIVE_SHAPE, anatomy_of, scan, volume_of


def test_one_bright_voxel_has_focus_and_a_uniform_image_none() -> None:
    one = np.zeros(1000)
    one[123] = 5.0
    assert efc(one) == pytest.approx(0.0, abs=1e-12)
    assert efc(np.full(1000, 3.0)) == pytest.approx(1.0)
    assert efc(np.full(1000, 1e30, dtype=np.float32)) == pytest.approx(1.0, rel=1e-4)


def test_the_focus_of_a_sample_is_that_of_the_whole() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=400_000)
    assert efc(values[::8], values.size) == pytest.approx(efc(values), rel=2e-3)


@pytest.mark.parametrize("values", [np.zeros(10), np.array([]), np.array([4.0])])
def test_without_energy_there_is_no_focus(values: np.ndarray) -> None:
    assert efc(values) is None


def test_a_summary_holds_the_moments_of_the_values() -> None:
    values = np.random.default_rng(0).normal(50, 4, 200_000)
    found = summarise(values, voxels_each=8)
    assert found is not None
    expected = {"mean": 50, "median": 50, "mad": 4, "stdv": 4, "p05": 50 - 6.58, "p95": 50 + 6.58}
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, abs=0.05), name
    assert found.k == pytest.approx(0, abs=0.05)
    assert found.n == 1_600_000
    assert summarise(values[:20]) is None


def _summary(median: float, spread: float) -> Summary:
    return Summary(median, median, spread, spread, median, median, 0.0, 1e6)


def test_formulas_without_their_ground_have_no_value() -> None:
    flat, bright = _summary(600, 0), _summary(1000, 10)
    assert cjv(flat, flat) is None
    assert cjv(bright, None) is None
    assert cnr(flat, flat, flat) is None
    assert snr_dietrich(bright, _summary(0, 0)) is None
    assert fber(np.ones(1000), np.zeros(1000)) is None
    assert wm2max(1.0, np.zeros(5)) is None
    assert not is_artefact(np.array([])).any()


@pytest.mark.parametrize(("mad", "stdv", "noise"), [(5.0, 7.0, 5.0), (0.4, 7.0, 7.0)])
def test_coarsely_stored_air_counts_by_its_standard_deviation(mad: float, stdv: float, noise: float) -> None:
    air = Summary(1, 1, mad, stdv, 0, 2, 0, 1e6)
    assert snr_dietrich(_summary(1000, 10), air) == pytest.approx(655.136 / noise, rel=1e-4)


@pytest.mark.parametrize("sigma", [(0.8, 0.8, 0.8), (1.2, 1.2, 1.2), (2.0, 1.0, 1.5)])
def test_smoothed_white_noise_has_the_width_of_its_kernel(sigma: tuple[float, float, float]) -> None:
    noise = np.random.default_rng(0).standard_normal(NATIVE_SHAPE)
    volume = volume_of(500 + 100 * gaussian_filter(noise, sigma))
    anatomy = anatomy_of(volume)
    widths = brain_fwhm(volume, anatomy, place_codes(anatomy))
    for width, each in zip(widths, sigma, strict=True):
        assert width == pytest.approx(SD_TO_FWHM * each, rel=0.05)


def test_widths_are_in_voxels_of_the_scan() -> None:
    noise = np.random.default_rng(0).standard_normal((128, 144, 64))
    affine = NATIVE_AFFINE.copy()
    affine[2, 2] = 2.0
    volume = volume_of(500 + 100 * gaussian_filter(noise, 1.2), affine)
    anatomy = anatomy_of(volume)
    widths = brain_fwhm(volume, anatomy, place_codes(anatomy))
    assert [width or 0 for width in widths] == pytest.approx([SD_TO_FWHM * 1.2] * 3, rel=0.06)


@pytest.mark.parametrize(("difference", "variance", "expected"), [(2.0, 1.0, 0.0), (0.0, 1.0, None), (1.0, 0.0, None)])
def test_widths_at_the_ends_of_the_scale(difference: float, variance: float, expected: float | None) -> None:
    assert fwhm(difference, variance) == expected


def test_the_box_of_the_brain_holds_it() -> None:
    volume = scan()
    box = native_box(volume, anatomy_of(volume))
    assert box is not None
    for (low, high), n in zip(box, NATIVE_SHAPE, strict=True):
        assert low == pytest.approx(n / 2 - 42, abs=2)
        assert high == pytest.approx(n / 2 + 42, abs=2)


def _field(strength: float) -> np.ndarray:
    """A smooth field that is no polynomial, positive, `NATIVE_SHAPE`."""
    x, y, z = (np.linspace(-1, 1, n) for n in NATIVE_SHAPE)
    wave = np.cos(1.7 * x)[:, None, None] + np.sin(1.2 * y)[:, None] - 0.5 * (z + 0.3) ** 2
    return np.exp(strength * wave)


@pytest.mark.parametrize("strength", [0.1, 0.4])
def test_a_known_field_is_found_and_taken_out_of_the_tissues(strength: float) -> None:
    field = _field(strength)
    volume, even = scan(field=field), scan()
    found, without = (compute_metrics(v, anatomy_of(v)) for v in (volume, even))
    anatomy = anatomy_of(volume_of(field))
    white = anatomy.image[anatomy.labels == 2]
    low, middle, high = np.percentile(anatomy.image[anatomy.brain] / np.median(white), [5, 50, 95])
    assert found["inu_range"] == pytest.approx(high - low, rel=0.07)
    assert found["inu_med"] == pytest.approx(middle, rel=0.02)
    # Noise is not multiplied by the field, so that it is not quite the same everywhere after the correction.
    assert found["cjv"] == pytest.approx(without["cjv"], rel=0.2)
    raw = scan(field=field)
    assert np.std(raw.data[native_white()]) > 1.5 * (found["summary_wm_stdv"] or 0) * np.median(white)


def native_white() -> np.ndarray:
    from tests.tasks.quality.metrics_scene import native_labels

    return native_labels() == 2


def test_lesions_do_not_bend_the_field() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-50, 50, (5000, 3))
    values = rng.normal(1000, 20, 5000)
    values[points[:, 0] > 40] = 300
    values[points[:, 0] < -20] = 1000
    values[rng.random(5000) < 0.05] = 300
    field = fit_bias(points[points[:, 0] <= 40], values[points[:, 0] <= 40])
    assert field is not None
    assert np.ptp(field.at(points)) < 0.06


def test_a_field_wants_enough_bright_points() -> None:
    points = np.random.default_rng(0).uniform(-50, 50, (2 * MIN_POINTS, 3))
    assert fit_bias(points[: MIN_POINTS - 1], np.ones(MIN_POINTS - 1)) is None
    assert fit_bias(points, -np.ones(len(points))) is None
    assert fit_bias(points * [1, 1, 0], np.ones(len(points))) is None


@pytest.mark.parametrize("voxels", [1, 3])
def test_widening_grows_by_a_cube_and_stops_at_the_grid(voxels: int) -> None:
    mask = np.zeros((9, 2, 7), dtype=np.bool_)
    mask[4, 0, 6] = mask[0, 1, 0] = True
    size = 2 * voxels + 1
    assert np.array_equal(widen(mask, voxels), binary_dilation(mask, np.ones((size, size, size))))


def test_air_below_the_base_of_the_skull_is_not_taken_for_the_hat() -> None:
    volume = scan()
    anatomy = anatomy_of(volume, to_mni=np.eye(4))
    codes = place_codes(anatomy)
    heights = AFFINE[2, 3] + 2.0 * np.arange(codes.shape[2])
    hat = ((codes & HAT) != 0).any(axis=(0, 1))
    assert np.array_equal(hat, heights > -40)
    assert ((codes & OUTSIDE) != 0).any(axis=(0, 1)).all()
    assert above_base(anatomy_of(volume)).all()


@pytest.mark.parametrize(
    ("shape", "spacing", "steps"),
    [
        ((256, 256, 176), (1.0, 1.0, 1.0), (3, 3, 1)),
        ((512, 512, 30), (0.45, 0.45, 5.0), (3, 3, 1)),
        ((100, 100, 100), (2.0, 2.0, 2.0), (1, 1, 1)),
    ],
)
def test_samples_lie_about_as_far_apart_along_all_axes(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], steps: tuple[int, int, int]
) -> None:
    found = lattice(shape, np.asarray(spacing), 1_500_000)
    assert found == steps
    assert np.prod([-(-n // s) for n, s in zip(shape, found, strict=True)]) <= 1_500_000


def test_a_sample_has_the_values_and_places_of_the_scan() -> None:
    volume = scan()
    anatomy = anatomy_of(volume)
    codes = place_codes(anatomy)
    full, part = draw_samples(volume, anatomy, codes, 10**9), draw_samples(volume, anatomy, codes, 50_000)
    assert full.share == 1
    assert part.share == pytest.approx(part.values.size / volume.data.size)
    assert np.isin(part.values, volume.data).all()
    assert np.median(part.at(OUTSIDE)) == pytest.approx(np.median(full.at(OUTSIDE)), rel=0.03)
    inside = np.abs(part.points(OUTSIDE)).max(axis=1) <= 72
    assert inside.all()
