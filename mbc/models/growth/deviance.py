"""How badly do given covariance parameters fit: the profiled (RE)ML deviance, a pure function of theta."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mbc.models.growth.matrices import Floats, cholesky, inverse_factor
from mbc.models.growth.statistics import Statistics, Sums


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
    sums: Sums

    @property
    def sigma2(self) -> float:
        """Residual variance, internal scale."""
        return self.prss / self.residual_df

    def residual_gram(self) -> Floats:
        """Sum of v v', v = Z'V^-1(y - X beta): minus the slope of the penalised residual sum of squares."""
        q, m = len(self.factor), len(self.gamma)
        half = self.sums.f_gram.reshape(q * m * q, m) @ self.gamma
        return np.einsum("amb,m->ab", half.reshape(q, m, q), self.gamma)

    def expected_curvature(self) -> Floats:
        """Find the expected H[a, b, c, d]: the deviance's second change is sum H dPsi[a, b] dPsi[c, d].

        ``sum tr(Q dPsi Q dPsi) - (sum tr(Q dPsi))^2 / n``, with sigma^2 profiled out.
        """
        # Q[a, b] dPsi[b, c] Q[c, d] dPsi[d, a]
        spread = np.multiply.outer(self.sums.q_sum, self.sums.q_sum)
        return self.sums.q_gram.transpose(1, 2, 0, 3) - spread / self.residual_df

    def observed_curvature(self) -> Floats | None:
        """Find the observed H, but for what REML adds; None where the clients are in several blocks.

        With r = prss: ``-sum tr(Q dPsi Q dPsi) + (df / r) r'' - (df / r^2) r'^2``.
        """
        if self.sums.each is None:
            return None
        q, m = len(self.factor), len(self.gamma)
        f, left, right = self.sums.each
        v = self.gamma @ f
        vv = (v[:, None] * v).reshape(q * q, -1)
        ratio = self.residual_df / self.prss
        turned = (left @ (right @ vv.T)).reshape(q, q, q, q).transpose(2, 0, 1, 3)
        gram = vv.sum(axis=1)
        cross = (self.sums.f_gram.reshape(q * m * q, m) @ self.gamma).reshape(q, m, q)[:, :-1]
        flat = cross.transpose(0, 2, 1).reshape(q * q, m - 1)
        joint = flat @ self.inverse @ flat.T + np.multiply.outer(gram, gram / (2 * self.prss))
        return 2 * ratio * (turned - joint.reshape(q, q, q, q)) - self.sums.q_gram.transpose(1, 2, 0, 3)


def evaluate(statistics: Statistics, factor: Floats, *, reml: bool) -> Evaluation:
    """Evaluate the profiled deviance at Psi = factor factor', with its gradient.

    Notes
    -----
    With A = C - sum B'K B = [X y]'V^-1[X y] and r = prss:
    ML ``sum log|V| + n (1 + log(2 pi r / n))``; REML adds ``log|A_xx|`` and counts n - p instead of n [1]_.
    The gradient with respect to Psi is ``sum Q - sum F W F'``, W = (n / r) gamma gamma' (+ A_xx^-1 for REML).

    References
    ----------
    .. [1] Bates, Maechler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01, eq. 34 and 42.
    """
    sums = statistics.sums(factor)
    q, m = len(factor), len(statistics.pooled)
    df = statistics.rows - m + 1 if reml else statistics.rows
    a = statistics.pooled - sums.explained
    root = cholesky(a)
    if root is None:
        return Evaluation(
            factor, math.inf, df, math.nan, np.zeros(m), np.zeros((m - 1, m - 1)), np.zeros((q, q)), sums
        )
    half = inverse_factor(root)
    diagonal = np.log(root.diagonal()).tolist()
    prss = math.exp(2 * diagonal[-1])
    gamma = half[-1] / half[-1, -1]
    inverse = half[:-1, :-1].T @ half[:-1, :-1]
    deviance = sums.log_det + df * (1 + math.log(2 * math.pi / df) + 2 * diagonal[-1])
    weight = (gamma * (df / prss)) * gamma[:, None]
    if reml:
        deviance += 2 * sum(diagonal[:-1])
        weight[:-1, :-1] += inverse
    slope = sums.q_sum - (sums.f_gram.transpose(0, 2, 1, 3).reshape(q * q, -1) @ weight.ravel()).reshape(q, q)
    return Evaluation(factor, deviance, df, prss, gamma, inverse, slope, sums)
