"""Bleed networks small enough to write down: what is bright, and of that what is bright and round in its middle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from brainsift.models.session import load_onnx
from brainsift.tasks.microbleeds.model import BleedNetworks, networks_of
from brainsift.tasks.microbleeds.network import (
    CHANNELS,
    CUBE_CHANNELS,
    CUBE_VOXELS,
    SOFTENED,
)

OPSET, IR_VERSION = 17, 8

STEEPNESS = 30.0
"""Logits per unit of grey value."""

BRIGHT = 0.75
"""Grey value of even odds; tissue lies at a third, signal that is lost at 1."""

ROUND = 0.35
"""Symmetry of even odds."""


def write_detector(path: Path, metadata: Mapping[str, str] | None = None, outputs: int = 1) -> Path:
    """What is brighter than `BRIGHT`."""
    weights = np.zeros((outputs, len(CHANNELS), 1, 1, 1), np.float32)
    weights[:, CHANNELS.index("image")] = SOFTENED * STEEPNESS
    nodes = [helper.make_node("Conv", ["image", "weights", "bias"], ["logits"])]
    shape = [1, len(CHANNELS), "x", "y", "z"]
    bias = np.full(outputs, -SOFTENED * STEEPNESS * BRIGHT, np.float32)
    return _write(
        path, nodes, {"weights": weights, "bias": bias}, ("image", shape), [1, outputs, "x", "y", "z"], metadata
    )


def write_discriminator(path: Path, metadata: Mapping[str, str] | None = None, *, by: str = "frst") -> Path:
    """What has a symmetric middle (``frst``), or a bright one (``image``)."""
    weights = np.zeros((1, len(CUBE_CHANNELS), *(CUBE_VOXELS,) * 3), np.float32)
    middle = slice(CUBE_VOXELS // 2 - 1, CUBE_VOXELS // 2 + 1)
    weights[:, CUBE_CHANNELS.index(by), middle, middle, middle] = STEEPNESS / 8
    even = {"frst": ROUND, "image": 0.5}[by]
    nodes = [
        helper.make_node("Conv", ["cubes", "weights", "bias"], ["one"]),
        helper.make_node("Flatten", ["one"], ["logits"], axis=1),
    ]
    shape = ["n", len(CUBE_CHANNELS), *(CUBE_VOXELS,) * 3]
    bias = np.array([-STEEPNESS * even], np.float32)
    return _write(path, nodes, {"weights": weights, "bias": bias}, ("cubes", shape), ["n", 1], metadata)


def _write(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, NDArray[np.float32]],
    given: tuple[str, Sequence[int | str]],
    answer: Sequence[int | str],
    metadata: Mapping[str, str] | None,
) -> Path:
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info(given[0], TensorProto.FLOAT, list(given[1]))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, list(answer))],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    for name, value in (metadata or {}).items():
        model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def networks(folder: Path, *, by: str = "frst") -> BleedNetworks:
    """Both, opened."""
    detector = write_detector(folder / f"detector_{by}.onnx", {"threshold": "0.5"})
    discriminator = write_discriminator(folder / f"discriminator_{by}.onnx", {"threshold": "0.5"}, by=by)
    sessions = (load_onnx(path, path.stem, 1) for path in (detector, discriminator))
    return networks_of(*sessions, "d" * 64, "e" * 64)
