"""The quality task: is it a proper scan, of which sequence, and how good is it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.ref import ScanRef
from brainsift.scans.signed import negative_share
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Finding, Measurement
from brainsift.tasks.quality.contrast import measured_contrast
from brainsift.tasks.quality.flair import FLAIR, FlairVerdict, filed_as_flair, flair_verdict
from brainsift.tasks.quality.measured import Measured, with_measured
from brainsift.tasks.quality.network import GRADED, Answer, QualityNetwork, open_quality_network
from brainsift.tasks.quality.noise import measured_snr
from brainsift.tasks.quality.slices import Slices, slices_of
from brainsift.tasks.quality.unlike import unlike_training
from brainsift.tasks.quality.words import describe

AXIS_NAMES = ("sagittal", "coronal", "axial")

EVEN_ODDS = 0.5
"""From here on the scan is called proper; decisions have their own thresholds."""


class QualityTask:
    """Whether a scan is proper, and how much motion, noise and loss of contrast it shows.

    Parameters
    ----------
    network : opens the network; the one on the shelf by default.
    """

    name = "quality"

    def __init__(self, network: Callable[[], QualityNetwork] = open_quality_network) -> None:
        self._open = network

    def on(self, shelf: Path | None, threads: int | None) -> QualityTask:
        """The task with the network of the user's `shelf`, where one is there; a network that was given stays."""
        given = self._open is not open_quality_network
        return self if given else QualityTask(partial(open_quality_network, threads, shelf))

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Every scan is asked: what is no proper scan is to be called so."""
        return True

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Answer for one scan; `anatomy` only says where the brain lies and what the metrics measure.

        Raises
        ------
        ModelError
            if the network is missing or damaged.
        """
        network = self._open()
        slices = slices_of(volume, anatomy)
        header = volume.facts.header
        filed = FLAIR if filed_as_flair(ref, header) else None
        metrics, snr = _metrics(volume, anatomy), measured_snr(volume, anatomy)
        measured = Measured(volume.spacing, metrics, anatomy, snr, negative_share(volume.data), header)
        answer, stack = with_measured(network.ask(slices, filed), measured, filed)
        flair: dict[str, Measurement] = {}
        if filed:
            verdict = flair_verdict(answer, stack, anatomy)
            answer, flair = replace(answer, proper=verdict.probability), _of_flair(verdict)
        unlike = unlike_training(answer, volume.spacing.tolist(), anatomy, metrics)
        finding = Finding(
            task=self.name,
            label="proper" if answer.proper > EVEN_ODDS else "improper",
            probabilities=probabilities(answer),
            measurements=measure(answer, slices)
            | {"stack_of_slices": stack, "brain_snr": _rounded(snr, 1)}
            | {"relative_contrast": _rounded(measured_contrast(metrics, anatomy), 3)}
            | flair
            | unlike
            | {f"metric_{name}": v for name, v in metrics.items()},
            flags=tuple(unlike),
            model_id=network.model_id,
            model_sha256=network.model_sha256,
        )
        return finding.model_copy(update={"reason": describe(finding)})


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _of_flair(verdict: FlairVerdict) -> dict[str, Measurement]:
    """What is said beside the probability of a scan that is filed as FLAIR."""
    because = "; ".join(verdict.because) or None
    return {"filed_as": FLAIR, "not_proper_because": because, "skull_stripped": verdict.skull_stripped}


def probabilities(answer: Answer) -> dict[str, float]:
    """Probabilities of the yes-or-no questions and of the sequences."""
    named = {"proper": answer.proper, "gadolinium": answer.gadolinium}
    for name in GRADED:
        named[f"{name}_moderate"], named[f"{name}_severe"] = answer.moderate[name], answer.severe[name]
    named |= {f"sequence_{name}": p for name, p in answer.sequence.items()}
    return {name: round(p, 4) for name, p in named.items()}


def measure(answer: Answer, slices: Slices) -> dict[str, Measurement]:
    """Scores, grades, tier, and where each artefact shows most. The tier is 1 + the worst of the three grades; a scan
    that is not proper has neither grades nor a tier (Bottani 2022): its probabilities are all that is said."""
    proper = answer.proper > EVEN_ODDS
    measured: dict[str, Measurement] = {"tier": answer.tier() if proper else None}
    measured |= {"sequence": answer.likeliest_sequence(), "gadolinium": answer.gadolinium > EVEN_ODDS}
    for name in GRADED:
        graded = _graded(answer, slices, name)
        measured |= graded if proper else dict.fromkeys(graded)
    return measured


def _graded(answer: Answer, slices: Slices, name: str) -> dict[str, Measurement]:
    worst = int(np.argmax(answer.slice_scores[name]))
    return {
        f"{name}_score": round(answer.score(name), 3),
        f"{name}_grade": answer.grade(name),
        f"{name}_worst_plane": AXIS_NAMES[int(slices.axes[worst])],
        f"{name}_worst_slice": int(slices.indices[worst]),
        f"{name}_worst_slice_score": round(float(answer.slice_scores[name][worst]), 3),
    }


def _metrics(volume: Volume, anatomy: Anatomy | None) -> dict[str, Measurement]:
    if anatomy is None or not anatomy.has_brain:
        return {}
    from brainsift.tasks.quality.metrics import compute_metrics

    return dict(compute_metrics(volume, anatomy))
