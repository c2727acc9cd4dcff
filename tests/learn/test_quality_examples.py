"""Clean scans and their corruption: grades follow from what was done, and the same seed gives the same example."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from brainsift.anatomy.cleaning import bounding_box
from brainsift.learn.building import build_folders
from brainsift.learn.quality import build, clean, gradient_echo, zoo
from brainsift.learn.quality.bank import chunk_names, load_bank
from brainsift.learn.quality.build import make_chunk, plan_chunks
from brainsift.learn.quality.clean import CleanScan, box_of, draw_painting, paint, place_head, resample_clean
from brainsift.learn.quality.corrupt import Fault, apply_fault, draw_fault, draw_shown, finish
from brainsift.learn.quality.recolour import recolour
from brainsift.learn.quality.transplant import transplant
from brainsift.learn.quality.truth import COLUMNS, sequence_of
from brainsift.simulate.artefacts.flair import Unsuppressed
from brainsift.simulate.artefacts.intensity import Noise
from brainsift.simulate.labelmap import load_label_map
from brainsift.simulate.zoo import KINDS, PROPER

MOTION, NOISE, CONTRAST = (COLUMNS.index(name) for name in ("motion", "noise", "contrast"))


@pytest.fixture(scope="module")
def scan(label_maps: Path) -> CleanScan:
    rng = np.random.default_rng(0)
    head = load_label_map(sorted(label_maps.iterdir())[0])
    placed = place_head(rng, head, "person_0", spacing_mm=3.0)
    return paint(placed, draw_painting(rng, head.values, "mprage"))


def test_a_painted_head_has_its_tissues_and_no_face_of_its_own(scan: CleanScan) -> None:
    assert scan.sequence == "T1w"
    assert scan.gadolinium is not None
    assert scan.image.shape == scan.brain.shape
    assert scan.image[scan.white].mean() > scan.image[scan.cortex].mean()
    assert scan.brain[scan.white].all()


def test_scalp_and_neck_are_never_shown_and_the_air_is_mostly(scan: CleanScan) -> None:
    assert scan.outside is not None
    assert scan.outside.any()
    assert not (scan.outside & scan.brain).any()
    head = scan.outside | scan.brain
    deep = ndimage.binary_erosion(head, iterations=3, border_value=1) & ~ndimage.binary_dilation(
        scan.brain, iterations=8
    )
    far = ~ndimage.binary_dilation(head, iterations=8)
    rng, airless = np.random.default_rng(5), []
    for _ in range(24):
        shown = draw_shown(rng, scan.brain, scan.outside, scan.spacing_mm)
        voxels = np.ogrid[tuple(slice(0, n) for n in scan.brain.shape)]
        with_air, alone = (shown.at([v.astype(float) for v in voxels], air=air) for air in (True, False))
        inner = ndimage.binary_erosion(scan.brain)
        assert with_air[inner].all()
        assert alone[inner].all()
        assert not with_air[deep].any()
        assert not alone[far].any()
        airless.append(not with_air[far].any())
        assert airless[-1] or with_air[far].all()
    assert 2 <= sum(airless) <= 12


def test_a_clean_scan_with_little_noise_has_all_grades_near_zero(scan: CleanScan) -> None:
    rng = np.random.default_rng(1)
    example = finish(rng, apply_fault(scan, Fault("none")), Noise(60.0, 0.0, 1))
    assert example.pixels.shape == (24, 224, 192)
    assert example.truth[MOTION] == 0
    assert example.facts["fault"] == "none"
    assert example.person == "person_0"


@pytest.mark.parametrize("kind", ["motion", "torchio"])
def test_movements_are_graded_by_what_they_do(scan: CleanScan, kind: str) -> None:
    if kind == "torchio":
        pytest.importorskip("torchio")
    rng = np.random.default_rng(3)
    graded = [apply_fault(scan, draw_fault(rng, kind)) for _ in range(6)]
    moved = np.array([f.displacement_mm for f in graded])
    change = np.array([f.change for f in graded])
    assert (moved >= 0).all()
    assert moved.max() > 0.7
    assert np.corrcoef(moved, change)[0, 1] > 0.3


def test_a_torchio_motion_without_movement_changes_nothing(scan: CleanScan) -> None:
    pytest.importorskip("torchio")
    from brainsift.learn.quality.torchio_motion import TorchioMotion, apply_torchio_motion

    still = TorchioMotion(((0.0, 0.0, 0.0),), ((0.0, 0.0, 0.0),), (0.3,), 0)
    done = apply_torchio_motion(scan.image, still, scan.spacing_mm, scan.brain)
    assert done.displacement_mm == 0
    assert done.image == pytest.approx(scan.image, abs=1e-4)


def test_a_torchio_shift_of_half_the_lines_displaces_by_their_weight(scan: CleanScan) -> None:
    pytest.importorskip("torchio")
    from brainsift.learn.quality.torchio_motion import TorchioMotion, apply_torchio_motion

    early, late = (
        apply_torchio_motion(
            scan.image, TorchioMotion(((0.0, 0.0, 0.0),), ((0.0, 6.0, 0.0),), (time,), 2), scan.spacing_mm, scan.brain
        )
        for time in (0.1, 0.45)
    )
    assert 0 < early.displacement_mm < late.displacement_mm < 6


def test_ripples_of_motion_are_not_taken_for_noise(scan: CleanScan) -> None:
    rng = np.random.default_rng(5)
    moved = apply_fault(scan, draw_fault(rng, "motion"))
    example = finish(rng, moved, Noise(20.0, 0.0, 1))
    assert example.facts["snr"] == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("kind", ["ghost", "spikes", "ringing", "blur", "bias", "metal", "contrast"])
def test_every_fault_gives_an_example_with_finite_grades(scan: CleanScan, kind: str) -> None:
    rng = np.random.default_rng(7)
    example = finish(rng, apply_fault(scan, draw_fault(rng, kind)), Noise(25.0, 0.0, 1))
    grades = example.truth[[MOTION, NOISE, CONTRAST]]
    assert np.isfinite(grades).all()
    assert ((grades >= 0) & (grades <= 2)).all()


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'flare'"):
        draw_fault(np.random.default_rng(0), "flare")


def test_fluid_as_bright_as_white_matter_is_severe_in_a_flair_and_nothing_in_a_t1w(scan: CleanScan) -> None:
    bright = Fault("unsuppressed", other=Unsuppressed(2.5, 0.0, 1))
    rng = np.random.default_rng(7)
    flair = replace(scan, sequence="FLAIR")
    assert finish(rng, apply_fault(flair, bright), Noise(40.0, 0.0, 1)).truth[CONTRAST] > 1.5
    assert finish(rng, apply_fault(flair, Fault("none")), Noise(40.0, 0.0, 1)).truth[CONTRAST] < 0.5
    assert finish(rng, apply_fault(scan, bright), Noise(40.0, 0.0, 1)).truth[CONTRAST] < 0.5
    with pytest.raises(ValueError, match="where fluid lies in the scan of person_0 is not known"):
        apply_fault(replace(scan, fluid=None), bright)


def test_a_bank_may_be_of_one_contrast_alone(label_maps: Path) -> None:
    maps = sorted(label_maps.iterdir())
    job = plan_chunks(maps, (), 1, 0, kind="flair")[0]
    assert (job.kind, job.name) == ("flair", "person_0_flair00000")
    rng = np.random.default_rng(0)
    assert draw_painting(rng, load_label_map(maps[0]).values, job.kind).contrast.kind == "flair"


def test_the_same_scan_in_other_voxels_keeps_its_size(scan: CleanScan) -> None:
    again = resample_clean(np.random.default_rng(0), scan)
    before = scan.brain.sum() * np.prod(scan.spacing_mm)
    assert again.brain.sum() * np.prod(again.spacing_mm) == pytest.approx(before, rel=0.05)


def test_the_box_is_that_of_the_mask_give_or_take_the_jitter(scan: CleanScan) -> None:
    exact = box_of(np.random.default_rng(0), scan.brain, scan.spacing_mm, 0.0)
    shaken = box_of(np.random.default_rng(0), scan.brain, scan.spacing_mm, 4.0)
    assert 0 < np.abs(exact - shaken).max() * 3.0 < 20


def test_jobs_go_around_the_files_and_keep_people_apart() -> None:
    maps, scans = [Path("head_01_labels.nii.gz"), Path("head_02_labels.nii.gz")], [Path("t1w_brain_01.nii.gz")]
    jobs = [job for job in plan_chunks(maps, scans, 8, 0) if job.instead is None]
    assert [job.person for job in jobs[:4]] == ["head_01", "t1w_brain_01", "head_02", "t1w_brain_01"]
    assert [job.around for job in jobs[:4]] == [None, maps[0], None, maps[1]]
    assert len({job.name for job in jobs}) == len({job.seed for job in jobs}) == 8
    with pytest.raises(ValueError, match="neither"):
        plan_chunks([], [], 3, 0)


def test_the_bank_is_built_once_and_the_same_seed_gives_the_same(
    label_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coarse = clean.place_head
    monkeypatch.setattr(build, "place_head", lambda rng, head, person: coarse(rng, head, person, 4.0))
    monkeypatch.setattr(build, "PAINTINGS", 1)
    jobs = plan_chunks(sorted(label_maps.iterdir()), [], 2, 5)
    build_folders({"one": jobs[:1]}, tmp_path, chunk_names, make_chunk, 0, quiet=True)
    (tmp_path / "one" / "old").touch()
    before = (tmp_path / "one" / f"{jobs[0].name}.npy").stat().st_mtime_ns
    build_folders({"one": jobs, "two": jobs, "none": []}, tmp_path, chunk_names, make_chunk, 0, quiet=True)
    assert len(chunk_names(tmp_path / "one")) == 2
    assert (tmp_path / "one" / f"{jobs[0].name}.npy").stat().st_mtime_ns == before
    assert not (tmp_path / "none").exists()
    first, second = load_bank(tmp_path / "one"), load_bank(tmp_path / "two")
    assert chunk_names(tmp_path / "one") == chunk_names(tmp_path / "two")
    assert np.array_equal(first.truth, second.truth, equal_nan=True)
    assert all(np.array_equal(first.pixels(i), second.pixels(i)) for i in range(len(first)))


@pytest.fixture(scope="module")
def stripped(scan: CleanScan) -> CleanScan:
    """As a clean real scan is: a brain in black air, with noise of its own."""
    noise = np.random.default_rng(4).normal(0, 0.01, scan.image.shape)
    image = np.where(scan.brain, scan.image + noise, 0).astype(np.float32)
    return replace(scan, image=image, seen=scan.brain, own_noise=0.01, facts={"source": "real scan", "kind": "T1w"})


def test_a_brain_in_a_painted_head_is_the_same_brain(label_maps: Path, stripped: CleanScan) -> None:
    head = load_label_map(sorted(label_maps.iterdir())[1])
    laid = transplant(np.random.default_rng(2), stripped, head)
    assert laid.brain.sum() == stripped.brain.sum()
    assert laid.white.sum() == stripped.white.sum()
    assert laid.seen is None
    before, after = (one.image[bounding_box(one.brain)] for one in (stripped, laid))
    known = before > 0.1
    field = np.where(known, after / np.where(known, before, 1), np.nan)
    assert np.nanmax(np.abs(np.diff(np.log(field), axis=0))) < 0.1  # nothing changed but by a coil's smooth field
    around = ndimage.binary_dilation(laid.brain, iterations=5) & ~laid.brain
    assert np.mean(laid.image[around] > 0.05) > 0.5
    border = np.concatenate([laid.image[:, 0].ravel(), laid.image[:, -1].ravel()])
    assert np.median(border) < 0.05
    assert laid.own_noise == pytest.approx(0.01 * np.nanmedian(field), rel=0.3)


def test_a_recoloured_scan_shows_the_same_and_is_called_nothing(stripped: CleanScan) -> None:
    rng = np.random.default_rng(8)
    for _ in range(5):
        other = recolour(rng, stripped)
        grey, white = (float(np.median(other.image[m])) for m in (other.cortex, other.white))
        assert abs(grey - white) > 0.01 * (grey + white)  # in noise, medians are not carried over exactly
        assert (other.image[stripped.image == 0] == 0).all()
        truth = finish(rng, apply_fault(other, Fault("none")), Noise(60.0, 0.0, 1)).truth
        assert truth[MOTION] == 0
        assert np.isnan(truth[[COLUMNS.index(n) for n in ("proper", "gadolinium", "contrast", "sequence")]]).all()


def test_every_second_chunk_is_of_a_real_brain_alone_and_in_a_head(
    label_maps: Path, tmp_path: Path, stripped: CleanScan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_scan", lambda path, person: replace(stripped, person=person))
    maps = sorted(label_maps.iterdir())
    job = plan_chunks(maps, [tmp_path / "scan_a.nii.gz"], 2, 0)[1]
    assert (job.real, job.person, job.around) == (True, "scan_a", maps[0])
    examples = build.real_examples(np.random.default_rng(0), job.path, job.person, job.around)
    sources = [e.facts["source"] for e in examples]
    assert sources.count("real scan") == sources.count("real brain in a painted head") == 9
    assert {e.person for e in examples} == {"scan_a"}


def test_the_zoo_has_one_example_of_each_kind_seen_as_a_run_sees_it(
    label_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "SPACING_MM", (3.0, 4.0))
    planned = plan_chunks(sorted(label_maps.iterdir()), [], 2 * build.MORE_EVERY["zoo"], 0)
    jobs = [job for job in planned if job.instead == "zoo"]
    assert [job.name for job in jobs] == ["person_0_zoo00000", "person_1_zoo00001"]
    make_chunk(jobs[0], tmp_path)
    bank = load_bank(tmp_path)
    assert [facts["fault"] for facts in bank.facts] == [f"zoo_{kind}" for kind in KINDS]
    proper = dict(zip(KINDS, bank.truth[:, COLUMNS.index("proper")], strict=True))
    assert all(proper[kind] == (kind in PROPER) for kind in KINDS)
    assert np.isnan(bank.truth[:, [MOTION, NOISE, CONTRAST]]).all()


def test_a_gradient_echo_is_proper_in_all_its_images_and_graded_for_what_is_known(
    label_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradient_echo, "IN_PLANE_MM", (2.0, 2.2))
    monkeypatch.setattr(gradient_echo, "PITCH_MM", (2.2, 2.4))
    planned = plan_chunks(sorted(label_maps.iterdir()), [], build.MORE_EVERY["gradient_echo"], 0)
    job = next(job for job in planned if job.instead == "gradient_echo")
    make_chunk(job, tmp_path)
    bank = load_bank(tmp_path)
    proper = bank.truth[:, COLUMNS.index("proper")] == 1
    assert [sequence_of(row) for row in bank.truth] == ["Chimap", *["T2starw"] * (len(bank) - 1)]
    assert [facts["fault"] in ("none", "motion", "torchio") for facts in bank.facts] == proper.tolist()
    graded = np.array([facts["kind"] != "qsm" for facts in bank.facts]) & proper
    assert graded.sum() == 4
    assert np.isfinite(bank.truth[graded, NOISE]).all()
    assert np.isnan(bank.truth[:, CONTRAST]).all()
    assert np.isnan(bank.truth[~graded][:, [MOTION, NOISE]]).all()
    still = [facts["fault"] == "none" for facts in bank.facts]
    known = np.isfinite(bank.truth[:, MOTION])
    assert (bank.truth[still & known, MOTION] == 0).all()
