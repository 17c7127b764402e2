"""How surely are the variances known: observed and expected information, exact and in closed form.

The parameters are the covariances G (lower triangle by columns) and the residual variance sigma^2. In terms of
Psi = G / sigma^2 the likelihood is -2 l = log|V| (+ log|X'V^-1X|) + df log(2 pi sigma^2) + r / sigma^2, whose
second derivatives need, per client, only Q = Z'V^-1Z, F = Z'V^-1X and v = Z'V^-1(y - X beta).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbc.models.growth.design.design import Design
from mbc.models.growth.design.statistics import Statistics
from mbc.models.growth.fit.deviance import Evaluation
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True, slots=True)
class SecondSums:
    """Sums over clients that second derivatives need, internal scale; indices are random effects."""

    q_sum: Floats  # Q[a, b]
    q_gram: Floats  # Q[a, b] Q[c, d]
    q_v: Floats  # Q[a, b] v[c] v[d]
    q_f: Floats  # Q[a, b] (F A^-1 F')[c, d]
    f_gram: Floats  # F[a, s] F[b, t]: (q, p, q, p)
    fv: Floats  # F[a, s] v[b]: (q, p, q)
    v_gram: Floats  # v[a] v[b]


def second_sums(statistics: Statistics, at: Evaluation, gamma: Floats | None = None) -> SecondSums:
    """Sum over clients once, at one evaluation (and at other coefficients, if given)."""
    q, p = statistics.q, statistics.p
    gamma = at.gamma if gamma is None else gamma
    root = np.linalg.cholesky(at.inverse)
    gram = np.zeros((q * q, q * q))
    q_v, q_f = gram.copy(), gram.copy()
    rows = np.zeros((q * (p + 1), q * (p + 1)))
    q_sum = np.zeros(q * q)
    for block in statistics.blocks:
        k, precision = block.precision(at.factor)
        s, b = block.s, block.b
        kb = np.einsum("abn,bmn->amn", k, b)
        f = b - np.einsum("abn,bmn->amn", s, kb)
        v: Floats = np.einsum("m,amn->an", gamma, f)
        fx = np.ascontiguousarray(f[:, :p])
        half: Floats = np.einsum("st,asn->tan", root, fx)  # (p, q, n)
        flat = precision.reshape(q * q, -1)
        many = flat if block.count is None else flat * block.count
        q_sum += many.sum(axis=1)
        gram += many @ flat.T
        q_v += flat @ (v[:, None] * v[None]).reshape(q * q, -1).T
        q_f += flat @ np.einsum("pan,pbn->abn", half, half).reshape(q * q, -1).T
        both = np.concatenate([fx, v[:, None]], axis=1).reshape(q * (p + 1), -1)
        rows += both @ both.T
    rows = rows.reshape(q, p + 1, q, p + 1)
    cube = (q, q, q, q)
    return SecondSums(
        q_sum.reshape(q, q),
        gram.reshape(cube),
        q_v.reshape(cube),
        q_f.reshape(cube),
        rows[:, :p, :, :p],
        rows[:, :p, :, p],
        rows[:, p, :, p],
    )


@dataclass(frozen=True, slots=True)
class Curvature:
    """Second derivatives of -2 l along directions of Psi, and the pieces they are made of; internal scale."""

    trace: Floats  # tr(Q E): first derivative of log|V|, (k,)
    fixed: Floats  # F'E F: -1 x first derivative of X'V^-1X, (k, p, p)
    quadratic: Floats  # v'E v: -1 x first derivative of r, (k,)
    cross: Floats  # F'E v, (k, p)
    log_det: Floats  # second derivative of log|V| (+ log|X'V^-1X|), (k, k)
    residual: Floats  # second derivative of r, (k, k)
    trace_reml: Floats  # tr(Q E) (- tr(A^-1 F'E F)), (k,)


def curvature(sums: SecondSums, at: Evaluation, directions: Floats, *, reml: bool) -> Curvature:
    """Contract the sums with directions E of Psi, shape (k, q, q), each symmetric."""
    e = directions
    trace = np.einsum("ab,kab->k", sums.q_sum, e)
    fixed = np.einsum("asbt,kab->kst", sums.f_gram, e)
    quadratic = np.einsum("ab,kab->k", sums.v_gram, e)
    cross = np.einsum("asb,kab->ks", sums.fv, e)
    log_det = -_sandwich(sums.q_gram, e)
    trace_reml = trace
    if reml:
        turned = np.einsum("st,ktu->ksu", at.inverse, fixed)
        log_det = log_det + 2 * _sandwich(sums.q_f, e) - np.einsum("kst,lts->kl", turned, turned)
        trace_reml = trace - np.einsum("kss->k", turned)
    residual = 2 * _sandwich(sums.q_v, e) - 2 * cross @ at.inverse @ cross.T
    return Curvature(trace, fixed, quadratic, cross, log_det, residual, trace_reml)


def _sandwich(gram: Floats, e: Floats) -> Floats:
    """Sum of tr(M E_j N E_k) for gram = sum M[a, b] N[c, d], made symmetric in j and k."""
    both = np.einsum("abcd,jbc,kda->jk", gram, e, e, optimize=True)
    return 0.5 * (both + both.T)


def second_derivatives(statistics: Statistics, at: Evaluation, along: Floats, *, reml: bool) -> Floats:
    """Second derivatives of the profiled deviance along directions of Psi, shape (k, q, q); exact, in (k, k).

    With sigma^2 profiled out, ``df log r`` adds ``df (r'' / r - r' r' / r^2)`` to those of the determinants.
    """
    c = curvature(second_sums(statistics, at), at, along, reml=reml)
    df, r = at.residual_df, at.prss
    return c.log_det + df * (c.residual / r - np.multiply.outer(c.quadratic, c.quadratic) / (r * r))


def directions(design: Design) -> Floats:
    """Find internal changes of Psi for a unit change of each reported covariance, lower triangle by columns."""
    q = len(design.z_names)
    columns, rows = np.triu_indices(q)
    units = np.zeros((len(rows), q, q))
    index = np.arange(len(rows))
    units[index, rows, columns] = 1.0
    units[index, columns, rows] = 1.0
    return np.einsum("ab,kbc,dc->kad", design.z_map, units, design.z_map)


@dataclass(frozen=True, slots=True)
class VarianceInformation:
    """Information on (G by columns, sigma^2) in the units of the data, of the log-likelihood maximised."""

    observed: Floats  # minus the Hessian, (k + 1, k + 1)
    expected: Floats

    @property
    def covariance(self) -> Floats:
        """Asymptotic covariance of the variances: inverse of the observed information, pseudo where singular."""
        return np.linalg.pinv(self.observed, hermitian=True, rcond=1e-12)


def variance_information(design: Design, at: Evaluation, *, reml: bool) -> VarianceInformation:
    """Observed and expected information on the covariances and the residual variance."""
    sums = second_sums(design.statistics, at)
    relative = relative_information(
        sums, curvature(sums, at, directions(design), reml=reml), design, at, reml=reml
    )
    jacobian = to_relative(design, at) / design.outcome_spread**2
    return VarianceInformation(
        jacobian.T @ relative.observed @ jacobian, jacobian.T @ relative.expected @ jacobian
    )


def to_relative(design: Design, at: Evaluation) -> Floats:
    """Differentiate (Psi, sigma^2) by (G, sigma^2), internal outcome units."""
    back = design.z_back @ at.factor
    psi = back @ back.T
    columns, rows = np.triu_indices(len(psi))
    jacobian = np.eye(len(rows) + 1)
    jacobian[:-1] /= at.sigma2
    jacobian[:-1, -1] = -psi[rows, columns] / at.sigma2
    return jacobian


def relative_information(
    sums: SecondSums, c: Curvature, design: Design, at: Evaluation, *, reml: bool
) -> VarianceInformation:
    """Information on (Psi along `directions`, sigma^2), internal outcome units."""
    df, sigma2 = at.residual_df, at.sigma2
    k = len(c.trace)
    observed, expected = np.empty((k + 1, k + 1)), np.empty((k + 1, k + 1))
    observed[:k, :k] = 0.5 * (c.log_det + c.residual / sigma2)
    observed[:k, k] = observed[k, :k] = 0.5 * c.quadratic / sigma2**2
    observed[k, k] = 0.5 * (-df + 2 * at.prss / sigma2) / sigma2**2
    expected[:k, :k] = -0.5 * c.log_det if not reml else _expected_reml(sums, at, c, design)
    expected[:k, k] = expected[k, :k] = 0.5 * c.trace_reml / sigma2
    expected[k, k] = 0.5 * df / sigma2**2
    return VarianceInformation(observed, expected)


def _expected_reml(sums: SecondSums, at: Evaluation, c: Curvature, design: Design) -> Floats:
    """Half of tr(P V_j P V_k)."""
    e = directions(design)
    turned = np.einsum("st,ktu->ksu", at.inverse, c.fixed)
    both = np.einsum("kst,lts->kl", turned, turned)
    return 0.5 * (_sandwich(sums.q_gram, e) - 2 * _sandwich(sums.q_f, e) + both)
