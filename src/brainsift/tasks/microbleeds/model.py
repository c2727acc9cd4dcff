"""The two bleed networks behind ONNX Runtime, with their identity and what their files say of how to read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from brainsift.models.errors import ModelError
from brainsift.tasks.microbleeds.modality import Modality
from brainsift.tasks.microbleeds.network import (
    CANDIDATES,
    DISCRIMINATOR,
    POSSIBLE,
    SHARE,
    THRESHOLD,
    Candidate,
    Prepared,
    candidate_probability,
    candidates,
    cubes,
    judge_cubes,
    threshold_name,
)

Float32 = NDArray[np.float32]

DEFAULT_CANDIDATE, DEFAULT_BLEED = 0.35, 0.5
"""For models whose files name none: recall comes first in the first step."""

POSSIBLE_SHARE = 0.5
"""Of the second threshold: what reaches this much of it is called possible where the file names no such threshold."""

CUBES_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class BleedNetworks:
    """Both networks with their identity.

    Attributes
    ----------
    detector : session, (1, 2, X, Y, Z) → logits (1, 1, X, Y, Z).
    discriminator : session, (N, 3, 24, 24, 24) → logits (N, 1).
    detector_sha256, model_sha256 : of the two files; the second decides and stands in the finding.
    candidate_threshold : probability of a voxel from which on a place is looked at.
    threshold : probability of a place from which on it is a bleed, in a modality that has none of its own.
    thresholds : of modalities that have one of their own.
    detector_share : of the detector in that probability; see `odds.joint_probability`.
    possible_threshold : probability of a place from which on it is a possible bleed, for a person to see.
    """

    detector: Any
    discriminator: Any
    detector_sha256: str
    model_sha256: str
    candidate_threshold: float = DEFAULT_CANDIDATE
    threshold: float = DEFAULT_BLEED
    detector_share: float = 0.0
    possible_threshold: float = POSSIBLE_SHARE * DEFAULT_BLEED
    model_id: str = DISCRIMINATOR
    thresholds: Mapping[Modality, float] = field(default_factory=dict)

    def bleed_from(self, modality: Modality) -> float:
        """Probability of a place from which on it is a bleed."""
        return self.thresholds.get(modality, self.threshold)

    def possible_from(self, modality: Modality) -> float:
        """Probability of a place from which on it is at least a possible bleed."""
        return min(self.possible_threshold, self.bleed_from(modality))

    def find(self, prepared: Prepared) -> list[Candidate]:
        """Step one: places that may be bleeds.

        Raises
        ------
        ModelError
            if the model gives something else than a map.
        """
        name = self.detector.get_inputs()[0].name
        logits = self.detector.run(None, {name: prepared.input[None]})[0]
        if logits.shape != (1, 1, *prepared.input.shape[1:]):
            raise _bad(CANDIDATES, f"answers of the shape {logits.shape} for {prepared.input.shape[1:]} voxels")
        return candidates(candidate_probability(logits[0, 0]), prepared, self.candidate_threshold)

    def judge(self, prepared: Prepared, places: Sequence[Candidate]) -> Float32:
        """Step two: probability that each place is a bleed, float32 (N,).

        Raises
        ------
        ModelError
            if the model gives something else than one number for each place.
        """
        seen = cubes(prepared, np.array([place.voxel for place in places], np.float64).reshape(-1, 3))
        score = np.array([place.score for place in places], np.float32)
        return judge_cubes(self._log_odds, seen, score, self.detector_share)

    def _log_odds(self, seen: Float32) -> Float32:
        """Of cubes, (N, channels, X, Y, Z) → (N,)."""
        name = self.discriminator.get_inputs()[0].name
        found = np.empty(len(seen), np.float32)
        for first in range(0, len(seen), CUBES_AT_ONCE):
            part = seen[first : first + CUBES_AT_ONCE]
            logits = self.discriminator.run(None, {name: part})[0]
            if logits.shape != (len(part), 1):
                raise _bad(DISCRIMINATOR, f"answers of the shape {logits.shape} for {len(part)} places")
            found[first : first + len(part)] = logits[:, 0]
        return found


def networks_of(detector: Any, discriminator: Any, detector_sha256: str, model_sha256: str) -> BleedNetworks:
    """Two sessions with the thresholds that their files hold, or the defaults.

    Raises
    ------
    ModelError
        if a file holds a threshold, or a share, that is none.
    """
    bleed = _threshold(discriminator, DISCRIMINATOR, DEFAULT_BLEED)
    possible = _threshold(discriminator, DISCRIMINATOR, POSSIBLE_SHARE * bleed, POSSIBLE)
    return BleedNetworks(
        detector,
        discriminator,
        detector_sha256,
        model_sha256,
        _threshold(detector, CANDIDATES, DEFAULT_CANDIDATE),
        bleed,
        _share(discriminator, DISCRIMINATOR),
        min(bleed, possible),
        thresholds=_thresholds(discriminator),
    )


def _thresholds(session: Any) -> dict[Modality, float]:
    """Of the modalities for which the discriminator's file names one."""
    told = session.get_modelmeta().custom_metadata_map
    names: dict[Modality, str] = {modality: threshold_name(modality) for modality in get_args(Modality)}
    return {
        modality: _threshold(session, DISCRIMINATOR, math.nan, name) for modality, name in names.items() if name in told
    }


def _threshold(session: Any, model_id: str, default: float, name: str = THRESHOLD) -> float:
    value = _number(session, model_id, name, default)
    if not 0 < value < 1:
        raise _bad(model_id, f"the threshold {value:g}")
    return value


def _share(session: Any, model_id: str) -> float:
    value = _number(session, model_id, SHARE, 0.0)
    if not 0 <= value <= 1:
        raise _bad(model_id, f"the detector's share {value:g}")
    return value


def _number(session: Any, model_id: str, name: str, default: float) -> float:
    told = session.get_modelmeta().custom_metadata_map.get(name, default)
    try:
        value = float(told)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _bad(model_id, f"the {name.replace('_', ' ')} {told!r}")
    return value


def _bad(model_id: str, what: str) -> ModelError:
    return ModelError(model_id, f"its file gives {what}, which cannot be used.", "Export it again.")


def open_bleed_networks(threads: int | None = None, shelf: Path | None = None) -> BleedNetworks:
    """Both networks from the shelf; their sessions are opened once per process.

    Raises
    ------
    ModelError
        if a model is missing or damaged.
    """
    from brainsift.models.session import open_session
    from brainsift.models.shelf import find

    detector, discriminator = (open_session(name, threads, shelf) for name in (CANDIDATES, DISCRIMINATOR))
    return networks_of(detector, discriminator, find(CANDIDATES, shelf).sha256, find(DISCRIMINATOR, shelf).sha256)
