"""TOML that the standard library reads back."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsift.store.toml_text import to_toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(TEXT, VALUES | st.dictionaries(TEXT, VALUES | st.dictionaries(TEXT, VALUES))))
def test_what_is_written_reads_back(values: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(values)) == values


def test_times_read_back_and_none_is_left_out() -> None:
    now = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert tomllib.loads(to_toml({"at": now, "nothing": None})) == {"at": now}


def test_other_values_are_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        to_toml({"x": object()})
