"""From which score on a place is a candidate, and a candidate a bleed: chosen on validation scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from brainsift.evaluate.detection.froc import threshold_at
from brainsift.evaluate.detection.match import Match
from brainsift.learn.microbleeds.predict import LOWEST
from brainsift.learn.microbleeds.train import WATCHED, rate_scores
from brainsift.tasks.microbleeds.network import POSSIBLE, SHARE, THRESHOLD

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
"""False bleeds per scan that may be left on validation scans, at the most. Clean-up drops or doubts a quarter of them
(96 simulated scans)."""

POSSIBLE_RATE = 2.0
"""False places per scan that a person may be shown, bleeds included."""


@dataclass(frozen=True)
class Settings:
    """Chosen on validation scans, written into the ONNX files.

    Attributes
    ----------
    candidate : detector's probability from which a place is a candidate.
    bleed : probability from which a candidate is a bleed, by both networks together.
    share : of the detector in that probability.
    possible : probability from which a candidate is a possible bleed.
    """

    candidate: float = 0.2
    bleed: float = 0.5
    share: float = 0.0
    possible: float = 0.25

    def metadata(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Of the detector's file and of the discriminator's."""
        told = {THRESHOLD: self.bleed, SHARE: self.share, POSSIBLE: self.possible}
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


def chosen(candidate: float, judged: Mapping[float, Sequence[Match]]) -> Settings:
    """All settings, from what both networks say of validation scans.

    Parameters
    ----------
    judged : share → all scans.
    """
    share = choose_share(judged)
    bleed, possible = (choose_bleed_threshold(judged[share], rate) for rate in (FALSE_RATE, POSSIBLE_RATE))
    if bleed is None or possible is None:
        return Settings(candidate, share=share)
    return Settings(candidate, bleed, share, min(bleed, possible))
