"""Training resumes after a kill, learns, exports, and refuses leaks."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from brainsift.anatomy.labels import N_TISSUES
from brainsift.learn.anatomy.job import export_where
from brainsift.learn.anatomy.train import train_where
from brainsift.learn.export import check_equal
from brainsift.learn.label_maps import split_label_maps
from brainsift.learn.segmenter import Segmenter
from brainsift.learn.trainer import CHECKPOINT, CURVE, TrainingPlan
from brainsift.models.registry import MAX_MODEL_BYTES
from brainsift.models.session import load_onnx

KILL_AFTER_S = 180.0


def test_a_person_on_both_sides_is_refused(label_maps: Path, tmp_path: Path) -> None:
    maps = sorted(label_maps.iterdir())
    with pytest.raises(ValueError, match="validation"):
        train_where(maps, maps[:1], tmp_path, TrainingPlan())


def test_split_names_files_with_or_without_their_ending(label_maps: Path) -> None:
    split = split_label_maps(label_maps, ["person_1", "person_2_labels.nii.gz"])
    assert [p.name for p in split.training] == ["person_0_labels.nii.gz"]
    assert len(split.validation) == 2
    with pytest.raises(ValueError, match="no label map is called nobody"):
        split_label_maps(label_maps, ["nobody"])
    with pytest.raises(ValueError, match="no label map is called pers in"):
        split_label_maps(label_maps, ["person_1", "pers"])


def test_training_goes_on_from_its_checkpoint_after_a_kill(label_maps: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from brainsift.learn.anatomy.train import train_where\n"
        "from brainsift.learn.trainer import TrainingPlan\n"
        "maps = sorted(Path(sys.argv[1]).iterdir())\n"
        "train_where(maps[:2], [], Path(sys.argv[2]), TrainingPlan(validate_every=2), quiet=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(label_maps), str(tmp_path)], start_new_session=True)
    deadline = time.monotonic() + KILL_AFTER_S
    while not (tmp_path / CHECKPOINT).exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = torch.load(tmp_path / CHECKPOINT, weights_only=True)["step"]
    maps = sorted(label_maps.iterdir())
    train_where(maps[:2], [], tmp_path, TrainingPlan(steps=done + 2, validate_every=2), quiet=True)
    with (tmp_path / CURVE).open() as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["step"] == done + 2
    assert steps[-1] == done + 2
    assert steps == sorted(steps)


def test_forty_steps_lower_the_loss(label_maps: Path, tmp_path: Path) -> None:
    maps = sorted(label_maps.iterdir())
    train_where(maps[:2], [], tmp_path, TrainingPlan(steps=40, validate_every=10), quiet=True)
    with (tmp_path / CURVE).open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]


def test_export_is_small_answers_like_pytorch_and_takes_any_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Segmenter(N_TISSUES)
    for weight in model.parameters():
        weight.data += 0.02 * torch.randn_like(weight)
    torch.save({"average": model.state_dict()}, tmp_path / CHECKPOINT)
    path = export_where(tmp_path / CHECKPOINT, tmp_path / "model.onnx")
    assert path.stat().st_size < MAX_MODEL_BYTES
    check_equal(model.eval(), path, torch.rand(1, 1, 48, 32, 64))
    answer = load_onnx(path, "anatomy").run(None, {"image": np.zeros((1, 1, 16, 48, 32), np.float32)})[0]
    assert answer.shape == (1, N_TISSUES, 16, 48, 32)


def test_export_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Segmenter(N_TISSUES)
    torch.save({"average": model.state_dict()}, tmp_path / CHECKPOINT)
    path = export_where(tmp_path / CHECKPOINT, tmp_path / "anatomy.onnx")
    torch.manual_seed(1)
    with pytest.raises(RuntimeError, match="differs"):
        check_equal(Segmenter(N_TISSUES).eval(), path, torch.rand(1, 1, 32, 32, 32))
    with pytest.raises(RuntimeError, match="by nan"):
        check_equal(model.eval(), path, torch.full((1, 1, 32, 32, 32), torch.nan))
