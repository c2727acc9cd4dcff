from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.cli.exits import Exit
from tests.cli.conftest import Call


@pytest.mark.parametrize("kind", ["motion", "noise", "contrast", "zoo"])
def test_a_kind_writes_its_tables_and_says_where(kind: str, call: Call, tmp_path: Path) -> None:
    answer = call("simulate", kind, str(tmp_path / "out"), "-n", "1", "--spacing", "4")
    assert answer.code == Exit.DONE, answer.err
    assert answer.out.strip().endswith("truth.tsv")
    assert {path.name for path in (tmp_path / "out").glob("*.tsv")} == {"truth.tsv", "labels.tsv"}
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 1


@pytest.mark.parametrize("kind", ["heads", "motion", "zoo"])
def test_a_folder_without_label_maps_is_a_mistake_of_usage(kind: str, call: Call, tmp_path: Path) -> None:
    missing = call("simulate", kind, str(tmp_path / "out"), "--label-maps", str(tmp_path / "nowhere"))
    assert missing.code == Exit.USAGE
    assert "nowhere" in missing.err
    (tmp_path / "empty").mkdir()
    empty = call("simulate", kind, str(tmp_path / "out"), "--label-maps", str(tmp_path / "empty"))
    assert empty.code == Exit.USAGE
    assert "no label map" in empty.err
