"""What travels between machines that share nothing: whole, in its place, and unread by logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.engine.cluster.errand import Errand, Freight, load_inputs, moved, pack, unpack
from brainsift.engine.content import content_sha256
from brainsift.engine.job import Job
from brainsift.scans.ref import ScanRef
from brainsift.store.errors import StoreError


def series(folder: Path) -> ScanRef:
    """Files of two folders, two of which have the same name."""
    paths = tuple(folder / where / name for where in ("one", "two") for name in ("a.dcm", "b.dcm"))
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"Doe^John" + bytes([number]))
    return ScanRef("one", "one", "dicom", paths, 36, 1, sidecar=folder / "one" / "a.json")


def test_a_scan_arrives_as_it_was_sent(tmp_path: Path) -> None:
    ref = series(tmp_path / "here")
    (tmp_path / "here/one/a.json").write_text("{}")
    there = tmp_path / "there"
    there.mkdir()
    unpack(load_inputs(ref), there)
    arrived = moved(ref, there)
    assert content_sha256(arrived) == content_sha256(ref) is not None
    assert arrived.sidecar is not None
    assert arrived.sidecar.read_text() == "{}"
    assert all(path.is_relative_to(there) for path in arrived.paths)
    assert (arrived.scan, arrived.stem, arrived.mtime_ns) == (ref.scan, ref.stem, ref.mtime_ns)


def test_a_scan_that_vanished_is_not_sent(tmp_path: Path) -> None:
    ref = series(tmp_path)
    ref.paths[0].unlink()
    with pytest.raises(FileNotFoundError):
        load_inputs(ref)


def test_what_was_written_comes_back_in_its_folders_without_what_is_left_out(tmp_path: Path) -> None:
    for name in ("sub-01/anat/a_mosaic.webp", "sub-01/anat/a_qc.json", "b.html"):
        path = tmp_path / "from" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    freight = pack(tmp_path / "from", [tmp_path / "from/sub-01/anat/a_qc.json"])
    (tmp_path / "to").mkdir()
    unpack(freight, tmp_path / "to")
    found = {path.relative_to(tmp_path / "to").as_posix() for path in (tmp_path / "to").rglob("*") if path.is_file()}
    assert found == {"sub-01/anat/a_mosaic.webp", "b.html"}


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "link/out.txt"])
def test_no_file_is_written_outside_its_folder_whatever_a_worker_sends(name: str, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "link").symlink_to(tmp_path)
    with pytest.raises(StoreError) as refusal:
        unpack(Freight({name: b"x"}), tmp_path / "to")
    assert refusal.value.kind == "outside_output"
    assert not (tmp_path / "out.txt").exists()


def test_logs_that_quote_an_errand_quote_no_byte_of_a_scan(tmp_path: Path) -> None:
    ref = series(tmp_path)
    (tmp_path / "one/a.json").write_text("Doe^John")
    errand = Errand("token", Job(ref), before=Freight({"a": b"Doe"}), inputs=load_inputs(ref))
    assert "Doe" not in repr(errand)
    assert "Doe" not in str(errand)
