"""How many processes fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.engine.resources import RESERVED_BYTES, available_bytes, suggest_nprocs, usable_cores
from brainsift.engine.settings import GIB


@pytest.mark.parametrize(
    ("available", "cores", "expected"),
    [
        (RESERVED_BYTES + 8 * GIB, 16, 4),
        (RESERVED_BYTES + 8 * GIB, 2, 2),
        (RESERVED_BYTES + 2 * GIB - 1, 16, 1),
        (0, 16, 1),
    ],
)
def test_memory_and_cores_both_limit_and_one_is_the_least(available: int, cores: int, expected: int) -> None:
    assert suggest_nprocs(available, 2 * GIB, cores) == expected


def test_the_limit_of_a_container_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("300000000\n")
    (tmp_path / "memory.current").write_text("100000000\n")
    assert available_bytes(tmp_path, tmp_path / "none") == 200_000_000


def test_the_limit_of_an_old_container_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.limit_in_bytes").write_text("300000000\n")
    (tmp_path / "memory.usage_in_bytes").write_text("400000000\n")
    assert available_bytes(tmp_path / "none", tmp_path) == 0


def test_no_limit_means_what_the_machine_has(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1\n")
    assert available_bytes(tmp_path, tmp_path / "none") > 10_000_000


def test_a_share_of_a_core_is_one_process(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert usable_cores(tmp_path) == 1
    assert usable_cores(tmp_path / "none") >= 1
