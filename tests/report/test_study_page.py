"""The page of a study, as written."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote

import pytest

from brainsift.report.page import script_json
from brainsift.report.scan_page import write_scan_page
from brainsift.report.study_page import study_page, write_scan_pages, write_study_page
from brainsift.store.database import Database
from brainsift.store.record_io import write_record
from tests.report.parts import WICKED, Page, done_record, failed_record, many_records, require_sound


def rows_of(page: Page) -> dict[str, Any]:
    """The rows that the page's script reads."""
    found: dict[str, Any] = json.loads(page.scripts[0])
    return found


def test_counts_failures_and_distributions_are_on_the_page(tmp_path: Path) -> None:
    page = require_sound(study_page(many_records(100), tmp_path))
    text = " ".join(page.text.split())
    for part in (
        "100 scans sifted",
        "5 ! Failed",
        "10 ✕ Rejected",
        "85 ✓ Accepted",
        "truncated The file ends early.",
        "Copy it again.",
    ):
        assert part in text, part
    volumes = [900 + i / 2 for i in range(100) if i % 20 != 7]
    assert f"median {median(volumes):.0f} mL · n = 95" in text
    assert text.index("Failures first") < text.index("Distributions") < text.index("All scans")


def test_the_rows_hold_every_scan_and_leave_out_what_nobody_asked(tmp_path: Path) -> None:
    rows = rows_of(require_sound(study_page(many_records(40), tmp_path)))
    assert len(rows["scans"]) == 40
    names = {column["name"] for column in rows["columns"]}
    assert {"sequence", "brain_ml", "seconds", "reason"} <= names
    assert "wmh_ml" not in names
    assert all(len(column["values"]) == 40 for column in rows["columns"])


def test_pages_that_exist_are_linked_and_no_others(tmp_path: Path) -> None:
    first, second = done_record("a/one.nii.gz"), done_record("a/two.nii.gz")
    write_scan_page(first, tmp_path)
    rows = rows_of(require_sound(study_page([first, second], tmp_path)))
    assert rows["page"]["values"] == [0, -1]
    assert rows["page"]["levels"] == ["+_report.html"]
    assert rows["stems"] == [len("a/one")] * 2


def test_links_of_failures_lead_to_pages_with_odd_names(tmp_path: Path) -> None:
    record = failed_record("odd #1 50% ?.nii.gz")
    path = write_scan_page(record, tmp_path)
    page = require_sound(study_page([record], tmp_path))
    (link,) = [a for a in page.addresses() if a.startswith("./")]
    assert (tmp_path / link).resolve() != path.resolve(), "the address must be quoted"
    assert (tmp_path / unquote(link)).resolve() == path.resolve()


def test_wicked_names_end_neither_the_script_nor_the_page(tmp_path: Path) -> None:
    failed = failed_record(scan=WICKED, stem="other")
    page = require_sound(study_page([done_record(scan=WICKED, stem="plain", reason=WICKED), failed], tmp_path))
    assert page.count("script") == 2
    assert rows_of(page)["scans"] == [WICKED, WICKED]
    assert "<" not in page.scripts[0]
    assert "\u2028" not in page.scripts[0]


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "\u2028\u2029", "&amp;", 'quote " and \\'])
def test_json_in_a_script_comes_back_as_it_went_in(text: str) -> None:
    written = str(script_json({"a": text}))
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"a": text}


def test_numbers_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        script_json([float("nan")])


def test_an_empty_study_has_a_page(tmp_path: Path) -> None:
    page = require_sound(write_study_page(tmp_path).read_text(encoding="utf-8"))
    assert "0 scans sifted" in page.text


def test_the_database_and_the_record_files_give_the_same_page(tmp_path: Path) -> None:
    files, database = tmp_path / "files", tmp_path / "database"
    database.mkdir()
    records = list(many_records(45))
    for record in records:
        write_record(record, files)
    with Database(database) as opened:
        opened.ingest(records)
    assert write_scan_pages(files) == write_scan_pages(database) == 45
    assert write_study_page(files).read_text() == write_study_page(database).read_text()
    assert not (files / "brainsift.db").exists(), "reading makes no database"


def test_the_table_is_offered_where_it_exists(tmp_path: Path) -> None:
    assert "brainsift.tsv" not in require_sound(study_page([done_record()], tmp_path)).addresses()
    (tmp_path / "brainsift.tsv").write_text("scan\n")
    assert "brainsift.tsv" in require_sound(study_page([done_record()], tmp_path)).addresses()


def test_a_long_list_of_failures_is_shortened_and_says_by_how_much(tmp_path: Path) -> None:
    page = require_sound(study_page((failed_record(f"f{i:04d}.nii.gz") for i in range(230)), tmp_path))
    assert "and 190 more in the table" in page.text
    assert "f0039.nii.gz" in page.text
    assert "f0040.nii.gz" not in page.text
