"""The study table and the list of failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.decide.decision import Action, Decision
from brainsift.store.table import COLUMNS, FAILURES_NAME, TABLE_NAME, format_cell, read_table, table_row, write_tables
from brainsift.tasks.base import Finding
from tests.store.parts import done_record, failed_record

PUBLISHED = (
    "scan status reason sequence dimension brain_ml icv_ml brain_outside_fov proper_probability motion_grade "
    "motion_score noise_grade noise_score contrast_grade contrast_score gadolinium_probability tier quality_decision "
    "defacing_label defacing_p_correct defacing_p_insufficient defacing_p_excessive defacing_p_failed "
    "defacing_decision wmh_ml wmh_count wmh_periventricular_ml wmh_juxtacortical_ml wmh_deep_ml wmh_infratentorial_ml "
    "wmh_icv_percent wmh_decision microbleed_count microbleed_possible microbleed_lobar "
    "microbleed_deep microbleed_infratentorial microbleed_bin microbleed_candidates microbleeds_decision "
    "seconds sha256"
)
"""Users' scripts hold on to these names and this order: it may not change within a major version."""


def test_the_columns_are_those_that_were_published() -> None:
    assert " ".join(COLUMNS) == PUBLISHED


def test_a_done_scan_fills_what_was_asked_and_leaves_the_rest_empty() -> None:
    row = table_row(done_record())
    filled = {name: cell for name, cell in row.items() if cell}
    assert filled == {
        "scan": "sub-01/anat/sub-01_T1w.nii.gz",
        "status": "done",
        "sequence": "T1w",
        "dimension": "3D",
        "brain_ml": "1234.6",
        "icv_ml": "1500",
        "brain_outside_fov": "0.012",
        "seconds": "1.25",
        "sha256": "a" * 64,
    }


def test_a_failed_scan_is_a_row_whose_reason_is_cause_and_remedy() -> None:
    row = table_row(failed_record())
    assert (row["status"], row["reason"]) == ("failed", "The file ends early. Copy it again.")
    assert row["sha256"] == row["brain_ml"] == ""


def test_no_brain_is_measured_in_what_is_no_brain_scan() -> None:
    mask = done_record().findings[0].model_copy(update={"label": "mask"})
    row = table_row(done_record(findings=(mask,)))
    assert row["brain_ml"] == row["icv_ml"] == row["brain_outside_fov"] == ""


def test_every_later_task_has_its_columns() -> None:
    findings = (
        Finding(
            task="quality",
            label="tier 1",
            probabilities={"proper": 0.98765, "gadolinium": 0.0},
            measurements={
                "tier": 1,
                **{f"{kind}_grade": n for n, kind in enumerate(("motion", "noise", "contrast"))},
                **{f"{kind}_score": n + 0.5 for n, kind in enumerate(("motion", "noise", "contrast"))},
            },
        ),
        Finding(
            task="defacing",
            label="correct",
            probabilities={"correct": 0.7, "insufficient": 0.1, "excessive": 0.15, "failed": 0.05},
        ),
        Finding(
            task="wmh",
            label="lesions",
            measurements={
                "volume_ml": 3.25,
                "count": 7,
                "volume_icv_percent": 0.21,
                **{f"{name}_ml": 1.0 for name in ("periventricular", "juxtacortical", "deep", "infratentorial")},
            },
        ),
        Finding(
            task="microbleeds",
            label="microbleeds",
            measurements={
                "count": 2,
                "possible_count": 1,
                "count_bin": "1 to 4",
                "candidates": 9,
                **{f"{name}_count": 1 for name in ("lobar", "deep", "infratentorial")},
            },
        ),
    )
    decisions = tuple(
        Decision(task=finding.task, action=Action.REFER, rule="r", reason="Look.") for finding in findings
    )
    row = table_row(done_record(findings=(*done_record().findings, *findings), decisions=decisions))
    assert [name for name, cell in row.items() if not cell] == ["reason"]
    assert (row["proper_probability"], row["gadolinium_probability"]) == ("0.9877", "0")
    assert (row["motion_grade"], row["noise_score"], row["contrast_grade"]) == ("0", "1.5", "2")
    assert (row["defacing_label"], row["defacing_p_excessive"]) == ("correct", "0.15")
    assert (row["wmh_ml"], row["wmh_count"], row["microbleed_candidates"]) == ("3.25", "7", "9")


@pytest.mark.parametrize(
    ("value", "cell"), [(None, ""), (True, "true"), (0, "0"), (0.1, "0.1"), (-1.5, "-1.5"), ("-1.5", "'-1.5")]
)
def test_numbers_stay_numbers_and_only_text_is_guarded(value: float | str | bool | None, cell: str) -> None:
    assert format_cell(value) == cell


def test_the_tables_hold_one_row_per_scan_and_one_per_failure(tmp_path: Path) -> None:
    write_tables([done_record("=a\tb.nii.gz"), failed_record()], tmp_path)
    assert [row["scan"] for row in read_table(tmp_path / TABLE_NAME)] == ["'=a\\tb.nii.gz", "bad.nii.gz"]
    assert list(read_table(tmp_path / FAILURES_NAME)) == [
        {
            "scan": "bad.nii.gz",
            "kind": "truncated",
            "cause": "The file ends early.",
            "remedy": "Copy it again.",
            "stage": "read",
        }
    ]


def test_a_study_without_scans_has_a_header(tmp_path: Path) -> None:
    write_tables([], tmp_path)
    assert (tmp_path / TABLE_NAME).read_text() == PUBLISHED.replace(" ", "\t") + "\n"
    assert (tmp_path / FAILURES_NAME).read_text() == "scan\tkind\tcause\tremedy\tstage\n"
