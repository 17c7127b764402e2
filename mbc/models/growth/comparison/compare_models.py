"""Does the larger of two models describe the same scores better: likelihood ratio, AIC and BIC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import chi_square_above
from mbc.models.growth.comparison.compared_fit import ComparedFit
from mbc.models.results.result import Result

_LIKELIHOOD_NOISE = 1e-4  # by which the larger model may be below the smaller: searches end near the optimum


@runtime_checkable
class Comparable(Protocol):
    """A fitted growth model."""

    def compared_fit(self) -> ComparedFit: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class ModelComparison(Result):
    """Two models of the same scores, the smaller first.

    ``p_value`` is that of the likelihood ratio, ``None`` where neither model contains the other. Where variances
    are tested its distribution is a mixture of chi-squares, since a variance cannot be negative.
    """

    models: tuple[str, str]
    parameters: tuple[int, int]
    log_likelihoods: tuple[float, float]
    aics: tuple[float, float]
    bics: tuple[float, float]
    statistic: float | None  # twice the difference of the log-likelihoods
    p_value: float | None
    distribution: str  # in words
    weights: Mapping[int, float]  # degrees of freedom -> weight in the mixture
    conservative: bool  # whether p_value is an upper bound
    reml: bool
    observations: int

    def _columns(self) -> dict[str, Any]:
        """One row per model: parameters, log_likelihood, aic, bic; the test in the row of the larger."""
        return {
            "model": list(self.models),
            "parameters": list(self.parameters),
            "log_likelihood": list(self.log_likelihoods),
            "aic": list(self.aics),
            "bic": list(self.bics),
            "statistic": pl.Series([None, self.statistic], dtype=pl.Float64),
            "p_value": pl.Series([None, self.p_value], dtype=pl.Float64),
        }

    def _headline(self) -> str:
        if self.statistic is None or self.p_value is None:
            return f"not nested, AIC {self.aics[0]:.2f} and {self.aics[1]:.2f}"
        bound = "at most " if self.conservative else ""
        return f"chi-square {self.statistic:.4g}, p = {bound}{self.p_value:.4g} by {self.distribution}"


@checked
def compare(a: Comparable, b: Comparable) -> ModelComparison:
    """Compare two models of the same scores: likelihood ratio, AIC and BIC.

    Parameters
    ----------
    a, b : fitted growth models
        Of `growth_curve`, `mixedlm`, `serial_growth`, `residual_growth`, `robust_growth` or `therapist_growth`; in
        either order.

    Returns
    -------
    ModelComparison
        Without a p value where neither model contains the other.

    Raises
    ------
    ModelError
        If the models were fitted to different scores, one by REML and the other by ML, or by REML with different
        fixed effects (restricted likelihoods are then not of the same data); if one did not converge.

    Notes
    -----
    Fixed effects and covariances are free: each adds a degree of freedom. A variance under test is zero in the
    smaller model, on the border of what it may be. For one more random effect with its q covariances the
    likelihood ratio is an even mixture of chi-squares with q and q + 1 degrees of freedom [1]_ [2]_, each the
    more by the number of fixed effects under test. For several variances at once the weights depend on the
    design; those of even and of odd degrees of freedom always sum to one half, so that the even mixture of the
    two largest is an upper bound [3]_.

    References
    ----------
    .. [1] Self & Liang (1987), doi:10.1080/01621459.1987.10478472.
    .. [2] Stram & Lee (1994), doi:10.2307/2533455.
    .. [3] Shapiro (1988), doi:10.2307/1403361.

    Examples
    --------
    >>> import polars as pl
    >>> from mbc.models import growth_curve
    >>> scores = pl.DataFrame({
    ...     "client": [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4],
    ...     "week": [0, 2, 6, 0, 3, 5, 0, 1, 6, 0, 2, 4],
    ...     "score": [21, 18, 12, 17, 16, 15, 25, 20, 16, 14, 9, 9],
    ... })
    >>> model = {"outcome": "score", "time": "week", "client": "client", "shape": "linear"}
    >>> both = compare(growth_curve(scores, **model, random="intercept"), growth_curve(scores, **model))
    >>> both.distribution
    'the even mixture of chi-squares with 1 and 2 degrees of freedom'
    >>> round(both.p_value, 3)
    0.835
    """
    first, second = (_read(fit) for fit in (a, b))
    _require_comparable(first, second)
    small, large = sorted((first, second), key=lambda fit: fit.parameters)
    weights: Mapping[int, float] = {}
    statistic = p_value = None
    conservative, distribution = False, "none: neither model contains the other"
    if small.is_within(large):
        statistic = _likelihood_ratio(small, large)
        free, bounded = directions(small, large)
        weights, conservative = mixture_weights(free, bounded), bounded > 1
        p_value, distribution = mixture_p_value(statistic, weights), _distribution_text(weights)
    return ModelComparison(
        models=(small.label, large.label),
        parameters=(small.parameters, large.parameters),
        log_likelihoods=(small.log_likelihood, large.log_likelihood),
        aics=(small.aic, large.aic),
        bics=(small.bic, large.bic),
        statistic=statistic,
        p_value=p_value,
        distribution=distribution,
        weights=weights,
        conservative=conservative,
        reml=small.reml,
        observations=small.data.observations,
    )


def _read(fit: Any) -> ComparedFit:
    if not callable(getattr(fit, "compared_fit", None)):
        raise ModelError(f"compare takes two fitted growth models, got {type(fit).__name__}.")
    return fit.compared_fit()


def _require_comparable(a: ComparedFit, b: ComparedFit) -> None:
    for fit in (a, b):
        if not fit.converged:
            raise ModelError(f"the model {fit.label} did not converge: its likelihood is not the greatest.")
    if not a.data.is_same(b.data):
        sizes = [f"{fit.data.observations} scores of {fit.data.clients} clients" for fit in (a, b)]
        same = " (as many, but not the same)" if sizes[0] == sizes[1] else ""
        raise ModelError(
            f"the models were fitted to different data: {sizes[0]} and {sizes[1]}{same}. Missing covariates drop "
            "rows: fit both to the rows that have every column."
        )
    if a.reml != b.reml:
        raise ModelError("one model was fitted by REML, the other by ML; fit both with the same reml=.")
    if a.reml and a.fixed != b.fixed:
        different = ", ".join(sorted(a.fixed ^ b.fixed))
        raise ModelError(
            f"restricted likelihoods with different fixed effects ({different}) cannot be compared; fit both with "
            "reml=False."
        )


def _likelihood_ratio(small: ComparedFit, large: ComparedFit) -> float:
    statistic = 2 * (large.log_likelihood - small.log_likelihood)
    if statistic < -_LIKELIHOOD_NOISE:
        raise ModelError(
            f"{large.label} contains {small.label}, but has the lower log-likelihood ({large.log_likelihood:.4f} "
            f"against {small.log_likelihood:.4f}): its search did not end at the maximum. See its .report."
        )
    return max(statistic, 0.0)


def directions(small: ComparedFit, large: ComparedFit) -> tuple[int, int]:
    """Count the parameters under test: those that may take either sign, and those that cannot be negative.

    m random effects next to q others add ``m q`` free covariances, and a covariance matrix of size m whose
    ``m (m + 1) / 2`` parameters are bounded.
    """
    free, bounded = len(large.fixed - small.fixed), len(large.components - small.components)
    for unit, effects in large.random.items():
        known = len(small.random.get(unit, frozenset()))
        added = len(effects) - known
        free, bounded = free + added * known, bounded + added * (added + 1) // 2
    for name, parameter in large.residual.items():
        if name not in small.residual:
            free += 0 if parameter.on_border else parameter.count
            bounded += parameter.count if parameter.on_border else 0
    return free, bounded


def mixture_weights(free: int, bounded: int) -> dict[int, float]:
    """Degrees of freedom of the chi-squares and their weights; for several bounded parameters an upper bound.

    Examples
    --------
    >>> mixture_weights(2, 0), mixture_weights(1, 1), mixture_weights(0, 1)
    ({2: 1.0}, {1: 0.5, 2: 0.5}, {0: 0.5, 1: 0.5})
    """
    if not bounded:
        return {free: 1.0}
    return {free + bounded - 1: 0.5, free + bounded: 0.5}


def mixture_p_value(statistic: float, weights: Mapping[int, float]) -> float:
    """Probability of a likelihood ratio at least this large; a chi-square with 0 degrees of freedom is 0.

    Examples
    --------
    >>> round(mixture_p_value(2.706, {0: 0.5, 1: 0.5}), 3), round(mixture_p_value(5.138, {1: 0.5, 2: 0.5}), 3)
    (0.05, 0.05)
    """
    if statistic <= 0:
        return 1.0
    return float(sum(weight * chi_square_above(df, statistic) for df, weight in weights.items() if df))


def _distribution_text(weights: Mapping[int, float]) -> str:
    if len(weights) == 1:
        (df,) = weights
        return f"the chi-square with {df} degree{'s' if df != 1 else ''} of freedom"
    low, high = sorted(weights)
    return f"the even mixture of chi-squares with {low} and {high} degrees of freedom"
