"""Putting one's own model on a shelf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainsift.models.card import read_card
from brainsift.models.errors import ModelError
from brainsift.models.importing import import_model
from brainsift.models.session import open_session
from brainsift.models.shelf import find, packaged_folder
from tests.models.tiny import write_tiny_anatomy


def test_an_imported_model_is_found_opened_and_has_its_card(tmp_path: Path) -> None:
    source = write_tiny_anatomy(tmp_path / "ours.onnx")
    card = tmp_path / "ours.md"
    card.write_text("# Ours\n", encoding="utf-8")
    imported = import_model("anatomy", source, tmp_path / "a" / "shelf", card)
    assert imported.state == "ok"
    assert find("anatomy", tmp_path / "a" / "shelf") == imported
    assert open_session("anatomy", 1, tmp_path / "a" / "shelf").get_inputs()[0].name == "image"
    assert read_card("anatomy", tmp_path / "a" / "shelf") == "# Ours\n"


def test_importing_again_replaces_the_model_within_one_process(tmp_path: Path) -> None:
    first = import_model("anatomy", write_tiny_anatomy(tmp_path / "a.onnx"), tmp_path / "shelf")
    source = write_tiny_anatomy(tmp_path / "b.onnx")
    source.write_bytes(_with_other_producer(source))
    second = import_model("anatomy", source, tmp_path / "shelf")
    assert first.sha256 != second.sha256
    assert find("anatomy", tmp_path / "shelf").sha256 == second.sha256


def _with_other_producer(path: Path) -> bytes:
    import onnx

    model = onnx.load(str(path))
    model.producer_name = "another"
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": 4}, r"output has shape .*not \(1, 10"),
        ({"output": "labels"}, r"expected one output 'logits', got \['labels'\]"),
        ({"fixed": 16}, r"dynamic image dimensions"),
    ],
)
def test_a_network_that_breaks_the_promise_is_refused_and_nothing_is_written(
    tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    source = write_tiny_anatomy(tmp_path / "wrong.onnx", **wrong)
    with pytest.raises(ModelError, match=message):
        import_model("anatomy", source, tmp_path / "shelf")
    assert not (tmp_path / "shelf").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no file .*gone\.onnx"):
        import_model("anatomy", tmp_path / "gone.onnx", tmp_path / "shelf")


def test_the_installed_package_is_never_overwritten(tmp_path: Path) -> None:
    source = write_tiny_anatomy(tmp_path / "ours.onnx")
    with pytest.raises(ModelError, match="not a shelf for your models"):
        import_model("anatomy", source, packaged_folder())
