"""Quality on the pages: grades, the rule of the tier, and the place of every metric in the study."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from brainsift.report.quality_scan import FEW_SCANS, NO_AIR, NO_METRICS, NO_STUDY, NOT_PROPER, quality_view
from brainsift.report.quality_study import MIN_SCANS, QualityStudy
from brainsift.report.quality_words import METRICS, TIER_RULE
from brainsift.report.scan_page import scan_page
from brainsift.report.spread import MARGIN, WIDTH, percentile, spread, strip
from brainsift.report.study_page import study_page, write_scan_pages
from brainsift.report.terminal import render_record
from brainsift.store.errors import StoreError
from brainsift.store.record_io import write_record
from brainsift.tasks.quality.metrics import NAMES
from tests.report.parts import done_record, require_sound
from tests.report.quality_parts import metrics, quality_record, quality_records


def texts(html: str) -> str:
    """The text of a page with single spaces, after a check that the page is sound."""
    return " ".join(require_sound(html).text.split())


def test_the_metrics_that_the_pages_explain_are_those_that_the_task_measures() -> None:
    assert set(METRICS) <= set(NAMES)


def test_grades_scores_tier_and_its_rule_are_on_the_page_of_the_scan(tmp_path: Path) -> None:
    text = texts(scan_page(quality_record(level=1.3), tmp_path))
    for part in (
        "Tier 2 moderate Motion 1 moderate score 1.3 · strongest in coronal slice 94",
        "Loss of contrast 1 moderate",
        TIER_RULE,
        "CJV",
        "Lower is better.",
        "0.61",
        "summary_wm_median",
        "1,000",
        NO_STUDY,
    ):
        assert part in text, part
    assert text.index("Decisions") < text.index("Tier 2") < text.index("Anatomy")


def test_the_findings_do_not_repeat_what_the_quality_section_shows(tmp_path: Path) -> None:
    text = texts(scan_page(quality_record(level=1.3), tmp_path))
    findings = text[text.index("Findings") : text.index("The file")]
    assert "Metric" not in findings
    assert "Motion score" not in findings
    assert "Gadolinium no" in findings


def test_a_scan_that_was_not_asked_has_no_quality_section(tmp_path: Path) -> None:
    assert "Image metrics" not in texts(scan_page(done_record(), tmp_path))
    assert "Image metrics" not in texts(study_page([done_record()], tmp_path))


def test_an_improper_scan_has_no_tier_and_does_not_count_among_the_grades(tmp_path: Path) -> None:
    improper = quality_record(proper=False)
    view = quality_view(improper.findings[1].measurements)
    assert (view["tier"], view["grades"], view["remark"]) == (0, [], NOT_PROPER)
    study = QualityStudy().gather([improper, quality_record(2, 1.9)])
    assert study.tiers == {3: 1}
    assert study.grades["motion"] == {2: 1}


@pytest.mark.parametrize(("level", "poor"), [(0.1, False), (1.0, False), (2.5, True)])
def test_a_metric_is_placed_among_the_scans_of_its_sequence(level: float, poor: bool) -> None:
    study = QualityStudy().gather([*quality_records(200), *quality_records(300, "FLAIR", seed=1)])
    (row,) = [r for r in quality_view(quality_record(999, level).findings[1].measurements, study)["metrics"]
              if r.title == "CJV"]  # fmt: skip
    cjv = np.array([r.findings[1].measurements["metric_cjv"] for r in quality_records(200)])
    below = 100 * np.mean(cjv < metrics(level)["metric_cjv"])
    assert row.place == f"{below:.0f} % of 200 lie below"
    assert row.poor is poor
    assert row.strip is not None
    assert row.strip.mark is not None
    assert 0 <= row.strip.mark <= WIDTH


def test_without_air_the_page_says_why_values_are_missing(tmp_path: Path) -> None:
    study = QualityStudy().gather(quality_records(50))
    text = texts(scan_page(quality_record(air=False), tmp_path, study))
    assert NO_AIR in text
    assert NO_STUDY not in text
    assert NO_AIR not in texts(scan_page(quality_record(), tmp_path, study))


def test_without_a_brain_there_are_no_metrics_and_the_page_says_so() -> None:
    record = quality_record()
    bare = {n: v for n, v in record.findings[1].measurements.items() if not n.startswith("metric_")}
    view = quality_view(bare, QualityStudy())
    assert view["notes"] == [NO_METRICS]
    assert view["metrics"] == []


def test_few_scans_give_no_place() -> None:
    study = QualityStudy().gather(quality_records(MIN_SCANS - 1))
    view = quality_view(quality_record().findings[1].measurements, study)
    assert FEW_SCANS in view["notes"]
    assert not any(row.place or row.strip for row in view["metrics"])


def test_the_slices_with_the_strongest_artefacts_are_inside_the_page(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 99).save(tmp_path / "worst.webp", "WEBP")
    page = require_sound(scan_page(quality_record(quality_evidence={"worst_slices": "worst.webp"}), tmp_path))
    assert [a["alt"] for tag, a in page.tags if tag == "img"] == ["Slices in which artefacts are strongest"]
    gone = require_sound(scan_page(quality_record(quality_evidence={"worst_slices": "gone.webp"}), tmp_path))
    assert gone.count("img") == 0


def test_no_slices_from_outside_of_the_output_folder_are_put_into_a_page(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    Image.new("L", (8, 8), 99).save(tmp_path / "worst.webp", "WEBP")
    with pytest.raises(StoreError, match="leads out"):
        scan_page(quality_record(quality_evidence={"worst_slices": "../worst.webp"}), output)


def test_the_study_page_shows_grades_tiers_and_metrics_by_grade(tmp_path: Path) -> None:
    records = [*quality_records(120), *quality_records(30, "FLAIR")]
    page = require_sound(study_page(records, tmp_path))
    text = " ".join(page.text.split())
    tiers = [record.findings[1].measurements["tier"] for record in records]
    assert f"tier 1 {tiers.count(1)} · tier 2 {tiers.count(2)} · tier 3 {tiers.count(3)}" in text
    assert TIER_RULE in text
    assert "Image metrics by grade T1w" in text
    grades = [record.findings[1].measurements["noise_grade"] for record in records[:120]]
    with_air = [g for i, g in enumerate(grades) if i % 5 != 4]
    assert f"By grade of noise. none {with_air.count(0)}" in text
    assert text.index("Distributions") < text.index("Image metrics by grade") < text.index("All scans")


def test_pages_made_from_the_records_place_every_scan(tmp_path: Path) -> None:
    for record in quality_records(12):
        write_record(record, tmp_path)
    assert write_scan_pages(tmp_path) == 12
    pages = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*_report.html")]
    assert len(pages) == 12
    assert all("of 12 lie below" in page for page in pages)


def test_the_terminal_names_the_metrics_that_the_pages_explain_and_no_others() -> None:
    console = Console(file=StringIO(), width=100)
    render_record(quality_record(level=1.3), console)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert "CJV" in text
    assert "Kurtosis of air" in text
    assert "ummary" not in text


def test_percentiles_count_equal_values_by_half() -> None:
    values = np.array([1.0, 2.0, 2.0, 3.0])
    assert [percentile(values, v) for v in (0, 1, 2, 3, 4)] == [0, 12.5, 50, 87.5, 100]


def test_a_strip_stays_inside_its_frame_and_shows_values_beyond_at_the_end() -> None:
    found = spread([float("nan"), *range(101)])
    assert found is not None
    assert found.n == 101
    drawn = strip(found, found.low, found.high, 1e9)
    assert drawn.mark == WIDTH - MARGIN
    assert drawn.median == WIDTH / 2
    assert drawn.box[1] > 0
    equal = spread([5.0] * 10)
    assert equal is not None
    assert strip(equal, equal.low, equal.high, 5.0).mark == WIDTH / 2
    assert spread([]) is None
