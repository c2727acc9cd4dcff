"""Networks written as ONNX."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import torch
from torch import nn

from brainsift.learn.export import begun, export_onnx


def untrained() -> nn.Sequential:
    """Its two norms have the same weights."""
    return nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.BatchNorm3d(4), nn.Conv3d(4, 4, 1), nn.BatchNorm3d(4))


def test_weights_of_equal_values_keep_their_names_and_are_no_inputs(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    net = untrained()
    export_onnx(net, path, torch.rand(1, 1, 8, 8, 8))
    again = begun(untrained, path)
    for name, weight in net.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], weight, atol=1e-3, rtol=1e-3)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [given.name for given in session.get_inputs()] == ["image"]
