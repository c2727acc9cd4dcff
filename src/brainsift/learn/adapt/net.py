"""The network of two domains: the quality network's extractor, a head for each domain, a classifier of the domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from brainsift.learn.adapt.lessons import Pace
from brainsift.learn.adapt.reversal import reversal_strength, reverse_gradient
from brainsift.learn.quality.net import QualityNet, joined, pooled
from brainsift.tasks.quality.network import N_OUTPUTS

WIDTHS = (32, 64, 128)
"""Of the quality network that ships."""

DOMAIN_HIDDEN = 64

SOURCE, TARGET, DOMAIN = slice(0, N_OUTPUTS), slice(N_OUTPUTS, 2 * N_OUTPUTS), 2 * N_OUTPUTS
"""Columns of the answer: the source head's, the target head's, and the logit of being of the target domain."""

HEAD = ("answer", "weight")
"""Parts of the quality network that are its head."""


class AdaptNet(nn.Module):
    """Answers of both heads, and whether a scan looks like one of the target domain.

    Parameters
    ----------
    two_heads : with one head, the target's columns repeat the source's.
    widths : of the extractor, as in `QualityNet`.
    pace : where the strength of the reversal is read from; full strength without one.
    """

    def __init__(self, two_heads: bool = True, widths: tuple[int, ...] = WIDTHS, pace: Pace | None = None) -> None:
        super().__init__()
        self.shared = QualityNet(widths)
        hidden = self.shared.answer.in_features
        self.target = nn.ModuleDict({name: nn.Linear(hidden, N_OUTPUTS) for name in HEAD}) if two_heads else None
        self.domain = nn.Sequential(nn.Linear(hidden, DOMAIN_HIDDEN), nn.ReLU(), nn.Linear(DOMAIN_HIDDEN, 1))
        self.pace = pace or Pace(progress=1.0)
        self.copy_head()

    def copy_head(self) -> None:
        """Begin with the source's head for the target: a few labels then have less to change."""
        if self.target is None:
            return
        for name in HEAD:
            self.target[name].load_state_dict(getattr(self.shared, name).state_dict())

    def hidden(self, image: Tensor) -> Tensor:
        """(N, S, H, W) → (N, hidden): the mean over the slices of what heads and domain classifier see."""
        return torch.cat(self.shared.views(image), dim=1).mean(dim=1)

    def forward(self, image: Tensor) -> Tensor:
        """(N, S, H, W) → (N, 1 + S, 2 outputs + 1): see `SOURCE`, `TARGET`, `DOMAIN`; the scan, then each slice. The
        domain is asked of the scan and repeated."""
        views = self.shared.views(image)
        source = _answered(views, self.shared.answer, self.shared.weight)
        target = source if self.target is None else _answered(views, self.target["answer"], self.target["weight"])
        strength = reversal_strength(self.pace.progress)
        domain = self.domain(reverse_gradient(torch.cat(views, dim=1).mean(dim=1), strength))
        return torch.cat([source, target, domain[:, None].expand(-1, source.shape[1], -1).to(source.dtype)], dim=2)


def _answered(views: Sequence[Tensor], answer: nn.Module, weight: nn.Module) -> Tensor:
    return joined([pooled(seen, answer, weight) for seen in views])


def quality_weights(weights: Mapping[str, Tensor], head: str = "target") -> dict[str, Tensor]:
    """Weights of an `AdaptNet` as those of a `QualityNet` with one of the heads: what is exported and shipped.

    Parameters
    ----------
    head : ``target`` or ``source``; with one head both are the same.
    """
    of_shared = {name.removeprefix("shared."): w for name, w in weights.items() if name.startswith("shared.")}
    of_target = {name.removeprefix("target."): w for name, w in weights.items() if name.startswith("target.")}
    return of_shared | of_target if head == "target" else of_shared
