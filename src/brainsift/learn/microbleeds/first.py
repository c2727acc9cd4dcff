"""The detector that cubes are cut with: one that was trained here, or one that is kept as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from brainsift.learn.export import export_onnx
from brainsift.learn.microbleeds.bank import Bank
from brainsift.learn.microbleeds.crops import Shape, draw_crop
from brainsift.learn.microbleeds.predict import Ask, onnx_asker
from brainsift.models.session import load_onnx
from brainsift.tasks.microbleeds.network import CANDIDATES, THRESHOLD

EXPORT_SHAPE: Shape = (64, 64, 32)
"""Of the crop that the exported detector is compared on with the trained one."""


@dataclass(frozen=True, eq=False)
class First:
    """A detector and how it is asked.

    Attributes
    ----------
    weights : its file; cubes that another one has cut are others.
    ask : bleed probability of every voxel of an example.
    net : the trained network; None of one that is kept as it is.
    threshold : from which a place is a candidate, of one that is kept; None where it is to be chosen.
    """

    weights: Path
    ask: Ask
    net: nn.Module | None = None
    threshold: float | None = None


def trained_first(weights: Path, net: nn.Module, bank: Bank, threads: int | None = None) -> First:
    """A detector that was trained here; exported, because ONNX Runtime answers in a third of PyTorch's time."""
    path = weights.parent / "detector.onnx"
    export_onnx(net, path, export_example(bank))
    return First(weights, onnx_asker(path, threads), net)


def kept_first(path: Path, threads: int | None = None) -> First:
    """An exported detector with the threshold that its file holds.

    Raises
    ------
    ValueError
        if it holds none.
    """
    told = load_onnx(path, CANDIDATES, 1).get_modelmeta().custom_metadata_map.get(THRESHOLD)
    if told is None:
        raise ValueError(f"{path} holds no threshold of candidates: give a detector that `train microbleeds` exported")
    return First(path, onnx_asker(path, threads), threshold=float(told))


def export_example(bank: Bank) -> torch.Tensor:
    """A crop about a bleed, float32 (1, channels, X, Y, Z)."""
    rows = [i for i, row in enumerate(bank.rows) if row["lesions"]] or [0]
    crop = draw_crop(np.random.default_rng(0), bank[rows[0]], "bleed", EXPORT_SHAPE)
    return torch.from_numpy(crop.input[None])
