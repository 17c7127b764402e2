"""How courses, goals, couples, lags and time to change were described: sentences for methods sections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def sudden_gains(result: Any) -> Iterator[str]:
    """Give the three criteria."""
    name = "gains" if result.kind == "gain" else "losses"
    yield (
        f"Sudden {name} were identified by the three criteria of Tang and DeRubeis [@tang1999; @wiedemann2020]: "
        f"{result.n_judged} of {result.n_steps} steps between sessions had the scores that the criteria need."
    )


def courses(result: Any) -> Iterator[str]:
    """Plateaus, setbacks and sudden steps."""
    size = "unknown" if result.threshold is None else f"{result.threshold:.4g} points"
    yield (
        "Courses were described by sudden gains and losses [@tang1999], plateaus, and setbacks from the best "
        f"score so far, all judged against a threshold of measurement error of {size} [@jacobson1991]."
    )


def time_to_change(result: Any) -> Iterator[str]:
    """Competing risks."""
    yield (
        "The share of clients who had changed by each time is the Aalen-Johansen cumulative incidence with "
        "leaving as a competing event [@aalen1978; @gaynor1993]; Kaplan-Meier's estimate [@kaplan1958] is given "
        "as a check."
    )
    yield f"Of {result.n} clients, {result.n_changed} changed and {result.n_dropped_out} left before."


def interval_change(result: Any) -> Iterator[str]:
    """Turnbull."""
    yield (
        f"Times of change known only to lie between occasions were estimated by Turnbull's method for {result.n} "
        "clients [@turnbull1976]."
    )


def goal_attainment(result: Any) -> Iterator[str]:  # noqa: ARG001 - every description takes its result
    """T scores."""
    yield "Goal attainment is the T score of Kiresuk and Sherman; 50 is the expected level [@kiresuk1968]."


def goal_change(result: Any) -> Iterator[str]:
    """Mean rating of goals."""
    yield (
        "Change of goals is that of the mean rating over goals rated on both occasions; a change of at least "
        f"{result.reliable:g} rating points counted as reliable [@jacobson1991]."
    )


def goal_probability(result: Any) -> Iterator[str]:
    """Predictive probability."""
    yield (
        f"The probability of reaching the goal is that of the predicted {result.of} under a normal distribution "
        "[@laird1982]."
    )


def process_chart(result: Any) -> Iterator[str]:
    """XmR chart."""
    yield (
        "The series was drawn as a process chart of individual values and moving ranges (limits at 2.66 mean "
        f"moving ranges); rules looked for: {', '.join(result.rules)} [@wheeler1992]."
    )


def nonoverlap(result: Any) -> Iterator[str]:
    """Overlap of two phases."""
    yield (
        f"Phases of {result.n_baseline} and {result.n_treatment} scores were compared by the nonoverlap of all "
        "pairs [@parker2009] with Newcombe's interval [@newcombe2006], Tau-U [@parker2011] and "
        "baseline-corrected tau [@tarlow2017]."
    )


def lagged_effects(result: Any) -> Iterator[str]:
    """Within persons, bias corrected."""
    own = "each client's own level and trend" if result.detrend == "own" else "each client's own level"
    yield (
        f"Whether change in {result.x} precedes change in {result.y} was estimated within clients ({own} taken "
        "off) from consecutive sessions [@hamaker2015], with the half-panel jackknife against the bias of short "
        f"series [@nickell1981; @dhaene2015] and clients bootstrapped ({result.n} clients, {result.pairs} pairs "
        "of sessions)."
    )


def lagged_effect(result: Any) -> Iterator[str]:
    """One path."""
    yield (
        f"The effect of {result.before} on {result.after} at the next session was estimated within clients "
        "[@hamaker2015; @dhaene2015]."
    )


def actor_partner(result: Any) -> Iterator[str]:
    """Actor-partner interdependence."""
    yield (
        f"Actor and partner effects were estimated in {result.n} couples by the actor-partner interdependence "
        f"model ({result.method}) [@kenny2006]; the ratio of partner to actor effect has bootstrap percentile "
        "limits [@kenny2010]."
    )


def dyad_effect(result: Any) -> Iterator[str]:
    """One estimate of the model."""
    yield (
        f"The {result.effect} effect has a t distribution with {result.degrees_of_freedom:.4g} degrees of freedom "
        "[@kenny2006]."
    )


def common_fate(result: Any) -> Iterator[str]:
    """Shared variance."""
    yield (
        f"The effect of what partners share was estimated in {result.n} couples by the common fate model "
        f"({result.method}), with bootstrap percentile limits [@ledermann2012]."
    )


def expected_course(result: Any) -> Iterator[str]:
    """Give the forecasting model."""
    card = result.card
    yield (
        f"Expected courses of {card.measure} come from a mixed model of level, change and fading fluctuation, "
        f"fitted to {card.clients} clients with {card.scores} scores and combined with regression on the first "
        "and latest score [@laird1982; @bates1969; @finch2001]."
    )
    yield (
        "Bands and chances are calibrated on clients left out of the fit, session by session "
        f"[@vanhouwelingen2007]; thresholds of signals maximise Youden's index [@youden1950]. Model version "
        f"{result.version}."
    )


def forecast(result: Any) -> Iterator[str]:
    """One client's forecast."""
    when = "at the end of the course" if result.at is None else f"at time {result.at:g}"
    yield (
        f"The score {when} was forecast from {result.session} scores with a band of {100 * result.level:g} % "
        f"coverage among clients left out of the fit [@finch2001; @vanhouwelingen2007] (model {result.model})."
    )


def course_path(result: Any) -> Iterator[str]:
    """Give the expected course from intake."""
    yield (
        f"The expected course given the first score has a band of {100 * result.level:g} % coverage for single "
        f"scores, calibrated on clients left out of the fit [@finch2001] ({result.training_clients} clients)."
    )


def signal(result: Any) -> Iterator[str]:  # noqa: ARG001
    """On track or not."""
    yield (
        "A client is not on track where the forecast chance of reliable improvement or deterioration passes a "
        "threshold at two sessions in a row [@finch2001; @youden1950]."
    )


def prospective_validation(result: Any) -> Iterator[str]:
    """Forecasts of clients not learned from."""
    yield (
        f"Forecasts were made for {result.clients} clients not used in fitting "
        f"({result.learned_from}); intervals resample clients [@vanhouwelingen2007]."
    )


DESCRIPTIONS: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "SuddenGains": sudden_gains,
    "Courses": courses,
    "Course": courses,
    "TimeToChange": time_to_change,
    "IntervalChange": interval_change,
    "GoalAttainment": goal_attainment,
    "GoalChange": goal_change,
    "GoalProbability": goal_probability,
    "ProcessChart": process_chart,
    "Nonoverlap": nonoverlap,
    "LaggedEffects": lagged_effects,
    "LaggedEffect": lagged_effect,
    "ActorPartner": actor_partner,
    "DyadEffect": dyad_effect,
    "CommonFate": common_fate,
    "ExpectedCourse": expected_course,
    "Forecast": forecast,
    "CoursePath": course_path,
    "Signal": signal,
    "ProspectiveValidation": prospective_validation,
}
