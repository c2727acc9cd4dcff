"""Learning what a good defacing looks like: truth, changes that keep it, bank, training, temperature, export, card."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from brainsift.learn.ahead import AT_ONCE, made_ahead
from brainsift.learn.defacing.bank import Bank, Example, load_bank, write_chunk
from brainsift.learn.defacing.batches import Changes, Move, batches, chances, change, whole
from brainsift.learn.defacing.build import plan_chunks, simulated_example
from brainsift.learn.defacing.job import MODEL_FILE, export_and_measure, find_sources
from brainsift.learn.defacing.measure import ask_all, figures, largest_coverage
from brainsift.learn.defacing.net import DefacingNet
from brainsift.learn.defacing.places import AROUND, BRAIN, CHANGED, MAPS, Known, cells_of
from brainsift.learn.defacing.readers import fit_readers
from brainsift.learn.defacing.readings import (
    AMPLE_ML,
    CELL_ML,
    LITTLE_ML,
    N_CLOSER,
    N_READINGS,
    read_closer,
    read_maps,
)
from brainsift.learn.defacing.train import answers, best_temperature, finish, new_net, train_defacing
from brainsift.learn.defacing.truth import COLUMNS, answer_loss, defacing_loss, label_chances, maps_loss, truth_row
from brainsift.learn.people import person_of
from brainsift.learn.trainer import TrainingPlan
from brainsift.models.registry import MAX_MODEL_BYTES
from brainsift.models.shelf import find
from brainsift.simulate.atlas import load_atlas
from brainsift.simulate.atlas_draw import draw_label_map
from brainsift.simulate.deface.draw import draw_defaced_example
from brainsift.simulate.deface.geometry import Region
from brainsift.simulate.deface.marked import mark_head
from brainsift.tasks.defacing.network import (
    CHANNELS,
    CLASSES,
    EMPTY_FIRST,
    FEATURES,
    INSIDE,
    N_OUTPUTS,
    OUTPUTS,
    WINDOW_SHAPE,
    Window,
)

PLAN = TrainingPlan(steps=2, validate_every=1, threads=1)
CELLS = tuple(n // 2 for n in WINDOW_SHAPE)


def window(level: int = 100) -> Window:
    """Grey everywhere, head everywhere, all of it seen."""
    return Window(np.full(WINDOW_SHAPE, level, np.uint8), np.full(WINDOW_SHAPE, 1 + INSIDE, np.uint8))


def toy_bank(folder: Path, people: str) -> Bank:
    """A bright block for each class in a place of its own."""
    for person in people:
        made = []
        for number, label in enumerate(CLASSES):
            seen, places = window(40), np.zeros(WINDOW_SHAPE, np.uint8)
            block = (slice(None), slice(20 * number, 20 * number + 20), slice(10, 30))
            seen.brightness[block] = 200
            places[block] = Region.NOSE + CHANGED
            truth = truth_row(label, {"eyes": number / 4, "nose": None}, label != "failed")
            made.append(Example(seen, places, truth, person, {"tool": "plane", "label": label}))
        write_chunk(made, folder, person)
    return load_bank(folder)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A checkpoint of a network with weights and statistics of its own everywhere."""
    torch.manual_seed(0)
    net = DefacingNet()
    for value in [*net.parameters(), *(b for b in net.buffers() if b.is_floating_point())]:
        value.data += 0.02 * torch.rand_like(value)
    torch.save({"average": net.state_dict()}, tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


def test_shares_near_the_limit_are_partly_of_both() -> None:
    row = truth_row("insufficient", {"eyes": 0.3, "nose": 1.0, "mouth": 0.05, "ears": None}, True)
    told = dict(zip(COLUMNS, row.tolist(), strict=True))
    assert (told["label"], told["eyes"], told["nose"], told["mouth"], told["touched"]) == (1, 0.5, 1, 0, 1)
    assert np.isnan(told["ears"])
    with pytest.raises(ValueError, match="nonsense"):
        truth_row("nonsense", {}, True)


def test_loss_falls_with_the_right_answer_and_ignores_what_is_not_known() -> None:
    rows = torch.from_numpy(truth_row("excessive", {"eyes": 1.0}, None))[None]
    chances = torch.from_numpy(label_chances("excessive", {}))[None]
    right, wrong = torch.zeros(1, N_OUTPUTS), torch.zeros(1, N_OUTPUTS)
    right[0, 2], wrong[0, 0] = 5, 5
    assert answer_loss(right, rows, chances) < answer_loss(wrong, rows, chances)
    unknown = right.clone()
    unknown[0, OUTPUTS.index("nose")] = 9.0  # not known
    assert answer_loss(unknown, rows, chances) == answer_loss(right, rows, chances)


def test_near_a_limit_of_the_rule_both_labels_have_a_chance() -> None:
    gone = {"eyes": 0.05, "nose": 0.0, "mouth": None, "ears": 0.1, "brow": 0.5}
    plain = {"left": gone, "brain_removed_ml": 0.0, "brain_removed_share": 0.0, "brain_removed_depth_mm": 0.0}
    sure = label_chances("correct", plain)
    assert sure.sum() == pytest.approx(1)
    assert sure[CLASSES.index("correct")] > 0.98
    near = label_chances("correct", {**plain, "left": {**gone, "ears": 0.29}})
    assert 0.3 < near[CLASSES.index("insufficient")] < 0.6
    cut = {"brain_removed_ml": 0.55, "brain_removed_share": 0.0004, "brain_removed_depth_mm": 4.0}
    assert 0.4 < label_chances("excessive", {**plain, **cut})[CLASSES.index("excessive")] < 0.8


def known_places() -> Known:
    """A nose of 8 x 8 x 8 voxels, half of it acted on by a blur that leaves a quarter; brain beside it, acted on."""
    places = np.zeros(WINDOW_SHAPE, np.uint8)
    places[40:48, 80:88, 20:28] = Region.NOSE
    places[40:44, 80:88, 20:28] |= CHANGED
    places[60:62, 60:62, 60:62] = BRAIN + CHANGED
    places[62:64, 60:62, 60:61] = BRAIN + AROUND
    row = truth_row("insufficient", {"nose": 0.6}, True, kept=0.25)
    chances = torch.from_numpy(label_chances("insufficient", {}))
    return Known(torch.from_numpy(row)[None], chances[None], torch.from_numpy(places)[None])


def test_cells_hold_shares_of_what_was_there_and_of_what_is_left() -> None:
    known = known_places()
    cells = cells_of(known.places, known.rows[:, COLUMNS.index("kept")])
    assert cells.shape == (1, len(MAPS), *CELLS)
    sums = dict(zip(MAPS, cells.sum(dim=(0, 2, 3, 4)).tolist(), strict=True))
    assert sums["brain_removed"] == pytest.approx(0.75)
    assert sums["changed"] == 33
    assert sums["nose_place"] == 64
    assert sums["nose_left"] == pytest.approx(32 + 32 / 4)
    assert sums["eyes_place"] == sums["eyes_left"] == 0
    assert sums["brain_place"] == pytest.approx(1.5), "taken or not"


def test_the_loss_of_the_maps_falls_with_the_right_shares() -> None:
    known = known_places()
    cells = cells_of(known.places, known.rows[:, COLUMNS.index("kept")])
    right, nothing = torch.logit(cells.clamp(1e-3, 1 - 1e-3)), torch.full(cells.shape, -5.0)
    assert maps_loss(right, cells) < maps_loss(nothing, cells) < maps_loss(-right, cells)
    answer = torch.zeros(1, N_OUTPUTS)
    whole_answers = [torch.cat([answer, maps.flatten(1)], dim=1) for maps in (right, nothing)]
    assert defacing_loss(whole_answers[0], known) < defacing_loss(whole_answers[1], known)


def test_the_answer_is_read_from_both_sides_and_from_the_worse_of_two_eyes() -> None:
    shares = torch.zeros(1, len(MAPS), *CELLS)
    eyes, left = MAPS.index("eyes_place"), MAPS.index("eyes_left")
    shares[0, 0, :4, 0, 0] = 1
    shares[0, eyes, :, 30, 10:30] = 1
    shares[0, left, CELLS[0] // 2 :, 30, 10:30] = 1
    found = read_maps(shares)[0]
    full, half = CELL_ML * CELLS[0] * 20, CELL_ML * CELLS[0] / 2 * 20
    larger, smaller, highest, most_left = found.split([len(MAPS)] * 3 + [len(FEATURES)])
    assert float(larger[0]) == pytest.approx(np.log(4 * CELL_ML + AMPLE_ML))
    assert float(smaller[0]) == pytest.approx(np.log(AMPLE_ML))
    assert float(larger[eyes]) == float(smaller[eyes]) == pytest.approx(np.log(full / 2 + AMPLE_ML))
    assert highest.tolist() == [float(n in (0, eyes, left)) for n in range(len(MAPS))]
    assert float(most_left[FEATURES.index("eyes")]) == pytest.approx(half / (half + AMPLE_ML))
    torch.testing.assert_close(read_maps(shares.flip(2))[0], found)
    assert len(found) == N_READINGS


def test_small_chances_hide_no_cut_where_cells_are_read_closer_and_depth_is_told() -> None:
    removed, brain = MAPS.index("brain_removed"), MAPS.index("brain_place")
    shares = torch.full((1, len(MAPS), *CELLS), 0.01)
    shares[0, brain, 10:40, 10:40, 10:40] = 1.0
    faint = read_closer(shares)[0]
    assert len(faint) == N_CLOSER
    assert float(faint[removed]) == pytest.approx(np.log(LITTLE_ML)), "nothing counts"
    shallow, deep = shares.clone(), shares.clone()
    shallow[0, removed, 20:24, 20:24, 10] = 0.9
    deep[0, removed, 20:24, 20:24, 12] = 0.9
    at_surface, inside = read_closer(shallow)[0], read_closer(deep)[0]
    volume = np.log(0.9 * 16 * CELL_ML + LITTLE_ML)
    assert float(at_surface[removed]) == float(inside[removed]) == pytest.approx(volume, rel=1e-4)
    assert (at_surface[[-3, -1]] < 0.02).all(), "no neighbour outside of the brain"
    assert (inside[[-3, -1]] > 0.8).all()


def test_small_chances_everywhere_are_no_brain_removed() -> None:
    torch.manual_seed(0)
    net = DefacingNet().eval()
    image = torch.zeros(1, len(CHANNELS), *WINDOW_SHAPE)
    with torch.no_grad():
        assert float(net(image)[0, N_OUTPUTS - 1]) == 0, "every cell has a chance of a hundredth or so"
        net.maps.bias[0] = 9.0
        whole_window = CELL_ML * np.prod(CELLS)
        assert float(net(image)[0, N_OUTPUTS - 1]) == pytest.approx(whole_window, rel=0.05)


def test_a_mirrored_head_changes_sides_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    seen = Window(*(rng.integers(0, 255, WINDOW_SHAPE).astype(np.uint8) for _ in range(2)))
    seen.kind[:] %= EMPTY_FIRST
    places = rng.integers(0, 100, WINDOW_SHAPE).astype(np.uint8)
    turned, there = change(seen, places, Changes(moves=(Move(mirror=True), Move(), Move())))
    np.testing.assert_array_equal(turned.brightness, seen.brightness[::-1])
    np.testing.assert_array_equal(turned.kind, seen.kind[::-1])
    np.testing.assert_array_equal(there, places[::-1])


def test_a_shifted_head_takes_its_truth_along() -> None:
    seen, places = window(), np.zeros(WINDOW_SHAPE, np.uint8)
    seen.brightness[10, 10, 10], places[10, 10, 10] = 200, BRAIN
    moved, there = change(seen, places, Changes(moves=(Move(shift=2), Move(shift=-1), Move())))
    assert moved.brightness[12, 9, 10] == 200
    assert there[12, 9, 10] == BRAIN
    assert (moved.kind[:2] == 0).all(), "outside of the field of view"


def test_a_stretched_head_is_larger_about_its_middle_and_a_bent_one_keeps_its_size() -> None:
    n = 101
    assert Move(stretch=1.25).sources(n)[[50, 55, 45]].tolist() == [50, 54, 46]
    assert (Move(stretch=0.8).sources(n)[[0, 9]] == n).all(), "from outside"
    bent = Move(bend=2.0, cycles=2.0, phase=1.0).sources(n)
    offset = (bent - np.arange(n))[bent < n]
    assert (offset.min(), offset.max()) == (-2, 2)
    mirrored = Move(mirror=True, shift=3).sources(n)
    assert mirrored[3] == 100
    assert mirrored[100] == 3


def test_masked_air_is_empty_and_a_blurred_mask_tells_of_nothing_empty() -> None:
    seen, places = window(), np.zeros(WINDOW_SHAPE, np.uint8)
    places[:30] = AROUND
    masked, _ = change(seen, places, Changes(masked_air=True))
    channels = masked.channels()
    assert (channels[CHANNELS.index("empty"), :30] == 1).all()
    assert (channels[0, :30] == 0).all()
    assert (channels[CHANNELS.index("empty"), 30:] == 0).all()
    np.testing.assert_array_equal(channels[CHANNELS.index("inside")], 1)
    blurred, _ = change(seen, places, Changes(masked_air=True, blurred_mask=True, noise=0.02, unlabelled=True))
    channels = blurred.channels()
    assert (channels[CHANNELS.index("empty")] == 0).all()
    assert (channels[0, :30] == 0).all(), "what is empty stays dark"
    assert channels[3:].sum() == 0


def test_brightness_changes_as_drawn() -> None:
    seen, places = window(), np.zeros(WINDOW_SHAPE, np.uint8)
    assert (change(seen, places, Changes(factor=1.5))[0].brightness == 150).all()
    darker = change(seen, places, Changes(gamma=1.5))[0].brightness
    assert 85 < darker.mean() < 95, "below the brain's grey value a larger exponent darkens"
    seen.brightness[::2] = 0
    smooth = change(seen, places, Changes(coarser=0))[0].brightness
    assert (smooth == 50).all()


def test_a_simulated_scan_keeps_its_truth_in_the_window() -> None:
    """A real anatomy pass of a head from the packaged atlas: brain taken away lies where brain is emptied."""
    rng = np.random.default_rng(2)
    head = mark_head(draw_label_map(load_atlas(), rng, 1.5))
    drawn = draw_defaced_example(rng, head, label="excessive", tools=("plane",), spacing_mm=1.5, kind="mprage")
    made = simulated_example(drawn, "atlas")
    scale = abs(np.linalg.det(drawn.scan_to_mni[:3, :3]))
    places = torch.from_numpy(made.places)[None]
    removed = CELL_ML * float(cells_of(places, torch.zeros(1))[0, 0].sum())
    assert removed == pytest.approx(scale * drawn.truth.brain_removed_ml, rel=0.2)
    taken = (made.places & (BRAIN + CHANGED)) == BRAIN + CHANGED
    kept = (made.places & (BRAIN + CHANGED)) == BRAIN
    assert made.window.brightness[taken].mean() < 0.3 * made.window.brightness[kept].mean(), "emptied"
    assert ((made.places & AROUND) > 0).mean() > 0.1


def test_a_bank_gives_back_what_was_written_and_batches_are_even(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "bank", "ab")
    assert len(bank) == 8
    assert bank.people == ("a",) * 4 + ("b",) * 4
    inputs, known = next(batches(bank, 3, size=2))
    assert inputs.shape == (2, len(CHANNELS), *WINDOW_SHAPE)
    assert known.places.shape == (2, *WINDOW_SHAPE)
    seen, places = bank.voxels(2)
    assert (seen.brightness[:, 40:60, 10:30] == 200).all()
    assert (places[:, 40:60, 10:30] == Region.NOSE + CHANGED).all()
    uneven = chances(bank.only([0, 1, 2, 3, 4]))
    np.testing.assert_allclose(uneven, [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8], err_msg="they share")
    with pytest.raises(ValueError, match="build it first"):
        load_bank(tmp_path / "nothing")


def test_a_batch_stays_what_it_is_while_others_are_made_ahead(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "bank", "ab")
    alone = [inputs.clone() for inputs, _ in islice(batches(bank, 3, size=1), AT_ONCE)]
    with made_ahead(batches(bank, 3, size=1)) as ready:
        for wanted, (inputs, _) in zip(alone, ready, strict=False):
            time.sleep(0.3)
            torch.testing.assert_close(inputs, wanted)


def test_nobody_is_on_both_sides_or_pasted_on_themselves(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "bank", "ab")
    with pytest.raises(ValueError, match="both"):
        train_defacing(bank, bank.only([0]), tmp_path / "out", PLAN, quiet=True)
    maps = [tmp_path / f"head_{n:02d}_labels.nii.gz" for n in range(3)]
    jobs = plan_chunks(maps, 12, 5)
    assert all(job.path not in job.donors and set(job.donors) <= set(maps) for job in jobs)
    assert {job.donors for job in jobs if job.path == maps[0]} == {(maps[1],), (maps[2],)}
    assert len({job.seed for job in jobs}) == 12
    assert person_of(maps[0]) == "head_00"


def test_sources_are_sorted_and_refused_by_name(tmp_path: Path) -> None:
    for name in ("head_01", "head_17"):
        (tmp_path / f"{name}_labels.nii.gz").touch()
    sources = find_sources(tmp_path, ["head_17"], exclude=("plane",))
    assert [person_of(p) for p in (*sources.training, *sources.validation)] == ["head_01", "head_17"]
    jobs = sources.jobs(100, 1000)
    assert {job.exclude for job in jobs["bank"]} == {("plane", "reface")}, (
        "another's face cannot be told from one's own"
    )
    assert {job.exclude for job in jobs["bank_fresh"]} == {()}, "what was held out is measured"
    seeds = [{job.seed for job in made} for made in jobs.values()]
    assert len(set.union(*seeds)) == sum(map(len, seeds)), "no scan is on two sides"
    for names, tools in ((["head_99"], ()), ([], ("scissors",)), (["head_01", "head_17"], ())):
        with pytest.raises(ValueError):  # noqa: PT011 (three faults, three messages)
            find_sources(tmp_path, names, exclude=tools)


def test_training_writes_its_curve_and_resumes(tmp_path: Path) -> None:
    bank, validation = toy_bank(tmp_path / "a", "ab"), toy_bank(tmp_path / "b", "c")
    assert train_defacing(bank, validation, tmp_path / "out", PLAN, quiet=True).name == "best.pt"
    train_defacing(bank, validation, tmp_path / "out", TrainingPlan(steps=3, validate_every=1, threads=1), quiet=True)
    curve = (tmp_path / "out" / "curve.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in curve] == ["step", "1", "2", "3"]
    assert curve[0].endswith("balanced_accuracy,mean_auc")


def test_what_ships_answers_as_what_was_trained_with_its_temperature(tmp_path: Path, weights: Path) -> None:
    bank, validation = toy_bank(tmp_path / "a", "ab"), toy_bank(tmp_path / "b", "c")
    (tmp_path / "out").mkdir()
    path = export_and_measure(weights, tmp_path / "out", bank, validation, None)
    assert path.name == MODEL_FILE
    assert path.stat().st_size < MAX_MODEL_BYTES / 4
    model = finish(weights, bank, validation)
    assert float(model.temperature) != 1.0
    # Readings of the toy bank hardly vary, so that rounding the weights tells; it is rounded here as in the file.
    for value in (*model.parameters(), model.position):
        if value.dim() > 1 and value.numel() >= 256:
            value.data = value.data.half().float()
    wanted = torch.softmax(torch.from_numpy(answers(model, bank))[:, : len(CLASSES)], dim=1).numpy()
    told = np.array([[answer.classes[name] for name in CLASSES] for answer in ask_all(path, bank, 1)])
    np.testing.assert_allclose(told, wanted, atol=0.02)


def test_readers_fitted_anew_tell_what_they_were_shown(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path / "a", "abc")
    torch.manual_seed(0)
    net = DefacingNet().eval()
    before = answers(net, bank)
    fit_readers(net, bank, passes=3)
    told = answers(net, bank)
    assert (told[:, : len(CLASSES)].argmax(axis=1) == bank.truth[:, 0]).mean() > 0.9
    np.testing.assert_array_equal(told[:, -1], before[:, -1], "the maps stay")
    assert not np.allclose(told[:, 0], before[:, 0])


def test_a_training_starts_from_a_checkpoint_or_from_what_ships(tmp_path: Path, weights: Path) -> None:
    stored = torch.load(weights, weights_only=True)["average"]
    torch.testing.assert_close(new_net(weights).state_dict()["stem.weight"], stored["stem.weight"])
    shipped = find("defacing").path
    bank = toy_bank(tmp_path / "a", "a")
    told = ask_all(shipped, bank, 1)[0].brain_removed_ml
    assert answers(new_net(shipped).eval(), bank)[0, N_OUTPUTS - 1] == pytest.approx(told, rel=0.02, abs=0.5)
    stored["maps.weight"] = stored["maps.weight"][:5]
    torch.save({"average": stored}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"maps\.weight is missing or of another size"):
        new_net(tmp_path / "other.pt")


def test_temperature_cools_what_is_too_sure() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((400, len(COLUMNS)), np.float32)
    truth[:, 0] = rng.integers(0, 4, 400)
    logits = np.zeros((400, N_OUTPUTS), np.float32)
    said = np.where(rng.random(400) < 0.7, truth[:, 0], (truth[:, 0] + 1) % 4).astype(int)
    logits[np.arange(400), said] = 12.0  # sure of all, right in seven of ten
    assert best_temperature(logits, truth) > 2.5
    logits[np.arange(400), said] = 0.5
    assert best_temperature(logits, truth) < 1.0


def test_coverage_ends_where_one_in_a_hundred_is_wrong() -> None:
    sure = np.linspace(1, 0, 1000)
    right = np.ones(1000, np.bool_)
    assert largest_coverage(sure, right) == 1000
    right[500:] = False
    assert largest_coverage(sure, right) == 505
    right[0] = False
    assert 400 <= largest_coverage(sure, right) <= 504
    assert largest_coverage(sure, ~np.ones(1000, np.bool_)) == 0


def test_figures_name_every_class_and_tool(tmp_path: Path, weights: Path) -> None:
    bank = toy_bank(tmp_path / "a", "ab")
    (tmp_path / "out").mkdir()
    path = export_and_measure(weights, tmp_path / "out", bank, None, None)
    made = figures(ask_all(path, bank, 1), bank)
    assert {f.question for f in made} >= {"class", *CLASSES}
    assert {f.scans for f in made} == {"all tools", "tool: plane"}
    bank.facts[0]["other_face"] = True
    apart = figures(ask_all(path, bank, 1), bank)
    assert {f.value.n for f in apart if f.scans.startswith("all but") and f.question == "class"} == {len(bank) - 1}
    assert [f.statistic for f in made if f.question == "class"] == [
        "balanced accuracy", "coverage at 1 % error", "balanced accuracy",
    ]  # fmt: skip
    either = [f for f in made if f.question == "correct or not"]
    assert [(f.statistic, f.value.n) for f in either] == [("coverage at 1 % error", len(bank))]
    assert whole(bank, 0, 3).shape == (3, len(CHANNELS), *WINDOW_SHAPE)
