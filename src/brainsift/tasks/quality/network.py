"""What the quality network answers, and how its numbers become probabilities, grades and scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.models.joining import can_answer_for, switch_for
from brainsift.tasks.quality.slices import Slices

Float32 = NDArray[np.float32]

MODEL = "quality"

GRADED = ("motion", "noise", "contrast")
"""What is graded 0 (good), 1 (moderate), 2 (severe); contrast is graded by how much of it is lost."""

SEQUENCES = ("T1w", "T2w", "PDw", "FLAIR", "T2starw", "Chimap", "other")
"""Sequences that are told apart, by BIDS suffix; gradient echo and SWI are one, T1w with gadolinium counts as T1w."""

OUTPUTS = (
    "proper",
    "gadolinium",
    *(f"{name}_at_least_{grade}" for name in GRADED for grade in (1, 2)),
    *(f"sequence_{name}" for name in SEQUENCES),
)
"""Columns of the network's answer: a logit each; those of the sequence go through one softmax."""

N_OUTPUTS = len(OUTPUTS)
_GRADES = slice(2, 2 + 2 * len(GRADED))
_SEQUENCE = slice(_GRADES.stop, N_OUTPUTS)

EVEN_ODDS = 0.5
"""A grade is given from the probability on at which it is more likely than not; decisions have their own thresholds."""


CERTAIN = 1e-6
"""The least probability whose log-odds are told apart."""


@dataclass(frozen=True)
class Answer:
    """What the network says of a scan.

    Attributes
    ----------
    proper, gadolinium : probabilities.
    sequence : suffix → probability, summing to 1.
    moderate, severe : graded artefact → probability of at least grade 1, of grade 2.
    slice_scores : graded artefact → float32 (24,), score 0-2 of each slice alone.
    slice_proper : float32 (24,), probability of proper that each slice alone gives.
    """

    proper: float
    gadolinium: float
    sequence: dict[str, float]
    moderate: dict[str, float]
    severe: dict[str, float]
    slice_scores: dict[str, Float32]
    slice_proper: Float32

    def score(self, name: str) -> float:
        """Expected grade, 0-2, continuous."""
        return self.moderate[name] + self.severe[name]

    def grade(self, name: str) -> int:
        """0, 1 or 2: the highest that is more likely reached than not."""
        return int(self.moderate[name] > EVEN_ODDS) + int(self.severe[name] > EVEN_ODDS)

    def tier(self) -> int:
        """1 good, 2 moderate, 3 bad: 1 + the worst of the three grades (Bottani 2022, MedIA 75:102219)."""
        return 1 + max(self.grade(name) for name in GRADED)

    def with_grade(self, name: str, moderate: float, severe: float) -> Answer:
        """The same answer with other probabilities of one artefact; grade 2 is never likelier than grade 1."""
        return replace(
            self,
            moderate={**self.moderate, name: moderate},
            severe={**self.severe, name: min(moderate, severe)},
        )

    def likeliest_sequence(self) -> str:
        """The suffix with the highest probability."""
        return max(self.sequence, key=lambda name: self.sequence[name])


def decode(logits: Float32) -> Answer:
    """Turn the network's output for one scan, float32 (1 + slices, outputs), into an `Answer`.

    A grade of 2 implies one of 1: the probability of the higher is at most that of the lower. A scan of no sequence
    that is told apart is none that can be proper: it is at most as proper as it is not `other`.
    """
    whole = logits[0].astype(np.float64)
    lower, upper = cumulative(logits[:, _GRADES])
    sequence = np.exp(whole[_SEQUENCE] - whole[_SEQUENCE].max())
    sequence /= sequence.sum()
    named = {name: float(p) for name, p in zip(SEQUENCES, sequence, strict=True)}
    proper, gadolinium = (float(p) for p in sigmoid(whole[:2]))
    return Answer(
        proper=min(proper, 1 - named["other"]),
        gadolinium=gadolinium,
        sequence=named,
        moderate={name: float(lower[0, i]) for i, name in enumerate(GRADED)},
        severe={name: float(upper[0, i]) for i, name in enumerate(GRADED)},
        slice_scores={name: (lower + upper)[1:, i].astype(np.float32) for i, name in enumerate(GRADED)},
        slice_proper=sigmoid(logits[1:, 0]).astype(np.float32),
    )


def cumulative(logits: Float32) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities of at least grade 1 and of grade 2, two of (N, 3), from logits (N, 6)."""
    probability = sigmoid(logits.astype(np.float64)).reshape(len(logits), len(GRADED), 2)
    lower = probability[..., 0]
    return lower, np.minimum(lower, probability[..., 1])


def sigmoid(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logistic function without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), np.float64)


def log_odds(probability: float) -> float:
    """Log-odds of a probability, bound at those of `CERTAIN`."""
    bounded = min(max(probability, CERTAIN), 1 - CERTAIN)
    return float(np.log(bounded / (1 - bounded)))


@dataclass(frozen=True, eq=False)
class QualityNetwork:
    """The packaged network behind ONNX Runtime, with its identity."""

    session: Any
    model_id: str
    model_sha256: str

    def ask(self, slices: Slices, filed_as: str | None = None) -> Answer:
        """Answer for the slices of one scan; 0.2 s on two cores.

        Parameters
        ----------
        filed_as : BIDS suffix of the sequence that the scan is filed as; where the file holds a model for that, it
            answers.

        Raises
        ------
        ValueError
            if the model gives another number of outputs.
        """
        name = self.session.get_inputs()[0].name
        given: dict[str, Any] = {name: slices.pixels[None]}
        if filed_as is not None and can_answer_for(self.session, filed_as):
            given[switch_for(filed_as)] = np.array(True)
        logits = self.session.run(None, given)[0][0]
        if logits.shape[1] != N_OUTPUTS:
            raise ValueError(f"a quality model must give {N_OUTPUTS} outputs, got {logits.shape[1]}: import another")
        return decode(logits)


def open_quality_network(threads: int | None = None, shelf: Path | None = None) -> QualityNetwork:
    """The quality network from the shelf; its session is opened once per process.

    Raises
    ------
    ModelError
        if the model is missing or damaged.
    """
    from brainsift.models.session import open_session
    from brainsift.models.shelf import find

    return QualityNetwork(open_session(MODEL, threads, shelf), MODEL, find(MODEL, shelf).sha256)
