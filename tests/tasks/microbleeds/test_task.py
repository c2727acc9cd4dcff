"""The whole task with networks that are written down: bleeds found, placed, measured, drawn; each refusal says why."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache, partial
from io import BytesIO, StringIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Atlased, Drawn, Draws, Networked, NotApplicableError
from brainsift.tasks.microbleeds.mars import REGIONS
from brainsift.tasks.microbleeds.task import MicrobleedTask
from brainsift.tasks.microbleeds.trust import COARSEST_MM
from brainsift.tasks.microbleeds.words import NONE, POSSIBLE, bin_of
from tests.tasks.microbleeds import scene
from tests.tasks.microbleeds.scene import BALLS
from tests.tasks.microbleeds.tiny import networks

COARSE = (1.0, 1.0, 2.0)


def ref(suffix: str = "T2starw") -> ScanRef:
    return ScanRef(
        scan=f"sub-01/anat/sub-01_{suffix}.nii.gz",
        stem=f"sub-01/anat/sub-01_{suffix}",
        paths=(Path(f"/nowhere/sub-01_{suffix}.nii.gz"),),
        format="nifti",
        size=1,
        mtime_ns=1,
        participant="01",
        session=None,
        suffix=suffix,
    )


@cache
def drawn_scan(bleeds: bool = True, vein: bool = True) -> tuple[Volume, Anatomy]:
    volume = scene.gre(BALLS if bleeds else (), spacing=COARSE, vein=vein)
    return volume, scene.anatomy_of(volume)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> MicrobleedTask:
    return MicrobleedTask(partial(networks, tmp_path_factory.mktemp("round")))


@pytest.fixture(scope="module")
def eager(tmp_path_factory: pytest.TempPathFactory) -> MicrobleedTask:
    """Takes all that is dark for a bleed: anatomy and shape have the last word."""
    return MicrobleedTask(partial(networks, tmp_path_factory.mktemp("dark"), by="image"))


@pytest.fixture(scope="module")
def kept(task: MicrobleedTask) -> Drawn:
    return task.draw(*drawn_scan(), ref(), pictures=True)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text), delimiter="\t"))


def test_all_bleeds_are_found_and_counted_by_place(kept: Drawn) -> None:
    told = kept.finding.measurements
    assert (told["count"], told["count_bin"]) == (3, "1 to 4")
    assert [told[f"{group}_count"] for group in ("lobar", "deep", "infratentorial")] == [1, 1, 1]
    assert told["modality"] == "gre"
    assert "3 microbleeds (lobar 1, deep 1, infratentorial 1)" in kept.finding.reason


def test_the_table_gives_place_size_and_probability(kept: Drawn) -> None:
    found = rows(kept.tables["microbleeds_table"])
    definite = [row for row in found if row["certainty"] == "definite"]
    assert len(definite) == len(BALLS)
    for ball in BALLS:
        away = [
            np.linalg.norm([float(row[f"{axis}_mm"]) - mm for axis, mm in zip("xyz", ball.mm, strict=True)])
            for row in definite
        ]
        row = definite[int(np.argmin(away))]
        assert min(away) < 1.5
        assert float(row["diameter_mm"]) == pytest.approx(ball.diameter_mm, rel=0.25)
        assert float(row["probability"]) > 0.5
        assert row["side"] == ("right" if ball.mm[0] > 0 else "left")


def test_the_mask_is_numbered_as_the_table_on_the_scan_s_own_grid(kept: Drawn) -> None:
    volume, _ = drawn_scan()
    mask = kept.images["microbleeds_mask"]
    assert mask.values.shape == volume.shape
    found = rows(kept.tables["microbleeds_table"])
    assert np.unique(mask.values).tolist() == [0, *(int(row["bleed"]) for row in found)]
    for row in found:
        place = tuple(round(float(row[f"{axis}_voxel"])) for axis in "ijk")
        assert mask.values[place] == int(row["bleed"])
        count = np.count_nonzero(mask.values == int(row["bleed"]))
        assert count * float(np.prod(volume.spacing)) == pytest.approx(float(row["volume_mm3"]), rel=0.2)


def test_every_place_that_was_looked_at_is_told_with_what_became_of_it(kept: Drawn) -> None:
    looked = rows(kept.tables["microbleeds_candidates"])
    told = kept.finding.measurements
    assert len(looked) == told["candidates"]
    assert isinstance(told["after_discrimination"], int)
    assert told["candidates"] >= told["after_discrimination"] >= told["after_cleanup"] >= told["count"]  # type: ignore[operator]
    assert all(row["reasons"] != "n/a" for row in looked if row["verdict"] != "definite")
    assert sum(row["bleed"] != "n/a" for row in looked) == told["after_cleanup"]


def test_a_vein_that_the_networks_take_for_bleeds_is_not_counted_and_the_reason_is_told(eager: MicrobleedTask) -> None:
    with_vein = eager.draw(*drawn_scan(), ref(), pictures=False)
    near = []
    start, end, _ = (np.asarray(part) for part in scene.VEIN)
    for row in rows(with_vein.tables["microbleeds_candidates"]):
        at = np.array([float(row[f"{axis}_mm"]) for axis in "xyz"])
        along = np.clip((at - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
        if np.linalg.norm(at - start - along * (end - start)) < 3:
            near.append(row)
    assert near
    assert all(row["verdict"] != "definite" for row in near)
    assert any({"vessel", "elongated"} & set(row["reasons"].split("+")) for row in near)
    assert int(str(with_vein.finding.measurements["count"])) >= len(BALLS)


def test_each_bleed_is_circled_in_two_planes(kept: Drawn) -> None:
    plain, circles = (
        Image.open(BytesIO(kept.pictures[name])) for name in ("microbleeds_slices", "microbleeds_slices_outline")
    )
    assert plain.size == circles.size
    drawn = np.asarray(circles.convert("RGBA"))[..., 3] > 0
    from scipy.ndimage import label

    assert label(drawn, structure=np.ones((3, 3)))[1] == 2 * len(rows(kept.tables["microbleeds_table"]))


def test_run_tells_the_same_as_draw(task: MicrobleedTask, kept: Drawn) -> None:
    assert task.run(*drawn_scan(), ref()) == kept.finding


def test_a_head_without_bleeds_says_what_was_looked_at(task: MicrobleedTask) -> None:
    finding = task.run(*drawn_scan(bleeds=False), ref())
    assert finding.label in (NONE, POSSIBLE)
    assert finding.measurements["count"] == 0
    assert finding.reason.startswith("No ")
    assert str(finding.measurements["candidates"]) in finding.reason


UNREACHED = 1.5


def test_a_modality_s_own_threshold_decides(kept: Drawn, tmp_path: Path) -> None:
    never, elsewhere = (replace(networks(tmp_path), thresholds={of: UNREACHED}) for of in ("gre", "swi"))
    strict = MicrobleedTask(lambda: never).run(*drawn_scan(), ref()).measurements
    assert (strict["count"], strict["threshold"]) == (0, UNREACHED)
    assert strict["possible_count"] >= kept.finding.measurements["count"]
    assert MicrobleedTask(lambda: elsewhere).run(*drawn_scan(), ref()).measurements == kept.finding.measurements


def test_doubts_are_flagged(task: MicrobleedTask) -> None:
    volume, anatomy = drawn_scan()
    doubtful = task.run(volume, replace(anatomy, confidence=0.25, to_mni=None, outside_fov=0.1), ref())
    assert {"low_confidence", "not_placed", "brain_cut"} <= set(doubtful.flags)
    assert volume.spacing.max() < COARSEST_MM
    assert "outside_training_range" not in doubtful.flags


def test_a_map_that_is_called_swi_is_read_as_what_it_is(task: MicrobleedTask) -> None:
    volume = scene.qsm(spacing=COARSE)
    finding = task.run(volume, scene.anatomy_of(volume), ref("swi"))
    assert finding.measurements["count"] == len(BALLS)
    assert finding.measurements["modality"] == "qsm"
    assert "modality_from_image" in finding.flags


def test_a_t1w_that_is_called_swi_is_not_asked_and_the_reason_is_told(task: MicrobleedTask) -> None:
    volume = scene.draw(scene.T1W, BALLS, spacing=COARSE)
    with pytest.raises(NotApplicableError, match="T1w"):
        task.run(volume, scene.anatomy_of(volume), ref("swi"))


def test_without_anatomy_there_is_no_answer(task: MicrobleedTask) -> None:
    volume, anatomy = drawn_scan()
    with pytest.raises(NotApplicableError):
        task.run(volume, None, ref())
    assert not task.applies_to(ref(), None)
    assert task.applies_to(ref(), anatomy)


def test_an_atlas_names_finer_regions_and_counts_them(task: MicrobleedTask, tmp_path: Path) -> None:
    values = np.zeros((91, 109, 91), np.int16)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (-90, -126, -72)
    for label, ball in zip((10, 4, 2), BALLS, strict=True):
        at = np.rint(np.linalg.inv(affine) @ [*ball.mm, 1]).astype(int)[:3]
        values[tuple(slice(a - 2, a + 3) for a in at)] = label**2
    nib.save(nib.Nifti1Image(values, affine), tmp_path / "mars.nii.gz")  # type: ignore[attr-defined]
    drawn = task.with_atlas(tmp_path / "mars.nii.gz").draw(*drawn_scan(), ref(), pictures=False)
    told = drawn.finding.measurements
    named = {row["mars_region"] for row in rows(drawn.tables["microbleeds_table"]) if row["certainty"] == "definite"}
    assert named == {"parietal", "thalamus", "cerebellum"}
    counts = [told[f"mars_{name}_count"] for name in REGIONS.values()]
    assert [name for name, count in zip(REGIONS.values(), counts, strict=True) if count] == [
        "cerebellum",
        "thalamus",
        "parietal",
    ]


def test_the_task_keeps_the_promises_that_the_engine_asks_for(task: MicrobleedTask) -> None:
    assert isinstance(task, Draws)
    assert isinstance(task, Networked)
    assert isinstance(task, Atlased)
    assert task.on(None, 1) is task


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0"), (1, "1 to 4"), (4, "1 to 4"), (5, "5 to 9"), (10, "10 and more")]
)
def test_counts_fall_into_bins(count: int, expected: str) -> None:
    assert bin_of(count) == expected
