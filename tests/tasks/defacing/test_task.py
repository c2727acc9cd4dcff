"""The task: labels, flags, words, originals, and what it says where there is nothing to deface."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Finding
from brainsift.tasks.defacing.average import FEATURES
from brainsift.tasks.defacing.network import (
    CHANNELS,
    CLASSES,
    N_OUTPUTS,
    OUTPUTS,
    WINDOW_SHAPE,
    Seen,
    decode,
    network_input,
)
from brainsift.tasks.defacing.task import DefacingTask
from tests.tasks.defacing.scene import average_masks, face_cut, scan

REF = ScanRef("sub-01_T1w.nii", "sub-01_T1w", "nifti", (Path("sub-01_T1w.nii"),), 1, 1)


class Said:
    """A network that answers what it was told to, after looking at its input."""

    model_id, model_sha256 = "defacing", "d" * 64

    def __init__(self, **logits: float) -> None:
        self.logits = np.array([logits.get(name, -4.0) for name in OUTPUTS], np.float32)

    def ask(self, seen: Seen):  # type: ignore[no-untyped-def]
        """Decode what was told."""
        assert network_input(seen.window).shape == (1, len(CHANNELS), *WINDOW_SHAPE)
        return decode(self.logits)


def ask(taken=None, original: tuple[Volume, Anatomy] | None = None, **logits: float) -> Finding:  # type: ignore[no-untyped-def]
    volume, anatomy = scan(taken)
    task = DefacingTask(
        lambda: Said(**logits),  # type: ignore[arg-type,return-value]
        read=lambda _: original[0] if original else volume,
        see=lambda _: original[1] if original else anatomy,
    )
    return task.run(volume, anatomy, replace(REF, original=Path("original.nii") if original else None))


def test_probabilities_of_the_classes_sum_to_one_and_fill_the_table() -> None:
    finding = ask(face_cut(), correct=4, touched=4)
    assert finding.label == "correct"
    assert sum(finding.probabilities[name] for name in CLASSES) == pytest.approx(1, abs=1e-3)
    assert {f"{name}_left" for name in FEATURES} < set(finding.probabilities)
    assert finding.model_sha256 == "d" * 64


def test_brain_that_the_network_takes_for_gone_is_told_in_ml() -> None:
    cut = ask(face_cut(), excessive=4, touched=4, brain_removed_ml=7.25)
    assert cut.measurements["brain_removed_ml"] == 7.25
    assert "About 7.2 mL of brain seem to be gone." in cut.reason
    assert "mL" not in ask(face_cut(), excessive=4, touched=4, brain_removed_ml=0.3).reason
    assert ask(face_cut(), correct=4, touched=4).measurements["brain_removed_ml"] == 0.0


def test_features_left_are_flags_and_are_named_with_a_remedy() -> None:
    finding = ask(face_cut(), insufficient=3, ears=2, nose=1, touched=4)
    assert finding.flags[:2] == ("nose", "ears")
    assert "Left: nose, ears." in finding.reason
    assert finding.measurements["remedy"] == "move_towards_brain"


def test_an_untouched_head_is_called_not_defaced() -> None:
    finding = ask(None, failed=4, eyes=4, nose=4, mouth=4, ears=4)
    assert finding.label == "failed"
    assert "not_applied" in finding.flags
    assert finding.reason.startswith("Not defaced")
    assert finding.measurements["remedy"] == "apply"


def test_measurements_that_disagree_are_flagged() -> None:
    assert "measurement_disagrees" in ask(None, correct=4, touched=4).flags
    assert "measurement_disagrees" not in ask(face_cut(), correct=4, touched=4).flags


def test_a_skull_stripped_scan_has_no_head_to_deface() -> None:
    head, brain = average_masks()
    volume, anatomy = scan(~brain)
    labels = np.where(brain, Tissue.WHITE, Tissue.BACKGROUND).astype(np.uint8)
    task = DefacingTask(lambda: pytest.fail("the network is not asked"))
    finding = task.run(volume, replace(anatomy, labels=labels, brain=brain), REF)
    assert finding.label == "no_head"
    assert finding.probabilities == {}
    assert head.sum() > brain.sum()


def test_a_copy_of_the_original_has_failed_for_sure() -> None:
    finding = ask(None, original=scan(), correct=4, touched=4)
    assert finding.label == "failed"
    assert finding.probabilities["failed"] == 1.0
    assert {"identical_to_original", "not_applied"} <= set(finding.flags), "views of it are not kept"
    assert finding.measurements["remedy"] == "apply"
    assert finding.measurements["original_identical"] is True


@pytest.mark.parametrize(
    ("buffer_mm", "label"),
    [
        (8.0, "insufficient"),  # the face is gone, the ears are there
        (-40.0, "excessive"),  # and brain is gone, deeply
    ],
)
def test_the_original_tells_what_was_removed(buffer_mm: float, label: str) -> None:
    finding = ask(face_cut(buffer_mm), original=scan(), correct=4, touched=4)
    assert finding.measurements["original_label"] == label
    assert "original_disagrees" in finding.flags
    assert (finding.measurements["original_nose_unchanged"] or 0) < 0.2  # type: ignore[operator]
    removed = finding.measurements["original_brain_removed_ml"]
    assert isinstance(removed, float)
    assert (removed > 20) == (label == "excessive")


def test_another_grid_than_the_originals_is_told() -> None:
    volume, anatomy = scan()
    shifted = volume.affine.copy()
    shifted[0, 3] += 1.0
    finding = ask(face_cut(), original=(replace(volume, affine=shifted), replace(anatomy, affine=shifted)), correct=4)
    assert "geometry_changed" in finding.flags
    assert finding.measurements["original_identical"] is False


def test_an_answer_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=str(N_OUTPUTS)):
        decode(np.zeros(N_OUTPUTS + 1, np.float32))
