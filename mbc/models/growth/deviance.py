"""How badly do given covariance parameters fit: the profiled (RE)ML deviance, a pure function of theta."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mbc.models.growth.matrices import Floats
from mbc.models.growth.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The profiled deviance -2 log L at one factor L of Psi = L L', and its derivatives with respect to Psi."""

    factor: Floats  # L, (q, q)
    deviance: float  # -2 log-likelihood in the internal scale; inf where the cross-products break down
    residual_df: int  # n (ML) or n - p (REML)
    prss: float  # penalised residual sum of squares
    gamma: Floats  # [-beta, 1], (m,): [X y] gamma are the residuals
    inverse: Floats  # (X'V^-1 X)^-1, (p, p)
    slope: Floats  # D, (q, q): change of the deviance = tr(D dPsi)
    f_gram: Floats  # sum F[a, s] F[b, t], (q, m, q, m)
    curvature: Floats  # expected H[a, b, c, d]: second change of the deviance = sum H dPsi[a, b] dPsi[c, d]

    def residual_gram(self) -> Floats:
        """Sum of v v', v = Z'V^-1(y - X beta): minus the slope of the penalised residual sum of squares."""
        return np.einsum("ambn,m,n->ab", self.f_gram, self.gamma, self.gamma)

    @property
    def sigma2(self) -> float:
        """Residual variance, internal scale."""
        return self.prss / self.residual_df


def evaluate(statistics: Statistics, factor: Floats, *, reml: bool) -> Evaluation:
    """Evaluate the profiled deviance at Psi = factor factor', with gradient and expected information.

    Notes
    -----
    With A = C - sum B'K B = [X y]'V^-1[X y] and r = prss:
    ML ``sum log|V| + n (1 + log(2 pi r / n))``; REML adds ``log|A_xx|`` and counts n - p instead of n [1]_.
    The gradient with respect to Psi is ``sum Q - sum F W F'``, W = (n / r) gamma gamma' (+ A_xx^-1 for REML).
    The expected second derivative is ``sum tr(Q dPsi Q dPsi) - (sum tr(Q dPsi))^2 / n`` (sigma^2 profiled).

    References
    ----------
    .. [1] Bates, Maechler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01, eq. 34 and 42.
    """
    sums = statistics.sums(factor)
    p = statistics.p
    df = statistics.rows - p if reml else statistics.rows
    a = statistics.pooled - 0.5 * (sums.explained + sums.explained.T)
    try:
        root = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return _broken(factor, statistics, df)
    half = np.linalg.inv(root)
    diagonal = np.log(root.diagonal()).tolist()
    prss = math.exp(2 * diagonal[-1])
    gamma = half[-1] / half[-1, -1]
    inverse = half[:p, :p].T @ half[:p, :p]
    deviance = sums.log_det + df * (1 + math.log(2 * math.pi / df) + 2 * diagonal[-1])
    weight = (df / prss) * np.multiply.outer(gamma, gamma)
    if reml:
        deviance += 2 * sum(diagonal[:-1])
        weight[:p, :p] += inverse
    slope = sums.q_sum - (sums.f_gram.transpose(0, 2, 1, 3) * weight).sum(axis=(2, 3))
    # sum tr(Q dPsi Q dPsi'): Q[a, b] dPsi[b, c] Q[c, d] dPsi[d, a]
    curvature = sums.q_gram.transpose(1, 2, 0, 3) - np.multiply.outer(sums.q_sum, sums.q_sum) / df
    return Evaluation(factor, deviance, df, prss, gamma, inverse, 0.5 * (slope + slope.T), sums.f_gram, curvature)


def _broken(factor: Floats, statistics: Statistics, df: int) -> Evaluation:
    q, p = statistics.q, statistics.p
    nothing = np.zeros((q, q))
    return Evaluation(
        factor,
        math.inf,
        df,
        math.nan,
        np.zeros(p + 1),
        np.zeros((p, p)),
        nothing,
        np.zeros((q, p + 1, q, p + 1)),
        np.zeros((q, q, q, q)),
    )
