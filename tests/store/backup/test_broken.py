"""Backups that are not what they should be: refused, and nothing is left of the attempt."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from brainsift.store.backup.archive import ARCHIVE_VERSION, MANIFEST, checked_name, unpack
from brainsift.store.backup.bring_back import bring_back
from brainsift.store.backup.rows import check_rows
from brainsift.store.backup.save import save
from brainsift.store.database import Database
from brainsift.store.errors import StoreError
from brainsift.store.record_io import write_record
from tests.store.parts import done_record

Change = Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The backup of a study of one scan."""
    output = tmp_path / "out"
    output.mkdir()
    write_record(done_record(), output)
    with Database(output) as database:
        database.ingest([done_record()])
    save(output, tmp_path / "study.tar.gz")
    return tmp_path / "study.tar.gz"


def rewritten(archive: Path, change: Change) -> Path:
    """The archive with every member passed through `change`; None leaves it out."""
    path = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(path, "w:gz") as new:
        for member in old:
            content = old.extractfile(member)
            assert content is not None
            changed = change(member, content.read())
            if changed is not None:
                info, data = changed
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))
    return path


def refused(archive: Path, tmp_path: Path) -> StoreError:
    """Restoring fails and leaves nothing."""
    with pytest.raises(StoreError) as error:
        bring_back(archive, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    return error.value


def test_a_file_that_was_changed_is_noticed(archive: Path, tmp_path: Path) -> None:
    changed = rewritten(archive, lambda i, d: (i, d + b" ") if i.name.startswith("study/") else (i, d))
    assert refused(changed, tmp_path).kind == "broken_archive"


def test_a_file_that_is_missing_is_noticed(archive: Path, tmp_path: Path) -> None:
    assert (
        "as it was written"
        in refused(rewritten(archive, lambda i, d: None if i.name.startswith("study/") else (i, d)), tmp_path).cause
    )


def test_an_archive_without_its_end_is_noticed(archive: Path, tmp_path: Path) -> None:
    assert "cut off" in refused(rewritten(archive, lambda i, d: None if i.name == MANIFEST else (i, d)), tmp_path).cause
    half = tmp_path / "half.tar.gz"
    half.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    assert refused(half, tmp_path).kind == "broken_archive"


def test_what_is_no_archive_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "text.tar.gz").write_bytes(gzip.compress(b"not a tar" * 100))
    assert refused(tmp_path / "text.tar.gz", tmp_path).kind == "broken_archive"
    (tmp_path / "plain.tar.gz").write_bytes(b"nothing")
    assert refused(tmp_path / "plain.tar.gz", tmp_path).kind == "broken_archive"


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../up", "study/../../up", "elsewhere/x", "study", "study/a\\b", "study/a\0b", "", "study//../x"],
)
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no file of the name"):
        checked_name(name)


def test_a_member_that_leads_out_writes_nothing(archive: Path, tmp_path: Path) -> None:
    def outwards(info: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name.startswith("study/"):
            info.name = "study/../../escaped"
        return info, data

    assert refused(rewritten(archive, outwards), tmp_path).kind == "broken_archive"
    assert not list(tmp_path.rglob("escaped"))


def test_a_link_is_refused(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "link.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        link = tarfile.TarInfo("study/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert refused(path, tmp_path).kind == "broken_archive"


def test_a_newer_archive_is_left_to_a_newer_program(archive: Path, tmp_path: Path) -> None:
    def newer(info: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name != MANIFEST:
            return info, data
        return info, json.dumps({**json.loads(data), "version": ARCHIVE_VERSION + 1}).encode()

    assert refused(rewritten(archive, newer), tmp_path).kind == "newer_archive"


def test_a_folder_with_files_is_not_touched(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    with pytest.raises(StoreError, match="holds files"):
        bring_back(archive, tmp_path / "full")
    assert (tmp_path / "full" / "mine").read_text() == "x"


def test_an_empty_folder_is_empty_again_after_a_failure(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError):
        bring_back(rewritten(archive, lambda i, d: None if i.name == MANIFEST else (i, d)), tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_review_that_was_changed_is_noticed() -> None:
    with pytest.raises(StoreError, match="Review 1"):
        check_rows([{"position": 1, "previous_sha256": "0" * 64, "sha256": "0" * 64}])


def test_a_backup_does_not_lie_in_what_it_backs_up_and_needs_a_study(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="lies in the study"):
        save(tmp_path / "out", tmp_path / "out" / "b.tar.gz")
    (tmp_path / "none").mkdir()
    with pytest.raises(StoreError, match="holds no study"):
        save(tmp_path / "none", tmp_path / "b.tar.gz")


def test_the_database_in_it_is_one_file_that_others_can_read(archive: Path, tmp_path: Path) -> None:
    unpack(archive, tmp_path / "unpacked")
    folder = tmp_path / "unpacked" / "database"
    with closing(sqlite3.connect(folder / "brainsift.db")) as connection:
        assert connection.execute("SELECT count(*) FROM scans").fetchone() == (1,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [path.name for path in folder.iterdir()] == ["brainsift.db"]
