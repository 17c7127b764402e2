"""Which follow-up score does each method expect of someone who did not really change, and how surely."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mbc.errors import ModelError
from mbc.models.change.inputs.norms import Norms
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import FloatArray

Method = Literal[
    "jacobson-truax", "gulliksen-lord-novick", "hsu-linn-lord", "edwards-nunnally", "nunnally-kotsch",
    "hageman-arrindell", "christensen-mendoza", "chelune", "iverson", "mcsweeny", "crawford-howell", "maassen",
    "growth",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is expected at follow-up without real change; ``index = (post - expected) / standard_error``."""

    expected: FloatArray  # scale points
    standard_error: FloatArray | float  # scale points
    degrees_of_freedom: float | None = None  # of a t distribution; None: normal
    reason: Reason | None = None  # why nobody can be judged


@dataclass(frozen=True, slots=True)
class _Sample:
    """Norms with every value that the method needs, as plain numbers (M, S and r of the papers)."""

    m1: float
    s1: float
    m2: float
    s2: float
    r12: float
    rel: float
    rel2: float
    n: float

    @property
    def sem(self) -> float:
        return self.s1 * math.sqrt(1.0 - self.rel)

    @property
    def change_variance(self) -> float:
        return self.s1**2 + self.s2**2 - 2.0 * self.r12 * self.s1 * self.s2


Formula = Callable[[FloatArray, _Sample], Prediction]


def jacobson_truax(pre: FloatArray, of: _Sample) -> Prediction:
    """Jacobson & Truax (1991): ``sqrt(2) * SEM`` around the first score."""
    return Prediction(pre, math.sqrt(2.0) * of.sem)


def gulliksen_lord_novick(pre: FloatArray, of: _Sample) -> Prediction:
    """Regress the first score to the mean; standard error of prediction ``S1 sqrt(1 - R^2)``."""
    return Prediction(of.m1 + of.rel * (pre - of.m1), of.s1 * math.sqrt(1.0 - of.rel**2))


def hsu_linn_lord(pre: FloatArray, of: _Sample) -> Prediction:
    """As Gulliksen, Lord & Novick, centred on the follow-up mean: the mean effect is taken out."""
    return Prediction(of.m2 + of.rel * (pre - of.m1), of.s1 * math.sqrt(1.0 - of.rel**2))


def edwards_nunnally(pre: FloatArray, of: _Sample) -> Prediction:
    """Regress the first score to the mean; error of one score only (Speer's form)."""
    return Prediction(of.m1 + of.rel * (pre - of.m1), of.sem)


def nunnally_kotsch(pre: FloatArray, of: _Sample) -> Prediction:
    """Regressed first score with its own error, plus the error of the follow-up score."""
    error = math.sqrt(of.rel**2 * of.s1**2 * (1.0 - of.rel) + of.s1**2 * (1.0 - of.rel2))
    return Prediction(of.m1 + of.rel * (pre - of.m1), error)


def hageman_arrindell(pre: FloatArray, of: _Sample) -> Prediction:
    """Hageman & Arrindell (1999): change regressed to the mean change by the reliability of differences."""
    if not of.change_variance > 0:
        return Prediction(pre, math.nan, reason="zero_variance")
    r_dd = 1.0 - 2.0 * of.sem**2 / of.change_variance
    if not r_dd > 0:
        return Prediction(pre, math.nan, reason="no_reliable_differences")
    expected = pre - (of.m2 - of.m1) * (1.0 - r_dd) / r_dd
    return Prediction(expected, math.sqrt(2.0) * of.sem / math.sqrt(r_dd))


def christensen_mendoza(pre: FloatArray, of: _Sample) -> Prediction:
    """Christensen & Mendoza (1986): SD of the retest differences; with its mean change, Temkin (1999)."""
    return Prediction(_practised(pre, of), math.sqrt(max(of.change_variance, 0.0)))


def chelune(pre: FloatArray, of: _Sample) -> Prediction:
    """Chelune et al. (1993): Jacobson-Truax around the mean practice effect."""
    return Prediction(_practised(pre, of), math.sqrt(2.0) * of.s1 * math.sqrt(1.0 - of.r12))


def iverson(pre: FloatArray, of: _Sample) -> Prediction:
    """Iverson (2001): the errors of both occasions around the mean practice effect."""
    return Prediction(_practised(pre, of), math.sqrt((of.s1**2 + of.s2**2) * (1.0 - of.r12)))


def mcsweeny(pre: FloatArray, of: _Sample) -> Prediction:
    """McSweeny et al. (1993): regression on the first score, ``S2 sqrt(1 - r^2)``."""
    expected = of.m2 + of.r12 * (of.s2 / of.s1) * (pre - of.m1)
    return Prediction(expected, of.s2 * math.sqrt(1.0 - of.r12**2))


def crawford_howell(pre: FloatArray, of: _Sample) -> Prediction:
    """Crawford & Howell (1998): regression with the error of predicting one new case; t with n - 2."""
    if of.n < 3:
        return Prediction(pre, math.nan, reason="too_few_pairs")
    expected = of.m2 + of.r12 * (of.s2 / of.s1) * (pre - of.m1)
    estimate = of.s2 * math.sqrt((1.0 - of.r12**2) * (of.n - 1.0) / (of.n - 2.0))
    leverage = 1.0 + 1.0 / of.n + (pre - of.m1) ** 2 / (of.s1**2 * (of.n - 1.0))
    return Prediction(expected, estimate * np.sqrt(leverage), degrees_of_freedom=of.n - 2.0)


def maassen(pre: FloatArray, of: _Sample) -> Prediction:
    """Maassen et al. (2006): Iverson's error around a line with slope ``S2 / S1``."""
    expected = of.m2 + (of.s2 / of.s1) * (pre - of.m1)
    return Prediction(expected, math.sqrt((of.s1**2 + of.s2**2) * (1.0 - of.r12)))


def _practised(pre: FloatArray, of: _Sample) -> FloatArray:
    practice = of.m2 - of.m1
    return pre if practice == 0.0 else pre + practice


_MEAN, _RETEST = ("mean",), ("mean", "mean_retest")
_FULL = ("mean", "sd", "mean_retest", "sd_retest", "correlation")
# method -> formula, what it needs of the norms, whether the scores themselves may supply what is missing
METHODS: dict[str, tuple[Formula, tuple[str, ...], bool]] = {
    "jacobson-truax": (jacobson_truax, ("sd", "reliability"), True),
    "gulliksen-lord-novick": (gulliksen_lord_novick, (*_MEAN, "sd", "reliability"), True),
    "hsu-linn-lord": (hsu_linn_lord, (*_RETEST, "sd", "reliability"), True),
    "edwards-nunnally": (edwards_nunnally, (*_MEAN, "sd", "reliability"), True),
    "nunnally-kotsch": (nunnally_kotsch, (*_MEAN, "sd", "reliability"), True),
    "hageman-arrindell": (hageman_arrindell, (*_FULL, "reliability"), True),
    "christensen-mendoza": (christensen_mendoza, ("sd", "sd_retest", "correlation"), False),
    "chelune": (chelune, (*_RETEST, "sd", "correlation"), False),
    "iverson": (iverson, _FULL, False),
    "mcsweeny": (mcsweeny, _FULL, False),
    "crawford-howell": (crawford_howell, (*_FULL, "n"), False),
    "maassen": (maassen, _FULL, False),
}


def predict(method: str, pre: FloatArray, norms: Norms) -> Prediction:
    """Apply one method's formula to everybody.

    Raises
    ------
    ModelError
        If the norms lack what the method needs.
    """
    formula, needs, _ = METHODS[method]
    lacking = [name for name in needs if getattr(norms, name) is None]
    if lacking:
        raise ModelError(
            f"{method} needs {', '.join(needs)}; {', '.join(lacking)} is not given. Pass norms=Norms("
            + ", ".join(f"{name}=..." for name in needs)
            + ")."
        )
    if norms.sd == 0 or ("sd_retest" in needs and norms.sd_retest == 0):
        return Prediction(pre, math.nan, reason="zero_variance")
    predicted = formula(pre, _sample(norms))
    # A missing first score has no error of its own; that is not a perfect measurement.
    if predicted.reason is None and np.any(np.asarray(predicted.standard_error) <= 0):
        return replace(predicted, reason="perfect_reliability")
    return predicted


def _sample(norms: Norms) -> _Sample:
    mean = norms.mean or 0.0
    retest = norms.mean_retest if norms.mean_retest is not None and norms.mean is not None else mean
    reliability = 0.0 if norms.reliability is None else norms.reliability
    return _Sample(
        m1=mean,
        s1=norms.sd or 0.0,
        m2=retest,
        s2=norms.sd_retest or 0.0,
        r12=norms.correlation or 0.0,
        rel=reliability,
        rel2=reliability if norms.reliability_retest is None else norms.reliability_retest,
        n=float(norms.n or 0),
    )
