"""The loop that all trainings share."""

from __future__ import annotations

import csv
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from brainsift.learn.trainer import CHECKPOINT, CURVE, Trainer, TrainingPlan


def trained(output: Path, steps: int) -> None:
    """Fit a line for some steps, from the checkpoint where there is one."""
    x = torch.linspace(-1, 1, 8)[:, None]
    plan = TrainingPlan(steps=steps, validate_every=1, threads=1)
    trainer = Trainer(lambda: nn.Linear(1, 1), nn.functional.mse_loss, lambda _: {}, plan, output)
    trainer.load()
    trainer.run(repeat((x, 2 * x)), quiet=True)


def curve(output: Path) -> list[int]:
    with (output / CURVE).open() as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_a_kill_before_the_first_row_of_the_curve_costs_no_column_names(tmp_path: Path) -> None:
    trained(tmp_path, 1)
    (tmp_path / CURVE).write_text("")  # as a kill leaves it between making the file and writing to it
    trained(tmp_path, 3)
    assert curve(tmp_path) == [2, 3]
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["step"] == 3


def test_a_curve_goes_on_below_its_names(tmp_path: Path) -> None:
    trained(tmp_path, 2)
    trained(tmp_path, 4)
    assert curve(tmp_path) == [1, 2, 3, 4]


def test_points_beyond_the_checkpoint_are_made_again(tmp_path: Path) -> None:
    """A kill between the row and the checkpoint leaves steps in the curve that the weights do not have."""
    trained(tmp_path, 2)
    with (tmp_path / CURVE).open("a") as file:
        file.write("3,0.0,0.5\r\n4,0.")
    trained(tmp_path, 3)
    assert curve(tmp_path) == [1, 2, 3]


def test_a_curve_without_a_checkpoint_starts_anew(tmp_path: Path) -> None:
    trained(tmp_path, 2)
    (tmp_path / CHECKPOINT).unlink()
    trained(tmp_path, 1)
    assert curve(tmp_path) == [1]


class HalfBlind(torch.autograd.Function):
    """Repeats its input; the gradient is not a number in bf16, as oneDNN's is on some processors."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * (float("nan") if gradient.dtype == torch.bfloat16 else 1.0)


class BlindLine(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = HalfBlind.apply(super().forward(x))  # type: ignore[no-untyped-call]
        return answer


def blind_trainer(output: Path) -> Trainer:
    plan = TrainingPlan(steps=300, validate_every=10, threads=1, learning_rate=0.1)
    return Trainer(lambda: BlindLine(1, 1), nn.functional.mse_loss, lambda _: {}, plan, output)


def test_a_gradient_that_fails_in_half_precision_is_taken_in_full(tmp_path: Path) -> None:
    x = torch.linspace(-1, 1, 8)[:, None]
    trainer = blind_trainer(tmp_path)
    trainer.run(repeat((x, 2 * x)), quiet=True)
    assert trainer.step == 300
    assert abs(trainer.model.state_dict()["weight"].item() - 2) < 0.2


def test_a_training_that_learns_nothing_ends_with_the_cause(tmp_path: Path) -> None:
    trainer = blind_trainer(tmp_path)
    with pytest.raises(ValueError, match="not a number in the last 50 steps, up to step 50: look for images"):
        trainer.run(repeat((torch.full((8, 1), torch.nan), torch.zeros(8, 1))), quiet=True)
    assert torch.isfinite(torch.load(tmp_path / CHECKPOINT, weights_only=True)["model"]["weight"]).all()
