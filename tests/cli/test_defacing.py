"""`brainsift defacing` and `brainsift train defacing`: what they refuse, and what they tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.cli.exits import Exit
from brainsift.decide.decision import Action
from brainsift.store.database import Database
from tests.cli.conftest import Call
from tests.engine.defacing.study import Study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Two failures and one scan that a person passed."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.toml").write_text(f'input = "{tmp_path / "in"}"\n')
    with Database(tmp_path / "out") as database:
        made = Study(tmp_path / "in", tmp_path / "out", database)
        made.add("a_T1w.nii", Action.REJECT, seed=1, label="excessive")
        made.add("b_T1w.nii", Action.REJECT, seed=2, label="insufficient", flags=("nose",))
        made.say("c_T1w.nii", made.add("c_T1w.nii", seed=3), "correct")
    return made


def test_remedy_tells_the_groups_and_writes_the_list(call: Call, study: Study) -> None:
    answer = call("defacing", "remedy", str(study.output))
    assert answer.code == Exit.DONE
    assert "move_away_from_brain: 1 scans." in answer.out
    assert "fsl_deface IN OUT -nud 0 -5 5" in answer.out
    assert (study.output / "defacing_remedy.tsv").is_file()


def test_release_copies_what_was_passed_and_bounds_what_is_left(call: Call, study: Study, tmp_path: Path) -> None:
    answer = call("defacing", "release", str(study.output), str(tmp_path / "public"))
    assert answer.code == Exit.DONE
    assert "1 scans were released" in answer.out
    assert "nothing bounds" in answer.out
    assert (tmp_path / "public" / "c_T1w.nii").read_bytes() == (study.source / "c_T1w.nii").read_bytes()


def test_release_of_a_changed_file_fails(call: Call, study: Study, tmp_path: Path) -> None:
    with (study.source / "c_T1w.nii").open("ab") as file:
        file.write(b"\0")
    answer = call("defacing", "release", str(study.output), str(tmp_path / "public"))
    assert answer.code == Exit.SCANS_FAILED
    assert "withheld: c_T1w.nii" in answer.err
    assert not (tmp_path / "public" / "c_T1w.nii").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["remedy", "nowhere"], "nowhere holds no study."),
        (["release", "nowhere", "public"], "nowhere holds no study."),
        (["remedy", "out", "--command", "tool {input} {output}"], "A command without --run does nothing."),
        (["remedy", "out", "--run", "--command", "tool {input}"], "The command must say where {output} go"),
        (["remedy", "out", "--only", "magic"], "There is no kind of remedy 'magic'."),
        (["release", "out", "public", "--input", "nowhere"], "INPUT was not found."),
        (["release", "out", "out/public"], "lie in each other"),
    ],
)
def test_what_cannot_work_is_refused(
    call: Call, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = call("defacing", *arguments)
    assert answer.code == Exit.USAGE
    assert told in answer.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--label-maps", "nowhere"], "There is no folder nowhere."),
        (["--label-maps", "maps", "--validation", "head_99"], "No label map is called head_99"),
        (["--label-maps", "maps", "--exclude", "scissors"], "scissors"),
        (["--label-maps", "empty"], "There is no label map in"),
    ],
)
def test_training_says_what_is_wrong_before_it_starts(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maps").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "maps" / "head_01_labels.nii.gz").touch()
    answer = call("train", "defacing", "out", *arguments)
    assert answer.code == Exit.USAGE
    assert told in answer.err
    assert not (tmp_path / "out" / "bank").exists()
