"""The outlook: nothing is said before the first scans have shown what the others will be like."""

from __future__ import annotations

from pathlib import Path

from brainsift.engine.job import Outcome
from brainsift.engine.outlook import Outlook
from brainsift.engine.plan import Planned, Step
from brainsift.engine.summary import Progress
from brainsift.scans.ref import ScanRef
from brainsift.store.record import InputFacts
from tests.store.parts import done_record

FACTS = InputFacts(format="nifti1", size=5_000_000, fingerprint="1:1")


def planned(number: int) -> Planned:
    """A scan of five megabytes."""
    return Planned(ScanRef(f"{number}.nii", str(number), "nifti", (Path("x"),), 5_000_000, 0), Step.RUN, "new")


def outcome(**changes: object) -> Outcome:
    """One of them, done in 1.5 s and shown on a page in half a second."""
    return Outcome(done_record(input=FACTS, seconds=1.5, stage_seconds={"read": 1.5, "page": 0.5}, **changes))


def test_the_first_scans_are_waited_for_and_what_is_left_is_counted() -> None:
    outlook = Outlook(1, first=10)
    for _ in outlook.look(iter([planned(number) for number in range(100)])):
        pass
    for _ in range(9):
        outlook.learn(outcome())
    assert outlook.forecast() is None
    outlook.learn(outcome())
    told = outlook.forecast()
    assert told is not None
    assert (told.scans, told.seconds_per_scan) == (90, 2.0)
    assert outlook.complete(Progress(found=3)).found == 100


def test_scans_that_were_only_compared_tell_nothing() -> None:
    outlook = Outlook(1, first=2)
    for _ in range(30):
        outlook.learn(Outcome(outcome().record, refreshed=True))
        outlook.learn(Outcome(None))
    assert outlook.forecast() is None
