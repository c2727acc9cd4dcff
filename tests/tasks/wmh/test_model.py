"""The network behind ONNX Runtime: its settings come from its file, and what is no lesion model is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsift.models.errors import ModelError
from brainsift.models.importing import import_model
from brainsift.models.session import load_onnx
from brainsift.models.shelf import find
from brainsift.tasks.wmh.marked import DEFAULT_MIN_MM3, DEFAULT_THRESHOLD
from brainsift.tasks.wmh.model import network_of, open_wmh_network
from brainsift.tasks.wmh.network import CHANNELS, Prepared
from tests.tasks.wmh.tiny import write_tiny_wmh


def prepared(grey: float) -> Prepared:
    """White matter of one grey value; its last slice lies outside of the scan."""
    shape = (16, 16, 16)
    channels = np.zeros((len(CHANNELS), *shape), np.float32)
    channels[CHANNELS.index("t1w")] = grey
    channels[CHANNELS.index("white")] = 1
    inside = np.ones(shape, np.bool_)
    inside[:, :, -1] = False
    return Prepared(channels, np.eye(4), inside)


@pytest.mark.usefixtures("fresh_shelves")
def test_a_model_on_the_shelf_is_opened_with_the_settings_of_its_file(tmp_path: Path) -> None:
    source = write_tiny_wmh(tmp_path / "ours.onnx", {"threshold": "0.35", "min_lesion_mm3": "5"})
    imported = import_model("wmh", source, tmp_path / "shelf")
    network = open_wmh_network(1, tmp_path / "shelf")
    assert (network.threshold, network.min_lesion_mm3) == (0.35, 5.0)
    assert (network.model_id, network.model_sha256) == ("wmh", imported.sha256)


@pytest.mark.usefixtures("fresh_shelves")
def test_the_packaged_model_stands_in_where_the_shelf_has_none_and_brings_its_settings(tmp_path: Path) -> None:
    network = open_wmh_network(1, tmp_path)
    card = find("wmh").path.with_suffix(".md").read_text(encoding="utf-8")
    assert network.model_sha256 == find("wmh").sha256
    assert f"from a probability of {network.threshold:g} on, of {network.min_lesion_mm3:g} mm³" in card


def test_a_file_without_settings_gets_the_defaults(tmp_path: Path) -> None:
    network = network_of(load_onnx(write_tiny_wmh(tmp_path / "a.onnx"), "wmh", 1), "wmh", "0" * 64)
    assert (network.threshold, network.min_lesion_mm3) == (DEFAULT_THRESHOLD, DEFAULT_MIN_MM3)


@pytest.mark.parametrize(
    "metadata", [{"threshold": "half"}, {"threshold": "1"}, {"threshold": "nan"}, {"min_lesion_mm3": "-1"}]
)
def test_settings_that_are_none_are_refused(tmp_path: Path, metadata: dict[str, str]) -> None:
    session = load_onnx(write_tiny_wmh(tmp_path / "a.onnx", metadata), "wmh", 1)
    with pytest.raises(ModelError, match="settings that cannot be used"):
        network_of(session, "wmh", "0" * 64)


def test_dark_white_matter_is_lesion_and_nothing_outside_of_the_scan_is(tmp_path: Path) -> None:
    network = network_of(load_onnx(write_tiny_wmh(tmp_path / "a.onnx"), "wmh", 1), "wmh", "0" * 64)
    dark, plain = network.ask(prepared(0.45)), network.ask(prepared(0.667))
    assert dark[..., :-1].min() > 0.99
    assert not dark[..., -1].any()
    assert plain.max() < 0.01


def test_a_model_with_more_outputs_is_refused(tmp_path: Path) -> None:
    session = load_onnx(write_tiny_wmh(tmp_path / "a.onnx", outputs=2), "wmh", 1)
    with pytest.raises(ValueError, match="import another"):
        network_of(session, "wmh", "0" * 64).ask(prepared(0.5))
