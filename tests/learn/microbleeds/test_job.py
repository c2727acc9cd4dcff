"""From banks to both exported networks and their cards, with tiny networks on toy scans."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.learn.microbleeds import cubes, finish, job, settings, train  # noqa: E402
from brainsift.learn.microbleeds.bank import load_bank  # noqa: E402
from brainsift.learn.microbleeds.banks import Banks  # noqa: E402
from brainsift.learn.microbleeds.batches import Lessons  # noqa: E402
from brainsift.learn.microbleeds.job import Course, Networks, train_and_export  # noqa: E402
from brainsift.learn.microbleeds.net import DetectorNet, StudentNet, TeacherNet  # noqa: E402
from brainsift.learn.microbleeds.predict import find, judge, match, onnx_asker, onnx_cube_asker  # noqa: E402
from brainsift.learn.trainer import TrainingPlan  # noqa: E402
from tests.learn.microbleeds.toy import toy_bank  # noqa: E402

TINY = Networks(
    partial(DetectorNet, widths=(8, 8, 8), last=8),
    partial(TeacherNet, widths=(4, 8, 8)),
    partial(StudentNet, widths=(4, 8, 8)),
)
COURSE = Course(Lessons(crop=(32, 32, 16), size=2), cubes=4)


@pytest.fixture
def banks(tmp_path: Path) -> Banks:
    return Banks(*(toy_bank(tmp_path / name, people) for name, people in (("bank", "ab"), ("v", "c"), ("f", "d"))))


def test_one_call_trains_exports_and_measures_and_a_second_finds_it_done(
    banks: Banks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty steps teach the toy's detector what bright balls are; thresholds go into the files."""
    monkeypatch.setattr(finish, "EXPORT_SHAPE", (32, 32, 16))
    monkeypatch.setattr(train, "CURVE_EXAMPLES", 3)
    monkeypatch.setattr(job, "CUBE_VALIDATE_EVERY", 30)
    monkeypatch.setattr(cubes, "CANDIDATES_EACH", 5)
    monkeypatch.setattr(settings, "CANDIDATE_RATE", 5.0)
    plan = TrainingPlan(steps=60, seed=3, threads=1, validate_every=30, learning_rate=1e-2)
    output = tmp_path / "out"
    detector, discriminator = train_and_export(banks, output, plan, COURSE, quiet=True, networks=TINY)
    ask, ask_cubes = onnx_asker(detector, 1), onnx_cube_asker(discriminator, 1)
    example = load_bank(tmp_path / "f")[0]
    found = find(ask, example)
    reference, hit, _ = match(example, found).counts()
    assert (reference, hit) == (3, 3)
    assert len(judge(ask_cubes, example, found)) == len(found.voxel)
    assert 0 < threshold_in(detector) < 1
    assert 0 < threshold_in(discriminator) < 1
    card = (output / "microbleeds_discriminator.md").read_text()
    assert "with a teacher" in card
    assert "none of these figures is clinical" in card
    before = curve(output / "detector")
    assert [int(row["step"]) for row in before] == [30, 60]
    assert float(before[-1]["loss"]) < float(before[0]["loss"])
    written = {path.name: path.stat().st_mtime_ns for path in output.rglob("*.npz")}
    train_and_export(banks, output, plan, COURSE, quiet=True, networks=TINY)
    assert curve(output / "detector") == before
    assert [int(row["step"]) for row in curve(output / "student_alone_0")] == [30, 60]
    assert {path.name: path.stat().st_mtime_ns for path in output.rglob("*.npz")} == written


def threshold_in(path: Path) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return float(session.get_modelmeta().custom_metadata_map["threshold"])


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "curve.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_modality_can_be_held_out_of_learning_and_is_still_measured(banks: Banks) -> None:
    rest = banks.without(["qsm"])
    assert set(rest.training.modalities) == {"gre", "swi"}
    assert rest.validation is not None
    assert set(rest.validation.modalities) == {"gre", "swi"}
    assert rest.fresh is not None
    assert set(rest.fresh.modalities) == {"gre", "swi", "qsm"}
    with pytest.raises(ValueError, match="no scan to learn from"):
        banks.without(["gre", "swi", "qsm"])


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
    np.testing.assert_allclose(ask(cubes), wanted, atol=5e-3)
