"""Microbleeds on the page of a scan and of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainsift.decide.decision import Action, Decision
from brainsift.report.microbleeds_scan import COLUMNS, GROUPS, is_shown_here, microbleeds_view
from brainsift.report.microbleeds_study import BINS, MicrobleedStudy
from brainsift.report.scan_page import scan_page
from brainsift.report.study_page import study_page
from brainsift.report.wmh_words import UNKNOWN_SITE
from brainsift.store.record import Record
from brainsift.tasks.base import Finding
from brainsift.tasks.microbleeds import words
from brainsift.tasks.microbleeds.bleeds import Bleed
from brainsift.tasks.tables import table_text
from tests.report.parts import done_record, require_sound

STEM = "sub-01/anat/sub-01_T2starw"
TABLE = f"{STEM}_desc-microbleedstable_table.tsv"

BLEED = Bleed(
    bleed=1,
    certainty="possible",
    reasons="brain_edge",
    probability=0.91,
    region="lobar",
    mars_region=None,
    side="right",
    i_voxel=1.0,
    j_voxel=2.0,
    k_voxel=3.0,
    x_mm=34.0,
    y_mm=-40.0,
    z_mm=38.0,
    mni_x_mm=None,
    mni_y_mm=None,
    mni_z_mm=None,
    diameter_mm=4.37,
    volume_mm3=43.6,
    elongation=1.2,
    contrast=0.8,
    brain_edge_mm=-2.5,
)


def numbers(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "count": 6,
        "possible_count": 2,
        "count_bin": "5 to 9",
        "lobar_count": 4,
        "deep_count": 1,
        "infratentorial_count": 1,
        "lobar_possible_count": 2,
        "deep_possible_count": 0,
        "infratentorial_possible_count": 0,
        "largest_diameter_mm": 5.2,
        "candidates": 31,
        "after_discrimination": 11,
        "after_cleanup": 8,
        "modality": "swi",
        "threshold": 0.5,
    }
    return told | changes


def record_of(site: str | None = None, action: Action = Action.ACCEPT, **changes: Any) -> Record:
    finding = Finding(
        task="microbleeds",
        label="microbleeds",
        measurements=numbers(**changes),
        evidence={"microbleeds_table": TABLE},
        model_id="tiny",
    )
    decision = Decision(task="microbleeds", action=action, rule="counted", reason="Counted.")
    before = done_record()
    return done_record(findings=(*before.findings, finding), decisions=(*before.decisions, decision), site=site)


def test_the_page_tells_counts_places_steps_and_bleeds(tmp_path: Path) -> None:
    (tmp_path / TABLE).parent.mkdir(parents=True)
    (tmp_path / TABLE).write_text(table_text(Bleed, [BLEED]))
    text = " ".join(require_sound(scan_page(record_of(), tmp_path)).text.split())
    for part in (
        "Microbleeds 6",
        "Bin 5 to 9",
        "Possible 2",
        "Largest 5.2 mm",
        "Read as SWI",
        "Lobar 4 2",
        "Places that may be bleeds 31",
        "Left after anatomy and shape 8",
        "possible lobar right 4.37 0.91 brain_edge",
        "A possible bleed is not counted",
        "table of bleeds",
    ):
        assert part in text, part


def test_without_a_table_the_page_has_the_rest(tmp_path: Path) -> None:
    view = microbleeds_view(numbers(), {}, tmp_path)
    assert view["bleeds"] == []
    assert view["files"] == []
    assert [group for group, *_ in view["regions"]] == ["Lobar", "Deep", "Infratentorial"]


def test_what_has_its_place_is_not_listed_again() -> None:
    assert {name for name in numbers() if not is_shown_here(name)} == {"threshold"}


def test_the_study_counts_scans_by_bin_and_bleeds_by_region_and_site() -> None:
    study = MicrobleedStudy()
    study.add(record_of("A"))
    study.add(record_of("A", Action.REFER, count=0, count_bin="0", lobar_count=0, deep_count=0, infratentorial_count=0))
    study.add(record_of(None, count=12, count_bin="10 and more", lobar_count=10))
    study.add(done_record())
    every, one, unknown = study.sites()
    assert (every.site, every.n, every.bins, every.regions) == ("all", 3, [1, 0, 1, 1], [14, 2, 2])
    assert (one.site, one.n, one.bins, one.referred) == ("A", 2, [1, 0, 1, 0], "50")
    assert (unknown.site, unknown.possible) == (UNKNOWN_SITE, 2)


def test_the_study_page_has_the_table_where_bleeds_were_counted(tmp_path: Path) -> None:
    text = " ".join(require_sound(study_page([record_of("A")], tmp_path)).text.split())
    assert "Scans by their number of definite microbleeds" in text
    assert "Scans by their number" not in study_page([done_record()], tmp_path)


def test_pages_and_task_use_the_same_words() -> None:
    assert BINS == words.BINS
    assert GROUPS == words.GROUPS
    assert set(COLUMNS) <= set(Bleed.__dataclass_fields__)
