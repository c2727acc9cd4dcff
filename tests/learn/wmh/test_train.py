"""Training on toy people: in one step and two, resumed, exported with its settings, measured."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.learn.sides import Banks  # noqa: E402
from brainsift.learn.trainer import CURVE, TrainingPlan  # noqa: E402
from brainsift.learn.wmh.agreement import judge_labels, weigh  # noqa: E402
from brainsift.learn.wmh.bank import load_bank, write_chunk  # noqa: E402
from brainsift.learn.wmh.batches import Lessons  # noqa: E402
from brainsift.learn.wmh.geometry import CoarseLabel  # noqa: E402
from brainsift.learn.wmh.job import CARD_FILE, MODEL_FILE, train_and_export  # noqa: E402
from brainsift.learn.wmh.measure import curve_scores, measure  # noqa: E402
from brainsift.learn.wmh.net import WmhNet  # noqa: E402
from brainsift.learn.wmh.predict import onnx_asker  # noqa: E402
from brainsift.learn.wmh.settings import Settings, choose_settings, without_small  # noqa: E402
from brainsift.learn.wmh.train import FIRST_STEP, WEIGHTS, some, train_wmh  # noqa: E402
from brainsift.models.registry import MAX_MODEL_BYTES  # noqa: E402
from brainsift.tasks.wmh.network import CHANNELS  # noqa: E402
from tests.learn.wmh.toy import toy_bank, toy_example  # noqa: E402

TINY = partial(WmhNet, widths=(8, 8, 8, 8), last=8)
LESSONS = Lessons(crop=(32, 32, 32), size=2)
PLAN = TrainingPlan(steps=2, validate_every=1, threads=1)


def truth_of(example):  # type: ignore[no-untyped-def]
    return example.truth.astype(np.float32) / 255


def test_the_network_keeps_the_grid_and_answers_alike_for_a_part_of_the_brain() -> None:
    """Batch norm: away from the border, a crop of the image gives the crop of the answer."""
    net = TINY().eval()
    image = torch.rand(1, len(CHANNELS), 96, 32, 32)
    with torch.no_grad():
        whole, part = net(image), net(image[:, :, :80])
    assert whole.shape == (1, 1, 96, 32, 32)
    assert float((whole[:, :, :4] - part[:, :, :4]).abs().max()) < 1e-4
    assert float(torch.sigmoid(whole).mean()) < 0.3
    with pytest.raises(ValueError, match="multiples of 16"):
        WmhNet(widths=(8, 8))


def test_the_network_fits_on_the_shelf() -> None:
    halves = 2 * sum(p.numel() for p in WmhNet().parameters())
    assert halves < MAX_MODEL_BYTES


def test_training_learns_toy_lesions_from_their_slices(tmp_path: Path) -> None:
    bank, validation = toy_bank(tmp_path / "bank", "abc"), toy_bank(tmp_path / "validation", "xy")
    plan = TrainingPlan(steps=60, validate_every=60, threads=1, learning_rate=1e-2)
    train_wmh(bank, validation, tmp_path, plan, LESSONS, quiet=True, make=TINY)
    with (tmp_path / CURVE).open() as file:
        curve = list(csv.DictReader(file))
    assert float(curve[-1]["loss"]) < 1.2
    from brainsift.learn.trainer import load_net
    from brainsift.learn.wmh.predict import asker

    trained = asker(load_net(tmp_path / "checkpoint.pt", TINY))
    example = validation[0]
    found = trained(example)
    lesion = example.truth > 127
    brain = (example.t1w > 0) & (example.truth == 0)
    assert found[lesion].mean() > 2 * found[brain].mean()


def test_two_steps_resume_export_and_card(tmp_path: Path) -> None:
    bank, validation = toy_bank(tmp_path / "bank", "ab"), toy_bank(tmp_path / "validation", "x")
    banks = Banks(bank, validation, validation)
    path = train_and_export(banks, tmp_path, PLAN, LESSONS, quiet=True, make=TINY)
    assert path == tmp_path / MODEL_FILE
    session = onnx_session(path)
    told = session.get_modelmeta().custom_metadata_map
    assert 0 < float(told["threshold"]) < 1
    assert float(told["min_lesion_mm3"]) >= 0
    answer = onnx_asker(path)(validation[0])
    assert answer.shape == validation[0].shape
    card = (tmp_path / CARD_FILE).read_text()
    assert "none of these figures is clinical" in card
    assert f"of {len(bank)} labels" in card
    assert (tmp_path / FIRST_STEP / "checkpoint.pt").exists()
    first = (tmp_path / WEIGHTS).read_text()
    again = train_and_export(banks, tmp_path, PLAN, LESSONS, quiet=True, make=TINY)
    assert again == path
    assert (tmp_path / WEIGHTS).read_text() == first


def onnx_session(path: Path):  # type: ignore[no-untyped-def]
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_nobody_is_on_both_sides(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "bank", "ab")
    with pytest.raises(ValueError, match="both sides"):
        train_wmh(bank, bank.only([0]), tmp_path, PLAN, LESSONS, quiet=True, make=TINY)


def test_labels_of_other_people_lose_their_weight(tmp_path: Path) -> None:
    """The model that knows the truth doubts the labels that were exchanged, moved or emptied, and no others."""
    made = [toy_example(seed, "a", lesions=7) for seed in range(16)]
    bad = {3: toy_example(99, lesions=7).coarse, 8: emptied(made[8].coarse), 12: moved(made[12].coarse)}
    made = [toy_example(seed, "a", lesions=7, label=bad.get(seed)) for seed in range(16)]
    write_chunk(made, tmp_path, "chunk")
    judged = judge_labels(truth_of, load_bank(tmp_path))
    weights = {number: one.weight for number, one in enumerate(judged)}
    assert all(weights[number] == 0 for number in bad)
    assert all(weight == 1 for number, weight in weights.items() if number not in bad)


def emptied(label: CoarseLabel) -> CoarseLabel:
    return CoarseLabel(np.zeros_like(label.mask), label.affine, label.axis, label.thickness_mm)


def moved(label: CoarseLabel) -> CoarseLabel:
    return CoarseLabel(np.roll(label.mask, 12, axis=0), label.affine, label.axis, label.thickness_mm)


def test_small_differences_of_nearly_empty_labels_are_not_held_against_them() -> None:
    """Labels of 10 mL agree with 0.8; one of 10 mL with 0.5 weighs 0.5 / 0.8 on its way from 0.45 to 0.75."""
    label_ml = np.array([10.0] * 12 + [0.0, 0.0, np.nan])
    model_ml = np.array([10.0] * 12 + [0.2, 3.0, np.nan])
    dice = np.array([0.8] * 11 + [0.5, 0.0, 0.0, np.nan])
    judged = weigh([str(i) for i in range(15)], label_ml, model_ml, dice)
    assert [one.weight for one in judged[:11]] == [1.0] * 11
    assert judged[11].weight == pytest.approx((0.5 / 0.8 - 0.45) / 0.3)
    assert [one.weight for one in judged[12:]] == [1.0, 0.0, 1.0]


def test_settings_are_those_that_fit_the_validation_scans(tmp_path: Path) -> None:
    """A network that answers 0.3 in lesions and has single false voxels: 0.25 is chosen, and single voxels go."""
    bank = toy_bank(tmp_path, "ab")

    def ask(example):  # type: ignore[no-untyped-def]
        told = np.where(example.truth > 127, np.float32(0.3), np.float32(0.22))
        told[1, 1, ::6] = 0.9
        return told

    settings = choose_settings(ask, bank)
    assert settings.threshold in (0.25, 0.3)
    assert settings.min_lesion_mm3 >= 3
    scores, people = measure(ask, bank, settings)
    assert people == ["a", "a", "b", "b"]
    assert scores[0].dice == 1
    curve = curve_scores(ask, bank, settings)
    assert curve["error_ml"] == 0
    assert curve["false_ml"] == 0


def test_scans_without_lesions_have_a_say_in_the_threshold(tmp_path: Path) -> None:
    """At 0.25 the lesions fit best, but 2 mL are found in healthy people; at 0.5 none are, and half of each lesion."""
    healthy = [toy_example(seed, lesions=0) for seed in (7, 8)]
    write_chunk([toy_example(1), *healthy], tmp_path, "a")
    bank = load_bank(tmp_path)

    def ask(example):  # type: ignore[no-untyped-def]
        told = np.where(example.truth > 127, np.float32(0.3), np.float32(0.0))
        told[:24] = np.where(example.truth[:24] > 127, 0.8, told[:24])
        if not example.truth.any():
            told[:20, :10, :10] = 0.3
        return told

    assert choose_settings(ask, bank.only([0])).threshold < 0.3
    assert choose_settings(ask, bank).threshold >= 0.3  # kept in bytes, 0.3 is a little less


def test_the_curve_looks_mostly_at_scans_with_lesions(tmp_path: Path) -> None:
    one = toy_example(1)
    loads = [0.0, 0.2, 6.0, 0.0, 3.0, 0.4, 9.0, 20.0, 0.0, 0.0]
    write_chunk([replace(one, facts={"load_ml": load}) for load in loads], tmp_path, "a")
    bank = load_bank(tmp_path)
    shown = [facts["load_ml"] for facts in some(bank, 5).facts]
    assert shown == [0.0, 6.0, 3.0, 9.0, 20.0]
    assert len(some(bank, 8)) == 8
    assert len(some(bank, 40)) == 10
    assert len(some(bank.only([0, 1, 3]), 2)) == 2


def test_small_lesions_go_by_their_volume() -> None:
    mask = np.zeros((8, 8, 8), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True  # one lesion of two voxels, by a corner
    mask[5, 5, 5] = True
    assert without_small(mask, 2.0, 1.0).sum() == 2
    assert without_small(mask, 2.0, 2.0).sum() == 3
    assert without_small(mask, 2.1, 1.0).sum() == 0
    assert Settings(0.4, 3).mark(np.full((2, 2, 2), 0.4, np.float32), [1, 1, 1]).all()
