"""Do two outcomes change together: bivariate growth, with their intercepts and slopes correlated across outcomes.

The outcomes are stacked. Where both were scored at the same session their residuals may be correlated as well:
with R the 2 x 2 residual covariance, a session of both adds R^-1 (x) ff' to Z'R^-1Z, so that five sums of
cross-products (both x 3, first alone, second alone) hold everything for any R.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.frames import open_frame
from mbc.models.growth.data.client_sums import Basis, ClientSums, sums_about
from mbc.models.growth.data.rows import Rows, read_rows, require_columns
from mbc.models.growth.data.shapes import Shape, ShapeName, shape_of
from mbc.models.growth.design.design import Design, Expansion, expanded, random_columns, split_covariates, terms_of
from mbc.models.growth.fit.fit_model import warn_unless_converged
from mbc.models.growth.fit.identification import checked_start
from mbc.models.growth.fit.optimiser import FitReport
from mbc.models.growth.inference.reported import coefficient_columns
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.weighted_cells import CellFit, Cells, Weighting, fit_cells
from mbc.models.results.facts import records
from mbc.models.results.result import Result
from mbc.models.results.tables import Backend, text_table
from mbc.models.results.tables import frame as native_frame


@dataclass(frozen=True, slots=True)
class Correlation(Result):
    """A correlation with its interval."""

    first: str
    second: str
    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class PairedGrowth(Result):
    """Two outcomes' growth, fitted together. Names carry the outcome: ``"rses: week"``."""

    outcomes: tuple[str, str]
    names: tuple[str, ...]  # fixed effects
    coefficients: Floats
    covariance: Floats
    effects: tuple[str, ...]  # random effects
    random_covariance: Floats
    residual_covariance: Floats  # (2, 2), of one session
    correlations: tuple[Correlation, ...]  # between random effects
    log_likelihood: float
    n_clients: int
    n_observations: int  # scores, both outcomes
    n_sessions_with_both: int
    report: FitReport

    @property
    def converged(self) -> bool:
        """Whether the search reached its optimum."""
        return self.report.converged

    @property
    def standard_errors(self) -> Floats:
        """Of the coefficients."""
        return np.sqrt(self.covariance.diagonal())

    @checked
    def correlation(self, first: str, second: str) -> Correlation:
        """Find the correlation of two random effects, by name."""
        for correlation in self.correlations:
            if {correlation.first, correlation.second} == {first, second}:
                return correlation
        raise ModelError(f"no correlation of {first!r} and {second!r}; effects are {', '.join(self.effects)}.")

    def _columns(self) -> dict[str, Any]:
        """Correlations of the random effects: first, second, correlation, lower, upper."""
        columns = records(self.correlations, Correlation)
        return {("correlation" if name == "estimate" else name): column for name, column in columns.items()}

    def coefficients_frame(self, *, backend: Backend | None = None) -> Any:
        """Make the table of fixed effects: term, estimate, standard_error, statistic, p_value, lower, upper."""
        return native_frame(
            coefficient_columns(self.names, self.coefficients, self.standard_errors),
            backend or self.input_backend or "polars",
        )

    def _notes(self) -> list[str]:
        return [f"Fixed effects:\n{text_table(self.coefficients_frame(backend='polars'))}"]


@checked
def paired_growth(
    frame: Any,
    *,
    outcomes: tuple[str, str],
    time: str,
    client: str,
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept", "slope"),
    reml: bool = True,
) -> PairedGrowth:
    """Fit the growth of two outcomes together.

    Parameters
    ----------
    frame : table
        One row per session, with both outcomes as columns; either may be missing.
    outcomes : (str, str)
        The two columns, for example self-esteem and relationship satisfaction.
    time, client, shape, covariates, random, reml
        As in `growth_curve`; the same for both outcomes.

    Returns
    -------
    PairedGrowth
        ``correlation("a: week", "b: week")`` is the correlation of the two slopes.

    References
    ----------
    .. [1] MacCallum, Kim, Malarkey & Kiecolt-Glaser (1997), doi:10.1207/s15327906mbr3203_1.
    """
    if len(outcomes) != 2 or outcomes[0] == outcomes[1]:
        raise ModelError(f"outcomes must be two different columns, got {tuple(outcomes)}.")
    table: Any = open_frame(frame)
    eager = cast("nw.DataFrame[Any]", table.collect() if isinstance(table, nw.LazyFrame) else table)
    require_columns(eager.columns, [*outcomes, time, client])
    stacked = _Stacked.of(eager, outcomes, time, client, covariates, shape_of(shape), random)
    start = np.zeros((2 * stacked.q, 2 * stacked.q))
    for o, design in enumerate(stacked.designs):
        part = slice(o * stacked.q, (o + 1) * stacked.q)
        start[part, part] = checked_start(design, reml=reml).factor
    fit = fit_cells(stacked.cells, stacked.weighting(), start, stacked.start(), reml=reml)
    warn_unless_converged(fit.report, "paired_growth")
    return _result(stacked, outcomes, fit, reml=reml)


@dataclass(frozen=True, slots=True)
class _Stacked:
    """Both outcomes' designs and cells, over the same clients."""

    designs: tuple[Design, Design]
    cells: Cells  # both: 11, 12, 22; first alone; second alone
    counts: Floats  # sessions with both, with the first alone, with the second alone
    q: int

    @staticmethod
    def of(
        table: nw.DataFrame[Any],
        outcomes: tuple[str, str],
        time: str,
        client: str,
        covariates: Sequence[str],
        shape: Shape,
        random: Sequence[str],
    ) -> _Stacked:
        names = [name for name, _ in split_covariates(covariates)]
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
        for i in range(2):
            score = rows.extras[f"mbc_{i}"]
            centre, spread = float(score[has[i]].mean()), float(score[has[i]].std())
            if not spread > 0:
                raise ModelError(f"every score of {outcomes[i]!r} is {centre:g}: there is no variation to model.")
            own = sums_about(rows.with_outcome(score).where(has[i]), basis, centre, spread)
            design, expansion = expanded(own, terms_of(own, time, covariates), picked)
            designs.append(design)
            expansions.append(expansion)
            centres.append((centre, spread))
        cells = _cells(rows, basis, both, only, expansions, centres)
        counts = np.array([both.sum(), only[0].sum(), only[1].sum()], dtype=np.float64)
        return _Stacked((designs[0], designs[1]), cells, counts, designs[0].statistics.q)

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
            f"{outcomes[0]!r} and {outcomes[1]!r} are the same measure: around each client's own course one is a "
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


def _result(stacked: _Stacked, outcomes: tuple[str, str], fit: CellFit, *, reml: bool) -> PairedGrowth:
    first, second = stacked.designs
    q, p = stacked.q, len(first.x_names)
    scales = np.array([first.outcome_spread, second.outcome_spread])
    at = fit.optimum
    back_x, back_z = np.zeros((fit.statistics.p,) * 2), np.zeros((2 * q, 2 * q))
    back_x[:p, :p], back_x[p:, p:] = scales[0] * first.x_back, scales[1] * second.x_back
    back_z[:q, :q], back_z[q:, q:] = scales[0] * first.z_back, scales[1] * second.z_back
    inner = np.concatenate([first.least_squares, second.least_squares]) - at.gamma[:-1]
    root = math.sqrt(at.sigma2) * back_z @ at.factor
    ratio = math.exp(float(fit.numbers[0]))
    correlation = math.tanh(float(fit.numbers[1])) if fit.numbers.size > 1 else 0.0
    sds = math.sqrt(at.sigma2) * scales * np.array([1.0, ratio])
    residual = np.multiply.outer(sds, sds) * np.array([[1.0, correlation], [correlation, 1.0]])
    both, alone_first, alone_second = stacked.counts.tolist()
    rows = np.array([both + alone_first, both + alone_second])
    deviance = fit.deviance + 2 * float(rows @ np.log(scales))
    if reml:
        for design, scale in zip(stacked.designs, scales.tolist(), strict=True):
            deviance += 2 * float(np.linalg.slogdet(design.x_map)[1]) - 2 * len(design.x_names) * math.log(scale)
    effects = tuple(f"{o}: {name}" for o, d in zip(outcomes, stacked.designs, strict=True) for name in d.z_names)
    return PairedGrowth(
        outcomes=outcomes,
        names=tuple(f"{o}: {name}" for o, d in zip(outcomes, stacked.designs, strict=True) for name in d.x_names),
        coefficients=back_x @ inner,
        covariance=at.sigma2 * (back_x @ at.inverse @ back_x.T),
        effects=effects,
        random_covariance=root @ root.T,
        residual_covariance=residual,
        correlations=_correlations(effects, root, back_z, fit),
        log_likelihood=-0.5 * deviance,
        n_clients=fit.statistics.clients,
        n_observations=fit.statistics.rows,
        n_sessions_with_both=int(both),
        report=fit.report,
    )


def _correlations(effects: tuple[str, ...], root: Floats, back: Floats, fit: CellFit) -> tuple[Correlation, ...]:
    """Correlations of the random effects, with delta-method intervals on Fisher's z."""
    k = len(root)
    columns, rows = np.triu_indices(k)
    covariance = 2 * np.linalg.pinv(fit.hessian, hermitian=True)[: len(rows), : len(rows)]

    def z_of(theta: Floats, i: int, j: int) -> float:
        lower = np.zeros((k, k))
        lower[rows, columns] = theta
        g = back @ lower
        g = g @ g.T
        return math.atanh(min(max(float(g[i, j] / math.sqrt(g[i, i] * g[j, j])), -1 + 1e-12), 1 - 1e-12))

    theta = fit.optimum.factor[rows, columns]
    g = root @ root.T
    out: list[Correlation] = []
    for i in range(k):
        for j in range(i):
            if not g[i, i] * g[j, j] > 0:
                continue
            center = z_of(theta, i, j)
            slope = np.empty(len(rows))
            for n in range(len(rows)):
                step = np.zeros(len(rows))
                step[n] = 1e-5 * max(1.0, abs(float(theta[n])))
                slope[n] = (z_of(theta + step, i, j) - z_of(theta - step, i, j)) / (2 * step[n])
            half = 1.959963984540054 * math.sqrt(max(float(slope @ covariance @ slope), 0.0))
            out.append(
                Correlation(
                    effects[j], effects[i], math.tanh(center), math.tanh(center - half), math.tanh(center + half)
                )
            )
    return tuple(out)
