"""What is kept of scans, what crops and cubes of them hold, and how labels of people become examples."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.evaluate.labels import Label  # noqa: E402
from brainsift.learn.microbleeds.bank import load_bank, write_chunk  # noqa: E402
from brainsift.learn.microbleeds.batches import EXCHANGED_EVERY, Lessons, batches, turns  # noqa: E402
from brainsift.learn.microbleeds.crops import cut, draw_crop, vary  # noqa: E402
from brainsift.learn.microbleeds.cube_batches import cube_batches  # noqa: E402
from brainsift.learn.microbleeds.cubes import CubeBank, cut_bank, is_bleed, is_unasked  # noqa: E402
from brainsift.learn.microbleeds.example import Example, lay_pieces  # noqa: E402
from brainsift.learn.microbleeds.labelled import labelled_banks, labelled_example, modality_of  # noqa: E402
from brainsift.scans.errors import ScanError  # noqa: E402
from brainsift.scans.volume import Volume  # noqa: E402
from brainsift.simulate.susceptibility.mimics import Mimic  # noqa: E402
from brainsift.tasks.microbleeds.network import Prepared  # noqa: E402
from tests.learn.microbleeds.toy import AFFINE, SHAPE, toy_bank, toy_example, toy_image, toy_prepared  # noqa: E402


def test_one_scan_with_a_person_s_labels_makes_a_bank_no_simulated_one(tmp_path: Path) -> None:
    made = [toy_example(1), toy_example(2)]
    write_chunk(made, tmp_path, "one")
    assert load_bank(tmp_path).simulated
    write_chunk([replace(made[1], facts={"source": "labelled scan"})], tmp_path, "two")
    assert not load_bank(tmp_path).simulated


def test_an_example_comes_back_from_its_bank_as_it_was(tmp_path: Path) -> None:
    made = [toy_example(1, modality="gre"), toy_example(2, bleeds=0, modality="qsm")]
    write_chunk(made, tmp_path, "one")
    bank = load_bank(tmp_path)
    assert bank.modalities == ("gre", "qsm")
    assert len(bank.without(["gre"])) == 1
    for one, read in zip(made, (bank[0], bank[1]), strict=True):
        for name in ("image", "seen", "affine", "bleed_voxels", "bleed_numbers", "mimic_voxels", "mimic_kinds"):
            np.testing.assert_array_equal(getattr(one, name), getattr(read, name), err_msg=name)
        assert read.lesions == one.lesions
        assert read.facts == one.facts
    image, _, _ = toy_image(np.random.default_rng(1), 3, 2)
    wanted, found = toy_prepared(image).input, bank[0].whole()
    np.testing.assert_allclose(found[0], wanted[0], atol=0.01)
    assert np.corrcoef(found[1].ravel(), wanted[1].ravel())[0, 1] > 0.99


def test_bleeds_lie_where_they_were_put_and_each_has_voxels_even_of_a_tiny_mask() -> None:
    example = toy_example(1)
    pieces = example.pieces()
    for number, centre in enumerate(example.centres(), start=1):
        assert pieces[tuple(np.rint(centre).astype(int))] == number
    assert np.bincount(example.bleed_numbers, minlength=4)[1:].min() > 0
    assert not pieces.reshape(-1)[example.mimic_voxels].any()
    np.testing.assert_allclose(example.marks().mm, [one.mm for one in example.lesions])


def test_pieces_are_laid_on_another_grid_by_nearest_neighbour() -> None:
    """Each voxel of the other grid asks the voxel of the mask that it lies in, here computed for all at once."""
    mask = np.zeros((20, 20, 10), np.int32)
    mask[3:6, 4:8, 2:4], mask[12:15, 10:12, 6:9] = 1, 2
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    to = np.array([[0.7, 0.05, 0, -1.0], [-0.05, 0.7, 0, 2.0], [0, 0, 1.4, 0.5], [0, 0, 0, 1]])
    at = np.stack(np.meshgrid(*(np.arange(n) for n in (30, 28, 22)), indexing="ij")).reshape(3, -1)
    back = np.linalg.inv(affine) @ to
    voxel = np.rint(back[:3, :3] @ at + back[:3, 3:]).astype(int)
    inside = ((voxel >= 0) & (voxel < np.array([[20], [20], [10]]))).all(axis=0)
    expected = np.zeros(at.shape[1], np.uint8)
    expected[inside] = mask[tuple(voxel[:, inside])]
    assert set(expected) == {0, 1, 2}
    np.testing.assert_array_equal(lay_pieces(mask, affine, (30, 28, 22), to), expected.reshape(30, 28, 22))


def test_a_crop_around_a_bleed_holds_it_and_weighs_it_as_one() -> None:
    example = toy_example(1, bleeds=1)
    rng = np.random.default_rng(0)
    for _ in range(20):
        crop = draw_crop(rng, example, "bleed", (32, 32, 16))
        assert crop.input.shape == (2, 32, 32, 16)
        bleed = crop.bleed > 0
        assert bleed.any()
        assert crop.input[0][bleed].mean() > 0.6
        assert crop.weight[bleed].sum() <= 1.001
        assert set(np.unique(crop.weight[~bleed])) <= {0.0, 1.0}
    whole = cut(example, (0, 0, 0), SHAPE)
    assert whole.weight[whole.bleed > 0].sum() == pytest.approx(1, rel=1e-4)


def calcified(modality: str) -> Example:
    """A scan whose tubes are calcium instead of veins."""
    example = toy_example(1, modality=modality)
    return replace(example, mimic_kinds=np.full_like(example.mimic_kinds, Mimic.CALCIFICATION))


def test_calcium_in_a_gradient_echo_is_not_asked_for_and_no_mimic() -> None:
    example = calcified("gre")
    crop = cut(example, (0, 0, 0), SHAPE)
    there = np.zeros(example.image.size, bool)
    there[example.mimic_voxels] = True
    there = there.reshape(SHAPE) & (crop.bleed == 0)
    assert there.any()
    assert not crop.weight[there].any()
    assert crop.weight[(crop.bleed == 0) & example.seen].mean() > 0.5
    assert not len(example.mimics()[0])
    places = np.argwhere(there).astype(float)
    far = np.array([[45.0, 45.0, 1.0]])
    assert is_unasked(example, np.concatenate([places[:1], example.centres(), far])).tolist() == [True, *[False] * 4]


@pytest.mark.parametrize("modality", ["swi", "qsm"])
def test_calcium_is_a_mimic_like_others_where_it_can_be_told(modality: str) -> None:
    example = calcified(modality)
    plain = toy_example(1, modality=modality)
    np.testing.assert_array_equal(cut(example, (0, 0, 0), SHAPE).weight, cut(plain, (0, 0, 0), SHAPE).weight)
    assert len(example.mimics()[0]) == len(example.mimic_voxels) > 0


def test_a_crop_may_reach_beyond_the_grid_where_nothing_is_asked() -> None:
    crop = cut(toy_example(1), (-8, -8, -4), (32, 32, 16))
    assert crop.input[0, :8] == pytest.approx(1 / 3)
    assert not crop.weight[:8].any()
    assert not crop.bleed[:8].any()


def test_what_is_varied_keeps_image_and_truth_together() -> None:
    crop = cut(toy_example(1), (0, 0, 0), (48, 48, 24))
    rng = np.random.default_rng(1)
    for _ in range(10):
        changed = vary(rng, crop)
        assert changed.bleed.sum() == crop.bleed.sum()
        bright = changed.input[0] > 0.55
        assert bright[changed.bleed > 0].mean() > 0.3
        np.testing.assert_array_equal(changed.weight[changed.bleed > 0] > 0, True)


def test_batches_hold_modalities_alike_and_a_resumed_training_sees_other_crops(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path, "a")
    lessons = Lessons(crop=(32, 32, 16), size=3)
    inputs, target = next(batches(bank, lessons, seed=1))
    assert inputs.shape == (3, 2, 32, 32, 16)
    assert target.bleed.shape == target.weight.shape == (3, 1, 32, 32, 16)
    assert torch.equal(inputs, next(batches(bank, lessons, seed=1))[0])
    assert not torch.equal(inputs, next(batches(bank, lessons, seed=1, start=50))[0])
    with pytest.raises(ValueError, match="no scan"):
        next(batches(bank.without(["gre", "swi", "qsm"]), lessons, seed=1))


def test_scans_take_turns_and_each_stays_for_a_while() -> None:
    hands = list(islice(turns(7, np.random.default_rng(0), at_once=3), 2 * EXCHANGED_EVERY * 7))
    assert {len(set(hand.tolist())) for hand in hands} == {3}
    assert all(len(set(one.tolist()) - set(two.tolist())) <= 1 for one, two in pairwise(hands))
    assert np.bincount(np.concatenate(hands)).min() >= 2 * EXCHANGED_EVERY
    every = list(islice(turns(3, np.random.default_rng(0), at_once=5), 10))
    assert all(set(hand.tolist()) == {0, 1, 2} for hand in every)


def test_cubes_show_candidates_bleeds_and_mimics_with_their_truth(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "bank", "a")
    asked = []

    def ask(example):  # type: ignore[no-untyped-def]
        """A detector that finds the bleeds, and takes one corner for one."""
        asked.append(example)
        found = (example.pieces() > 0).astype(np.float32) * 0.9
        found[8:10, 8:10, 6:8] = np.maximum(found[8:10, 8:10, 6:8], 0.5)
        return found

    cubes = cut_bank(ask, bank, tmp_path / "cubes")
    assert cubes.cubes.shape[1:] == (3, 24, 24, 24)
    for number in range(len(bank)):
        source = [name for name, scan in zip(cubes.source, cubes.scan, strict=True) if scan == number]
        assert source.count("bleed") == 3 * len(bank[number].lesions)
        assert source.count("mimic") > 0
    for source, label in (("bleed", True), ("mimic", False)):
        rows = [i for i, name in enumerate(cubes.source) if name == source]
        assert (cubes.label[rows] == label).all()
        assert cubes.voxels[rows, 8:16, 8:16, 8:16].any(axis=(1, 2, 3)).all() == label
    candidates = cubes.only([i for i, name in enumerate(cubes.source) if name == "candidate"])
    assert candidates.label.any()
    assert not candidates.label.all()
    again = cut_bank(ask, bank, tmp_path / "cubes")
    assert len(asked) == len(bank)
    np.testing.assert_array_equal(again.cubes, cubes.cubes)
    seen, label, voxels = next(cube_batches(cubes, 8, seed=0))
    assert label.sum() == 4
    assert voxels[label[:, 0] > 0].any(axis=1).all()
    assert seen[label[:, 0] > 0, 0, 11:13, 11:13, 11:13].mean() > seen[:, 0].mean()


def test_a_cube_and_its_bleed_voxels_are_moved_and_turned_alike() -> None:
    """A ball off the centre: it stays bright where its voxels are, and no two batches show it at the same place."""
    at = np.stack(np.meshgrid(*(np.arange(24),) * 3, indexing="ij"), axis=-1)
    ball = np.linalg.norm(at - (8, 12, 15), axis=-1) < 4
    grey = np.where(ball, 255, 85).astype(np.uint8)
    label = np.array([True, False])
    bank = CubeBank(
        np.stack([np.stack([grey] * 3)] * 2),
        np.stack([ball, ball]),
        label,
        np.zeros(2, int),
        ("a",) * 2,
        ("bleed",) * 2,
    )
    places = set()
    for number, (seen, _, voxels) in zip(range(20), cube_batches(bank, 2, seed=0), strict=False):
        inside = voxels[0].reshape(24, 24, 24) > 0
        assert seen[0, 0][inside].min() > seen[0, 0][~inside].max(), number
        places.add(tuple(np.argwhere(inside).mean(axis=0).round(1)))
    assert len(places) > 10


def test_a_place_is_a_bleed_near_its_centre_or_in_its_voxels() -> None:
    example = toy_example(1, bleeds=1)
    centre = example.centres()
    away = np.array([2.9, 0, 0]) / example.spacing
    np.testing.assert_array_equal(
        is_bleed(example, np.concatenate([centre, centre + away, centre + 2 * away])), [1, 1, 0]
    )
    assert not is_bleed(toy_example(2, bleeds=0), centre).any()


def prepared(volume: Volume, modality: str) -> Prepared:
    """The scan as it is, in place of the anatomy pass."""
    return replace(toy_prepared(volume.data, modality), affine=volume.affine)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A mask, points, a scan without a bleed, one of no known modality, one to test with; labels.tsv."""
    lines = ["scan\tparticipant\tmicrobleeds\tsplit\tsequence"]
    for number, (name, split, sequence) in enumerate(
        (
            ("swi", "train", ""),
            ("T2starw", "train", ""),
            ("x", "validation", "qsm"),
            ("x", "train", ""),
            ("swi", "test", ""),
        )
    ):
        image, centres, _ = toy_image(np.random.default_rng(number), 0 if number == 2 else 3, 1)
        scan = f"sub-{number}_{name}.nii.gz"
        nib.save(nib.Nifti1Image(image, AFFINE), tmp_path / scan)
        if number == 0:
            mask = np.zeros(SHAPE, np.uint8)
            for at in np.rint(centres).astype(int):
                mask[at[0] - 1 : at[0] + 2, at[1] - 1 : at[1] + 2, at[2]] = 1
            nib.save(nib.Nifti1Image(mask, AFFINE), tmp_path / "m0.nii.gz")
        else:
            rows = ["x\ty\tz", *("\t".join(f"{v:.2f}" for v in at) for at in centres)]
            (tmp_path / f"m{number}.tsv").write_text("\n".join(rows) + "\n")
        ending = "nii.gz" if number == 0 else "tsv"
        lines.append(f"{scan}\tp{number}\tm{number}.{ending}\t{split}\t{sequence}")
    (tmp_path / "labels.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_masks_and_points_of_people_become_examples(study: Path, tmp_path: Path) -> None:
    from brainsift.evaluate.labels import read_labels

    labels = read_labels(study / "labels.tsv")
    banks = labelled_banks(labels, study, study, tmp_path / "bank", prepared=prepared)
    assert banks.training.people == ("p0", "p1") or set(banks.training.people) == {"p0", "p1"}
    assert banks.validation is not None
    assert banks.validation.people == ("p2",)
    assert "write gre, swi or qsm" in banks.failed["sub-3_x.nii.gz"]
    for number in range(len(banks.training)):
        example = banks.training[number]
        seed = int(example.person[1])
        _, centres, _ = toy_image(np.random.default_rng(seed), 3, 1)
        found = example.centres()
        apart = np.linalg.norm((found[:, None] - centres[None]) * example.spacing, axis=2)
        assert apart.min(axis=1).max() < 1.0
        assert example.modality == {0: "swi", 1: "gre"}[seed]
    assert banks.validation[0].lesions == ()


def test_a_scan_that_cannot_be_prepared_is_told(study: Path) -> None:
    def refuse(volume: Volume, modality: str) -> Prepared:
        raise ScanError("no_brain", "No brain.", "Give one.")

    label = Label(scan="sub-0_swi.nii.gz", microbleeds=Path("m0.nii.gz"))
    with pytest.raises(ScanError, match="No brain"):
        labelled_example(label, study / label.scan, study / "m0.nii.gz", refuse)


@pytest.mark.parametrize(
    ("scan", "sequence", "expected"),
    [
        ("a/sub-1_swi.nii.gz", None, "swi"),
        ("sub-1_T2starw.nii.gz", None, "gre"),
        ("sub-1_Chimap.nii.gz", None, "qsm"),
        ("sub-1_MEGRE.nii.gz", None, "gre"),
        ("sub-1_swi.nii.gz", "QSM", "qsm"),
    ],
)
def test_the_modality_is_that_of_the_labels_or_of_the_name(scan: str, sequence: str | None, expected: str) -> None:
    assert modality_of(Label(scan=scan, sequence=sequence)) == expected
