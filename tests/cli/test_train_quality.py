"""`brainsift train quality`: what it refuses, and that it hands on what it was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainsift.cli.exits import Exit
from tests.cli.conftest import Call

pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "What to learn from is not clear."),
        (["--labels", "labels.tsv", "--label-maps", "."], "What to learn from is not clear."),
        (["--label-maps", "nowhere"], "There is no folder nowhere."),
        (["--label-maps", "."], "There is neither a label map nor a clean scan"),
        (["--label-maps", "maps", "--validation", "head_99"], "No label map or scan is called head_99"),
        (["--label-maps", "maps", "--from", "none.onnx"], "There is no file none.onnx."),
        (["--labels", "none.tsv", "--from", "nothing"], "none.tsv"),
    ],
)
def test_it_says_what_is_wrong_before_it_starts(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "head_01_labels.nii.gz").touch()
    answer = call("train", "quality", "out", *arguments)
    assert answer.code == Exit.USAGE
    assert told in answer.err
    assert not (tmp_path / "out" / "bank").exists()


def test_simulation_starts_from_nothing_with_a_higher_rate(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brainsift.learn.quality import job

    given: dict[str, Any] = {}

    def train(sources: Any, output: Path, plan: Any, **more: Any) -> Path:
        given.update(more, sources=sources, plan=plan)
        return output / "quality.onnx"

    monkeypatch.setattr(job, "train_and_export", train)
    (tmp_path / "head_01_labels.nii.gz").touch()
    answer = call("train", "quality", tmp_path / "out", "--label-maps", tmp_path, "--chunks", "7", "--seed", "3")
    assert answer.code == Exit.DONE, answer.err
    assert answer.out.strip().endswith("quality.onnx")
    assert given["chunks"] == 7
    assert given["start_from"] is None
    assert (given["plan"].seed, given["plan"].learning_rate, given["plan"].patience) == (3, 2e-3, None)


def test_labels_are_learnt_from_gently_and_until_nothing_is_gained(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brainsift.learn.quality import finetune

    given: dict[str, Any] = {}

    def tune(labels: Path, scans: Path, output: Path, plan: Any, **more: Any) -> Path:
        given.update(more, labels=labels, scans=scans, plan=plan)
        return output / "quality.onnx"

    monkeypatch.setattr(finetune, "fine_tune", tune)
    model = tmp_path / "mine.onnx"
    model.touch()
    labels = tmp_path / "labels.tsv"
    answer = call("train", "quality", tmp_path / "out", "--labels", labels, "--from", model, "--freeze", "extractor")
    assert answer.code == Exit.DONE, answer.err
    assert (given["scans"], given["start_from"], given["freeze"]) == (tmp_path, model, "extractor")
    assert (given["plan"].learning_rate, given["plan"].patience) == (5e-4, 6)
