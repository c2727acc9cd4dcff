"""Motion as TorchIO simulates it: a few whole-volume positions, each with its own part of k-space."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.spatial.transform import Rotation

from brainsift.simulate.artefacts.motion import Moved, line_weights

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Three = tuple[float, float, float]

INSTALLED = find_spec("torchio") is not None

DEGREES_PER_GRADE = MM_PER_GRADE = 4.0
"""Largest rotation and shift at an asked severity of 1; the ranges in use grew from 2-4 to 8-10 (Loizillon 2023)."""

SAMPLED_POINTS = 1500


@dataclass(frozen=True)
class TorchioMotion:
    """Arguments of `torchio.transforms.Motion`, and the axis whose lines are taken one after the other.

    Attributes
    ----------
    degrees, translation_mm : one triple for each position after the first.
    times : when each is taken, shares of the scan, rising.
    axis : TorchIO always takes the last; the volume is turned so that this one is last.
    """

    degrees: tuple[Three, ...]
    translation_mm: tuple[Three, ...]
    times: tuple[float, ...]
    axis: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_torchio_motion(rng: np.random.Generator, severity: float) -> TorchioMotion:
    """Draw as `torchio.RandomMotion` does: two to four moves, times evenly spread and shaken by 30 % of their step."""
    moves = int(rng.integers(2, 5))
    step = 1 / (moves + 1)
    times = step * (np.arange(moves) + 1 + rng.uniform(-0.3, 0.3, moves))
    return TorchioMotion(
        degrees=_triples(rng.uniform(-1, 1, (moves, 3)) * DEGREES_PER_GRADE * severity),
        translation_mm=_triples(rng.uniform(-1, 1, (moves, 3)) * MM_PER_GRADE * severity),
        times=tuple(times.tolist()),
        axis=int(rng.integers(3)),
    )


def _triples(rows: Float64) -> tuple[Three, ...]:
    return tuple((float(a), float(b), float(c)) for a, b, c in rows)


def apply_torchio_motion(image: Float32, motion: TorchioMotion, spacing_mm: Three, brain: NDArray[np.bool_]) -> Moved:
    """Move as TorchIO does (Shaw et al. 2019, MIDL, PMLR 102:427), and measure as `simulate.artefacts.motion` does.

    TorchIO keeps the centre of k-space unmoved, whatever the times say. About 3 s for 192x224x192 on one core.
    """
    import torch
    import torchio

    order = [a for a in range(3) if a != motion.axis] + [motion.axis]
    turned, spacing = np.ascontiguousarray(image.transpose(order)), np.asarray(spacing_mm)[order]
    # TorchIO turns about the origin of the affine, so the origin is put into the middle of the volume.
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.asarray(turned.shape) - 1) / 2 * spacing
    transform = torchio.transforms.Motion(
        np.asarray(motion.degrees), np.asarray(motion.translation_mm), np.asarray(motion.times), "linear"
    )
    scan = torchio.ScalarImage(tensor=torch.from_numpy(turned)[None], affine=affine)  # type: ignore[no-untyped-call]
    moved = transform(scan).data[0].numpy()
    # The real part of a spectrum that is no longer symmetrical can fall below 0; a magnitude image cannot.
    result = np.ascontiguousarray(np.abs(moved).transpose(np.argsort(order)))
    points = _points(brain.transpose(order), spacing)
    displacement = _displacement(turned, motion, points)
    was = image[brain].astype(np.float64)
    change = float(np.sqrt(np.mean((result[brain] - was) ** 2)) / max(np.sqrt(np.mean(was**2)), 1e-6))
    return Moved(result.astype(np.float32), displacement, change)


def _points(brain: NDArray[np.bool_], spacing: Float64) -> Float64:
    inside = np.argwhere(brain)
    return np.asarray((inside[:: max(1, len(inside) // SAMPLED_POINTS)] - (np.array(brain.shape) - 1) / 2) * spacing)


def _displacement(turned: Float32, motion: TorchioMotion, points: Float64) -> float:
    """Mean displacement over the brain, lines weighted as `line_weights` says, mm."""
    n = turned.shape[2]
    weight = np.fft.fftshift(line_weights(fft.rfft(turned, axis=2), 2, n))
    late = [i for i, time in enumerate(motion.times) if time > 0.5]
    centre = late[0] if late else len(motion.times)
    positions = [0, *range(1, len(motion.times) + 1)]
    positions[0], positions[centre] = positions[centre], positions[0]
    ends = [int(n * time) for time in motion.times] + [n]
    total, start = 0.0, 0
    for position, end in zip(positions, ends, strict=True):
        if position:
            rotation = Rotation.from_euler("zxy", np.asarray(motion.degrees[position - 1])[[2, 0, 1]], degrees=True)
            moved = rotation.apply(points) - points + motion.translation_mm[position - 1]
            total += float(weight[start:end].sum() * np.linalg.norm(moved, axis=1).mean())
        start = max(start, end)
    return total
