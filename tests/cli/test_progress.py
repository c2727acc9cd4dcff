"""How far a run is, in words and on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from brainsift.cli.progress import Display, words
from brainsift.cli.summary import count_words
from brainsift.engine.summary import Counts, Progress


def test_counts_that_are_zero_are_left_out() -> None:
    assert words(Progress(found=5, done=2, listed=True)) == "2 of 5 scans, 2 done"


def test_an_unfinished_listing_is_said_to_be_unfinished() -> None:
    state = Progress(found=5, done=1, failed=1, skipped=1, refreshed=1)
    assert words(state) == "4 of 5 or more scans, 1 done, 1 failed, 2 unchanged"


def test_a_terminal_gets_a_bar_with_counts() -> None:
    screen = io.StringIO()
    with Display(Console(file=screen, force_terminal=True, width=120)) as display:
        display(Progress(found=4, done=3, listed=True))
    assert "3 of 4 scans" in screen.getvalue()


def test_a_log_gets_no_control_characters_and_no_line_before_its_time() -> None:
    log = io.StringIO()
    with Display(Console(file=log, force_terminal=False)) as display:
        display(Progress(found=4, done=3, listed=True))
    assert log.getvalue() == ""


def test_a_log_gets_a_line_when_its_time_has_come() -> None:
    log = io.StringIO()
    display = Display(Console(file=log, force_terminal=False))
    display._last -= 3600
    display(Progress(found=4, done=3, listed=True))
    assert log.getvalue() == "3 of 4 scans, 3 done\n"


def test_the_last_line_tells_what_happened_to_all_scans() -> None:
    counts = Counts(found=9, done=4, failed=1, skipped=2, refreshed=1, still_failed=1, duplicates=2)
    assert count_words(counts) == (
        "9 scans: 4 done, 1 failed, 3 unchanged, 1 failed before (see --retry-failed), "
        "2 with the same content as another"
    )
    assert count_words(Counts()) == "0 scans: nothing to do"
