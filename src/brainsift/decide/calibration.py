"""Making probabilities mean what they say, before any threshold is set on them."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from brainsift.decide.isotonic import isotonic_fit
from brainsift.decide.temperature import apply_binary, fit_binary

Values = NDArray[np.float64]

Method = Literal["auto", "temperature", "isotonic", "none"]

MIN_ISOTONIC = 1000
"""People from which isotonic regression is the better choice: with fewer it follows chance (Niculescu-Mizil 2005)."""


class Unchanged(BaseModel):
    """Probabilities as the network gives them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["none"] = "none"

    def apply(self, probabilities: ArrayLike) -> Values:
        """Calibrated probabilities (n,)."""
        return np.asarray(probabilities, float)


class Temperature(BaseModel):
    """Log odds divided by one number: above 1 the network was too sure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["temperature"] = "temperature"
    temperature: float = Field(gt=0)

    def apply(self, probabilities: ArrayLike) -> Values:
        """Calibrated probabilities (n,)."""
        return apply_binary(probabilities, self.temperature)


class Isotonic(BaseModel):
    """A rising curve through points, read off linearly between them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["isotonic"] = "isotonic"
    x: tuple[float, ...] = Field(min_length=1)
    y: tuple[float, ...] = Field(min_length=1)

    def apply(self, probabilities: ArrayLike) -> Values:
        """Calibrated probabilities (n,)."""
        curve: Values = np.interp(np.asarray(probabilities, float), self.x, self.y)
        return curve


Calibrator = Annotated[Unchanged | Temperature | Isotonic, Field(discriminator="method")]


def fit_temperature(probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None) -> Temperature:
    """Temperature scaling of the probabilities (n,) of yes."""
    return Temperature(temperature=round(fit_binary(probabilities, truth, weights), 4))


def fit_isotonic(probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None) -> Isotonic:
    """Isotonic regression, kept off 0 and 1 by the rule of succession: n of n right is not certainty."""
    x, y = isotonic_fit(probabilities, np.asarray(truth, float), weights)
    people = len(np.asarray(truth)) if weights is None else float(np.sum(np.asarray(weights, float)))
    margin = 1 / (people + 2)
    return Isotonic(x=tuple(x.tolist()), y=tuple(np.clip(y, margin, 1 - margin).tolist()))


def fit(
    method: Method, probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike
) -> Unchanged | Temperature | Isotonic:
    """Fit by a named method; ``auto`` is isotonic from `MIN_ISOTONIC` people on, else the temperature.

    `weights` are such that each person counts 1.
    """
    if method == "none":
        return Unchanged()
    many = float(np.sum(np.asarray(weights, float))) >= MIN_ISOTONIC
    chosen = fit_isotonic if method == "isotonic" or (method == "auto" and many) else fit_temperature
    return chosen(probabilities, truth, weights)
