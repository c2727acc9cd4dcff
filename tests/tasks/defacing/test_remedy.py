"""Each failure has a way out in words and for every tool that has a setting for it."""

from __future__ import annotations

import pytest

from brainsift.tasks.defacing.network import CLASSES
from brainsift.tasks.defacing.remedy import REMEDIES, TOOLS, remedy_for


@pytest.mark.parametrize(
    ("label", "left", "touched", "kind"),
    [
        ("correct", (), True, "none"),
        ("insufficient", ("nose", "ears"), True, "move_towards_brain"),
        ("insufficient", ("ears",), True, "ears"),
        ("insufficient", (), True, "move_towards_brain"),
        ("excessive", ("ears",), True, "move_away_from_brain"),
        ("failed", ("eyes", "nose"), False, "apply"),
        ("failed", ("eyes",), True, "register_again"),
    ],
)
def test_remedy_follows_from_class_and_what_is_left(
    label: str, left: tuple[str, ...], touched: bool, kind: str
) -> None:
    assert remedy_for(label, left, touched=touched).kind == kind


def test_every_remedy_knows_every_tool_and_speaks() -> None:
    for remedy in REMEDIES.values():
        assert set(remedy.parameters) == set(TOOLS)
        assert remedy.words.endswith(".")
    assert {remedy_for(label).kind for label in CLASSES} <= set(REMEDIES)


def test_buffer_grows_where_brain_was_removed_and_shrinks_where_face_is_left() -> None:
    narrow, wide = (int(remedy_for(label).parameters["quickshear"]) for label in ("insufficient", "excessive"))
    assert narrow < 10 < wide


def test_masks_move_in_opposite_directions() -> None:
    towards, away = (remedy_for(label).parameters["fsl_deface"].split() for label in ("insufficient", "excessive"))
    assert [float(a) for a in towards[1:]] == [-float(b) for b in away[1:]]


def test_unknown_class_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        remedy_for("nonsense")
