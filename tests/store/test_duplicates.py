"""Marks of scans with the same bytes."""

from __future__ import annotations

from brainsift.store.database import Database
from brainsift.store.duplicates import find_changed_duplicates, mark_duplicate
from tests.store.parts import done_record, failed_record

SAME, OTHER = "1" * 64, "2" * 64


def settle(database: Database) -> dict[str, str]:
    """Bring the marks up to date; scan → reason of those that have one."""
    database.ingest(find_changed_duplicates(database))
    assert find_changed_duplicates(database) == []
    return {record.scan: record.reason for record in database.records("done") if record.reason}


def test_the_first_by_name_is_the_scan_and_the_others_are_its_copies(database: Database) -> None:
    database.ingest([done_record(name, sha256=SAME) for name in ("c.nii.gz", "a.nii.gz", "b.nii.gz")])
    database.ingest([done_record("d.nii.gz", sha256=OTHER)])
    expected = "Same content as a.nii.gz."
    assert settle(database) == {"b.nii.gz": expected, "c.nii.gz": expected}


def test_a_copy_carries_flag_and_measurement_in_its_integrity_finding(database: Database) -> None:
    database.ingest([done_record(name, sha256=SAME) for name in ("a.nii.gz", "b.nii.gz")])
    settle(database)
    copy = database.record("b.nii.gz")
    assert copy is not None
    finding = copy.finding("integrity")
    assert finding is not None
    assert finding.flags == ("clipped", "duplicate")
    assert finding.measurements["duplicate_of"] == "a.nii.gz"
    assert finding.measurements["sequence"] == "T1w"


def test_a_reason_that_was_there_stays(database: Database) -> None:
    database.ingest([done_record("a.nii.gz", sha256=SAME), done_record("b.nii.gz", sha256=SAME, reason="Clipped.")])
    assert settle(database)["b.nii.gz"] == "Clipped. Same content as a.nii.gz."


def test_a_copy_that_changes_loses_its_mark(database: Database) -> None:
    database.ingest([done_record(name, sha256=SAME) for name in ("a.nii.gz", "b.nii.gz")])
    settle(database)
    database.ingest([done_record("a.nii.gz", sha256=OTHER)])
    assert settle(database) == {}


def test_a_new_first_scan_takes_over(database: Database) -> None:
    database.ingest([done_record(name, sha256=SAME) for name in ("b.nii.gz", "c.nii.gz")])
    settle(database)
    database.ingest([done_record("a.nii.gz", sha256=SAME)])
    expected = "Same content as a.nii.gz."
    assert settle(database) == {"b.nii.gz": expected, "c.nii.gz": expected}


def test_failed_scans_take_no_part(database: Database) -> None:
    record = failed_record("a.nii.gz")
    facts = record.input.model_copy(update={"sha256": SAME})
    database.ingest([record.model_copy(update={"input": facts}), done_record("b.nii.gz", sha256=SAME)])
    assert settle(database) == {}


def test_marking_and_unmarking_gives_the_record_back() -> None:
    record = done_record(reason="Clipped.")
    assert mark_duplicate(mark_duplicate(record, "a"), None) == record
    assert mark_duplicate(mark_duplicate(record, "a"), "b") == mark_duplicate(record, "b")
