"""Opening models and running them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsift.models.checksums import record_sum
from brainsift.models.errors import ModelError
from brainsift.models.registry import REGISTRY
from brainsift.models.session import load_onnx, open_session, physical_cores


def test_a_session_answers_with_the_written_weights(shelf: Path) -> None:
    image = np.linspace(0, 1, 2 * 3 * 4, dtype=np.float32).reshape(1, 1, 2, 3, 4)
    (answer,) = open_session("anatomy", 1, shelf).run(None, {"image": image})
    expected = np.linspace(-1, 1, 10, dtype=np.float32)[None, :, None, None, None] * image
    np.testing.assert_allclose(answer, expected, atol=1e-6)


def test_a_session_is_opened_once_per_process(shelf: Path) -> None:
    assert open_session("anatomy", 1, shelf) is open_session("anatomy", 1, shelf)


@pytest.mark.parametrize(("threads", "expected", "spinning"), [(None, physical_cores(), "1"), (1, 1, "0"), (3, 3, "0")])
def test_workers_take_their_share_of_threads_and_do_not_spin(
    shelf: Path, threads: int | None, expected: int, spinning: str
) -> None:
    options = open_session("anatomy", threads, shelf).get_session_options()
    assert options.intra_op_num_threads == expected
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == spinning


def test_a_listed_file_that_is_no_network_is_reported_with_the_runtime_and_the_path(shelf: Path) -> None:
    (shelf / "anatomy.onnx").write_bytes(b"not a network")
    record_sum(shelf, "anatomy.onnx")
    with pytest.raises(ModelError, match=r"ONNX Runtime \d.*cannot load .*anatomy\.onnx"):
        open_session("anatomy", 1, shelf)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_packaged_models_have_the_tensors_that_the_registry_promises(name: str) -> None:
    spec = REGISTRY[name]
    session = open_session(name, 1)
    for found, promised in ((session.get_inputs(), spec.input), (session.get_outputs(), spec.output)):
        assert [tensor.name for tensor in found] == [promised.name]
        assert [size if isinstance(size, int) else None for size in found[0].shape] == list(promised.shape)


def test_loading_a_path_directly_uses_the_same_settings(shelf: Path) -> None:
    assert load_onnx(shelf / "anatomy.onnx", "anatomy", 2).get_session_options().intra_op_num_threads == 2
