from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.simulate.artefacts.kspace import (
    Blur,
    Ghost,
    Ringing,
    Spikes,
    apply_blur,
    apply_ghost,
    apply_ringing,
    apply_spikes,
    draw_blur,
    draw_ghost,
    draw_ringing,
    draw_spikes,
)

Float32 = NDArray[np.float32]


def _point() -> Float32:
    image = np.zeros((32, 48, 24), np.float32)
    image[10, 7, 12] = 1
    return image


@pytest.mark.parametrize(("parts", "copies"), [(2, [24]), (3, [16, 32]), (4, [12, 24, 36])])
def test_a_ghost_stands_a_part_of_the_field_away(parts: int, copies: list[int]) -> None:
    ghosted = apply_ghost(_point(), Ghost(1, parts, 0.4, 0.0)).image[10, :, 12]
    assert set(np.flatnonzero(ghosted > 1e-4)) == {7, *((7 + c) % 48 for c in copies)}


def test_a_nyquist_ghost_has_the_sine_of_half_the_phase() -> None:
    ghosted = apply_ghost(_point(), Ghost(1, 2, 0.6, 0.0)).image[10, :, 12]
    assert ghosted[31] == pytest.approx(np.sin(0.3), abs=1e-5)
    assert ghosted[7] == pytest.approx(np.cos(0.3), abs=1e-5)


def test_a_spike_is_one_point_of_k_space() -> None:
    even = np.full((32, 32, 32), 10.0, np.float32)
    striped = apply_spikes(even, Spikes(((0.25, 0.125, 0.0),), (0.1,), (0.0,)))
    spectrum = np.abs(np.fft.rfftn(striped.image - striped.image.mean()))
    # 0.25 and 0.125 cycles per voxel over 32 voxels.
    assert np.unravel_index(spectrum.argmax(), spectrum.shape)[:2] in {(8, 4), (24, 28)}
    # A wave of amplitude 1 on a real signal of 10: mostly its real part shows, with a mean square of 1/2.
    assert striped.change == pytest.approx(0.1 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("kept", [0.25, 0.5])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_ringing_beside_an_edge_has_its_period(kept: float, axis: int) -> None:
    shape = [8, 8, 8]
    shape[axis] = 128
    step = np.full(shape, 0.5, np.float32)
    np.moveaxis(step, axis, 0)[64:] = 1.0
    shares = [1.0, 1.0, 1.0]
    shares[axis] = kept
    rung = np.moveaxis(apply_ringing(step, Ringing((shares[0], shares[1], shares[2]))).image, axis, 0)[:, 4, 4]
    ripple = rung[70:100] - 1.0
    crossings = np.flatnonzero(np.diff(np.sign(ripple)))
    # Lines up to kept / 2 cycles per voxel are left: half a period lasts 1 / kept voxels.
    assert np.diff(crossings).mean() == pytest.approx(1 / kept, rel=0.1)
    # Gibbs: 9 % of the step beyond it, whatever was kept.
    assert rung.max() - 1.0 == pytest.approx(0.5 * 0.0895, rel=0.25)


def test_keeping_all_lines_changes_nothing(head: Float32) -> None:
    assert np.array_equal(apply_ringing(head, Ringing((1.0, 1.0, 1.0))).image, head)


def test_blur_spreads_a_point_as_far_as_it_says() -> None:
    blurred = apply_blur(_point(), Blur((2.0, 0.0, 0.0)), (1.0, 1.0, 1.0)).image
    at = np.arange(32) - 10
    assert blurred.sum() == pytest.approx(1, rel=1e-4)
    assert np.sqrt((blurred[:, 7, 12] * at**2).sum()) == pytest.approx(2.0, rel=0.05)
    assert blurred[10, 8, 12] == 0


def test_blur_is_in_millimetres() -> None:
    fine = apply_blur(_point(), Blur((0.0, 2.0, 0.0)), (1.0, 0.5, 1.0)).image[10, :, 12]
    assert np.sqrt((fine * (np.arange(48) - 7) ** 2).sum()) == pytest.approx(4.0, rel=0.15)


@pytest.mark.parametrize("kept", [0.0, 1.5])
def test_an_impossible_share_is_refused(kept: float) -> None:
    with pytest.raises(ValueError, match="kept share"):
        apply_ringing(_point(), Ringing((kept, 1.0, 1.0)))


def test_all_grow_with_the_severity_asked_for_and_vanish_without(head: Float32) -> None:
    spacing = (1.0, 1.0, 1.0)

    def changes(severity: float) -> list[float]:
        rng = np.random.default_rng(2)
        ghosts = np.mean([apply_ghost(head, draw_ghost(rng, severity)).change for _ in range(8)])
        spikes = np.mean([apply_spikes(head, draw_spikes(rng, severity)).change for _ in range(8)])
        ringing = np.mean([apply_ringing(head, draw_ringing(rng, severity)).change for _ in range(8)])
        blur = np.mean([apply_blur(head, draw_blur(rng, severity), spacing).change for _ in range(8)])
        return [float(ghosts), float(spikes), float(ringing), float(blur)]

    none, some, much = changes(0.0), changes(1.0), changes(2.0)
    assert max(none) < 1e-4
    assert all(a < b < c for a, b, c in zip(none, some, much, strict=True))
