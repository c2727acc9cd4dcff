"""Train the second stage of the anatomy pass, which draws the edges, on what the first one makes of simulated heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from brainsift.anatomy.labels import N_TISSUES
from brainsift.anatomy.network import WHERE_MODEL
from brainsift.anatomy.refine import refine_posterior
from brainsift.anatomy.stages import edge_inputs, intracranial_box, locate
from brainsift.learn.anatomy_data import HeadStream
from brainsift.learn.anatomy_train import VALIDATION_SEED, Pair, fit, refuse_leaks
from brainsift.learn.edge_net import EdgeNet
from brainsift.learn.trainer import TrainingPlan
from brainsift.models.session import load_onnx

Float32 = NDArray[np.float32]

CROP = 64
"""Working-grid voxels of a training crop: 128 mm, several times what the network sees."""

CROPS_PER_HEAD = 6
"""Making one head costs 0.4 s of one core, training on one crop 0.2 s of two: six keep both cores busy."""

VALIDATION_IMAGES = 12


def train_edges(
    label_maps: Sequence[Path],
    validation: Sequence[Path],
    where: Path,
    output: Path,
    plan: TrainingPlan,
    *,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train the second network behind the first, `where` (ONNX); returns the checkpoint's path.

    Raises
    ------
    ValueError
        if a label map is on both sides, or there is none to train on.
    """
    refuse_leaks(label_maps, validation)
    return fit(
        lambda: EdgeNet(N_TISSUES),
        lambda start: EdgeStream(label_maps, where, plan.seed, start),
        edge_validation_set(validation, where) if validation else [],
        output,
        plan,
        resume=resume,
        quiet=quiet,
    )


def edge_validation_set(paths: Sequence[Path], where: Path, images: int = VALIDATION_IMAGES) -> list[Pair]:
    """The same heads every time: (inputs (1, 21, X, Y, Z) of the box around the brain, classes (X, Y, Z))."""
    heads = iter(HeadStream(paths, VALIDATION_SEED, bank=images, reuse=1))
    session = load_onnx(where, WHERE_MODEL, 1)
    pairs: list[Pair] = []
    while len(pairs) < images:
        image, tissue = next(heads)
        inputs = first_stage(session, image[0].numpy())
        box = intracranial_box(inputs[1 : 1 + N_TISSUES])
        if box is not None:
            pairs.append((torch.from_numpy(inputs[:, *box].copy())[None], tissue.numpy()[box]))
    return pairs


def first_stage(session: object, image: Float32) -> Float32:
    """All that comes before the second network, as in inference: (X, Y, Z) → (21, X, Y, Z)."""
    where = locate(session, image)
    return edge_inputs(image, where, refine_posterior(where, image).posterior)


class EdgeStream(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless (inputs (21, 64, 64, 64), classes (64, 64, 64)) crops around intracranial voxels."""

    def __init__(self, paths: Sequence[Path], where: Path, seed: int, start: int = 0) -> None:
        super().__init__()
        self.paths, self.where, self.seed, self.start = list(paths), where, seed, start

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, 2, worker.id if worker else 0, self.start])
        session = load_onnx(self.where, WHERE_MODEL, 1)
        for image, tissue in HeadStream(self.paths, self.seed + 1, self.start):
            inputs = first_stage(session, image[0].numpy())
            inside = np.argwhere(inputs[1 : 1 + N_TISSUES][[0, 1]].sum(0) < 0.9)
            if not len(inside):
                continue
            for centre in inside[rng.integers(len(inside), size=CROPS_PER_HEAD)]:
                box = _crop_at(centre, image.shape[1:])
                yield torch.from_numpy(inputs[:, *box].copy()), tissue[box]


def _crop_at(centre: NDArray[np.int64], shape: Sequence[int]) -> tuple[slice, ...]:
    starts = [int(np.clip(c - CROP // 2, 0, n - CROP)) // 2 * 2 for c, n in zip(centre, shape, strict=True)]
    return tuple(slice(s, s + CROP) for s in starts)
