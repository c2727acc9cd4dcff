"""What decisions rest on, where it was decided for, and what was not asked: on the pages."""

from __future__ import annotations

from pathlib import Path

from brainsift.decide.drift import BATCH
from brainsift.decide.stored import Direction
from brainsift.report.basis_words import LOST, PROVISIONAL, basis_view
from brainsift.report.scan_page import scan_page
from brainsift.report.study_page import study_page
from brainsift.store.basis import Bases
from tests.report.parts import done_record, require_sound
from tests.report.quality_parts import quality_record
from tests.report.test_study_page import rows_of
from tests.store.test_basis import calibration, keep, scores

DIGEST = "ab" * 32


def text_of(html: str) -> str:
    """The text of a sound page with single spaces."""
    return " ".join(require_sound(html).text.split())


def test_a_scan_says_by_which_calibration_and_for_which_site_it_was_decided(tmp_path: Path) -> None:
    text = text_of(scan_page(quality_record(calibrations={"quality": DIGEST}, site="north"), tmp_path))
    assert f"Calibration {DIGEST[:12]}" in text
    assert f"Calibration quality {DIGEST}" in text
    assert "Site north" in text
    assert "Calibration" not in text_of(scan_page(quality_record(), tmp_path))


def test_a_question_that_was_left_out_is_on_the_page_with_the_reason(tmp_path: Path) -> None:
    left_out = done_record(not_asked={"quality": "It is a mask, not an image."})
    text = text_of(scan_page(left_out, tmp_path))
    assert "Not asked Quality It is a mask, not an image." in text
    assert "Not asked" not in text_of(scan_page(done_record(), tmp_path))


def test_the_study_counts_what_was_not_asked_and_why(tmp_path: Path) -> None:
    many = [done_record(f"{i}.nii.gz", not_asked={"quality": f"Reason {'abcdefghi'[i % 9]}."}) for i in range(20)]
    page = require_sound(study_page([*many, done_record("last.nii.gz")], tmp_path))
    text = " ".join(page.text.split())
    assert "Reason a. 3 Reason b. 3 Reason c. 2" in text
    assert "Other reasons. 6" in text
    columns = {column["name"]: column for column in rows_of(page)["columns"]}
    assert columns["not_asked"]["levels"] == ["Quality"]
    assert columns["not_asked"]["values"] == [0] * 20 + [-1]


def test_reasons_that_differ_in_a_number_alone_are_one(tmp_path: Path) -> None:
    why = "About {}% of the brain lies outside the field of view."
    many = [done_record(f"{i}.nii.gz", not_asked={"quality": why.format(30 + i)}) for i in range(9)]
    assert f"{why.format('…')} 9" in text_of(study_page(many, tmp_path))


def test_what_makes_a_scan_unlike_the_training_is_told_with_its_quality(tmp_path: Path) -> None:
    record = quality_record()
    told = {"out_of_distribution": "38% of the slices look improper"}
    finding = record.findings[1].model_copy(
        update={"flags": tuple(told), "measurements": {**record.findings[1].measurements, **told}}
    )
    text = text_of(scan_page(record.model_copy(update={"findings": (record.findings[0], finding)}), tmp_path))
    assert "? Unlike what the network learnt from 38% of the slices look improper" in text
    assert text.count("38% of the slices") == 1
    assert "Unlike what the network" not in text_of(scan_page(record, tmp_path))


def test_sites_are_counted_and_can_be_filtered_by(tmp_path: Path) -> None:
    records = [done_record(f"{i}.nii.gz", site="north" if i < 3 else "south") for i in range(5)]
    page = require_sound(study_page(records, tmp_path))
    assert "Sites north 3 south 2" in " ".join(page.text.split())
    rows = rows_of(page)
    assert "site" in rows["filters"]
    assert {c["name"] for c in rows["columns"]} >= {"site"}
    assert "Sites" not in text_of(study_page([done_record()], tmp_path))


def test_provisional_thresholds_are_called_so_in_the_study(tmp_path: Path) -> None:
    assert f"Thresholds 3 scans. {PROVISIONAL}" in text_of(study_page(scores(3, 0.5, None), tmp_path))


def test_the_study_says_what_its_calibration_promises_and_that_nothing_has_changed(tmp_path: Path) -> None:
    digest = keep(tmp_path, calibration())
    page = require_sound(study_page(scores(BATCH, 0.5, digest), tmp_path))
    text = " ".join(page.text.split())
    assert f"Calibration {digest[:12]} 100 scans. Calibrated on 150 labelled people." in text
    assert "Promise: of the accepted at most 5 % are wrong, with 95 % confidence." in text
    assert "Drift: no alarm in 1 look at 100 people" in text
    assert "! Drift" not in text


def test_drift_is_said_at_the_top_with_what_to_do(tmp_path: Path) -> None:
    digest = keep(tmp_path, calibration())
    text = text_of(study_page(scores(BATCH, 0.0, digest), tmp_path))
    assert "The scans have changed since Quality was calibrated" in text
    assert text.index("! Drift") < text.index("Distributions" if "Distributions" in text else "Decisions")
    assert "brainsift calibrate quality OUTPUT --labels labels.tsv" in text


def test_a_direction_without_a_promise_is_not_called_one(tmp_path: Path) -> None:
    spoken = calibration()
    weak = spoken.pooled.model_copy(
        update={
            "accept": Direction(threshold=0.95, provisional=True, alpha=0.05),
            "reject": Direction(threshold=None, provisional=True, alpha=0.05),
        }
    )
    digest = keep(tmp_path, spoken.model_copy(update={"pooled": weak}))
    (basis,) = Bases(tmp_path).gather(scores(2, 0.5, digest)).found()
    lines = basis_view(basis).lines
    assert "What is accepted rests on a provisional threshold." in lines
    assert "None is rejected: the labels spoke against it." in lines
    assert not any(line.startswith("Promise") for line in lines)


def test_a_calibration_whose_file_is_gone_is_said_to_be(tmp_path: Path) -> None:
    (basis,) = Bases(tmp_path).gather(scores(2, 0.5, "f" * 64)).found()
    assert LOST in basis_view(basis).lines
