"""On which scale do scores scatter evenly: as they are, or by their distance from the healthy end.

Near the healthy end of a questionnaire there is little room, and scores scatter less there than far from it. The
square root or the logarithm of the distance evens this out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mbc.models.growth.matrices import Floats

Transform = Literal["none", "square root", "logarithm"]
TRANSFORMS: tuple[Transform, ...] = get_args(Transform)

_OFFSET = {"none": 0.0, "square root": 0.01, "logarithm": 0.05}  # in parts of the scale's range
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_SHARES = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True)
class OutcomeScale:
    """How scores become internal values and back; larger internal values are worse."""

    low: float  # lowest possible score
    high: float  # highest possible score
    higher_is_better: bool
    transform: Transform
    step: float  # least difference of two scores, score points; 0 where they are continuous

    @property
    def offset(self) -> float:
        """Added to the distance, so that the healthy end itself has a value; in score points."""
        return _OFFSET[self.transform] * (self.high - self.low)

    def distance(self, score: Floats) -> Floats:
        """Points between a score and the healthy end, at least 0."""
        return np.maximum(self.high - score if self.higher_is_better else score - self.low, 0.0)

    def internal(self, score: Floats) -> Floats:
        """Transform scores.

        Examples
        --------
        >>> OutcomeScale(0, 63, False, "square root", 1).internal(np.array([0.0, 15.37])).round(2).tolist()
        [0.79, 4.0]
        """
        distance = self.distance(score) + self.offset
        if self.transform == "none":
            return distance
        return np.sqrt(distance) if self.transform == "square root" else np.log(distance)

    def score(self, internal: Floats) -> Floats:
        """Turn internal values back into scores, within the scale."""
        if self.transform == "none":
            distance = internal
        elif self.transform == "square root":
            distance = np.maximum(internal, 0.0) ** 2
        else:
            distance = np.exp(np.minimum(internal, np.log(self.high - self.low + self.offset)))
        distance = np.clip(distance - self.offset, 0.0, self.high - self.low)
        return self.high - distance if self.higher_is_better else self.low + distance

    def log_slope(self, score: Floats) -> float:
        """Sum the log derivatives of `internal`: what makes likelihoods of two transforms comparable."""
        distance = self.distance(score) + self.offset
        if self.transform == "none":
            return 0.0
        if self.transform == "square root":
            return float(-np.log(2.0 * np.sqrt(distance)).sum())
        return float(-np.log(distance).sum())

    def moments(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the score whose internal value is normal, by 9-point Gauss-Hermite quadrature."""
        values = self.score(mean[..., None] + np.sqrt(variance)[..., None] * _NODES)
        average = values @ _SHARES
        return average, np.maximum((values - average[..., None]) ** 2 @ _SHARES, 1e-12)
