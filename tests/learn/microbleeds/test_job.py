"""From banks to both exported networks and their cards, with tiny networks on toy scans."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.learn.export import weights_from_onnx  # noqa: E402
from brainsift.learn.microbleeds import cubes, finish, first, job, settings  # noqa: E402
from brainsift.learn.microbleeds.bank import Bank, load_bank  # noqa: E402
from brainsift.learn.microbleeds.banks import hold_out  # noqa: E402
from brainsift.learn.microbleeds.batches import Lessons  # noqa: E402
from brainsift.learn.microbleeds.job import Course, Networks, train_and_export  # noqa: E402
from brainsift.learn.microbleeds.net import DetectorNet, StudentNet, TeacherNet  # noqa: E402
from brainsift.learn.microbleeds.predict import asker, find, judge, match, onnx_asker, onnx_cube_asker  # noqa: E402
from brainsift.learn.microbleeds.train import train_detector  # noqa: E402
from brainsift.learn.sides import Banks  # noqa: E402
from brainsift.learn.trainer import TrainingPlan, averaged_weights, load_net  # noqa: E402
from brainsift.models.checksums import sha256_of  # noqa: E402
from brainsift.tasks.microbleeds.network import SOFTENED  # noqa: E402
from brainsift.tasks.microbleeds.odds import probability  # noqa: E402
from tests.learn.microbleeds.toy import toy_bank  # noqa: E402

TINY = Networks(
    partial(DetectorNet, widths=(8, 8, 8), last=8),
    partial(TeacherNet, widths=(4, 8, 8)),
    partial(StudentNet, widths=(4, 8, 8)),
)
COURSE = Course(Lessons(crop=(32, 32, 16), size=2), cubes=4)


@pytest.fixture
def banks(tmp_path: Path) -> Banks[Bank]:
    kinds = {"bank": ("ab", ("gre", "qsm")), "v": ("c", ("gre",)), "f": ("d", ("qsm",))}
    return Banks(*(toy_bank(tmp_path / name, people, 2, only) for name, (people, only) in kinds.items()))


@pytest.fixture
def toy_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crops, cubes and rates that fit toy scans."""
    monkeypatch.setattr(first, "EXPORT_SHAPE", (32, 32, 16))
    monkeypatch.setattr(job, "CUBE_VALIDATE_EVERY", 2)
    monkeypatch.setattr(cubes, "CANDIDATES_EACH", 4)
    monkeypatch.setattr(cubes, "MIMICS_EACH", 3)
    monkeypatch.setattr(settings, "CANDIDATE_RATE", 4.0)


def test_a_detector_learns_what_bleeds_are(banks: Banks[Bank], tmp_path: Path) -> None:
    """Sixty steps are enough for bright balls beside bright tubes."""
    plan = TrainingPlan(steps=60, seed=3, threads=1, validate_every=30, learning_rate=1e-2)
    lessons = Lessons(crop=(32, 32, 16), size=2)
    weights = train_detector(banks.training, None, tmp_path / "out", plan, lessons, quiet=True, make=TINY.detector)
    first, last = curve(tmp_path / "out")
    assert float(last["loss"]) < 0.8 * float(first["loss"])
    ask = asker(load_net(weights, TINY.detector))
    assert banks.validation is not None
    bleeding, empty = (banks.validation[i] for i in range(2))
    assert match(bleeding, find(ask, bleeding)).counts()[:2] == (3, 3)
    inside = bleeding.pieces() > 0
    probability = as_taught(ask(bleeding))
    assert probability[inside].mean() > 5 * probability[~inside].mean()
    assert probability[inside].mean() > 5 * as_taught(ask(empty)).mean()


def as_taught(softened: np.ndarray) -> np.ndarray:
    """The probability that the loss saw, of one from softened logits."""
    odds = softened.astype(float) / (1 - softened.astype(float))
    return np.asarray(odds**SOFTENED / (1 + odds**SOFTENED))


def test_one_call_trains_exports_and_measures_and_a_second_finds_it_done(
    banks: Banks[Bank], tmp_path: Path, toy_sizes: None
) -> None:
    plan = TrainingPlan(steps=4, seed=3, threads=1, validate_every=2)
    output = tmp_path / "out"
    detector, discriminator = train_and_export(banks, output, plan, COURSE, quiet=True, networks=TINY)
    example = load_bank(tmp_path / "f")[0]
    found = find(onnx_asker(detector, 1), example, threshold_in(detector))
    score = judge(onnx_cube_asker(discriminator, 1), example, found)
    assert len(score) == len(found.voxel)
    assert 0 < threshold_in(discriminator) < 1
    card = (output / "microbleeds_discriminator.md").read_text()
    assert "With and without a teacher" in card
    assert "none of these figures is clinical" in card
    trained = [output / name for name in ("detector", "teacher", "student_0", "student_alone_0")]
    assert [[int(row["step"]) for row in curve(folder)] for folder in trained] == [[2, 4]] * 4
    written = {path: path.stat().st_mtime_ns for path in output.rglob("*.npz")}
    train_and_export(banks, output, plan, COURSE, quiet=True, networks=TINY)
    assert [[int(row["step"]) for row in curve(folder)] for folder in trained] == [[2, 4]] * 4
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*.npz")} == written
    begun = TINY.starting_from(detector, discriminator)
    pairs = {trained[0] / "best.pt": begun.detector, best_student(output, discriminator): begun.student}
    for path, make in pairs.items():
        weights, begins_with = averaged_weights(path), dict(make().named_parameters())
        assert all(torch.allclose(weights[name], had, atol=2e-3) for name, had in begins_with.items())
    train_and_export(banks, tmp_path / "more", plan, COURSE, quiet=True, networks=begun)
    for path in (detector, discriminator):
        assert (
            f"From the weights with SHA-256 `{sha256_of(path)}`" in (tmp_path / "more" / f"{path.stem}.md").read_text()
        )
    with pytest.raises(ValueError, match="does not hold a StudentNet"):
        TINY.starting_from(detector, detector)


def test_a_detector_that_is_kept_is_copied_and_a_student_without_teacher_has_all_the_minutes(
    banks: Banks[Bank], tmp_path: Path, toy_sizes: None
) -> None:
    plan = TrainingPlan(steps=4, seed=3, threads=1, validate_every=2)
    detector, _ = train_and_export(banks, tmp_path / "out", plan, COURSE, quiet=True, networks=TINY)
    alone = replace(COURSE, kept=detector, taught=False)
    assert alone.shares() == {"detector": 0.0, "teacher": 0.0, "student": 1.0}
    assert sum(COURSE.shares().values()) + COURSE.shares()["student"] == pytest.approx(1)
    more = tmp_path / "more"
    kept, _ = train_and_export(banks, more, plan, alone, quiet=True, networks=TINY)
    assert kept.read_bytes() == detector.read_bytes()
    assert sorted(path.name for path in more.iterdir() if path.is_dir()) == ["cubes", "student_alone_0"]
    assert [path.name for path in more.glob("*.md")] == ["microbleeds_discriminator.md"]
    card = (more / "microbleeds_discriminator.md").read_text()
    assert f"on the candidates of `{detector.name}`, SHA-256 `{sha256_of(detector)}`" in card
    assert "eacher (class" not in card
    before = (tmp_path / "out" / "microbleeds_candidates.md").read_text()
    train_and_export(banks, tmp_path / "out", plan, alone, quiet=True, networks=TINY)
    assert (tmp_path / "out" / "microbleeds_candidates.md").read_text() == before
    assert "It had no teacher" in (tmp_path / "out" / "microbleeds_discriminator.md").read_text()
    with pytest.raises(ValueError, match="holds no threshold"):
        first.kept_first(without_threshold(kept, more))


def without_threshold(path: Path, folder: Path) -> Path:
    """The same network with nothing said of its threshold."""
    import onnx

    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, folder / "bare.onnx")
    return folder / "bare.onnx"


def test_students_are_compared_on_candidates_by_kind(
    banks: Banks[Bank], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that looks at the middle of a cube against one that says the opposite; two seeds of each kind."""
    monkeypatch.setattr(cubes, "MIMICS_EACH", 1)

    class Middle(torch.nn.Module):
        def __init__(self, sign: float) -> None:
            super().__init__()
            self.sign = sign

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.sign * x[:, 0, 11:13, 11:13, 11:13].mean(dim=(1, 2, 3))[:, None]

    def ask(example):  # type: ignore[no-untyped-def]
        found = 0.9 * (example.pieces() > 0).astype(np.float32)
        found[40:42, 4:6, 4:6] = 0.5
        return found

    shown = cubes.cut_bank(ask, banks.training, tmp_path / "cubes")
    nets = {"student_0": Middle(1), "student_1": Middle(1), "student_alone_0": Middle(-1), "student_alone_1": Middle(1)}
    told = {(one.question, one.statistic): one.value for one in finish.compare_students(nets, shown)}
    assert told["student with a teacher", "auc"].value > 0.8
    alone = told["student without", "auc"]
    assert alone.value == pytest.approx(0.5, abs=1e-6)
    assert alone.low < 0.2 < 0.8 < alone.high


def best_student(output: Path, discriminator: Path) -> Path:
    """The weights that were exported: of two students, those that the file repeats."""
    exported = weights_from_onnx(discriminator)["head.second.bias"]
    paths = [output / name / "best.pt" for name in ("student_0", "student_alone_0")]
    return min(paths, key=lambda path: float((averaged_weights(path)["head.second.bias"] - exported).abs()))


def threshold_in(path: Path) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return float(session.get_modelmeta().custom_metadata_map["threshold"])


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "curve.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_modality_can_be_held_out_of_learning_and_is_still_measured(tmp_path: Path) -> None:
    banks = Banks(*(toy_bank(tmp_path / person, person, 1) for person in "abc"))
    rest = hold_out(banks, ["qsm"])
    assert set(rest.training.modalities) == {"gre", "swi"}
    assert rest.validation is not None
    assert set(rest.validation.modalities) == {"gre", "swi"}
    assert rest.fresh is not None
    assert set(rest.fresh.modalities) == {"gre", "swi", "qsm"}
    with pytest.raises(ValueError, match="no scan to learn from"):
        hold_out(banks, ["gre", "swi", "qsm"])


def test_the_discriminator_answers_about_any_number_of_cubes(tmp_path: Path) -> None:
    from brainsift.learn.export import export_onnx

    path = tmp_path / "student.onnx"
    net = StudentNet((4, 8, 8)).eval()
    export_onnx(net, path, torch.rand(4, 3, 24, 24, 24), labels_voxels=False, many="cubes")
    ask = onnx_cube_asker(path, 1)
    cubes = np.random.default_rng(0).random((7, 3, 24, 24, 24)).astype(np.float32)
    assert ask(cubes).shape == (7,)
    assert ask(cubes[:0]).shape == (0,)
    with torch.no_grad():
        wanted = torch.sigmoid(net(torch.from_numpy(cubes)))[:, 0].numpy()
    np.testing.assert_allclose(probability(ask(cubes)), wanted, atol=5e-3)
