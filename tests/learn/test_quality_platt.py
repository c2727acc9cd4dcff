"""Log-odds that are fitted to validation scans, and a network that answers so."""

import math

import numpy as np
import pytest
import torch

from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.platt import fit_platt, fold_platt
from brainsift.learn.quality.truth import COLUMNS, N_BINARY
from brainsift.tasks.quality.network import OUTPUTS

N = 4000


MOTION = OUTPUTS.index("motion_at_least_1")


def truth_of(given: np.ndarray, name: str = "motion") -> np.ndarray:
    rows = np.full((len(given), len(COLUMNS)), np.nan, np.float32)
    rows[:, COLUMNS.index(name)] = given
    return rows


def said(given: np.ndarray, factor: float, shift: float, rng: np.random.Generator) -> np.ndarray:
    """Log-odds of a model that knows even odds as 2 +- 2, told with a factor and a shift of its own."""
    known = np.where(given, 2.0, -2.0) + 2.0 * rng.standard_normal(len(given))
    logits = np.zeros((len(given), N_BINARY), np.float32)
    logits[:, MOTION] = (known - shift) / factor
    return logits


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_factor_and_shift_are_found_whatever_the_shares_of_yes_and_no(share: float) -> None:
    rng = np.random.default_rng(0)
    given = rng.random(N) < share
    fitted = fit_platt(said(given, 0.5, 1.5, rng), truth_of(given))
    assert fitted[MOTION] == pytest.approx([0.5, 1.5], abs=0.15)
    assert (fitted[:MOTION] == [1.0, 0.0]).all()


def test_answers_that_both_views_see_stay_as_they_are() -> None:
    given = np.arange(N) % 2 > 0
    logits = np.where(given, 5.0, 1.0)[:, None].repeat(N_BINARY, axis=1).astype(np.float32)
    for name in ("proper", "gadolinium", "noise", "contrast"):
        assert (fit_platt(logits, truth_of(given, name)) == [1.0, 0.0]).all()


def test_validation_scans_make_no_network_surer() -> None:
    rng = np.random.default_rng(2)
    given = np.arange(N) % 2 > 0
    fitted = fit_platt(said(given, 2.0, 1.0, rng), truth_of(given))
    assert fitted[MOTION, 0] == 1
    even = said(given, 2.0, 1.0, rng)[:, MOTION] + fitted[MOTION, 1]
    assert 0.2 < fitted[MOTION, 1] < 1.2
    assert abs(float((even[given] > 0).mean() - (even[~given] < 0).mean())) < 0.05


def test_few_examples_change_little() -> None:
    rng = np.random.default_rng(1)
    given = np.arange(4) < 2
    few = fit_platt(said(given, 1.0, 4.0, rng), truth_of(given))
    assert abs(few[MOTION, 1]) < 2
    assert (fit_platt(said(np.ones(9, bool), 1.0, 4.0, rng), truth_of(np.ones(9))) == [1.0, 0.0]).all()


def test_what_is_folded_in_is_what_the_network_answers() -> None:
    torch.manual_seed(0)
    net, image = QualityNet().eval(), torch.rand(2, 6, 64, 64)
    before = net(image)
    fitted = np.tile([1.0, 0.0], (N_BINARY, 1))
    fitted[3] = 0.5, -math.pi
    fold_platt(net, fitted)
    after = net(image)
    assert torch.allclose(after[..., 3], 0.5 * before[..., 3] - math.pi, atol=1e-4)
    others = [column for column in range(before.shape[2]) if column != 3]
    assert torch.allclose(after[..., others], before[..., others], atol=1e-5)
