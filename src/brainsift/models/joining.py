"""One file for two models of one kind: the second answers where a scan is said to be of one sequence.

Which of them answers is an input that need not be given: without it the file is a model like any other. One name and
one checksum stand for both, so that records, decisions and calibrations need to know of one model only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainsift.models.errors import ModelError

IMAGE, LOGITS = "image", "logits"


def switch_for(sequence: str) -> str:
    """Name of the input that has the model for a sequence (BIDS suffix) answer: bool, of no dimension."""
    return f"is_{sequence}"


def can_answer_for(session: Any, sequence: str) -> bool:
    """Whether a session's file holds a model for a sequence."""
    return switch_for(sequence) in {one.name for one in session.get_overridable_initializers()}


def join_models(model: Path, other: Path, sequence: str, joined: Path) -> None:
    """Write a model that answers as `model`, and as `other` where `switch_for(sequence)` is true.

    Only the one that answers is computed. The metadata is that of `model`; where it is joined itself, what it answers
    without a switch is taken.

    Raises
    ------
    ModelError
        if the package `onnx` is not installed, a file is no single model of one image and its logits, or their shapes
        differ.
    """
    onnx = _onnx(model.name)
    first, second = _without_switch(onnx, onnx.load(str(model))), onnx.load(str(other))
    for path, one in ((model, first), (other, second)):
        if [len(one.graph.input), len(one.graph.output)] != [1, 1] or _ends(one) != (IMAGE, LOGITS):
            raise ModelError(path.name, "it is no single model of one image and its logits.", "Export it again.")
    if _shapes(first) != _shapes(second) or _opsets(first) != _opsets(second):
        raise ModelError(other.name, f"it is no model of the kind of {model.name}.", "Export both in the same way.")
    second = onnx.compose.add_prefix(second, f"{sequence}/")
    for node in second.graph.node:
        node.input[:] = [IMAGE if name == f"{sequence}/{IMAGE}" else name for name in node.input]
    switch = switch_for(sequence)
    branches = {
        "then_branch": _branch(onnx, second.graph, sequence),
        "else_branch": _branch(onnx, first.graph, "others"),
    }
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("If", [switch], [LOGITS], name=switch, **branches)],
        first.graph.name,
        [*first.graph.input, onnx.helper.make_tensor_value_info(switch, onnx.TensorProto.BOOL, [])],
        [*first.graph.output],
        [
            *first.graph.initializer,
            *second.graph.initializer,
            onnx.helper.make_tensor(switch, onnx.TensorProto.BOOL, [], [False]),
        ],
    )
    whole = onnx.helper.make_model(graph, opset_imports=first.opset_import, ir_version=first.ir_version)
    onnx.helper.set_model_props(whole, {one.key: one.value for one in first.metadata_props})
    onnx.checker.check_model(whole)
    onnx.save(whole, str(joined))


def take_model(joined: Path, sequence: str, alone: Path) -> bool:
    """Write what a joined model answers for a sequence, as a model of its own: to be trained on from, or measured.

    Returns
    -------
    whether there is one; a file that answers for that sequence as for all others is left alone.

    Raises
    ------
    ModelError
        if the package `onnx` is not installed.
    """
    onnx = _onnx(joined.name)
    model = onnx.load(str(joined))
    if not _is_joined(model) or model.graph.node[0].input[0] != switch_for(sequence):
        return False
    taken = _side(onnx, model, "then_branch")
    _named_plainly(taken.graph, f"{sequence}/")
    onnx.checker.check_model(taken)
    onnx.save(taken, str(alone))
    return True


def _onnx(name: str) -> Any:
    try:
        import onnx
        import onnx.compose
    except ImportError as error:
        raise ModelError(
            name, "joining models needs the package onnx.", 'Install it: pip install "brainsift[train]".'
        ) from error
    return onnx


def _without_switch(onnx: Any, model: Any) -> Any:
    """What a joined model answers where nothing is said of the sequence, as a model of its own."""
    return _side(onnx, model, "else_branch") if _is_joined(model) else model


def _is_joined(model: Any) -> bool:
    nodes = model.graph.node
    return len(nodes) == 1 and nodes[0].op_type == "If"


def _side(onnx: Any, model: Any, branch: str) -> Any:
    """One side of the switch, as a model of its own."""
    kept = next(one.g for one in model.graph.node[0].attribute if one.name == branch)
    used = {name for node in kept.node for name in node.input}
    graph = onnx.helper.make_graph(
        list(kept.node),
        model.graph.name,
        [one for one in model.graph.input if one.name == IMAGE],
        list(kept.output),
        [weight for weight in model.graph.initializer if weight.name in used],
    )
    alone = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    onnx.helper.set_model_props(alone, {one.key: one.value for one in model.metadata_props})
    return alone


def _named_plainly(graph: Any, prefix: str) -> None:
    """Take a prefix from all names of a graph."""
    for node in graph.node:
        node.name = node.name.removeprefix(prefix)
        node.input[:] = [name.removeprefix(prefix) for name in node.input]
        node.output[:] = [name.removeprefix(prefix) for name in node.output]
    for one in (*graph.output, *graph.initializer):
        one.name = one.name.removeprefix(prefix)


def _ends(model: Any) -> tuple[str, str]:
    return model.graph.input[0].name, model.graph.output[0].name


def _shapes(model: Any) -> list[list[int | str]]:
    ends = (model.graph.input[0], model.graph.output[0])
    return [[d.dim_value or d.dim_param for d in end.type.tensor_type.shape.dim] for end in ends]


def _opsets(model: Any) -> list[tuple[str, int]]:
    return sorted((one.domain, one.version) for one in model.opset_import)


def _branch(onnx: Any, graph: Any, name: str) -> Any:
    """The nodes of a model as one side of the switch; image and weights lie outside of it."""
    return onnx.helper.make_graph(list(graph.node), name, [], list(graph.output))
