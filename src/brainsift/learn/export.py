"""From a trained network to the ONNX file that ships: half-precision weights, single-precision arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainsift.learn.trainer import Net, averaged_weights

OPSET = 18
MAX_DIFFERENCE = 0.05
"""Largest difference of a logit, relative to the largest logit, that passes: weights are rounded to 11 bits."""

HALF = "_half"
"""Ends the name of a weight that is stored as float16."""

MIN_AGREEMENT = 0.999
"""Share of voxels whose most probable class must be the same in both."""


def export_onnx(
    model: nn.Module,
    path: Path,
    example: torch.Tensor,
    *,
    labels_voxels: bool = True,
    metadata: Mapping[str, str] | None = None,
    many: str | None = None,
) -> None:
    """Write `model` (one image in, logits out) as ONNX, and prove that it answers alike.

    Nothing is folded, so that the weights keep PyTorch's names and a training can go on from the file
    (`weights_for`); ONNX Runtime folds batch norm into the convolutions when it opens it.

    Parameters
    ----------
    example : float32 (1, C, X, Y, Z), a realistic input, also used for the comparison.
    labels_voxels : the answer has classes on axis 1 and the input's free spatial dimensions after it; else all sizes
        are those of `example`.
    metadata : written into the file: how its answers are to be read.
    many : name of the input of a network that answers about any number of images at once (axis 0); with
        `labels_voxels` False.

    Raises
    ------
    RuntimeError
        if ONNX Runtime's answer differs from PyTorch's.
    """
    import onnx

    model = model.eval().cpu().float()
    part = path.with_suffix(".part.onnx")
    axes = {2: "x", 3: "y", 4: "z"} if labels_voxels else {0: "n"} if many else {}
    # A network may answer on a finer grid than its input's.
    answered = {axis: f"{size}_out" for axis, size in axes.items()} if labels_voxels else axes
    name = many or "image"
    torch.onnx.export(
        model,
        (example,),
        str(part),
        input_names=[name],
        output_names=["logits"],
        dynamic_axes={name: axes, "logits": answered},
        opset_version=OPSET,
        dynamo=False,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        # Else weights of equal values are written once, under the name of one of them.
        keep_initializers_as_inputs=True,
    )
    graph = onnx.load(str(part))
    _fix_weights(graph)
    _halve_weights(graph)
    if labels_voxels:
        with torch.no_grad():
            _fix_output(graph, int(model(example).shape[1]))
    if metadata:
        onnx.helper.set_model_props(graph, dict(metadata))
    onnx.save(graph, str(part))
    check_equal(model, part, example, labels_voxels=labels_voxels)
    part.replace(path)


def check_equal(model: nn.Module, path: Path, example: torch.Tensor, *, labels_voxels: bool = True) -> float:
    """Largest difference of the logits between PyTorch and ONNX Runtime.

    Raises
    ------
    RuntimeError
        if it exceeds `MAX_DIFFERENCE`, or, where voxels are labelled, fewer than `MIN_AGREEMENT` of them get the same
        class.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    answer = session.run(None, {session.get_inputs()[0].name: example.numpy()})[0]
    with torch.no_grad():
        wanted = model(example).numpy()
    difference = float(np.abs(answer - wanted).max())
    agreement = float((_class_of(answer) == _class_of(wanted)).mean()) if labels_voxels else 1.0
    tolerated = MAX_DIFFERENCE * max(1.0, float(np.abs(wanted).max()))
    # Not `>`: what is not a number differs as well.
    if not difference <= tolerated or agreement < MIN_AGREEMENT:
        raise RuntimeError(
            f"{path.name} differs from the trained network by {difference:.3g}, agreement {agreement:.5f}"
        )
    return difference


def _class_of(logits: NDArray[np.float32]) -> NDArray[np.intp]:
    """Class of each voxel from logits (N, C, ...); of one class, whether it is likelier than not."""
    found: NDArray[np.intp] = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(np.intp)
    return found


def weights_from_onnx(path: Path) -> dict[str, torch.Tensor]:
    """The weights in an ONNX file by their names, float32: to go on training from a model that ships."""
    import onnx
    from onnx import numpy_helper

    return {
        weight.name.removesuffix(HALF): torch.from_numpy(numpy_helper.to_array(weight).astype(np.float32))
        for weight in onnx.load(str(path)).graph.initializer
    }


def weights_for(net: nn.Module, path: Path) -> dict[str, torch.Tensor]:
    """The weights of a file for a network like `net`, by name: the averaged ones of a checkpoint, or those of an
    exported network (``.onnx``).

    Raises
    ------
    ValueError
        if the file holds another network, or one whose weights have lost their names.
    """
    found = weights_from_onnx(path) if path.suffix == ".onnx" else averaged_weights(path)
    wanted = net.state_dict()
    missing = [name for name in wanted if name not in found and not name.endswith("num_batches_tracked")]
    other = [name for name in wanted if name in found and found[name].numel() != wanted[name].numel()]
    if missing or other:
        name = (missing + other)[0]
        raise ValueError(f"{path.name} does not hold a {type(net).__name__}: {name} is missing or of another size")
    return {name: found.get(name, wanted[name]).reshape(wanted[name].shape) for name in wanted}


def begun(make: Callable[[], Net], path: Path) -> Net:
    """A new network that begins with the weights in a file; see `weights_for`."""
    net = make()
    net.load_state_dict(weights_for(net, path))
    return net


def _fix_weights(graph: object) -> None:
    """Weights are part of the network, not inputs that a caller may replace: ONNX Runtime folds only the former."""
    inner = graph.graph  # type: ignore[attr-defined]
    weights = {weight.name for weight in inner.initializer}
    free = [given for given in inner.input if given.name not in weights]
    del inner.input[:]
    inner.input.extend(free)


def _halve_weights(graph: object) -> None:
    """Store the large weights as float16 and cast them back when the session opens (ONNX Runtime folds the casts).

    Means and scales, of one dimension, stay as they are: they take no room, and what they shift may be a difference of
    large numbers.
    """
    from onnx import TensorProto, helper, numpy_helper

    proto = graph.graph  # type: ignore[attr-defined]
    casts = []
    for weight in proto.initializer:
        array = numpy_helper.to_array(weight)
        if array.dtype != np.float32 or array.size < 256 or array.ndim < 2:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(array.astype(np.float16), name + HALF))
        casts.append(helper.make_node("Cast", [name + HALF], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        proto.node.insert(0, cast)


def _fix_output(graph: object, classes: int) -> None:
    """Write the number of classes into the graph, so that the shelf can check it: tracing loses it in the unfolding."""
    shape = graph.graph.output[0].type.tensor_type.shape  # type: ignore[attr-defined]
    shape.dim[0].dim_value, shape.dim[1].dim_value = 1, classes
