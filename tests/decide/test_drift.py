"""The drift alarm: silent where nothing changed, loud where scans did."""

from __future__ import annotations

import numpy as np
import pytest

from brainsift.decide.drift import BATCH, LEVEL, DriftAlarm

REFERENCE = np.random.default_rng(0).normal(0, 1, 200).tolist()


def test_a_shift_is_noticed_at_the_first_look() -> None:
    alarm = DriftAlarm(REFERENCE)
    looks = alarm.add(np.random.default_rng(1).normal(1.0, 1, BATCH))
    assert len(looks) == 1
    assert looks[0].alarm
    assert alarm.alarm


def test_scans_as_before_rarely_ring_however_long_one_watches() -> None:
    rings = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        alarm = DriftAlarm(rng.normal(0, 1, 200).tolist())
        for _ in range(5):
            alarm.add(rng.normal(0, 1, BATCH))
        rings += alarm.alarm
    assert rings <= 4


def test_the_chances_of_all_looks_together_stay_within_the_level() -> None:
    alarm = DriftAlarm(REFERENCE, batch=1)
    alarm.add(np.zeros(200))
    limits = [look.limit for look in alarm.looks]
    assert len(limits) == 200
    assert sum(limits) < LEVEL


def test_scores_wait_until_a_batch_is_full_and_missing_ones_do_not_count() -> None:
    alarm = DriftAlarm(REFERENCE, batch=10)
    assert alarm.add([0.0] * 8 + [np.nan] * 5) == []
    assert not alarm.alarm
    assert [look.n for look in alarm.add([0.0] * 14)] == [10, 10]


def test_an_alarm_without_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="got none"):
        DriftAlarm([]).add([1.0])
