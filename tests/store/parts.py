"""Records to store, as the engine makes them."""

from __future__ import annotations

from typing import Any

from brainsift.decide.decision import Action, Decision
from brainsift.store.record import Failure, InputFacts, Record
from brainsift.store.reviews.acts import NewAct
from brainsift.tasks.base import Finding


def done_record(scan: str = "sub-01/anat/sub-01_T1w.nii.gz", sha256: str = "a" * 64, **changes: Any) -> Record:
    """A scan that was answered for."""
    values: dict[str, Any] = {
        "scan": scan,
        "stem": scan.removesuffix(".nii.gz"),
        "participant": "01",
        "suffix": "T1w",
        "status": "done",
        "input": InputFacts(format="nifti1", size=10, fingerprint="10:1", sha256=sha256),
        "anatomy": {"brain_ml": 1234.567, "icv_ml": 1500.0, "outside_fov": 0.01234},
        "findings": (
            Finding(
                task="integrity", label="image", measurements={"sequence": "T1w", "dimension": "3D"}, flags=("clipped",)
            ),
        ),
        "decisions": (Decision(task="integrity", action=Action.ACCEPT, rule="whole_image", reason="Sound."),),
        "models": {"anatomy": "b" * 64},
        "settings_sha256": "c" * 64,
        "software": "brainsift 0.1.0",
        "seconds": 1.25,
    }
    return Record(**{**values, **changes})


def failed_record(scan: str = "bad.nii.gz", **changes: Any) -> Record:
    """A scan that could not be read."""
    failure = Failure(kind="truncated", cause="The file ends early.", remedy="Copy it again.", stage="read")
    values: dict[str, Any] = {
        "scan": scan,
        "stem": scan.removesuffix(".nii.gz"),
        "status": "failed",
        "reason": failure.cause,
        "input": InputFacts(format="nifti1", size=3, fingerprint="3:1"),
        "failure": failure,
        "models": {"anatomy": "b" * 64},
        "settings_sha256": "c" * 64,
        "software": "brainsift 0.1.0",
    }
    return Record(**{**values, **changes})


def an_act(scan: str, item: str) -> NewAct:
    """A person who calls a scan usable."""
    return NewAct(
        task="integrity",
        list_name="review",
        stage="reading",
        scan=scan,
        item=item,
        outcome="answer",
        choice="usable",
        fields="{}",
        meaning="I looked.",
        milliseconds=1500,
        shown="{}",
        input_sha256="a" * 64,
        software="brainsift",
    )
