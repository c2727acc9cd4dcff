"""Reversal, heads, loss and batches, each by itself."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from brainsift.learn.adapt.batches import adapt_batches
from brainsift.learn.adapt.confidence import CAUTIOUS, measured_temperature
from brainsift.learn.adapt.domains import Domains, class_odds
from brainsift.learn.adapt.lessons import Lessons, Pace
from brainsift.learn.adapt.net import DOMAIN, SOURCE, TARGET, AdaptNet, quality_weights
from brainsift.learn.adapt.objective import (
    GROUP,
    OF_SOURCE,
    OF_TARGET,
    SECOND_VIEW,
    UNLABELLED,
    Objective,
    consistency_loss,
    domain_loss,
    pseudo_loss,
)
from brainsift.learn.adapt.reversal import reversal_strength, reverse_gradient
from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.truth import N_BINARY, truth_row
from brainsift.tasks.quality.network import N_OUTPUTS, OUTPUTS

from .toys import SHAPE, domain


def test_the_gradient_is_reversed_and_scaled_and_nothing_else() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = reverse_gradient(x, 0.25)
    assert torch.equal(y, x)
    (y * torch.tensor([4.0, 8.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [-1.0, -2.0]


def test_the_reversal_rises_with_the_true_progress_of_the_training() -> None:
    assert reversal_strength(0.0) == 0.0
    assert reversal_strength(0.1) == pytest.approx(0.462, abs=1e-3)
    assert reversal_strength(1.0) == pytest.approx(1.0, abs=1e-4)
    assert reversal_strength(7.0) == reversal_strength(1.0)


def test_the_domain_s_gradient_reaches_the_extractor_reversed_and_its_own_classifier_as_it_is() -> None:
    torch.manual_seed(0)
    image = torch.rand(4, 3, 32, 32)
    of_target = torch.tensor([True, False, True, False])

    def gradients(progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(1)
        net = AdaptNet(True, SHAPE.widths, Pace(progress)).eval()
        domain_loss(net(image)[:, 0, DOMAIN], of_target).backward()
        grad = net.shared.of_slice.weight.grad
        assert grad is not None
        assert net.domain[0].weight.grad is not None
        return grad, net.domain[0].weight.grad

    start, own_start = gradients(0.0)
    full, own_full = gradients(1.0)
    half, _ = gradients(0.1)
    assert torch.equal(start, torch.zeros_like(start))
    assert torch.allclose(own_start, own_full)
    assert full.abs().max() > 0
    assert torch.allclose(half, full * reversal_strength(0.1) / reversal_strength(1.0), rtol=1e-3, atol=1e-7)


def test_two_heads_begin_alike_and_one_head_answers_for_both() -> None:
    image = torch.rand(2, 3, 32, 32)
    net = AdaptNet(True, SHAPE.widths).eval()
    said = net(image)
    assert said.shape == (2, 4, 2 * N_OUTPUTS + 1)
    assert torch.equal(said[..., SOURCE], said[..., TARGET])
    with torch.no_grad():
        assert net.target is not None
        net.target["answer"].bias += 1.0
    assert not torch.equal(net(image)[..., SOURCE], net(image)[..., TARGET])
    one = AdaptNet(False, SHAPE.widths).eval()
    assert torch.equal(one(image)[..., SOURCE], one(image)[..., TARGET])


def test_the_target_head_exported_is_a_quality_network_that_answers_as_the_target_columns() -> None:
    image = torch.rand(2, 3, 32, 32)
    net = AdaptNet(True, SHAPE.widths).eval()
    with torch.no_grad():
        assert net.target is not None
        net.target["answer"].bias += torch.arange(N_OUTPUTS)
    for head, columns in (("target", TARGET), ("source", SOURCE)):
        plain = QualityNet(SHAPE.widths).eval()
        plain.load_state_dict(quality_weights(net.state_dict(), head))
        assert torch.allclose(plain(image), net(image)[..., columns], atol=1e-5)


def test_each_domain_weighs_one_half_however_many_scans_it_has() -> None:
    logits = torch.tensor([3.0, -1.0, -1.0, -1.0, -1.0])
    few = domain_loss(logits[:2], torch.tensor([True, False]))
    many = domain_loss(logits, torch.tensor([True, False, False, False, False]))
    assert many == pytest.approx(float(few))
    assert domain_loss(logits, torch.ones(5, dtype=torch.bool)) == 0.0


def outputs_and_truth() -> tuple[torch.Tensor, torch.Tensor]:
    """One labelled scan of each domain, one without labels in two views; the heads say different things."""
    rows = np.stack([truth_row({"proper": True, "motion": 2.0}), truth_row({"proper": False})] + [truth_row({})] * 2)
    group = torch.tensor([OF_SOURCE, OF_TARGET, UNLABELLED, SECOND_VIEW])
    outputs = torch.zeros(4, 3, 2 * N_OUTPUTS + 1)
    outputs[..., SOURCE], outputs[..., TARGET] = 2.0, -3.0
    return outputs.requires_grad_(), torch.cat([torch.from_numpy(rows), group[:, None]], dim=1)


def test_labels_reach_the_head_of_their_domain_alone() -> None:
    outputs, truth = outputs_and_truth()
    Objective(Lessons(domain=0.0), None, None, Pace(1.0))(outputs, truth).backward()
    assert outputs.grad is not None
    reached = outputs.grad.abs().sum(dim=1) > 0
    proper = OUTPUTS.index("proper")
    assert reached[0, SOURCE][proper]
    assert not reached[0, TARGET].any()
    assert reached[1, TARGET][proper]
    assert not reached[1, SOURCE].any()
    assert not reached[2:].any()


@pytest.mark.parametrize("semi", ["none", "consistency", "pseudo", "both"])
def test_scans_without_labels_count_as_the_lessons_say_and_not_at_the_start(semi: str) -> None:
    outputs, truth = outputs_and_truth()
    with torch.no_grad():
        outputs[2, :, TARGET] = 6.0

    def reached(progress: float) -> float:
        lessons = Lessons(domain=0.0, semi=semi)  # type: ignore[arg-type]
        (grad,) = torch.autograd.grad(Objective(lessons, None, None, Pace(progress, 1.0))(outputs, truth), outputs)
        return float(grad[3, 0, TARGET].abs().sum())

    assert (reached(1.0) > 0) == (semi != "none")
    assert reached(0.0) < 0.02 * reached(1.0) or semi == "none"


def test_only_answers_that_are_sure_after_calibration_become_labels() -> None:
    second = torch.zeros(1, N_OUTPUTS)
    first = torch.full((1, N_OUTPUTS), 4.0)  # 98 % sure
    assert pseudo_loss(first, second, 1.0, 0.95) > 0
    assert pseudo_loss(first, second, 2.0, 0.95) == 0.0  # 88 % once it is known to be twice too sure
    doubtful = first.clone()
    doubtful[0, 0] = 1.0  # perhaps not proper: its grades mean nothing
    assert pseudo_loss(doubtful, second, 1.0, 0.95) == pytest.approx(float(torch.log(torch.tensor(2.0))))
    assert consistency_loss(first, first) == 0.0


def test_the_temperature_is_measured_where_answers_suffice() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 400)
    said = np.zeros((400, N_OUTPUTS), np.float32)
    said[:, 0] = 3.0 * odds  # three times too sure
    truth = np.stack([truth_row({"proper": bool(v)}) for v in rng.random(400) < 1 / (1 + np.exp(-odds))])
    assert measured_temperature(said, truth) == pytest.approx(3.0, rel=0.3)
    assert measured_temperature(said[:20], truth[:20]) == CAUTIOUS


def test_every_part_goes_round_by_itself_and_the_odds_are_of_its_own_domain(tmp_path: Path) -> None:
    source = domain(tmp_path / "s", "abcdef", "T1w", bad=0.2)
    target = domain(tmp_path / "t", "g", "FLAIR", bad=1.0)
    unlabelled = domain(tmp_path / "u", "hijk", "FLAIR")
    drawn = islice(adapt_batches(Domains(source, target, unlabelled), 0, per_part=4, per_axis=1, two_views=True), 8)
    groups: list[float] = []
    for images, truth in drawn:
        assert images.shape == (16, 3, 32, 32)
        groups += truth[:, GROUP].tolist()
        assert torch.isnan(truth[truth[:, GROUP] >= UNLABELLED, :GROUP]).all()
        assert torch.isfinite(truth[truth[:, GROUP] <= OF_TARGET, 0]).all()
    assert [groups.count(g) for g in (OF_SOURCE, OF_TARGET, UNLABELLED, SECOND_VIEW)] == [32, 32, 32, 32]
    assert not torch.equal(class_odds(source)[:N_BINARY], class_odds(target)[:N_BINARY])  # type: ignore[index]
    with pytest.raises(ValueError, match="neither a labelled scan"):
        next(adapt_batches(Domains(), 0))


def test_every_scan_without_labels_is_seen_once_a_round(tmp_path: Path) -> None:
    bank = domain(tmp_path, "abc", "FLAIR")
    seen: list[int] = []
    real = bank.pixels
    object.__setattr__(bank, "pixels", lambda i: seen.append(i) or real(i))
    list(islice(adapt_batches(Domains(unlabelled=bank), 0, per_part=4, per_axis=1), 6))
    assert sorted(seen[:12]) == list(range(12))
    assert sorted(seen[12:24]) == list(range(12))


def test_people_kept_aside_are_in_no_domain(tmp_path: Path) -> None:
    source, aside = domain(tmp_path / "s", "ab", "FLAIR"), domain(tmp_path / "t", "b", "FLAIR")
    kept = Domains(source, None, source).without_people_of(aside)
    assert kept.source is not None
    assert set(kept.source.people) == {"FLAIRa"}
    assert Domains(aside).without_people_of(aside).source is None
