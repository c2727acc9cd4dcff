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
        (["--target", "flair.tsv"], "There are not two domains to learn from."),
        (["--source", "t1w.tsv"], "There are not two domains to learn from."),
        (
            ["--source", "t1w.tsv", "--target", "f.tsv", "--labels", "l.tsv"],
            "Two domains leave no room for other data.",
        ),
        (["--source", "t1w.tsv", "--unlabelled", "nowhere"], "There is no folder nowhere."),
        (["--source", "a.tsv", "--target", "b.tsv", "--semi", "magic"], "'magic' is no choice of --semi."),
        (["--source", "a.tsv", "--target", "b.tsv", "--from", "nothing"], "b.tsv"),
        (["--for", "FLAIR", "--labels", "labels.tsv"], "With `--for`, give `--label-maps` alone."),
        (["--for", "CT", "--label-maps", "maps"], "Scans filed as CT are not simulated."),
        (["--for", "FLAIR", "--label-maps", "maps", "--beside", "nowhere"], "There is no folder nowhere."),
        (["--for", "FLAIR", "--label-maps", "maps", "--validation", "head_99"], "head_99"),
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


def test_two_domains_are_handed_on_with_what_was_switched(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brainsift.learn.adapt import job

    handed: dict[str, Any] = {}

    def adapt(files: Any, output: Path, plan: Any, lessons: Any, **more: Any) -> Path:
        handed.update(more, files=files, plan=plan, lessons=lessons)
        return output / "quality.onnx"

    monkeypatch.setattr(job, "adapt", adapt)
    source, target = tmp_path / "t1w.tsv", tmp_path / "flair.tsv"
    options = ("--unlabelled", tmp_path, "--heads", "1", "--align", "0.5", "--semi", "pseudo", "--from", "nothing")
    answer = call("train", "quality", tmp_path / "out", "--source", source, "--target", target, *options, "--seed", "4")
    assert answer.code == Exit.DONE, answer.err
    assert (handed["files"].source, handed["files"].target, handed["files"].unlabelled) == (source, target, tmp_path)
    lessons = handed["lessons"]
    assert (lessons.two_heads, lessons.domain, lessons.semi) == (False, 0.5, "pseudo")
    assert (handed["plan"].seed, handed["plan"].steps, handed["start_from"]) == (4, 1000, None)
