"""The answer in a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from brainsift.report.terminal import render_record
from brainsift.store.record import Record
from tests.report.parts import done_record, failed_record


def printed(record: Record, **options: object) -> str:
    console = Console(file=io.StringIO(), width=100, **options)  # type: ignore[arg-type]
    render_record(record, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_an_accepted_scan_shows_verdict_decision_and_facts() -> None:
    text = printed(done_record())
    for part in (
        "A C C E P T E D",
        "Nothing to do.",
        "It is whole.",
        "cut_share",
        "0.02 (provisional)",
        "1,234 mL",
        "87.3 %",
    ):
        assert part in text, part


@pytest.mark.parametrize(("action", "word"), [("refer", "N E E D S   A   P E R S O N"), ("reject", "R E J E C T E D")])
def test_what_is_not_accepted_says_why(action: str, word: str) -> None:
    text = printed(done_record(action=action))
    assert word in text
    assert "It is whole." in text.partition(word)[2].partition("Next:")[0]


def test_a_face_that_is_left_is_to_be_removed() -> None:
    (first,) = done_record(action="reject").decisions
    text = printed(done_record(decisions=(first.model_copy(update={"task": "defacing"}),)))
    assert "Next: De-face it" in text


def test_a_failed_scan_says_cause_and_remedy() -> None:
    text = printed(failed_record())
    for part in ("F A I L E D", "The file ends early.", "Remedy: Copy it again.", "truncated"):
        assert part in text, part


def test_a_name_is_never_read_as_markup_or_as_control_sequence() -> None:
    text = printed(done_record(scan="[red]x[/red] [/] \x1b[2J.nii"), force_terminal=True)
    assert "[red]x[/red] [/]" in text
    assert "\x1b[2J" not in text


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    render_record(done_record(action="reject"), Console(file=file, width=100, legacy_windows=False))
    file.flush()
    assert b"x  R E J E C T E D" in file.buffer.getvalue()  # type: ignore[attr-defined]
