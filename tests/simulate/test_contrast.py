from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate import contrast
from brainsift.simulate.contrast import RELAXATION_MS, SEQUENCES, draw_contrast, tables, twin

STILL = np.ones(3)
VALUES = np.array([0, 2, 3, 4, 10, 24, 41, 42, 43, 507, 511, 515])

# Worked by hand from T1, T2 (ms) and proton density of `RELAXATION_MS`, to four digits.
HAND = (
    # MPRAGE: PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2*), T2* = 0.6 T2
    ("mprage", {"tr": 2300.0, "ti": 900.0, "te": 3.0}, "white", 0.2474),
    ("mprage", {"tr": 2300.0, "ti": 900.0, "te": 3.0}, "csf", 0.0342),
    # Spin echo: PD (1 - exp(-TR/T1)) exp(-TE/T2)
    ("t2_se", {"tr": 5000.0, "te": 100.0}, "white", 0.1673),
    ("t2_se", {"tr": 5000.0, "te": 100.0}, "csf", 0.6749),
    # Spoiled gradient echo: PD sin(a) (1 - E1) / (1 - cos(a) E1) exp(-TE/T2*)
    ("spgr", {"tr": 20.0, "flip": 25.0, "te": 4.0}, "white", 0.0550),
)


def _signals(kind: str, settings: dict[str, float]) -> dict[str, float]:
    return {t: contrast._signal(kind, settings, t, STILL) for t in ("white", "cortex", "csf", "lesion", "fat")}


@pytest.mark.parametrize(("kind", "settings", "tissue", "signal"), HAND)
def test_signal_equations_agree_with_numbers_worked_by_hand(
    kind: str, settings: dict[str, float], tissue: str, signal: float
) -> None:
    assert contrast._signal(kind, settings, tissue, STILL) == pytest.approx(signal, abs=6e-5)


def test_mprage_shows_white_above_grey_above_csf() -> None:
    s = _signals("mprage", {"tr": 2300, "ti": 900, "te": 3})
    assert s["white"] > s["cortex"] > s["csf"]
    assert s["fat"] > s["white"]


def test_t2_shows_csf_brightest_and_grey_above_white() -> None:
    s = _signals("t2_se", {"tr": 5000, "te": 100})
    assert s["csf"] == max(s.values())
    assert s["lesion"] > s["cortex"] > s["white"]


def test_flair_nulls_csf_at_its_inversion_time_and_shows_lesions_bright() -> None:
    tr, t1 = 9000.0, RELAXATION_MS["csf"][0]
    null = t1 * (np.log(2) - np.log1p(np.exp(-tr / t1)))
    s = _signals("flair", {"tr": tr, "ti": null, "te": 120})
    assert s["csf"] < 1e-6
    assert s["lesion"] > s["cortex"] > s["white"] > s["csf"]


@pytest.mark.parametrize("seed", range(20))
def test_drawn_flair_keeps_csf_dark(seed: int) -> None:
    drawn = draw_contrast(np.random.default_rng(seed), VALUES, "flair")
    mean = dict(zip(drawn.values, drawn.means, strict=True))
    assert mean[24] < mean[3]


@pytest.mark.parametrize("kind", [*SEQUENCES, "random"])
def test_left_and_right_share_their_contrast(kind: str, rng: np.random.Generator) -> None:
    drawn = draw_contrast(rng, VALUES, kind)
    mean = dict(zip(drawn.values, drawn.means, strict=True))
    assert (mean[2], mean[3], mean[4]) == (mean[41], mean[42], mean[43])
    assert max(drawn.means[1:]) == pytest.approx(1.0)
    assert min(drawn.means) >= 0


def test_tables_are_read_by_code(rng: np.random.Generator) -> None:
    drawn = draw_contrast(rng, VALUES)
    mean, spread = tables(drawn)
    assert mean.dtype == spread.dtype == np.float32
    assert mean.shape == spread.shape == VALUES.shape
    assert np.allclose(mean, drawn.means)
    assert spread[0] == 0


@pytest.mark.parametrize(
    ("label", "same_as"), [(42, 3), (1035, 3), (2001, 3), (3010, 2), (4010, 2), (24, 24), (507, 507)]
)
def test_labels_that_look_alike(label: int, same_as: int) -> None:
    assert twin(label) == same_as


def test_lists_of_tissues_are_consistent() -> None:
    assert set(contrast._TISSUE_OF_LABEL.values()) == set(RELAXATION_MS)
    assert all(t1 > t2 > 0 and 0 < pd <= 1 for t1, t2, pd in RELAXATION_MS.values())


@pytest.mark.parametrize("seed", range(20))
def test_drawn_mprage_keeps_grey_matter_between_fluid_and_white(seed: int) -> None:
    drawn = draw_contrast(np.random.default_rng(seed), VALUES, "mprage")
    mean = dict(zip(drawn.values, drawn.means, strict=True))
    assert mean[24] < mean[3] < mean[2]
