"""How reliability and departures from missing at random were assessed: sentences for methods sections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def alpha(result: Any) -> Iterator[str]:
    """Alpha with Feldt's interval."""
    yield (
        f"Cronbach's alpha of {len(result.items)} items was computed from {result.n} complete rows "
        "[@cronbach1951], with Feldt's interval [@feldt1987]."
    )


def omega(result: Any) -> Iterator[str]:
    """Omega of one factor."""
    yield (
        f"McDonald's omega total of {len(result.items)} items was computed from one factor fitted to {result.n} "
        "complete rows [@mcdonald1999]."
    )


def item_rest_correlation(result: Any) -> Iterator[str]:
    """Corrected item-total correlations."""
    yield (
        f"The item {result.item} was correlated with the sum of the others, and alpha without it computed "
        "[@cronbach1951]."
    )


def change_reliability(result: Any) -> Iterator[str]:
    """Generalisability of change."""
    yield (
        f"The reliability of change within persons is from variance components of {result.items} items over "
        f"{result.occasions:g} occasions of {result.n} persons [@cranford2006]."
    )


def pattern_mixture(result: Any) -> Iterator[str]:
    """Delta added to conditional means."""
    yield (
        f"Scores missing at time {result.at:g} ({result.n_missing} of {result.n}) were taken as their "
        "conditional means given each client's own scores in a growth model, shifted by delta (pattern mixture) "
        "[@little1993]; the tipping point is the delta that reverses the result."
    )


def dropout_sensitivity(result: Any) -> Iterator[str]:
    """Delta added to the courses of those who left."""
    yield (
        "Sensitivity to dropout was assessed by pattern mixture on a growth model: delta points were added to "
        f"the courses of the {result.n_left} of {result.n} clients who left [@little1993]."
    )


def at_delta(result: Any) -> Iterator[str]:
    """Give the estimate at one delta."""
    yield f"The estimate is the one at a departure of {result.delta:g} points [@little1993]."


def delta_imputation(result: Any) -> Iterator[str]:
    """Multiple imputation shifted by delta."""
    yield (
        f"Missing scores were imputed {result.imputations} times from a growth model fitted to bootstrap samples "
        "of clients, shifted by delta, and pooled by Rubin's rules [@rubin1987; @carpenter2013; @barnard1999]."
    )


def pooled(result: Any) -> Iterator[str]:
    """Rubin's rules."""
    yield (
        f"Estimates of {result.imputations} imputed data sets were pooled by Rubin's rules [@rubin1987] with "
        f"{result.degrees_of_freedom:.4g} degrees of freedom [@barnard1999]."
    )


def attendance_weights(result: Any) -> Iterator[str]:
    """Inverse probability weights."""
    kind = "stabilised" if result.stabilised else "unstabilised"
    yield (
        f"Scores were weighted by the inverse probability of still attending ({result.method}; {kind}, "
        f"{result.truncated} truncated) [@robins1995]."
    )


def joint_growth(result: Any) -> Iterator[str]:
    """Shared-parameter model."""
    yield (
        "Scores and dropout were modelled jointly: the risk of leaving after a session depends on the "
        f"{result.link} of the client's own course (shared-parameter model, adaptive Gauss-Hermite quadrature "
        f"with {result.nodes} nodes) [@wu1988; @rizopoulos2012]; a sensitivity analysis, never a correction."
    )


DESCRIPTIONS: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "Alpha": alpha,
    "Omega": omega,
    "ItemRest": item_rest_correlation,
    "ChangeReliability": change_reliability,
    "PatternMixture": pattern_mixture,
    "DropoutSensitivity": dropout_sensitivity,
    "AtDelta": at_delta,
    "DeltaImputation": delta_imputation,
    "Pooled": pooled,
    "AttendanceWeights": attendance_weights,
    "JointGrowth": joint_growth,
}
