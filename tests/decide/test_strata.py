"""A scan belongs to what it is filed as; a stratum's own calibration decides about it."""

from brainsift.decide.calibration import Temperature
from brainsift.decide.route import decide_quality, good_probability
from brainsift.decide.stored import Calibration, Direction, Stratum
from brainsift.decide.strata import sequence_of
from tests.decide.parts import SHA, quality


def test_what_it_is_filed_as_goes_before_what_it_looks_like() -> None:
    assert sequence_of(quality(measurements={"filed_as": "FLAIR", "sequence": "T2w"})) == "FLAIR"
    assert sequence_of(quality(measurements={"sequence": "T2w"})) == "T2w"
    assert sequence_of(quality(measurements={"sequence": None})) is None


def test_a_stratum_is_decided_by_its_own_probabilities_and_thresholds() -> None:
    def directions(threshold: float) -> Stratum:
        one = Direction(threshold=threshold, provisional=False, alpha=0.05)
        return Stratum(people=100, good=50, accept=one, reject=one)

    made = Calibration(
        task="quality",
        parts=("proper",),
        model_sha256=SHA,
        n=200,
        people=200,
        delta=0.05,
        by="sequence",
        pooled=directions(0.9),
        strata={"FLAIR": directions(0.9)},
        probabilities={"FLAIR": Temperature(temperature=3.0)},
        seen={"FLAIR": 100, "T1w": 100},
    )
    flair = quality(proper=0.97, measurements={"filed_as": "FLAIR", "sequence": "T2w"})
    t1w = quality(proper=0.97, measurements={"sequence": "T1w"})
    assert good_probability(t1w, made) == 0.97
    assert (good_probability(flair, made) or 1.0) < 0.9
    assert decide_quality(t1w, made).action.value == "accept"
    assert decide_quality(flair, made).action.value == "refer"


def test_a_scan_that_is_not_what_it_is_filed_as_is_rejected_with_the_reason() -> None:
    measured = {"filed_as": "FLAIR", "not_proper_because": "it looks like T2w"}
    decision = decide_quality(quality(proper=0.01, measurements=measured))
    assert decision.action.value == "reject"
    assert decision.reason.startswith("Not a proper 3D FLAIR (it looks like T2w): good with probability 0.01")
    noisy = decide_quality(quality(proper=0.4, noise=0.999, measurements=measured))
    assert noisy.reason.startswith("Severe noise")
