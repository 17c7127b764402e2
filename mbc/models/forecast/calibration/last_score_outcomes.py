"""Who ended well: reliable improvement and deterioration of last scores, and chances of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mbc.models.forecast.calibration.chances import ChanceCorrection
from mbc.models.forecast.calibration.left_out_forecasts import quantile_at, share_below
from mbc.models.forecast.course_model.landmarks import Landmarks
from mbc.models.forecast.course_model.outcome_scale import OutcomeScale
from mbc.models.growth.matrices import Floats

Marks = NDArray[np.bool_]
_LEAST_CHANCE = 1e-9  # rounds to 0 %, and is distinct from there being no room


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as a reliable change."""

    higher_is_better: bool
    reliable_change: float  # score points; a change of at least this much is reliable

    def gain(self, intake: Floats, score: Floats) -> Floats:
        """Change since intake; positive is better."""
        return score - intake if self.higher_is_better else intake - score

    def improved(self, intake: Floats, score: Floats) -> Marks:
        """Who improved reliably."""
        return self.gain(intake, score) >= self.reliable_change - 1e-9

    def deteriorated(self, intake: Floats, score: Floats) -> Marks:
        """Who deteriorated reliably."""
        return self.gain(intake, score) <= -self.reliable_change + 1e-9


@dataclass(frozen=True, slots=True)
class Prognosis:
    """Calibrated forecasts of many clients at once."""

    expected: Floats  # (n,), score points, within the scale
    spread: Floats  # (n,)
    quantiles: Floats  # (n, len(SHARES)), of standardised errors
    clients: Floats  # (n,), effective number behind the quantiles
    scale: OutcomeScale
    improvement: ChanceCorrection = field(default_factory=ChanceCorrection)
    deterioration: ChanceCorrection = field(default_factory=ChanceCorrection)

    def quantile(self, share: float) -> Floats:
        """Score below which this share of outcomes lies."""
        error = quantile_at(self.quantiles, share)
        return np.clip(self.expected + self.spread * error, self.scale.low, self.scale.high)

    def at_least_as_good(self, score: Floats, *, strictly: bool = False) -> Floats:
        """Chance of a score at this value or on the healthy side of it; ``strictly``: on the healthy side only.

        Scores come in steps: the line is drawn half a step beyond the value, or before it.
        """
        better = 1.0 if self.scale.higher_is_better else -1.0
        line = score + (0.5 if strictly else -0.5) * better * self.scale.step
        below = share_below(self.quantiles, (line - self.expected) / self.spread)
        return 1.0 - below if self.scale.higher_is_better else below

    def chance_improved(self, intake: Floats, rule: Rule) -> Floats:
        """Chance of reliable improvement; 0 where the scale has no room for it."""
        target = intake + rule.reliable_change if rule.higher_is_better else intake - rule.reliable_change
        return self.improvement.of(self._in_scale(target, self.at_least_as_good(target)))

    def chance_deteriorated(self, intake: Floats, rule: Rule) -> Floats:
        """Chance of reliable deterioration; 0 where the scale has no room for it."""
        target = intake - rule.reliable_change if rule.higher_is_better else intake + rule.reliable_change
        return self.deterioration.of(self._in_scale(target, 1.0 - self.at_least_as_good(target, strictly=True)))

    def _in_scale(self, target: Floats, chance: Floats) -> Floats:
        """Put 0 where the target is beyond the scale; elsewhere no chance is quite 0, however far the target."""
        room = (target >= self.scale.low - 1e-9) & (target <= self.scale.high + 1e-9)
        return np.where(room, np.maximum(chance, _LEAST_CHANCE), 0.0)


def actual(rows: Landmarks, rule: Rule) -> tuple[Marks, Marks]:
    """Who of these ended reliably improved, and who deteriorated."""
    return rule.improved(rows.intake, rows.final), rule.deteriorated(rows.intake, rows.final)
