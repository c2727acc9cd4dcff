"""The paragraph to paste, and the identity of the run."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

from brainsift import __version__
from brainsift.store.methods import Tally, methods_text
from brainsift.store.record import Record
from brainsift.store.run_facts import RunFacts, write_run_toml
from tests.store.parts import done_record, failed_record


def facts(output: Path = Path("out")) -> RunFacts:
    return RunFacts(
        input=Path("in"),
        output=output,
        started=datetime(2025, 3, 1, tzinfo=UTC),
        ended=datetime(2025, 3, 2, tzinfo=UTC),
        settings={"tasks": ["integrity"]},
        options={"nprocs": 2, "timeout_s": None},
        models={"anatomy": "b" * 64},
        counts={"done": 1},
    )


def text_of(*records: Record) -> str:
    tally = Tally()
    assert list(tally.watch(records)) == list(records)
    return methods_text(tally, facts())


def test_the_paragraph_counts_what_was_really_there() -> None:
    text = text_of(done_record(), done_record("b.nii.gz", participant="02"), failed_record())
    assert "3 brain MRI scans of 2 participants were sifted with brainsift 0.1.0." in text
    assert "1 scan could not be read or processed (truncated 1)." in text
    assert f"anatomy (SHA-256 {'b' * 12}, 3 scans)" in text
    assert "integrity: 2 accepted, 0 rejected, 0 referred to a person" in text


def test_provisional_thresholds_are_said_to_be_so_and_only_those() -> None:
    assert "1 of 1 decisions rest on provisional thresholds" in text_of(done_record())
    sure = done_record().decisions[0].model_copy(update={"provisional": False})
    assert "provisional" not in text_of(done_record(decisions=(sure,)))


def test_records_of_two_versions_are_told_apart() -> None:
    text = text_of(done_record(), done_record("b.nii.gz", software="brainsift 0.2.0"))
    assert "brainsift 0.1.0 (1 scans) and brainsift 0.2.0 (1 scans)" in text


def test_a_study_without_scans_claims_nothing() -> None:
    text = text_of()
    assert "0 brain MRI scans" in text
    assert "Network" not in text
    assert "Each scan" not in text


def test_the_run_is_written_as_toml(tmp_path: Path) -> None:
    run = tomllib.loads(write_run_toml(facts(tmp_path)).read_text())
    assert run["settings"] == {"tasks": ["integrity"]}
    assert run["options"] == {"nprocs": 2}
    assert run["models"] == {"anatomy": "b" * 64}
    assert run["started"] == datetime(2025, 3, 1, tzinfo=UTC)
    assert run["versions"]["brainsift"] == __version__
    assert run["versions"]["numpy"]
