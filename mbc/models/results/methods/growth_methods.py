"""Which growth model was fitted and how: sentences for methods sections."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

_SHAPES = {"log": "log(1 + time)", "sqrt": "the square root of time", "linear": "time"}


def growth_curve(result: Any) -> Iterator[str]:
    """Give the linear mixed model, its estimator and standard errors."""
    shape = _SHAPES.get(result.shape.name, f"time ({result.shape.name})")
    yield _model(result, f"a linear mixed model of {result.outcome} on {shape}", result.fitted.design.z_names)
    if result.tried:
        yield (
            "The shape of the mean course was chosen by Akaike's criterion under maximum likelihood [@akaike1974]."
        )
    yield _estimator(reml=result.reml)
    yield _STANDARD_ERRORS
    if result.singular:
        yield "The fit is singular: a variance is zero or a correlation is one."


def mixedlm(result: Any) -> Iterator[str]:
    """Give the mixed model by formula."""
    formula = getattr(result.model, "formula", "")
    named = f" ({formula})" if formula else ""
    yield (
        f"A linear mixed model{named} with random {_list(result.design.z_names)} of "
        f"{len(result.model.group_labels)} groups was fitted to {result.model.nobs} scores [@laird1982; "
        "@seabold2010]."
    )
    yield _estimator(reml=result.reml)
    if result.singular:
        yield "The fit is singular: a variance is zero or a correlation is one."


def paired_growth(result: Any) -> Iterator[str]:
    """Two outcomes at once."""
    yield (
        f"Growth of {result.outcomes[0]} and {result.outcomes[1]} was modelled jointly, with their random "
        f"effects ({_list(result.effects)}) and the residuals of one session correlated, in {result.n_clients} "
        f"clients with {result.n_observations} scores [@maccallum1997]."
    )
    yield _estimator(reml=result.reml)
    yield "Intervals of correlations are by the delta method on Fisher's z."


def serial_growth(result: Any) -> Iterator[str]:
    """Autocorrelated residuals."""
    yield (
        f"A linear mixed model of {result.outcome} with random {_list(result.columns.design.z_names)} and "
        "residuals of a continuous-time first-order autoregressive process was fitted to "
        f"{result.columns.y.size} scores of {result.columns.rows.clients} clients [@pinheiro2000]."
    )
    yield _estimator(reml=result.reml)
    yield (
        "The autocorrelation has a profile-likelihood interval; its test halves the tail of a chi-square with 1 "
        "degree of freedom, since it cannot be negative [@self1987]."
    )


def robust_growth(result: Any) -> Iterator[str]:
    """Student residuals."""
    yield (
        f"A mixed model with Student-t residuals ({result.degrees_of_freedom:.3g} degrees of freedom, estimated) "
        f"and random {_list(result.effects)} of {len(result.client_ids)} clients was fitted by maximum "
        "likelihood with Laplace's approximation [@lange1989]."
    )


def grouped_residuals(result: Any) -> Iterator[str]:
    """Residual variance by group."""
    yield (
        f"A linear mixed model with random {_list(result.z_names)} and a residual variance for each of "
        f"{len(result.groups)} groups was fitted [@pinheiro2000]."
    )
    yield _estimator(reml=_reml(result))


def therapist_growth(result: Any) -> Iterator[str]:
    """Clients within or across therapists."""
    nesting = "crossed with" if result.crossed else "within"
    yield (
        f"A linear mixed model with random {_list(result.client_effects)} of {result.n_clients} clients "
        f"{nesting} random {_list(result.therapist_effects)} of {len(result.therapists)} therapists was fitted "
        f"to {result.n_observations} scores [@laird1982; @bates2015]."
    )
    yield _estimator(reml=_reml(result))


def client_curve(result: Any) -> Iterator[str]:
    """Give a predicted course with its band."""
    of = "scores" if result.kind == "prediction" else "the course itself"
    yield f"Predicted courses have bands of {100 * result.level:g} % coverage for {of} [@laird1982]."


def coefficient_test(result: Any) -> Iterator[str]:
    """Which distribution a coefficient was referred to."""
    yield f"Coefficients were tested {_distribution(result, result.df)}."


def joint_test(result: Any) -> Iterator[str]:
    """Which F distribution."""
    df = result.denominator_df
    below = "infinitely many" if math.isinf(df) else f"{df:.4g}"
    yield (
        f"{result.numerator_df} contrasts of coefficients were tested at once {_distribution(result, df)}: F "
        f"with {result.numerator_df} and {below} degrees of freedom."
    )


def interval(result: Any) -> Iterator[str]:
    """Profile or bootstrap."""
    bootstrap = result.origin is not None and result.origin.option("method") == "bootstrap"
    how = "percentiles of a parametric bootstrap" if bootstrap else "profile-likelihood limits"
    yield f"Standard deviations and correlations of random effects have {how} [@bates2015]."


def bootstrap(result: Any) -> Iterator[str]:
    """Parametric bootstrap."""
    size = len(result.residual_variances)
    yield f"{size} data sets were drawn from the fitted model and refitted (parametric bootstrap) [@bates2015]."


def correlation(result: Any) -> Iterator[str]:
    """Of two random effects."""
    yield (
        f"The correlation of {result.first} and {result.second} has a delta-method interval on Fisher's z "
        "[@maccallum1997]."
    )


def model_comparison(result: Any) -> Iterator[str]:
    """Likelihood ratio with the right reference distribution."""
    yield (
        f"Two models fitted to the same {result.observations} scores were compared by Akaike's and Schwarz's "
        "criteria [@akaike1974; @schwarz1978]."
    )
    if result.p_value is None:
        yield "Neither model contains the other, so there is no likelihood-ratio test."
        return
    yield f"The likelihood-ratio statistic was referred to {result.distribution}."
    if "mixture" in result.distribution:
        yield (
            "A parameter of zero lies on the border of what is possible, hence the mixture [@self1987; "
            "@stram1994]."
        )
    if result.conservative:
        yield "With several variances tested at once the mixture is an upper bound of the p value [@shapiro1988]."


_STANDARD_ERRORS = "Standard errors of coefficients take the estimated variances as known."


def _model(result: Any, model: str, random: Sequence[str]) -> str:
    dropped = f" ({result.n_dropped} rows with missing values left out)" if result.n_dropped else ""
    return (
        f"Change over time was described by {model}, with random {_list(random)} for clients: {result.n_clients} "
        f"clients, {result.n_observations} scores{dropped} [@laird1982; @bates2015]."
    )


def _estimator(*, reml: bool) -> str:
    if reml:
        return "Parameters were estimated by restricted maximum likelihood [@patterson1971]."
    return "Parameters were estimated by maximum likelihood."


def _reml(result: Any) -> bool:
    return bool(result.origin is None or result.origin.option("reml", True))  # noqa: FBT003


def _distribution(result: Any, df: float) -> str:
    method = "" if result.origin is None else result.origin.option("method", "")
    if method == "kenward-roger":
        return "with Kenward and Roger's covariance and degrees of freedom [@kenward1997; @halekoh2014]"
    if math.isinf(df):
        return "by the normal distribution (no allowance for few clients)"
    return "with Satterthwaite's degrees of freedom [@giesbrecht1985; @kuznetsova2017]"


def _effect(name: str) -> str:
    outcome, _, term = name.rpartition(": ")
    effect = "intercepts" if term in {"(Intercept)", "Intercept", "Group"} else f"effects of {term}"
    return f"{effect} ({outcome})" if outcome else effect


def _list(names: Sequence[str]) -> str:
    words = [_effect(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


DESCRIPTIONS: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "GrowthCurve": growth_curve,
    "FastMixedLMResults": mixedlm,
    "PairedGrowth": paired_growth,
    "SerialGrowth": serial_growth,
    "RobustGrowth": robust_growth,
    "GroupedResiduals": grouped_residuals,
    "TherapistGrowth": therapist_growth,
    "ClientCurve": client_curve,
    "CoefficientTest": coefficient_test,
    "JointTest": joint_test,
    "Interval": interval,
    "Bootstrap": bootstrap,
    "Correlation": correlation,
    "ModelComparison": model_comparison,
}
