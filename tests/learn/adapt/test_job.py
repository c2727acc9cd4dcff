"""From two labels files and a folder to a model that `models import` takes and `run` asks."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.learn.adapt.job import adapt
from brainsift.learn.adapt.lessons import Lessons
from brainsift.learn.adapt.reading import UNLABELLED_BANK, Given, read_domains
from brainsift.learn.quality.bank import chunk_names
from brainsift.learn.trainer import TrainingPlan
from brainsift.models.importing import import_model
from brainsift.scans.volume import Volume
from brainsift.tasks.quality.network import open_quality_network
from brainsift.tasks.quality.slices import Slices, slices_of


def cut(volume: Volume) -> Slices:
    """Without the anatomy pass, which costs seconds."""
    return slices_of(volume, None)


def scan(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).uniform(0, 100, (20, 22, 24)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.diag([4.0, 4.0, 4.0, 1.0])), path)


def labels(folder: Path, suffix: str, people: str, extra: str = "") -> Path:
    lines = ["scan\tparticipant\tproper\tmotion\tsequence\tsplit"]
    for number, person in enumerate(people):
        name = f"sub-{person}_{suffix}.nii.gz"
        scan(folder / name, number + len(suffix))
        split = {"z": "test"}.get(person, "")
        lines.append(f"{name}\t{person}\tyes\t{2 * (number % 2)}\t{suffix}\t{split}")
    path = folder / "labels.tsv"
    path.write_text("\n".join(lines) + "\n" + extra)
    return path


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Seven people with T1w, five of them with labelled FLAIR (one to test with), and FLAIR of four without labels."""
    source = labels(tmp_path / "t1w", "T1w", "abcdefz")
    target = labels(tmp_path / "flair", "FLAIR", "abcdz", "sub-missing_FLAIR.nii.gz\tq\tyes\t0\tFLAIR\t\n")
    for number, person in enumerate("aghz"):
        scan(tmp_path / "more" / f"sub-{person}" / "anat" / f"sub-{person}_run-2_FLAIR.nii.gz", 50 + number)
    (tmp_path / "more" / "broken.nii.gz").write_bytes(b"no image")
    return Given(source, target, tmp_path / "more")


def test_nobody_kept_aside_in_the_target_is_learnt_from_in_any_way(given: Given, tmp_path: Path) -> None:
    read = read_domains(given, tmp_path / "out", 1, cut=cut)
    assert read.validation is not None
    assert set(read.failed) == {"sub-missing_FLAIR.nii.gz", "broken.nii.gz"}
    aside = set(read.validation.people)
    assert len(aside) == 1
    assert aside <= set("abcd")
    for bank in read.domains.parts():
        assert not aside & set(bank.people)
    assert read.domains.unlabelled is not None
    assert set(read.domains.unlabelled.people) == {"a", "g", "h"} - aside  # z is to test with
    assert np.isnan(read.domains.unlabelled.truth).all()
    assert read.domains.source is not None
    assert set("ef") <= set(read.domains.source.people)


def test_slices_that_were_cut_are_not_cut_again(given: Given, tmp_path: Path) -> None:
    cut_now: list[int] = []

    def counting(volume: Volume) -> Slices:
        cut_now.append(1)
        return cut(volume)

    first = read_domains(given, tmp_path / "out", 1, cut=counting)
    assert len(cut_now) == 6 + 4 + 4
    (tmp_path / "out" / UNLABELLED_BANK / f"{chunk_names(tmp_path / 'out' / UNLABELLED_BANK)[0]}.json").unlink()
    second = read_domains(given, tmp_path / "out", 1, cut=counting)
    assert len(cut_now) == 6 + 4 + 4 + 1  # a chunk that a kill left unfinished is cut anew
    assert [bank.people for bank in first.domains.parts()] == [bank.people for bank in second.domains.parts()]


def test_a_folder_without_a_scan_is_refused(given: Given, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no scan of .*empty can be learnt from"):
        read_domains(Given(given.source, None, tmp_path / "empty"), tmp_path / "out", cut=cut)


def test_the_model_stands_on_a_shelf_and_answers_and_its_card_tells_of_both_domains(
    given: Given, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    plan = TrainingPlan(steps=1, validate_every=1, threads=1, seed=1)
    path = adapt(given, output, plan, Lessons(semi="consistency"), cut=cut, quiet=True)
    assert "broken.nii.gz" in capsys.readouterr().err
    model = import_model("quality", path, tmp_path / "shelf", output / "quality.md")
    assert model.state == "ok"
    network = open_quality_network(1, tmp_path / "shelf")
    assert network.model_sha256 == model.sha256
    volume = np.random.default_rng(3).random((24, 224, 192)).astype(np.float32)
    slices = Slices(volume, np.repeat([0, 1, 2], 8), np.zeros(24, np.int64))
    said = network.ask(slices)
    assert 0 < said.proper < 1
    import_model("quality", path, tmp_path / "both", output / "quality.md", "FLAIR")
    both = open_quality_network(1, tmp_path / "both")
    assert both.ask(slices, "FLAIR").proper == pytest.approx(said.proper)
    assert both.ask(slices).proper == pytest.approx(open_quality_network(1).ask(slices).proper)
    card = (output / "quality.md").read_text()
    assert "- target, labelled: 3 examples of 3 people" in card
    assert "- target, kept aside: 1 examples of 1 people" in card
    assert "From random weights. Shared extractor, a head for each domain" in card
    assert "Two views of a scan without labels shall be answered alike." in card
