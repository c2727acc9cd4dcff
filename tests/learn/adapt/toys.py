"""Two domains of small pictures: in both severe motion is stripes; the target is darker, noisier, and mostly bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brainsift.learn.adapt.train import Shape
from brainsift.learn.quality.bank import Bank, Example, load_bank, to_levels, write_chunk
from brainsift.learn.quality.truth import truth_row
from brainsift.learn.trainer import TrainingPlan

SHAPE = Shape(widths=(4, 8, 8), per_part=4, per_axis=1)
"""A step takes some 20 ms."""

SIZE = (6, 32, 32)


def plan(steps: int, every: int = 2) -> TrainingPlan:
    """A plan of so many steps."""
    return TrainingPlan(steps=steps, validate_every=every, threads=1, learning_rate=5e-3)


def domain(folder: Path, people: str, kind: str, per_person: int = 4, bad: float = 0.5) -> Bank:
    """Examples of a domain; one in four is no proper scan (no stripes and no brain), of the others a share is bad."""
    rng = np.random.default_rng(len(people) + len(kind))
    level, noise = (0.5, 0.02) if kind == "T1w" else (0.3, 0.05)
    for person in people:
        examples = []
        for i in range(per_person):
            pixels = level + noise * rng.standard_normal(SIZE)
            proper, severe = i % 4 != 3, bool(rng.random() < bad)
            if not proper:
                pixels[:, 8:24, 8:24] = 0.05
            elif severe:
                pixels[:, ::4] += 0.3
            known = {"proper": proper, "sequence": kind}
            if proper:
                known |= {"motion": 2.0 * severe, "noise": 0.0, "contrast": 0.0}
            facts = {"source": "label map", "fault": "motion" if severe else "none", "scan": f"{person}{i}"}
            examples.append(Example(to_levels(np.clip(pixels, 0, 1)), truth_row(known), f"{kind}{person}", facts))
        write_chunk(examples, folder, person)
    return load_bank(folder)
