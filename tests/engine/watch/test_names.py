"""Names for logs: the same for the same study, without a way back for others."""

from __future__ import annotations

import stat
from pathlib import Path

from brainsift.engine.watch.names import KEY_BYTES, KEY_NAME, log_key, private_name, study_key


def test_the_key_is_drawn_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = log_key(tmp_path)
    assert len(key) == KEY_BYTES
    assert log_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / KEY_NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]


def test_two_studies_call_the_same_scan_differently(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    one, other = log_key(tmp_path / "a"), log_key(tmp_path / "b")
    assert private_name(one, "sub-01") != private_name(other, "sub-01")
    assert study_key(one) != study_key(other)
    assert private_name(one, "sub-01") == private_name(one, "sub-01")


def test_a_key_that_is_cut_off_is_drawn_anew(tmp_path: Path) -> None:
    (tmp_path / KEY_NAME).write_bytes(b"short")
    assert len(log_key(tmp_path)) == KEY_BYTES
    assert log_key(tmp_path) == (tmp_path / KEY_NAME).read_bytes()


def test_a_name_that_is_no_text_has_a_private_name_too() -> None:
    assert len(private_name(b"k" * 32, "\udcff.nii")) == 16
