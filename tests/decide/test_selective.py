"""Thresholds that keep their promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from brainsift.decide.bounds import upper_bound
from brainsift.decide.people import one_each, split_people, weights_of
from brainsift.decide.selective import GRID, choose_threshold, fixed_sequence, start_of_search
from tests.decide.parts import draw


def test_the_grid_goes_from_the_strictest_to_an_even_chance() -> None:
    assert (np.diff(GRID) < 0).all()
    assert GRID[0] > 0.99999
    assert GRID[-1] == 0.5


def test_a_model_without_errors_decides_all_it_may() -> None:
    passed = fixed_sequence(np.full(100, 0.7), np.zeros(100, bool), 0.05, 0.05, start=len(GRID) - 5)
    assert passed is not None
    assert (passed.threshold, passed.decided, passed.errors) == (0.5, 100, 0)
    assert passed.bound == upper_bound(0, 100, 0.05)


def test_the_search_stops_at_the_first_threshold_that_fails() -> None:
    scores = np.concatenate([np.full(100, 0.99), np.full(50, 0.9), np.full(3000, 0.6)])
    wrong = np.concatenate([np.zeros(100, bool), np.ones(50, bool), np.zeros(3000, bool)])
    assert upper_bound(50, 3150, 0.05) < 0.05
    passed = fixed_sequence(scores, wrong, 0.05, 0.05, start=76)
    assert passed is not None
    assert 0.9 < passed.threshold <= 0.99
    assert passed.errors == 0


@pytest.mark.parametrize(("n", "passes"), [(58, False), (59, True)])
def test_one_label_too_few_promises_nothing(n: int, passes: bool) -> None:
    found = fixed_sequence(np.full(n, 0.99), np.zeros(n, bool), 0.05, 0.05, start=len(GRID) - 1)
    assert (found is not None) is passes


@pytest.mark.parametrize("people", [80, 200, 1000])
def test_the_search_starts_at_a_strict_threshold_that_enough_people_reach(people: int) -> None:
    elsewhere = np.concatenate([np.linspace(0.999, 1.0, 1000), np.linspace(0.5, 0.9, 200)])
    start = start_of_search(elsewhere, people, alpha=0.05, delta=0.05)
    share = (elsewhere >= GRID[start]).mean()
    assert share * people >= 59
    assert GRID[start] > 0.99
    assert start == 0 or (elsewhere >= GRID[start - 1]).mean() * people < 93 or people == 1000


def test_where_nobody_could_pass_the_search_starts_at_the_end() -> None:
    assert start_of_search(np.linspace(0.5, 1, 100), 10, 0.05, 0.05) == len(GRID) - 1
    assert start_of_search(np.full(100, 0.2), 1000, 0.05, 0.05) == len(GRID) - 1


def test_the_start_does_not_look_at_the_labels() -> None:
    p, _ = draw(400, seed=0)
    other, _ = draw(400, seed=1)
    starts = {
        found.threshold if (found := choose_threshold(p, np.zeros(400, bool), 0.05, 0.05, basis)) else None
        for basis in (other, other[:5], None)
    }
    assert starts == {0.5}


def test_nobody_and_missing_scores() -> None:
    assert choose_threshold([], [], 0.05, 0.05) is None
    with pytest.raises(ValueError, match="finite"):
        fixed_sequence([np.nan], [False], 0.05, 0.05)


@pytest.mark.parametrize("boast", [1.0, 3.0])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_the_bound_holds_as_often_as_promised(boast: float, elsewhere: bool) -> None:
    """400 calibrations; the promise may fail in delta of them, and would be caught failing in twice as many."""
    alpha = delta = 0.1
    population, truth = draw(200_000, seed=99, sharpness=2.5, boast=boast)
    broken = made = 0
    for seed in range(400):
        p, good = draw(300, seed, sharpness=2.5, boast=boast)
        others = draw(100, 10_000 + seed, sharpness=2.5, boast=boast)[0] if elsewhere else None
        passed = choose_threshold(p, ~good, alpha, delta, others)
        if passed is not None:
            made += 1
            broken += (~truth[population >= passed.threshold]).mean() > alpha
    assert made > 100
    assert broken <= binom.ppf(0.999, 400, delta)


def test_a_model_that_knows_nothing_is_rarely_believed() -> None:
    """11 % are bad whatever the score: each promise of 10 % is broken, so no more than delta may be made."""
    made = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        scores, wrong = rng.uniform(0.9, 1.0, 200), rng.random(200) < 0.11
        made += choose_threshold(scores, wrong, 0.1, 0.1, rng.uniform(0.9, 1.0, 100)) is not None
    assert 0 < made <= binom.ppf(0.999, 400, 0.1)


def test_without_the_bound_the_promise_would_break() -> None:
    """Similar draws, choosing the loosest threshold whose observed error is at most alpha."""
    alpha = 0.1
    population, truth = draw(200_000, seed=99, sharpness=1.5)
    broken = 0
    for seed in range(200):
        p, good = draw(150, seed, sharpness=1.5)
        within = [t for t in GRID.tolist() if (p >= t).any() and (~good[p >= t]).mean() <= alpha]
        broken += bool(within) and (~truth[population >= min(within)]).mean() > alpha
    assert broken > 200 * 0.2


def test_one_scan_of_each_person_is_drawn_by_chance() -> None:
    people = ["a"] * 5 + ["b"] + ["c"] * 2
    rows = one_each(people, seed=0)
    assert sorted(people[row] for row in rows) == ["a", "b", "c"]
    assert one_each(people, seed=0).tolist() == rows.tolist()
    drawn = {int(row) for seed in range(60) for row in one_each(people, seed)}
    assert drawn == set(range(8))
    assert one_each([], seed=0).size == 0


def test_people_stay_on_one_side() -> None:
    people = [f"p{i % 30}" for i in range(90)]
    first = split_people(people, 1 / 3, seed=1)
    assert len({person for person, taken in zip(people, first, strict=True) if taken}) == 10
    assert first.sum() == 30


def test_each_person_weighs_one() -> None:
    assert weights_of(["a", "b", "a", "a"]).tolist() == pytest.approx([1 / 3, 1, 1 / 3, 1 / 3])
