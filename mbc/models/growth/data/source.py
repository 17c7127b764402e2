"""Where client sums come from: rows in memory, read once, or a table that lives elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import narwhals.stable.v2 as nw

from mbc.frames import open_frame
from mbc.models.growth.data.client_sums import ClientSums, sum_rows
from mbc.models.growth.data.grouped_sums import grouped_sums, lazy_quantiles
from mbc.models.growth.data.rows import Rows, read_rows
from mbc.models.growth.data.shapes import Shape
from mbc.models.growth.matrices import Floats


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

    def sums(self, shape: Shape) -> ClientSums:
        """Client sums for a shape."""
        outcome, time, client = (self.columns[key] for key in ("outcome", "time", "client"))
        return grouped_sums(
            self.table, shape, outcome=outcome, time=time, client=client, covariates=self.covariates
        )

    def quantiles(self, shares: list[float]) -> Floats:
        """Quantiles of the times."""
        outcome, time, client = (self.columns[key] for key in ("outcome", "time", "client"))
        return lazy_quantiles(
            self.table, shares, outcome=outcome, time=time, client=client, covariates=self.covariates
        )


Source = RowSource | LazySource


def source_of(frame: Any, *, outcome: str, time: str, client: str, covariates: Sequence[str]) -> Source:
    """Open any table that narwhals knows."""
    if not (type(frame).__module__.startswith(("pandas", "polars.dataframe")) and hasattr(frame, "columns")):
        table: Any = open_frame(frame)
        if not isinstance(table, nw.LazyFrame):
            return RowSource(read_rows(frame, outcome=outcome, time=time, client=client, covariates=covariates))
        columns = {"outcome": outcome, "time": time, "client": client}
        return LazySource(cast("nw.LazyFrame[Any]", table), columns, tuple(covariates))
    return RowSource(read_rows(frame, outcome=outcome, time=time, client=client, covariates=covariates))
