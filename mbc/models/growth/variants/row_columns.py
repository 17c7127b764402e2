"""The rows themselves, in the engine's own scale: for models whose residuals must be seen one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mbc.models.growth.data.client_sums import Basis, ClientSums, sums_about
from mbc.models.growth.data.rows import Rows
from mbc.models.growth.data.shapes import Shape
from mbc.models.growth.design.design import (
    Design,
    Expansion,
    Terms,
    expanded,
    random_columns,
    split_covariates,
    terms_of,
)
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.residual_groups import eager_rows


@dataclass(frozen=True, slots=True)
class RowColumns:
    """Sorted rows with their internal columns, and the design of the plain model on them."""

    rows: Rows  # sorted by client and time
    design: Design
    expansion: Expansion
    terms: Terms
    sums: ClientSums
    z: Floats  # (q, n)
    x: Floats  # (p, n)
    y: Floats  # outcome less its least-squares fit, (n,)

    @staticmethod
    def of(
        frame: Any,
        *,
        outcome: str,
        time: str,
        client: str,
        shape: Shape,
        covariates: Sequence[str],
        random: Sequence[str],
    ) -> RowColumns:
        """Read, sort, centre and scale the rows of a table."""
        names = [name for name, _ in split_covariates(covariates)]
        read = eager_rows(frame, outcome=outcome, time=time, client=client, covariates=names, labels=[])
        rows = read.sorted_by_time()
        basis = Basis.about(shape.placed(rows.quantiles), rows.time)
        centre, spread = float(rows.outcome.mean()), float(rows.outcome.std())
        sums = sums_about(rows, basis, centre, spread)
        terms = terms_of(sums, time, covariates)
        design, expansion = expanded(sums, terms, random_columns(random, ("intercept", *basis.shape.terms(time))))
        x, z = expansion.rows(basis.columns(rows.time), rows.codes)
        y = (rows.outcome - centre) / spread - expansion.least @ x
        return RowColumns(rows, design, expansion, terms, sums, z, x, y)

    def at(self, times: Floats, client: int) -> tuple[Floats, Floats]:
        """Build internal X and Z of one client at other times, (n, p) and (n, q)."""
        codes = np.full(len(times), client)
        x, z = self.expansion.rows(self.sums.basis.columns(times), codes)
        return x.T, z.T
