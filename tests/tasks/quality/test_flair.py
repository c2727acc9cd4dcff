"""What is filed as FLAIR is judged as a FLAIR, and told apart with the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy, TissueStats
from brainsift.scans.ref import ScanRef
from brainsift.tasks.base import Finding
from brainsift.tasks.quality.flair import filed_as_flair, flair_verdict, fluid_to_white
from brainsift.tasks.quality.network import GRADED, SEQUENCES, Answer, QualityNetwork
from brainsift.tasks.quality.task import QualityTask

from .test_task import Fixed
from .volumes import ball, make_volume


def ref(stem: str, suffix: str | None = None) -> ScanRef:
    return ScanRef(f"{stem}.nii.gz", stem, "nifti", (Path(f"{stem}.nii.gz"),), 1, 1, suffix=suffix)


@pytest.mark.parametrize(
    ("stem", "suffix", "hint", "filed"),
    [
        ("sub-1/anat/sub-1_FLAIR", "FLAIR", None, True),
        ("sub-1/anat/sub-1_T1w", "T1w", None, False),
        ("sub-1/anat/sub-1_FLAIR", "FLAIR", "T2w", True),  # the name is asked, whatever the header says
        ("scan", None, "FLAIR", True),
        ("scan", None, "T2w", False),
        ("old/ax_t2_flair_3mm", None, None, True),
        ("flair_study/scan_7", None, None, False),  # a folder's name is no name of a scan
        ("t1_flair", None, None, False),  # T1 FLAIR is a T1w
        ("flair_mask", None, "T1w", False),  # words count only where the header is silent
    ],
)
def test_it_is_known_from_name_and_header(stem: str, suffix: str | None, hint: str | None, filed: bool) -> None:
    header = {} if hint is None else {"SequenceHint": hint}
    assert filed_as_flair(ref(stem, suffix), header) is filed


def answer(proper: float = 0.99, **sequences: float) -> Answer:
    shares = {name: sequences.get(name, 0.0) for name in SEQUENCES}
    zeros = dict.fromkeys(GRADED, 0.0)
    slices = np.zeros(24, np.float32)
    return Answer(proper, 0.0, shares, zeros, zeros, dict.fromkeys(GRADED, slices), slices)


def anatomy(fluid: float = 0.2, outside: float = 0.0, brain: bool = True, head: bool = True) -> Anatomy:
    """A ball of brain of 900 mL in a larger head, or alone on padding."""
    axes = np.meshgrid(*(np.arange(96) - 47.5 for _ in range(3)), indexing="ij")
    radius = np.sqrt(sum(a * a for a in axes))
    inside = radius < 30
    grey = np.random.default_rng(0).uniform(20, 100, radius.shape)
    image = np.where(radius < (42 if head else 30), grey, 0.0).astype(np.float32)
    tissue = {"white": TissueStats(5000, 100.0, 5.0), "ventricles": TissueStats(200, 100.0 * fluid, 5.0)}
    return Anatomy(
        labels=np.where(inside, 2, 0).astype(np.uint8),
        affine=np.diag([2.0, 2.0, 2.0, 1.0]),
        image=image,
        brain=inside,
        volumes_ml={},
        brain_ml=900.0,
        icv_ml=900.0,
        outside_fov=outside,
        to_mni=None,
        mni_residual_mm=None,
        confidence=0.9,
        has_brain=brain,
        model_id="anatomy",
        model_sha256="0" * 64,
        tissue=tissue,
    )


def test_a_whole_flair_with_dark_fluid_is_proper() -> None:
    verdict = flair_verdict(answer(FLAIR=0.98), False, anatomy())
    assert verdict.proper
    assert verdict.probability == 0.98
    assert verdict.because == ()
    assert verdict.skull_stripped is False


def test_a_stripped_skull_is_told_and_rejects_nothing() -> None:
    verdict = flair_verdict(answer(FLAIR=0.98), False, anatomy(head=False))
    assert verdict.proper
    assert verdict.skull_stripped is True


@pytest.mark.parametrize(
    ("said", "stack", "seen", "told"),
    [
        (answer(0.01, FLAIR=0.9), True, anatomy(), ["a stack of 2D slices"]),
        (answer(FLAIR=0.1, T1w=0.9), False, anatomy(0.3), ["it looks like T1w"]),
        (answer(FLAIR=0.1, T2w=0.9), False, anatomy(2.5), ["it looks like T2w (fluid 2.5 times as bright as white"]),
        (answer(FLAIR=0.1, other=0.9), False, anatomy(1.8), ["it looks like no known sequence (fluid 1.8 times"]),
        (answer(0.2, FLAIR=0.9), False, anatomy(1.4), ["its fluid is not dark (fluid 1.4 times"]),
        (answer(FLAIR=0.45, PDw=0.4), False, anatomy(), ["its sequence is not clear"]),
        (answer(0.1, FLAIR=0.9), False, anatomy(outside=0.3), ["30% of the brain outside the field of view"]),
        (answer(0.1, FLAIR=0.9), False, anatomy(brain=False), ["no brain was found: another part of the body"]),
        (answer(0.1, FLAIR=0.9), False, None, ["no brain was found"]),
        (answer(0.1, FLAIR=0.9), False, anatomy(), ["it does not look like a whole brain in 3D"]),
        (answer(0.01, FLAIR=0.1, T2w=0.9), True, anatomy(2.0), ["a stack of 2D slices", "it looks like T2w"]),
    ],
)
def test_each_reason_is_told(said: Answer, stack: bool, seen: Anatomy | None, told: list[str]) -> None:
    verdict = flair_verdict(said, stack, seen)
    assert not verdict.proper
    assert len(verdict.because) == len(told)
    assert all(found.startswith(words) for found, words in zip(verdict.because, told, strict=True))


def test_fluid_is_not_measured_where_the_anatomy_is_not_believed() -> None:
    sure = anatomy(0.3)
    assert fluid_to_white(sure) == pytest.approx(0.3)
    assert fluid_to_white(None) is None
    assert fluid_to_white(anatomy(0.3, brain=False)) is None
    sure.tissue["ventricles"] = TissueStats(3, 30.0, 1.0)
    assert fluid_to_white(sure) is None


def ask(session: Fixed, suffix: str) -> Finding:
    task = QualityTask(lambda: QualityNetwork(session, "quality", "f" * 64))
    return task.run(make_volume(ball((80, 90, 84), 30)), None, ref(f"sub-1_{suffix}", suffix))


def test_a_sound_t2w_under_the_name_of_a_flair_is_no_proper_flair_and_gets_no_tier() -> None:
    finding = ask(Fixed(proper=9, sequence_T2w=9), "FLAIR")
    assert finding.label == "improper"
    assert finding.probabilities["proper"] < 0.01
    assert finding.measurements["tier"] is None
    assert finding.measurements["filed_as"] == "FLAIR"
    assert finding.reason.startswith("Not a proper 3D FLAIR (0% likely to be one): it looks like T2w")
    assert ask(Fixed(proper=9, sequence_T2w=9), "T2w").label == "proper"


@pytest.mark.parametrize(("suffix", "tier"), [("FLAIR", 3), ("T1w", 1)])
def test_the_model_for_flair_answers_for_what_is_filed_as_flair_alone(suffix: str, tier: int) -> None:
    seen = "FLAIR" if suffix == "FLAIR" else "T1w"
    graded = Fixed(proper=9, sequence_FLAIR=9, noise_at_least_1=9, noise_at_least_2=9)
    assert ask(Fixed(graded, proper=9, **{f"sequence_{seen}": 9}), suffix).measurements["tier"] == tier


def test_a_flair_gets_its_grades_and_tier() -> None:
    finding = ask(Fixed(proper=9, sequence_FLAIR=9, noise_at_least_1=9), "FLAIR")
    assert (finding.label, finding.measurements["tier"]) == ("proper", 2)
    assert finding.measurements["not_proper_because"] is None
    assert finding.reason.startswith("FLAIR of moderate quality (tier 2")
