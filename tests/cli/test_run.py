"""`brainsift run`: levels and labels, exit codes, what is written and what is told."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.cli.exits import Exit, Stop
from brainsift.cli.run import PLACED_SCANS, should_place, split_level
from brainsift.engine.summary import Counts, RunSummary
from brainsift.store.record_io import write_record
from tests.cli.conftest import Call
from tests.decide.parts import quality
from tests.engine.quality_parts import calibration, write_calibration
from tests.report.quality_parts import quality_records
from tests.store.parts import done_record


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
        ([".", "out", "--calibration", "gone.json"], "The calibration gone.json cannot be read"),
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


def test_the_pages_of_a_finished_study_say_where_each_scan_lies_in_it(call: Call, tmp_path: Path) -> None:
    output = tmp_path / "out"
    for record in quality_records(10):
        write_record(record, output)
    (tmp_path / "in").mkdir()
    answer = call("run", tmp_path / "in", output, "group")
    assert answer.code == Exit.DONE, answer.err
    pages = list(output.rglob("*_report.html"))
    assert len(pages) == 10
    assert all("of 10 lie below" in page.read_text(encoding="utf-8") for page in pages)


@pytest.mark.parametrize(
    ("counts", "group", "placed"),
    [
        ({"done": 1}, False, True),
        ({"redecided": 1}, False, True),
        ({"skipped": 9}, False, False),
        ({"skipped": 9}, True, True),
        ({"done": 1, "in_study": PLACED_SCANS + 1}, True, False),
    ],
)
def test_pages_are_made_again_only_when_the_study_changed_and_is_not_large(
    counts: dict[str, int], group: bool, placed: bool
) -> None:
    assert should_place(RunSummary(Counts(**{"in_study": 9, **counts})), group) is placed


def test_a_calibration_decides_again_at_the_group_level_and_the_page_says_so(call: Call, tmp_path: Path) -> None:
    output = tmp_path / "out"
    finding = quality(proper=0.8, measurements={"tier": 1, "sequence": "T1w"}, model_id="quality")
    write_record(done_record("a.nii.gz", findings=(*done_record().findings, finding)), output)
    (tmp_path / "in").mkdir()
    given = write_calibration(tmp_path / "ours.json", calibration())
    answer = call("run", tmp_path / "in", output, "group", "--calibration", given)
    assert answer.code == Exit.DONE, answer.err
    assert "1 decided again by another calibration" in answer.out
    assert rows(output)[0]["quality_decision"] == "accept"
    assert "accepted from 0.75" in (output / "a_report.html").read_text(encoding="utf-8")
