"""What several rooms ask of the same scan is computed once, and forgotten with it."""

from __future__ import annotations

import gc
import weakref

from brainsift.anatomy.remember import remembered


class Thing:
    """Something that is asked about."""


def test_an_answer_is_computed_once_as_long_as_the_question_is_the_same() -> None:
    asked: list[tuple[object, ...]] = []

    @remembered
    def ask(thing: Thing, *rest: object) -> list[object]:
        asked.append((thing, *rest))
        return [thing.__class__, *rest]

    first, other, word = Thing(), Thing(), object()
    assert ask(first) is ask(first)
    assert ask(other) is not ask(first)
    assert ask(first, word) is ask(first, word)
    assert len(asked) == 3
    assert ask(first, object()) is not ask(first, word)


def test_an_answer_goes_with_what_it_is_about() -> None:
    @remembered
    def ask(thing: Thing) -> set[int]:
        return {1}

    thing = Thing()
    answer = weakref.ref(ask(thing))
    assert answer() == {1}
    del thing
    gc.collect()
    assert answer() is None
