from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.scans.noise import noise_sd
from brainsift.simulate.artefacts.intensity import (
    Bias,
    LostContrast,
    Noise,
    apply_bias,
    apply_lost_contrast,
    apply_noise,
    draw_bias,
    draw_lost_contrast,
    draw_noise,
)
from brainsift.simulate.artefacts.measures import brain_snr, grey_and_white_levels, relative_contrast

Float32 = NDArray[np.float32]
SPACING_MM = (1.0, 1.0, 1.0)
GREY, WHITE = 0.65, 1.0


@pytest.fixture(scope="module")
def tissue() -> Float32:
    """Air around a block of white matter in grey matter."""
    image = np.zeros((64, 64, 64), np.float32)
    image[8:56, 8:56, 8:56] = GREY
    image[16:48, 16:48, 16:48] = WHITE
    return image


@pytest.mark.parametrize("snr", [5.0, 20.0])
def test_noise_is_rayleigh_in_air_and_reaches_the_snr_asked_for(snr: float, tissue: Float32) -> None:
    brain = tissue > 0
    noised = apply_noise(tissue, Noise(snr, 0.0, 7), SPACING_MM, brain)
    sd = tissue[brain].mean() / snr
    air = noised.image[~brain]
    assert air.mean() == pytest.approx(sd * np.sqrt(np.pi / 2), rel=0.01)
    assert air.std() == pytest.approx(sd * np.sqrt(2 - np.pi / 2), rel=0.01)
    assert noised.snr == pytest.approx(snr, rel=1e-6)
    assert noised.added_sd == pytest.approx(sd, rel=1e-6)
    assert brain_snr(noised.image, brain) == pytest.approx(snr, rel=0.05)


def test_noise_that_is_there_already_counts(tissue: Float32) -> None:
    brain = tissue > 0
    noisy = apply_noise(tissue, Noise(12.0, 0.0, 1), SPACING_MM, brain).image
    again = apply_noise(noisy, Noise(8.0, 0.0, 2), SPACING_MM, brain)
    assert again.snr == pytest.approx(8.0, rel=0.02)
    assert brain_snr(again.image, brain) == pytest.approx(8.0, rel=0.05)
    untouched = apply_noise(noisy, Noise(30.0, 0.0, 3), SPACING_MM, brain)
    assert np.array_equal(untouched.image, noisy)
    assert untouched.snr == pytest.approx(12.0, rel=0.05)


def test_uneven_noise_has_the_level_asked_for_over_the_brain_and_differs_over_it(tissue: Float32) -> None:
    brain = tissue > 0
    noised = apply_noise(tissue, Noise(8.0, 0.4, 5), SPACING_MM, brain)
    rest = (noised.image - tissue)[brain]
    assert rest.std() == pytest.approx(noised.added_sd, rel=0.05)
    corners = [(noised.image - tissue)[a, b, c].std() for a in (slice(8, 24), slice(40, 56)) for b in
               (slice(8, 24), slice(40, 56)) for c in (slice(8, 24), slice(40, 56))]  # fmt: skip
    assert max(corners) > 1.15 * min(corners)


def test_the_noise_measured_is_the_noise_put_in() -> None:
    rng = np.random.default_rng(3)
    ramp = np.add.outer(np.add.outer(np.arange(40.0), np.arange(40.0)), np.arange(40.0)).astype(np.float32)
    image = ramp + 2.0 * rng.standard_normal(ramp.shape).astype(np.float32)
    assert noise_sd(image, np.ones(image.shape, bool)) == pytest.approx(2.0, rel=0.03)
    with pytest.raises(ValueError, match="2x2x2"):
        noise_sd(image, np.zeros(image.shape, bool))


@pytest.mark.parametrize("kept", [0.0, 0.3, 1.0])
def test_the_share_of_contrast_asked_for_is_left(kept: float, tissue: Float32) -> None:
    grey, white = tissue == np.float32(GREY), tissue == WHITE
    faded = apply_lost_contrast(tissue, LostContrast(kept), None, grey, white)
    assert faded.contrast == pytest.approx(kept * (WHITE - GREY) / ((WHITE + GREY) / 2), abs=1e-6)
    assert relative_contrast(faded.image, grey, white) == pytest.approx(faded.contrast, abs=1e-5)
    assert not faded.image[tissue == 0].any()


def test_the_intensity_curve_never_falls() -> None:
    image = np.linspace(0, 2, 8000, dtype=np.float32).reshape(20, 20, 20)
    for kept in (0.0, 0.5):
        faded = apply_lost_contrast(image, LostContrast(kept), image > 0.3)
        assert (np.diff(faded.image.ravel()) >= -1e-6).all()


def test_levels_are_found_without_labels(tissue: Float32) -> None:
    with_csf = tissue.copy()
    with_csf[24:40, 24:40, 24:40] = 0.2
    noisy = apply_noise(with_csf, Noise(25.0, 0.0, 4), SPACING_MM, tissue > 0).image
    low, high = grey_and_white_levels(noisy, tissue > 0)
    assert (low, high) == (pytest.approx(GREY, rel=0.05), pytest.approx(WHITE, rel=0.05))


def test_bias_is_smooth_and_keeps_the_mean(tissue: Float32) -> None:
    biased = apply_bias(tissue, Bias(0.3, 9), SPACING_MM, tissue > 0).image
    assert biased[tissue > 0].mean() == pytest.approx(tissue[tissue > 0].mean(), rel=1e-4)
    field = np.log(biased[20:44, 20:44, 20:44])
    assert 0.005 < field.std() < 0.5
    assert max(np.abs(np.diff(field, axis=axis)).max() for axis in range(3)) < 0.05


def test_impossible_parameters_are_refused(tissue: Float32) -> None:
    with pytest.raises(ValueError, match="snr"):
        apply_noise(tissue, Noise(0.0, 0.0, 1), SPACING_MM)
    with pytest.raises(ValueError, match="between 0 and 1"):
        apply_lost_contrast(tissue, LostContrast(1.4))
    with pytest.raises(ValueError, match="empty"):
        relative_contrast(tissue, tissue > 5, tissue > 0)


def test_a_coil_s_field_is_no_contrast_and_hides_none(tissue_of_a_shell: tuple[np.ndarray, np.ndarray]) -> None:
    grey, white = tissue_of_a_shell
    field = np.broadcast_to(np.linspace(0.7, 1.3, grey.shape[0])[:, None, None], grey.shape)
    spread = np.exp(-((np.indices(grey.shape) - 48.0) ** 2).sum(axis=0) / 60**2)
    for contrast in (0.0, 0.1, 0.3):
        flat = np.where(grey, 1 + contrast, 1.0) * (grey | white)
        wanted = contrast / (1 + contrast / 2)
        for smooth in (np.ones(grey.shape), field, 0.85 + 0.3 * spread):
            image = (flat * smooth).astype(np.float32)
            assert relative_contrast(image, grey, white, (1.0, 1.0, 1.0)) == pytest.approx(wanted, abs=0.035)
    hidden = (np.where(grey, 1.1, 1.0) * (0.85 + 0.3 * spread)).astype(np.float32)
    assert relative_contrast(hidden, grey, white) < 0.05


@pytest.fixture
def tissue_of_a_shell() -> tuple[np.ndarray, np.ndarray]:
    """Cortex around white matter, 1 mm."""
    radius = np.sqrt(((np.indices((96, 96, 96)) - 48.0) ** 2).sum(axis=0))
    return (radius < 45) & (radius >= 38), radius < 38


def test_draws_are_seeded_and_follow_severity() -> None:
    for draw in (draw_noise, draw_lost_contrast, draw_bias):
        assert draw(np.random.default_rng(1), 1.0) == draw(np.random.default_rng(1), 1.0)
        assert draw(np.random.default_rng(1), 1.0).to_dict() == asdict(draw(np.random.default_rng(1), 1.0))
    rng = np.random.default_rng(2)
    snr = [np.median([draw_noise(rng, s).snr for _ in range(20)]) for s in (0.0, 1.0, 2.0)]
    kept = [np.median([draw_lost_contrast(rng, s).kept for _ in range(20)]) for s in (0.0, 1.0, 2.0)]
    assert snr == sorted(snr, reverse=True)
    assert kept == sorted(kept, reverse=True)
