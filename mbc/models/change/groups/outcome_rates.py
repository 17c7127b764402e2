"""How many changed, how sure the rates are, and how many could not be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs import reasons
from mbc.models.change.inputs.proportions import wilson_interval
from mbc.models.change.inputs.score_arrays import CodeArray, word_column
from mbc.models.results.result import Result


class HasVerdicts(Protocol):
    """A verdict per pair: reliable change, clinical significance, anchor or percentage."""

    words: ClassVar[tuple[str | None, ...]]

    @property
    def codes(self) -> CodeArray:  # noqa: D102
        ...
    @property
    def reason_codes(self) -> CodeArray:  # noqa: D102
        ...


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeRates(Result):
    """Counts and rates per group and category, with what could not be judged beside them."""

    table: pl.DataFrame  # group, category, n, rate, lower, upper, share
    completeness: pl.DataFrame  # group, n, judged, reason, not_judged
    confidence: float

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per group and category."""
        return dict(self.table.to_dict())


@checked
def outcome_rates(result: HasVerdicts, *, groups: object = None, confidence: float = 0.95) -> OutcomeRates:
    """Count the categories of a result, with Wilson intervals.

    Parameters
    ----------
    result : ReliableChange, ClinicalSignificance or MeaningfulChange
    groups : column, shape (n,), optional
        Each person's group; rates are then within groups.
    confidence : float
        Two-sided coverage, 0 to 1.

    Returns
    -------
    OutcomeRates
        ``rate`` is of those judged in the group, ``share`` of those judged in all groups.

    Examples
    --------
    >>> from mbc.models.change.person.reliable_change import reliable_change
    >>> change = reliable_change([20, 15, 30], [10, 14, None], sd=6, reliability=0.85, higher_is_better=False)
    >>> rates = outcome_rates(change)
    >>> rates.table.select("category", "n", "rate").rows()
    [('improved', 1, 0.5), ('unchanged', 1, 0.5), ('deteriorated', 0, 0.0)]
    >>> rates.completeness.select("n", "judged", "reason", "not_judged").rows()
    [(3, 2, 'missing_post', 1)]
    """
    codes = np.atleast_1d(result.codes)
    names = group_names(groups, codes.size)
    flags = _flags(result, codes)
    judged_in_all = int(np.count_nonzero(np.atleast_1d(result.reason_codes) == 0))
    rows: list[dict[str, object]] = []
    for group in names.unique(maintain_order=True).to_list():
        inside = (
            (names == group).fill_null(value=False).to_numpy() if group is not None else names.is_null().to_numpy()
        )
        judged = int(np.count_nonzero(np.atleast_1d(result.reason_codes)[inside] == 0))
        for word, flag in flags.items():
            count = int(np.count_nonzero(flag & inside))
            rate = wilson_interval(min(count, judged), judged, confidence)
            share = count / judged_in_all if judged_in_all else None
            rows.append(
                {"group": group, "category": word, "n": count, "rate": rate.estimate, "lower": rate.lower,
                 "upper": rate.upper, "share": share}
            )  # fmt: skip
    kinds = dict.fromkeys(("rate", "lower", "upper", "share"), pl.Float64)
    table = pl.DataFrame(rows, schema={"group": names.dtype, "category": pl.String, "n": pl.Int64} | kinds)
    return OutcomeRates(table, _completeness(result, names), confidence)


def _flags(result: HasVerdicts, codes: CodeArray) -> dict[str, Any]:
    order = ["recovered", "improved", "unchanged", "deteriorated", "harmed"]
    words = {word: code for code, word in enumerate(result.words) if word is not None}
    size = len(result.words)
    flags = {word: (codes % size) == code for word, code in words.items()}
    for name in ("improved", "deteriorated"):
        flag = getattr(result, name, None)  # the R package lets one person be both
        if flag is not None:
            flags[name] = np.atleast_1d(flag)
    return {word: flags[word] for word in order if word in flags}


def group_names(groups: object, size: int) -> pl.Series:
    """Read each person's group; everybody is in "all" unless stated otherwise."""
    if groups is None:
        return (
            pl.Series("group", ["all"] * size, dtype=pl.String) if size < 2 else pl.repeat("all", size, eager=True)
        )
    names = pl.Series("group", cast("Any", groups))
    if names.len() != size:
        raise ModelError(f"groups has {names.len()} values for {size} pairs.")
    return names


def members(names: pl.Series, group: object) -> NDArray[np.bool_]:
    """Say who is in a group; ``None`` is the people whose group is not known."""
    return names.is_null().to_numpy() if group is None else (names == group).fill_null(value=False).to_numpy()


def _completeness(result: HasVerdicts, names: pl.Series) -> pl.DataFrame:
    why = word_column(np.atleast_1d(result.reason_codes), reasons.WORDS)
    table = pl.DataFrame({"group": names, "reason": why})
    group_totals = table.group_by("group", maintain_order=True).agg(
        pl.len().alias("n"), pl.col("reason").is_null().sum().alias("judged")
    )
    lost = (
        table.drop_nulls("reason")
        .group_by("group", "reason", maintain_order=True)
        .agg(pl.len().alias("not_judged"))
    )
    return group_totals.join(lost, on="group", how="left", nulls_equal=True, maintain_order="left").with_columns(
        pl.col("not_judged").fill_null(0)
    )
