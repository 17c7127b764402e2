"""Results of several clinics together: each published rate pooled by random effects, never by adding up people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mbc.errors import SettingsError
from mbc.models import PooledProportion, pool_proportions
from mbc.models.effects.heterogeneity import Estimator
from mbc.outcomes.study.result import StudyResult
from mbc.outcomes.study.specification import Study


class PublishedRate(BaseModel):
    """What is read of a figure of a result."""

    model_config = ConfigDict(frozen=True, strict=True)

    metric: str
    title: str
    among: str
    group: str
    unit: str
    completeness: bool
    only_count: bool
    count: int | None = Field(ge=0)
    of: int | None = Field(ge=0)


@dataclass(frozen=True, slots=True)
class PooledRate:
    """One rate of a definition over the clinics that publish it."""

    definition: str
    metric: str
    title: str
    group: str
    among: str
    pooled: PooledProportion | None
    """None: fewer than two clinics publish it."""
    clinics: tuple[str, ...]
    """Who publish it."""
    hidden: tuple[str, ...]
    """Who have it hidden, or have nobody in it."""


@dataclass(frozen=True, slots=True)
class StudyPool:
    """What the results of a study say together."""

    rates: tuple[PooledRate, ...]
    notes: tuple[str, ...]

    def to_frame(self) -> pl.DataFrame:
        """Give a row per rate; shares in percent."""
        return pl.DataFrame([_row(rate) for rate in self.rates], schema=_SCHEMA, orient="row")


_SCHEMA: dict[str, Any] = {
    "definition": pl.String, "metric": pl.String, "group": pl.String, "clinics": pl.Int64, "hidden": pl.Int64,
    "percent": pl.Float64, "lower": pl.Float64, "upper": pl.Float64, "prediction_lower": pl.Float64,
    "prediction_upper": pl.Float64, "tau2": pl.Float64, "i2": pl.Float64, "i2_lower": pl.Float64,
    "i2_upper": pl.Float64,
}  # fmt: skip


def pool_results(study: Study, results: Mapping[str, StudyResult], *, estimator: Estimator = "reml") -> StudyPool:
    """Pool each rate that two clinics or more publish.

    Rates are pooled by random effects on the logit scale, with the variance that rounding adds
    (`mbc.models.pool_proportions`). Means are not pooled: their spread is not published.

    Parameters
    ----------
    study : Study
    results : mapping of str to StudyResult
        By the clinics' names.
    estimator : {"reml", "paule-mandel"}
        Estimator of the variance between clinics.

    Returns
    -------
    StudyPool
        Notes name other versions of mbc.

    Raises
    ------
    SettingsError
        If there are fewer than two results, one is of another specification, or two are the same run.
    """
    _require_same(study, results)
    rates = tuple(_rates(study, results, estimator))
    return StudyPool(rates, tuple(_notes(results)))


def _require_same(study: Study, results: Mapping[str, StudyResult]) -> None:
    if len(results) < 2:
        raise SettingsError(f"Pooling takes the results of two clinics at least; got {len(results)}.")
    asked = study.specification
    for clinic, result in results.items():
        if result.digest != study.digest:
            raise SettingsError(
                f"The result '{clinic}' answers another specification: {result.study} {result.version} "
                f"({result.digest[:12]}); this is {asked.name} {asked.version} ({study.digest[:12]}). Run this "
                "specification there, with the same definition files."
            )
        if len(result.reports) != len(study.settings) or result.smallest_count != asked.smallest_count:
            raise SettingsError(f"The result '{clinic}' does not fit its own specification: it was changed.")
    by_run: dict[str, str] = {}
    for clinic, result in results.items():
        other = by_run.setdefault(result.run, clinic)
        if other != clinic:
            raise SettingsError(f"'{other}' and '{clinic}' are the same result; a clinic counts once.")


def _notes(results: Mapping[str, StudyResult]) -> Iterator[str]:
    versions: dict[str, list[str]] = {}
    for clinic, result in results.items():
        versions.setdefault(result.mbc, []).append(clinic)
    if len(versions) > 1:
        named = "; ".join(f"{version}: {', '.join(clinics)}" for version, clinics in sorted(versions.items()))
        yield f"The results were made by different versions of mbc ({named}). The changelog says what differs."


def _rates(study: Study, results: Mapping[str, StudyResult], estimator: Estimator) -> Iterator[PooledRate]:
    step = study.specification.smallest_count
    for place, settings in enumerate(study.settings):
        figures = {clinic: _figures(clinic, result, place, step) for clinic, result in results.items()}
        first: dict[str, PublishedRate] = {}
        for each in figures.values():
            first = each | first  # the order is that of the first clinic
        order = dict.fromkeys(name for each in figures.values() for name in each)
        for name in order:
            yield _pooled(
                settings.rules,
                first[name],
                {key: each.get(name) for key, each in figures.items()},
                step,
                estimator,
            )


def _figures(clinic: str, result: StudyResult, place: int, step: int) -> dict[str, PublishedRate]:
    """Read the rates of one definition, and refuse counts that were not published by the rule."""
    try:
        read = [PublishedRate.model_validate(figure) for figure in result.reports[place]["figures"]]
    except (ValidationError, KeyError, TypeError):
        raise SettingsError(f"The result '{clinic}' cannot be read: its figures were changed.") from None
    rates = [each for each in read if each.unit == "percent" and not each.completeness and not each.only_count]
    for each in rates:
        if any(number is not None and number % step for number in (each.count, each.of)):
            raise SettingsError(
                f"The result '{clinic}' has counts of {each.metric} that are not rounded to {step}."
            )
    return {each.metric: each for each in rates}


def _pooled(
    definition: str,
    rate: PublishedRate,
    by_clinic: Mapping[str, PublishedRate | None],
    step: int,
    estimator: Estimator,
) -> PooledRate:
    pairs = {
        clinic: (min(each.count, each.of), each.of)  # rounded by itself, a part can exceed its group
        for clinic, each in by_clinic.items()
        if each is not None and each.count is not None and each.of
    }
    pooled = None
    if len(pairs) > 1:
        pooled = pool_proportions(
            [count for count, _ in pairs.values()],
            [of for _, of in pairs.values()],
            studies=list(pairs),
            rounded_to=step,
            estimator=estimator,
        )
    hidden = tuple(clinic for clinic in by_clinic if clinic not in pairs)
    return PooledRate(definition, rate.metric, rate.title, rate.group, rate.among, pooled, tuple(pairs), hidden)


def _row(rate: PooledRate) -> tuple[object, ...]:
    head = (rate.definition, rate.metric, rate.group, len(rate.clinics), len(rate.hidden))
    made = rate.pooled
    if made is None:
        return (*head, *[None] * (len(_SCHEMA) - len(head)))
    shares = (made.estimate, made.lower, made.upper, made.prediction_lower, made.prediction_upper)
    percents = (None if share is None else 100 * share for share in shares)
    return (*head, *percents, made.tau2, made.i2, made.i2_lower, made.i2_upper)
