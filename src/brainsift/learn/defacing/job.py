"""The whole job behind `brainsift train defacing`: build the banks, train, export, measure, write the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from brainsift.learn.building import build_folders
from brainsift.learn.defacing.bank import Bank, chunk_names, load_bank
from brainsift.learn.defacing.batches import whole
from brainsift.learn.defacing.build import ChunkJob, make_chunk, plan_chunks
from brainsift.learn.defacing.card import write_card
from brainsift.learn.defacing.net import AnswerAlone
from brainsift.learn.defacing.train import finish, train_defacing
from brainsift.learn.export import export_onnx
from brainsift.learn.label_maps import split_label_maps
from brainsift.learn.sides import (
    FRESH_BANK,
    FRESH_SEED,
    TRAINING_BANK,
    VALIDATION_BANK,
    VALIDATION_SEED,
    held_out_chunks,
    load_sides,
)
from brainsift.learn.trainer import TrainingPlan
from brainsift.tasks.defacing.network import MODEL

MODEL_FILE, CARD_FILE = f"{MODEL}.onnx", f"{MODEL}.md"

VALIDATION_SHARE = 0.15
"""Of the chunks, to choose weights and temperature with, and as many again to measure with; their seeds differ from
each other's and from training's."""

UNTELLABLE = ("reface",)
"""Another person's face is a removed face by the rule, and looks like an untouched one: without the original nobody can
tell, and a network that tried would let faces pass. Such scans are measured and never learnt from."""


@dataclass(frozen=True)
class Sources:
    """Where examples come from, the people of each side apart.

    Attributes
    ----------
    training, validation : label maps.
    masks : folder with masks of real tools, or None.
    exclude : tools held out of training; they stay in the fresh bank.
    """

    training: tuple[Path, ...]
    validation: tuple[Path, ...]
    masks: Path | None = None
    exclude: tuple[str, ...] = ()

    def jobs(self, chunks: int, seed: int) -> dict[str, list[ChunkJob]]:
        """Chunks of each bank; the small ones first, so that a training may begin at any time."""
        held_out = held_out_chunks(chunks, VALIDATION_SHARE)
        plan = partial(plan_chunks, masks=self.masks)
        left_out = tuple(dict.fromkeys((*self.exclude, *UNTELLABLE)))
        made: dict[str, list[ChunkJob]] = {}
        if self.validation:
            made[VALIDATION_BANK] = plan(self.validation, held_out, VALIDATION_SEED + seed, exclude=left_out)
            made[FRESH_BANK] = plan(self.validation, held_out, FRESH_SEED + seed)
        made[TRAINING_BANK] = plan(self.training, chunks, seed, exclude=left_out)
        return made


def find_sources(
    label_maps: Path, validation: Sequence[str], masks: Path | None = None, exclude: tuple[str, ...] = ()
) -> Sources:
    """Sort the label maps of a folder; `validation` names those kept for validation, such as ``head_17``.

    Raises
    ------
    ValueError
        if there is no label map, a name fits none, or all are for validation, or a tool is unknown.
    """
    from brainsift.simulate.deface.tools import choose_tools

    choose_tools(None, exclude)
    split = split_label_maps(label_maps, validation)
    if not split.training:
        raise ValueError("all label maps are for validation: leave some to learn from")
    return Sources(split.training, split.validation, masks, exclude)


def train_and_export(
    sources: Sources,
    output: Path,
    plan: TrainingPlan,
    *,
    chunks: int,
    workers: int = 1,
    start_from: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Build the banks in `output`, train, write ONNX file and, with validation people, the card.

    Parameters
    ----------
    start_from : checkpoint or exported network whose weights are the first ones.

    Returns
    -------
    path of the ONNX file, ready for `brainsift models import`.
    """
    build(sources, output, plan.seed, chunks, workers, quiet=quiet)
    banks = load_sides(output, load_bank)
    weights = train_defacing(
        banks.training, banks.validation, output, plan, start_from=start_from, resume=resume, quiet=quiet
    )
    return export_and_measure(weights, output, banks.training, banks.validation, banks.fresh, quiet=quiet)


def build(sources: Sources, output: Path, seed: int, chunks: int, workers: int = 1, *, quiet: bool = False) -> None:
    """Build what is missing of the banks."""
    build_folders(sources.jobs(chunks, 1000 * seed), output, chunk_names, make_chunk, workers, quiet=quiet)


def export_and_measure(
    weights: Path, output: Path, bank: Bank, validation: Bank | None, fresh: Bank | None, *, quiet: bool = False
) -> Path:
    """Fit readers and temperature, write the ONNX file, and the card with what it reaches on `fresh`."""
    model = finish(weights, bank, validation, quiet=quiet)
    path = output / MODEL_FILE
    torch.manual_seed(0)
    export_onnx(AnswerAlone(model), path, whole(bank, 0, 1), labels_voxels=False)
    if fresh is not None:
        write_card(output / CARD_FILE, path, output, bank, fresh, float(model.temperature))
    return path
