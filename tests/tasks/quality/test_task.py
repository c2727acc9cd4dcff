"""The task: what a finding says, and that its words, grades and tier agree."""

from pathlib import Path

import numpy as np
import pytest

from brainsift.models.joining import switch_for
from brainsift.scans.ref import ScanRef
from brainsift.tasks.base import Finding, Networked
from brainsift.tasks.quality import TASK
from brainsift.tasks.quality import task as task_module
from brainsift.tasks.quality.network import GRADED, N_OUTPUTS, OUTPUTS, SEQUENCES, QualityNetwork
from brainsift.tasks.quality.task import QualityTask

from .volumes import ball, make_volume

REF = ScanRef("a.nii.gz", "a", "nifti", (Path("a.nii.gz"),), 1, 1)


class Fixed:
    """A session that always gives the same logits, and remembers what it was shown.

    Parameters
    ----------
    flair : what it gives where the model for FLAIR is asked; it has none by default.
    """

    def __init__(self, flair: "Fixed | None" = None, **given: float) -> None:
        self.flair = flair
        self.rows = np.full((1, 25, N_OUTPUTS), -9.0, np.float32)
        for name, value in given.items():
            self.rows[..., OUTPUTS.index(name)] = value
        self.shown: np.ndarray | None = None

    def get_inputs(self) -> list[object]:
        return [type("Input", (), {"name": "image"})()]

    def get_overridable_initializers(self) -> list[object]:
        return [] if self.flair is None else [type("Input", (), {"name": switch_for("FLAIR")})()]

    def run(self, _: None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.shown = feed["image"]
        asked = feed.get(switch_for("FLAIR"), False)
        return [self.flair.rows if self.flair is not None and asked else self.rows]


def ask(session: Fixed, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Finding:
    task = QualityTask(lambda: QualityNetwork(session, "quality", "f" * 64))
    volume = make_volume(ball((80, 90, 84), 30), spacing)
    assert task.applies_to(REF, None)
    return task.run(volume, None, REF)


def test_a_good_scan_is_proper_of_tier_1_and_named() -> None:
    finding = ask(Fixed(proper=9, sequence_T1w=9))
    assert finding.label == "proper"
    assert finding.measurements["tier"] == 1
    assert finding.measurements["sequence"] == "T1w"
    assert finding.reason == "T1w of good quality (tier 1, 1 + the worst grade): no motion, noise or loss of contrast."
    assert (finding.model_id, finding.model_sha256) == ("quality", "f" * 64)


@pytest.mark.parametrize(
    ("spacing", "sequence", "label"),
    [
        ((1.0, 1.0, 5.0), "T1w", "improper"),
        ((0.5, 0.5, 3.0), "FLAIR", "improper"),
        ((0.8, 0.8, 2.5), "T2starw", "proper"),
        ((1.75, 1.75, 1.75), "T1w", "proper"),
    ],
)
def test_a_stack_of_slices_is_not_proper_whatever_the_network_says(
    spacing: tuple[float, float, float], sequence: str, label: str
) -> None:
    finding = ask(Fixed(proper=9, **{f"sequence_{sequence}": 9}), spacing)
    assert finding.label == label
    assert ("A stack of thick slices" in finding.reason) is (label == "improper")
    assert (finding.measurements["tier"] is None) is (label == "improper")
    assert (finding.probabilities["proper"] < 0.5) is (label == "improper")


def test_the_network_is_shown_24_slices() -> None:
    session = Fixed(proper=9)
    ask(session)
    assert session.shown is not None
    assert session.shown.shape == (1, 24, 224, 192)
    assert session.shown.dtype == np.float32
    assert session.shown.max() > 0.4


def test_severe_motion_makes_tier_3_and_is_said() -> None:
    finding = ask(Fixed(proper=9, sequence_FLAIR=9, motion_at_least_1=9, motion_at_least_2=9, noise_at_least_1=9))
    assert finding.measurements["tier"] == 3
    assert finding.measurements["motion_grade"] == 2
    assert finding.measurements["noise_grade"] == 1
    assert finding.probabilities["motion_severe"] == pytest.approx(1, abs=1e-3)
    assert finding.reason.startswith("FLAIR of bad quality (tier 3")
    assert finding.reason.endswith("strong motion, some noise.")


def test_an_improper_scan_gets_neither_tier_nor_grades() -> None:
    finding = ask(Fixed(proper=-3, motion_at_least_1=9))
    assert finding.label == "improper"
    assert finding.measurements["tier"] is None
    graded = {name: value for name, value in finding.measurements.items() if name.startswith(GRADED)}
    assert len(graded) == 5 * len(GRADED)
    assert set(graded.values()) == {None}
    assert finding.probabilities["motion_moderate"] > 0.99
    assert finding.reason == "Does not look like a proper brain scan (5% likely to be one)."


def test_a_proper_scan_without_a_brain_is_flagged_and_says_why() -> None:
    finding = ask(Fixed(proper=9, sequence_T1w=9))
    assert finding.flags == ("low_confidence",)
    assert finding.measurements["low_confidence"] == "it looks proper, but no brain was found"


def test_gadolinium_is_reported() -> None:
    finding = ask(Fixed(proper=9, gadolinium=9, sequence_T1w=9))
    assert finding.measurements["gadolinium"] is True
    assert finding.reason.startswith("T1w with gadolinium of good quality")


def test_the_slice_where_an_artefact_shows_most_is_named_in_the_scan_s_own_count() -> None:
    session = Fixed(proper=9, motion_at_least_1=-2)
    session.rows[0, 1 + 8 + 3, OUTPUTS.index("motion_at_least_1")] = 5
    measured = ask(session).measurements
    assert measured["motion_worst_plane"] == "coronal"
    assert measured["motion_worst_slice"] == pytest.approx(15 + 60 * 3.5 / 8, abs=2)
    assert measured["motion_worst_slice_score"] == pytest.approx(1, abs=0.05)


def test_probabilities_are_complete_and_between_0_and_1() -> None:
    found = ask(Fixed(proper=1, sequence_T2w=2)).probabilities
    names = {"proper", "gadolinium", *(f"sequence_{s}" for s in SEQUENCES)}
    names |= {f"{g}_{word}" for g in GRADED for word in ("moderate", "severe")}
    assert set(found) == names
    assert all(0 <= p <= 1 for p in found.values())


def test_the_finding_is_the_same_twice_and_survives_json() -> None:
    first, second = ask(Fixed(proper=2)), ask(Fixed(proper=2))
    assert first == second
    assert Finding.model_validate_json(first.model_dump_json()) == first


def test_the_packaged_task_is_named_quality_and_looks_on_the_user_s_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def opened(threads: int | None, shelf: Path | None) -> QualityNetwork:
        asked.append((threads, shelf))
        return QualityNetwork(Fixed(proper=9), "quality", "e" * 64)

    monkeypatch.setattr(task_module, "open_quality_network", opened)
    assert TASK.name == "quality"
    assert isinstance(TASK, Networked)
    finding = QualityTask(opened).on(tmp_path, 1).run(make_volume(ball((80, 90, 84), 30)), None, REF)
    assert finding.model_sha256 == "e" * 64
    assert asked == [(1, tmp_path)]


def test_a_network_that_was_given_stays() -> None:
    task = QualityTask(lambda: QualityNetwork(Fixed(proper=9), "given", "f" * 64))
    assert task.on(Path("elsewhere"), 1) is task
