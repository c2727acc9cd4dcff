"""Those who look on see a real run from its beginning to its end, and do no harm to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from brainsift.engine.folders import SCRATCH_NAME, scratch_root
from brainsift.engine.job import Outcome
from brainsift.engine.summary import Progress
from brainsift.engine.watch.base import Began, Watchers
from brainsift.engine.watch.life import LIFE_NAME, SignOfLife, running
from brainsift.engine.watch.log import JsonLog
from tests.engine.conftest import Run
from tests.engine.parts import write_ball
from tests.engine.watch.parts import BEGAN, DONE, FORECAST, play


class Deaf:
    """Cannot write any more after the first scan."""

    def __init__(self) -> None:
        self.told = 0

    def began(self, run: Began) -> None:
        """Hear it."""

    def took(self, outcome: Outcome, state: Progress) -> None:
        """Fail."""
        self.told += 1
        raise OSError(28, "No space left on device")

    def ended(self, state: Progress, seconds: float, ended: str) -> None:
        """Never heard."""
        self.told += 1


def test_a_run_is_logged_scan_by_scan(run: Run, tmp_path: Path) -> None:
    summary = run(more={"watchers": [partial(JsonLog, tmp_path / "log.jsonl")]})
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["run_began", "scan_done", "scan_done", "run_ended"]
    assert (events[-1]["ended"], events[-1]["done"]) == ("done", 2)
    assert events[0]["study"] != events[1]["scan"]
    assert set(events[1]["stages"]) >= {"read", "anatomy", "integrity"}
    assert summary.warnings == ()


def test_one_who_cannot_write_is_left_behind_and_the_run_goes_on(run: Run) -> None:
    deaf = Deaf()
    summary = run(more={"watchers": [lambda _: deaf]})
    assert summary.counts.done == 2
    assert deaf.told == 1
    assert any("Deaf could not be written" in warning for warning in summary.warnings)


def test_a_log_that_cannot_be_opened_stops_the_run_before_any_scan(run: Run, tmp_path: Path, output: Path) -> None:
    with pytest.raises(OSError, match="none"):
        run(more={"watchers": [partial(JsonLog, tmp_path / "none" / "log.jsonl")]})
    assert not list(output.glob("*_qc.json"))


def test_without_a_log_no_key_is_drawn(run: Run, output: Path) -> None:
    run()
    assert not (output / ".log_key").exists()


def test_a_run_at_work_gives_a_sign_and_takes_it_away(run: Run, output: Path) -> None:
    seen: list[Any] = []
    run(more={"progress": lambda state: seen.append((state, running(output)))})
    state, at_work = seen[0]
    assert [one.alive for one in at_work] == [True]
    assert at_work[0].said["workers"] == 1
    assert state.found == 2
    assert running(output) == []
    assert not (output / SCRATCH_NAME).exists()


def test_a_killed_run_is_seen_to_be_gone(tmp_path: Path) -> None:
    life = SignOfLife(tmp_path)
    life.began(BEGAN)
    life._written = 0.0
    life.took(DONE, Progress(found=9, done=1, forecast=FORECAST))
    own = scratch_root(tmp_path)
    own.rename(own.with_name(f"{own.name.rpartition('-')[0]}-4194305"))  # beyond the largest process id of Linux
    (one,) = running(tmp_path)
    assert one.alive is False
    assert (one.said["done"], one.said["forecast"]["scans"]) == (1, 98)
    assert one.age_s < 3600


def test_a_sign_of_another_machine_is_neither_dead_nor_alive(tmp_path: Path) -> None:
    SignOfLife(tmp_path).began(BEGAN)
    own = scratch_root(tmp_path)
    own.rename(own.with_name("elsewhere-1"))
    assert [one.alive for one in running(tmp_path)] == [None]
    (tmp_path / SCRATCH_NAME / "broken-2").mkdir()
    (tmp_path / SCRATCH_NAME / "broken-2" / LIFE_NAME).write_text("{")
    assert len(running(tmp_path)) == 1


def test_several_are_told_the_same() -> None:
    told: list[str] = []

    class Ear:
        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *words: told.append(name)

    play(Watchers([Ear(), Ear()]))  # type: ignore[list-item]
    assert told == [name for name in ("began", "took", "took", "took", "ended") for _ in range(2)]


def test_the_first_scans_alone_are_done_where_that_is_asked(run: Run, source: Path) -> None:
    for number in range(10):
        write_ball(source / f"c{number}.nii", seed=number)
    first = run(first=9)
    assert (first.counts.done, first.counts.left) == (9, 3)
    assert first.forecast is not None
    assert first.forecast.scans == 3
    assert first.forecast.slowest in {"read", "anatomy", "integrity", "evidence"}
    rest = run()
    assert (rest.counts.done, rest.counts.skipped, rest.counts.left) == (3, 9, 0)
