"""Training on two domains: it learns what the target lacks labels for, resumes after a kill, and exports."""

from __future__ import annotations

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

from brainsift.learn.adapt.domains import Domains
from brainsift.learn.adapt.lessons import Lessons
from brainsift.learn.adapt.measure import BAD_QUALITY, STRAIGHT_REJECT, ask_both, severe
from brainsift.learn.adapt.net import AdaptNet
from brainsift.learn.adapt.train import answers, begin_from, load_adapted, train_adapted
from brainsift.learn.quality.job import export_quality
from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.train import load_weights
from brainsift.learn.quality.truth import truth_row
from brainsift.learn.trainer import CHECKPOINT, CURVE, TrainingPlan
from brainsift.tasks.quality.network import decode

from .toys import SHAPE, domain, plan


def accuracy(weights: Path, bank: object) -> float:
    """Mean balanced accuracy of both questions on a bank."""
    said = [decode(row) for row in answers(load_adapted(weights, SHAPE), bank)]  # type: ignore[arg-type]
    return float(np.mean([asked.balanced_accuracy(bank.people).value for asked in ask_both(said, bank.truth)]))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "lessons", [Lessons(two_heads=False), Lessons(domain=0.0), Lessons(semi="both")], ids=["one", "plain", "semi"]
)
def test_every_kind_of_lesson_trains_and_writes_its_curve(lessons: Lessons, tmp_path: Path) -> None:
    domains = Domains(
        domain(tmp_path / "s", "ab", "T1w"), domain(tmp_path / "t", "c", "FLAIR"), domain(tmp_path / "u", "d", "FLAIR")
    )
    validation = domain(tmp_path / "v", "ef", "FLAIR")
    weights = train_adapted(domains, validation, tmp_path / "out", plan(4), lessons, shape=SHAPE, quiet=True)
    assert weights.name == CHECKPOINT  # eight scans are too few to choose by
    with (tmp_path / "out" / CURVE).open() as file:
        curve = list(csv.DictReader(file))
    assert [row["step"] for row in curve] == ["2", "4"]
    assert ("temperature" in curve[0]) == lessons.labels_itself
    assert 0 <= float(curve[-1]["mean_auc"]) <= 1


def test_it_learns_the_target_from_the_source_s_labels_and_a_few_of_its_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = domain(tmp_path / "s", "abcdefgh", "T1w")
    target, unlabelled = domain(tmp_path / "t", "jk", "FLAIR", bad=0.8), domain(tmp_path / "u", "lmno", "FLAIR")
    test = domain(tmp_path / "v", "pqrstuvw", "FLAIR", per_person=8)
    weights = train_adapted(
        Domains(source, target, unlabelled), None, tmp_path / "out", plan(150, 150), shape=SHAPE, quiet=True
    )
    torch.save({"average": AdaptNet(True, SHAPE.widths).state_dict()}, tmp_path / "none.pt")
    assert accuracy(weights, test) > 0.85
    assert accuracy(tmp_path / "none.pt", test) < 0.7


def test_a_training_that_was_killed_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    script = tmp_path / "go.py"
    script.write_text(
        "import sys; from pathlib import Path\n"
        "from brainsift.learn.adapt.domains import Domains\n"
        "from brainsift.learn.adapt.lessons import Lessons\n"
        "from brainsift.learn.adapt.train import train_adapted\n"
        "from brainsift.learn.quality.bank import load_bank\n"
        "from tests.learn.adapt.toys import SHAPE, plan\n"
        "root, steps = Path(sys.argv[1]), int(sys.argv[2])\n"
        "domains = Domains(load_bank(root / 's'), load_bank(root / 't'), load_bank(root / 'u'))\n"
        "train_adapted(domains, None, root / 'out', plan(steps, 5), Lessons(semi='both'), shape=SHAPE, quiet=True)\n"
    )
    for folder, people, kind in (("s", "ab", "T1w"), ("t", "c", "FLAIR"), ("u", "d", "FLAIR")):
        domain(tmp_path / folder, people, kind)
    where = Path(__file__).parents[3]
    call = [sys.executable, str(script), str(tmp_path)]
    process = subprocess.Popen([*call, "1000000"], cwd=where, env=os.environ | {"PYTHONPATH": str(where)})
    checkpoint, deadline = tmp_path / "out" / CHECKPOINT, time.monotonic() + 300
    try:
        while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert checkpoint.exists()
    reached = int(torch.load(checkpoint, weights_only=True)["step"])
    domains = Domains(
        *(domain(tmp_path / f, p, k) for f, p, k in (("s", "ab", "T1w"), ("t", "c", "FLAIR"), ("u", "d", "FLAIR")))
    )
    train_adapted(domains, None, tmp_path / "out", plan(reached + 5, 5), Lessons(semi="both"), shape=SHAPE, quiet=True)
    state = torch.load(checkpoint, weights_only=True)
    assert state["step"] == reached + 5
    with (tmp_path / "out" / CURVE).open() as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    assert steps[0] == 5
    assert steps[-1] == reached + 5
    assert steps == sorted(steps)


def test_enough_scans_kept_aside_choose_the_weights(tmp_path: Path) -> None:
    target, validation = domain(tmp_path / "t", "ab", "FLAIR"), domain(tmp_path / "v", "cdefghijkl", "FLAIR")
    assert train_adapted(Domains(target=target), validation, tmp_path / "o", plan(2), shape=SHAPE, quiet=True).name == (
        "best.pt"
    )


def test_nobody_may_be_learnt_from_and_kept_aside(tmp_path: Path) -> None:
    bank = domain(tmp_path / "t", "ab", "FLAIR")
    with pytest.raises(ValueError, match="both sides of a split"):
        train_adapted(Domains(unlabelled=bank), bank, tmp_path / "o", TrainingPlan(steps=1), shape=SHAPE, quiet=True)


def test_it_begins_from_a_quality_network_or_from_another_adaptation(tmp_path: Path) -> None:
    quality = QualityNet()
    path = tmp_path / "quality.pt"
    torch.save({"average": quality.state_dict()}, path)
    net = AdaptNet(True)
    begin_from(net, path)
    assert net.target is not None
    assert torch.equal(net.target["answer"].weight, quality.answer.weight)
    assert torch.equal(net.shared.stem[0].weight, quality.stem[0].weight)
    one = tmp_path / "one.pt"
    torch.save({"average": AdaptNet(False).state_dict()}, one)
    begin_from(net, one)
    assert torch.equal(net.target["answer"].weight, net.shared.answer.weight)
    with pytest.raises(ValueError, match="another shape"):
        begin_from(AdaptNet(True, SHAPE.widths), one)


def test_the_target_head_is_exported_as_a_quality_network(tmp_path: Path) -> None:
    from brainsift.learn.adapt.job import EXPORTED, export_target

    torch.manual_seed(0)
    net = AdaptNet(True)
    with torch.no_grad():
        assert net.target is not None
        for value in [*net.parameters(), *(b for b in net.buffers() if b.is_floating_point())]:
            value += 0.02 * torch.rand_like(value)  # equal weights would be stored once
        net.target["answer"].bias += 1.0
    torch.save({"average": net.state_dict()}, tmp_path / "weights.pt")
    path = export_target(tmp_path / "weights.pt", tmp_path)
    assert path.name == "quality.onnx"
    assert torch.allclose(load_weights(path)["answer.bias"], net.target["answer"].bias, atol=2e-3)
    assert export_quality(tmp_path / EXPORTED, tmp_path / "again.onnx").stat().st_size == path.stat().st_size


def test_the_two_questions_count_a_lost_scan_as_bad() -> None:
    rows = [
        {"proper": False},
        {"proper": True, "motion": 0.0, "noise": 0.2},
        {"proper": True, "motion": 1.6, "noise": 0.0},
        {"proper": True},
    ]
    truth = np.stack([truth_row(row) for row in rows])
    assert severe(truth).tolist() == pytest.approx([np.nan, 0.0, 1.0, np.nan], nan_ok=True)
    logits = np.full((4, 1, 15), -9.0, np.float32)
    logits[:, 0, 0] = [-9, 9, -9, 9]
    asked = {one.question: one for one in ask_both([decode(row) for row in logits], truth)}
    assert asked[STRAIGHT_REJECT].said == (True, False, True, False)
    assert asked[BAD_QUALITY].rows == (1, 2)
    assert asked[BAD_QUALITY].said == (False, True)
