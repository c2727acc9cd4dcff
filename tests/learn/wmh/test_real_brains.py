"""Lesions painted into a real T1w brain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.learn.wmh.bank import load_bank
from brainsift.learn.wmh.build import make_chunk, plan_chunks
from brainsift.learn.wmh.real_brains import RealBrain, read_real_brain, real_example
from brainsift.learn.wmh.source import PAINTED
from brainsift.scans.errors import ScanError
from brainsift.simulate.lesions.ground import ground_of

SCANS = Path(__file__).resolve().parents[4] / "shared" / "data" / "scans"


def scan(name: str) -> Path:
    path = SCANS / name
    if not path.is_file():
        pytest.skip("the shared test data (../shared/data) are not on this machine")
    return path


@pytest.fixture(scope="module")
def brain() -> RealBrain:
    return read_real_brain(scan("t1w_brain_01.nii.gz"))


def test_a_real_brain_is_read_with_its_tissue_on_a_scale_of_white_matter(brain: RealBrain) -> None:
    ground = ground_of(brain.head)
    assert brain.image.shape == brain.head.codes.shape
    assert brain.person == "t1w_brain_01"
    assert 0 <= brain.fluid < brain.grey < 1
    assert np.median(brain.image[ground.box][ground.white]) == pytest.approx(1, abs=0.05)
    assert np.median(brain.image[ground.box][ground.ventricle]) < brain.grey
    left = ground.mni(np.argwhere(ground.labels == 2).astype(float))[:, 0]
    assert (left < 0).mean() > 0.95
    assert not ground.ventricle[ground.labels == 14].any()


def test_painted_lesions_are_the_truth_and_darken_it_by_what_was_drawn(brain: RealBrain) -> None:
    example = real_example(np.random.default_rng(2), brain, None, load_ml=12.0)
    assert example.truth is not None
    assert example.facts["source"] == PAINTED
    lesion = example.truth > 127
    white = example.anatomy[0].repeat(2, 0).repeat(2, 1).repeat(2, 2) > 250
    image = example.t1w / 255 * 1.5
    spacing = np.sqrt((example.affine[:3, :3] ** 2).sum(axis=0))
    ml = float(lesion.sum() * np.prod(spacing) / 1000)
    # The brain was stretched by up to 8 % along each axis, and half-filled voxels count in the load alone.
    assert ml == pytest.approx(12, rel=0.35)
    assert image[lesion].mean() < np.median(image[white & ~lesion]) - 0.05


def test_a_chunk_of_a_real_brain_without_lesions_has_an_empty_truth(tmp_path: Path) -> None:
    path = scan("t1w_brain_01.nii.gz")
    jobs = plan_chunks([path], 3, seed=1, brains=[path], count=1)
    assert [job.real for job in jobs] == [False, False, True]
    make_chunk(replace(jobs[2], load_ml=0.0), tmp_path)
    bank = load_bank(tmp_path)
    truth = bank[0].truth
    assert truth is not None
    assert not truth.any()
    assert bank.people == ("t1w_brain_01",)


def test_a_scan_that_is_no_t1w_brain_is_refused_by_name() -> None:
    with pytest.raises(ScanError, match="t2w_brain_b"):
        read_real_brain(scan("t2w_brain_b.nii.gz"))
