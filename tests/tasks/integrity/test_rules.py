from __future__ import annotations

import numpy as np
import pytest

from brainsift.scans.dimension import dimension_of
from brainsift.scans.volume import InputGrid, ReadFacts, Volume
from brainsift.tasks.integrity.faults import header_faults
from brainsift.tasks.integrity.intensity import inspect_intensity
from brainsift.tasks.integrity.sequence import image_contradicts, is_declared_map, settle_sequence

SURE = {"T1w": 0.97, "FLAIR": 0.0, "T2w": 0.0, "PDw": 0.0, "T2starw": 0.0, "unknown": 0.03}
UNSURE = {"T1w": 0.4, "FLAIR": 0.3, "T2w": 0.0, "PDw": 0.0, "T2starw": 0.0, "unknown": 0.3}
SILENT = {"unknown": 1.0}

RNG = np.random.default_rng(0)


def image() -> np.ndarray:
    x = np.linspace(-1, 1, 48)
    ball = np.sqrt(x[:, None, None] ** 2 + x[None, :, None] ** 2 + x[None, None] ** 2) < 0.8
    return np.rint(np.where(ball, RNG.normal(500, 60, ball.shape), np.abs(RNG.normal(0, 8, ball.shape)))).astype(
        np.float32
    )


def labels() -> np.ndarray:
    return np.kron(RNG.integers(0, 40, (6, 6, 6)), np.ones((8, 8, 8))).astype(np.float32)


def sparse_mask() -> np.ndarray:
    mask = np.zeros((120, 120, 120), np.float32)
    mask[61, 33, 7] = 1
    return mask


def standardised() -> np.ndarray:
    brain = image() > 100
    return np.where(brain, RNG.normal(0, 1, brain.shape), 0).astype(np.float32)


def phase() -> np.ndarray:
    return RNG.uniform(-np.pi, np.pi, (48, 48, 48)).astype(np.float32)


def susceptibility() -> np.ndarray:
    return (0.01 * RNG.standard_t(3, (48, 48, 48)) * (image() > 100)).astype(np.float32)


KINDS = [
    (image, "image"),
    (labels, "label_map"),
    (sparse_mask, "mask"),
    (standardised, "image"),
    (phase, "parameter_map"),
    (susceptibility, "parameter_map"),
    (lambda: np.zeros((5, 5, 5), np.float32), "empty"),
    (lambda: np.full((5, 5, 5), 7, np.float32), "constant"),
    (lambda: (image() > 100).astype(np.float32) * 255, "mask"),
]


@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_values_tell_the_kind(make: object, kind: str) -> None:
    assert inspect_intensity(make()).kind == kind  # type: ignore[operator]


def test_clipping_is_measured_on_the_signal() -> None:
    clipped = np.minimum(image(), 500)
    share = inspect_intensity(clipped).clipped_share
    assert share > 0.1
    assert inspect_intensity(image()).clipped_share < 0.001


SPACINGS = [
    ((1.0, 1.0, 1.0), {}, "T1w", "3D"),
    ((0.7, 0.7, 4.0), {}, "T1w", "2D"),
    ((1.0, 1.0, 2.0), {}, "T1w", "2D"),
    ((0.47, 0.47, 1.5), {}, "T1w", "3D"),  # spoiled gradient echo with interpolated pixels
    ((0.5, 0.5, 2.0), {}, "T2starw", "3D"),  # SWI with thick partitions
    ((0.6, 0.6, 2.0), {}, "Chimap", "3D"),  # map of susceptibility
    ((0.9, 0.9, 5.0), {}, "T2starw", "2D"),
    ((2.5, 2.5, 2.5), {}, "T1w", "3D"),
    ((1.0, 1.0, 5.0), {"MRAcquisitionType": "3D"}, None, "3D"),
    ((1.0, 1.0, 1.0), {"MRAcquisitionType": "2D"}, None, "2D"),
    ((0.6, 0.999, 1.998), {}, "T1w", "2D"),
]


@pytest.mark.parametrize(("spacing", "header", "sequence", "expected"), SPACINGS)
def test_dimension(spacing: tuple[float, ...], header: dict[str, str], sequence: str | None, expected: str) -> None:
    assert dimension_of(np.array(spacing), header, sequence)[0] == expected


ANSWERS = [
    # header, suffix, look, sequence, conflict
    ({}, None, SURE, "T1w", False),
    ({}, None, UNSURE, "unknown", False),
    ({}, "FLAIR", SILENT, "FLAIR", False),
    ({}, "FLAIR", UNSURE, "FLAIR", False),
    ({}, "FLAIR", SURE, "T1w", True),
    ({"SequenceHint": "T1w"}, "FLAIR", SILENT, "T1w", True),
    ({"SequenceHint": "FLAIR"}, "T1w", SURE, "T1w", True),
    ({"SequenceHint": "swi"}, "T2starw", SILENT, "T2starw", False),
    ({"SequenceHint": "T2w"}, "PDw", SILENT, "T2w", False),  # they look alike
    ({"SequenceHint": "dwi"}, None, SURE, "dwi", False),  # no known look: never ruled out
    ({"ImageType": ["ORIGINAL", "P"], "SequenceHint": "T2starw"}, None, SILENT, "phase", False),
]


@pytest.mark.parametrize(("header", "suffix", "look", "sequence", "conflict"), ANSWERS)
def test_sequence(header: dict, suffix: str | None, look: dict[str, float], sequence: str, conflict: bool) -> None:  # type: ignore[type-arg]
    answer = settle_sequence(header, suffix, look)
    assert (answer.sequence, answer.conflict) == (sequence, conflict)


@pytest.mark.parametrize(
    ("name", "look", "sequence"),
    [
        ("gre7t_crop_a_mag", SILENT, "T2starw"),
        ("head_t2w_07", UNSURE, "T2w"),
        ("my_swi", SILENT, "T2starw"),
        ("my_qsm", SILENT, "Chimap"),
        ("flair_7", SURE, "T1w"),  # what the image shows comes before a word in a file's name
        ("gre_field_mapping", SILENT, "unknown"),
        ("grey_matter", SILENT, "unknown"),
    ],
)
def test_words_in_a_name_count_where_nothing_else_tells(name: str, look: dict[str, float], sequence: str) -> None:
    answer = settle_sequence({}, None, look, name=name)
    assert (answer.sequence, answer.conflict) == (sequence, False)
    assert settle_sequence({}, "PDw", SILENT, name=name).sequence == "PDw"


def test_wrapped_values_are_phase_whatever_is_declared() -> None:
    assert settle_sequence({}, None, SILENT, wraps=True).sequence == "phase"
    answer = settle_sequence({}, "T1w", SURE, wraps=True)
    assert (answer.sequence, answer.conflict) == ("phase", True)


def wrapped(scale: float, offset: float) -> np.ndarray:
    x = np.linspace(0, 9, 48)
    angle = x[:, None, None] + x[None, :, None] ** 1.2 + 0.3 * x[None, None] + RNG.normal(0, 0.3, (48, 48, 48))
    return (scale * np.angle(np.exp(1j * angle)) + offset).astype(np.float32)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (0.00117, 0.0), (651.0, 2046.0)])
def test_phase_wraps_in_any_unit(scale: float, offset: float) -> None:
    found = inspect_intensity(np.rint(wrapped(scale, offset)) if offset else wrapped(scale, offset))
    assert (found.kind, found.wraps) == ("parameter_map", True)


@pytest.mark.parametrize("make", [image, standardised, susceptibility, lambda: np.minimum(image(), 300)])
def test_magnitudes_and_maps_do_not_wrap(make: object) -> None:
    assert not inspect_intensity(make()).wraps  # type: ignore[operator]


def test_silent_image_contradicts_nothing() -> None:
    assert not image_contradicts("T1w", SILENT)


@pytest.mark.parametrize(
    ("header", "suffix", "expected"), [({}, "T1map", True), ({"ImageType": ["ADC"]}, None, True), ({}, "T1w", False)]
)
def test_declared_maps(header: dict, suffix: str | None, expected: bool) -> None:  # type: ignore[type-arg]
    assert is_declared_map(header, suffix) is expected


MIRROR = np.diag([-1.0, 1, 1, 1])

FORMS = [
    # apart mm, sform code, qform code, qform, flagged
    (None, 1, 0, None, False),
    (0.5, 1, 1, np.eye(4), False),
    (30.0, 1, 1, np.eye(4), True),
    (30.0, 4, 1, np.eye(4), False),  # registered to MNI: may differ
    (30.0, 4, 1, MIRROR, True),  # but not be mirrored
]


@pytest.mark.parametrize(("apart", "sform_code", "qform_code", "qform", "flagged"), FORMS)
def test_two_positions(
    apart: float | None, sform_code: int, qform_code: int, qform: np.ndarray | None, flagged: bool
) -> None:
    shape = (4, 4, 4)
    grid = InputGrid(shape, np.eye(4), (0, 1, 2), (False,) * 3, np.eye(4), qform, sform_code, qform_code)
    facts = ReadFacts("nifti1", "int16", shape, "0" * 64, sform_qform_mm=apart)
    assert bool(header_faults(Volume(np.ones(shape, np.float32), np.eye(4), grid, facts))) is flagged
