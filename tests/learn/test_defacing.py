"""Learning what a good defacing looks like: truth, changes that keep it, bank, training, temperature, export, card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from brainsift.learn.defacing.bank import Bank, Example, load_bank, write_chunk
from brainsift.learn.defacing.batches import MIRRORED, Changes, batches, change, compose, whole
from brainsift.learn.defacing.build import plan_chunks
from brainsift.learn.defacing.job import MODEL_FILE, export_and_measure, find_sources
from brainsift.learn.defacing.measure import ask_all, figures, largest_coverage
from brainsift.learn.defacing.net import DefacingNet
from brainsift.learn.defacing.train import answers, best_temperature, load_model, network_for, train_defacing
from brainsift.learn.defacing.truth import COLUMNS, defacing_loss, truth_row
from brainsift.learn.people import person_of
from brainsift.learn.trainer import TrainingPlan
from brainsift.models.registry import MAX_MODEL_BYTES
from brainsift.tasks.defacing.network import (
    BLANK_SIGNALS,
    CLASSES,
    LAYERS,
    N_OUTPUTS,
    OUTPUTS,
    PLANES,
    ROWS,
    SIGNAL_NAMES,
    VALUE_ROW,
    VIEWS,
)
from brainsift.tasks.defacing.network import COLUMNS as PIXELS

PLAN = TrainingPlan(steps=2, validate_every=1, threads=1)
SHAPE = (len(VIEWS) * len(LAYERS), ROWS, PIXELS)
STILL = Changes(False, (0, 0), (False,) * len(VIEWS), False, np.zeros(len(SIGNAL_NAMES), np.bool_), 1.0)


def toy_bank(folder: Path, people: str) -> Bank:
    """A bright square for each class in a place of its own."""
    for person in people:
        made = []
        for number, label in enumerate(CLASSES):
            planes = np.zeros(SHAPE, np.uint8)
            planes[:, 20 * number : 20 * number + 20, 10:30] = 200
            signals = np.stack([np.full(len(SIGNAL_NAMES), number / 4), np.ones(len(SIGNAL_NAMES))]).astype(np.float32)
            truth = truth_row(label, {"eyes": number / 4, "nose": None}, label != "failed")
            made.append(Example(planes, signals, truth, person, {"tool": "plane", "label": label}))
        write_chunk(made, folder, person)
    return load_bank(folder)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A checkpoint of a network with weights and statistics of its own everywhere."""
    torch.manual_seed(0)
    net = DefacingNet()
    for value in [*net.parameters(), *(b for b in net.buffers() if b.is_floating_point())]:
        value.data += 0.02 * torch.rand_like(value)
    torch.save({"average": net.state_dict()}, tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


def test_shares_near_the_limit_are_partly_of_both() -> None:
    row = truth_row("insufficient", {"eyes": 0.3, "nose": 1.0, "mouth": 0.05, "ears": None}, True)
    told = dict(zip(COLUMNS, row.tolist(), strict=True))
    assert (told["label"], told["eyes"], told["nose"], told["mouth"], told["touched"]) == (1, 0.5, 1, 0, 1)
    assert np.isnan(told["ears"])
    with pytest.raises(ValueError, match="nonsense"):
        truth_row("nonsense", {}, True)


def test_loss_falls_with_the_right_answer_and_ignores_what_is_not_known() -> None:
    truth = torch.from_numpy(truth_row("excessive", {"eyes": 1.0}, None))[None]
    right, wrong = torch.zeros(1, N_OUTPUTS), torch.zeros(1, N_OUTPUTS)
    right[0, 2], wrong[0, 0] = 5, 5
    assert defacing_loss(right, truth) < defacing_loss(wrong, truth)
    unknown = right.clone()
    unknown[0, OUTPUTS.index("nose")] = 9.0  # not known
    assert defacing_loss(unknown, truth) == defacing_loss(right, truth)


def test_a_mirrored_head_changes_sides_and_nothing_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    planes = rng.integers(0, 255, SHAPE).astype(np.uint8)
    signals = rng.random((2, len(SIGNAL_NAMES))).astype(np.float32)
    plain, turned = (change(planes, signals, c) for c in (STILL, Changes(**{**vars(STILL), "mirror": True})))
    views = plain[:-1].reshape(len(VIEWS), len(LAYERS), ROWS, PIXELS)
    for number, name in enumerate(VIEWS):
        seen = turned[:-1].reshape(views.shape)[number]
        np.testing.assert_array_equal(seen, views[MIRRORED[number]][..., ::-1], err_msg=name)
    np.testing.assert_array_equal(plain[-1], turned[-1])


def test_changes_move_views_and_forget_signals() -> None:
    planes, signals = np.full(SHAPE, 100, np.uint8), np.ones((2, len(SIGNAL_NAMES)), np.float32)
    forgotten = np.zeros(len(SIGNAL_NAMES), np.bool_)
    forgotten[3] = True
    blind = (True, *(False,) * (len(VIEWS) - 1))
    made = change(planes, signals, Changes(False, (2, -3), blind, True, forgotten, 2.0))
    views = made[:-1].reshape(len(VIEWS), len(LAYERS), ROWS, PIXELS)
    assert (views[0] == 0).all()
    assert (views[1, :, :2] == 0).all()
    assert (views[1, :, :, -3:] == 0).all()
    assert views[1, LAYERS.index("brightness"), 50, 50] == pytest.approx(2 * views[1, 0, 50, 50])
    assert made[-1, :2, 3].tolist() == [0, 0]
    assert made[-1, :2, 4].tolist() == [1, 1]
    assert (views[1, LAYERS.index("blanked")] == 0).all(), "masked air"
    for name in BLANK_SIGNALS:
        assert made[-1, :2, SIGNAL_NAMES.index(name)].tolist() == [0, 0]


def test_signals_beyond_those_of_training_are_taken_for_the_nearest(tmp_path: Path) -> None:
    torch.manual_seed(2)
    bank = toy_bank(tmp_path / "bank", "ab")
    net = network_for(bank).eval()
    image = whole(bank, 0, 1)
    beyond, further = image.clone(), image.clone()
    beyond[0, -1, VALUE_ROW, 0], further[0, -1, VALUE_ROW, 0] = 2.0, 3.0
    assert bank.signals[:, 0, 0].max() < 2
    torch.testing.assert_close(net(beyond), net(further))


def test_a_bank_gives_back_what_was_written_and_batches_are_even(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "bank", "ab")
    assert len(bank) == 8
    assert bank.people == ("a",) * 4 + ("b",) * 4
    inputs, truth = next(batches(bank.only([0, 1, 2, 3, 4]), 3, size=400))
    assert inputs.shape == (400, PLANES, ROWS, PIXELS)
    assert np.bincount(truth[:, 0].int().numpy()).min() > 60, "the fifth example shares its class's turn"
    with pytest.raises(ValueError, match="build it first"):
        load_bank(tmp_path / "nothing")


def test_nobody_is_on_both_sides_or_pasted_on_themselves(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "bank", "ab")
    with pytest.raises(ValueError, match="both"):
        train_defacing(bank, bank.only([0]), tmp_path / "out", PLAN, quiet=True)
    maps = [tmp_path / f"head_{n:02d}_labels.nii.gz" for n in range(3)]
    jobs = plan_chunks(maps, 12, 5)
    assert all(job.path not in job.donors and set(job.donors) <= set(maps) for job in jobs)
    assert {job.donors for job in jobs if job.path == maps[0]} == {(maps[1],), (maps[2],)}
    assert len({job.seed for job in jobs}) == 12
    assert person_of(maps[0]) == "head_00"


def test_sources_are_sorted_and_refused_by_name(tmp_path: Path) -> None:
    for name in ("head_01", "head_17"):
        (tmp_path / f"{name}_labels.nii.gz").touch()
    sources = find_sources(tmp_path, ["head_17"], exclude=("plane",))
    assert [person_of(p) for p in (*sources.training, *sources.validation)] == ["head_01", "head_17"]
    jobs = sources.jobs(100, 1000)
    assert {job.exclude for job in jobs["bank"]} == {("plane", "reface")}, (
        "another's face cannot be told from one's own"
    )
    assert {job.exclude for job in jobs["bank_fresh"]} == {()}, "what was held out is measured"
    seeds = [{job.seed for job in made} for made in jobs.values()]
    assert len(set.union(*seeds)) == sum(map(len, seeds)), "no scan is on two sides"
    for names, tools in ((["head_99"], ()), ([], ("scissors",)), (["head_01", "head_17"], ())):
        with pytest.raises(ValueError):  # noqa: PT011 (three faults, three messages)
            find_sources(tmp_path, names, exclude=tools)


def test_training_writes_its_curve_and_resumes(tmp_path: Path) -> None:
    bank, validation = toy_bank(tmp_path / "a", "ab"), toy_bank(tmp_path / "b", "c")
    assert train_defacing(bank, validation, tmp_path / "out", PLAN, quiet=True).name == "best.pt"
    train_defacing(bank, validation, tmp_path / "out", TrainingPlan(steps=3, validate_every=1, threads=1), quiet=True)
    curve = (tmp_path / "out" / "curve.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in curve] == ["step", "1", "2", "3"]
    assert curve[0].endswith("balanced_accuracy,mean_auc")


def test_what_ships_answers_as_what_was_trained_with_its_temperature(tmp_path: Path, weights: Path) -> None:
    bank, validation = toy_bank(tmp_path / "a", "ab"), toy_bank(tmp_path / "b", "c")
    (tmp_path / "out").mkdir()
    path = export_and_measure(weights, tmp_path / "out", bank, validation, None)
    assert path.name == MODEL_FILE
    assert path.stat().st_size < MAX_MODEL_BYTES / 4
    model = load_model(weights, validation)
    assert float(model.temperature) != 1.0
    wanted = torch.softmax(torch.from_numpy(answers(model, bank))[:, : len(CLASSES)], dim=1).numpy()
    told = np.array([[answer.classes[name] for name in CLASSES] for answer in ask_all(path, bank, 1)])
    np.testing.assert_allclose(told, wanted, atol=0.02)


def test_a_network_reads_both_sides_of_the_head_alike(weights: Path) -> None:
    """Views of the left are turned over before the shared convolutions."""
    model = load_model(weights)
    views = torch.rand(1, len(VIEWS), len(LAYERS), ROWS, PIXELS)
    seen: list[torch.Tensor] = []
    model.stem.register_forward_hook(lambda _module, given, _out: seen.append(given[0]))
    signals = np.zeros((2, len(SIGNAL_NAMES)), np.float32)
    model(torch.from_numpy(compose(views[0].numpy(), signals))[None])
    left, front = VIEWS.index("left"), VIEWS.index("front")
    torch.testing.assert_close(seen[0][left], views[0, left].flip(-1))
    torch.testing.assert_close(seen[0][front], views[0, front])


def test_temperature_cools_what_is_too_sure() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((400, len(COLUMNS)), np.float32)
    truth[:, 0] = rng.integers(0, 4, 400)
    logits = np.zeros((400, N_OUTPUTS), np.float32)
    said = np.where(rng.random(400) < 0.7, truth[:, 0], (truth[:, 0] + 1) % 4).astype(int)
    logits[np.arange(400), said] = 12.0  # sure of all, right in seven of ten
    assert best_temperature(logits, truth) > 2.5
    logits[np.arange(400), said] = 0.5
    assert best_temperature(logits, truth) < 1.0


def test_coverage_ends_where_one_in_a_hundred_is_wrong() -> None:
    sure = np.linspace(1, 0, 1000)
    right = np.ones(1000, np.bool_)
    assert largest_coverage(sure, right) == 1000
    right[500:] = False
    assert largest_coverage(sure, right) == 505
    right[0] = False
    assert 400 <= largest_coverage(sure, right) <= 504
    assert largest_coverage(sure, ~np.ones(1000, np.bool_)) == 0


def test_figures_name_every_class_and_tool(tmp_path: Path, weights: Path) -> None:
    bank = toy_bank(tmp_path / "a", "ab")
    (tmp_path / "out").mkdir()
    path = export_and_measure(weights, tmp_path / "out", bank, None, None)
    made = figures(ask_all(path, bank, 1), bank)
    assert {f.question for f in made} >= {"class", *CLASSES}
    assert {f.scans for f in made} == {"all tools", "tool: plane"}
    bank.facts[0]["other_face"] = True
    apart = figures(ask_all(path, bank, 1), bank)
    assert {f.value.n for f in apart if f.scans.startswith("all but") and f.question == "class"} == {len(bank) - 1}
    assert [f.statistic for f in made if f.question == "class"] == [
        "balanced accuracy", "coverage at 1 % error", "balanced accuracy",
    ]  # fmt: skip
    assert whole(bank, 0, 3).shape == (3, PLANES, ROWS, PIXELS)
