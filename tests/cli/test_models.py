"""`brainsift models` and `brainsift info`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainsift.cli.exits import Exit
from brainsift.models.checksums import sha256_of
from brainsift.models.registry import REGISTRY
from tests.cli.conftest import Call
from tests.models.tiny import write_tiny_anatomy, write_tiny_quality


def test_list_shows_state_and_digest_of_each_model(call: Call, shelf: Path) -> None:
    answer = call("models", "list", "--shelf", shelf)
    assert answer.code == Exit.DONE
    assert sha256_of(shelf / "anatomy.onnx")[:12] in answer.out
    assert all(name in answer.out for name in REGISTRY)


def test_verify_passes_whole_models_and_fails_a_damaged_one(call: Call, shelf: Path) -> None:
    assert call("models", "verify", "--shelf", shelf).code == Exit.DONE
    (shelf / "anatomy.onnx").write_bytes(b"damaged")
    answer = call("models", "verify", "--shelf", shelf)
    assert answer.code == Exit.SCANS_FAILED
    assert "anatomy: damaged." in answer.out


def test_verify_opens_the_file_too(call: Call, shelf: Path) -> None:
    from brainsift.models.checksums import record_sum

    (shelf / "anatomy.onnx").write_bytes(b"whole but no network")
    record_sum(shelf, "anatomy.onnx")
    answer = call("models", "verify", "--shelf", shelf)
    assert answer.code == Exit.SCANS_FAILED
    assert "cannot load" in answer.out


def test_import_puts_model_and_card_on_the_shelf(call: Call, tmp_path: Path) -> None:
    source = write_tiny_anatomy(tmp_path / "ours.onnx")
    (tmp_path / "ours.md").write_text("# Our model\n\nTrained at home.\n", encoding="utf-8")
    shelf = tmp_path / "shelf"
    answer = call("models", "import", "anatomy", source, "--shelf", shelf, "--card", tmp_path / "ours.md")
    assert answer.code == Exit.DONE
    assert sha256_of(source) in answer.out
    assert "Trained at home." in call("models", "card", "anatomy", "--shelf", shelf).out


def test_import_without_a_shelf_says_which_option_is_missing(call: Call, tmp_path: Path) -> None:
    answer = call("models", "import", "anatomy", write_tiny_anatomy(tmp_path / "ours.onnx"))
    assert answer.code == Exit.USAGE
    assert "--shelf DIR" in answer.err


def test_import_of_a_wrong_network_is_refused_as_usage(call: Call, tmp_path: Path) -> None:
    source = write_tiny_anatomy(tmp_path / "ours.onnx", channels=3)
    answer = call("models", "import", "anatomy", source, "--shelf", tmp_path / "shelf")
    assert answer.code == Exit.USAGE
    assert "Traceback" not in answer.err


def test_info_as_json_holds_versions_models_and_capabilities(call: Call, shelf: Path) -> None:
    facts = json.loads(call("info", "--json", "--shelf", shelf).out)
    assert facts["libraries"]["numpy"]
    assert facts["models"]["anatomy"]["sha256"] == sha256_of(shelf / "anatomy.onnx")
    assert facts["tasks"][0] == "integrity"
    assert set(facts["extras"]) == {"train", "dask", "postgres"}


def test_info_in_words_names_the_command_for_a_missing_extra(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from brainsift.cli import extras

    monkeypatch.setattr(extras, "EXTRAS", {**extras.EXTRAS, "dask": "no_such_package"})
    assert 'extra dask: not installed (pip install "brainsift[dask]")' in call("info").out


def test_a_model_may_be_for_flair_alone(call: Call, tmp_path: Path) -> None:
    first, second = (write_tiny_quality(tmp_path / f"{n}.onnx", n) for n in (1, 2))
    shelf = ("--shelf", tmp_path / "shelf")
    assert call("models", "import", "quality", first, *shelf).code == Exit.DONE
    alone = call("models", "import", "quality", second, *shelf, "--for", "FLAIR")
    assert alone.code == Exit.DONE
    assert sha256_of(tmp_path / "shelf" / "quality.onnx") in alone.out
    assert call("models", "verify", *shelf).code == Exit.DONE
    wrong = call("models", "import", "quality", second, *shelf, "--for", "CT")
    assert wrong.code == Exit.USAGE
    assert "FLAIR" in wrong.err
