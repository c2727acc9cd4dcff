"""From which score on a place is a candidate, and a candidate a bleed: chosen on validation scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from brainsift.evaluate.detection.froc import threshold_at
from brainsift.evaluate.detection.match import Match
from brainsift.learn.microbleeds.predict import LOWEST
from brainsift.learn.microbleeds.train import WATCHED, rate_scores
from brainsift.tasks.microbleeds.network import POSSIBLE, SHARE, THRESHOLD, threshold_name

SHARES = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8)
"""Of the detector in the mean of both networks' log-odds, among which one is chosen."""

SHARE_RATES = (0.5, 1.0, 2.0)
"""False bleeds per scan at which shares are compared."""

CANDIDATE_RATE = 30.0
"""False candidates per scan that the detector may leave: a hundredth of a second each, and enough to hold what is
found at all."""

SPARE = 0.5
"""Of the score of the least sure candidate that is a bleed: validation scans are few, and what falls here is lost."""

HIGHEST = 0.5
FALSE_RATE = 0.6
"""False bleeds per scan that may be left on validation scans of all modalities together, at the most."""

FALSE_RATES = MappingProxyType({"gre": 0.25, "swi": 0.8, "qsm": 0.5})
"""The same of each modality, such that about half a false bleed per scan is left after the clean-up: in gradient echo
calcium comes on top, which is not counted here; in SWI the clean-up drops or doubts every second one, veins mostly; in
maps of susceptibility every third (72 simulated scans of each). People's labels do not say where calcium is, so that
`FALSE_RATE` serves them all."""

MODALITY_SCANS = 20
"""Validation scans of a modality from which on it has a threshold of its own: fewer do not tell a rate."""

POSSIBLE_RATE = 2.0
"""False places per scan that a person may be shown, bleeds included."""


@dataclass(frozen=True)
class Settings:
    """Chosen on validation scans, written into the ONNX files.

    Attributes
    ----------
    candidate : detector's probability from which a place is a candidate.
    bleed : probability from which a candidate is a bleed, by both networks together, in a modality that has none of
        its own.
    share : of the detector in that probability.
    possible : probability from which a candidate is a possible bleed.
    bleed_in : modality → probability from which a candidate is a bleed.
    """

    candidate: float = 0.2
    bleed: float = 0.5
    share: float = 0.0
    possible: float = 0.25
    bleed_in: Mapping[str, float] = field(default_factory=dict)

    def bleed_from(self, modality: str) -> float:
        """Probability from which a candidate is a bleed in a modality."""
        return self.bleed_in.get(modality, self.bleed)

    def metadata(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Of the detector's file and of the discriminator's."""
        told = {THRESHOLD: self.bleed, SHARE: self.share, POSSIBLE: self.possible}
        told |= {threshold_name(modality): value for modality, value in sorted(self.bleed_in.items())}
        return {THRESHOLD: f"{self.candidate:.4g}"}, {name: f"{value:.4g}" for name, value in told.items()}


def choose_candidate_threshold(matches: Sequence[Match]) -> float:
    """Half of the score of the least sure bleed, unless that lets more than `CANDIDATE_RATE` false places through."""
    found = np.concatenate([np.zeros(0), *(one.found for one in matches)])
    hits = found[np.isfinite(found)]
    if not hits.size:
        return Settings().candidate
    lowest = max(LOWEST, threshold_at(matches, CANDIDATE_RATE))
    return float(np.clip(SPARE * hits.min(), lowest, max(lowest, HIGHEST)))


def choose_share(matches: Mapping[float, Sequence[Match]]) -> float:
    """The share at which most bleeds are found, the mean of `SHARE_RATES`; the smaller one where two are alike.

    Parameters
    ----------
    matches : share → all scans.
    """
    return max(sorted(matches), key=lambda share: rate_scores(matches[share], SHARE_RATES).get(WATCHED, 0.0))


def choose_bleed_threshold(matches: Sequence[Match], rate: float = FALSE_RATE) -> float | None:
    """Lowest threshold with at most `rate` false bleeds per scan that is needed to find what can be found; None where
    no bleed was found."""
    hits = np.concatenate([np.zeros(0), *(one.found[np.isfinite(one.found)] for one in matches)])
    return float(np.clip(max(threshold_at(matches, rate), hits.min()), 0.01, 0.99)) if hits.size else None


def chosen(candidate: float, judged: Mapping[float, Sequence[Match]], modalities: Sequence[str] = ()) -> Settings:
    """All settings, from what both networks say of validation scans.

    Parameters
    ----------
    judged : share → all scans.
    modalities : of the scans, for thresholds of each; none for one that serves all.
    """
    share = choose_share(judged)
    bleed, possible = (choose_bleed_threshold(judged[share], rate) for rate in (FALSE_RATE, POSSIBLE_RATE))
    if bleed is None or possible is None:
        return Settings(candidate, share=share)
    return Settings(candidate, bleed, share, min(bleed, possible), _by_modality(judged[share], modalities))


def _by_modality(matches: Sequence[Match], modalities: Sequence[str]) -> dict[str, float]:
    """Thresholds of modalities that enough scans have and in which a bleed was found."""
    told = {}
    for modality in sorted(set(modalities)):
        scans = [one for one, of in zip(matches, modalities, strict=True) if of == modality]
        rate = FALSE_RATES.get(modality, FALSE_RATE)
        value = choose_bleed_threshold(scans, rate) if len(scans) >= MODALITY_SCANS else None
        if value is not None:
            told[modality] = value
    return told
