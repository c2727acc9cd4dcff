"""From label maps and from people's masks to banks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.evaluate.labels import Label  # noqa: E402
from brainsift.learn.sides import Banks, read_sides  # noqa: E402
from brainsift.learn.wmh.bank import Bank, load_bank  # noqa: E402
from brainsift.learn.wmh.build import make_chunk, plan_chunks  # noqa: E402
from brainsift.learn.wmh.labelled import labelled_banks, labelled_example  # noqa: E402
from brainsift.learn.wmh.predict import on_slices  # noqa: E402
from brainsift.learn.wmh.preparing import Preparer  # noqa: E402
from brainsift.scans.errors import ScanError  # noqa: E402
from brainsift.scans.volume import Volume  # noqa: E402
from brainsift.tasks.wmh.network import CHANNELS, Prepared  # noqa: E402
from tests.learn.wmh.toy import AFFINE, SHAPE, slice_affine, toy_example  # noqa: E402

SIZE = 16


def prepared(volume: Volume) -> Prepared:
    """The whole scan, cut to multiples of 16, without anatomy."""
    x, y, z = (n // SIZE * SIZE for n in volume.shape)
    channels = np.zeros((len(CHANNELS), x, y, z), np.float32)
    channels[0] = np.clip(volume.data[:x, :y, :z] / max(1.0, float(volume.data.max())), 0, 1)
    return Prepared(channels, volume.affine, np.ones((x, y, z), bool))


def test_a_chunk_of_simulated_people_holds_truth_and_label_that_agree(label_maps: Path, tmp_path: Path) -> None:
    """What the slices see of the truth is what was marked on them, up to the rater's hand and registration."""
    maps = sorted(label_maps.iterdir())[:1]
    job = plan_chunks(maps, 1, seed=5, count=1)[0]
    assert (job.person, job.name) == ("person_0", "person_0_00000")
    job = type(job)(**{**vars(job), "load_ml": 25.0})
    make_chunk(job, tmp_path, prepared)
    example = load_bank(tmp_path)[0]
    assert example.facts["source"] == "simulated"
    assert example.facts["load_ml"] == pytest.approx(25.0, rel=0.5)
    assert example.truth is not None
    assert example.coarse is not None
    laid = on_slices(example, example.truth.astype(np.float32) / 255)
    assert laid is not None
    share, label, seen = laid
    marked, unmarked = share[seen & label], share[seen & ~label]
    assert marked.mean() > 10 * unmarked.mean()


def test_chunks_go_around_the_label_maps_with_seeds_of_their_own() -> None:
    jobs = plan_chunks([Path("a_labels.nii.gz"), Path("b_labels.nii.gz")], 3, seed=10, bad_label_share=0.2)
    assert [(job.person, job.seed, job.bad_label_share) for job in jobs] == [
        ("a", 10, 0.2),
        ("b", 11, 0.2),
        ("a", 12, 0.2),
    ]
    with pytest.raises(ValueError, match="got none"):
        plan_chunks([], 1, seed=0)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Three people's T1w scans with masks on slices, one mask that is missing, one scan for testing; labels.tsv."""
    lines = ["scan\tparticipant\twmh_mask\tsplit\trater"]
    for number, (split, rater) in enumerate((("train", "x"), ("train", "y"), ("validation", "x"), ("test", "x"))):
        made = toy_example(number)
        assert made.coarse is not None
        nib.save(nib.Nifti1Image(made.t1w, AFFINE), tmp_path / f"t1w_{number}.nii.gz")
        nib.save(nib.Nifti1Image(made.coarse.mask, made.coarse.affine), tmp_path / f"mask_{number}.nii.gz")
        (tmp_path / f"mask_{number}.json").write_text('{"SliceThickness": 4.0}')
        lines.append(f"t1w_{number}.nii.gz\tp{number}\tmask_{number}.nii.gz\t{split}\t{rater}")
    lines.append("t1w_0.nii.gz\tp0\tgone.nii.gz\ttrain\tz")
    (tmp_path / "labels.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path / "labels.tsv"


def banks_of(study: Path, tmp_path: Path, prepared: Preparer) -> Banks[Bank]:
    read = partial(labelled_banks, prepared=prepared)
    return read_sides(study, study.parent, tmp_path / "out", 0, read, quiet=True)


def test_people_s_masks_become_coarse_labels_in_their_own_geometry(
    study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    banks = banks_of(study, tmp_path, prepared)
    assert banks.training.people == ("p0", "p1")
    assert banks.validation is not None
    assert banks.validation.people == ("p2",)
    assert "t1w_0.nii.gz (z)" in capfd.readouterr().err
    example, made = banks.training[0], toy_example(0)
    assert example.truth is None
    assert example.coarse is not None
    assert made.coarse is not None
    np.testing.assert_array_equal(example.coarse.mask, made.coarse.mask)
    np.testing.assert_allclose(example.coarse.affine, slice_affine(), atol=1e-5)
    assert (example.coarse.axis, example.coarse.thickness_mm) == (2, 4.0)
    again = banks_of(study, tmp_path, refuse)
    assert again.training.names == banks.training.names


def refuse(volume: Volume) -> Prepared:
    raise ScanError("no_brain", "No brain.", "Give one.")


def test_a_mask_on_a_fine_grid_is_the_truth_as_well(tmp_path: Path) -> None:
    made = toy_example(3)
    assert made.truth is not None
    nib.save(nib.Nifti1Image(made.t1w, AFFINE), tmp_path / "t1w.nii.gz")
    nib.save(nib.Nifti1Image((made.truth > 127).astype(np.uint8), AFFINE), tmp_path / "mask.nii.gz")
    label = Label(scan="t1w.nii.gz", wmh_mask=Path("mask.nii.gz"))
    example = labelled_example(label, tmp_path / "t1w.nii.gz", tmp_path / "mask.nii.gz", prepared)
    assert example.truth is not None
    np.testing.assert_array_equal(example.truth > 127, made.truth > 127)
    assert example.shape == SHAPE


def test_nothing_usable_is_said_with_the_reasons(study: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of 4 rows.*No brain"):
        banks_of(study, tmp_path, refuse)
