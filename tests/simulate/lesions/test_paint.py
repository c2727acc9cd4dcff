from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.contrasts import draw_flair_contrast, draw_t1w_contrast, levels_of
from brainsift.simulate.lesions.draw import draw_lesion_plan, place_lesions
from brainsift.simulate.lesions.ground import ground_of, without_own_lesions
from brainsift.simulate.lesions.look import draw_look
from brainsift.simulate.lesions.mimics import Mimics, draw_mimics
from brainsift.simulate.lesions.paint import (
    Person,
    draw_colours,
    healthy_head,
    make_person,
    paint_flair_head,
    paint_t1w_head,
)


def _even(person: Person, rng: np.random.Generator, flair: bool) -> tuple[np.ndarray, tuple[float, float, float]]:
    """The person without texture, and the levels of white, grey and fluid."""
    draw = draw_flair_contrast if flair else draw_t1w_contrast
    colours = replace(draw_colours(rng, draw(rng, person.head.values)), smooth=0.0)
    paint = paint_flair_head if flair else paint_t1w_head
    return paint(person, colours)[person.placed.ground.box], levels_of(colours.contrast)


def test_without_lesions_and_mimics_the_image_is_the_healthy_one(phantom: LabelMap, no_mimics: Mimics) -> None:
    rng = np.random.default_rng(3)
    nothing = place_lesions(draw_lesion_plan(rng, phantom, load_ml=0.0), phantom)
    person = make_person(phantom, nothing, draw_look(rng), no_mimics)
    colours = draw_colours(rng, draw_t1w_contrast(rng, phantom.values))
    np.testing.assert_array_equal(paint_t1w_head(person, colours), healthy_head(phantom, colours))
    np.testing.assert_array_equal(paint_flair_head(person, colours), healthy_head(phantom, colours))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_lesions_lie_between_white_and_grey_on_t1w_and_shine_on_flair(seed: int, person: Person) -> None:
    box = person.placed.ground.box
    whole = (person.truth[box] == 1) & person.placed.ground.white
    assert whole.any()
    t1w, (white, grey, fluid) = _even(person, np.random.default_rng(seed), flair=False)
    assert fluid < grey < white
    np.testing.assert_allclose(t1w[whole], white + 0.6 * (grey - white), rtol=1e-4)
    flair, (white, grey, fluid) = _even(person, np.random.default_rng(seed), flair=True)
    np.testing.assert_allclose(flair[whole], 1.4 * max(white, grey), rtol=1e-4)
    assert fluid < white < grey


def test_half_a_lesion_is_half_way(person: Person) -> None:
    ground = person.placed.ground
    fraction = person.placed.fraction[ground.box]
    edge = (fraction > 0.2) & (fraction < 0.8) & ground.white & (person.mimics.share == 0)
    t1w, (white, grey, _) = _even(person, np.random.default_rng(7), flair=False)
    np.testing.assert_allclose(t1w[edge], white + 0.6 * fraction[edge] * (grey - white), rtol=1e-3)


def test_a_hollow_lesion_is_as_dark_as_fluid_and_still_a_lesion(phantom: LabelMap, person: Person) -> None:
    look = replace(person.look, hollow_share=1.0, hollow_depth=1.0, hollow_mm=1.5, seed=3)
    hollow = make_person(phantom, person.placed, look, person.drawn_mimics)
    np.testing.assert_array_equal(hollow.truth, person.truth)
    core = (hollow.levels.hollow == 1) & (hollow.truth[person.placed.ground.box] == 1)
    assert core.any()
    t1w, (_, _, fluid) = _even(hollow, np.random.default_rng(2), flair=False)
    np.testing.assert_allclose(t1w[core], fluid, rtol=1e-3)


def test_what_a_mimic_fills_is_no_lesion(person: Person) -> None:
    box = person.placed.ground.box
    mimics = person.mimics
    assert (mimics.fluid > 0.5).any()
    assert (mimics.plexus > 0.5).any()
    assert person.truth[box][mimics.share == 1].max(initial=0) == 0
    assert (person.truth[box] <= 1 - mimics.share + 1e-6).all()
    assert not mimics.plexus[~person.placed.ground.ventricle].any()


def test_mimics_alone_change_the_image_and_leave_the_truth_empty(phantom: LabelMap) -> None:
    rng = np.random.default_rng(6)
    nothing = place_lesions(draw_lesion_plan(rng, phantom, load_ml=0.0), phantom)
    person = make_person(phantom, nothing, draw_look(rng), draw_mimics(rng, ground_of(phantom)))
    colours = draw_colours(rng, draw_t1w_contrast(rng, phantom.values))
    assert not person.truth.any()
    assert np.count_nonzero(paint_t1w_head(person, colours) != healthy_head(phantom, colours)) > 20


def test_t1w_contrasts_keep_their_order_and_flairs_null_fluid(phantom: LabelMap) -> None:
    rng = np.random.default_rng(8)
    t1w = np.array([levels_of(draw_t1w_contrast(rng, phantom.values)) for _ in range(40)])
    assert (t1w[:, 0] > t1w[:, 1]).all()
    assert (t1w[:, 1] > t1w[:, 2]).all()
    # Randomised: contrasts of grey and white differ by more than those of one sequence do.
    assert np.ptp(t1w[:, 1] / t1w[:, 0]) > 0.2
    flair = np.array([levels_of(draw_flair_contrast(rng, phantom.values)) for _ in range(20)])
    assert np.mean(flair[:, 2] < 0.5 * flair[:, 0]) > 0.9


def test_own_lesions_become_white_matter(phantom: LabelMap) -> None:
    own = replace(phantom, values=np.where(phantom.values == 2, 25, phantom.values))
    np.testing.assert_array_equal(without_own_lesions(own).values, phantom.values)
