"""The look ahead: counted before it is done, a spread of sizes first, and nothing lost or doubled."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

from brainsift.engine.look_ahead import LookAhead, spread_over
from brainsift.engine.plan import Planned, Step
from brainsift.scans.ref import ScanRef


def planned(number: int, step: Step = Step.RUN) -> Planned:
    """A scan of `number` megabytes."""
    name = f"{number:04}.nii"
    return Planned(ScanRef(name, name, "nifti", (Path(name),), number * 1_000_000, 0), step, "new")


def names(look: LookAhead) -> list[str]:
    """What is passed on, in order."""
    return [item.ref.scan for item in look]


def test_every_scan_is_passed_on_once_with_a_spread_of_sizes_first() -> None:
    plan = [planned(number, Step.SKIP if number % 10 == 0 else Step.RUN) for number in range(1200)]
    look = LookAhead(iter(plan), spread=4)
    order = names(look)
    assert sorted(order) == [item.ref.scan for item in plan]
    assert [int(name[:4]) // 300 for name in order[:4]] == [0, 2, 1, 3]
    assert order[4:] == [item.ref.scan for item in plan if item.ref.scan not in order[:4]]


def test_the_whole_is_known_before_the_first_scan_is_done() -> None:
    look = LookAhead(iter([planned(number) for number in range(1, 1101)]))
    first = next(iter(look))
    assert first.step is Step.RUN
    assert (look.found, look.to_do.scans, look.complete) == (1100, 1100, True)
    assert look.to_do.megabytes == sum(range(1, 1101))


def test_a_small_study_is_done_in_its_own_order() -> None:
    plan = [planned(number) for number in (9, 3, 7, 1)]
    assert names(LookAhead(iter(plan), spread=2)) == ["0009.nii", "0003.nii", "0007.nii", "0001.nii"]


def test_a_listing_that_takes_long_is_gone_on_with_on_the_way() -> None:
    moments = iter(range(1000))
    taken: list[int] = []

    def slow() -> Iterator[Planned]:
        for number in range(2000):
            taken.append(number)
            yield planned(number)

    look = LookAhead(slow(), limit_s=1.5, clock=lambda: float(next(moments)))
    passed_on = iter(look)
    next(passed_on)
    assert (look.complete, look.found) == (False, 500)
    assert len(taken) == 500
    assert len([*passed_on]) == 1999
    assert (look.complete, look.to_do.scans) == (True, 2000)


def test_the_spread_takes_the_middle_of_each_group_of_sizes() -> None:
    assert spread_over(array("q", [50, 10, 40, 20, 30, 60]), 3) == (3, 5, 2)
