"""What a network says of whole examples, and what that is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainsift.learn.wmh.bank import Bank
from brainsift.learn.wmh.coarse import lay_label
from brainsift.learn.wmh.example import LEVELS, Example
from brainsift.learn.wmh.geometry import Profile
from brainsift.models.session import load_onnx
from brainsift.tasks.wmh.network import MODEL, probability

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

Ask = Callable[[Example], Float32]
"""Lesion probability of every voxel of an example, float32 (X, Y, Z)."""


def asker(model: nn.Module, device: str = "cpu") -> Ask:
    """Ask a PyTorch network about whole brains; the network is moved to `device`."""
    model = model.to(device)

    def ask(example: Example) -> Float32:
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
            logits = model.eval()(torch.from_numpy(example.whole()[None]).to(device))
        return probability(logits.float().cpu().numpy())

    return ask


def onnx_asker(path: Path, threads: int | None = None) -> Ask:
    """Ask an exported network, as inference does."""
    session = load_onnx(path, MODEL, threads)
    name = session.get_inputs()[0].name
    return lambda example: probability(session.run(None, {name: example.whole()[None]})[0])


def ask_all(ask: Ask, bank: Bank) -> Iterator[tuple[Example, Float32]]:
    """Every example with its probabilities, one after the other: a brain's take 20 MB."""
    for number in range(len(bank)):
        example = bank[number]
        yield example, ask(example)


def on_slices(example: Example, fine: Float32, profile: Profile = "boxcar") -> tuple[Float32, Mask, Mask] | None:
    """A fine map and the label on the slices that the map covers; None where it covers none.

    Returns
    -------
    share, label, seen : float32 and two bool (I, J, K).
    """
    if example.coarse is None:
        return None
    coarsen = lay_label(example.coarse, example.to_fine(), example.shape, profile)
    if coarsen is None:
        return None
    with torch.no_grad():
        share: Float32 = coarsen(torch.from_numpy(np.ascontiguousarray(fine, np.float32))).numpy()
    return share, example.coarse.mask[coarsen.box] > 0, coarsen.seen.numpy()


def compared(example: Example, fine: Float32) -> tuple[Mask, Float32, NDArray[np.float64]] | None:
    """Reference, probabilities and voxel size in mm on the grid where the reference is best known: the fine truth, else
    the slices of the label; None where nothing is known."""
    if example.truth is not None:
        spacing: NDArray[np.float64] = np.sqrt((example.affine[:3, :3] ** 2).sum(axis=0))
        return example.truth > LEVELS // 2, fine, spacing
    laid = on_slices(example, fine)
    if laid is None or example.coarse is None:
        return None
    share, label, seen = laid
    return label & seen, np.where(seen, share, np.float32(0)), example.coarse.spacing
