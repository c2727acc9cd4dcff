"""What the networks say of whole examples: candidates, and which of them are bleeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainsift.evaluate.detection.marks import Marks, marks_of_points
from brainsift.evaluate.detection.match import Match, match_marks
from brainsift.learn.microbleeds.example import Example
from brainsift.models.session import load_onnx
from brainsift.tasks.microbleeds.network import (
    CANDIDATES,
    DISCRIMINATOR,
    candidate_probability,
    candidates,
    cubes,
    from_all_sides,
    judge_cubes,
)

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

Ask = Callable[[Example], Float32]
"""Bleed probability of every voxel of an example, float32 (X, Y, Z)."""

AskCubes = Callable[[Float32], Float32]
"""Log-odds of a bleed of each cube, (N, channels, X, Y, Z) → (N,)."""

LOWEST = 0.25
"""Probability from which places are looked at when a threshold is still to be chosen."""

MOST = 120
"""Candidates that are kept then: four times as many as a threshold may leave."""

CUBES_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Found:
    """Candidates of one scan, the most probable first.

    Attributes
    ----------
    voxel : (N, 3), of the networks' grid.
    mm : (N, 3).
    score : (N,), the detector's.
    """

    voxel: Float64
    mm: Float64
    score: Float64

    def at_least(self, threshold: float) -> Found:
        """Those whose score reaches a threshold."""
        return self.only(self.score >= threshold)

    def only(self, keep: NDArray[np.bool_]) -> Found:
        """Some of them, (N,)."""
        return Found(self.voxel[keep], self.mm[keep], self.score[keep])

    def marks(self, score: Float64 | None = None) -> Marks:
        """To be measured, with the detector's scores or others."""
        return marks_of_points(self.mm, score=self.score if score is None else score)


def asker(model: nn.Module, device: str = "cpu") -> Ask:
    """Ask a PyTorch detector about whole brains; the network is moved to `device`."""
    model = model.to(device)

    def ask(example: Example) -> Float32:
        seen = torch.from_numpy(example.whole()[None]).to(device)
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
            logits = model.eval()(seen)
        return candidate_probability(logits[0, 0].float().cpu().numpy())

    return ask


def onnx_asker(path: Path, threads: int | None = None) -> Ask:
    """Ask an exported detector, as inference does."""
    session = load_onnx(path, CANDIDATES, threads)
    name = session.get_inputs()[0].name
    return lambda example: candidate_probability(session.run(None, {name: example.whole()[None]})[0][0, 0])


def cube_asker(model: nn.Module, device: str = "cpu") -> AskCubes:
    """Ask a PyTorch discriminator; of several outputs the first counts."""
    model = model.to(device)

    def ask(seen: Float32) -> Float32:
        with torch.no_grad():
            parts = [model.eval()(torch.from_numpy(part).to(device))[:, 0].cpu().numpy() for part in _parts(seen)]
        return np.concatenate([np.zeros(0, np.float32), *parts])

    return ask


def onnx_cube_asker(path: Path, threads: int | None = None) -> AskCubes:
    """Ask an exported discriminator, as inference does."""
    session = load_onnx(path, DISCRIMINATOR, threads)
    name = session.get_inputs()[0].name

    def ask(seen: Float32) -> Float32:
        parts: list[Any] = [session.run(None, {name: part})[0][:, 0] for part in _parts(seen)]
        return np.concatenate([np.zeros(0, np.float32), *parts])

    return ask


def _parts(seen: Float32) -> Sequence[Float32]:
    return [seen[first : first + CUBES_AT_ONCE] for first in range(0, len(seen), CUBES_AT_ONCE)]


def find(ask: Ask, example: Example, threshold: float = LOWEST, most: int | None = MOST) -> Found:
    """Candidates of an example."""
    listed = candidates(ask(example), example.prepared(), threshold, most)
    voxel = np.array([one.voxel for one in listed], float).reshape(-1, 3)
    return Found(voxel, example.to_mm(voxel), np.array([one.score for one in listed], float))


def judge(ask: AskCubes, example: Example, found: Found, share: float = 0.0) -> Float64:
    """(N,) probability of each candidate that it is a bleed.

    Parameters
    ----------
    share : of the detector.
    """
    if not len(found.voxel):
        return np.zeros(0)
    seen, score = cubes(example.prepared(), found.voxel), found.score.astype(np.float32)
    return judge_cubes(ask, seen, score, share).astype(float)


def alone(ask: AskCubes, example: Example, found: Found) -> Float32:
    """(N,) log-odds of each candidate by the discriminator, from all sides, whatever the detector says."""
    if not len(found.voxel):
        return np.zeros(0, np.float32)
    return from_all_sides(ask, cubes(example.prepared(), found.voxel))


def match(example: Example, found: Found, score: Float64 | None = None) -> Match:
    """Candidates of an example against its bleeds."""
    return match_marks(example.marks(), found.marks(score))
