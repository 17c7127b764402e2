"""How badly do given covariance parameters fit: the profiled (RE)ML deviance, a pure function of theta."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mbc.models.growth.design.statistics import Statistics, Sums
from mbc.models.growth.matrices import Floats, cholesky, inverse_factor


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The profiled deviance -2 log L at one factor L of Psi = L L', and its derivatives with respect to Psi."""

    factor: Floats  # L, (q, q)
    deviance: float  # -2 log-likelihood in the internal scale; inf where the cross-products break down
    residual_df: int  # n (ML) or n - p (REML)
    prss: float  # penalised residual sum of squares
    gamma: Floats  # [-beta, 1], (m,): [X y] gamma are the residuals
    inverse: Floats  # (X'V^-1 X)^-1, (p, p)
    root: Floats  # of W, the weight of F'.F in the slope: W = root'root, (m, m) for REML, (1, m) for ML
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
        """Find the observed H, exact; None where there are many clients.

        With W = (n / r) gamma gamma' (+ A_xx^-1 for REML), v = Z'V^-1(y - X beta) and r = prss:
        ``- sum tr(Q dPsi Q dPsi) + 2 sum tr(Q dPsi F W F' dPsi)`` less what profiling beta and sigma^2 gives back,
        and for REML less ``tr(A^-1 F'dPsi F A^-1 F'dPsi F)``.
        """
        if self.sums.each is None:
            return None
        q, m = len(self.factor), len(self.gamma)
        f, left, right = self.sums.each()
        half = self.root @ f  # F W F' = half'half, per client
        both = np.einsum("amn,bmn->abn", half, half).reshape(q * q, -1)
        turned = (left @ (right @ both.T)).reshape(q, q, q, q).transpose(2, 0, 1, 3)
        by_gamma = (self.sums.f_gram.reshape(q * m * q, m) @ self.gamma).reshape(q, m, q)
        gram = np.einsum("amb,m->ab", by_gamma, self.gamma).ravel()
        flat = by_gamma[:, :-1].transpose(0, 2, 1).reshape(q * q, m - 1)
        joint = flat @ self.inverse @ flat.T + np.multiply.outer(gram, gram / (2 * self.prss))
        out = 2 * turned - (2 * self.residual_df / self.prss) * joint.reshape(q, q, q, q)
        out -= self.sums.q_gram.transpose(1, 2, 0, 3)
        if len(self.root) > 1:  # REML
            x = self.sums.f_gram[:, :-1, :, :-1].transpose(0, 2, 1, 3).reshape(q * q, m - 1, m - 1)
            turns = self.inverse @ x
            pairs = turns.reshape(q * q, -1) @ turns.transpose(0, 2, 1).reshape(q * q, -1).T
            out -= pairs.reshape(q, q, q, q)
        return out


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
        nothing = np.zeros((m, m))
        return Evaluation(
            factor, math.inf, df, math.nan, nothing[0], nothing[:-1, :-1], nothing, np.zeros((q, q)), sums
        )
    half = inverse_factor(root)
    diagonal = [math.log(pivot) for pivot in root.diagonal().tolist()]
    prss = math.exp(2 * diagonal[-1])
    gamma = half[-1] / half[-1, -1]
    inverse = half[:-1, :-1].T @ half[:-1, :-1]
    deviance = sums.log_det + df * (1 + math.log(2 * math.pi / df) + 2 * diagonal[-1])
    half[-1] *= math.sqrt(df)
    weight_root = half if reml else half[-1:]
    if reml:
        deviance += 2 * sum(diagonal[:-1])
    weight = weight_root.T @ weight_root
    slope = sums.q_sum - (sums.f_gram.transpose(0, 2, 1, 3).reshape(q * q, -1) @ weight.ravel()).reshape(q, q)
    return Evaluation(factor, deviance, df, prss, gamma, inverse, weight_root, slope, sums)
