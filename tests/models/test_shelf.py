"""Finding models and telling whole ones from damaged ones."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from brainsift.models.card import read_card
from brainsift.models.checksums import record_sum, sha256_of
from brainsift.models.errors import ModelError
from brainsift.models.registry import MAX_MODEL_BYTES, REGISTRY
from brainsift.models.shelf import find, inspect, inspect_all, packaged_folder


def test_a_whole_model_is_found_with_the_digest_of_its_bytes(shelf: Path) -> None:
    model = find("anatomy", shelf)
    assert model.path == shelf / "anatomy.onnx"
    assert model.sha256 == sha256_of(shelf / "anatomy.onnx")
    assert not model.packaged


def test_one_changed_byte_is_noticed_and_the_message_says_what_to_do(shelf: Path) -> None:
    file = shelf / "anatomy.onnx"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged.*Install BrainSift again.*brainsift models verify"):
        find("anatomy", shelf)


def test_a_model_that_nobody_recorded_is_not_trusted(shelf: Path) -> None:
    (shelf / "SHA256SUMS").unlink()
    with pytest.raises(ModelError, match=r"unlisted.*brainsift models import"):
        find("anatomy", shelf)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"'anatomi'.*Known models: .*anatomy"):
        find("anatomi")


def test_a_shelf_without_the_model_falls_back_to_the_packaged_one(tmp_path: Path) -> None:
    assert inspect("anatomy", tmp_path).path == packaged_folder() / "anatomy.onnx"
    assert inspect("anatomy", tmp_path).packaged


def test_a_digest_list_in_another_format_is_refused_with_its_line(shelf: Path) -> None:
    (shelf / "SHA256SUMS").write_text("# md5 of nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1"):
        find("anatomy", shelf)


def test_recording_one_file_keeps_the_digests_of_the_others(shelf: Path) -> None:
    (shelf / "other.onnx").write_bytes(b"x")
    record_sum(shelf, "other.onnx")
    assert inspect("anatomy", shelf).state == "ok"


def test_a_model_without_card_says_where_it_should_be(shelf: Path) -> None:
    with pytest.raises(ModelError, match=r"anatomy\.md"):
        read_card("anatomy", shelf)


def test_model_errors_reach_the_parent_of_a_worker_unchanged() -> None:
    error = pickle.loads(pickle.dumps(ModelError("anatomy", "It is gone.", "Find it.")))
    assert (error.model, error.cause, error.remedy) == ("anatomy", "It is gone.", "Find it.")


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_packaged_model_is_whole_small_and_has_a_card(name: str) -> None:
    model = find(name)
    assert model.packaged
    assert model.path.stat().st_size <= MAX_MODEL_BYTES
    card = read_card(name)
    for data in model.spec.trained_on:
        assert data.licence in card
    assert model.sha256 in card or model.sha256[:12] in card


def test_all_registered_models_are_listed_once() -> None:
    assert [model.spec.name for model in inspect_all()] == list(REGISTRY)
