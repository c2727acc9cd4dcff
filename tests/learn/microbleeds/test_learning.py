"""Networks, losses and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.evaluate.detection.match import Match  # noqa: E402
from brainsift.learn.microbleeds.losses import (  # noqa: E402
    BleedTarget,
    CubeTarget,
    Distillation,
    detector_loss,
    student_loss,
    teacher_loss,
)
from brainsift.learn.microbleeds.net import (  # noqa: E402
    DetectorNet,
    StudentNet,
    TeacherNet,
    fold_in_plane,
    unfold_in_plane,
)
from brainsift.learn.microbleeds.settings import (  # noqa: E402
    CANDIDATE_RATE,
    FALSE_RATE,
    FALSE_RATES,
    MODALITY_SCANS,
    POSSIBLE_RATE,
    Settings,
    choose_bleed_threshold,
    choose_candidate_threshold,
    choose_share,
    chosen,
)

INF = float("inf")


def test_folding_in_plane_keeps_slices_and_comes_back() -> None:
    x = torch.arange(2 * 3 * 4 * 6 * 5, dtype=torch.float32).reshape(2, 3, 4, 6, 5)
    folded = fold_in_plane(x)
    assert folded.shape == (2, 12, 2, 3, 5)
    assert torch.equal(folded[0, :4, 0, 0, 3].sort().values, x[0, 0, :2, :2, 3].flatten().sort().values)
    assert torch.equal(unfold_in_plane(folded), x)


def test_networks_answer_in_the_shapes_of_their_contracts() -> None:
    with torch.no_grad():
        assert DetectorNet((4, 8, 8), 4).eval()(torch.rand(1, 2, 32, 16, 8)).shape == (1, 1, 32, 16, 8)
        assert TeacherNet((4, 8)).eval()(torch.rand(2, 3, 24, 24, 24)).shape == (2, 1 + 24**3)
        assert StudentNet((4, 8, 8, 8)).eval()(torch.rand(2, 3, 24, 24, 24)).shape == (2, 1)


@pytest.mark.parametrize(("net", "shape"), [(DetectorNet, (1, 2, 16, 16, 8)), (StudentNet, (2, 3, 24, 24, 24))])
def test_a_network_without_radial_symmetry_does_not_look_at_it(net: type, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    seen = torch.rand(shape)
    other = seen.clone()
    other[:, 1] = torch.rand_like(other[:, 1])
    for frst in (True, False):
        model = net((4, 8), frst=frst).eval()
        with torch.no_grad():
            assert torch.equal(model(seen), model(other)) == (not frst)


def target(size: int) -> BleedTarget:
    """One bleed of `size` voxels along a line in a block."""
    bleed = torch.zeros(1, 1, 32, 16, 8)
    bleed[0, 0, 4 : 4 + size, 8, 4] = 1
    return BleedTarget(bleed, torch.where(bleed > 0, 1 / size, 1.0))


def logits_of(bleed: torch.Tensor, inside: float, outside: float = -8.0) -> torch.Tensor:
    return torch.where(bleed > 0, inside, outside)


def test_a_missed_bleed_costs_the_same_whatever_its_size_and_more_than_a_false_one() -> None:
    costs = []
    for size in (2, 16):
        held = target(size)
        right = float(detector_loss(logits_of(held.bleed, 8.0), held))
        missed = float(detector_loss(logits_of(held.bleed, -8.0), held))
        assert right < 0.1
        costs.append(missed - right)
    assert costs[0] == pytest.approx(costs[1], rel=0.05)
    held = target(8)
    false = logits_of(held.bleed, 8.0)
    false[0, 0, 20:28, 2, 2] = 8.0
    assert float(detector_loss(false, held)) < float(detector_loss(logits_of(held.bleed, -8.0), held))


def test_nothing_is_asked_where_the_weight_is_0() -> None:
    held = target(8)
    held.weight[0, 0, 20:28] = 0
    wrong = logits_of(held.bleed, 8.0)
    wrong[0, 0, 20:28] = 8.0
    assert float(detector_loss(wrong, held)) == pytest.approx(float(detector_loss(logits_of(held.bleed, 8.0), held)))


def test_a_crop_without_a_bleed_has_a_finite_loss_that_falls_with_what_is_false() -> None:
    nothing = BleedTarget(torch.zeros(1, 1, 8, 8, 8), torch.ones(1, 1, 8, 8, 8))
    costs = [float(detector_loss(torch.full((1, 1, 8, 8, 8), value), nothing)) for value in (4.0, 0.0, -4.0)]
    assert costs == sorted(costs, reverse=True)
    assert np.isfinite(costs).all()


def cube_target(soft: list[float] | None = None) -> CubeTarget:
    label = torch.tensor([[1.0], [0.0]])
    return CubeTarget(label, torch.zeros(2, 8), None if soft is None else torch.tensor(soft)[:, None])


def test_distillation_pulls_towards_the_teacher_by_its_share() -> None:
    held = cube_target([2.0, -1.0])
    alone = student_loss(torch.zeros(2, 1), held)
    assert float(alone) == pytest.approx(np.log(2))
    assert float(student_loss(torch.zeros(2, 1), held, Distillation(4.0, 0.0))) == pytest.approx(float(alone))
    assert float(student_loss(held.soft, held, Distillation(4.0, 1.0))) == pytest.approx(0, abs=1e-6)
    logits = torch.zeros(2, 1, requires_grad=True)
    student_loss(logits, cube_target([-3.0, 3.0]), Distillation(4.0, 1.0)).backward()
    assert logits.grad[0] > 0 > logits.grad[1]


def test_a_soft_gradient_keeps_its_size_with_the_temperature() -> None:
    """Hinton 2015: for small logits the gradient times T² does not depend on T."""
    sizes = []
    for temperature in (2.0, 8.0):
        logits = torch.zeros(1, 1, requires_grad=True)
        held = CubeTarget(torch.ones(1, 1), torch.zeros(1, 8), torch.full((1, 1), 0.4))
        student_loss(logits, held, Distillation(temperature, 1.0)).backward()
        sizes.append(float(logits.grad))
    assert sizes[0] == pytest.approx(sizes[1], rel=0.02)


@pytest.mark.parametrize(("temperature", "alpha"), [(0.0, 0.4), (4.0, 1.2)])
def test_distillation_needs_a_temperature_and_a_share(temperature: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="temperature must be above 0"):
        Distillation(temperature, alpha)


def test_the_teacher_is_held_to_class_and_voxels() -> None:
    voxels = torch.tensor([[1.0] * 4 + [0.0] * 4, [0.0] * 8])
    held = CubeTarget(torch.tensor([[1.0], [0.0]]), voxels)
    right = torch.cat([16 * held.label - 8, 16 * voxels - 8], dim=1)
    wrong_class, wrong_voxels = right.clone(), right.clone()
    wrong_class[:, 0] *= -1
    wrong_voxels[:, 1:] *= -1
    costs = [float(teacher_loss(answer, held)) for answer in (right, wrong_class, wrong_voxels)]
    assert costs[0] < 0.05
    assert min(costs[1:]) > 1


def scan(found: list[float], false: list[float]) -> Match:
    n = len(found)
    return Match(np.array(found, float), np.array(false, float), np.full(n, np.nan), np.full(n, -1))


def test_a_candidate_threshold_loses_none_of_the_bleeds_found() -> None:
    scans = [scan([0.9, 0.6], [0.7, 0.1]), scan([], [0.4] * 5)]
    assert choose_candidate_threshold(scans) == pytest.approx(0.3)
    assert choose_candidate_threshold([scan([0.99], [])]) <= 0.5
    assert choose_candidate_threshold([scan([], [0.4])]) == Settings().candidate


def test_a_candidate_threshold_leaves_few_enough_places() -> None:
    rng = np.random.default_rng(0)
    scans = [scan([0.9, 0.1], list(rng.uniform(0.05, 0.6, 100))) for _ in range(5)]
    threshold = choose_candidate_threshold(scans)
    assert np.mean([(one.false >= threshold).sum() for one in scans]) <= CANDIDATE_RATE


def test_a_bleed_threshold_leaves_few_false_ones_and_is_no_lower_than_bleeds_need() -> None:
    assert choose_bleed_threshold([scan([0.9], [0.1]), scan([0.7], [0.3])]) == pytest.approx(0.7)
    scans = [scan([0.9, 0.4], [0.5, 0.6]), scan([0.8, 0.45], [0.42])]
    threshold = choose_bleed_threshold(scans)
    assert threshold is not None
    assert np.mean([(one.false >= threshold).sum() for one in scans]) <= FALSE_RATE
    assert choose_bleed_threshold([scan([], [0.3])]) is None


def test_what_is_possible_is_less_sure_than_a_bleed() -> None:
    scans = [scan([0.9, 0.4, 0.2], [0.5, 0.6, 0.3, 0.25]), scan([0.8, 0.45], [0.42])]
    told = chosen(0.1, {0.5: scans}, ["gre", "swi"])
    assert (told.candidate, told.share) == (0.1, 0.5)
    assert 0 < told.possible < told.bleed < 1
    for threshold, rate in ((told.bleed, FALSE_RATE), (told.possible, POSSIBLE_RATE)):
        assert np.mean([(one.false >= threshold).sum() for one in scans]) <= rate
    assert not told.bleed_in
    assert chosen(0.1, {0.0: [scan([], [0.4])]}, ["gre"]) == Settings(0.1)


def test_modalities_with_enough_scans_have_thresholds_of_their_own() -> None:
    clear, hard, few = scan([0.9, 0.3], [0.1]), scan([0.9, 0.6], [0.8, 0.7, 0.2]), scan([0.5], [0.3])
    of = {"qsm": [clear] * MODALITY_SCANS, "swi": [hard] * MODALITY_SCANS, "gre": [few] * (MODALITY_SCANS - 1)}
    modalities = [modality for modality, scans in of.items() for _ in scans]
    told = chosen(0.1, {0.0: [one for scans in of.values() for one in scans]}, modalities)
    assert set(told.bleed_in) == {"qsm", "swi"}
    assert told.bleed_from("gre") == told.bleed
    assert told.bleed_from("qsm") < told.bleed < told.bleed_from("swi")
    for modality in told.bleed_in:
        false = np.mean([(one.false >= told.bleed_from(modality)).sum() for one in of[modality]])
        assert false <= FALSE_RATES[modality]
    _, written = told.metadata()
    assert float(written["threshold_swi"]) == pytest.approx(told.bleed_from("swi"), abs=1e-4)
    assert "threshold_gre" not in written
    assert not chosen(0.1, {0.0: [one for scans in of.values() for one in scans]}).bleed_in


def test_the_detector_s_share_is_that_which_finds_most_bleeds() -> None:
    good, bad = [scan([0.9, 0.8], [0.3, 0.2, 0.1])], [scan([0.9, 0.2], [0.8, 0.6, 0.3])]
    assert choose_share({0.0: bad, 1.0: good}) == 1.0
    assert choose_share({0.0: good, 1.0: bad, 2.0: good}) == 0.0
    assert choose_share({0.0: [scan([], [0.4])], 1.0: [scan([], [0.4])]}) == 0.0
    told = Settings(0.2, 0.6, 0.35, 0.4).metadata()
    of_discriminator = {"threshold": "0.6", "detector_share": "0.35", "possible_threshold": "0.4"}
    assert told == ({"threshold": "0.2"}, of_discriminator)
