"""The page of one scan."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from PIL import Image

from brainsift.anatomy.pictures import OUTLINES
from brainsift.decide.decision import Action
from brainsift.report.scan_page import LEGEND, scan_page, write_scan_page
from brainsift.store.errors import StoreError
from brainsift.store.record import InputFacts
from brainsift.tasks.base import Finding
from tests.report.parts import WICKED, done_record, failed_record, require_sound


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, str]:
    """Two small pictures in OUTPUT, as evidence of a record."""
    evidence = {"mosaic": "a_mosaic.webp", "mosaic_outline": "a_outline.webp"}
    for grey, name in zip((40, 80), evidence.values(), strict=True):
        Image.new("L", (8, 8), grey).save(tmp_path / name, "WEBP")
    return evidence


def test_every_fact_of_the_record_is_on_the_page(tmp_path: Path) -> None:
    page = require_sound(scan_page(done_record(), tmp_path))
    for fact in (
        "sub-01/anat/sub-01_T1w.nii.gz",
        "baseline",
        "nifti1",
        "12.3 MB",
        "int16",
        "256 x 240 x 176 voxels",
        "0.9 x 1.1 x 1.25 mm",
        "The qform was used because the sform was empty.",
        "Repetition time",
        "2.3 s",
        "3 T",
        "1,234 mL",
        "1,501 mL",
        "1.2 %",
        "141 mL",
        "A sound 3D image.",
        "87.3 %",
        "0.4 %",
        "name_disagrees",
        "sorter-2",
        "Accepted",
        "It is whole.",
        "cut_share",
        "0.02",
        "Provisional",
        "anatomy-1",
        "a1" * 32,
        "b2" * 32,
        "c3" * 32,
        "brainsift 0.1.0",
        "1.2 s",
        "310 ms",
        "620 ms",
        "How to read this",
    ):
        assert fact in page.text, fact


def test_a_decision_that_a_site_has_confirmed_is_not_called_provisional(tmp_path: Path) -> None:
    (decision,) = done_record().decisions
    confirmed = done_record(decisions=(decision.model_copy(update={"provisional": False}),))
    assert "Provisional" not in require_sound(scan_page(confirmed, tmp_path)).text


def test_the_page_is_beside_the_record_and_leads_home(tmp_path: Path) -> None:
    path = write_scan_page(done_record(), tmp_path)
    assert path == tmp_path / "sub-01" / "anat" / "sub-01_T1w_report.html"
    home = require_sound(path.read_text(encoding="utf-8")).addresses()[0]
    assert (path.parent / home).resolve() == tmp_path / "index.html"


def test_pictures_are_inside_the_page(tmp_path: Path, pictures: dict[str, str]) -> None:
    html = scan_page(done_record(evidence=pictures), tmp_path)
    page = require_sound(html)
    assert page.count("img") == 2
    for name in pictures.values():
        assert base64.b64encode((tmp_path / name).read_bytes()).decode() in html
        assert name not in page.addresses()


def test_a_picture_that_is_gone_is_said_to_be_missing(tmp_path: Path) -> None:
    page = require_sound(scan_page(done_record(evidence={"mosaic": "gone.webp"}), tmp_path))
    assert page.count("img") == 0
    assert "There is no picture of this scan." in page.text


def test_no_picture_from_outside_of_the_output_folder_is_put_into_a_page(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "secret.webp", "WEBP")
    with pytest.raises(StoreError, match="out of the output folder"):
        scan_page(done_record(evidence={"mosaic": "../secret.webp"}), output)


def test_a_failed_scan_shows_cause_remedy_and_no_picture(tmp_path: Path, pictures: dict[str, str]) -> None:
    page = require_sound(scan_page(failed_record(evidence=pictures), tmp_path))
    for text in ("Failed", "The file ends early.", "Copy it again.", "truncated", "read"):
        assert text in page.text
    assert page.count("img") == 0


def test_a_scan_without_a_brain_has_a_blurred_picture_without_outlines(
    tmp_path: Path, pictures: dict[str, str]
) -> None:
    page = require_sound(scan_page(done_record(evidence=pictures, anatomy={"has_brain": False}), tmp_path))
    assert page.count("img") == 1
    assert "blurred" in page.text
    assert "white matter and cortex border" not in page.text


def test_wicked_text_stays_text_wherever_it_comes_from(tmp_path: Path) -> None:
    wicked = done_record(
        scan=WICKED,
        stem="plain",
        participant=WICKED,
        session=WICKED,
        suffix=WICKED,
        reason=WICKED,
        input=InputFacts(format=WICKED, size=1, fingerprint="1:1", header={WICKED: WICKED}, repairs=(WICKED,)),
        anatomy={WICKED: WICKED},
        findings=(
            Finding(
                task=WICKED,
                label=WICKED,
                reason=WICKED,
                flags=(WICKED,),
                measurements={WICKED: WICKED},
                evidence={WICKED: WICKED},
            ),
        ),
        models={WICKED: WICKED},
        software=WICKED,
    )
    page = require_sound(scan_page(wicked, tmp_path))
    assert page.count("script") == 0
    assert page.count("img") == 0
    assert page.text.count(WICKED) >= 14


def test_wicked_failures_stay_text(tmp_path: Path) -> None:
    failure = failed_record().failure
    assert failure is not None
    wicked = failure.model_copy(update=dict.fromkeys(("kind", "cause", "remedy", "stage"), WICKED))
    page = require_sound(scan_page(failed_record(failure=wicked), tmp_path))
    assert page.count("script") == 0
    assert page.text.count(WICKED) >= 4


def test_the_legend_has_the_colours_of_the_outlines() -> None:
    drawn = {outline.name: "#{:02x}{:02x}{:02x}".format(*outline.colour) for outline in OUTLINES}
    assert drawn == LEGEND


def test_the_most_urgent_decision_gives_the_verdict(tmp_path: Path) -> None:
    (sure,) = done_record().decisions
    unsure = sure.model_copy(update={"task": "quality", "action": Action.REFER, "reason": "Motion is hard to tell."})
    page = require_sound(scan_page(done_record(decisions=(sure, unsure)), tmp_path))
    title = page.pieces[page.pieces.index("Needs a person: sub-01/anat/sub-01_T1w.nii.gz")]
    assert title.startswith("Needs a person")
    assert "Motion is hard to tell." in page.text


@pytest.mark.parametrize(
    ("other", "step"), [(Action.ACCEPT, "brainsift defacing remedy"), (Action.REJECT, "Leave it out")]
)
def test_what_only_its_face_is_in_the_way_of_is_to_be_defaced(other: Action, step: str, tmp_path: Path) -> None:
    (first,) = done_record().decisions
    face = first.model_copy(update={"task": "defacing", "action": Action.REJECT})
    page = require_sound(scan_page(done_record(decisions=(first.model_copy(update={"action": other}), face)), tmp_path))
    assert step in page.text
