"""Thresholds for where no labels of a site are at hand."""

from __future__ import annotations

from types import MappingProxyType

from brainsift.decide.stored import Way

PROVISIONAL: MappingProxyType[Way, float] = MappingProxyType({"accept": 0.95, "reject": 0.98})
"""Least probability that a decision is right. Set in advance, not calibrated, and promising nothing; strict, because a
model that saw simulations only is surer than it should be. Rejecting asks for more, because a scan that was wrongly
rejected is seen by nobody again."""
