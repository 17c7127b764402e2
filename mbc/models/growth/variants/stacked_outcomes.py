"""Both outcomes' scores as sums: stacked columns, over sessions with both outcomes and with either alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from mbc.errors import FrameError, ModelError
from mbc.models.growth.data.client_sums import Basis, ClientSums, sums_about
from mbc.models.growth.data.rows import Rows, read_rows
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
from mbc.models.growth.variants.weighted_cells import Cells, Weighting


@dataclass(frozen=True, slots=True)
class Stacked:
    """Both outcomes' designs and cells, over the same clients."""

    designs: tuple[Design, Design]
    cells: Cells  # both: 11, 12, 22; first alone; second alone
    counts: Floats  # sessions with both, with the first alone, with the second alone
    q: int
    rows: Rows
    sums: tuple[ClientSums, ClientSums]
    terms: tuple[Terms, Terms]

    @staticmethod
    def of(
        table: nw.DataFrame[Any],
        outcomes: tuple[str, str],
        time: str,
        client: str,
        covariates: Sequence[str],
        shape: Shape,
        random: Sequence[str],
    ) -> Stacked:
        """Stack two columns of a table."""
        names = [name for name, _ in split_covariates(covariates)]
        for outcome in outcomes:
            if not table.schema[outcome].is_numeric():
                raise FrameError(
                    f"column {outcome!r} must contain numbers, it contains {table.schema[outcome]}. Convert it "
                    "first."
                )
        table = table.filter(~nw.all_horizontal(*(nw.col(o).is_null() for o in outcomes), ignore_nulls=True))
        filled = table.with_columns(**{f"mbc_{i}": nw.col(o).cast(nw.Float64()) for i, o in enumerate(outcomes)})
        observed = filled.with_columns(nw.lit(0.0).alias("mbc_zero"))
        rows = read_rows(
            observed, outcome="mbc_zero", time=time, client=client, covariates=names, extras=("mbc_0", "mbc_1")
        )
        has = [~np.isnan(rows.extras[f"mbc_{i}"]) for i in range(2)]
        for o, present in zip(outcomes, has, strict=True):
            if present.sum() < 3:
                raise ModelError(f"outcome {o!r} has {int(present.sum())} scores; growth needs many more.")
        basis = Basis.about(shape.placed(rows.quantiles), rows.time)
        picked = random_columns(random, ("intercept", *basis.shape.terms(time)))
        both = has[0] & has[1]
        _refuse_dependent(rows, both, basis.columns(rows.time)[list(picked)], outcomes)
        only = [has[0] & ~both, has[1] & ~both]
        designs: list[Design] = []
        expansions: list[Expansion] = []
        centres: list[tuple[float, float]] = []
        sums: list[ClientSums] = []
        terms: list[Terms] = []
        for i in range(2):
            score = rows.extras[f"mbc_{i}"]
            centre, spread = float(score[has[i]].mean()), float(score[has[i]].std())
            if not spread > 0:
                raise ModelError(f"every score of {outcomes[i]!r} is {centre:g}: there is no variation to model.")
            own = sums_about(rows.with_outcome(score).where(has[i]), basis, centre, spread)
            terms.append(terms_of(own, time, covariates))
            sums.append(own)
            design, expansion = expanded(own, terms[i], picked)
            designs.append(design)
            expansions.append(expansion)
            centres.append((centre, spread))
        cells = _cells(rows, basis, both, only, expansions, centres)
        counts = np.array([both.sum(), only[0].sum(), only[1].sum()], dtype=np.float64)
        return Stacked(
            (designs[0], designs[1]),
            cells,
            counts,
            designs[0].statistics.q,
            rows,
            (sums[0], sums[1]),
            (terms[0], terms[1]),
        )

    def start(self) -> Floats:
        """Log of the second residual SD over the first; a correlation of zero where sessions have both."""
        return np.zeros(2 if self.counts[0] else 1)

    def weighting(self) -> Weighting:
        """R = sigma^2 [[1, c t], [c t, t^2]], t = exp(n_1), c = tanh(n_2); numbers are (n_1, n_2)."""
        with_both = bool(self.counts[0])

        def parts(numbers: Floats) -> tuple[float, float]:
            return math.exp(float(numbers[0])), math.tanh(float(numbers[1])) if with_both else 0.0

        def weights(numbers: Floats) -> Floats:
            t, c = parts(numbers)
            free = 1 - c * c
            return np.array([1 / free, -c / (t * free), 1 / (t * t * free), 1.0, 1 / (t * t)])

        def jacobian(numbers: Floats) -> Floats:
            t, c = parts(numbers)
            free = 1 - c * c
            by_t = np.array([0.0, c / (t * t * free), -2 / (t**3 * free), 0.0, -2 / t**3]) * t
            by_c = np.array([2 * c / free**2, -(1 + c * c) / (t * free**2), 2 * c / (t * t * free**2), 0.0, 0.0])
            return np.column_stack([by_t, by_c * free])[:, : numbers.size]

        def log_det(numbers: Floats) -> tuple[float, Floats]:
            both, _, second = self.counts.tolist()
            _, c = parts(numbers)
            value = 2 * (both + second) * float(numbers[0]) + both * math.log(1 - c * c)
            return value, np.array([2 * (both + second), -2 * c * both])[: numbers.size]

        return Weighting(weights, jacobian, log_det)


def _refuse_dependent(rows: Rows, both: NDArray[np.bool_], z: Floats, outcomes: tuple[str, str]) -> None:
    """Refuse two outcomes that are one: around each client's own course they then differ by a factor only.

    The correlation of their residuals is then 1 (or -1) and the likelihood has no upper bound.
    """
    codes, columns = rows.codes[both], z[:, both]
    residuals = [
        within_client_residuals(rows.extras[f"mbc_{i}"][both], columns, codes, rows.clients) for i in range(2)
    ]
    left = int(both.sum()) - np.linalg.matrix_rank(columns) * len(np.unique(codes))
    size = math.sqrt(float((residuals[0] ** 2).sum() * (residuals[1] ** 2).sum()))
    if left >= 2 and size > 0 and abs(float(residuals[0] @ residuals[1])) > (1 - 1e-8) * size:
        raise ModelError(
            f"{outcomes[0]!r} and {outcomes[1]!r} are the same measure: around each client's own course, one is a "
            "multiple of the other. Their joint likelihood has no maximum. Give two different measures."
        )


def within_client_residuals(score: Floats, z: Floats, codes: NDArray[np.intp], clients: int) -> Floats:
    """Take each client's own least-squares course off the scores; z is (q, n)."""
    q = len(z)
    cross, right = np.zeros((clients, q, q)), np.zeros((clients, q))
    for a in range(q):
        right[:, a] = np.bincount(codes, z[a] * score, clients)
        for b in range(q):
            cross[:, a, b] = np.bincount(codes, z[a] * z[b], clients)
    own = np.einsum("cab,cb->ca", np.linalg.pinv(cross, rcond=1e-10, hermitian=True), right)
    return score - (z * own[codes].T).sum(axis=0)


def _cells(
    rows: Rows,
    basis: Basis,
    both: NDArray[np.bool_],
    only: list[NDArray[np.bool_]],
    expansions: list[Expansion],
    centres: list[tuple[float, float]],
) -> Cells:
    """Sum cross-products of the stacked columns: [Z1, Z2], [X1, X2, y]."""
    scores = [rows.extras[f"mbc_{i}"] for i in range(2)]
    q, p = expansions[0].select.shape[1], [len(e.pairs) for e in expansions]
    m, clients = sum(p) + 1, rows.clients

    def sums_of(i: int, chosen: NDArray[np.bool_]) -> ClientSums:
        return sums_about(rows.with_outcome(scores[i]).where(chosen), basis, *centres[i])

    s_cells: list[Floats] = []
    b_cells: list[Floats] = []
    c_cells: list[Floats] = []

    def add(entries: list[tuple[int, int, ClientSums]], cross: float) -> None:
        """Cell made of blocks (row outcome, outcome of y)."""
        s, b, c = np.zeros((2 * q, 2 * q, clients)), np.zeros((2 * q, m, clients)), np.zeros((m, m))
        for i, j, sums in entries:
            s_part, b_part = expansions[j].arrays(sums, slice(0, clients))
            at, place = slice(i * q, (i + 1) * q), slice(j * p[0], j * p[0] + p[j])
            s[at, j * q : (j + 1) * q] += s_part
            b[at, place] += b_part[:, :-1]
            b[at, -1] += b_part[:, -1]
            own = expansions[j].pooled(sums)
            own_columns = slice(i * p[0], i * p[0] + p[i])
            if i == j:
                c[place, place] += own[:-1, :-1]
                c[place, -1] += own[:-1, -1]
                c[-1, place] += own[:-1, -1]
                c[-1, -1] += own[-1, -1]
            else:
                crossed = _crossed(expansions[i], expansions[j], sums)
                c[own_columns, place] += crossed[:, :-1]
                c[own_columns, -1] += crossed[:, -1]
                c[-1, own_columns] += crossed[:, -1]
        c[-1, -1] += cross
        s_cells.append(s)
        b_cells.append(b)
        c_cells.append(c)

    first, second = sums_of(0, both), sums_of(1, both)
    add([(0, 0, first)], 0.0)
    add([(0, 1, second), (1, 0, first)], 2 * _residual_product(rows, basis, both, expansions, scores, centres))
    add([(1, 1, second)], 0.0)
    add([(0, 0, sums_of(0, only[0]))], 0.0)
    add([(1, 1, sums_of(1, only[1]))], 0.0)
    total = int(2 * both.sum() + only[0].sum() + only[1].sum())
    return Cells(tuple(s_cells), tuple(b_cells), tuple(c_cells), total)


def _crossed(first: Expansion, other: Expansion, sums: ClientSums) -> Floats:
    """X of one outcome against [X e] of the other, over the same rows."""
    w_mine, w_other = first.covariates, other.covariates
    out = np.empty((len(first.pairs), len(other.pairs) + 1))
    for i, (a, c) in enumerate(first.pairs):
        for j, (b, d) in enumerate(other.pairs):
            out[i, j] = float((sums.uu[a, b] * w_mine[c] * w_other[d]).sum())
        out[i, -1] = float((sums.uy[a] * w_mine[c]).sum()) - float(out[i, :-1] @ other.least)
    return out


def _residual_product(
    rows: Rows,
    basis: Basis,
    both: NDArray[np.bool_],
    expansions: list[Expansion],
    scores: list[Floats],
    centres: list[tuple[float, float]],
) -> float:
    """Sum over sessions with both of the product of the two least-squares residuals."""
    u = basis.columns(rows.time[both])
    codes = rows.codes[both]
    residuals: list[Floats] = []
    for expansion, score, (centre, spread) in zip(expansions, scores, centres, strict=True):
        x = np.array([u[a] * expansion.covariates[c][codes] for a, c in expansion.pairs])
        residuals.append((score[both] - centre) / spread - expansion.least @ x)
    return float(residuals[0] @ residuals[1])
