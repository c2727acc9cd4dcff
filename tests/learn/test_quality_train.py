"""Training from a bank and from labels: resumes, keeps people apart, exports what it trained, measures and writes."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from brainsift.evaluate.labels import Label
from brainsift.learn.quality.bank import Bank, Example, load_bank, to_levels, write_chunk
from brainsift.learn.quality.build import ChunkJob
from brainsift.learn.quality.finetune import fine_tune
from brainsift.learn.quality.job import build, export_quality, plan_sides, train_and_export
from brainsift.learn.quality.labelled import held_out
from brainsift.learn.quality.measure import ask_all, figures
from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.train import answers, better_of, curve_scores, load_weights, train_quality
from brainsift.learn.quality.truth import truth_row
from brainsift.learn.sides import TRAINING_BANK, VALIDATION_BANK
from brainsift.learn.sources import find_sources
from brainsift.learn.trainer import TrainingPlan, load_net
from brainsift.models.registry import MAX_MODEL_BYTES
from brainsift.tasks.quality.network import decode
from brainsift.tasks.quality.slices import slices_of

PLAN = TrainingPlan(steps=2, validate_every=1, threads=1)


def toy_bank(folder: Path, people: str, per_person: int = 4) -> Bank:
    """Flat pictures; severe motion is bright stripes."""
    rng = np.random.default_rng(0)
    for person in people:
        examples = []
        for i in range(per_person):
            pixels = np.full((24, 224, 192), 0.3, np.float32) + 0.02 * rng.standard_normal((24, 1, 1))
            pixels[:, ::4] += 0.4 * (i % 2)
            truth = truth_row(
                {
                    "proper": i != 3,
                    "motion": 2.0 * (i % 2),
                    "noise": 0.0,
                    "contrast": 0.0,
                    "sequence": "T1w",
                    "gadolinium": False,
                }
            )
            fault = "motion" if i % 2 else "none"
            examples.append(Example(to_levels(pixels), truth, person, {"source": "label map", "fault": fault}))
        write_chunk(examples, folder, person)
    return load_bank(folder)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A checkpoint of a network with weights and statistics of its own everywhere."""
    torch.manual_seed(0)
    net = QualityNet()
    for value in [*net.parameters(), *(b for b in net.buffers() if b.is_floating_point())]:
        value.data += 0.02 * torch.rand_like(value)
    torch.save({"average": net.state_dict()}, tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


def test_training_writes_its_curve_keeps_the_best_and_resumes(tmp_path: Path) -> None:
    bank, validation = toy_bank(tmp_path / "a", "ab"), toy_bank(tmp_path / "b", "c")
    best = train_quality(bank, validation, tmp_path / "out", PLAN, quiet=True)
    assert best.name == "best.pt"
    longer = TrainingPlan(steps=3, validate_every=1, threads=1)
    train_quality(bank, validation, tmp_path / "out", longer, quiet=True)
    curve = (tmp_path / "out" / "curve.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in curve] == ["step", "1", "2", "3"]
    assert curve[0].endswith("mean_auc")


def test_the_better_on_all_examples_is_kept_the_first_of_equals(tmp_path: Path, weights: Path) -> None:
    """Weights whose answers are turned round rank every scan the wrong way."""
    bank = toy_bank(tmp_path / "bank", "ab")
    turned = {name: value.clone() for name, value in load_weights(weights).items()}
    for layer in ("answer.weight", "answer.bias"):
        turned[layer] *= -1
    torch.save({"average": turned}, tmp_path / "turned.pt")
    torch.save({"average": load_weights(weights)}, tmp_path / "again.pt")
    means = {
        path: curve_scores(answers(load_net(path, QualityNet), bank), bank.truth)["mean_auc"]
        for path in (weights, tmp_path / "turned.pt")
    }
    best, other = sorted(means, key=lambda path: -means[path])
    assert means[best] > means[other]
    assert better_of((best, other), bank) == better_of((other, best), bank) == best
    assert better_of((weights, tmp_path / "again.pt"), bank) == weights


def test_training_stops_where_nothing_is_gained(tmp_path: Path) -> None:
    bank, validation = toy_bank(tmp_path / "a", "a"), toy_bank(tmp_path / "b", "c")
    frozen = TrainingPlan(steps=40, validate_every=1, threads=1, learning_rate=0.0, patience=2)
    train_quality(bank, validation, tmp_path / "out", frozen, quiet=True)
    assert len((tmp_path / "out" / "curve.csv").read_text().splitlines()) < 12


def test_nobody_may_be_on_both_sides(tmp_path: Path) -> None:
    bank, validation = toy_bank(tmp_path / "a", "ab"), toy_bank(tmp_path / "b", "bc")
    with pytest.raises(ValueError, match="both sides of a split, got b"):
        train_quality(bank, validation, tmp_path / "out", PLAN, quiet=True)


def test_an_unknown_part_cannot_be_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got 'head'"):
        train_quality(toy_bank(tmp_path, "a"), None, tmp_path / "out", PLAN, freeze="head")


def test_the_exported_network_is_small_and_answers_as_it_was_trained(weights: Path, tmp_path: Path) -> None:
    path = export_quality(weights, tmp_path / "quality.onnx")
    assert path.stat().st_size < MAX_MODEL_BYTES / 2
    bank = toy_bank(tmp_path / "bank", "a", 2)
    net = QualityNet()
    net.load_state_dict(load_weights(weights))
    wanted = [decode(row) for row in answers(net, bank)]
    for said, trained in zip(ask_all(path, bank, 1), wanted, strict=True):
        assert said.proper == pytest.approx(trained.proper, abs=0.02)
        assert said.score("motion") == pytest.approx(trained.score("motion"), abs=0.03)


def test_the_weights_come_back_from_the_exported_file(weights: Path, tmp_path: Path) -> None:
    path = export_quality(weights, tmp_path / "quality.onnx")
    before, after = load_weights(weights), load_weights(path)
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[k].float(), after[k].float(), atol=2e-3) for k in before)


def test_another_network_s_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"average": {"stem.weight": torch.zeros(1)}}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"other\.pt does not hold a QualityNet"):
        load_weights(tmp_path / "other.pt")


def test_figures_name_simulated_scans_and_the_simulator(weights: Path, tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "bank", "abc")
    found = figures(ask_all(export_quality(weights, tmp_path / "quality.onnx"), bank, 1), bank)
    questions = {f.question for f in found}
    assert {"proper", "motion, severe", "motion, severe, k-space motion", "sequence", "clean scans"} <= questions
    assert all(f.scans == "simulated scans" and f.value.groups == 3 for f in found)


def test_the_whole_job_leaves_a_model_and_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from brainsift.learn.quality import job

    def build_toys(_sources: object, output: Path, *_: object, **__: object) -> None:
        toy_bank(output / TRAINING_BANK, "ab")
        toy_bank(output / VALIDATION_BANK, "c")

    monkeypatch.setattr(job, "build", build_toys)
    maps = tmp_path / "maps"
    maps.mkdir()
    (maps / "a.nii.gz").touch()
    sources = find_sources(maps, None, [])
    path = train_and_export(sources, tmp_path / "out", PLAN, chunks=1, quiet=True)
    assert path.name == "quality.onnx"
    card = (tmp_path / "out" / "quality.md").read_text()
    assert "8 examples of 2 people (a, b). Kept for validation: 4 examples of 1 people (c)." in card
    assert "none of these figures is clinical" in card
    assert "| motion, severe | simulated scans | balanced accuracy |" in card


def test_sources_are_sorted_by_name_and_manifest(tmp_path: Path) -> None:
    maps, scans = tmp_path / "maps", tmp_path / "scans"
    for folder in (maps, scans):
        folder.mkdir()
    for name in ("head_01_labels.nii.gz", "head_17_labels.nii.gz", "notes.txt"):
        (maps / name).touch()
    for name in ("t1_a.nii.gz", "t1_b.nii.gz", "flair.nii.gz"):
        (scans / name).touch()
    (scans / "manifest.tsv").write_text(
        "file\tsequence\tdimension\tskull_stripped\n"
        "t1_a.nii.gz\tT1w\t3D\tyes\nt1_b.nii.gz\tT1w\t3D\tyes\nflair.nii.gz\tFLAIR\t3D\tyes\n"
    )
    sources = find_sources(maps, scans, ["head_17", "t1_b"])
    assert [p.name for p in sources.label_maps] == ["head_01_labels.nii.gz"]
    assert [p.name for p in sources.validation_maps] == ["head_17_labels.nii.gz"]
    assert [p.name for p in sources.scans] == ["t1_a.nii.gz"]
    assert [p.name for p in sources.validation_scans] == ["t1_b.nii.gz"]
    training, validation = plan_sides(sources, 8, 1000)
    assert not {job.person for job in training} & {job.person for job in validation}
    assert not {job.seed for job in training} & {job.seed for job in validation}
    with pytest.raises(ValueError, match="head_99"):
        find_sources(maps, scans, ["head_99"])
    with pytest.raises(ValueError, match="neither a label map nor a clean scan"):
        find_sources(None, None, [])


def test_a_bank_without_validation_people_has_no_validation_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brainsift.learn.quality import job

    built: list[str] = []

    def make(made: ChunkJob, folder: Path) -> Path:
        built.append(folder.name)
        return folder

    monkeypatch.setattr(job, "make_chunk", make)
    (tmp_path / "a.nii.gz").touch()
    build(find_sources(tmp_path, None, []), tmp_path / "out", 0, 2, workers=0, quiet=True)
    assert built == 2 * [TRAINING_BANK]


def study(folder: Path) -> Path:
    """Four people with two small scans each, one file missing; returns the labels file."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    lines = ["scan\tparticipant\tproper\tmotion\tsequence"]
    for person in "abcd":
        for run in (1, 2):
            name = f"sub-{person}_run-{run}_T1w.nii.gz"
            lines.append(f"{name}\t{person}\tyes\t{2 * (run - 1)}\tT1w")
            if (person, run) == ("d", 2):
                continue
            image = nib.Nifti1Image(rng.uniform(0, 100 * run, (30, 32, 34)).astype(np.float32), np.diag([4, 4, 4, 1.0]))
            nib.save(image, folder / name)
    path = folder / "labels.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_fine_tuning_starts_from_an_exported_model_and_leaves_another(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = study(tmp_path / "study")
    model = export_quality(weights, tmp_path / "packaged.onnx")
    path = fine_tune(
        labels,
        labels.parent,
        tmp_path / "out",
        PLAN,
        start_from=model,
        freeze="extractor",
        cut=lambda volume: slices_of(volume, None),
        quiet=True,
    )
    assert "sub-d_run-2_T1w.nii.gz" in capsys.readouterr().err
    before, after = load_weights(model), load_weights(path)
    same = {name for name in before if torch.allclose(before[name].float(), after[name].float(), atol=2e-3)}
    assert {name for name in before if name.startswith(("stem", "stages"))} <= same
    assert "scans that people labelled" in (tmp_path / "out" / "quality.md").read_text()


def test_the_split_column_decides_who_validates() -> None:
    labels = [
        Label(scan=f"{p}{i}", participant=p, split="validation" if p == "b" else "train") for p in "abc" for i in "12"
    ]
    assert held_out(labels, 0) == ["b1", "b2"]


def test_without_a_split_whole_people_are_drawn() -> None:
    labels = [Label(scan=f"{p}{i}", participant=p) for p in "abcdefghij" for i in "12"]
    aside = held_out(labels, 0)
    assert len(aside) == 4
    assert len({scan[0] for scan in aside}) == 2
