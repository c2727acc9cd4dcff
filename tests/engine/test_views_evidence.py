"""Views of a head are kept where people need them, and never of an untouched face unless that was asked for."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brainsift.engine.views_evidence import VIEWS, may_be_kept, with_views
from brainsift.review.files import Evidence
from brainsift.scans.ref import ScanRef
from brainsift.tasks.base import Finding
from brainsift.tasks.defacing.frame import standard_head
from brainsift.tasks.defacing.picture import BACKGROUND, BARE_BRAIN, draw_views, encode, shade
from brainsift.tasks.defacing.renders import render_views
from tests.tasks.defacing.scene import face_cut, scan

REF = ScanRef("sub-01/a.nii", "sub-01/a", "nifti", (Path("a.nii"),), 1, 1)


def finding(label: str = "insufficient", flags: tuple[str, ...] = (), task: str = "defacing") -> Finding:
    return Finding(task=task, label=label, flags=flags)


@pytest.mark.parametrize(
    ("one", "faces", "kept"),
    [
        (finding(), False, True),
        (finding("correct"), False, True),
        (finding("failed", ("not_applied",)), False, False),  # as good as an original
        (finding("failed", ("not_applied",)), True, True),
        (finding("failed"), False, True),  # the mask lay somewhere else: people must see where
        (finding("no_head", ("skull_stripped",)), True, False),
        (finding(task="quality"), True, False),
    ],
)
def test_what_is_kept(one: Finding, faces: bool, kept: bool) -> None:
    assert may_be_kept(one, faces) is kept


def test_the_picture_is_evidence_that_only_some_may_see(tmp_path: Path) -> None:
    volume, anatomy = scan(face_cut())
    made = with_views(finding(), REF, volume, anatomy, tmp_path, faces=False)
    path = tmp_path / made.evidence[VIEWS]
    assert made.evidence[VIEWS] == "sub-01/a_desc-views_qc.webp"
    assert path.stat().st_size < 80_000
    assert Evidence("defacing", VIEWS, path).kind == "surface"


def test_nothing_is_written_of_an_untouched_face(tmp_path: Path) -> None:
    volume, anatomy = scan()
    untouched = finding("failed", ("not_applied",))
    assert with_views(untouched, REF, volume, anatomy, tmp_path, faces=False) is untouched
    assert list(tmp_path.iterdir()) == []


def test_bare_brain_stands_out_in_colour() -> None:
    volume, anatomy = scan(face_cut(-40.0))
    views = render_views(standard_head(volume, anatomy))
    picture = draw_views(views)
    assert Image.open(BytesIO(encode(picture))).size == (picture.shape[1], picture.shape[0])
    front = shade(views["front"]).astype(int)
    orange = (front[:, :, 0] - front[:, :, 2]) > 60
    assert orange.sum() > 200
    assert np.sign(BARE_BRAIN[0] - BARE_BRAIN[2]) == 1
    whole = shade(render_views(standard_head(*scan()))["front"]).astype(int)
    assert ((whole[:, :, 0] - whole[:, :, 2]) > 60).sum() == 0
    assert (whole[0, 0] == BACKGROUND).all()
