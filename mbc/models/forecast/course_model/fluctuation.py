"""How scores move about the mean course: lasting differences, fluctuation that fades, and measurement error.

On the internal scale, for client i at time t with intake a:

    w_i(t) = x(t, a)'beta + b_0i + b_1i (clock(t) - c) + f_i(t) + e_i(t),
    b_i ~ N(0, G),  cov(f_i(s), f_i(t)) = v exp(-|s - t| / tau),  e_i(t) ~ N(0, sigma^2).

Without f, two scores a week apart would tell as much about the end as two scores half a year apart. The scores
after intake are modelled given the intake score, so that nothing is assumed about who comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mbc.models.forecast.course_model.mean_basis import MeanBasis
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True, slots=True)
class Scatter:
    """Variances of the internal scale."""

    effects: Floats  # G, (2, 2): level, and slope on the clock
    fading: float  # v
    fading_time: float  # tau, in the unit of time
    error: float  # sigma^2
    clock_center: float  # c

    def effect_columns(self, clock: Floats) -> Floats:
        """Columns of the lasting differences, (n, t, 2)."""
        return np.stack([np.ones_like(clock), clock - self.clock_center], axis=-1)

    def covariance(self, effects: Floats, time: Floats, seen: int) -> Floats:
        """Covariance of the course at all times with the course at the first ``seen``, (n, t, seen); no error.

        Parameters
        ----------
        effects : ndarray, shape (n, t, 2)
            From `effect_columns`.
        time : ndarray, shape (n, t)
        seen : int
        """
        lasting = np.einsum("nta,ab,nsb->nts", effects, self.effects, effects[:, :seen])
        gap = np.abs(time[:, :, None] - time[:, None, :seen])
        return lasting + self.fading * np.exp(-gap / self.fading_time)


@dataclass(frozen=True, slots=True)
class CourseModel:
    """A fitted course model on the internal scale."""

    basis: MeanBasis
    coefficients: Floats  # beta, (p,)
    uncertainty: Floats  # Var(beta^), (p, p)
    scatter: Scatter

    def predict(
        self,
        time: Floats,
        internal: Floats,
        intake: Floats,
        at: Floats,
        *,
        known: NDArray[np.bool_] | None = None,
        error: bool = True,
    ) -> tuple[Floats, Floats]:
        """Predict from the scores after intake: the conditional normal distribution.

        Parameters
        ----------
        time, internal : ndarray, shape (n, k)
            Times and internal values of the scores after intake; k may be 0.
        intake : ndarray, shape (n,)
            Internal intake values.
        at : ndarray, shape (n, t)
            When.
        known : ndarray of bool, shape (n, k), optional
            Which of these scores there are; all, unless given.
        error : bool
            Whether the variance is that of a new score, with its measurement error.

        Returns
        -------
        mean, variance : ndarray, shape (n, t)
            The variance holds what lasts, what fades, the error and the uncertainty of the coefficients.
        """
        basis, scatter, seen = self.basis, self.scatter, int(time.shape[1])
        times = np.concatenate([time, at], axis=1)
        columns = basis.columns(times, intake)
        effects = scatter.effect_columns(basis.clock(times))
        x, ahead = columns[:, seen:], effects[:, seen:]
        mean = x @ self.coefficients
        variance = np.einsum("nta,ab,ntb->nt", ahead, scatter.effects, ahead) + scatter.fading
        if seen:
            covariance = scatter.covariance(effects, times, seen)
            own, link = covariance[:, :seen], covariance[:, seen:]
            diagonal = own[:, np.arange(seen), np.arange(seen)] + scatter.error
            surprise = internal - columns[:, :seen] @ self.coefficients
            if known is not None:  # a score that is not there is linked to nothing, and surprises nobody
                own, link = own * (known[:, :, None] & known[:, None, :]), link * known[:, None, :]
                diagonal, surprise = np.where(known, diagonal, 1.0), np.where(known, surprise, 0.0)
            own[:, np.arange(seen), np.arange(seen)] = diagonal
            gain = np.swapaxes(np.linalg.solve(own, np.swapaxes(link, 1, 2)), 1, 2)
            mean = mean + np.einsum("nts,ns->nt", gain, surprise)
            variance = variance - (gain * link).sum(axis=2)
            x = x - gain @ columns[:, :seen]
        variance = np.maximum(variance, 0.0) + np.einsum("ntp,pq,ntq->nt", x, self.uncertainty, x)
        return mean, variance + scatter.error if error else variance
