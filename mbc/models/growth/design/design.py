"""From client sums to the statistics of one model: which products of time and covariates are its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mbc.errors import ModelError, nearest
from mbc.models.growth.data.client_sums import ClientSums, mean_and_deviation
from mbc.models.growth.design.product_block import MOST_COVARIATES, ROWS, ProductBlock, ProductStatistics
from mbc.models.growth.design.statistics import PRODUCT, Statistics, block_of, block_slices
from mbc.models.growth.matrices import Floats, cholesky, inverse, solve_positive

NO_INTERCEPT = "no intercept"  # random effects without differences of level: only when asked for by name


@dataclass(frozen=True, slots=True)
class Terms:
    """The fixed part: every column is (column of the time basis) x (column of the client covariates).

    ``pairs`` holds (time column, covariate column); 0 is the constant in both.
    """

    pairs: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    covariates: tuple[CovariateColumn, ...]  # columns 1, 2, ...


@dataclass(frozen=True, slots=True)
class CovariateColumn:
    """One numeric column made of a covariate: itself, or the indicator of one of its levels."""

    source: str
    level: str | None
    centre: float
    spread: float

    @property
    def name(self) -> str:
        """As formulas write it."""
        return self.source if self.level is None else f"{self.source}[T.{self.level}]"

    def raw(self, values: NDArray[Any]) -> Floats:
        """Numbers of this column, as reported coefficients multiply them."""
        if self.level is None:
            return values.astype(np.float64)
        return np.array([value == self.level for value in values], dtype=np.float64)

    def scaled(self, values: NDArray[Any]) -> Floats:
        """Centred and scaled, as the engine computes."""
        return (self.raw(values) - self.centre) / self.spread


def terms_of(sums: ClientSums, time: str, covariates: Sequence[str]) -> Terms:
    """Read ``covariates``: ``"severity"`` shifts the level, ``"severity:time"`` the course as well."""
    time_names = ("(Intercept)", *sums.basis.shape.terms(time))
    pairs = [(a, 0) for a in range(len(time_names))]
    columns: list[CovariateColumn] = []
    crossed: list[tuple[int, int]] = []
    for source, with_time in split_covariates(covariates):
        for column in covariate_columns(source, sums.covariates[source], sums.declared.get(source)):
            columns.append(column)
            pairs.append((0, len(columns)))
            if with_time:
                crossed += [(a, len(columns)) for a in range(1, len(time_names))]
    pairs += sorted(crossed, key=lambda pair: (pair[1], pair[0]))
    names = tuple(_pair_name(time_names[a], columns[c - 1].name if c else "") for a, c in pairs)
    return Terms(tuple(pairs), names, tuple(columns))


def split_covariates(covariates: Sequence[str]) -> list[tuple[str, bool]]:
    """Names of the covariates, and whether each changes the course."""
    with_time: dict[str, bool] = {}
    for text in [covariates] if isinstance(covariates, str) else covariates:
        name, _, partner = text.replace("*", ":").partition(":")
        if partner.strip() not in {"", "time"}:
            raise ModelError(
                f"covariates takes 'name' or 'name:time', got {text!r}. "
                "For products of covariates add the product as a column, or use mixedlm with a formula."
            )
        with_time[name.strip()] = bool(partner) or with_time.get(name.strip(), False)
    return list(with_time.items())


def _pair_name(time_name: str, covariate: str) -> str:
    if not covariate:
        return time_name
    return covariate if time_name == "(Intercept)" else f"{time_name}:{covariate}"


def covariate_columns(
    source: str, values: NDArray[Any], declared: Sequence[str] | None = None
) -> list[CovariateColumn]:
    """Numbers stay one column; text becomes an indicator per level but the first, the reference.

    The first level is the first of those declared (a pandas Categorical, a polars Enum) that occurs, else the
    first in sorted order.
    """
    if values.dtype.kind == "f":
        mean, spread = mean_and_deviation(values)
        return [CovariateColumn(source, None, mean, spread if spread > 0 else 1.0)]
    levels = ordered_levels(values, declared)
    if len(levels) > 50:
        raise ModelError(f"covariate {source!r} has {len(levels)} different texts. Is it an identifier?")
    return [CovariateColumn(source, level, 0.0, 1.0) for level in levels[1:]]


def ordered_levels(values: NDArray[Any], declared: Sequence[str] | None = None) -> list[Any]:
    """Levels that occur: in their declared order, else sorted."""
    present: set[Any] = set(values.tolist())
    return sorted(present) if declared is None else [level for level in declared if level in present]


def random_columns(random: Sequence[str], names: tuple[str, ...]) -> tuple[int, ...]:
    """Which columns of the time basis vary between clients.

    ``"slope"`` and ``"slopes"`` bring the intercept with them, unless ``"no intercept"`` is among the words; a
    term by its own name stands for itself alone.
    """
    words = [random] if isinstance(random, str) else list(random)
    chosen: list[int] = []
    for word in words:
        if word in {"intercept", "1"}:
            chosen.append(0)
        elif word == NO_INTERCEPT:
            continue
        elif word == "slope":
            chosen += [0, 1]
        elif word == "slopes":
            chosen += range(len(names))
        elif word in names:
            chosen.append(names.index(word))
        else:
            near = nearest(str(word), ["intercept", "slope", "slopes", NO_INTERCEPT, *names])
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ModelError(
                f"random takes 'intercept', 'slope', 'slopes', '{NO_INTERCEPT}' or "
                f"a term ({', '.join(names[1:])}); got {word!r}.{hint}"
            )
    if NO_INTERCEPT in words:
        chosen = [column for column in chosen if column]
    if not chosen:
        raise ModelError("random contains no effect; a growth model needs at least 'intercept' or 'slope'.")
    return tuple(sorted(set(chosen)))


@dataclass(frozen=True, slots=True)
class Design:
    """A model's statistics with the way back to its reported terms."""

    statistics: Statistics
    x_names: tuple[str, ...]  # kept columns
    dropped: tuple[str, ...]  # columns that earlier ones already say
    x_map: Floats  # reported X = internal X @ x_map, (p, p)
    z_names: tuple[str, ...]
    z_map: Floats  # reported Z = internal Z @ z_map, (q, q)
    least_squares: Floats  # internal coefficients taken off the outcome, with its centre; (p,)
    outcome_spread: float

    @property
    def x_back(self) -> Floats:
        """Internal to reported coefficients."""
        return inverse(self.x_map)

    @property
    def z_back(self) -> Floats:
        """Internal to reported random effects."""
        return inverse(self.z_map)


@dataclass(frozen=True, slots=True)
class Expansion:
    """How time cross-products become the statistics of a model, for any part of the rows."""

    pairs: tuple[tuple[int, int], ...]  # kept columns
    covariates: Floats  # row 0 is 1, then the scaled covariate columns: (1 + c, clients)
    select: Floats  # internal Z = u @ this
    least: Floats  # internal coefficients taken off the outcome
    weighted: bool  # whether row 0 is the root of the clients that a column stands for, in all rows a factor
    leading: bool  # whether Z is the first columns of u

    def arrays(self, sums: ClientSums, part: slice) -> tuple[Floats, Floats]:
        """S and B of some clients."""
        uu, uy, w = sums.uu[:, :, part], sums.uy[:, part], self.covariates[:, part]
        k1, q = self.select.shape
        size = w.shape[1]
        if self.leading:
            zu, s, zy = uu[:q], uu[:q, :q], uy[:q]
        else:
            zu = (self.select.T @ uu.reshape(k1, -1)).reshape(q, k1, size)
            s = (self.select.T @ zu.transpose(1, 0, 2).reshape(k1, -1)).reshape(q, q, size)
            zy = self.select.T @ uy
        b = np.empty((q, len(self.pairs) + 1, size))
        b[:, -1] = zy
        for column, (a, c) in enumerate(self.pairs):
            if c or self.weighted:
                np.multiply(zu[:, a], w[c], out=b[:, column])
            else:
                b[:, column] = zu[:, a]
            b[:, -1] -= self.least[column] * b[:, column]
        return s, b

    def rows(self, u: Floats, codes: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Build internal X and Z of rows from their time basis, (p, n) and (q, n)."""
        x = np.array([u[a] * self.covariates[c][codes] if c else u[a] for a, c in self.pairs])
        return x, self.select.T @ u

    def at_clients(self, clients: NDArray[np.intp]) -> Expansion:
        """Repeat or pick clients: for sums over parts of a client's rows."""
        return replace(self, covariates=self.covariates[:, clients])

    def pooled(self, sums: ClientSums) -> Floats:
        """[X e]'[X e] over all clients, e the outcome less its fit."""
        out = pooled_products(sums, self.pairs, self.covariates)
        turn = np.eye(len(out))
        turn[:-1, -1] = -self.least
        return turn.T @ out @ turn


def design_of(sums: ClientSums, terms: Terms, random: tuple[int, ...]) -> Design:
    """Expand the time cross-products by the covariates; drop columns that add nothing."""
    return expanded(sums, terms, random)[0]


def expanded(sums: ClientSums, terms: Terms, random: tuple[int, ...]) -> tuple[Design, Expansion]:
    """Make a design, and the way to make its parts."""
    covariates = _covariate_matrix(sums, terms)
    time_map = sums.basis.to_raw()
    select, z_map = _random_map(time_map, random)
    pooled = pooled_products(sums, terms.pairs, covariates)
    x_map = _fixed_map(time_map, terms)
    kept, fill = independent_columns(pooled[:-1, :-1])
    if len(kept) < len(terms.pairs):
        pooled, x_map = pooled[np.ix_([*kept, -1], [*kept, -1])], fill @ x_map[:, kept]
    least, rest = residualised(pooled)
    leading = random == tuple(range(len(random))) and bool((select.diagonal() == 1.0).all())
    weighted = sums.stands_for is not None
    expansion = Expansion(tuple([terms.pairs[j] for j in kept]), covariates, select, least, weighted, leading)
    statistics = statistics_of_sums(sums, expansion, rest, len(random))
    shift = np.zeros(len(kept))
    shift[0] = sums.outcome_centre / sums.outcome_spread
    design = Design(
        statistics,
        tuple([terms.names[j] for j in kept]),
        tuple([name for j, name in enumerate(terms.names) if j not in kept]),
        x_map,
        tuple([terms.names[a] for a in random]),
        z_map,
        least + shift,
        sums.outcome_spread,
    )
    return design, expansion


def statistics_of_sums(sums: ClientSums, expansion: Expansion, pooled: Floats, q: int) -> Statistics:
    """Cut the clients into blocks, of the leanest kind that the model allows."""
    w, pairs = expansion.covariates, expansion.pairs
    count = sums.stands_for
    if count is None and expansion.leading and q == len(sums.uu) == 2 and len(w) <= MOST_COVARIATES:
        room = np.empty(8 * w.shape[1])  # at once: one large array is quicker to come by than many small
        products = tuple(
            ProductBlock.of(
                sums.uu[:, :, part], sums.uy[:, part], w[:, part], pairs, expansion.least,
                room[8 * part.start : 8 * part.stop].reshape(8, -1),
            )
            for part in block_slices(w.shape[1], ROWS * len(w), 2 * PRODUCT)  # a product of rows with themselves
        )  # fmt: skip
        return ProductStatistics.of_blocks(products, pooled, sums.rows)
    slices = block_slices(w.shape[1], q * (len(pairs) + 1))
    blocks = tuple(
        block_of(*expansion.arrays(sums, part), None if count is None else count[part]) for part in slices
    )
    return Statistics(blocks, pooled, sums.rows)


def _covariate_matrix(sums: ClientSums, terms: Terms) -> Floats:
    """Row 0 is 1, then the scaled covariate columns; (1 + c, clients).

    A column that stands for n clients enters with the root of n, so that products count n times.
    """
    out = np.empty((len(terms.covariates) + 1, sums.uu.shape[2]))
    out[0] = 1.0
    for i, column in enumerate(terms.covariates):
        out[i + 1] = column.scaled(sums.covariates[column.source])
    return out if sums.stands_for is None else out * np.sqrt(sums.stands_for)


def _random_map(time_map: Floats, random: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Find the matrices with internal Z = u @ first, and reported Z = internal Z @ second.

    Columns of u themselves where centring stays within them; else the reported columns, scaled.
    """
    if len(random) == len(time_map):
        return np.eye(len(time_map)), time_map
    columns = time_map[:, random]
    outside = [a for a in range(len(time_map)) if a not in random]
    if not np.abs(columns[outside]).max() > 0:
        return np.eye(len(time_map))[:, random], columns[list(random)]
    size = np.sqrt((columns**2).sum(axis=0))
    return columns / size, np.diag(size)


def _fixed_map(time_map: Floats, terms: Terms) -> Floats:
    """Find the matrix with reported X = internal X @ it: a Kronecker product restricted to the pairs."""
    c = len(terms.covariates) + 1
    covariate_map = np.eye(c)
    for i, column in enumerate(terms.covariates, start=1):
        covariate_map[i, i], covariate_map[0, i] = column.spread, column.centre
    a, w = np.array(terms.pairs).T
    return time_map[a[:, None], a] * covariate_map[w[:, None], w]


FEW_COVARIATES = 4  # columns, the constant among them, whose products all fit a cache at once


def pooled_products(sums: ClientSums, pairs: tuple[tuple[int, int], ...], covariates: Floats) -> Floats:
    """[X y]'[X y] over all clients."""
    p, k1, c1 = len(pairs), sums.uu.shape[0], len(covariates)
    weighted = np.zeros((k1 * k1, c1, c1))  # sum over clients of u_a u_b w w'
    to_y = np.zeros((k1, c1))
    for part in block_slices(covariates.shape[1]):
        w, uu = covariates[:, part], sums.uu[:, :, part].reshape(k1 * k1, -1)
        if c1 <= FEW_COVARIATES:
            weighted += (uu @ (w[:, None] * w).reshape(c1 * c1, -1).T).reshape(-1, c1, c1)
        else:
            for ab, product in enumerate(uu):
                weighted[ab] += (w * product) @ w.T
        to_y += sums.uy[:, part] @ w.T
    out = np.empty((p + 1, p + 1))
    a, c = np.array(pairs).T
    out[:p, :p] = weighted[k1 * a[:, None] + a, c[:, None], c]
    out[p, :p] = out[:p, p] = to_y[a, c]
    out[p, p] = sums.yy
    return out


def independent_columns(cross: Floats, *, tolerance: float = 1e-10) -> tuple[list[int], Floats]:
    """Columns that earlier columns do not already say, from their cross-products.

    Returns
    -------
    kept : list of int
        Kept columns, in order.
    fill : ndarray, shape (len(kept), p)
        All columns in terms of the kept ones.
    """
    p = len(cross)
    root = cholesky(cross)
    sizes: list[float] = cross.diagonal().tolist()
    if root is not None and all(
        pivot * pivot > tolerance * size for pivot, size in zip(root.diagonal().tolist(), sizes, strict=True)
    ):
        return list(range(p)), np.eye(p)
    scale = np.sqrt(cross.diagonal())
    safe = np.where(scale > 0, scale, 1.0)
    unit = cross / safe / safe[:, None]
    kept: list[int] = []
    for j in range(p):
        if not scale[j] > 0:
            continue
        selected = unit[np.ix_(kept, kept)]
        link = unit[kept, j]
        left = 1.0 - (float(link @ np.linalg.solve(selected, link)) if kept else 0.0)
        if left > tolerance:
            kept.append(j)
    fill = np.linalg.solve(unit[np.ix_(kept, kept)], unit[kept]) * safe / safe[kept][:, None]
    fill[:, kept] = np.eye(len(kept))
    return kept, fill


def residualised(pooled: Floats) -> tuple[Floats, Floats]:
    """Least-squares coefficients of the last column on the others, and [X e]'[X e] for its residual e."""
    xx, xy = pooled[:-1, :-1], pooled[:-1, -1]
    least = solve_positive(xx, xy)
    left = xy - xx @ least
    out = pooled.copy()
    out[:-1, -1] = out[-1, :-1] = left
    out[-1, -1] -= least @ xy + least @ left
    return least, out
