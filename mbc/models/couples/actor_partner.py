"""Does a score of one partner go with the other partner's: actor and partner effects, and what a couple shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import t_below, t_quantile
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.couples.bootstrap import (
    covariances,
    distinguishable_slopes,
    drawn_again,
    indistinguishable_slopes,
    moments_of,
    percentiles,
)
from mbc.models.couples.pairs import read_pairs
from mbc.models.results.result import Result

Reason = Literal[
    "too_few_dyads",
    "zero_variance",  # nobody, or no couple, differs in x, or in y
    "partners_alike",  # partners' x cannot be distinguished: actor and partner effect are one
    "actor_near_zero",  # a ratio to nothing
    "no_shared_variance",  # partners' x do not go together: nothing is shared
]
_LEAST = 5  # dyads: three coefficients, and something left to judge them by


@dataclass(frozen=True, slots=True)
class DyadEffect(Result):
    """One estimate with its interval."""

    role: str  # whose outcome; "both" where partners are not distinguished
    effect: str  # intercept, actor, partner, actor difference, partner difference
    estimate: float
    standard_error: float
    degrees_of_freedom: float
    lower: float
    upper: float
    p_value: float


@dataclass(frozen=True, slots=True)
class PartnerRatio:
    """Partner effect over actor effect: 1 couple, 0 actor only, -1 contrast (Kenny & Ledermann, 2010)."""

    role: str
    value: float | None
    lower: float | None  # bootstrap percentiles over dyads
    upper: float | None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class ActorPartner(Result):
    """Actor-partner interdependence model: each partner's y on one's own and the other's x."""

    effects: tuple[DyadEffect, ...] = field(repr=False)
    ratios: tuple[PartnerRatio, ...]
    roles: tuple[str, ...]  # empty where partners are not distinguished
    residual_correlation: float | None  # between partners, given both x
    residual_sd: tuple[float, ...]  # per role, scale points
    confidence: float
    n: int  # dyads
    n_missing: int  # dyads that lack a partner or a value
    method: str
    source: str = "Kenny, Kashy & Cook (2006), Dyadic Data Analysis"
    reason: Reason | None = None

    @checked
    def effect(self, effect: str, role: str = "both") -> DyadEffect:
        """Give one estimate.

        Raises
        ------
        ModelError
            If there is none of that name.
        """
        for estimate in self.effects:
            if (estimate.effect, estimate.role) == (effect, role):
                return estimate
        available = (
            ", ".join(f"{estimate.effect} of {estimate.role}" for estimate in self.effects)
            or f"none ({self.reason})"
        )
        raise ModelError(f"There is no effect '{effect}' of '{role}'; available: {available}.")

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per effect."""
        names = ("role", "effect", "estimate", "standard_error", "degrees_of_freedom", "lower", "upper", "p_value")
        kinds = {name: pl.String if name in {"role", "effect"} else pl.Float64 for name in names}
        return {
            name: pl.Series([getattr(estimate, name) for estimate in self.effects], dtype=kinds[name])
            for name in names
        }


@checked
def actor_partner(
    data: object,
    *,
    dyad: str,
    x: str,
    y: str,
    role: str | None = None,
    confidence: float = 0.95,
    bootstrap: int = 2000,
    seed: int = 0,
) -> ActorPartner:
    """Fit the actor-partner interdependence model.

    Parameters
    ----------
    data : frame
        One row per person: two rows per dyad. Dyads that lack a row or a value are left out, and counted.
    dyad, x, y : str
        Columns: the couple, the predictor and the outcome.
    role : str, optional
        Column that distinguishes partners, with two values; without it they are treated as interchangeable.
    confidence : float
        Two-sided coverage, 0 to 1.
    bootstrap, seed : int
        Samples of dyads for the interval of the ratio; 0 for none.

    Returns
    -------
    ActorPartner
        The sample counts dyads, not people.

    Raises
    ------
    ModelError
        If a dyad has more than two rows, a role occurs twice in one, or there are not two roles.

    Notes
    -----
    For distinguishable partners, both partners' x enter both equations, and generalised least squares with free
    residual variances and correlation is ordinary least squares per role. Not distinguished: the sum of y on the
    sum of x gives ``a + p``, the difference on the difference, without intercept, ``a - p``. A random intercept
    per couple cannot hold partners who differ more than strangers, and is not used.

    Examples
    --------
    >>> import polars as pl
    >>> couples = pl.DataFrame({"couple": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
    ...     "x": [1, 2, 2, 1, 3, 5, 4, 4, 5, 2, 6, 7], "y": [2, 2, 3, 2, 5, 6, 5, 5, 5, 4, 8, 8]})
    >>> made = actor_partner(couples, dyad="couple", x="x", y="y")
    >>> round(made.effect("actor").estimate, 3), round(made.effect("partner").estimate, 3), made.n
    (0.766, 0.391, 6)
    """
    pairs, roles, n_all = read_pairs(data, {"dyad": dyad, "x": x, "y": y}, role)
    n = pairs.shape[0]
    distinguishable = role is not None
    method = "least squares per role" if distinguishable else "least squares of sums and differences"
    reason = _impossible(pairs)
    if reason is not None:
        return ActorPartner((), (), roles, None, (), confidence, n, n_all - n, method, reason=reason)
    fit = _test_distinguishability if distinguishable else _interchangeable
    effects, sds, correlation = fit(pairs, roles, confidence)
    slopes = distinguishable_slopes if distinguishable else indistinguishable_slopes
    samples = drawn_again(n, lambda weights: slopes(pairs, weights), bootstrap, seed)
    ratios = tuple(
        _ratio(effects, who, samples[:, 2 * k : 2 * k + 2], confidence) for k, who in enumerate(roles or ("both",))
    )
    return ActorPartner(effects, ratios, roles, correlation, sds, confidence, n, n_all - n, method)


@dataclass(frozen=True, slots=True)
class CommonFate(Result):
    """Effect of what a couple shares in x on what it shares in y."""

    effect: float | None  # scale points of y per point of x
    lower: float | None  # bootstrap percentiles over dyads
    upper: float | None
    covariance_x: float | None  # between partners' x
    covariance_xy: float | None  # between one partner's x and the other's y, mean of both
    covariance_y: float | None  # between partners' y
    confidence: float
    n: int  # dyads
    n_missing: int
    undefined: int  # bootstrap samples without shared variance
    method: str = "moments, equal loadings"
    source: str = "Ledermann & Kenny (2012), doi:10.1037/a0026624"
    reason: Reason | None = None


@checked
def common_fate(
    data: object,
    *,
    dyad: str,
    x: str,
    y: str,
    role: str | None = None,
    confidence: float = 0.95,
    bootstrap: int = 2000,
    seed: int = 0,
) -> CommonFate:
    """Estimate the effect of a couple's shared x on its shared y, each partner being one indicator.

    Parameters
    ----------
    data, dyad, x, y, role, confidence, bootstrap, seed
        As for `actor_partner`. With ``role``, each role has its own mean.

    Notes
    -----
    ``b = (cov(x1, y2) + cov(x2, y1)) / 2 / cov(x1, x2)``: only what goes from one partner to the other counts, so
    that each person's own way of answering cannot pass for something shared. Not defined unless partners' x covary
    positively.

    Examples
    --------
    >>> import polars as pl
    >>> couples = pl.DataFrame({"couple": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
    ...     "x": [1, 2, 2, 1, 3, 5, 4, 4, 5, 2, 6, 7], "y": [2, 2, 3, 2, 5, 6, 5, 5, 5, 4, 8, 8]})
    >>> round(common_fate(couples, dyad="couple", x="x", y="y", bootstrap=0).effect, 3)
    1.389
    """
    pairs, _, n_all = read_pairs(data, {"dyad": dyad, "x": x, "y": y}, role)
    n = pairs.shape[0]
    moments = covariances(moments_of(pairs, np.ones((1, n)), pooled=role is None))[0] if n > 1 else np.zeros(3)
    reason: Reason | None = "too_few_dyads" if n < _LEAST else None
    if reason is None and not np.ptp(pairs[:, 2:]) > 0:
        reason = "zero_variance"
    if reason is None and not moments[0] > 0:
        reason = "no_shared_variance"
    if reason is not None:
        x_x, x_y, y_y = (float(moment) if n > 1 else None for moment in moments)
        return CommonFate(None, None, None, x_x, x_y, y_y, confidence, n, n_all - n, 0, reason=reason)

    def effect(weights: FloatArray) -> FloatArray:
        made = covariances(moments_of(pairs, weights, pooled=role is None))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(made[:, :1] > 0, made[:, 1:2] / made[:, :1], np.nan)

    samples = drawn_again(n, effect, bootstrap, seed)
    lower, upper = percentiles(samples[:, 0], confidence)
    return CommonFate(
        effect=float(moments[1] / moments[0]),
        lower=lower,
        upper=upper,
        covariance_x=float(moments[0]),
        covariance_xy=float(moments[1]),
        covariance_y=float(moments[2]),
        confidence=confidence,
        n=n,
        n_missing=n_all - n,
        undefined=int(np.isnan(samples[:, 0]).sum()),
    )


def _impossible(pairs: FloatArray) -> Reason | None:
    if pairs.shape[0] < _LEAST:
        return "too_few_dyads"
    first, second = pairs[:, 0] - pairs[:, 0].mean(), pairs[:, 1] - pairs[:, 1].mean()
    if not (first.any() and second.any() and np.ptp(pairs[:, 2:]) > 0):
        return "zero_variance"
    # Relative to rounding: one partner's x is a straight line of the other's.
    if (first @ first) * (second @ second) - (first @ second) ** 2 <= 1e-12 * (first @ first) * (second @ second):
        return "partners_alike"
    return None


def _test_distinguishability(
    pairs: FloatArray, roles: tuple[str, ...], confidence: float
) -> tuple[tuple[DyadEffect, ...], tuple[float, ...], float | None]:
    n = pairs.shape[0]
    design = np.column_stack([np.ones(n), pairs[:, :2]])
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ pairs[:, 2:]  # columns: the two roles
    residual = pairs[:, 2:] - design @ slopes
    covariance = residual.T @ residual / (n - 3)
    made: list[DyadEffect] = []
    for k, who in enumerate(roles):
        errors = np.sqrt(covariance[k, k] * np.diag(inverse))
        for name, at in (("intercept", 0), ("actor", 1 + k), ("partner", 2 - k)):
            made.append(_effect(who, name, slopes[at, k], errors[at], n - 3, confidence))
    for name, first, second in (("actor difference", 1, 2), ("partner difference", 2, 1)):
        # The roles' estimates share the design: cov(b_jk, b_lm) = s_km * inverse_jl.
        variance = covariance[0, 0] * inverse[first, first] + covariance[1, 1] * inverse[second, second]
        error = np.sqrt(variance - 2.0 * covariance[0, 1] * inverse[first, second])
        label = f"{roles[0]} - {roles[1]}"
        made.append(_effect(label, name, slopes[first, 0] - slopes[second, 1], error, n - 3, confidence))
    sds = tuple(float(error) for error in np.sqrt(np.diag(covariance)))
    together = float(covariance[0, 1]) / (sds[0] * sds[1]) if sds[0] * sds[1] > 0 else None
    return tuple(made), sds, together


def _interchangeable(
    pairs: FloatArray, _roles: tuple[str, ...], confidence: float
) -> tuple[tuple[DyadEffect, ...], tuple[float, ...], float | None]:
    n = pairs.shape[0]
    sums, gaps = pairs[:, [0, 2]] + pairs[:, [1, 3]], pairs[:, [0, 2]] - pairs[:, [1, 3]]
    centred = sums - sums.mean(axis=0)
    sxx, dxx = centred[:, 0] @ centred[:, 0], gaps[:, 0] @ gaps[:, 0]
    up, down = centred[:, 0] @ centred[:, 1] / sxx, gaps[:, 0] @ gaps[:, 1] / dxx
    of_sum = float(((centred[:, 1] - up * centred[:, 0]) ** 2).sum()) / (n - 2)
    of_gap = float(((gaps[:, 1] - down * gaps[:, 0]) ** 2).sum()) / (n - 1)
    parts = of_sum / sxx, of_gap / dxx
    error = np.sqrt(parts[0] + parts[1]) / 2.0
    df = (parts[0] + parts[1]) ** 2 / (parts[0] ** 2 / (n - 2) + parts[1] ** 2 / (n - 1)) if error > 0 else n - 2.0
    intercept = (sums[:, 1].mean() - up * sums[:, 0].mean()) / 2.0
    bare = np.sqrt(of_sum * (1.0 / n + sums[:, 0].mean() ** 2 / sxx)) / 2.0
    effects = (
        _effect("both", "intercept", intercept, bare, n - 2, confidence),
        _effect("both", "actor", (up + down) / 2.0, error, df, confidence),
        _effect("both", "partner", (up - down) / 2.0, error, df, confidence),
    )
    total = of_sum + of_gap
    sd = float(np.sqrt(total / 4.0))
    return effects, (sd,), (of_sum - of_gap) / total if total > 0 else None


def _effect(role: str, name: str, estimate: float, error: float, df: float, confidence: float) -> DyadEffect:
    half = t_quantile(df, 0.5 + confidence / 2.0) * float(error)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = abs(np.float64(estimate) / np.float64(error))
    p = 0.0 if np.isinf(t) else 2.0 * float(t_below(df, -float(t)))
    value = float(estimate)
    return DyadEffect(role, name, value, float(error), float(df), value - half, value + half, p)


def _ratio(effects: tuple[DyadEffect, ...], role: str, samples: FloatArray, confidence: float) -> PartnerRatio:
    actor = next(estimate for estimate in effects if (estimate.role, estimate.effect) == (role, "actor"))
    partner = next(estimate for estimate in effects if (estimate.role, estimate.effect) == (role, "partner"))
    if actor.lower <= 0 <= actor.upper:
        return PartnerRatio(role, None, None, None, "actor_near_zero")
    with np.errstate(divide="ignore", invalid="ignore"):
        lower, upper = percentiles(samples[:, 1] / samples[:, 0], confidence)
    return PartnerRatio(role, partner.estimate / actor.estimate, lower, upper)
