"""Whether recorded scores can come from answers at all, and on which other metric they would be possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mbc.instruments import Coding, Instrument, Item, Scale

Recorded = tuple[float, int]
"""A recorded score, and the digits after its decimal point."""
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class ScoresSeen:
    """The recorded scores of one scale, taken together: what shows another metric."""

    impossible: Recorded | None = None
    """The first that no answers give."""
    fits: frozenset[str] = frozenset()
    """Other metrics on which all of them are possible."""

    def and_then(self, later: ScoresSeen) -> ScoresSeen:
        """Put two parts of a file together."""
        return ScoresSeen(self.impossible or later.impossible, self.fits & later.fits)


@dataclass(frozen=True, slots=True)
class Metric:
    """Another way in which the score of a scale is recorded."""

    name: str
    repair: str
    values: np.ndarray


def scores_seen(measure: Instrument, scale: Scale, recorded: Iterable[Recorded]) -> ScoresSeen:
    """Summarise recorded scores of one scale.

    Parameters
    ----------
    measure, scale : Instrument, Scale
        Of the scores.
    recorded : iterable of (float, int)
        Scores without answers, and the digits after their decimal point.
    """
    own = possible_scores(measure, scale)
    if own is None:
        return ScoresSeen()
    scores = list(recorded)
    impossible = next((score for score in scores if not _is_among(score, own)), None)
    metrics = other_metrics(measure, scale)
    fits = frozenset(
        name for name, metric in metrics.items() if all(_is_among(score, metric.values) for score in scores)
    )
    return ScoresSeen(impossible, fits)


def impossible_reason(measure: Instrument, scale: Scale, seen: ScoresSeen) -> str | None:
    """Say why the scores of a scale cannot be stored; None where they can, or only some of them cannot.

    When all of them are possible on another metric, none is stored: those that happen to be possible on both would
    be stored wrongly.
    """
    if seen.impossible is None or not seen.fits:
        return None
    metric = next(each for name, each in other_metrics(measure, scale).items() if name in seen.fits)
    return (
        f"{scale.key} of {measure.name}: {_written(seen.impossible)} is not a possible score, but all "
        f"scores here would fit {metric.name}. If that is the metric: {metric.repair}, and import them again"
    )


def is_possible(measure: Instrument, scale: Scale, score: Recorded) -> bool:
    """Say whether some answers give this score, as far as its digits go.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> who5, phq9 = instrument("who5"), instrument("phq9")
    >>> is_possible(who5, who5.scales[0], (52.0, 0)), is_possible(who5, who5.scales[0], (13.0, 0))
    (True, False)
    >>> is_possible(phq9, phq9.scales[0], (12.4, 1)), is_possible(phq9, phq9.scales[0], (12.5, 1))
    (True, False)
    """
    own = possible_scores(measure, scale)
    return own is None or _is_among(score, own)


def possible_scores(measure: Instrument, scale: Scale) -> np.ndarray | None:
    """List the scores that answers to a scale give, prorated ones included; None where another rule scores it."""
    return _possible(measure, scale.key)


@lru_cache(maxsize=256)
def _possible(measure: Instrument, key: str) -> np.ndarray | None:
    scale = measure.scale(key)
    items = [measure.item(item) for item in scale.items]
    if scale.rule not in {"sum", "mean", "scaled_sum", "scaled_mean"} or not all(
        item.whole_numbers for item in items
    ):
        return None
    count = len(items)
    fewest = min(max(scale.missing.at_least, 1), count)
    means = [sums / answered for answered in range(fewest, count + 1) for sums in [_sums(items, answered)]]
    values = np.unique(np.concatenate(means))
    values = values if scale.rule in {"mean", "scaled_mean"} else values * count
    return np.unique(values * scale.factor)


def _sums(items: Sequence[Item], answered: int) -> np.ndarray:
    """List the sums that some ``answered`` items can have."""
    lows = sorted(item.minimum for item in items)
    highs = sorted((item.maximum for item in items), reverse=True)
    return np.arange(sum(lows[:answered]), sum(highs[:answered]) + 1, dtype=float)


def other_metrics(measure: Instrument, scale: Scale) -> Mapping[str, Metric]:
    """Other metrics that scores of a scale are recorded on: raw sums, means, and sums of another coding."""
    items = [measure.item(item) for item in scale.items]
    if scale.rule not in {"sum", "mean", "scaled_sum", "scaled_mean"} or not all(
        item.whole_numbers for item in items
    ):
        return {}
    count = len(items)
    sums = _sums(items, count)
    span = f"{sums[0]:g} to {sums[-1]:g}"
    metrics: dict[str, Metric] = {}
    if scale.rule != "sum":
        how = f"divide them by {count}" if scale.rule == "mean" else f"multiply them by {_factor(scale, count):g}"
        metrics["sum"] = Metric(f"the raw sum of the answers ({span})", how, sums)
    if scale.rule != "mean":
        times = count if scale.rule == "sum" else _factor(scale, count) * count
        low, high = sums[0] / count, sums[-1] / count
        metrics["mean"] = Metric(
            f"the mean of the answers ({low:g} to {high:g})", f"multiply them by {times:g}", sums / count
        )
    if scale.rule == "sum":
        metrics |= {f"sum {coding.key}": _sum_of(coding, count, sums) for coding in _shifted(measure)}
    return metrics


def _shifted(measure: Instrument) -> list[Coding]:
    """Codings that number every answer higher or lower."""
    return [coding for coding in measure.own_codings if coding.offset and not coding.flipped]


def _sum_of(coding: Coding, count: int, sums: np.ndarray) -> Metric:
    away = -coding.offset * count
    how = f"take {away} off each" if away > 0 else f"add {-away} to each"
    return Metric(
        f"the sum of answers coded {coding.key} ({sums[0] + away:g} to {sums[-1] + away:g})", how, sums + away
    )


def _factor(scale: Scale, count: int) -> float:
    return scale.factor if scale.rule == "scaled_sum" else scale.factor / count


def _is_among(score: Recorded, values: np.ndarray) -> bool:
    value, digits = score
    return bool(np.abs(values - value).min() <= 0.5 * 10.0**-digits * (digits > 0) + _TOLERANCE)


def _written(score: Recorded) -> str:
    return f"{score[0]:.{score[1]}f}"
