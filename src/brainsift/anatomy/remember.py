"""What several rooms ask of the same scan is computed once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

Asked = TypeVar("Asked", bound=Callable[..., Any])


def remembered(function: Asked) -> Asked:
    """Keep the last answer about each object that is the first argument, as long as that object lives.

    Arguments are told apart by identity, so it is for objects that nobody changes: a `Volume`, an `Anatomy`. What is
    given back is shared, and nobody may change that either.
    """
    kept: WeakKeyDictionary[Any, tuple[tuple[Any, ...], Any]] = WeakKeyDictionary()

    @functools.wraps(function)
    def answer(first: Any, *rest: Any) -> Any:
        held = kept.get(first)
        if held is None or len(held[0]) != len(rest) or any(a is not b for a, b in zip(held[0], rest, strict=True)):
            held = kept[first] = (rest, function(first, *rest))
        return held[1]

    return answer  # type: ignore[return-value]
