"""The bank on disk, and the batches drawn from it."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from brainsift.learn.quality.bank import Bank, Example, chunk_names, load_bank, to_levels, write_chunk
from brainsift.learn.quality.batches import BATCH, SLICES_PER_AXIS, Changes, batches, change, draw_changes, whole
from brainsift.learn.quality.truth import COLUMNS, truth_row


def example(person: str, grade: float, level: float = 0.5) -> Example:
    pixels = np.full((24, 224, 192), level, np.float32)
    truth = truth_row({"proper": True, "motion": grade, "sequence": "T1w"})
    return Example(to_levels(pixels), truth, person, {"source": "label map", "fault": "motion"})


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    write_chunk([example("a", 0.0, 0.2), example("a", 2.0, 0.4)], tmp_path, "a_0")
    write_chunk([example("b", 1.2, 0.6)], tmp_path, "b_0")
    return load_bank(tmp_path)


def test_what_is_written_is_read(bank: Bank) -> None:
    assert bank.people == ("a", "a", "b")
    assert bank.facts[2] == {"source": "label map", "fault": "motion"}
    assert bank.truth[:, COLUMNS.index("motion")] == pytest.approx([0, 2, 1.2])
    assert np.isnan(bank.truth[:, COLUMNS.index("noise")]).all()
    assert [int(bank.pixels(i)[0, 0, 0]) for i in range(3)] == [51, 102, 153]


def test_a_part_of_a_bank_keeps_its_examples(bank: Bank) -> None:
    part = bank.only([2, 0])
    assert part.people == ("b", "a")
    assert int(part.pixels(0)[0, 0, 0]) == 153


def test_banks_add_up(bank: Bank) -> None:
    both = bank.only([2, 0]) + bank.only([1])
    assert both.people == ("b", "a", "a")
    assert both.truth[:, COLUMNS.index("motion")] == pytest.approx([1.2, 0, 2])
    assert [int(both.pixels(i)[0, 0, 0]) for i in range(3)] == [153, 51, 102]


def test_a_chunk_that_was_not_finished_does_not_count(tmp_path: Path) -> None:
    write_chunk([example("a", 0.0)], tmp_path, "a_0")
    (tmp_path / "a_1.npy").touch()
    (tmp_path / "a_2.json").write_text("{}")
    assert chunk_names(tmp_path) == ["a_0"]


def test_a_bank_with_other_columns_is_refused(tmp_path: Path) -> None:
    path = write_chunk([example("a", 0.0)], tmp_path, "a_0")
    path.write_text(path.read_text().replace('"contrast"', '"sharpness"'))
    with pytest.raises(ValueError, match="build the bank again"):
        load_bank(tmp_path)


def test_no_bank_and_an_empty_chunk_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="build it first"):
        load_bank(tmp_path)
    with pytest.raises(ValueError, match="at least one"):
        write_chunk([], tmp_path, "a")


def test_no_change_changes_nothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 224, 192), dtype=np.uint8)
    still = Changes(np.arange(24), False, (0, 0), 1.0, 1.0)
    assert change(pixels, still) == pytest.approx(pixels / 255, abs=1e-6)


def test_mirroring_exchanges_left_and_right_and_leaves_sagittal_slices() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 224, 192), dtype=np.uint8)
    mirrored = change(pixels, Changes(np.arange(24), True, (0, 0), 1.0, 1.0))
    assert mirrored[:8] == pytest.approx(pixels[:8] / 255, abs=1e-6)
    assert mirrored[8:] == pytest.approx(pixels[8:, :, ::-1] / 255, abs=1e-6)


@pytest.mark.parametrize("shift", [(5, 0), (-5, 3), (0, -14)])
def test_shifting_moves_the_picture_and_fills_with_black(shift: tuple[int, int]) -> None:
    pixels = np.zeros((24, 224, 192), np.uint8)
    pixels[:, 100, 90] = 255
    moved = change(pixels, Changes(np.arange(24), False, shift, 1.0, 1.0))
    assert (moved[:, 100 + shift[0], 90 + shift[1]] == 1).all()
    assert moved.sum() == 24


def test_clipping_levels_what_is_brighter() -> None:
    bright = np.full((24, 224, 192), 200, np.uint8)
    clipped = change(bright, Changes(np.arange(24), False, (0, 0), 1.0, 1.0, ceiling=0.6))
    assert float(clipped.max()) == pytest.approx(0.6)


def test_slices_are_drawn_from_each_orientation() -> None:
    chosen = draw_changes(np.random.default_rng(0), 24, 4).slices
    assert ((chosen // 8) == np.repeat([0, 1, 2], 4)).all()
    assert len(set(chosen.tolist())) == 12
    assert (chosen % 2).tolist() == 6 * [0, 1]  # every second one of the brain alone


def test_batches_are_the_same_for_the_same_seed_and_others_after_a_restart(bank: Bank) -> None:
    first, again, later = (next(batches(bank, 3, start)) for start in (0, 0, 7))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], later[0])
    assert first[0].shape == (BATCH, 3 * SLICES_PER_AXIS, 224, 192)


def test_all_grades_come_up_alike(tmp_path: Path) -> None:
    write_chunk([example("a", 0.0)] * 9 + [example("a", 2.0)], tmp_path, "a_0")
    drawn = torch.cat([truth for _, truth in islice(batches(load_bank(tmp_path), 0), 120)])
    share = float((drawn[:, COLUMNS.index("motion")] > 1.5).float().mean())
    assert share > 0.2


def test_whole_examples_keep_all_their_slices(bank: Bank) -> None:
    assert whole(bank, [2, 0]).shape == (2, 24, 224, 192)
