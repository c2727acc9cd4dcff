"""A study into one file and back, between the databases that it may live in."""

from __future__ import annotations

import json
import re
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from brainsift.store.backup.bring_back import NOTE, bring_back
from brainsift.store.backup.save import save
from brainsift.store.database import Database
from brainsift.store.errors import StoreError
from brainsift.store.record_io import record_files, write_record
from brainsift.store.reviews.acts import Stamp, record
from brainsift.store.reviews.chain import check_trail, trail_head
from brainsift.store.reviews.people import Reviewer, add_reviewer
from brainsift.store.reviews.schema import ReviewerRow, ReviewRow, SessionRow
from brainsift.store.runs import last_run
from tests.store.conftest import postgres_server, postgres_url
from tests.store.parts import an_act, done_record, failed_record
from tests.store.test_migrations import make_old

__all__ = ["postgres_server", "postgres_url"]

SCANS = (done_record(), done_record("sub-02/anat/sub-02_T1w.nii.gz", sha256="d" * 64), failed_record())
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def fill(output: Path, url: str | None) -> Path:
    """OUTPUT of a study that was sifted, and read by a person."""
    output.mkdir()
    for one in SCANS:
        write_record(one, output)
    (output / "labels.tsv").write_text("scan\n")
    (output / ".scratch" / "host-1").mkdir(parents=True)
    (output / ".scratch" / "host-1" / "half.nii").write_bytes(b"x")
    (output / "sub-01" / "anat" / "sub-01_T1w_desc-mosaic_qc.webp").write_bytes(b"picture")
    (output / "elsewhere").symlink_to("/etc")
    with Database(output, url) as database:
        database.ingest(list(SCANS))
        database.add_run(
            started=BEGAN, ended=BEGAN, software="brainsift 0", settings="{}", counts='{"done": 2}', interrupted=False
        )
        assert add_reviewer(database, Reviewer("ab", "reviewer", faces=True)) is not None
        for number, one in enumerate(SCANS[:2]):
            stamp = Stamp("ab", f"key{number}", "0" * 64, f"2026-11-21T08:00:0{number}.000000Z")
            record(database, stamp, [an_act(one.scan, f"item of {one.scan}")], until_ms=0)
    return output


def said(output: Path, url: str | None) -> list[dict[str, Any]]:
    """What people said, but for how the trail is signed."""
    signed = {"id", "study", "previous_sha256", "sha256"}
    with Database(output, url) as database, database.engine.connect() as connection:
        own = select(ReviewRow.__table__).where(ReviewRow.study == database.study)
        rows = connection.execute(own.order_by(ReviewRow.position)).mappings()
        return [{name: value for name, value in row.items() if name not in signed} for row in rows]


def assert_same(before: Path, url: str | None, after: Path, new_url: str | None) -> None:
    """The same records on disk and in the database, the same words of people, a trail that is whole."""
    files = [{p.relative_to(o).as_posix(): p.read_bytes() for p in record_files(o)} for o in (before, after)]
    assert files[0] == files[1]
    assert len(files[0]) == len(SCANS)
    with Database(before, url) as old, Database(after, new_url) as new:
        assert list(old.records()) == list(new.records())
        assert old.counts() == new.counts() == {"done": 2, "failed": 1}
        assert check_trail(new).whole
        assert last_run(new) == last_run(old)
        with new.engine.connect() as connection:
            own = select(ReviewerRow.role).where(ReviewerRow.study == new.study)
            assert connection.scalars(own).all() == ["reviewer"]
    assert said(before, url) == said(after, new_url)
    assert len(said(after, new_url)) == 2


def test_a_study_in_its_own_file_comes_back_as_it_was(tmp_path: Path) -> None:
    output, file = fill(tmp_path / "out", None), tmp_path / "study.tar.gz"
    held = save(output, file)
    assert (held.scans, held.reviews) == (3, 2)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    back = bring_back(file, tmp_path / "back")
    assert not back.signed_anew
    assert_same(output, None, tmp_path / "back", None)
    with Database(output) as old, Database(tmp_path / "back") as new:
        assert trail_head(old) == trail_head(new)


@pytest.mark.xdist_group("postgres")
def test_a_study_that_the_server_still_has_is_not_doubled(postgres_url: str, tmp_path: Path) -> None:
    output, file = fill(tmp_path / "out", postgres_url), tmp_path / "study.tar.gz"
    save(output, file, postgres_url)
    output.rename(tmp_path / "lost")
    with pytest.raises(StoreError, match="holds this study already"):
        bring_back(file, output, postgres_url)
    assert not output.exists()


@pytest.mark.xdist_group("postgres")
def test_a_server_that_was_lost_gets_the_study_back_as_it_was_signed(postgres_url: str, tmp_path: Path) -> None:
    output, file = fill(tmp_path / "out", postgres_url), tmp_path / "study.tar.gz"
    before = said(output, postgres_url)
    held = save(output, file, postgres_url)
    shutil.rmtree(output)
    (schema,) = re.findall(r"search_path%3D(\w+)", postgres_url)
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    engine.dispose()
    back = bring_back(file, output, postgres_url)
    assert not back.signed_anew
    assert back.after.sha256 == held.trail_sha256
    assert said(output, postgres_url) == before
    with Database(output, postgres_url) as database:
        assert check_trail(database).whole
        assert len(list(database.records())) == 3


@pytest.mark.xdist_group("postgres")
@pytest.mark.parametrize("way", ["to a file", "to the server", "from a file"])
def test_a_study_changes_its_database_and_the_trail_is_signed_anew(way: str, postgres_url: str, tmp_path: Path) -> None:
    url = None if way == "from a file" else postgres_url
    new_url = None if way == "to a file" else postgres_url
    output, file = fill(tmp_path / "out", url), tmp_path / "study.tar.gz"
    save(output, file, url)
    back = bring_back(file, tmp_path / "back", new_url)
    assert back.signed_anew
    assert_same(output, url, tmp_path / "back", new_url)
    note = json.loads((tmp_path / "back" / NOTE).read_text())
    assert note["trail_before"]["sha256"] == back.manifest.trail_sha256
    assert note["trail_after"]["sha256"] == back.after.sha256
    with Database(tmp_path / "back", new_url) as database, database.engine.connect() as connection:
        assert connection.scalars(select(SessionRow.name)).all() == []


def test_pictures_come_along_where_everything_is_wanted_and_scratch_and_links_never(tmp_path: Path) -> None:
    output = fill(tmp_path / "out", None)
    small, large = save(output, tmp_path / "s.tar.gz"), save(output, tmp_path / "l.tar.gz", everything=True)
    picture = "study/sub-01/anat/sub-01_T1w_desc-mosaic_qc.webp"
    assert picture not in small.files
    assert picture in large.files
    names = " ".join(large.files)
    assert ".scratch" not in names
    assert "elsewhere" not in names
    assert "study/labels.tsv" in small.files
    bring_back(tmp_path / "l.tar.gz", tmp_path / "back")
    assert (tmp_path / "back" / picture.removeprefix("study/")).read_bytes() == b"picture"


def test_a_backup_is_made_while_another_writes(tmp_path: Path) -> None:
    output = fill(tmp_path / "out", None)
    with Database(output) as busy, busy.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        held = save(output, tmp_path / "study.tar.gz")
        connection.rollback()
    assert held.scans == 3
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("out", "study.tar.gz")] == []


def test_an_older_study_is_backed_up_as_it_is_and_comes_back_up_to_date(tmp_path: Path) -> None:
    output = tmp_path / "old"
    output.mkdir()
    make_old(output, None, 1, stamped=True)
    held = save(output, tmp_path / "old.tar.gz")
    assert (held.database_version, held.scans, held.reviews) == (1, 1, 0)
    with pytest.raises(StoreError, match="upgrade"):
        Database(output)
    bring_back(tmp_path / "old.tar.gz", tmp_path / "back")
    with Database(tmp_path / "back") as database:
        assert database.counts() == {"done": 1}
