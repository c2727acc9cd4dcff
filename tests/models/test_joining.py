"""Two models in one file: each answers alike as alone, the second where it is said to be asked."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from brainsift.models.card import read_card
from brainsift.models.errors import ModelError
from brainsift.models.importing import import_model
from brainsift.models.joining import can_answer_for, join_models, switch_for, take_model
from brainsift.models.session import load_onnx
from brainsift.models.shelf import find
from tests.models.tiny import write_tiny_anatomy, write_tiny_quality

IMAGE = np.random.default_rng(0).random((1, 24, 224, 192)).astype(np.float32)


def answer(path: Path, flair: bool | None = None) -> np.ndarray:
    given = {"image": IMAGE} | ({} if flair is None else {switch_for("FLAIR"): np.array(flair)})
    logits: np.ndarray = load_onnx(path, "quality", 1).run(None, given)[0]
    return logits


def test_each_answers_as_alone(tmp_path: Path) -> None:
    first, second = (write_tiny_quality(tmp_path / f"{n}.onnx", n, note=str(n)) for n in (1, 2))
    joined = tmp_path / "joined.onnx"
    join_models(first, second, "FLAIR", joined)
    np.testing.assert_array_equal(answer(joined), answer(first))
    np.testing.assert_array_equal(answer(joined, False), answer(first))
    np.testing.assert_array_equal(answer(joined, True), answer(second))
    assert not np.allclose(answer(first), answer(second))
    assert load_onnx(joined, "quality", 1).get_modelmeta().custom_metadata_map == {"note": "1"}
    assert can_answer_for(load_onnx(joined, "quality", 1), "FLAIR")
    assert not can_answer_for(load_onnx(joined, "quality", 1), "T2w")
    assert not can_answer_for(load_onnx(first, "quality", 1), "FLAIR")


def test_a_joined_model_gets_another_second_one_and_grows_no_further(tmp_path: Path) -> None:
    first, second, third = (write_tiny_quality(tmp_path / f"{n}.onnx", n) for n in (1, 2, 3))
    once, twice = tmp_path / "once.onnx", tmp_path / "twice.onnx"
    join_models(first, second, "FLAIR", once)
    join_models(once, third, "FLAIR", twice)
    np.testing.assert_array_equal(answer(twice), answer(first))
    np.testing.assert_array_equal(answer(twice, True), answer(third))
    assert twice.stat().st_size == once.stat().st_size


def test_the_second_model_can_be_taken_out_again(tmp_path: Path) -> None:
    first, second = (write_tiny_quality(tmp_path / f"{n}.onnx", n) for n in (1, 2))
    joined, taken, again = (tmp_path / f"{name}.onnx" for name in ("joined", "taken", "again"))
    join_models(first, second, "FLAIR", joined)
    assert take_model(joined, "FLAIR", taken)
    np.testing.assert_array_equal(answer(taken), answer(second))
    join_models(first, taken, "FLAIR", again)
    np.testing.assert_array_equal(answer(again, True), answer(second))
    assert not take_model(joined, "T2w", tmp_path / "none.onnx")
    assert not take_model(first, "FLAIR", tmp_path / "none.onnx")
    assert not (tmp_path / "none.onnx").exists()


def test_models_of_another_kind_are_refused(tmp_path: Path) -> None:
    first = write_tiny_quality(tmp_path / "a.onnx", 1)
    with pytest.raises(ModelError, match="kind"):
        join_models(first, write_tiny_anatomy(tmp_path / "b.onnx"), "FLAIR", tmp_path / "c.onnx")
    with pytest.raises(ModelError, match="single model"):
        join_models(first, write_tiny_quality(tmp_path / "d.onnx", 2, output="other"), "FLAIR", tmp_path / "c.onnx")
    join_models(first, write_tiny_quality(tmp_path / "e.onnx", 2), "FLAIR", tmp_path / "joined.onnx")
    with pytest.raises(ModelError, match="single model"):
        join_models(first, tmp_path / "joined.onnx", "FLAIR", tmp_path / "c.onnx")
    assert not (tmp_path / "c.onnx").exists()


def test_without_onnx_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (write_tiny_quality(tmp_path / f"{n}.onnx", n) for n in (1, 2))
    monkeypatch.setitem(sys.modules, "onnx.compose", None)
    with pytest.raises(ModelError, match="needs the package onnx") as error:
        join_models(first, second, "FLAIR", tmp_path / "joined.onnx")
    assert "brainsift[train]" in error.value.remedy


def test_a_model_for_flair_stands_beside_that_for_all_others(tmp_path: Path) -> None:
    first, second, third = (write_tiny_quality(tmp_path / f"{n}.onnx", n) for n in (1, 2, 3))
    shelf, card = tmp_path / "shelf", tmp_path / "card.md"
    card.write_text("# All\n\nSeen much.\n", encoding="utf-8")
    import_model("quality", first, shelf, card)
    for number, file in ((2, second), (3, third)):
        card.write_text(f"# FLAIR {number}\n\n## What it saw\n\nSeen {number}.\n", encoding="utf-8")
        imported = import_model("quality", file, shelf, card, "FLAIR")
        assert imported.state == "ok"
        np.testing.assert_array_equal(answer(imported.path), answer(first))
        np.testing.assert_array_equal(answer(imported.path, True), answer(file))
        told = read_card("quality", shelf)
        assert told.startswith("# All\n")
        assert told.count(find("quality", shelf).sha256) == 1
        assert told.count("Two models in one file") == 1
        assert "Seen much." in told
        assert [f"Seen {n}." in told for n in (2, 3)] == [number == 2, number == 3]
        assert "### What it saw" in told


def test_that_for_all_others_may_be_the_packaged_one(tmp_path: Path) -> None:
    own = write_tiny_quality(tmp_path / "own.onnx", 1)
    joined = import_model("quality", own, tmp_path / "shelf", None, "FLAIR")
    np.testing.assert_array_equal(answer(joined.path), answer(find("quality").path))
    np.testing.assert_array_equal(answer(joined.path, True), answer(own))
    assert "For scans filed as FLAIR" in read_card("quality", tmp_path / "shelf")
