"""How long the rest will take: arithmetic that can be checked by hand, and its interval by simulation."""

from __future__ import annotations

import math
import random

import pytest

from brainsift.engine.forecast import MIN_MEASURED, Load, Pace, fit_line, t_975


def worked(pace: Pace, scans: list[tuple[float, float]], workers: int = 1) -> None:
    """Let `workers` do scans (megabytes, seconds) as hands are free; the pace is told as they finish."""
    free = [0.0] * workers
    finished = []
    for megabytes, seconds in scans:
        first = free.index(min(free))
        free[first] += seconds
        finished.append((free[first], megabytes, seconds))
    for now, megabytes, seconds in sorted(finished):
        pace.add(
            megabytes, seconds, {"read": 0.2 * seconds, "anatomy": 0.8 * seconds, "anatomy.bend": 0.5 * seconds}, now
        )


def test_nothing_is_said_before_enough_is_known() -> None:
    pace = Pace()
    worked(pace, [(10.0, 1.0)] * MIN_MEASURED)
    assert pace.forecast(Load(10, 100.0)) is None  # the first scan of a worker does not count


def test_scans_alike_take_their_time_and_the_interval_is_a_point() -> None:
    pace = Pace()
    worked(pace, [(10.0, 2.0)] * 20)
    told = pace.forecast(Load(100, 1000.0))
    assert told is not None
    assert (told.seconds, told.low, told.high) == pytest.approx((200.0, 200.0, 200.0))
    assert (told.scans, told.measured, told.seconds_per_scan) == (100, 19, 2.0)


def test_two_workers_take_half_as_long_if_both_are_busy() -> None:
    one, two = Pace(1), Pace(2)
    worked(one, [(10.0, 2.0)] * 40)
    worked(two, [(10.0, 2.0)] * 40, workers=2)
    first, second = one.forecast(Load(100, 1000.0)), two.forecast(Load(100, 1000.0))
    assert first is not None
    assert second is not None
    assert second.seconds == pytest.approx(first.seconds / 2, rel=0.05)


def test_workers_that_wait_for_one_another_are_no_gain() -> None:
    pace = Pace(2)
    for number in range(1, 41):  # finished one after the other, though there are two
        pace.add(10.0, 2.0, {}, now=2.0 * number)
    told = pace.forecast(Load(100, 1000.0))
    assert told is not None
    assert told.seconds == pytest.approx(200.0, rel=0.05)


def test_larger_scans_to_come_are_seen_to_take_longer() -> None:
    pace = Pace()
    worked(pace, [(size, 1.0 + 0.1 * size) for size in (5.0, 6.0, 7.0, 8.0, 9.0, 10.0) * 4])
    told = pace.forecast(Load(50, 50 * 20.0))
    assert told is not None
    assert told.seconds == pytest.approx(50 * 3.0)


def test_a_size_that_tells_nothing_is_not_believed() -> None:
    line = fit_line([(1.0, 2.0), (2.0, 1.0)] * 8)
    assert line.slope == 0.0
    assert line.total(Load(10, 1000.0))[0] == pytest.approx(15.0)


def test_the_slowest_stage_and_its_slowest_part_are_named() -> None:
    pace = Pace()
    worked(pace, [(10.0, 2.0)] * 10)
    name, share, part = pace.slowest()
    assert (name, part) == ("anatomy", "bend")
    assert share == pytest.approx(0.8)


def test_nothing_left_takes_no_time() -> None:
    pace = Pace()
    worked(pace, [(10.0, 2.0)] * 10)
    told = pace.forecast(Load())
    assert told is not None
    assert (told.seconds, told.high) == (0.0, 0.0)


def test_one_scan_is_no_pace() -> None:
    with pytest.raises(ValueError, match="got 1"):
        fit_line([(1.0, 1.0)])


@pytest.mark.parametrize(("freedom", "point"), [(3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (1000, 1.962)])
def test_the_points_of_students_t_are_those_of_the_tables(freedom: int, point: float) -> None:
    assert t_975(freedom) == pytest.approx(point, rel=0.02)


@pytest.mark.parametrize("slope", [0.0, 0.08])
def test_the_interval_holds_what_comes_in_95_of_100_runs(slope: float) -> None:
    rng, inside, runs = random.Random(7), 0, 600
    for _ in range(runs):
        sizes = [rng.uniform(5, 30) for _ in range(120)]
        scans = [(size, max(0.05, 1.0 + slope * size + rng.gauss(0, 0.3))) for size in sizes]
        pace = Pace()
        worked(pace, scans[:17])
        rest = scans[17:]
        told = pace.forecast(Load(len(rest), sum(size for size, _ in rest)))
        assert told is not None
        inside += told.low <= sum(seconds for _, seconds in rest) <= told.high
    # The size is believed in only if it is significant, which costs some coverage; 3 standard errors below 95 %.
    assert inside / runs > 0.95 - 3 * math.sqrt(0.95 * 0.05 / runs) - 0.02
