"""From logits to probabilities, scores, grades and tier."""

import numpy as np
import pytest

from brainsift.tasks.quality.network import GRADED, N_OUTPUTS, OUTPUTS, SEQUENCES, QualityNetwork, decode
from brainsift.tasks.quality.slices import Slices


def logits(**given: float) -> np.ndarray:
    """An answer for the scan and 24 slices; what is not given is -9."""
    rows = np.full((25, N_OUTPUTS), -9.0, np.float32)
    for name, value in given.items():
        rows[:, OUTPUTS.index(name)] = value
    return rows


def test_names_and_columns_fit() -> None:
    assert 2 + 2 * len(GRADED) + len(SEQUENCES) == N_OUTPUTS
    assert len(set(OUTPUTS)) == N_OUTPUTS


def test_probabilities_come_from_their_own_columns() -> None:
    answer = decode(logits(proper=9, gadolinium=0, sequence_FLAIR=9))
    assert answer.proper == pytest.approx(1, abs=1e-3)
    assert answer.gadolinium == pytest.approx(0.5)
    assert answer.likeliest_sequence() == "FLAIR"
    assert sum(answer.sequence.values()) == pytest.approx(1)


def test_a_scan_of_no_known_sequence_is_not_proper() -> None:
    assert decode(logits(proper=9, sequence_other=9)).proper < 0.01
    assert decode(logits(proper=-9, sequence_T1w=9)).proper < 0.01


@pytest.mark.parametrize(
    ("first", "second", "grade"),
    [(-9, -9, 0), (9, -9, 1), (9, 9, 2), (-9, 9, 0)],
    ids=["none", "moderate", "severe", "severe without moderate is neither"],
)
def test_the_grade_is_the_highest_that_is_likely(first: float, second: float, grade: int) -> None:
    answer = decode(logits(motion_at_least_1=first, motion_at_least_2=second))
    assert answer.grade("motion") == grade
    assert answer.score("motion") == pytest.approx(grade, abs=0.01)
    assert answer.severe["motion"] <= answer.moderate["motion"]


@pytest.mark.parametrize(("severe", "tier"), [((), 1), (("noise",), 3), (("motion", "contrast"), 3)])
def test_the_tier_is_one_more_than_the_worst_grade(severe: tuple[str, ...], tier: int) -> None:
    given = {f"{name}_at_least_{k}": 9.0 for name in severe for k in (1, 2)}
    assert decode(logits(**given)).tier() == tier
    assert decode(logits(noise_at_least_1=9)).tier() == 2


def test_each_slice_has_its_own_score() -> None:
    rows = logits()
    rows[1 + 7, OUTPUTS.index("motion_at_least_1")] = 9
    scores = decode(rows).slice_scores
    assert scores["motion"].shape == (24,)
    assert scores["motion"].argmax() == 7
    assert scores["noise"].max() < 0.01


def test_huge_logits_do_not_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        answer = decode(logits(proper=1e4, gadolinium=-1e4, sequence_T1w=1e4))
    assert (answer.proper, answer.gadolinium, answer.sequence["T1w"]) == (1, 0, 1)


def test_a_model_with_other_outputs_is_refused() -> None:
    class Session:
        def get_inputs(self) -> list[object]:
            return [type("Input", (), {"name": "image"})()]

        def run(self, _: None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [np.zeros((1, 25, 3), np.float32)]

    slices = Slices(np.zeros((24, 224, 192), np.float32), np.zeros(24, int), np.zeros(24, int))
    with pytest.raises(ValueError, match=f"{N_OUTPUTS} outputs, got 3"):
        QualityNetwork(Session(), "quality", "0").ask(slices)
