"""White-matter hyperintensities on the page of a scan and of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainsift.anatomy.regions import JUXTACORTICAL_MM, PERIVENTRICULAR_MM
from brainsift.decide.decision import Action, Decision
from brainsift.report.scan_page import scan_page
from brainsift.report.study_page import study_page
from brainsift.report.wmh_scan import LISTED_LESIONS, is_shown_here, wmh_view
from brainsift.report.wmh_study import WmhStudy
from brainsift.report.wmh_words import GRADES, REGIONS, UNKNOWN_SITE
from brainsift.store.record import Record
from brainsift.tasks.base import Finding
from brainsift.tasks.tables import table_text
from brainsift.tasks.wmh.grades import DEEP_STEPS_MM, PERIVENTRICULAR_STEPS_MM
from brainsift.tasks.wmh.lesions import Lesion, list_lesions
from brainsift.tasks.wmh.places import Region
from brainsift.tasks.wmh.task import measurements
from tests.report.parts import done_record, require_sound
from tests.tasks.wmh.scene import anatomy, measured, volume

STEM = "sub-01/anat/sub-01_T1w"
TABLE = f"{STEM}_desc-wmhlesions_table.tsv"


def numbers(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "volume_ml": 8.0,
        "volume_icv_percent": 0.53,
        "count": 14,
        "periventricular_ml": 5.0,
        "juxtacortical_ml": 0.5,
        "deep_ml": 2.0,
        "infratentorial_ml": 0.5,
        "fazekas_periventricular_derived": 2,
        "fazekas_deep_derived": 1,
        "periventricular_thickness_mm": 7.5,
        "deep_diameter_mm": 8.1,
        "volume_low_ml": 6.1,
        "volume_high_ml": 10.4,
        "uncertain_share": 0.2,
        "threshold": 0.5,
    }
    return told | changes


def record_of(site: str | None = None, action: Action = Action.ACCEPT, **changes: Any) -> Record:
    finding = Finding(
        task="wmh", label="lesions", measurements=numbers(**changes), evidence={"wmh_lesions": TABLE}, model_id="tiny"
    )
    decision = Decision(task="wmh", action=action, rule="measured", reason="Measured.")
    before = done_record()
    return done_record(findings=(*before.findings, finding), decisions=(*before.decisions, decision), site=site)


def test_the_page_tells_volume_regions_grades_and_lesions(tmp_path: Path) -> None:
    found = measured()
    (tmp_path / TABLE).parent.mkdir(parents=True)
    lesions = list_lesions(found.marked, found.places, volume().input_grid, None)
    (tmp_path / TABLE).write_text(table_text(Lesion, lesions * 4))
    text = " ".join(require_sound(scan_page(record_of(), tmp_path)).text.split())
    for part in (
        "White-matter hyperintensities",
        "Volume 8 mL",
        "Of the intracranial volume 0.53 %",
        "At other thresholds 6.1 to 10.4 mL",
        "Periventricular 5 mL",
        "2: 5 to 10 mm",
        "thickness 7.5 mm",
        "1: below 10 mm",
        "derived from sizes in the mask",
        "table of lesions",
        str(lesions[0].volume_mm3),
    ):
        assert part in text, part
    assert text.count("n/a") == 3 * LISTED_LESIONS


def test_regions_share_the_total_and_nothing_has_no_share(tmp_path: Path) -> None:
    bars = wmh_view(numbers(), {}, tmp_path)["regions"]
    assert [bar.share for bar in bars] == [62.5, 6.2, 25.0, 6.2]
    empty = wmh_view(numbers(volume_ml=0.0, **{f"{name}_ml": 0.0 for name in REGIONS}), {}, tmp_path)["regions"]
    assert [bar.share for bar in empty] == [0.0] * 4


def test_what_is_shown_here_is_not_listed_again() -> None:
    told = measurements(measured(()), anatomy())
    assert [name for name in told if not is_shown_here(name)] == []


def test_words_follow_the_definitions_of_the_task() -> None:
    assert list(REGIONS) == [region.word for region in Region]
    assert f"{PERIVENTRICULAR_MM:.0f} mm" in REGIONS["periventricular"][1]
    assert f"{JUXTACORTICAL_MM:.0f} mm" in REGIONS["juxtacortical"][1]
    for place, steps in (("periventricular", PERIVENTRICULAR_STEPS_MM), ("deep", DEEP_STEPS_MM)):
        for grade, step in enumerate(steps, start=1):
            assert f"{step:.0f} mm" in GRADES[place][grade]


@pytest.mark.parametrize("content", ["", "lesion\tregion\n", "\xff\xfe", None])
def test_a_table_that_is_not_ours_is_left_out(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / TABLE
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    assert wmh_view(numbers(), {"wmh_lesions": TABLE}, tmp_path)["lesions"] == []


def test_pictures_are_in_the_page_and_lines_lie_over_them(tmp_path: Path) -> None:
    paths = {"wmh_slices": f"{STEM}_a.webp", "wmh_slices_outline": f"{STEM}_b.webp"}
    for path in paths.values():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"RIFF" + path.encode())
    one = record_of()
    findings = tuple(f.model_copy(update={"evidence": paths}) if f.task == "wmh" else f for f in one.findings)
    page = require_sound(scan_page(one.model_copy(update={"findings": findings}), tmp_path))
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert [image.get("class") for image in images] == [None, "outline"]


def test_a_study_counts_volumes_by_site_and_grades() -> None:
    study = WmhStudy()
    for site, ml, action in (("A", 0.0, Action.ACCEPT), ("A", 4.0, Action.REFER), ("A", 2.0, Action.ACCEPT)):
        study.add(record_of(site, action, volume_ml=ml))
    study.add(record_of(None, volume_ml=30.0, fazekas_deep_derived=3))
    study.add(done_record())
    every, first, second = study.sites()
    assert (every.site, every.n, every.free, every.median, every.largest, every.referred) == (
        "all", 4, 1, "3", "30", "25",
    )  # fmt: skip
    assert (first.site, first.n, first.median, first.quartiles, first.referred) == ("A", 3, "2", "1 to 3", "33")
    assert (second.site, second.n) == (UNKNOWN_SITE, 1)
    grades = dict(study.grades())
    assert [count for _, count in grades["Deep"]] == [0, 3, 0, 1]


def test_the_study_page_has_the_section_only_where_it_was_asked(tmp_path: Path) -> None:
    with_lesions = require_sound(study_page([record_of("A")], tmp_path)).text
    assert "Fazekas-like" in with_lesions
    assert "White-matter hyperintensities median 8 mL · n = 1" in " ".join(with_lesions.split())
    assert "Fazekas-like" not in require_sound(study_page([done_record()], tmp_path)).text
