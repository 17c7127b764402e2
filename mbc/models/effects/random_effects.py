"""What do the effects of several studies say together: pooled by inverse variances, fixed or random."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import normal_below, t_below, t_quantile, two_sided
from mbc.models.change.inputs.score_arrays import FloatArray, as_array
from mbc.models.effects.heterogeneity import Estimator, generalised_q, heterogeneity, weighted_mean
from mbc.models.results.facts import records
from mbc.models.results.result import Result

Effects = Literal["random", "fixed"]
PooledInterval = Literal["hartung-knapp", "hartung-knapp-unmodified", "normal"]


@dataclass(frozen=True, slots=True)
class StudyEffect:
    """One study among those that were pooled."""

    study: str
    estimate: float
    standard_error: float
    lower: float  # normal limits of this study alone
    upper: float
    weight: float  # per cent


@dataclass(frozen=True, slots=True)
class PooledEffects(Result):
    """One estimate from several studies, and how far their true effects differ."""

    _title = "Pooled effects"

    estimate: float
    standard_error: float
    lower: float
    upper: float
    p_value: float  # that the effect is zero, two-sided
    prediction_lower: float | None  # where the true effect of another study lies; None of fixed effects, or of two
    prediction_upper: float | None
    tau2: float  # variance of true effects between studies
    tau2_lower: float
    tau2_upper: float
    q: float
    q_df: int
    q_p_value: float
    i2: float  # per cent
    i2_lower: float
    i2_upper: float
    effects: Effects
    estimator: Estimator
    interval: PooledInterval
    confidence: float
    studies: tuple[StudyEffect, ...]

    def _columns(self) -> Mapping[str, pl.Series | Sequence[object]]:
        return records(self.studies, StudyEffect)

    def _headline(self) -> str:
        return (
            f"{self.effects} effects of {len(self.studies)} studies: {self.estimate:.4g} ({self.lower:.4g} to "
            f"{self.upper:.4g}), tau2={self.tau2:.4g}, I2={self.i2:.0f} %"
        )

    def _notes(self) -> Iterable[str]:
        yield f"Weights are per cent of the {self.effects} effects; limits of single studies are normal."
        yield from notes_on_few(self)


_FEW = 5


def notes_on_few(pooled: PooledEffects) -> Iterable[str]:
    """Say what few studies leave open."""
    if pooled.effects == "random" and pooled.prediction_lower is None:
        yield "A prediction interval needs three studies."
    if pooled.effects == "random" and len(pooled.studies) < _FEW:
        yield f"With {len(pooled.studies)} studies, tau2 is very uncertain: see its limits."


@checked
def pool_effects(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    studies: Sequence[str] | None = None,
    effects: Effects = "random",
    estimator: Estimator = "reml",
    interval: PooledInterval = "hartung-knapp",
    confidence: float = 0.95,
) -> PooledEffects:
    """Pool the effects of several studies, or clinics, by inverse variances.

    Parameters
    ----------
    estimates, variances : array_like, shape (k,)
        The effect of each study and its squared standard error; k at least 2.
    studies : sequence of str, optional
        Their names; otherwise their numbers from 1.
    effects : {"random", "fixed"}
        Whether true effects may differ between studies.
    estimator : {"reml", "paule-mandel"}
        Of their variance between studies: restricted maximum likelihood, or the value at which the weighted sum of
        squares is ``k - 1``.
    interval : {"hartung-knapp", "hartung-knapp-unmodified", "normal"}
        Limits of random effects: t with ``k - 1`` degrees of freedom and a variance from the observed scatter,
        never less than the usual one (Röver et al., 2015); the same without that floor, which can be far too
        narrow where few studies happen to agree; or normal limits, too narrow for fewer than about 20 studies.
        Fixed effects have normal limits.
    confidence : float
        Two-sided coverage, 0 to 1.

    Returns
    -------
    PooledEffects
        Heterogeneity is estimated for fixed effects, too.

    Raises
    ------
    ModelError
        If there are fewer than two studies, lengths differ, a number is missing, or a variance is not above 0.

    Notes
    -----
    The prediction interval has ``k - 2`` degrees of freedom (Higgins et al., 2009). Limits of tau2 and I2 are
    those of the Q profile, which do not depend on the estimator; they need not hold the estimate.

    References
    ----------
    .. [1] Viechtbauer (2005), doi:10.3102/10769986030003261: REML.
       Paule & Mandel (1982), doi:10.6028/jres.087.022.
    .. [2] Hartung & Knapp (2001), doi:10.1002/sim.1009. Röver et al. (2015), doi:10.1186/s12874-015-0091-1.
    .. [3] Higgins et al. (2009), doi:10.1111/j.1467-985X.2008.00552.x.
    .. [4] Viechtbauer (2007), doi:10.1002/sim.2514: limits of tau2 and I2.

    Examples
    --------
    >>> pooled = pool_effects([0.30, 0.55, 0.10, 0.48], [0.02, 0.03, 0.01, 0.04])
    >>> round(pooled.estimate, 3), round(pooled.tau2, 3)
    (0.32, 0.026)
    """
    y, v = _columns_of(estimates, variances)
    names = _names(studies, y.size)
    differ = heterogeneity(y, v, estimator, confidence)
    tau2 = differ.tau2 if effects == "random" else 0.0
    mean, weights = weighted_mean(y, v, tau2)
    error = 1.0 / math.sqrt(float(weights.sum()))
    kind: PooledInterval = interval if effects == "random" else "normal"
    df = math.inf if kind == "normal" else y.size - 1.0
    if kind != "normal":
        scatter = generalised_q(y, v, tau2) / (y.size - 1)
        error *= math.sqrt(scatter if kind == "hartung-knapp-unmodified" else max(1.0, scatter))
    half = _quantile(df, confidence) * error
    low, high = _prediction(mean, error, tau2, y.size, confidence) if effects == "random" else (None, None)
    return PooledEffects(
        estimate=mean, standard_error=error, lower=mean - half, upper=mean + half,
        p_value=_p_value(mean, error, df), prediction_lower=low, prediction_upper=high, tau2=differ.tau2,
        tau2_lower=differ.tau2_lower, tau2_upper=differ.tau2_upper,
        q=differ.q, q_df=differ.q_df, q_p_value=differ.q_p_value, i2=differ.i2,
        i2_lower=differ.i2_lower, i2_upper=differ.i2_upper, effects=effects, estimator=estimator, interval=kind,
        confidence=confidence, studies=_studies(names, y, v, weights, confidence),
    )  # fmt: skip


def _columns_of(estimates: ArrayLike, variances: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y, v = as_array(estimates, "estimates"), as_array(variances, "variances")
    if y.ndim != 1 or y.shape != v.shape or y.size < 2:
        raise ModelError(
            "estimates and variances must be two columns of the same length, of at least 2 studies; got shapes "
            f"{y.shape} and {v.shape}."
        )
    for name, column, wrong in (("estimates", y, np.isnan(y)), ("variances", v, ~(v > 0))):
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            accepted = "given" if name == "estimates" else "given and above 0 (squared standard errors)"
            raise ModelError(
                f"{name} must be {accepted} for every study, got {column[place]:g} at position {place}. Leave "
                "that study out of both columns, and report it."
            )
    return y, v


def _names(studies: Sequence[str] | None, size: int) -> list[str]:
    if studies is None:
        return [str(number) for number in range(1, size + 1)]
    names = [studies] if isinstance(studies, str) else [str(name) for name in studies]
    if len(names) != size or len(set(names)) != size:
        raise ModelError(
            f"studies must be {size} different names, one for each estimate; got {len(names)}: {names}."
        )
    return names


def _quantile(df: float, confidence: float) -> float:
    return two_sided(confidence) if math.isinf(df) else t_quantile(df, 0.5 + confidence / 2.0)


def _p_value(mean: float, error: float, df: float) -> float:
    if error == 0:  # no scatter at all, without the floor
        return 1.0 if mean == 0 else 0.0
    ratio = -abs(mean) / error
    return 2.0 * float(normal_below(ratio) if math.isinf(df) else t_below(df, ratio))


def _prediction(
    mean: float, error: float, tau2: float, size: int, confidence: float
) -> tuple[float | None, float | None]:
    if size < 3:
        return None, None
    half = t_quantile(size - 2.0, 0.5 + confidence / 2.0) * math.sqrt(tau2 + error**2)
    return mean - half, mean + half


def _studies(
    names: list[str], y: FloatArray, v: FloatArray, weights: FloatArray, confidence: float
) -> tuple[StudyEffect, ...]:
    errors, shares, z = np.sqrt(v), 100.0 * weights / weights.sum(), two_sided(confidence)
    return tuple(
        StudyEffect(
            name, float(mean), float(error), float(mean - z * error), float(mean + z * error), float(share)
        )
        for name, mean, error, share in zip(names, y, errors, shares, strict=True)
    )
