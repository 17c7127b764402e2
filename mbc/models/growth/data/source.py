"""Where client sums come from: rows in memory, read once, or a table that lives elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import narwhals.stable.v2 as nw

from mbc.frames import open_frame
from mbc.models.growth.data.client_sums import ClientSums, sum_rows
from mbc.models.growth.data.design_sums import design_sums
from mbc.models.growth.data.grouped_sums import grouped_sums, lazy_quantiles
from mbc.models.growth.data.rows import Rows, Table, read_rows, refuse_shared
from mbc.models.growth.data.shapes import Shape
from mbc.models.growth.matrices import Floats

SumsPer = Literal["client", "design"]


@dataclass(frozen=True, slots=True)
class RowSource:
    """Rows in memory."""

    rows: Rows

    def sums(self, shape: Shape) -> ClientSums:
        """Client sums for a shape; its knots are placed where it has any to place."""
        return sum_rows(self.rows, shape.placed(self.rows.quantiles))

    def quantiles(self, shares: list[float]) -> Floats:
        """Quantiles of the times."""
        return self.rows.quantiles(shares)


@dataclass(frozen=True, slots=True)
class LazySource:
    """A table that lives elsewhere: every shape is one more aggregation."""

    table: nw.LazyFrame[Any]
    columns: dict[str, str]  # outcome, time, client
    covariates: tuple[str, ...]
    per: SumsPer = "client"
    declared: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Order of the levels of covariates, where the table that came in knew one."""

    def sums(self, shape: Shape) -> ClientSums:
        """Client sums for a shape, or sums per design."""
        outcome, time, client = (self.columns[key] for key in ("outcome", "time", "client"))
        aggregate = design_sums if self.per == "design" else grouped_sums
        sums = aggregate(self.table, shape, outcome=outcome, time=time, client=client, covariates=self.covariates)
        return replace(sums, declared=sums.declared | self.declared)

    def quantiles(self, shares: list[float]) -> Floats:
        """Quantiles of the times."""
        outcome, time, client = (self.columns[key] for key in ("outcome", "time", "client"))
        return lazy_quantiles(
            self.table, shares, outcome=outcome, time=time, client=client, covariates=self.covariates
        )


Source = RowSource | LazySource


def source_of(
    frame: Any, *, outcome: str, time: str, client: str, covariates: Sequence[str], per: SumsPer = "client"
) -> Source:
    """Open any table that narwhals knows; what sums per design are made of is grouped by an engine."""
    columns = {"outcome": outcome, "time": time, "client": client}
    if per == "design":
        return _grouped_source(open_frame(frame), columns, tuple(covariates))
    if not (type(frame).__module__.startswith(("pandas", "polars.dataframe")) and hasattr(frame, "columns")):
        table: Any = open_frame(frame)
        if not isinstance(table, nw.LazyFrame):
            return RowSource(read_rows(frame, outcome=outcome, time=time, client=client, covariates=covariates))
        return LazySource(cast("nw.LazyFrame[Any]", table), columns, tuple(covariates))
    return RowSource(read_rows(frame, outcome=outcome, time=time, client=client, covariates=covariates))


def _grouped_source(table: Any, columns: dict[str, str], covariates: tuple[str, ...]) -> LazySource:
    """Let an engine group a table by designs: its own, or polars for one in memory."""
    refuse_shared(**columns)
    if isinstance(table, nw.LazyFrame):
        return LazySource(cast("nw.LazyFrame[Any]", table), columns, covariates, "design")
    known = Table(nw.to_native(table))
    known.require([*columns.values(), *covariates])
    declared = {name: order for name in covariates if (order := known.declared(name)) is not None}
    lazy = cast("nw.LazyFrame[Any]", nw.from_native(table.to_polars().lazy()))
    return LazySource(lazy, columns, covariates, "design", declared)
