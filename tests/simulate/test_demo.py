from __future__ import annotations

import csv
import gzip
import hashlib
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.simulate import demo, sources
from brainsift.simulate.atlas import Atlas
from brainsift.simulate.demo import SCANS, plan, write_demo_study
from brainsift.simulate.stored import load_parameters

Rows = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def study(phantom_atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole demo of coarse phantoms: the same code, a fraction of the time."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        _coarsen(patch, phantom_atlas)
        write_demo_study(folder)
    return folder


def _coarsen(patch: pytest.MonkeyPatch, atlas: Atlas) -> None:
    patch.setattr("brainsift.simulate.atlas.load_atlas", lambda: atlas)
    patch.setattr(sources, "ATLAS_SPACING_MM", 4.0)
    patch.setattr(demo, "GRID", (48, 65, 60))
    patch.setattr(demo, "SPACING_MM", 4.0)


@pytest.fixture(scope="module")
def truth(study: Path) -> Rows:
    with (study / "truth.tsv").open(encoding="utf-8", newline="") as file:
        return {row["scan"].split("/")[-1].removesuffix(".nii.gz"): row for row in csv.DictReader(file, delimiter="\t")}


def test_the_demo_is_a_bids_dataset(study: Path, truth: Rows) -> None:
    description = json.loads((study / "dataset_description.json").read_text())
    assert description["DatasetType"] == "raw"
    assert {"Name", "BIDSVersion"} <= set(description)
    people = (study / "participants.tsv").read_text().split()
    assert people == ["participant_id", *(f"sub-{i:02d}" for i in range(1, 10))]
    files = {p.relative_to(study).as_posix() for p in study.rglob("*.nii.gz")}
    assert files == {row["scan"] for row in truth.values()}
    assert len(files) == len(SCANS) == 12
    assert "SynthSeg" in (study / "README").read_text()


def test_sound_scans_read_as_their_truth_says(study: Path, truth: Rows) -> None:
    for name in ("sub-01_T1w", "sub-01_FLAIR", "sub-01_T2w", "sub-02_T1w", "sub-02_T2starw"):
        row, image = truth[name], nib.load(study / truth[name]["scan"])
        zooms = sorted(image.header.get_zooms())
        assert row["sequence"] == name.split("_")[1]
        assert row["dimension"] == ("2D" if zooms[2] >= 2.5 else "3D")
        assert (row["broken"], row["skull_stripped"], row["brain_outside_fov"]) == ("", "false", "0.0000")
        assert 500 < float(row["brain_ml"]) < float(row["icv_ml"]) < 2500


def test_scans_of_one_person_agree_in_volume(truth: Rows) -> None:
    volumes = [float(truth[f"sub-01_{suffix}"]["brain_ml"]) for suffix in ("T1w", "FLAIR", "T2w")]
    assert np.ptp(volumes) < 0.03 * np.mean(volumes)
    assert abs(float(truth["sub-02_T1w"]["brain_ml"]) - volumes[0]) > 1


def test_the_slab_is_cut_and_the_truth_says_how_much(study: Path, truth: Rows) -> None:
    row = truth["sub-03_T1w"]
    assert 0.2 < float(row["brain_outside_fov"]) < 0.7
    image = nib.load(study / row["scan"])
    height_mm = image.shape[2] * image.header.get_zooms()[2]
    assert height_mm == pytest.approx(demo.SLAB_MM[1] - demo.SLAB_MM[0], abs=2 * 4.0)


def test_the_stripped_scan_shows_the_brain_and_its_fluid_alone(study: Path, truth: Rows) -> None:
    row = truth["sub-04_T1w"]
    assert row["skull_stripped"] == "true"
    stripped, whole = (_share_of_neck(study / truth[n]["scan"]) for n in ("sub-04_T1w", "sub-01_T1w"))
    assert stripped < 0.001
    assert whole > 0.05


def _share_of_neck(path: Path) -> float:
    """Share of the lowest quarter of the scan, far below the brain, that is well above the noise."""
    data = np.asanyarray(nib.as_closest_canonical(nib.load(path)).dataobj)
    return float((data[:, :, : data.shape[2] // 4] > 0.15 * data.max()).mean())


def test_broken_files_are_broken_as_said(study: Path, truth: Rows) -> None:
    kind = {name: row["broken"] for name, row in truth.items() if row["broken"]}
    assert kind == {
        "sub-05_T1w": "label_map",
        "sub-06_T1w": "constant",
        "sub-07_T1w": "truncated",
        "sub-08_T1w": "four_dimensional",
        "sub-09_T1w": "duplicate",
    }
    labels = np.asanyarray(nib.load(study / truth["sub-05_T1w"]["scan"]).dataobj)
    assert {2, 41, 3, 42} <= set(np.unique(labels).tolist())
    assert np.ptp(np.asanyarray(nib.load(study / truth["sub-06_T1w"]["scan"]).dataobj)) == 0
    with pytest.raises(EOFError):
        gzip.decompress((study / truth["sub-07_T1w"]["scan"]).read_bytes())
    assert nib.load(study / truth["sub-08_T1w"]["scan"]).shape[3:] == (2,)
    digests = [hashlib.sha256((study / truth[n]["scan"]).read_bytes()).digest() for n in ("sub-01_T1w", "sub-09_T1w")]
    assert digests[0] == digests[1]
    assert truth["sub-06_T1w"]["brain_ml"] == truth["sub-07_T1w"]["brain_ml"] == ""


def test_what_was_drawn_lies_beside_the_scans(study: Path) -> None:
    notes = sorted((study / "sourcedata/simulation").glob("*.json"))
    assert len(notes) == 10
    assert load_parameters(notes[0]).contrast.kind == "flair"


def test_the_same_seed_gives_the_same_bytes(study: Path, phantom_atlas: Atlas, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _coarsen(patch, phantom_atlas)
        write_demo_study(tmp_path / "again", n=3)
        write_demo_study(tmp_path / "other", n=1, seed=1)
    first = SCANS[0]
    name = f"sub-{first.participant:02d}/anat/sub-{first.participant:02d}_{first.suffix}.nii.gz"
    assert (tmp_path / "again" / name).stat().st_size > 0
    twice = [(tmp_path / f / name).read_bytes() for f in ("again", "other")]
    assert twice[0] != twice[1]
    with pytest.MonkeyPatch.context() as patch:
        _coarsen(patch, phantom_atlas)
        write_demo_study(tmp_path / "thrice", n=3)
    assert (tmp_path / "thrice" / name).read_bytes() == twice[0]


@pytest.mark.parametrize(("n", "people"), [(1, 1), (5, 2), (12, 9), (30, 16)])
def test_any_number_of_scans_can_be_asked_for(n: int, people: int) -> None:
    scans = plan(n)
    assert len(scans) == n
    assert len({(s.participant, s.suffix) for s in scans}) == n
    assert len({s.participant for s in scans}) == people
    assert not any(s.fault for s in scans[12:])


def test_no_scan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 at the least"):
        write_demo_study(tmp_path, n=0)
