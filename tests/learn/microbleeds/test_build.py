"""From label maps to a bank, and the command line in front of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.cli.exits import Exit  # noqa: E402
from brainsift.learn import sides  # noqa: E402
from brainsift.learn.microbleeds import banks, cubes, first, job, settings  # noqa: E402
from brainsift.learn.microbleeds.bank import load_bank, write_chunk  # noqa: E402
from brainsift.learn.microbleeds.batches import Lessons  # noqa: E402
from brainsift.learn.microbleeds.build import (  # noqa: E402
    VARIOUS_SHARE,
    ChunkJob,
    as_volume,
    draw_many,
    make_chunk,
    plan_chunks,
    simulated_example,
)
from brainsift.learn.microbleeds.job import Course  # noqa: E402
from brainsift.scans.errors import ScanError  # noqa: E402
from brainsift.scans.volume import Volume  # noqa: E402
from brainsift.simulate.susceptibility.example import Bleed, BleedExample  # noqa: E402
from brainsift.tasks.microbleeds.network import Prepared  # noqa: E402
from tests.cli.conftest import Call, call  # noqa: E402, F401
from tests.learn.microbleeds.test_job import TINY  # noqa: E402
from tests.learn.microbleeds.toy import AFFINE, SHAPE, toy_example, toy_prepared  # noqa: E402


def prepared(volume: Volume, modality: str) -> Prepared:
    """The scan itself, cut to multiples of what the networks need, without an anatomy pass."""
    x, y, z = (n // m * m for n, m in zip(volume.shape, (16, 16, 8), strict=True))
    image = np.clip(volume.data[:x, :y, :z] / max(1.0, float(volume.data.max())), 0, 1)
    whole = np.ones((x, y, z), bool)
    data = np.stack([image, np.zeros_like(image)]).astype(np.float32)
    return Prepared(data, volume.affine, whole, whole, modality, None)  # type: ignore[arg-type]


def test_a_chunk_of_a_simulated_head_holds_all_modalities_with_the_truth(label_maps: Path, tmp_path: Path) -> None:
    path = min(label_maps.iterdir())
    make_chunk(ChunkJob("one", path, "person_0", 5, count=4, voxel_mm=(1.2, 1.2, 3.0)), tmp_path, prepared)
    bank = load_bank(tmp_path)
    assert bank.modalities == ("gre", "swi", "qsm")
    assert bank.simulated
    assert set(bank.people) == {"person_0"}
    gre, qsm = bank[0], bank[2]
    assert len(gre.lesions) == len(qsm.lesions) > 0
    for example, sign in ((gre, -1), (qsm, 1)):
        inside = example.pieces() > 0
        ring = inside ^ np.roll(inside, 4, axis=0)
        contrast = example.image[inside].mean() - float(example.image[ring & ~inside].mean())
        assert sign * contrast > 0, f"bleeds look wrong in {example.modality}"
    assert gre.facts["slice_mm"] == pytest.approx(3.0)


def drawn() -> BleedExample:
    """Two bleeds, listed in the wrong order."""
    truth = np.zeros(SHAPE, np.uint16)
    bleeds = []
    for number, voxel in ((2, (30, 30, 10)), (1, (12, 10, 6))):
        truth[tuple(slice(v - 1, v + 2) for v in voxel)] = number
        x, y, z = (AFFINE @ [*voxel, 1])[:3]
        bleeds.append(Bleed(number, voxel, (x, y, z), 2.0 + number, 3.0 + number, 0.5, "lobar", "frontal"))
    images = {name: np.full(SHAPE, 0.5, np.float32) for name in ("gre", "swi", "qsm")}
    return BleedExample(images, AFFINE, tuple(bleeds), truth, np.zeros(SHAPE, np.uint8), {})  # type: ignore[arg-type]


def stand_in(volume: Volume, modality: str, read_as: str | None = None) -> Prepared:
    """The toy's own grid."""
    return replace(toy_prepared(volume.data, read_as or modality), affine=volume.affine)


def test_numbers_of_the_truth_are_rows_of_the_lesions() -> None:
    example = simulated_example(drawn(), "gre", "p", "h", stand_in)
    assert [one.diameter_mm for one in example.lesions] == [3.0, 4.0]
    pieces = example.pieces()
    assert pieces[12, 10, 6] == 1
    assert pieces[30, 30, 10] == 2


def test_a_map_that_was_read_as_a_magnitude_teaches_nothing() -> None:
    with pytest.raises(ScanError, match="read as gre"):
        simulated_example(drawn(), "qsm", "p", "h", partial(stand_in, read_as="gre"))
    assert simulated_example(drawn(), "gre", "p", "h", partial(stand_in, read_as="swi")).modality == "swi"


def test_magnitudes_are_stored_in_whole_numbers_and_susceptibility_is_not() -> None:
    image = np.full(SHAPE, 0.12345, np.float32)
    assert as_volume(image, AFFINE, "gre").data[0, 0, 0] == 123
    assert as_volume(image, AFFINE, "qsm").data[0, 0, 0] == np.float32(0.12345)


def test_chunks_go_around_the_label_maps_and_learning_sees_more_bleeds_than_people_have() -> None:
    maps = [Path("a_labels.nii.gz"), Path("b_labels.nii.gz")]
    assert [(one.person, one.seed, one.count) for one in plan_chunks(maps, 3, seed=10)] == [
        ("a", 10, None),
        ("b", 11, None),
        ("a", 12, None),
    ]
    counts = [one.count or 0 for one in plan_chunks(maps, 200, seed=0, many=True)]
    assert 0.05 < np.mean(np.array(counts) == 0) < 0.25
    assert 5 < np.mean(counts) < 12
    assert max(counts) <= 30
    assert [one.name for one in plan_chunks(maps, 2, seed=10, first=3)] == ["b_00003", "a_00004"]
    assert {one.various for one in plan_chunks(maps, 2, seed=10)} == {0.0}
    assert {one.various for one in plan_chunks(maps, 2, seed=10, many=True)} == {VARIOUS_SHARE}
    assert draw_many(np.random.default_rng(1)) == draw_many(np.random.default_rng(1))
    with pytest.raises(ValueError, match="got none"):
        plan_chunks([], 1, seed=0)


def toy_chunk(job: ChunkJob, folder: Path) -> Path:
    """A toy in place of a simulated head, which costs seconds."""
    made = [toy_example(job.seed, job.person, 3, modality) for modality in ("gre", "swi", "qsm")]
    return write_chunk(made, folder, job.name)


def test_one_command_goes_from_label_maps_to_both_files(
    call: Call,  # noqa: F811
    label_maps: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(banks, "make_chunk", toy_chunk)
    monkeypatch.setattr(sides, "MIN_HELD_OUT", 1)
    monkeypatch.setattr(cubes, "CANDIDATES_EACH", 4)
    monkeypatch.setattr(settings, "CANDIDATE_RATE", 4.0)
    monkeypatch.setattr(first, "EXPORT_SHAPE", (32, 32, 16))
    monkeypatch.setattr(job, "Networks", lambda: TINY)
    monkeypatch.setattr(job, "Course", partial(Course, lessons=Lessons((32, 32, 16), 2), cubes=2))
    output = tmp_path / "out"
    arguments = (
        "train",
        "microbleeds",
        output,
        "--label-maps",
        label_maps,
        "--validation",
        "person_2",
        "--chunks",
        "2",
    )
    answer = call(*arguments, "--workers", "0", "--steps", "2", "--threads", "1", "--without", "swi")
    assert answer.code == Exit.DONE, answer.err
    for name in ("candidates", "discriminator"):
        assert (output / f"microbleeds_{name}.onnx").is_file()
        assert "person_2" in (output / f"microbleeds_{name}.md").read_text()
    assert set(load_bank(output / "bank").people) == {"person_0", "person_1"}
