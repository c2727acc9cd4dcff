"""From findings and people's labels to a `Calibration`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift import __version__
from brainsift.decide.bounds import labels_needed
from brainsift.decide.calibration import Isotonic, Method, Temperature, Unchanged, fit
from brainsift.decide.doubt import Limits, doubts, measured_limits
from brainsift.decide.people import one_each, split_people, weights_of
from brainsift.decide.provisional import PROVISIONAL
from brainsift.decide.scores import PARTS, score
from brainsift.decide.selective import choose_threshold
from brainsift.decide.stored import Calibration, CalibrationError, Direction, Stratum, Way
from brainsift.tasks.base import Finding

FIT_SHARE = 0.2
"""Of the people, for the probabilities. A temperature is one number; the thresholds need the others more."""

MIN_OWN = 30
"""People of a stratum among those that the probabilities are fitted to, from which they are fitted to these alone. What
a network says of FLAIR need not be as sure as what it says of T1w."""

MIN_SURPLUS = 3.0
"""Labelled people, in units of what a promise needs, from which a share is spared for the probabilities."""

Fitted = Unchanged | Temperature | Isotonic


@dataclass(frozen=True)
class Labelled:
    """A finding, whether people call the scan good, whose scan it is, and the stratum it belongs to."""

    finding: Finding
    good: bool
    person: str
    stratum: str | None = None


@dataclass(frozen=True)
class Promise:
    """Share of wrong decisions that is tolerated among the accepted and among the rejected, each with confidence
    1 - `delta`."""

    accept: float = 0.05
    reject: float = 0.05
    delta: float = 0.05

    def alpha(self, way: Way) -> float:
        """What is tolerated in one direction."""
        return self.accept if way == "accept" else self.reject

    @property
    def needed(self) -> int:
        """Decided people that the easier direction needs, with no error."""
        return labels_needed(max(self.accept, self.reject), self.delta)


@dataclass(frozen=True)
class Tested:
    """One scan of each person that thresholds are tested on: probability (n,) of good, truth (n,), stratum (n,)."""

    good_probability: NDArray[np.float64]
    good: NDArray[np.bool_]
    strata: tuple[str | None, ...]

    def confidence(self, way: Way) -> NDArray[np.float64]:
        """Probability that deciding so is right."""
        return self.good_probability if way == "accept" else 1 - self.good_probability

    def wrong(self, way: Way) -> NDArray[np.bool_]:
        """Whether deciding so would be an error."""
        return ~self.good if way == "accept" else self.good

    def of(self, stratum: str) -> Tested:
        """Those of one stratum."""
        rows = np.array([name == stratum for name in self.strata], dtype=bool)
        return Tested(self.good_probability[rows], self.good[rows], (stratum,) * int(rows.sum()))


def calibrate(
    task: str,
    labelled: Sequence[Labelled],
    others: Sequence[Finding] = (),
    *,
    parts: tuple[str, ...],
    promise: Promise | None = None,
    method: Method = "auto",
    by: str | None = None,
    seed: int = 0,
) -> tuple[Calibration, Tested]:
    """Fit the probabilities on some people, then choose thresholds on others.

    Parameters
    ----------
    task : of all findings.
    labelled : a random sample of the scans that are to be decided. Scans chosen because they are difficult, or used in
        training, spoil the promise.
    others : findings of the study without labels; they say where to begin and which measurements are usual.
    parts : what `good` stands for; columns of `labels.tsv`.
    promise : tolerated errors.
    method : how probabilities are calibrated; ``auto`` leaves them as they are where labels are few.
    by : what the strata are of; None where labels have none.
    seed : of the draws.

    Returns
    -------
    the calibration, and what its thresholds were tested on.

    Raises
    ------
    CalibrationError
        if no finding can be used, they come from several models, or a part is unknown.
    """
    promise = promise or Promise()
    model = _one_model(task, labelled, parts)
    trusted = [one for one in labelled if not doubts(one.finding) and score(one.finding, parts) is not None]
    if not trusted:
        raise CalibrationError(
            f"No labelled scan has a usable finding of the task `{task}`.", "Label other scans, or run the task again."
        )
    fitting, testing = _sides(trusted, promise, method, seed)
    unlabelled = [finding for finding in others if not doubts(finding) and score(finding, parts) is not None]
    probability, own = _fit(fitting, parts, method), _fit_own(fitting, parts, method) if by is not None else {}
    limits = measured_limits([*unlabelled, *(one.finding for one in fitting)])
    tested = _tested(testing, parts, probability, own, limits, seed)
    elsewhere = probability.apply(_scores([*unlabelled, *(one.finding for one in fitting)], parts))
    names = sorted({name for name in tested.strata if name is not None}) if by is not None else []
    seen = {name: sum(name == stratum for stratum in tested.strata) for name in names}
    large = [name for name in names if seen[name] >= promise.needed and len(names) > 1]
    calibration = Calibration(
        task=task,
        parts=parts,
        model_id=model.model_id,
        model_sha256=model.model_sha256,
        n=len(trusted),
        people=len({one.person for one in trusted}),
        delta=promise.delta,
        seed=seed,
        probability=probability,
        by=by,
        pooled=_stratum(tested, promise, elsewhere),
        strata={
            name: _stratum(tested.of(name), promise, own.get(name, probability).apply(_fitted(fitting, parts, name)))
            for name in large
        },
        probabilities=own,
        seen=seen,
        limits=limits,
        software=f"brainsift {__version__}",
    )
    return calibration, tested


def _fitted(fitting: Sequence[Labelled], parts: tuple[str, ...], stratum: str) -> NDArray[np.float64]:
    """Scores of one stratum that no threshold is tested on; scans without labels have no stratum."""
    return _scores([one.finding for one in fitting if one.stratum == stratum], parts)


def _one_model(task: str, labelled: Sequence[Labelled], parts: tuple[str, ...]) -> Finding:
    unknown = [part for part in parts if part not in {known.name for known in PARTS.get(task, ())}]
    if unknown or not parts:
        raise CalibrationError(
            f"The task `{task}` cannot be calibrated on {list(parts)}.", f"Tasks with thresholds: {', '.join(PARTS)}."
        )
    if not labelled:
        raise CalibrationError("No scan with a finding has a label.", "Name scans as in `brainsift.tsv`.")
    models = {one.finding.model_sha256 for one in labelled}
    if len(models) > 1:
        raise CalibrationError(
            f"The findings come from {len(models)} models.", "Run the study again with one model, then calibrate."
        )
    return labelled[0].finding


def _sides(
    trusted: Sequence[Labelled], promise: Promise, method: Method, seed: int
) -> tuple[list[Labelled], list[Labelled]]:
    """Scans for the probabilities and scans for the thresholds, no person in both."""
    people = [one.person for one in trusted]
    spare = len(set(people)) >= MIN_SURPLUS * promise.needed
    if method == "none" or (method == "auto" and not spare) or len(set(people)) < 2:
        return [], list(trusted)
    first = split_people(people, FIT_SHARE, seed)
    return (
        [one for one, taken in zip(trusted, first, strict=True) if taken],
        [one for one, taken in zip(trusted, first, strict=True) if not taken],
    )


def _fit(fitting: Sequence[Labelled], parts: tuple[str, ...], method: Method) -> Fitted:
    if not fitting:
        return Unchanged()
    scores = _scores([one.finding for one in fitting], parts)
    return fit(method, scores, [one.good for one in fitting], weights_of([one.person for one in fitting]))


def _fit_own(fitting: Sequence[Labelled], parts: tuple[str, ...], method: Method) -> dict[str, Fitted]:
    """Stratum → its own fit, of those with people enough."""
    members: dict[str, list[Labelled]] = {}
    for one in fitting:
        if one.stratum is not None:
            members.setdefault(one.stratum, []).append(one)
    return {
        name: _fit(rows, parts, method)
        for name, rows in members.items()
        if len({one.person for one in rows}) >= MIN_OWN
    }


def _tested(
    testing: Sequence[Labelled],
    parts: tuple[str, ...],
    probability: Fitted,
    own: Mapping[str, Fitted],
    limits: Limits,
    seed: int,
) -> Tested:
    believed = [one for one in testing if not doubts(one.finding, limits)]
    drawn = [believed[row] for row in one_each([one.person for one in believed], seed)]
    scores = _scores([one.finding for one in drawn], parts)
    said = [own.get(one.stratum or "", probability).apply(value) for one, value in zip(drawn, scores, strict=True)]
    return Tested(
        np.array(said, dtype=float),
        np.array([one.good for one in drawn], dtype=bool),
        tuple(one.stratum for one in drawn),
    )


def _stratum(tested: Tested, promise: Promise, elsewhere: NDArray[np.float64]) -> Stratum:
    return Stratum(
        people=int(tested.good.size),
        good=int(tested.good.sum()),
        accept=_direction("accept", tested, promise, elsewhere),
        reject=_direction("reject", tested, promise, 1 - elsewhere),
        scores=tuple(round(value, 4) for value in np.sort(tested.good_probability).tolist()),
    )


def _direction(way: Way, tested: Tested, promise: Promise, elsewhere: NDArray[np.float64]) -> Direction:
    """The threshold that keeps the promise; else the provisional one if nothing speaks against it; else none."""
    alpha, scores, wrong = promise.alpha(way), tested.confidence(way), tested.wrong(way)
    passed = choose_threshold(scores, wrong, alpha, promise.delta, elsewhere)
    if passed is not None:
        return Direction(
            threshold=passed.threshold,
            provisional=False,
            alpha=alpha,
            decided=passed.decided,
            errors=passed.errors,
            bound=passed.bound,
        )
    decided = scores >= PROVISIONAL[way]
    n, k = int(decided.sum()), int((decided & wrong).sum())
    unrefuted = k == 0 and n < labels_needed(alpha, promise.delta)
    threshold = PROVISIONAL[way] if unrefuted else None
    return Direction(threshold=threshold, provisional=True, alpha=alpha, decided=n, errors=k)


def _scores(findings: Sequence[Finding], parts: tuple[str, ...]) -> NDArray[np.float64]:
    found = (score(finding, parts) for finding in findings)
    return np.array([math.nan if one is None else one.value for one in found], dtype=float)
