"""A lesion network small enough to write down: what is darker than white matter where there is white matter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from brainsift.tasks.wmh.network import CHANNELS

OPSET, IR_VERSION = 17, 8

DARKNESS = 60.0
"""Logits per unit of the grey channel; white matter lies at 2/3."""

HALFWAY = 0.55
"""Grey value of even odds where all is white matter."""


def write_tiny_wmh(path: Path, metadata: Mapping[str, str] | None = None, outputs: int = 1) -> Path:
    """Write a 1x1x1 convolution of the four channels, with settings in its metadata."""
    weights = np.zeros((outputs, len(CHANNELS), 1, 1, 1), np.float32)
    weights[:, CHANNELS.index("t1w")] = -DARKNESS
    weights[:, CHANNELS.index("white")] = DARKNESS
    bias = np.full(outputs, DARKNESS * (HALFWAY - 1), np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weights", "bias"], ["logits"])],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, len(CHANNELS), "x", "y", "z"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, outputs, "x", "y", "z"])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    for name, value in (metadata or {}).items():
        model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
