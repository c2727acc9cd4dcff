"""How a head moves during a scan: drift, jerks and swallows, and in which order the scan takes its lines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Six = tuple[float, float, float, float, float, float]
"""Shift along x, y, z in mm, then rotation about x, y, z in degrees."""

ORDERS = ("linear", "centric", "interleaved")
"""From one end of k-space to the other; from its centre outwards; in shots, each through all of it."""

HABITS: Six = (0.3, 0.5, 0.8, 1.0, 0.5, 0.6)
"""Relative sizes of movements: heads nod (about x, along z) more than they turn or tilt; mm and degrees are alike."""

NECK_MM = (0.0, -15.0, -75.0)
"""Where a lying head pivots, about the volume's centre: on its back, at the top of the neck."""

JERK_MM_PER_GRADE = 2.2
DRIFT_MM_PER_GRADE = 0.9
SWALLOW_MM_PER_GRADE = 1.2
"""Median size in mm (and degrees) of each at an asked severity of 1; measured displacements: docs/simulate.md."""


@dataclass(frozen=True)
class Jerk:
    """A sudden change to another position, kept until the end of the scan or until it is undone.

    `at` and `until` are shares of the scan's time, `by` the change.
    """

    at: float
    until: float
    by: Six


@dataclass(frozen=True)
class Swallow:
    """A short movement there and back: middle and width as shares of the scan's time, largest change."""

    at: float
    lasts: float
    by: Six


@dataclass(frozen=True)
class Motion:
    """One drawn movement and the scan that it meets.

    Attributes
    ----------
    axis : phase-encoding axis whose lines are taken one after the other (0 x, 1 y, 2 z).
    order : one of `ORDERS`.
    shots : number of passes through k-space of an interleaved scan; 1 for other orders.
    acceleration : lines taken together: between two measured lines, the others are filled in from them.
    pivot_mm : (3,), centre of rotation about the volume's centre.
    drift : change from the beginning to the end of the scan.
    wander : phase in radians of the slow wave that bends the drift.
    """

    axis: int
    order: str
    shots: int
    acceleration: int
    pivot_mm: tuple[float, float, float]
    drift: Six
    wander: float
    jerks: tuple[Jerk, ...]
    swallows: tuple[Swallow, ...]

    def __post_init__(self) -> None:
        if self.axis not in (0, 1, 2) or self.order not in ORDERS or self.shots < 1 or self.acceleration < 1:
            raise ValueError(
                f"a motion needs axis 0-2, order {'/'.join(ORDERS)}, shots and acceleration from 1 on, got {self}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


STILL = Motion(1, "linear", 1, 1, (0.0, 0.0, 0.0), (0.0,) * 6, 0.0, (), ())


def draw_motion(rng: np.random.Generator, severity: float) -> Motion:
    """Draw a movement.

    Parameters
    ----------
    severity : 0 (at rest) to 2 (restless), roughly; what comes of it depends on when the movements fall and is measured
        by `apply_motion`.

    Raises
    ------
    ValueError
        if `severity` is negative.
    """
    if severity < 0:
        raise ValueError(f"severity must be 0 or more, got {severity}")
    order = str(rng.choice(ORDERS, p=[0.5, 0.2, 0.3]))
    jerks = []
    for _ in range(int(rng.integers(1, 4)) if severity > 0 else 0):
        at = float(rng.uniform(0.03, 0.97))
        until = 1.0 if rng.random() < 0.6 else float(min(1.0, at + rng.uniform(0.02, 0.4)))
        jerks.append(Jerk(at, until, _change(rng, JERK_MM_PER_GRADE * severity)))
    swallows = tuple(
        Swallow(float(rng.uniform()), float(rng.uniform(0.004, 0.02)), _nod(rng, SWALLOW_MM_PER_GRADE * severity))
        for _ in range(int(rng.poisson(2)) if severity > 0 else 0)
    )
    return Motion(
        axis=int(rng.integers(3)),
        order=order,
        shots=int(rng.integers(2, 9)) if order == "interleaved" else 1,
        acceleration=int(rng.choice([1, 2, 3], p=[0.5, 0.4, 0.1])),
        pivot_mm=_near(rng, NECK_MM, 15.0),
        drift=_change(rng, DRIFT_MM_PER_GRADE * severity),
        wander=float(rng.uniform(0, 2 * np.pi)),
        jerks=tuple(jerks),
        swallows=swallows,
    )


def positions(motion: Motion, n: int) -> Float64:
    """Position of the head at `n` times evenly spread over the scan, (n, 6), mm and degrees."""
    time = (np.arange(n) + 0.5) / n
    bend = 0.5 * (np.sin(2 * np.pi * time + motion.wander) - np.sin(motion.wander))
    path: Float64 = np.outer(time + bend, motion.drift)
    for jerk in motion.jerks:
        path += np.outer((time >= jerk.at) & (time < jerk.until), jerk.by)
    for swallow in motion.swallows:
        path += np.outer(np.exp(-0.5 * ((time - swallow.at) / (swallow.lasts / 2)) ** 2), swallow.by)
    return path


def line_times(motion: Motion, n: int) -> NDArray[np.int64]:
    """When each of the `n` lines is taken, (n,): rank in time of the line with frequency -n//2, ..., (n-1)//2."""
    lines = np.arange(n)
    if motion.order == "centric":
        taken = np.argsort(np.abs(lines - n // 2), kind="stable")
    elif motion.order == "interleaved":
        taken = np.concatenate([lines[first :: motion.shots] for first in range(motion.shots)])
    else:
        taken = lines
    when = np.empty(n, np.int64)
    when[taken] = lines
    measured = n // 2 + motion.acceleration * np.floor((lines - n // 2) / motion.acceleration + 0.5).astype(int)
    times: NDArray[np.int64] = when[np.clip(measured, 0, n - 1)]
    return times


def _change(rng: np.random.Generator, size: float) -> Six:
    a, b, c, d, e, f = (rng.standard_normal(6) * HABITS * size * np.exp(rng.normal(0, 0.4))).tolist()
    return a, b, c, d, e, f


def _nod(rng: np.random.Generator, size: float) -> Six:
    """Up and back, as in swallowing."""
    size *= float(np.exp(rng.normal(0, 0.4)))
    return 0.0, 0.3 * size * rng.normal(), size * rng.uniform(0.3, 1), size * rng.uniform(-1, 1), 0.0, 0.0


def _near(rng: np.random.Generator, at: tuple[float, float, float], spread: float) -> tuple[float, float, float]:
    x, y, z = (np.asarray(at) + rng.uniform(-spread, spread, 3)).tolist()
    return x, y, z
