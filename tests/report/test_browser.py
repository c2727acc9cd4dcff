"""The study page in a real browser: the rows that a person sees after sorting, filtering and leafing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from brainsift.report.scan_page import write_scan_page
from brainsift.report.study_page import study_page
from tests.report.parts import WICKED, Page, done_record, many_records

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Nothing but files can be reached: a page that needed a network would show it here.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
LIMIT_S = 180

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium here; `make test` installs it where it may"),
    pytest.mark.xdist_group("browser"),
]


def opened(page: Path, view: str, profile: Path) -> Page:
    """The document as it stands after the page's script ran with `view` in the address."""
    assert BROWSER is not None
    command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", f"{page.as_uri()}#{view}"]
    # The folder of a fresh profile keeps the user's own browser out of it.
    environment = {**os.environ, "HOME": str(profile)}
    done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=True, env=environment)
    return Page(done.stdout.decode("utf-8"))


def scans(page: Page) -> list[str]:
    """Numbers of the scans in the table, from top to bottom."""
    return re.findall(r"sub-(\d{4})/\s+anat", page.text.split("All scans")[1])


def shown(page: Page) -> str:
    """The line below the table."""
    found = re.search(r"\d+–\d+ of [\d,]+", page.text)  # noqa: RUF001 (an en dash is what the page writes)
    assert found
    return found.group()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 1,000 scans."""
    output = tmp_path_factory.mktemp("study")
    page = output / "index.html"
    page.write_text(study_page(many_records(1000), output), encoding="utf-8")
    return page


def test_the_first_hundred_of_a_thousand_scans_are_shown_by_name(study: Path, tmp_path: Path) -> None:
    page = opened(study, "", tmp_path)
    assert shown(page) == "1–100 of 1,000"  # noqa: RUF001
    assert scans(page) == [f"{i:04d}" for i in range(100)]


def test_sorting_filtering_and_leafing_work_together(study: Path, tmp_path: Path) -> None:
    page = opened(study, "verdict=accept&sort=brain_ml&dir=down&page=2&q=SUB-0", tmp_path)
    accepted = [i for i in range(1000) if i % 20 != 7 and i % 10 != 3]
    assert shown(page) == f"101–200 of {len(accepted)}"  # noqa: RUF001
    assert scans(page) == [f"{i:04d}" for i in accepted[::-1][100:200]]
    assert any(attributes.get("aria-sort") == "descending" for _, attributes in page.tags)


def test_empty_cells_stay_at_the_end_whichever_way_a_column_is_sorted(study: Path, tmp_path: Path) -> None:
    failed = [f"{i:04d}" for i in range(1000) if i % 20 == 7]
    for direction in ("up", "down"):
        page = opened(study, f"sort=brain_ml&dir={direction}&page=10", tmp_path / direction)
        assert scans(page)[-50:] == failed


def test_a_filter_without_a_match_says_so(study: Path, tmp_path: Path) -> None:
    assert "No scan matches." in opened(study, "q=nothing-like-it", tmp_path).text


def test_the_contact_sheet_loads_pictures_from_beside_the_page(tmp_path: Path) -> None:
    record = done_record("a #1/é ?.nii.gz", evidence={"mosaic": "a #1/é ?_mosaic.webp"})
    report = write_scan_page(record, tmp_path)
    Image.new("L", (64, 32), 128).save(tmp_path / "a #1" / "é ?_mosaic.webp", "WEBP")
    index = tmp_path / "index.html"
    index.write_text(study_page([record], tmp_path), encoding="utf-8")
    page = opened(index, "view=sheet", tmp_path / "profile")
    (picture,) = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    (tile,) = [attributes["href"] for tag, attributes in page.tags if attributes.get("class") == "tile"]
    assert picture is not None
    assert tile is not None
    assert (tmp_path / unquote(picture)).is_file()
    assert (tmp_path / unquote(tile)).resolve() == report.resolve()


def test_a_wicked_name_runs_nothing(tmp_path: Path) -> None:
    index = tmp_path / "index.html"
    record = done_record(scan=WICKED, stem="plain", reason=WICKED)
    index.write_text(study_page([record], tmp_path), encoding="utf-8")
    for number, view in enumerate(("", "view=sheet", "q=%3Cscript%3E", "sort=__proto__&verdict=constructor")):
        page = opened(index, view, tmp_path / f"profile{number}")
        title = page.pieces[next(i for i, piece in enumerate(page.pieces) if "BrainSift: " in piece)]
        assert title == "BrainSift: 1 scans"
        assert page.count("script") == 2
        assert page.count("img") == 0


def test_wicked_names_of_people_and_sites_run_nothing_on_the_page_of_a_scan(tmp_path: Path) -> None:
    record = done_record(scan=WICKED, stem="plain", participant=WICKED, session=WICKED, site=WICKED, reason=WICKED)
    page = opened(write_scan_page(record, tmp_path), "", tmp_path / "profile")
    assert "owned" not in [piece.strip() for piece in page.pieces]
    assert WICKED.replace("\u2028", " ") in page.text.replace("\u2028", " ")
    assert page.count("img") == 0
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_a_page_blocks_a_script_that_was_smuggled_in(study: Path, tmp_path: Path) -> None:
    smuggled = tmp_path / "smuggled.html"
    attack = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    smuggled.write_text(study.read_text(encoding="utf-8").replace("<h1>", attack + "<h1>"), encoding="utf-8")
    page = opened(smuggled, "", tmp_path / "profile")
    assert "BrainSift: 1,000 scans" in page.pieces
    assert "owned" not in [piece.strip() for piece in page.pieces]
    assert shown(page) == "1–100 of 1,000"  # noqa: RUF001
