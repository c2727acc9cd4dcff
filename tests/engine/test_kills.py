"""Whatever is killed, at whatever moment: one row for each scan, and the same answers as of a run left in peace."""

from __future__ import annotations

from pathlib import Path

from tests.engine.driver import finish, start
from tests.engine.kills import answers, disturbed, rows
from tests.engine.parts import write_ball

SCANS = 24


def test_a_run_whose_workers_and_itself_are_killed_ends_as_one_left_in_peace(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for n in range(SCANS):
        write_ball(source / f"nap{n:02}.nii", seed=n, size=8)
    assert finish(start(source, tmp_path / "peace", 1))[0] == 0
    assert disturbed(source, tmp_path / "out", worker_kills=3, run_kills=2) >= 3
    assert rows(tmp_path / "out") == rows(tmp_path / "peace")
    assert set(rows(tmp_path / "out").values()) == {1}
    assert answers(tmp_path / "out") == answers(tmp_path / "peace")
    assert not list((tmp_path / "out").rglob("*.part"))
    assert not (tmp_path / "out" / ".scratch").exists()
