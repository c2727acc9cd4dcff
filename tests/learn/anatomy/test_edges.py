"""The edge network's examples, its training, and the job that makes both networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from brainsift.anatomy.labels import N_TISSUES, Tissue
from brainsift.anatomy.witnesses import CHANNELS, FINE_CHANNELS, IMAGE_CHANNELS, LEAST, TOLD_CHANNELS, fold
from brainsift.learn.anatomy import edge_bank, evaluate, job
from brainsift.learn.anatomy import train as where_training
from brainsift.learn.anatomy.edge_bank import (
    FILES,
    Example,
    load_bank,
    make_chunk,
    mirrored,
    pack,
    plan_chunks,
    unpack,
)
from brainsift.learn.anatomy.edge_net import EdgeNet
from brainsift.learn.anatomy.edge_train import train_edges
from brainsift.learn.anatomy.job import Course, export_edges, load_networks, train_and_export, write_cards
from brainsift.learn.anatomy.train import labels, train_where
from brainsift.learn.label_maps import split_label_maps
from brainsift.learn.trainer import TrainingPlan, load_net
from brainsift.models.importing import import_model
from brainsift.models.registry import MAX_MODEL_BYTES
from brainsift.models.session import load_onnx
from brainsift.models.shelf import find
from brainsift.simulate.freesurfer import CORTEX
from brainsift.simulate.labelmap import load_label_map

SHAPE = (8, 8, 8)


def toy(seed: int) -> Example:
    """Bright white matter in dark cortex, of which the mixture model is not sure: the image says which is which."""
    rng = np.random.default_rng(seed)
    blocks = np.where(rng.random(SHAPE) < 0.5, Tissue.WHITE, Tissue.CORTEX).astype(np.uint8)
    tissue = blocks.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    heard = np.full((TOLD_CHANNELS, *SHAPE), -1, np.float32)
    fold((0.4 * (tissue == Tissue.WHITE) + 0.1 * rng.random(tissue.shape) - 0.2)[None], heard[:IMAGE_CHANNELS])
    unsure = np.log(np.array([0.45, 0.55])) / -np.log(LEAST)
    for share, told in zip((Tissue.WHITE, Tissue.CORTEX), unsure, strict=True):
        heard[IMAGE_CHANNELS + 8 * share : IMAGE_CHANNELS + 8 * (share + 1)] = told
    return Example(pack(heard), tissue)


def write_toys(folder: Path, person: str, examples: int) -> None:
    for number in range(examples):
        arrays = {f"0_{key}": value for key, value in vars(toy(number)).items()}
        row = {"person": person, "facts": {}}
        FILES.write(folder, f"{person}_{number}", [row], lambda path, a=arrays: np.savez(path, **a))


def test_half_of_the_heads_have_narrower_sulci_and_some_wider_ones(drawn_maps: Path) -> None:
    head = load_label_map(sorted(drawn_maps.iterdir())[0])
    cortex = np.isin(head.values, CORTEX)

    def grown(seed: int) -> int:
        other = edge_bank.other_sulci(np.random.default_rng(seed), head)
        return int(np.count_nonzero(cortex[other.codes])) - int(np.count_nonzero(cortex[head.codes]))

    changes = np.array([grown(seed) for seed in range(60)])
    assert 0.3 < np.mean(changes > 0) < 0.7
    assert 0.08 < np.mean(changes < 0) < 0.35
    assert (changes == 0).any()


def test_an_untrained_network_repeats_the_mixture_model() -> None:
    heard = unpack(toy(0).witnesses)
    with torch.no_grad():
        logits = EdgeNet()(heard)
    np.testing.assert_allclose(logits[0].softmax(0)[Tissue.CORTEX].numpy(), 0.55, atol=0.02)
    assert logits.shape == (1, N_TISSUES, *(2 * n for n in SHAPE))


def test_bytes_keep_what_was_said_to_a_level() -> None:
    rng = np.random.default_rng(0)
    heard = rng.uniform(-1, 0, (TOLD_CHANNELS, *SHAPE)).astype(np.float32)
    heard[:IMAGE_CHANNELS] = rng.uniform(-0.5, 1, (IMAGE_CHANNELS, *SHAPE))
    np.testing.assert_allclose(unpack(pack(heard))[0, :TOLD_CHANNELS].numpy(), heard, atol=0.5 / 170 + 1e-6)


def test_a_mirrored_example_is_that_of_a_mirrored_head() -> None:
    rng = np.random.default_rng(1)
    fields = rng.random((FINE_CHANNELS // 8, *(2 * n for n in SHAPE))).astype(np.float32)
    coarse = rng.random((TOLD_CHANNELS - FINE_CHANNELS, *SHAPE)).astype(np.float32)
    tissue = rng.integers(0, N_TISSUES, [2 * n for n in SHAPE]).astype(np.uint8)

    def example(step: int) -> Example:
        heard = np.empty((TOLD_CHANNELS, *SHAPE), np.float32)
        fold(fields[:, ::step], heard[:FINE_CHANNELS])
        heard[FINE_CHANNELS:] = coarse[:, ::step]
        return Example(np.rint(255 * heard).astype(np.uint8), np.ascontiguousarray(tissue[::step]))

    turned = mirrored(example(1))
    np.testing.assert_array_equal(turned.witnesses, example(-1).witnesses)
    np.testing.assert_array_equal(turned.tissue, example(-1).tissue)


def test_training_learns_what_the_mixture_does_not_know_and_goes_on(tmp_path: Path) -> None:
    write_toys(tmp_path / "bank", "a", 4)
    write_toys(tmp_path / "other", "b", 2)
    bank, other = load_bank(tmp_path / "bank"), load_bank(tmp_path / "other")
    plan = TrainingPlan(steps=100, validate_every=100, threads=1)
    train_edges(bank, other, tmp_path / "run", plan, quiet=True)
    plan = replace(plan, steps=120)
    checkpoint = train_edges(bank, other, tmp_path / "run", plan, quiet=True)
    assert torch.load(checkpoint, weights_only=True)["step"] == 120
    one = other[0]
    found = labels(load_net(checkpoint, EdgeNet), unpack(one.witnesses))
    assert (found == one.tissue).mean() > 0.9, "the mixture alone calls all of it cortex"


def test_training_begins_with_the_weights_of_an_exported_network(tmp_path: Path) -> None:
    write_toys(tmp_path / "bank", "a", 4)
    bank = load_bank(tmp_path / "bank")
    plan = TrainingPlan(steps=100, validate_every=100, threads=1)
    checkpoint = train_edges(bank, None, tmp_path / "first", plan, quiet=True)
    path = export_edges(checkpoint, tmp_path / "edges.onnx", unpack(bank[0].witnesses))
    assert path.stat().st_size < MAX_MODEL_BYTES
    again = train_edges(
        bank, None, tmp_path / "second", replace(plan, steps=1, learning_rate=1e-5), begin=path, quiet=True
    )
    found = labels(load_net(again, EdgeNet), unpack(bank[0].witnesses))
    assert (found == bank[0].tissue).mean() > 0.9


def test_nobody_is_learnt_from_and_validated_with(tmp_path: Path) -> None:
    write_toys(tmp_path / "bank", "a", 1)
    bank = load_bank(tmp_path / "bank")
    with pytest.raises(ValueError, match="both sides"):
        train_edges(bank, bank, tmp_path / "run", TrainingPlan(steps=1), quiet=True)


def test_a_chunk_holds_what_the_stages_said_of_drawn_heads(
    drawn_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_bank, "HEADS", 1)
    jobs = plan_chunks(sorted(drawn_maps.iterdir())[:1], find("anatomy").path, 1, seed=0)
    make_chunk(jobs[0], tmp_path)
    bank = load_bank(tmp_path)
    assert set(bank.people) == {"drawn_0"}
    assert len(bank) <= edge_bank.PAINTINGS
    for number in range(len(bank)):
        one = bank[number]
        assert one.tissue.shape == tuple(2 * n for n in one.witnesses.shape[1:])
        with torch.no_grad():
            mixture = EdgeNet()(unpack(one.witnesses))[0].argmax(0).numpy()
        assert (mixture == one.tissue).mean() > 0.5, "the mixture's answer lies where the truth does"


def test_job_leaves_models_that_the_shelf_takes_and_cards_with_their_figures(
    drawn_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_bank, "HEADS", 1)
    monkeypatch.setattr(where_training.validation_set, "__defaults__", (1,))
    monkeypatch.setattr(job, "CONDITIONS", evaluate.CONDITIONS[:1])
    monkeypatch.setattr(job.write_cards, "__defaults__", (1, False, True))
    output, plan = tmp_path / "out", TrainingPlan(steps=1, validate_every=1, threads=1)
    course = Course(chunks=1, workers=0, where=find("anatomy").path)
    paths = train_and_export(drawn_maps, output, ["drawn_1"], plan, course, quiet=True)
    for name, path in zip(("anatomy", "anatomy_edges"), paths, strict=True):
        assert import_model(name, path, tmp_path / "shelf").state == "ok"
    card = (output / "anatomy_edges.md").read_text()
    assert "1 label maps (drawn_0)" in card
    assert "no figure here is clinical" in card
    assert card.count("| random contrast, whole head, slices up to 2 mm | 1 (1) |") == 2
    assert not (output / "anatomy.md").exists(), "the first network was kept, and so is its card"

    split = split_label_maps(drawn_maps, ["drawn_1"])
    train_where(split.training, [], output / job.WHERE, plan, quiet=True)
    write_cards(output, split, load_bank(output / "bank"), quiet=True)
    assert (output / "anatomy.md").read_text().count("| 1 (1) |") == 3
    assert load_networks(output).model_id == "anatomy"


def test_a_label_map_in_which_no_brain_is_found_is_told(
    drawn_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_bank, "HEADS", 1)
    monkeypatch.setattr(edge_bank, "example_of", lambda *_: None)
    jobs = plan_chunks(sorted(drawn_maps.iterdir())[:1], find("anatomy").path, 1, seed=0)
    with pytest.raises(ValueError, match=r"drawn_0_labels\.nii\.gz: train the first network longer, or remove the map"):
        make_chunk(jobs[0], tmp_path)


def test_the_exported_network_takes_any_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = EdgeNet()
    for weight in model.parameters():
        weight.data += 0.02 * torch.randn_like(weight)
    torch.save({"average": model.state_dict()}, tmp_path / "checkpoint.pt")
    path = export_edges(tmp_path / "checkpoint.pt", tmp_path / "edges.onnx", unpack(toy(0).witnesses))
    answer = load_onnx(path, "anatomy_edges").run(None, {"image": np.zeros((1, CHANNELS, 4, 8, 12), np.float32)})[0]
    assert answer.shape == (1, N_TISSUES, 8, 16, 24)
