"""Seconds by stage: counted where somebody listens, parts within the whole."""

from __future__ import annotations

import pytest

from brainsift.stage_clock import StageClock, listening, stage, whole_stages


def test_nothing_is_counted_where_nobody_listens() -> None:
    clock = StageClock()
    with stage("read"):
        pass
    assert clock.wall == {}


def test_a_part_is_counted_in_its_stage_and_under_its_own_name() -> None:
    with listening(StageClock()) as clock, stage("anatomy"), stage("conform"):
        sum(range(10_000))
    assert list(clock.wall) == ["anatomy", "anatomy.conform"]
    assert clock.wall["anatomy"] >= clock.wall["anatomy.conform"] > 0
    assert set(clock.cpu) == set(clock.wall)


def test_the_same_stage_again_is_added() -> None:
    with listening(StageClock()) as clock:
        with stage("page"):
            sum(range(10_000))
        once = clock.wall["page"]
        with stage("page"):
            sum(range(10_000))
    assert clock.wall["page"] > once


def test_a_stage_that_raises_is_counted_and_left() -> None:
    with listening(StageClock()) as clock:
        with pytest.raises(RuntimeError), stage("read"):
            raise RuntimeError
        with stage("anatomy"):
            pass
    assert list(clock.wall) == ["read", "anatomy"]


def test_whole_stages_leave_parts_out_so_that_they_add_up() -> None:
    assert whole_stages({"anatomy": 2.0, "anatomy.conform": 0.5, "read": 1.0}) == {"anatomy": 2.0, "read": 1.0}
