"""ONNX Runtime sessions, opened when first asked for and kept for the life of the process."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsift.models.errors import ModelError
from brainsift.models.shelf import find

if TYPE_CHECKING:
    import onnxruntime


@functools.cache
def open_session(name: str, threads: int | None = None, shelf: Path | None = None) -> onnxruntime.InferenceSession:
    """Open a model for inference on the CPU.

    Parameters
    ----------
    name : a name in the registry.
    threads : threads within one operator; ``None`` for one per physical core. A worker of a pool passes its own share,
        and its threads then sleep between operators instead of spinning, because spinning starves the other workers.
    shelf : folder of the user's own models, looked at before the packaged ones.

    Returns
    -------
    the session; the same object for the same arguments within one process.

    Raises
    ------
    ModelError
        if the file is missing or damaged, or ONNX Runtime cannot load it.
    """
    model = find(name, shelf)
    return load_onnx(model.path, name, threads)


def load_onnx(path: Path, name: str, threads: int | None = None) -> onnxruntime.InferenceSession:
    """Load one ONNX file with our thread settings; `name` is for the message when that fails."""
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(str(path), _options(threads), providers=["CPUExecutionProvider"])
    except _load_errors() as error:
        reason = str(error).splitlines()[0][:200]
        raise ModelError(
            name,
            f"ONNX Runtime {onnxruntime.__version__} cannot load {path} ({reason}).",
            "Export it again for this version, or update onnxruntime.",
        ) from error


def _options(threads: int | None) -> onnxruntime.SessionOptions:
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = physical_cores() if threads is None else max(1, threads)
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # A pattern is kept for every shape, and shapes differ from scan to scan: with it the detector of microbleeds holds
    # 2.0 GB after its second scan, without 1.1 to 1.5, and takes no longer (1.29 s against 1.38, mean of five).
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if threads is None else "0")
    options.log_severity_level = 3
    return options


def _load_errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's own exceptions share no base class below `Exception`."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    kinds = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel", "NoSuchFile", "NotImplemented")
    return tuple(getattr(state, kind) for kind in kinds if hasattr(state, kind))


def physical_cores() -> int:
    """Cores that this process may use, at least 1; hyper-threads share the vector units and add nothing here."""
    import os

    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))
