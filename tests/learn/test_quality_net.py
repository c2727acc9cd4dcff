"""The network: shapes, pooling, freezing, and that noise stays visible to it."""

import torch

from brainsift.learn.quality.net import (
    EXTRACTOR,
    MOST_APART,
    NEAR_SHARE,
    NEAR_SHARE_OF_PROPER,
    QualityNet,
    joined,
    pooled,
)
from brainsift.learn.quality.truth import quality_loss
from brainsift.tasks.quality.network import N_OUTPUTS


def make_net() -> QualityNet:
    torch.manual_seed(0)
    return QualityNet().eval()


def test_an_answer_for_the_scan_and_one_for_each_slice() -> None:
    net = make_net()
    for per_axis in (1, 4, 8):
        answer = net(torch.rand(2, 3 * per_axis, 64, 96))
        assert answer.shape == (2, 1 + 3 * per_axis, N_OUTPUTS)


def test_the_scan_s_answer_lies_between_those_of_its_slices() -> None:
    net = make_net()
    torch.nn.init.normal_(net.weight.weight)
    answer = net(torch.rand(1, 12, 64, 64))
    assert (answer[:, 0] <= answer[:, 1:].amax(dim=1) + 1e-5).all()
    assert (answer[:, 0] >= answer[:, 1:].amin(dim=1) - 1e-5).all()


def test_two_views_know_nothing_of_each_other_and_neither_decides_alone() -> None:
    net = make_net()
    image, other = torch.rand(1, 12, 64, 64), torch.rand(1, 12, 64, 64)
    mixed = image.clone()
    mixed[:, 0::2] = other[:, 0::2]
    one, two = net(image), net(mixed)
    assert torch.allclose(one[:, 2::2], two[:, 2::2], atol=1e-5)
    assert not torch.allclose(one[:, 1::2], two[:, 1::2], atol=1e-3)
    sure, unsure = torch.full((1, 7, N_OUTPUTS), 40.0), torch.full((1, 7, N_OUTPUTS), -1.0)
    both = joined([sure, unsure])
    assert both.shape == (1, 13, N_OUTPUTS)
    assert torch.allclose(both[0, 0, 0], torch.tensor((1 - NEAR_SHARE_OF_PROPER) * MOST_APART - 1), atol=1e-5)
    assert torch.allclose(both[0, 0, 1:], torch.full((N_OUTPUTS - 1,), (1 - NEAR_SHARE) * MOST_APART - 1))
    assert joined([sure, sure])[0, 0, 0] == 40
    assert torch.equal(both[0, 1:, 0], torch.tensor([40.0, -1.0]).repeat(6))


def test_in_training_all_slices_are_read_as_one() -> None:
    net = make_net()
    image, other = torch.rand(1, 6, 64, 64), torch.rand(1, 6, 64, 64)
    mixed = image.clone()
    mixed[:, 1::2] = other[:, 1::2]
    assert [seen.shape[1] for seen in net.views(image)] == [3, 3]
    assert torch.allclose(net.views(image)[0], net.views(mixed)[0], atol=1e-5)
    assert [seen.shape[1] for seen in net.views(image[:, :3])] == [3]
    net.train()
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d | torch.nn.Dropout):
            part.eval()
    (seen,) = net.views(image)
    assert torch.allclose(net(image), pooled(seen, net.answer, net.weight), atol=1e-5)


def test_the_order_of_scans_in_a_batch_does_not_matter() -> None:
    net, x = make_net(), torch.rand(2, 6, 64, 64)
    assert torch.allclose(net(x)[0], net(x.flip(0))[1], atol=1e-5)


def test_stronger_noise_gives_larger_features() -> None:
    net, noise = make_net(), torch.randn(1, 3, 64, 64)
    spread = slice(32, 64)  # standard deviations of the first level
    with torch.no_grad():
        weak, strong = (float(net.features(sigma * noise)[..., spread].mean()) for sigma in (0.01, 0.04))
    assert strong > 3 * weak


def test_a_frozen_extractor_does_not_move() -> None:
    net = QualityNet()
    net.freeze_extractor()
    net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    truth = torch.tensor([[1.0, 0.0, 2.0, 0.0, 0.0, 0.0]])
    quality_loss(net(torch.rand(1, 12, 64, 64)), truth).backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved
    assert not any(name.startswith(EXTRACTOR) for name in moved)


def test_in_some_steps_both_views_answer_apart_and_odd_slices_never_do() -> None:
    image = torch.rand(1, 6, 64, 64)
    always, never = QualityNet(apart=1.0), QualityNet(apart=0.0)
    assert [seen.shape[1] for seen in always.views(image)] == [3, 3]
    assert [seen.shape[1] for seen in never.views(image)] == [6]
    assert [seen.shape[1] for seen in always.views(torch.rand(1, 9, 64, 64))] == [9]
    torch.manual_seed(0)
    sometimes = QualityNet(apart=0.5)
    assert {len(sometimes.views(image)) for _ in range(30)} == {1, 2}
