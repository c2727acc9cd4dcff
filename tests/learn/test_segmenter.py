"""The network: folding is lossless, sizes are kept, the loss measures what it says."""

import math

import pytest
import torch

from brainsift.learn.losses import dice_cross_entropy
from brainsift.learn.segmenter import Segmenter, fold, unfold


def test_unfold_undoes_fold() -> None:
    x = torch.rand(2, 3, 4, 6, 8)
    assert torch.equal(unfold(fold(x)), x)


def test_fold_keeps_the_eight_neighbours_of_a_cell_together() -> None:
    x = torch.arange(64.0).reshape(1, 1, 4, 4, 4)
    assert fold(x)[0, :, 0, 0, 0].tolist() == x[0, 0, :2, :2, :2].flatten().tolist()


@pytest.mark.parametrize("shape", [(16, 32, 48), (48, 16, 32)])
def test_output_has_a_channel_per_class_on_the_input_grid(shape: tuple[int, int, int]) -> None:
    assert Segmenter(10)(torch.rand(1, 1, *shape)).shape == (1, 10, *shape)


def test_loss_is_near_zero_for_a_sure_right_answer_and_large_for_a_sure_wrong_one() -> None:
    target = torch.randint(0, 3, (1, 4, 4, 4), generator=torch.Generator().manual_seed(0))
    right = 20 * torch.nn.functional.one_hot(target, 3).movedim(-1, 1).float()
    assert float(dice_cross_entropy(right, target)) < 1e-3
    assert float(dice_cross_entropy(-right, target)) > 5


def test_loss_of_a_flat_answer_is_log_classes_plus_one_minus_the_expected_dice() -> None:
    target = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    loss = float(dice_cross_entropy(torch.zeros(1, 2, 4, 4, 4), target))
    assert loss == pytest.approx(math.log(2) + 1 - (2 * 32 + 1) / (32 + 64 + 1), abs=1e-5)


def test_classes_that_the_target_lacks_do_not_count_in_the_dice_part() -> None:
    target = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    logits = torch.zeros(1, 5, 4, 4, 4)
    logits[:, 0] = 30
    assert float(dice_cross_entropy(logits, target)) < 1e-4
