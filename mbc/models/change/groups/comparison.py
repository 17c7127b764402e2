"""The same people judged group by group, or by several methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.groups.outcome_rates import HasVerdicts, OutcomeRates, group_names, members, outcome_rates
from mbc.models.change.inputs.norms import NormLike, Norms, stated_norms
from mbc.models.change.inputs.score_arrays import CodeArray, Column, pair, word_column
from mbc.models.change.person.clinical_significance import CATEGORIES, ClinicalSignificance, clinical_significance
from mbc.models.change.person.cutoffs import Criterion, Cutoff, HasMoments, cutoff
from mbc.models.change.person.judgement import Compat, ReliableChange
from mbc.models.change.person.predictions import METHODS, Method
from mbc.models.change.person.reliable_change import reliable_change
from mbc.models.results.result import Result

Parameters = Literal["pooled", "per-group"]


@dataclass(frozen=True, slots=True, eq=False)
class _Verdict:
    codes: CodeArray
    reason_codes: CodeArray
    words: ClassVar[tuple[str | None, ...]] = CATEGORIES


@dataclass(frozen=True, slots=True, eq=False)
class GroupOutcomes(Result):
    """Clinical significance of several groups, each by the pooled sample's parameters or by its own."""

    rates: OutcomeRates
    parameters: Parameters
    norms: dict[object, Norms]  # by group; the same everywhere when pooled
    cutoffs: dict[object, Cutoff]
    results: dict[object, ClinicalSignificance[Any, Any]]

    def _columns(self) -> dict[str, Any]:
        """One row per group and category, as `OutcomeRates` has them."""
        return dict(self.rates.table.to_dict())


@checked
def group_outcomes(  # noqa: PLR0913 - options are keyword-only
    pre: Column,
    post: Column,
    *,
    groups: object,
    higher_is_better: bool,
    parameters: Parameters = "pooled",
    functional: HasMoments | Sequence[float] | None = None,
    criterion: Criterion = "c",
    cutoff_at: float | Cutoff | None = None,
    method: Method = "jacobson-truax",
    norms: NormLike | Mapping[str, object] | None = None,
    reliability: float | None = None,
    confidence: float = 0.95,
    compat: Compat | None = None,
) -> GroupOutcomes:
    """Judge every group, and count.

    Parameters
    ----------
    pre, post : column of floats, shape (n,)
    groups : column, shape (n,)
    higher_is_better : bool
    parameters : {"pooled", "per-group"}
        Whether means, spreads and cutoffs that the norms leave open come from all groups together or from each.
    functional : (mean, sd), optional
        The functional population, for a computed cutoff.
    criterion : {"a", "b", "c", "density"}
    cutoff_at : float or Cutoff, optional
        A cutoff instead of a computed one.
    method, norms, reliability, confidence, compat
        As for `reliable_change`.

    Raises
    ------
    ModelError
        If neither a cutoff nor what it is computed from is given.
    """
    before, after = pair(pre, post)
    names = group_names(groups, before.size)
    everyone = np.ones(before.size, dtype=bool)
    own = {group: members(names, group) for group in names.unique(maintain_order=True).to_list()}
    blocks: dict[object, NDArray[np.bool_]] = {"all": everyone} if parameters == "pooled" else own
    stated = stated_norms(norms, None, reliability)
    norms_by_group: dict[object, Norms] = {}
    cuts: dict[object, Cutoff] = {}
    results: dict[object, ClinicalSignificance[Any, Any]] = {}
    codes = np.full(before.size, ClinicalSignificance.words.index(None), dtype=np.int8)
    why = np.zeros(before.size, dtype=np.int8)
    for key, inside in blocks.items():
        x, y = before[inside], after[inside]
        change = reliable_change(
            x,
            y,
            method=method,
            norms=stated,
            confidence=confidence,
            higher_is_better=higher_is_better,
            compat=compat,
        )
        sick = Norms.from_sample(x, y)
        cut = cutoff_at if cutoff_at is not None else cutoff(
            criterion, clinical=(sick.mean or 0.0, sick.sd or 0.0), functional=functional,
            higher_is_better=higher_is_better, compat=compat,
            reliability=stated.reliability if method == "hageman-arrindell" else None,
        )  # fmt: skip
        result = clinical_significance(
            x, y, change=change, cutoff=cut, higher_is_better=higher_is_better, compat=compat
        )
        codes[inside], why[inside] = result.codes, result.reason_codes
        norms_by_group[key], results[key] = change.norms, result
        cuts[key] = (
            cut if isinstance(cut, Cutoff) else Cutoff(cut, criterion="given", higher_is_better=higher_is_better)
        )
    verdict = _Verdict(codes, why)
    return GroupOutcomes(outcome_rates(verdict, groups=names), parameters, norms_by_group, cuts, results)


@dataclass(frozen=True, slots=True, eq=False)
class MethodComparison(Result):
    """The same pairs under several methods."""

    changes: dict[str, ReliableChange[Any, Any]]
    significance: dict[str, ClinicalSignificance[Any, Any]]  # empty without a cutoff

    def _columns(self) -> dict[str, Any]:
        """Make a table: one row per pair, one column of categories per method."""
        results: Mapping[str, HasVerdicts] = self.significance or self.changes
        return {name: word_column(result.codes, result.words) for name, result in results.items()}

    def rates(self, confidence: float = 0.95) -> pl.DataFrame:
        """Make a table: one row per method and category, with Wilson intervals."""
        results: Mapping[str, HasVerdicts] = self.significance or self.changes
        tables = [
            outcome_rates(result, confidence=confidence)
            .table.drop("group", "share")
            .with_columns(method=pl.lit(name))
            for name, result in results.items()
        ]
        return pl.concat(tables).select("method", "category", "n", "rate", "lower", "upper")


@checked
def compare_methods(  # noqa: PLR0913 - options are keyword-only
    pre: Column,
    post: Column,
    *,
    higher_is_better: bool,
    methods: Sequence[Method] | None = None,
    cutoff_at: float | Cutoff | None = None,
    norms: NormLike | Mapping[str, object] | None = None,
    sd: float | None = None,
    reliability: float | None = None,
    confidence: float = 0.95,
) -> MethodComparison:
    """Judge the same pairs by several methods, side by side.

    Parameters
    ----------
    pre, post : column of floats, shape (n,)
    higher_is_better : bool
    methods : sequence of str, optional
        Every method for which the norms suffice, unless given.
    cutoff_at : float or Cutoff, optional
        With it the table holds clinical significance, without it reliable change.
    norms, sd, reliability, confidence
        As for `reliable_change`.

    Examples
    --------
    >>> both = compare_methods([20, 15, 30, 28], [10, 14, 22, 29], reliability=0.85, higher_is_better=False,
    ...     methods=["jacobson-truax", "edwards-nunnally"])
    >>> both.to_frame().rows()
    [('improved', 'improved'), ('unchanged', 'unchanged'), ('improved', 'improved'), ('unchanged', 'unchanged')]
    """
    stated = stated_norms(norms, sd, reliability)
    chosen = methods or _possible(stated)
    changes = {
        method: reliable_change(
            pre, post, method=method, norms=stated, confidence=confidence, higher_is_better=higher_is_better
        )
        for method in chosen
    }
    if cutoff_at is None:
        return MethodComparison(cast("dict[str, Any]", changes), {})
    significance = {
        name: clinical_significance(pre, post, change=change, cutoff=cutoff_at, higher_is_better=higher_is_better)
        for name, change in changes.items()
    }
    return MethodComparison(cast("dict[str, Any]", changes), cast("dict[str, Any]", significance))


def _possible(norms: Norms) -> list[Method]:
    possible = [
        name
        for name, (_, needs, may_use_sample) in METHODS.items()
        if all(getattr(norms, need) is not None or (may_use_sample and need != "reliability") for need in needs)
    ]
    if not possible:
        raise ModelError("No method can be applied: give reliability= or norms=Norms(...).")
    return cast("list[Method]", possible)
