"""`brainsift run`: levels and labels, exit codes, what is written and what is told."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.cli.exits import Exit, Stop
from brainsift.cli.run import split_level
from tests.cli.conftest import Call


def write_scan(path: Path, seed: int = 0) -> Path:
    """A small volume of noise: no brain in it, but a proper image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(seed).integers(1, 900, (40, 48, 40)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([4.0, 4.0, 4.0, 1.0])), path)  # type: ignore[no-untyped-call]
    return path


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A BIDS-like folder with two participants, one scan each."""
    folder = tmp_path / "in"
    write_scan(folder / "sub-01" / "anat" / "sub-01_T1w.nii.gz", 1)
    write_scan(folder / "sub-02" / "anat" / "sub-02_T1w.nii.gz", 2)
    (folder / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}', encoding="utf-8")
    return folder


def rows(output: Path) -> list[dict[str, str]]:
    """Rows of the study table."""
    with (output / "brainsift.tsv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_a_run_leaves_a_row_and_a_page_per_scan_and_tells_where_the_report_is(
    call: Call, study: Path, shelf: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    answer = call("run", study, output, "--nprocs", "1", "--shelf", shelf)
    assert answer.code == Exit.DONE, answer.err
    assert [row["status"] for row in rows(output)] == ["done", "done"]
    assert len(list(output.rglob("*_report.html"))) == 2
    assert f"Report: {output / 'index.html'}" in answer.out
    again = call("run", study, output, "--nprocs", "1", "--shelf", shelf)
    assert again.code == Exit.DONE
    assert "2 unchanged" in again.out


def test_the_page_of_a_scan_holds_its_picture(call: Call, study: Path, shelf: Path, tmp_path: Path) -> None:
    call("run", study, tmp_path / "out", "--nprocs", "1", "--shelf", shelf)
    page = next((tmp_path / "out").rglob("sub-01*_report.html")).read_text(encoding="utf-8")
    assert "data:image/webp;base64," in page


def test_a_broken_scan_makes_the_exit_code_1_and_is_named_with_cause_and_remedy(
    call: Call, study: Path, shelf: Path, tmp_path: Path
) -> None:
    whole = study / "sub-02" / "anat" / "sub-02_T1w.nii.gz"
    whole.write_bytes(whole.read_bytes()[:2000])
    answer = call("run", study, tmp_path / "out", "--nprocs", "1", "--shelf", shelf)
    assert answer.code == Exit.SCANS_FAILED
    assert "failed: sub-02/anat/sub-02_T1w.nii.gz: " in answer.err
    assert [row["status"] for row in rows(tmp_path / "out")] == ["done", "failed"]
    assert "Traceback" not in answer.err


def test_a_dry_run_tells_the_plan_and_writes_nothing(call: Call, study: Path, shelf: Path, tmp_path: Path) -> None:
    answer = call("run", study, tmp_path / "out", "--dry-run", "--shelf", shelf)
    assert answer.code == Exit.DONE
    assert "2 scans found; nothing was written." in answer.out
    assert not (tmp_path / "out").exists()


def test_participants_one_by_one_then_group_give_the_table_of_the_whole(
    call: Call, study: Path, shelf: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    for label in ("01", "sub-02"):
        answer = call("run", study, output, "participant", "--participant_label", label, "-j", "1", "--shelf", shelf)
        assert answer.code == Exit.DONE, answer.err
        assert not (output / "brainsift.tsv").exists()
    group = call("run", study, output, "group", "--shelf", shelf)
    assert group.code == Exit.DONE, group.err
    assert len(rows(output)) == 2
    assert (output / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "labels", "level", "all_labels"),
    [
        ([], [], None, []),
        (["participant"], [], "participant", []),
        (["group"], [], "group", []),
        (["participant", "02", "sub-03"], ["01"], "participant", ["01", "02", "03"]),
        (["02"], ["sub-01"], None, ["01", "02"]),
    ],
)
def test_labels_may_follow_one_option_as_bids_apps_allow(
    words: list[str], labels: list[str], level: str | None, all_labels: list[str]
) -> None:
    assert split_level(words, labels) == (level, all_labels)


@pytest.mark.parametrize("words", [["partcipant"], ["participant", "group"], ["participant", "01"]])
def test_a_word_that_is_neither_level_nor_label_is_refused(words: list[str]) -> None:
    with pytest.raises(Stop, match=f"Unexpected argument '{words[-1]}'"):
        split_level(words, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere", "out"], "is not a folder"),
        ([".", "."], "Choose another OUTPUT"),
        ([".", "out", "--task", "palmistry"], "There is no task 'palmistry'. Tasks: integrity"),
        ([".", "out", "group"], "holds no record"),
    ],
)
def test_what_the_user_can_mend_exits_with_2_and_says_how(
    call: Call, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    answer = call("run", *arguments, "--shelf", shelf)
    assert answer.code == Exit.USAGE
    assert told in answer.err.replace("\n", " ")
    assert "Traceback" not in answer.err
    assert not list(Path.cwd().iterdir())
