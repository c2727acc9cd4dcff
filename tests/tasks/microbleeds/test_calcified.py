"""Places that calcify in healthy adults: doubted where they lie, in millimetres of MNI152, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brainsift.tasks.microbleeds.calcified import calcify
from brainsift.tasks.microbleeds.places import Place

LOBAR = Place("lobar", "left", None, (-30.0, -20.0, 40.0), -5.0, 20.0)


def at(*mni: float, outside: float = -5.0, ventricle: float = 20.0) -> Place:
    return replace(LOBAR, mni_mm=(mni[0], mni[1], mni[2]), outside_mm=outside, ventricle_mm=ventricle)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (LOBAR, False),
        (replace(LOBAR, mni_mm=None), False),
        (at(1, -32, 5), True),  # pineal gland
        (at(1, -32, 20), False),  # splenium above it
        (at(-24, -42, 8, ventricle=1.0), True),  # choroid plexus of the left trigone
        (at(24, -42, 8, ventricle=-2.0), True),  # and of the right one, inside of the ventricle
        (at(24, -42, 8, ventricle=5.0), True),  # of a trigone so narrow that it was not seen
        (at(24, -42, 8, ventricle=8.0), False),  # white matter as far from the midline, away from the ventricle
        (at(1, 20, 50, outside=-1.0), True),  # falx
        (at(2.5, 20, 50, outside=-8.0), True),  # falx that the anatomy pass takes for brain
        (at(3.5, 20, 50, outside=-1.0), False),  # cortex beside the falx
        (at(1, 20, 20), False),  # corpus callosum
        (at(19, -4, 0), False),  # one pallidum alone
    ],
)
def test_a_single_place(place: Place, expected: bool) -> None:
    assert calcify([place, LOBAR]).tolist() == [expected, False]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (at(-20, -6, 1), True),
        (at(20, -2, 2), False),  # on the same side
        (at(-13, 9, -7), False),  # as deep, but elsewhere
        (at(-31, -4, 0), False),  # in the putamen
    ],
)
def test_a_spot_in_each_pallidum(other: Place, expected: bool) -> None:
    assert calcify([at(19, -4, 0), LOBAR, other]).tolist() == [expected, False, expected]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (at(1, -32, 5), True),  # pineal gland: calcified in most
        (at(24, -42, 8, ventricle=1.0), True),  # choroid plexus
        (at(1, 20, 50), False),  # falx
        (at(19, -4, 0), False),  # a spot in each pallidum
    ],
)
def test_where_the_sign_is_told_only_what_calcifies_often_is_doubted(place: Place, expected: bool) -> None:
    places = [place, at(-19, -4, 0)]
    assert calcify(places).tolist()[0]
    assert calcify(places, [True, False]).tolist() == [expected, calcify(places).tolist()[1]]


def test_no_place_at_all() -> None:
    assert calcify([]).tolist() == []
