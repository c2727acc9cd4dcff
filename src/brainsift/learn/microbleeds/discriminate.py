"""Train teacher and student on cubes, the student with the teacher's answers or without."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from brainsift.evaluate.ranking import auc
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.microbleeds.cube_batches import cube_batches
from brainsift.learn.microbleeds.cubes import CubeBank
from brainsift.learn.microbleeds.losses import CubeTarget, Distillation, student_loss, teacher_loss
from brainsift.learn.microbleeds.net import StudentNet, TeacherNet
from brainsift.learn.microbleeds.predict import cube_asker
from brainsift.learn.people import refuse_shared_people
from brainsift.learn.trainer import MakeNet, Scores, Trainer, TrainingPlan

WATCHED = "auc"
"""Of candidates: bleeds against the rest. It rises smoothly; rates at a threshold jump with few examples."""

BATCH = 32
"""Cubes, half of them bleeds."""


def train_teacher(
    bank: CubeBank,
    validation: CubeBank | None,
    output: Path,
    plan: TrainingPlan,
    *,
    size: int = BATCH,
    resume: bool = True,
    quiet: bool = False,
    make: MakeNet = TeacherNet,
) -> Path:
    """Train the teacher on class and voxels; returns the path of its weights."""
    return _train(make, teacher_loss, bank, validation, output, plan, None, size, resume, quiet)


def train_student(
    bank: CubeBank,
    validation: CubeBank | None,
    output: Path,
    plan: TrainingPlan,
    teacher: nn.Module | None = None,
    how: Distillation | None = None,
    *,
    size: int = BATCH,
    resume: bool = True,
    quiet: bool = False,
    make: MakeNet = StudentNet,
) -> Path:
    """Train the student, alone or from a trained teacher (offline distillation); returns the path of its weights.

    The teacher is asked about the very cubes that the student sees, mirrored and turned alike, and learns no more.
    """
    chosen = (how or Distillation()) if teacher is not None else None
    return _train(make, partial(student_loss, how=chosen), bank, validation, output, plan, teacher, size, resume, quiet)


def _train(
    make: MakeNet,
    loss: object,
    bank: CubeBank,
    validation: CubeBank | None,
    output: Path,
    plan: TrainingPlan,
    teacher: nn.Module | None,
    size: int,
    resume: bool,
    quiet: bool,
) -> Path:
    refuse_shared_people(bank, validation)
    keep_freed_memory()
    torch.set_num_threads(plan.threads)
    shown = None if validation is None else measurable(validation)

    def validate(model: nn.Module) -> Scores:
        return {} if shown is None else cube_scores(model, shown, plan.device)

    watched = None if shown is None else WATCHED
    trainer = Trainer(make, loss, validate, plan, output, watched)  # type: ignore[arg-type]
    if resume:
        trainer.load()
    trainer.run(_batches(bank, plan, trainer.step, teacher, size), quiet)
    return trainer.weights


def _batches(
    bank: CubeBank, plan: TrainingPlan, start: int, teacher: nn.Module | None, size: int
) -> Iterator[tuple[Tensor, CubeTarget]]:
    if teacher is not None:
        teacher = teacher.eval().to(plan.device)
    for seen, label, voxels in cube_batches(bank, size, plan.seed, start):
        inputs, soft = torch.from_numpy(seen), None
        if teacher is not None:
            with torch.no_grad(), torch.autocast(plan.device, dtype=torch.bfloat16):
                soft = teacher(inputs.to(plan.device))[:, :1].float()
        yield inputs, CubeTarget(torch.from_numpy(label), torch.from_numpy(voxels), soft)


def measurable(bank: CubeBank) -> CubeBank | None:
    """The detector's own candidates; None where all of them are bleeds or none is."""
    rows = [i for i, source in enumerate(bank.source) if source == "candidate"]
    chosen = bank.only(rows)
    return chosen if chosen.label.any() and not chosen.label.all() else None


def cube_scores(model: nn.Module, bank: CubeBank, device: str = "cpu") -> Scores:
    """AUC of bleeds against the rest, and the share of bleeds above 95 % of the rest."""
    seen = bank.input()
    score = cube_asker(model, device)(seen).astype(float)
    limit = float(np.quantile(score[~bank.label], 0.95))
    return {WATCHED: float(auc(bank.label, score)), "tpr_at_5_percent": float((score[bank.label] > limit).mean())}
