"""Train the first stage of the anatomy pass, which says where the tissues are, on simulated heads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from brainsift.anatomy.labels import BRAIN, N_TISSUES, Tissue
from brainsift.evaluate.overlap import dice
from brainsift.learn.anatomy.data import HeadStream
from brainsift.learn.losses import dice_cross_entropy
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.segmenter import Segmenter
from brainsift.learn.trainer import Scores, Trainer, TrainingPlan

COARSE_SPACING_MM = 4.0
"""Where the tissues are shows at 4 mm: a step took 0.15 s on two cores against 0.6 s at 2 mm."""

TISSUE_NAMES = tuple(t.name.lower() for t in Tissue if t > Tissue.HEAD)
DICE_GROUPS = {t.name.lower(): (int(t),) for t in Tissue if t} | {"brain": tuple(map(int, BRAIN))}
VALIDATION_SEED = 20_251_120
VALIDATION_IMAGES = 32
READ_AHEAD = 16

Pair = tuple[Tensor, NDArray[np.uint8]]


def train_where(
    label_maps: Sequence[Path],
    validation: Sequence[Path],
    output: Path,
    plan: TrainingPlan,
    *,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train the coarse network, or go on from the checkpoint in `output`; returns the checkpoint's path.

    Parameters
    ----------
    label_maps, validation : FreeSurfer-convention label maps; the two must not share a person.

    Raises
    ------
    ValueError
        if a label map is on both sides, or there is none to train on.
    """
    refuse_leaks(label_maps, validation)
    return fit(
        lambda: Segmenter(N_TISSUES),
        lambda start: HeadStream(label_maps, plan.seed, start, COARSE_SPACING_MM, bank=150, reuse=4),
        validation_set(validation) if validation else [],
        output,
        plan,
        resume=resume,
        quiet=quiet,
    )


def fit(
    make_model: Callable[[], nn.Module],
    stream_from: Callable[[int], IterableDataset[tuple[Tensor, Tensor]]],
    held_out: Iterable[Pair],
    output: Path,
    plan: TrainingPlan,
    *,
    resume: bool,
    quiet: bool,
    read_ahead: int = READ_AHEAD,
) -> Path:
    """Train a network that labels voxels; returns the checkpoint's path.

    Parameters
    ----------
    stream_from : number of steps already made → endless (inputs, classes), different ones for another number.
    held_out : (inputs with batch axis, classes) whose Dice goes into the curve; gone through once a point.
    read_ahead : examples that wait for their turn.
    """
    keep_freed_memory()
    torch.set_num_threads(plan.threads)

    def validate(model: nn.Module) -> Scores:
        return mean_dice([(labels(model, inputs), truth) for inputs, truth in held_out])

    trainer = Trainer(make_model, dice_cross_entropy, validate, plan, output)
    if resume:
        trainer.load()
    stream = stream_from(trainer.step)
    loader = DataLoader(stream, batch_size=1, num_workers=1, prefetch_factor=read_ahead, worker_init_fn=one_thread)
    trainer.run(loader, quiet)
    return trainer.checkpoint


def refuse_leaks(label_maps: Sequence[Path], validation: Sequence[Path]) -> None:
    """Raise `ValueError` where a label map would be trained on and validated with, or there is none."""
    both = sorted({p.resolve() for p in label_maps} & {p.resolve() for p in validation})
    if not label_maps or both:
        raise ValueError(
            f"training needs label maps that are not validation maps too, got {len(label_maps)}, shared: {both}"
        )


def validation_set(paths: Sequence[Path], images: int = VALIDATION_IMAGES) -> list[Pair]:
    """The same `images` simulated heads every time: (image (1, 1, X, Y, Z), classes (X, Y, Z))."""
    stream = iter(HeadStream(paths, VALIDATION_SEED, spacing_mm=COARSE_SPACING_MM, bank=images, reuse=1))
    pairs = [next(stream) for _ in range(images)]
    return [(image[None], tissue.numpy()) for image, tissue in pairs]


def labels(model: nn.Module, inputs: Tensor) -> NDArray[np.uint8]:
    """Most probable class of each voxel, (X, Y, Z)."""
    with torch.no_grad(), torch.autocast(inputs.device.type, dtype=torch.bfloat16):
        logits = model(inputs.to(next(model.parameters()).device))
    best: NDArray[np.uint8] = logits[0].argmax(0).to(torch.uint8).cpu().numpy()
    return best


def mean_dice(pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> Scores:
    """Mean Dice over (predicted, truth) pairs: each class, the brain, and the mean over the tissues."""
    if not pairs:
        return {}
    scores = [dice(predicted, truth, DICE_GROUPS) for predicted, truth in pairs]
    mean = {name: float(np.nanmean([score[name] for score in scores])) for name in DICE_GROUPS}
    return mean | {"mean_tissue": float(np.mean([mean[name] for name in TISSUE_NAMES]))}


def one_thread(_: int) -> None:
    """Set up a worker of a data loader."""
    keep_freed_memory()
    torch.set_num_threads(1)
