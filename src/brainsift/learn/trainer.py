"""A training loop that survives a kill: seeded, time-boxed, averaged weights, a curve, a checkpoint."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from brainsift.learn.ahead import made_ahead

CHECKPOINT = "checkpoint.pt"
BEST = "best.pt"
CURVE = "curve.csv"
WARM_UP_STEPS = 100
GRADIENT_NORM = 5.0
MOST_LOST = 50
"""Steps in a row without a finite gradient, in bf16 and in float32, after which a training says so and ends."""
EMA_DECAY = 0.998
"""Averaged weights are validated and exported: with one image a step the raw weights jump from contrast to contrast."""

Batch = tuple[Tensor, Any]
"""Inputs, and what the loss compares the answer with: a tensor, or anything else that has `to(device)`."""
Loss = Callable[[Tensor, Any], Tensor]
Scores = dict[str, float]
MakeNet = Callable[[], nn.Module]
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class TrainingPlan:
    """How long and with what: the learning rate falls to zero over `steps` or `minutes`, whichever is reached first."""

    steps: int = 100_000
    minutes: float | None = None
    seed: int = 1
    threads: int = 2
    device: str = "cpu"
    learning_rate: float = 2e-3
    validate_every: int = 500
    patience: int | None = None
    """Validations in a row without a better score after which training ends; None to go on to the end."""


class Trainer:
    """Trains `model`, keeps the running average of its weights, and writes checkpoint and curve to `output`.

    Parameters
    ----------
    make_model : called twice, for the weights and for their average.
    loss : of (float32 output, target).
    validate : scores of the averaged model, written to the curve; empty where there is nothing to validate with.
    watched : the score whose best model is kept in `best`, and that ends the training when it rises no more.
    """

    def __init__(
        self,
        make_model: MakeNet,
        loss: Loss,
        validate: Callable[[nn.Module], Scores],
        plan: TrainingPlan,
        output: Path,
        watched: str | None = None,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.watched, self.best_score, self.without_gain = watched, float("-inf"), 0
        self.plan, self.output, self.loss, self.validate = plan, output, loss, validate
        self.model = make_model().to(plan.device)
        self.average = make_model().to(plan.device)
        self.average.load_state_dict(self.model.state_dict())
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=plan.learning_rate, weight_decay=1e-4)
        self.step, self.seconds, self.lost = 0, 0.0, 0

    @property
    def checkpoint(self) -> Path:
        """Where the state lies."""
        return self.output / CHECKPOINT

    @property
    def best(self) -> Path:
        """Where the averaged weights of the best validation lie; only with a `watched` score."""
        return self.output / BEST

    @property
    def weights(self) -> Path:
        """The weights that the training has come to: those of its best validation, or the last ones."""
        return weights_in(self.output) if self.watched else self.checkpoint

    @property
    def progress(self) -> float:
        """Share of the plan that is done, from 0 on."""
        by_time = self.seconds / (60 * self.plan.minutes) if self.plan.minutes else 0.0
        return max(self.step / self.plan.steps, by_time)

    def load(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if not self.checkpoint.exists():
            (self.output / CURVE).unlink(missing_ok=True)
            return
        state = torch.load(self.checkpoint, map_location=self.plan.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.best_score, self.without_gain = state.get("best_score", float("-inf")), state.get("without_gain", 0)
        self._forget_later_rows()

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "best_score": self.best_score,
            "without_gain": self.without_gain,
            "plan": asdict(self.plan),
        }
        self.output.mkdir(parents=True, exist_ok=True)
        _save_whole(state, self.checkpoint)

    @property
    def stuck(self) -> bool:
        """Whether the watched score has not risen for as many validations as the plan bears."""
        return self.plan.patience is not None and self.without_gain >= self.plan.patience

    def run(self, batches: Iterable[Batch], quiet: bool = False) -> None:
        """Train until the plan is done; Ctrl-C or a kill loses what came after the last validation.

        Raises
        ------
        ValueError
            if nothing can be learnt any more: `MOST_LOST` steps in a row gave no finite gradient.
        """
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = ("{task.description}", BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        losses: list[float] = []
        then = time.monotonic()
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), disable=quiet) as bar:
            job = bar.add_task("training", total=1.0)
            with made_ahead(batches) as ready:
                for batch in ready:
                    if self.progress >= 1 or self.stuck:
                        break
                    losses.append(self._update(*batch))
                    now = time.monotonic()
                    self.seconds, then = self.seconds + now - then, now
                    bar.update(job, completed=self.progress, description=f"step {self.step}")
                    if self.step % self.plan.validate_every == 0:
                        self._report(losses)
                        losses = []
        if losses:
            self._report(losses)

    def _rate(self) -> float:
        cosine = 0.5 * (1 + np.cos(np.pi * min(1.0, self.progress)))
        return float(self.plan.learning_rate * min(1.0, (self.step + 1) / WARM_UP_STEPS) * cosine)

    def _update(self, inputs: Tensor, target: Any) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        inputs, target = inputs.to(self.plan.device), target.to(self.plan.device)
        # oneDNN's bf16 gradient of a convolution on 2x2x2 voxels is now and then not a number: in none of the steps or
        # in half of them, by instruction set.
        loss, fit_to_use = self._gradient(inputs, target, half=True)
        if not fit_to_use:
            loss, fit_to_use = self._gradient(inputs, target, half=False)
        if fit_to_use:
            self.optimiser.step()
        self.step += 1
        self._count_lost(fit_to_use)
        decay = min(EMA_DECAY, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(now, 1 - decay)
            for kept, given in zip(self.average.buffers(), self.model.buffers(), strict=True):
                if kept.is_floating_point():
                    kept.lerp_(given, 1 - decay)
                else:
                    kept.copy_(given)
        return loss

    def _gradient(self, inputs: Tensor, target: Any, *, half: bool) -> tuple[float, bool]:
        """Loss of a batch, and whether the gradient that now lies in the weights is finite."""
        with torch.autocast(self.plan.device, dtype=torch.bfloat16, enabled=half):
            outputs = self.model(inputs)
        loss = self.loss(outputs.float(), target)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_NORM)
        return float(loss.detach()), bool(torch.isfinite(norm))

    def _count_lost(self, fit_to_use: bool) -> None:
        self.lost = 0 if fit_to_use else self.lost + 1
        if self.lost >= MOST_LOST:
            raise ValueError(
                f"the gradient was not a number in the last {self.lost} steps, up to step {self.step}: look for images "
                f"that are not finite, or lower the learning rate; {self.output} holds what was learnt before"
            )

    def _report(self, losses: list[float]) -> None:
        row = {"step": self.step, "minutes": round(self.seconds / 60, 2), "loss": round(float(np.mean(losses)), 4)}
        scores = self.validate(self.average.eval())
        row |= {name: round(score, 4) for name, score in scores.items()}
        self._keep_best(scores)
        # The row first: a kill between the two then costs steps that are made again, not a point of the curve.
        self._add_row(row)
        self.save()

    def _add_row(self, row: dict[str, Any]) -> None:
        self.output.mkdir(parents=True, exist_ok=True)
        with (self.output / CURVE).open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            # A kill may have left the file made and nothing in it yet.
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)

    def _forget_later_rows(self) -> None:
        """Drop points of the curve beyond the checkpoint, whose steps will be made again, and a row cut off midway."""
        path = self.output / CURVE
        if not path.is_file():
            return
        with path.open(newline="") as file:
            header, *rows = list(csv.reader(file)) or [[]]
        kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= self.step]
        if len(kept) == len(rows):
            return
        part = path.with_suffix(".part")
        with part.open("w", newline="") as file:
            csv.writer(file).writerows([header, *kept])
        part.replace(path)

    def _keep_best(self, scores: Scores) -> None:
        if self.watched is None or self.watched not in scores:
            return
        if scores[self.watched] <= self.best_score:
            self.without_gain += 1
            return
        self.best_score, self.without_gain = scores[self.watched], 0
        self.output.mkdir(parents=True, exist_ok=True)
        _save_whole({"average": self.average.state_dict(), "step": self.step}, self.best)


def weights_in(folder: Path) -> Path:
    """The weights that a training in `folder` has come to: those of its best validation, or the last ones."""
    return folder / BEST if (folder / BEST).is_file() else folder / CHECKPOINT


def averaged_weights(path: Path) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint or of the best validation, on the processor."""
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["average"]
    return weights


def load_net(path: Path, make: Callable[[], Net]) -> Net:
    """The network of a checkpoint, for asking."""
    net = make()
    net.load_state_dict(averaged_weights(path))
    return net.eval()


def _save_whole(state: dict[str, Any], path: Path) -> None:
    """Write whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)
