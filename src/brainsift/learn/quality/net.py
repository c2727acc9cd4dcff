"""The quality network: one small 2D network reads every slice, a weighted mean of what the slices say is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.convolutions import ConvNorm, Residual
from brainsift.learn.quality.distributions import N_DISTRIBUTIONS, distributions
from brainsift.tasks.quality.network import N_OUTPUTS, OUTPUTS

FOLD = 4
"""Blocks of 4 x 4 pixels become channels, so that no convolution runs at 1 mm, yet the first one sees every pixel of
12 x 12. Half the time of a first stage at 2 mm."""

NEAR_SHARE = 0.5
"""Share of the slices of the brain alone in the scan's answer: what the network makes of the air, which many scanners
and archives mask, has no more weight than what it makes of the brain."""

NEAR_SHARE_OF_PROPER = 0.8
"""The same for `proper`, which the brain shows best. On validation scans, all of them simulated or stripped, 0.6 was a
little better while scalp and neck were shown (decision 0018)."""

MOST_APART = 5.0
"""Log-odds by which slices with air may differ from the brain alone in the scan's answer: air of another kind than
simulated may make them sure of what is not so."""

EXTRACTOR = ("stem", "stages")
"""Names of the parts that read a slice, which fine-tuning may leave as they are."""


class QualityNet(nn.Module):
    """Answers about a scan and about each of its slices.

    Every slice gives an answer and a weight for each output; the scan's answer is the weighted mean of the slices'
    (additive attention pooling; Javed 2022, NeurIPS), so that the slices behind an answer can be shown.

    Parameters
    ----------
    widths : channels at 4, 8 and 16 mm.
    hidden : width of the layer that sees a slice's features, its orientation and the mean of all slices.
    apart : share of training steps in which both views answer apart, as in use; in the others they are read as one.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128), hidden: int = 128, apart: float = 0.0) -> None:
        super().__init__()
        self.apart = apart
        self.stem = ConvNorm(FOLD**2, widths[0])
        self.stages = nn.ModuleList(Residual(a, b) for a, b in pairwise(widths))
        features = 2 * sum(widths) + N_DISTRIBUTIONS
        self.scale = nn.BatchNorm1d(features)
        self.orientation = nn.Parameter(0.1 * torch.randn(3, hidden))
        self.of_slice = nn.Linear(features, hidden)
        self.of_scan = nn.Linear(features, hidden)
        self.drop = nn.Dropout(0.2)
        self.answer = nn.Linear(hidden, N_OUTPUTS)
        self.weight = nn.Linear(hidden, N_OUTPUTS)
        nn.init.zeros_(self.weight.weight)
        nn.init.zeros_(self.weight.bias)
        self.frozen = False

    def freeze_extractor(self) -> None:
        """Leave the convolutions and the statistics of their batch norms as they are."""
        self.frozen = True
        for name in EXTRACTOR:
            getattr(self, name).requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> QualityNet:
        """Switch dropout and batch norm to training; not those of a frozen extractor."""
        super().train(mode)
        if self.frozen:
            for name in EXTRACTOR:
                getattr(self, name).eval()
        return self

    def features(self, image: Tensor) -> Tensor:
        """(N, S, H, W) → (N, S, F): mean and standard deviation over each slice of what every level found, and
        `distributions`.

        Ringing is texture, and the first level's statistics tell it; the last level's tell what is shown.
        """
        n, s, h, w = image.shape
        slices = image.reshape(n * s, 1, h, w)
        x = self.stem(F.pixel_unshuffle(slices, FOLD))
        found = [_statistics(x)]
        for stage in self.stages:
            x = stage(x)
            found.append(_statistics(x))
        found.append(distributions(slices))
        return torch.cat(found, dim=1).reshape(n, s, -1)

    def embed(self, features: Tensor) -> Tensor:
        """(N, S, F) from `features` → (N, S, hidden): what the answers are read from."""
        # From scan to scan, these differ by a small part of what they are: without a scale of their own, nothing is
        # learnt from them for hundreds of steps.
        scaled = self.scale(features.float().flatten(0, 1)).reshape(features.shape)
        k = features.shape[1] // 3
        x = self.of_slice(scaled) + self.of_scan(scaled.mean(dim=1, keepdim=True))
        hidden: Tensor = self.drop(F.relu(x + self.orientation.repeat_interleave(k, dim=0)))
        return hidden

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3 K, 224, 192), K slices per orientation → logits (N, 1 + 3 K, outputs): the scan, then each slice.

        The scan's answer is a mean of those of its views.
        """
        return joined([pooled(seen, self.answer, self.weight) for seen in self.views(image)])

    def views(self, image: Tensor) -> list[Tensor]:
        """(N, 3 K, 224, 192) → what each view's answers are read from, (N, its slices, hidden).

        In use, slices with air and those of the brain alone, every second one, are two views of the scan, neither of
        which knows of the other. In training, but for the share `apart`, and where K is odd, there is one view of all.
        """
        features = self.features(image)
        one = features.shape[1] // 3 % 2 or (self.training and float(torch.rand(())) >= self.apart)
        parts = [features] if one else [features[:, 0::2], features[:, 1::2]]
        return [self.embed(part) for part in parts]


def pooled(hidden: Tensor, answer: nn.Module, weight: nn.Module) -> Tensor:
    """(N, S, hidden) → (N, 1 + S, outputs): the weighted mean of the slices' answers, then each slice's own."""
    answers = answer(hidden)
    weights = torch.softmax(weight(hidden), dim=1)
    return torch.cat([(weights * answers).sum(dim=1, keepdim=True), answers], dim=1)


def joined(views: Sequence[Tensor]) -> Tensor:
    """Two of (N, 1 + S, outputs), of slices with air and of those between them → (N, 1 + 2 S, outputs); one stays."""
    if len(views) == 1:
        return views[0]
    airy, near = views
    share = torch.full_like(airy[:1, :1], NEAR_SHARE)
    share[..., OUTPUTS.index("proper")] = NEAR_SHARE_OF_PROPER
    alone = near[:, :1]
    scan = alone + (1 - share) * (airy[:, :1] - alone).clamp(-MOST_APART, MOST_APART)
    slices = torch.stack([airy[:, 1:], near[:, 1:]], dim=2).flatten(1, 2)
    return torch.cat([scan, slices], dim=1)


def _statistics(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, 2 C), mean and standard deviation."""
    x = x.float().flatten(2)
    mean = x.mean(dim=2)
    variance = (x * x).mean(dim=2) - mean * mean
    return torch.cat([mean, variance.clamp(min=1e-6).sqrt()], dim=1)
