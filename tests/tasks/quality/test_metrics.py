"""All image metrics of a scan: closed forms, invariance, and inputs that lack what a metric is taken from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.anatomy.labels import Tissue
from brainsift.tasks.quality.metrics import AIR_NAMES, NAMES, Metrics, compute_metrics, icv_shares
from brainsift.tasks.quality.metrics_formulas import RAYLEIGH_SD
from tests.tasks.quality.metrics_scene import (
    AFFINE,
    LEVELS,
    NATIVE_SHAPE,
    SHAPE,
    anatomy_of,
    changed,
    clean_head,
    labels,
    native_labels,
    scan,
    volume_of,
)

NOISE = 20.0
WHITE, GREY = LEVELS[Tissue.WHITE], LEVELS[Tissue.CORTEX]
RAYLEIGH_MAD = 0.6640
"""1.4826 times the median absolute deviation of the magnitude of complex noise of unit standard deviation."""


@pytest.fixture(scope="module")
def measured() -> Metrics:
    volume = scan(NOISE)
    return compute_metrics(volume, anatomy_of(volume))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("snr_wm", WHITE / NOISE),
        ("snr_gm", GREY / NOISE),
        ("snr_csf", LEVELS[Tissue.VENTRICLES] / NOISE),
        ("snr_total", (1000 + 600 + 200) / 3 / NOISE),
        ("snrd_wm", RAYLEIGH_SD / RAYLEIGH_MAD * WHITE / NOISE),
        ("cnr", (WHITE - GREY) / NOISE / np.sqrt(2 + RAYLEIGH_SD**2)),
        ("cjv", 2 * NOISE / (WHITE - GREY)),
        ("summary_bg_mean", NOISE * np.sqrt(np.pi / 2)),
        ("summary_bg_median", NOISE * np.sqrt(2 * np.log(2))),
        ("summary_bg_mad", NOISE * RAYLEIGH_MAD),
        ("summary_bg_stdv", NOISE * RAYLEIGH_SD),
        ("summary_bg_p05", NOISE * np.sqrt(-2 * np.log(0.95))),
        ("summary_bg_p95", NOISE * np.sqrt(-2 * np.log(0.05))),
        ("summary_wm_median", 1000.0),
        ("summary_gm_median", 600.0),
        ("fber", LEVELS[Tissue.HEAD] ** 2 / (NOISE**2 * 2 * np.log(2))),
    ],
)
def test_metrics_of_known_noise_have_their_closed_form(measured: Metrics, name: str, expected: float) -> None:
    value = measured[name]
    assert value is not None
    # Fluid at ten times the noise is a little brighter and steadier than its level (Rician); energy squares errors.
    tolerance = {"snr_csf": 0.05, "fber": 1.0}.get(name, 0.03)
    if name == "fber":
        head = np.abs(scan(NOISE).data[native_labels() > 0])
        expected *= float(np.median(head)) ** 2 / LEVELS[Tissue.HEAD] ** 2
        tolerance = 0.03
    assert value == pytest.approx(expected, rel=tolerance)


def test_every_metric_is_answered_by_name_and_in_order(measured: Metrics) -> None:
    assert tuple(measured) == NAMES
    assert all(isinstance(value, float) and np.isfinite(value) for value in measured.values())
    assert measured["qi_1"] == 0.0
    assert measured["inu_range"] == pytest.approx(0.0, abs=0.01)
    assert measured["inu_med"] == pytest.approx(1.0, abs=0.01)


def test_voxel_counts_are_those_of_the_whole_scan_whatever_the_sample(measured: Metrics) -> None:
    assert measured["summary_wm_n"] == pytest.approx(8 * _core(labels() == Tissue.WHITE), rel=0.05)


def _core(mask: np.ndarray) -> int:
    inner = mask.copy()
    for axis in range(3):
        inner &= np.roll(mask, 1, axis) & np.roll(mask, -1, axis)
    return int(inner.sum())


def test_shares_of_the_intracranial_volume_add_up_to_one() -> None:
    shares = icv_shares(anatomy_of(scan()))
    assert sum(value or 0.0 for value in shares.values()) == pytest.approx(1.0)
    voxels = labels()
    assert shares["icvs_wm"] == pytest.approx((voxels == Tissue.WHITE).sum() / (voxels > Tissue.HEAD).sum())


@pytest.mark.parametrize("factor", [1e-4, 3.7, 1e5])
def test_the_unit_of_brightness_does_not_matter(measured: Metrics, factor: float) -> None:
    volume = scan(NOISE)
    brighter = changed(volume, volume.data * np.float32(factor))
    again = compute_metrics(brighter, anatomy_of(brighter))
    for name, value in measured.items():
        assert again[name] == pytest.approx(value, rel=2e-3, abs=1e-3), name


def _sampling(name: str) -> float:
    """How far two lattices of one scan may differ: a kurtosis of 3,000 voxels has a standard error of 0.09."""
    return 0.3 if name.endswith("_k") else 0.05


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_scan_stored_backwards_has_the_same_metrics(measured: Metrics, axis: int) -> None:
    volume = scan(NOISE)
    index = np.eye(4)
    index[axis, axis], index[axis, 3] = -1.0, NATIVE_SHAPE[axis] - 1
    turned = replace(volume, data=np.flip(volume.data, axis), affine=volume.affine @ index)
    again = compute_metrics(turned, anatomy_of(volume))
    for name, value in measured.items():
        assert again[name] == pytest.approx(value, rel=0.03, abs=_sampling(name)), name


def test_the_order_of_axes_moves_only_the_widths_of_the_axes() -> None:
    from scipy.ndimage import gaussian_filter

    volume = scan(NOISE)
    volume = changed(volume, gaussian_filter(volume.data, (0.0, 0.7, 1.5)))
    swapped = replace(volume, data=np.transpose(volume.data, (2, 0, 1)), affine=volume.affine[:, [2, 0, 1, 3]])
    anatomy = anatomy_of(volume)
    first, second = compute_metrics(volume, anatomy), compute_metrics(swapped, anatomy)
    moved = {"fwhm_x": "fwhm_y", "fwhm_y": "fwhm_z", "fwhm_z": "fwhm_x"}
    for name in (n for n in NAMES if not n.endswith("_k")):  # blurred edges make the tails too heavy for a kurtosis
        value = first[name]
        assert second[moved.get(name, name)] == pytest.approx(value, rel=0.06, abs=_sampling(name)), name


def test_memory_order_changes_nothing(measured: Metrics) -> None:
    volume = scan(NOISE)
    other = replace(volume, data=np.asfortranarray(volume.data))
    assert compute_metrics(other, anatomy_of(volume)) == pytest.approx(measured)


def test_bright_stripes_in_the_air_are_artefact_and_leave_the_noise_as_it_is(measured: Metrics) -> None:
    volume = scan(NOISE)
    data = volume.data.copy()
    data[::10] += 20 * NOISE * (native_labels()[::10] == 0)
    ghosts = changed(volume, data)
    again = compute_metrics(ghosts, anatomy_of(volume))
    assert again["qi_1"] == pytest.approx(0.1, abs=0.015)
    assert again["summary_bg_stdv"] == pytest.approx(measured["summary_bg_stdv"], rel=0.03)


def test_a_removed_face_is_not_air(measured: Metrics) -> None:
    volume = scan(NOISE)
    data = volume.data.copy()
    data[:, 100:, :64] = 0
    defaced = changed(volume, data)
    again = compute_metrics(defaced, anatomy_of(defaced))
    for name in ("summary_bg_mean", "summary_bg_p05", "snrd_wm"):
        assert again[name] == pytest.approx(measured[name], rel=0.03), name


def test_a_skull_stripped_scan_has_no_air_and_says_so() -> None:
    volume = scan(NOISE)
    data = volume.data * (native_labels() > Tissue.HEAD)
    stripped = changed(volume, data)
    found = np.where(labels() == Tissue.HEAD, np.uint8(0), labels())
    metrics = compute_metrics(stripped, anatomy_of(stripped, found))
    assert [name for name, value in metrics.items() if value is None] == sorted(AIR_NAMES, key=NAMES.index)
    assert metrics["cjv"] == pytest.approx(2 * NOISE / (WHITE - GREY), rel=0.03)
    assert metrics["cnr"] == pytest.approx((WHITE - GREY) / NOISE / np.sqrt(2), rel=0.03)


def test_noise_that_was_rounded_away_is_not_measured() -> None:
    volume = scan(NOISE)
    coarse = changed(volume, np.floor(volume.data / 50) * 50)
    metrics = compute_metrics(coarse, anatomy_of(coarse))
    assert all(metrics[name] is None for name in AIR_NAMES)
    assert metrics["snr_wm"] == pytest.approx(WHITE / np.hypot(NOISE, 50 / np.sqrt(12)), rel=0.1)


def test_a_standardised_scan_only_gets_what_does_not_depend_on_zero(measured: Metrics) -> None:
    volume = scan(NOISE)
    standard = changed(volume, (volume.data - volume.data.mean()) / volume.data.std())
    metrics = compute_metrics(standard, anatomy_of(standard))
    kept = {name for name, value in metrics.items() if value is not None}
    shares_and_widths = {name for name in NAMES if name.startswith(("fwhm_", "icvs_"))}
    assert kept == {"cjv", "cnr", *shares_and_widths}
    assert metrics["cjv"] == pytest.approx(measured["cjv"], rel=0.05)


def test_more_noise_makes_every_noise_metric_worse() -> None:
    rows = [compute_metrics(volume, anatomy_of(volume)) for volume in (scan(n) for n in (10.0, 30.0, 90.0))]
    for name, better in {"snr_total": -1, "snrd_total": -1, "cnr": -1, "fber": -1, "cjv": 1, "efc": 1}.items():
        values = [row[name] or 0.0 for row in rows]
        assert np.all(np.diff(values) * better > 0), name


def test_labels_that_take_in_a_neighbour_do_not_spoil_a_tissue(measured: Metrics) -> None:
    volume = scan(NOISE)
    wrong = labels()
    wrong[:, :, 35:][wrong[:, :, 35:] == Tissue.WHITE] = Tissue.CORTEX
    inner = (wrong == Tissue.CORTEX).sum() / (labels() == Tissue.CORTEX).sum()
    assert inner > 1.2
    metrics = compute_metrics(volume, anatomy_of(volume, wrong))
    assert metrics["cjv"] == pytest.approx(measured["cjv"], rel=0.05)
    assert metrics["summary_gm_median"] == pytest.approx(600, rel=0.01)


def test_noise_that_mixes_tissues_is_not_cut_off() -> None:
    volume = scan(200.0)
    metrics = compute_metrics(volume, anatomy_of(volume))
    assert metrics["summary_wm_stdv"] == pytest.approx(200, rel=0.05)
    assert (metrics["cjv"] or 0) > 0.9


EMPTY = np.zeros(SHAPE, dtype=np.uint8)
SPECK = EMPTY.copy()
SPECK[30:33, 30:33, 30:33] = Tissue.WHITE
FULL = np.full(SHAPE, Tissue.WHITE, dtype=np.uint8)
SLAB = np.where(np.arange(SHAPE[2]) == 32, labels(), np.uint8(0))


@pytest.mark.parametrize("found", [EMPTY, SPECK, FULL, SLAB], ids=["no brain", "a speck", "no background", "one slice"])
@pytest.mark.parametrize("values", ["noise", "constant", "zero", "negative", "one bright voxel", "clean"])
def test_odd_scans_get_finite_numbers_or_none(found: np.ndarray, values: str) -> None:
    data = {
        "noise": scan(NOISE).data,
        "constant": np.full(NATIVE_SHAPE, 7.0),
        "zero": np.zeros(NATIVE_SHAPE),
        "negative": -scan(NOISE).data,
        "one bright voxel": np.pad(np.full((1, 1, 1), 1e20), [(60, n - 61) for n in NATIVE_SHAPE]),
        "clean": clean_head(),
    }[values]
    volume = volume_of(data)
    with np.errstate(all="raise", under="ignore"):
        metrics = compute_metrics(volume, anatomy_of(volume, found))
    assert tuple(metrics) == NAMES
    for name, value in metrics.items():
        assert value is None or np.isfinite(value), name


@pytest.mark.parametrize("shape", [(1, 1, 1), (128, 1, 128), (5, 4, 3), (2, 144, 2)])
def test_thin_scans_are_answered(shape: tuple[int, int, int]) -> None:
    volume = volume_of(np.random.default_rng(0).random(shape))
    metrics = compute_metrics(volume, anatomy_of(volume, image=np.ones(SHAPE, dtype=np.float32), affine=AFFINE))
    assert all(value is None or np.isfinite(value) for value in metrics.values())
