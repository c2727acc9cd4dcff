"""What is asked, and how it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.engine.settings import RunOptions, RunSettings


def test_settings_that_change_a_record_change_the_digest() -> None:
    digests = {s.sha256() for s in (RunSettings(), RunSettings(keep_masks=True), RunSettings(pictures=False))}
    assert len(digests) == 3


def test_where_models_lie_does_not_change_the_digest() -> None:
    assert RunSettings(shelf=Path("a")).sha256() == RunSettings().sha256()


def test_integrity_is_always_asked_and_order_does_not_count() -> None:
    assert RunSettings(tasks=()).tasks == ("integrity",)
    assert RunSettings(tasks=("integrity", "integrity")) == RunSettings()


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(ValueError, match="got horoscope"):
        RunSettings(tasks=("horoscope",))


def test_a_task_kept_to_sequences_must_be_one_of_the_run() -> None:
    with pytest.raises(ValueError, match="got defacing"):
        RunSettings(tasks=("quality",), only_for=(("defacing", ("T1w",)),))


@pytest.mark.parametrize("wrong", [{"first": 0}, {"nprocs": 0}, {"memory_per_worker": 0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="got 0"):
        RunOptions(**wrong)  # type: ignore[arg-type]
