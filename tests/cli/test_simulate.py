from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.cli.exits import Exit
from tests.cli.conftest import Call
from tests.simulate.phantom import write_phantom


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


def test_deface_writes_scans_beside_their_originals(call: Call, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    for i, size in enumerate((0.96, 1.04)):
        write_phantom(tmp_path / "maps" / f"head_{i}.nii.gz", size)
    common = (str(tmp_path / "out"), "--label-maps", str(tmp_path / "maps"), "-n", "1", "--spacing", "4")
    answer = call("simulate", "deface", *common, "--tool", "plane")
    assert answer.code == Exit.DONE, answer.err
    assert answer.out.strip().endswith("truth.tsv")
    assert {path.name for path in (tmp_path / "out").glob("*.tsv")} == {"truth.tsv", "labels.tsv", "originals.tsv"}
    assert (tmp_path / "out" / "originals" / "deface_0001.nii.gz").is_file()
    wrong = call("simulate", "deface", *common, "--tool", "axe")
    assert wrong.code == Exit.USAGE
    assert "axe" in wrong.err


def test_wmh_writes_scans_masks_and_tables(call: Call, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    write_phantom(tmp_path / "maps" / "head.nii.gz", 1.0)
    common = ("simulate", "wmh", str(tmp_path / "out"), "-n", "1", "--spacing", "3")
    answer = call(*common, "--label-maps", str(tmp_path / "maps"))
    assert answer.code == Exit.DONE, answer.err
    assert answer.out.strip().endswith("truth.tsv")
    assert (tmp_path / "out" / "masks" / "wmh_0001_truth.nii.gz").is_file()
    missing = call(*common, "--lesion-masks", str(tmp_path / "nowhere"))
    assert missing.code == Exit.USAGE
    assert "nowhere" in missing.err
    empty = call(*common, "--lesion-masks", str(tmp_path / "maps"), "--label-maps", str(tmp_path / "out" / "masks"))
    assert empty.code == Exit.USAGE


def test_microbleeds_writes_scans_masks_points_and_tables(call: Call, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    write_phantom(tmp_path / "maps" / "head.nii.gz", 1.0)
    common = ("simulate", "microbleeds", str(tmp_path / "out"), "--label-maps", str(tmp_path / "maps"), "-n", "1")
    answer = call(*common, "--spacing", "3", "--modality", "gre", "--modality", "qsm")
    assert answer.code == Exit.DONE, answer.err
    assert answer.out.strip().endswith("truth.tsv")
    assert {path.name for path in (tmp_path / "out").glob("*.tsv")} == {"truth.tsv", "labels.tsv", "bleeds.tsv"}
    scans = {path.name for path in (tmp_path / "out").glob("*.nii.gz")}
    assert scans == {"bleeds_0001_T2starw.nii.gz", "bleeds_0001_Chimap.nii.gz"}
    wrong = call(*common, "--modality", "flair")
    assert wrong.code == Exit.USAGE
    assert "flair" in wrong.err
