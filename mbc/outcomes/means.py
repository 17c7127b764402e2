"""Mean change of a group from the sums of each clinician's clients, in points or in standard deviations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from mbc.models.change.inputs.distributions import normal_quantile, t_quantile
from mbc.models.effects.effect_size import Moments, effect_size_from_moments
from mbc.outcomes.definitions.quantities import Group, Mean
from mbc.outcomes.intervals import LEVEL
from mbc.outcomes.results import Metric
from mbc.privacy.small_numbers.rounded_counts import HIDDEN, SmallNumberRule

LEAST = 5  # people; below, a standardised mean change is noise
LEAST_FOR_MEAN = 20
"""A mean is published where the published count of those it rests on is as large as this."""


def mean_metric(mean: Mean, position: int, table: pl.DataFrame, group: Group, rule: SmallNumberRule) -> Metric:
    """Make the figure of a mean.

    With first scores, the mean is divided by their standard deviation (d; limits from the noncentral t, Algina &
    Keselman 2003). Where clients of one clinician change alike, the limits are widened by the square root of the
    design effect, as for rates.
    """
    counts = _column(table, f"n_{position}")
    sums = {name: _column(table, f"{name}_{position}") for name in ("v", "vv", "f", "ff", "fv")}
    people, of = round(sum(counts)), round(sum(_column(table, f"of_{position}")))
    value = lower = upper = None
    if people >= LEAST:
        value, lower, upper = _estimate(mean, people, {name: sum(column) for name, column in sums.items()})
        widen = _widening(counts, sums["v"], sums["vv"])
        if value is not None and lower is not None and upper is not None:
            lower, upper = value - (value - lower) * widen, value + (upper - value) * widen
    return Metric(
        metric=f"{group.key}_{mean.name}" if group.key else mean.name,
        title=mean.title,
        group=group.title,
        key=group.key,
        among=mean.among,
        of=mean.count_name,
        numerator=None,
        denominator=people,
        value=value,
        lower=lower,
        upper=upper,
        published=published_mean(value, people, rule),
        unit=mean.unit,
        unknown=of - people,
        clinicians=sum(count > 0 for count in counts),
    )


def published_mean(value: float | None, people: int, rule: SmallNumberRule) -> str:
    """Write a mean with two digits and its rounded count; hidden where it rests on few people.

    Examples
    --------
    >>> nhs5 = SmallNumberRule("nhs5", 5)
    >>> published_mean(0.7530, 143, nhs5), published_mean(0.75, 12, nhs5)
    ('0.75 (n about 145)', 'NULL')
    """
    if value is None or rule.hides(people) or rule.rounded(people) < LEAST_FOR_MEAN:
        return HIDDEN
    return f"{value:.2f} (n about {rule.rounded(people)})"


def _column(table: pl.DataFrame, name: str) -> list[float]:
    return [float(value or 0.0) for value in table[name].to_list()]


def _estimate(mean: Mean, people: int, sums: dict[str, float]) -> tuple[float | None, float | None, float | None]:
    average = sums["v"] / people
    spread = _variance(people, sums["v"], sums["vv"])
    if mean.scale is None:
        half = t_quantile(people - 1, 0.5 + LEVEL / 2) * math.sqrt(spread / people)
        return average, average - half, average + half
    first, before = sums["f"] / people, _variance(people, sums["f"], sums["ff"])
    shared = (sums["fv"] - sums["f"] * sums["v"] / people) / (people - 1)
    after = max(before + spread + 2 * shared, 0.0)
    product = math.sqrt(before * after)
    moments = Moments(
        n=people,
        mean_pre=first,
        mean_post=first + average,
        sd_pre=math.sqrt(before),
        sd_post=math.sqrt(after),
        correlation=(before + shared) / product if product > 0 else 0.0,
    )
    effect = effect_size_from_moments(moments, higher_is_better=True)
    return effect.d, effect.lower, effect.upper


def _variance(people: int, total: float, squares: float) -> float:
    return max((squares - total * total / people) / (people - 1), 0.0)


def _widening(counts: Sequence[float], totals: Sequence[float], squares: Sequence[float]) -> float:
    """Give by how much limits are widened for clients within clinicians: 1 where clustering cannot be seen."""
    clusters = [(n, total) for n, total in zip(counts, totals, strict=True) if n > 0]
    people, total = sum(counts), sum(totals)
    independent = _variance(round(people), total, sum(squares)) / people
    if len(clusters) < 2 or independent <= 0:
        return 1.0
    mean, size = total / people, len(clusters)
    between = sum((part - mean * n) ** 2 for n, part in clusters) * size / (size - 1) / people**2
    if between <= independent:
        return 1.0
    wider = t_quantile(size - 1, 0.5 + LEVEL / 2) / normal_quantile(0.5 + LEVEL / 2)
    return wider * math.sqrt(between / independent)
