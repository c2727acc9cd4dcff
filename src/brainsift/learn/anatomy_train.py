"""Train the anatomy network on simulated heads: seeded, resumable, with a validation curve."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from brainsift.anatomy.labels import N_TISSUES
from brainsift.evaluate.overlap import dice
from brainsift.learn.anatomy_data import HeadStream
from brainsift.learn.anatomy_evaluate import DICE_GROUPS, TISSUE_NAMES
from brainsift.learn.losses import dice_cross_entropy
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.segmenter import Segmenter

CHECKPOINT = "checkpoint.pt"
CURVE = "curve.csv"
VALIDATION_SEED = 20_251_120
VALIDATION_IMAGES = 16
LEARNING_RATE = 2e-3
WARM_UP_STEPS = 100
EMA_DECAY = 0.998
"""Averaged weights are validated and exported: with one image a step the raw weights jump from contrast to contrast."""


@dataclass(frozen=True)
class TrainingPlan:
    """How long and with what: the learning rate falls to zero over `steps` or `minutes`, whichever is reached first."""

    steps: int = 20_000
    minutes: float | None = None
    seed: int = 1
    threads: int = 2
    device: str = "cpu"
    validate_every: int = 400


def train_anatomy(
    label_maps: Sequence[Path],
    validation: Sequence[Path],
    output: Path,
    plan: TrainingPlan | None = None,
    *,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train, or go on from the checkpoint in `output`; returns the checkpoint's path.

    Parameters
    ----------
    label_maps, validation : FreeSurfer-convention label maps; the two must not share a person.
    output : folder for the checkpoint and the curve.

    Raises
    ------
    ValueError
        if a label map is on both sides, or there is none to train on.
    """
    plan = plan or TrainingPlan()
    both = sorted({p.resolve() for p in label_maps} & {p.resolve() for p in validation})
    if not label_maps or both:
        raise ValueError(
            f"training needs label maps that are not validation maps too, got {len(label_maps)}, shared: {both}"
        )
    keep_freed_memory()
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    output.mkdir(parents=True, exist_ok=True)
    trainer = _Trainer(plan, output)
    if resume and (output / CHECKPOINT).exists():
        trainer.load()
    held_out = validation_set(validation) if validation else []
    stream = HeadStream(label_maps, plan.seed, trainer.step)
    loader = DataLoader(stream, batch_size=1, num_workers=1, prefetch_factor=8, worker_init_fn=_one_thread)
    trainer.run(loader, held_out, quiet)
    return output / CHECKPOINT


def validation_set(paths: Sequence[Path], images: int = VALIDATION_IMAGES) -> list[tuple[Tensor, NDArray[np.uint8]]]:
    """The same `images` simulated heads every time: (image (1, 1, X, Y, Z), classes (X, Y, Z))."""
    stream = iter(HeadStream(paths, VALIDATION_SEED, bank=images, reuse=1))
    pairs = [next(stream) for _ in range(images)]
    return [(image[None], tissue.numpy()) for image, tissue in pairs]


class _Trainer:
    def __init__(self, plan: TrainingPlan, output: Path) -> None:
        self.plan, self.output = plan, output
        self.model = Segmenter(N_TISSUES).to(plan.device)
        self.average = Segmenter(N_TISSUES).to(plan.device)
        self.average.load_state_dict(self.model.state_dict())
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=LEARNING_RATE, weight_decay=1e-4)
        self.step, self.seconds = 0, 0.0

    def load(self) -> None:
        state = torch.load(self.output / CHECKPOINT, map_location=self.plan.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "config": self.model.config,
            "plan": asdict(self.plan),
        }
        part = self.output / (CHECKPOINT + ".part")
        torch.save(state, part)
        part.replace(self.output / CHECKPOINT)

    @property
    def progress(self) -> float:
        by_time = self.seconds / (60 * self.plan.minutes) if self.plan.minutes else 0.0
        return max(self.step / self.plan.steps, by_time)

    def rate(self) -> float:
        cosine = 0.5 * (1 + np.cos(np.pi * min(1.0, self.progress)))
        return float(LEARNING_RATE * min(1.0, (self.step + 1) / WARM_UP_STEPS) * cosine)

    def run(self, loader: DataLoader[tuple[Tensor, Tensor]], held_out: list[Any], quiet: bool) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = ("{task.description}", BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        loss, window = 0.0, time.monotonic()
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), disable=quiet) as bar:
            job = bar.add_task("training", total=1.0)
            for image, target in loader:
                if self.progress >= 1:
                    break
                loss += self.update(image, target)
                self.seconds += time.monotonic() - window
                window = time.monotonic()
                bar.update(job, completed=self.progress, description=f"step {self.step}")
                if self.step % self.plan.validate_every == 0:
                    self.report(loss / self.plan.validate_every, held_out)
                    self.save()
                    loss = 0.0
        if self.step % self.plan.validate_every:
            self.report(loss / (self.step % self.plan.validate_every), held_out)
            self.save()

    def update(self, image: Tensor, target: Tensor) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        image, target = image.to(self.plan.device), target.long().to(self.plan.device)
        with torch.autocast(self.plan.device, dtype=torch.bfloat16):
            logits = self.model(image)
        loss = dice_cross_entropy(logits.float(), target)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        decay = min(EMA_DECAY, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(now, 1 - decay)
        return float(loss.detach())

    def report(self, loss: float, held_out: list[tuple[Tensor, NDArray[np.uint8]]]) -> None:
        scores = [dice(predict(self.average, image, self.plan.device), truth, DICE_GROUPS) for image, truth in held_out]
        row: dict[str, Any] = {"step": self.step, "minutes": round(self.seconds / 60, 2), "loss": round(loss, 4)}
        for name in DICE_GROUPS if scores else ():
            row[name] = round(float(np.nanmean([score[name] for score in scores])), 4)
        row["mean_tissue"] = round(float(np.mean([row.get(name, np.nan) for name in TISSUE_NAMES])), 4)
        path = self.output / CURVE
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if new:
                writer.writeheader()
            writer.writerow(row)
        (self.output / "last.json").write_text(json.dumps(row))


def predict(model: Segmenter, image: Tensor, device: str = "cpu") -> NDArray[np.uint8]:
    """Most probable class of each voxel, (X, Y, Z)."""
    model.eval()
    with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
        logits = model(image.to(device))
    labels: NDArray[np.uint8] = logits[0].argmax(0).to(torch.uint8).cpu().numpy()
    return labels


def _one_thread(_: int) -> None:
    keep_freed_memory()
    torch.set_num_threads(1)
