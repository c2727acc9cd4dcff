"""Scans that are filed as FLAIR: what a chunk of them holds, and the model that is trained for them alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.learn.adapt import filed  # noqa: E402
from brainsift.learn.label_maps import split_label_maps  # noqa: E402
from brainsift.learn.quality.bank import Example, load_bank, write_chunk  # noqa: E402
from brainsift.learn.quality.flair import OTHERS, PAINTINGS, FlairChunk, chunk_examples, plan_flair  # noqa: E402
from brainsift.learn.quality.truth import COLUMNS, truth_row  # noqa: E402
from brainsift.learn.sides import Banks  # noqa: E402
from brainsift.learn.trainer import TrainingPlan  # noqa: E402
from brainsift.models.joining import switch_for  # noqa: E402
from brainsift.models.session import load_onnx  # noqa: E402
from brainsift.models.shelf import find  # noqa: E402
from brainsift.tasks.quality.network import GRADED, SEQUENCES  # noqa: E402

PROPER, SEQUENCE = COLUMNS.index("proper"), COLUMNS.index("sequence")


@pytest.fixture(scope="module")
def examples(label_maps: Path) -> list[Example]:
    job = plan_flair(sorted(label_maps.iterdir()), 1, 3)[0]
    return chunk_examples(replace(job, spacing_mm=4.0, zoo=1))


def test_a_chunk_holds_graded_flair_scans_and_what_is_none(examples: list[Example]) -> None:
    truth = np.stack([one.truth for one in examples])
    assert {one.person for one in examples} == {"person_0"}
    assert {one.pixels.shape for one in examples} == {(24, 224, 192)}
    proper = truth[:, PROPER] == 1
    assert (truth[proper, SEQUENCE] == SEQUENCES.index("FLAIR")).all()
    assert np.isfinite(truth[np.ix_(proper, [COLUMNS.index(name) for name in GRADED])]).all()
    faults = Counter(str(one.facts["fault"]) for one in examples)
    assert faults["none"] == 3 * PAINTINGS
    assert faults["motion"] == 5 * PAINTINGS
    assert faults["mixed"] == PAINTINGS
    for kind in OTHERS:
        (row,) = (i for i, one in enumerate(examples) if one.facts["fault"] == f"filed_{kind}")
        assert truth[row, PROPER] == 0
        assert truth[row, SEQUENCE] != SEQUENCES.index("FLAIR")
        assert np.isnan(truth[row, [COLUMNS.index(name) for name in GRADED]]).all()


def test_the_same_job_makes_the_same_chunk(label_maps: Path, examples: list[Example]) -> None:
    job = plan_flair(sorted(label_maps.iterdir()), 4, 3)
    assert [one.name for one in job] == ["person_0_0000", "person_1_0001", "person_2_0002", "person_0_0003"]
    assert len({one.seed for one in job}) == 4
    again = chunk_examples(replace(job[0], spacing_mm=4.0, zoo=1))
    for one, other in zip(again, examples, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    with pytest.raises(ValueError, match="label maps"):
        plan_flair([], 1, 0)


def drawn_chunk(job: FlairChunk, folder: Path) -> Path:
    """Noise in place of scans, labelled by chance."""
    rng = np.random.default_rng(job.seed)
    made = []
    for number in range(4):
        known = {"proper": bool(number % 2), "sequence": "FLAIR" if number % 2 else "T2w"}
        grades = {name: float(rng.uniform(0, 2)) for name in GRADED} if number % 2 else {}
        pixels = rng.integers(0, 255, (24, 224, 192)).astype(np.uint8)
        made.append(Example(pixels, truth_row(known | grades), job.person, {"source": "label map", "fault": "none"}))
    return write_chunk(made, folder, job.name)


def test_a_model_for_flair_is_trained_exported_and_measured_on_heads_of_its_own(
    label_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filed, "make_chunk", drawn_chunk)
    split = split_label_maps(label_maps, ["person_2"])
    banks = filed.build_banks(split, tmp_path / "out", 2, 1, workers=0, quiet=True)
    assert set(banks.training.people) == {"person_0", "person_1"}
    assert banks.validation is not None
    assert banks.fresh is not None
    assert set(banks.validation.people) == set(banks.fresh.people) == {"person_2"}
    assert len(banks.fresh) > len(banks.validation)
    plan = TrainingPlan(steps=1, validate_every=1, threads=1)
    path = filed.train_filed(banks, tmp_path / "out", plan, beside=load_bank(tmp_path / "out" / "bank"), quiet=True)
    assert load_onnx(path, "quality", 1).get_outputs()[0].shape == [1, 25, 15]
    card = (tmp_path / "out" / "quality.md").read_text(encoding="utf-8")
    assert "--for FLAIR" in card
    assert "source, labelled: 8 examples of 2 people" in card
    assert "| straight reject | adapted |" in card
    packaged = find("quality").path
    alone = filed.train_filed(
        Banks(banks.training, None, None), tmp_path / "alone", plan, start_from=packaged, quiet=True
    )
    assert "Nobody was kept aside" in (alone.parent / "quality.md").read_text(encoding="utf-8")
    image = np.random.default_rng(0).random((1, 24, 224, 192)).astype(np.float32)
    given = {"image": image, switch_for("FLAIR"): np.array(True)}
    wanted = load_onnx(packaged, "quality", 1).run(None, given)[0]
    start = load_onnx(alone.parent / filed.STARTED_FROM, "quality", 1).run(None, {"image": image})[0]
    np.testing.assert_array_equal(start, wanted)


def test_of_other_scans_only_those_count_for_flair_whose_truth_is_the_same_there(tmp_path: Path) -> None:
    known: list[dict[str, float | bool | str | None]] = [
        {"proper": True, "sequence": "T1w"},
        {"proper": True, "sequence": "FLAIR", "motion": 1.0},
        {"proper": False, "sequence": "other"},
        {"motion": 2.0},
        {"proper": False, "sequence": "T2w"},
    ]
    pixels = np.zeros((24, 4, 4), np.uint8)
    write_chunk([Example(pixels, truth_row(one), "a", {"n": n}) for n, one in enumerate(known)], tmp_path, "a")
    assert [facts["n"] for facts in filed.true_of_flair(load_bank(tmp_path)).facts] == [1, 2, 3]
