"""A network small enough to write down: it keeps the promise of the place `anatomy` without having learnt anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
"""Old enough for every ONNX Runtime that the base install accepts."""


def write_tiny_anatomy(path: Path, *, channels: int = 10, output: str = "logits", fixed: int | None = None) -> Path:
    """Write a 1x1x1 convolution to `channels` classes; `fixed` nails the image size down."""
    weights = np.linspace(-1, 1, channels, dtype=np.float32).reshape(channels, 1, 1, 1, 1)
    size: list[int | str] = ["x", "y", "z"] if fixed is None else [fixed] * 3
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weights"], [output])],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, *size])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, channels, *size])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


SLICES, OUTPUTS = 24, 15


def write_tiny_quality(path: Path, seed: int, *, output: str = "logits", note: str = "") -> Path:
    """A linear network in the shapes of the place `quality`: the mean of each slice, times drawn weights."""
    weights = np.random.default_rng(seed).standard_normal((SLICES, (1 + SLICES) * OUTPUTS)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["image", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], [output]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, SLICES, 224, 192])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, 1 + SLICES, OUTPUTS])],
        [
            numpy_helper.from_array(np.array([2, 3]), "axes"),
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([1, 1 + SLICES, OUTPUTS]), "shape"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET + 1)], ir_version=IR_VERSION)
    if note:
        helper.set_model_props(model, {"note": note})
    onnx.save(model, str(path))
    return path
