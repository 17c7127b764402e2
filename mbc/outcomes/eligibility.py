"""Whether a headline may be drawn from a report: enough people, enough of them measured, bounds not too wide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mbc.outcomes.results import Metric


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What a headline needs."""

    name: str
    least_people: int
    least_complete: float  # percent with a first and a last score
    widest_bounds: float  # percentage points between worst and best case
    source: str = ""


PRESETS = {
    "plain": Eligibility("plain", 20, 50.0, 30.0),
    # ACORN asks at least 100 cases of an organisation and two assessments in half of them; the 15 that it asks of
    # a clinician do not matter here, as no clinician has a headline.
    "acorn": Eligibility("acorn", 100, 50.0, 30.0, "psychoutcomes.org"),
}
_HEADLINES = ("reliable_recovery", "recovery", "reliable_improvement", "response", "remission", "improved")
WITHHELD = "No headline"
NO_RATE = f"{WITHHELD}: there is no rate to report."
SEVERAL_MEASURES = f"{WITHHELD}: each measure is reported by itself."


def headline(metrics: Iterable[Metric], rule: Eligibility = PRESETS["plain"]) -> str:
    """Give the headline of a report, or say why there is none.

    Parameters
    ----------
    metrics : iterable of Metric
    rule : Eligibility

    Returns
    -------
    str
    """
    listed = list(metrics)
    if len({metric.key for metric in listed}) > 1:
        return SEVERAL_MEASURES
    main = main_metric(listed)
    if main is None or main.value is None:
        return NO_RATE
    complete = completeness_of(main, listed)
    spread = None if main.best is None or main.worst is None else main.best - main.worst
    faults = missing_for_headline(rule, main.denominator, complete.value if complete else None, spread)
    if faults:
        return f"{WITHHELD} ({main.title.lower()}): {' and '.join(faults)}."
    return f"{main.title}: {main.value:.0f} % of {main.among}."


def missing_for_headline(
    rule: Eligibility, people: int, complete: float | None, spread: float | None
) -> list[str]:
    """Say in words what a headline lacks; nothing where it may be drawn.

    Parameters
    ----------
    rule : Eligibility
    people : int
        Of whom the rate is.
    complete : float or None
        Percent with a first and a last score; None: the definition does not ask.
    spread : float or None
        Percentage points between worst and best case; None: nothing is missing by definition.
    """
    faults: list[str] = []
    if people < rule.least_people:
        faults.append(f"fewer than {rule.least_people} people")
    if complete is not None and complete < rule.least_complete:
        faults.append(f"fewer than {rule.least_complete:g} % with a first and a last score")
    if spread is not None and spread > rule.widest_bounds:
        faults.append(f"missing outcomes could move it by more than {rule.widest_bounds:g} points")
    return faults


def completeness_of(main: Metric, metrics: Iterable[Metric]) -> Metric | None:
    """Find the figure that says how complete the data of a rate are."""
    return next((metric for metric in metrics if metric.completeness and metric.key == main.key), None)


def main_metric(metrics: Iterable[Metric]) -> Metric | None:
    """Find the rate that a headline is about."""
    listed = list(metrics)
    named = {metric.metric.removeprefix(f"{metric.key}_" if metric.key else ""): metric for metric in listed}
    return next((named[name] for name in _HEADLINES if name in named), None)
