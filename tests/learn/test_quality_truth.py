"""Truth, targets and loss: what is unknown costs nothing, grades are ordered, rare answers come up."""

import math

import numpy as np
import pytest
import torch

from brainsift.evaluate.labels import Label
from brainsift.learn.quality.truth import (
    COLUMNS,
    balancing_weights,
    binary_targets,
    even_odds,
    label_row,
    quality_loss,
    truth_row,
)
from brainsift.tasks.quality.network import N_OUTPUTS, OUTPUTS


def sure(**given: float) -> torch.Tensor:
    """Logits of a scan with 3 slices, sure of what is given, even odds for the rest."""
    logits = torch.zeros(1, 4, N_OUTPUTS)
    for name, value in given.items():
        logits[..., OUTPUTS.index(name)] = value
    return logits


def rows(**known: float | bool | str | None) -> torch.Tensor:
    return torch.from_numpy(truth_row(known))[None]


def test_what_is_not_known_is_nan_and_an_unknown_suffix_is_other() -> None:
    row = truth_row({"proper": True, "sequence": "bold"})
    assert row[0] == 1
    assert row[-1] == 6
    assert np.isnan(row[1:-1]).all()


def test_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="blur"):
        truth_row({"blur": 1.0})


def test_nothing_is_said_of_the_quality_of_an_improper_scan() -> None:
    row = label_row(Label(scan="a", proper=False, motion=2, sequence="T1w"))
    assert row[0] == 0
    assert np.isnan(row[1:]).all()


@pytest.mark.parametrize(
    ("score", "first", "second"),
    [(0.0, 0, 0), (0.3, 0.3, 0), (0.5, 0.5, 0), (1.0, 1, 0), (1.5, 1, 0.5), (2.0, 1, 1)],
)
def test_scores_become_ordered_targets_that_add_up_to_them(score: float, first: float, second: float) -> None:
    targets = binary_targets(rows(motion=score))[0]
    assert targets[2:4].tolist() == pytest.approx([first, second])
    assert torch.isnan(targets[4:]).all()


def test_a_sure_right_answer_costs_little_and_a_sure_wrong_one_much() -> None:
    truth = rows(proper=True, motion=2.0, sequence="T1w")
    right = sure(proper=12, motion_at_least_1=12, motion_at_least_2=12, sequence_T1w=20)
    wrong = sure(proper=-12, motion_at_least_1=-12, motion_at_least_2=-12, sequence_FLAIR=20)
    assert float(quality_loss(right, truth)) < 1e-3
    assert float(quality_loss(wrong, truth)) > 20


def test_answers_to_what_is_unknown_cost_nothing() -> None:
    truth = rows(proper=True)
    assert float(quality_loss(sure(proper=12), truth)) == pytest.approx(
        float(quality_loss(sure(proper=12, noise_at_least_1=9, sequence_T1w=9), truth))
    )


def test_a_batch_without_any_truth_has_a_loss_of_zero_and_finite_gradients() -> None:
    logits = sure(proper=3).requires_grad_()
    loss = quality_loss(logits, torch.full((1, len(COLUMNS)), math.nan))
    loss.backward()
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_rare_answers_are_drawn_more_often() -> None:
    truth = np.stack([truth_row({"motion": 0.0})] * 9 + [truth_row({"motion": 2.0})])
    weights = balancing_weights(truth)
    assert weights.mean() == pytest.approx(1, abs=1e-5)
    assert weights[-1] > 3 * weights[0]


def test_rare_answers_weigh_as_much_as_common_ones_but_a_handful_does_not_steer() -> None:
    truth = np.concatenate([truth_row({"proper": i < 4, "motion": 2.0 if i == 0 else 0.0})[None] for i in range(20)])
    odds = even_odds(truth, np.ones(20, np.float32))
    assert odds[0].tolist() == pytest.approx([0.625, 2.5])
    assert odds[2].tolist() == pytest.approx([0.5 / 0.9, 5.0])
    drawn_evenly = even_odds(truth, np.where(truth[:, 0] > 0, 4.0, 1.0).astype(np.float32))
    assert drawn_evenly[0].tolist() == pytest.approx([1, 1])


def test_with_even_odds_the_best_guess_without_a_picture_is_one_half() -> None:
    truth = torch.cat([rows(proper=i == 0) for i in range(5)])
    odds = even_odds(truth.numpy(), np.ones(5, np.float32))
    at = [float(quality_loss(sure(proper=logit).expand(5, -1, -1), truth, odds)) for logit in (-1.0, 0.0, 1.0)]
    assert at[1] < min(at[0], at[2])
    shares = [float(quality_loss(sure(proper=logit).expand(5, -1, -1), truth)) for logit in (-1.0, 0.0)]
    assert shares[0] < shares[1]
