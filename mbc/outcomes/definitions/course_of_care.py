"""How care went: attendance, endings, goals, alliance, and outcomes by relationship status.

Leaving a relationship is an outcome where the record says that it was a step forward, never a deterioration.
Single clients have denominators of their own: they are judged by measures of the self, which apply to them.
"""

from __future__ import annotations

from functools import reduce

import narwhals.stable.v2 as nw
from pydantic import Field

from mbc.instruments import instrument
from mbc.instruments.applicability import CURRENT
from mbc.outcomes.applicability import in_a_relationship
from mbc.outcomes.cohorts import Cohort, Period, in_cohort, last_day_counted
from mbc.outcomes.definitions.definition_file import Definition, Part
from mbc.outcomes.definitions.jacobson_truax import catalogue_measure
from mbc.outcomes.definitions.quantities import Group, Mean, Rate, Step
from mbc.outcomes.pairs import contacts, first_and_last, improvement, scores_of, within_episodes
from mbc.outcomes.source import Lazy, Source
from mbc.privacy.small_numbers.attacker import Relation

_LEAVING = (
    "The end of a relationship is a separate outcome: leaving counts as a step forward where the record says "
    "so, and never as a deterioration."
)


class Named(Part):
    """One scale of one instrument."""

    instrument: str
    scale: str = "total"


class Settings(Definition):
    """The file of these rules."""

    planned: tuple[str, ...]
    dropped_out: tuple[str, ...]
    alliance: Named
    self_measures: tuple[Named, ...] = Field(min_length=1)


def groups(source: Source, settings: Settings, cohort: Cohort, period: Period) -> tuple[Group, ...]:
    """Give what is to be counted: one row per episode of care."""
    _, end = period.days
    until = last_day_counted(cohort, period)
    last = nw.when(nw.col("ended") < end).then(nw.col("ended")).otherwise(nw.lit(end))
    frame = source.episodes.filter(in_cohort(cohort, period)).with_columns(
        last_day=last, member=nw.lit(value=True)
    )
    spans = frame.select("episode_id", "client_id", "since", "last_day")  # before the joins, which it would repeat
    frame = frame.join(contacts(source.sessions, until=until), on="episode_id", how="left")
    scores = within_episodes(source.scores, source.episodes, until=until)
    frame = _with_alliance(frame, scores, settings.alliance)
    frame = _with_goals(frame, spans, source.goals)
    frame = _with_relationships(frame, spans, source.statuses)
    frame = _with_self_measures(frame, scores, settings)
    frame = frame.with_columns(
        over=(nw.col("ended") <= end).fill_null(value=False),
        planned=nw.col("ending").is_in(list(settings.planned)).fill_null(value=False),
        dropped=nw.col("ending").is_in(list(settings.dropped_out)).fill_null(value=False),
        attendance=100.0 * nw.col("contacts") / nw.col("appointments"),
    )
    return (
        Group(
            frame=frame,
            rates=(*_endings(), *_goals(), *_relationships()),
            means=_means(settings),
            steps=(
                Step("cohort", "In the cohort", nw.col("member")),
                Step("seen", "Had an appointment", ~nw.col("appointments").is_null(), "no session on record"),
            ),
            relations=(
                Relation("@cohort", ("care_over",), exact=cohort == "finished"),
                Relation("care_over", ("ended_as_planned", "dropped_out", "ended_otherwise")),
                Relation("goals_set", ("goal_reached",), exact=False),
                Relation("goal_reached", ("all_goals_reached",), exact=False),
                Relation("in_relationship_at_start", ("relationship_ended",), exact=False),
                Relation("relationship_ended", ("left_step_forward",), exact=False),
                Relation("single_measured", ("single_improved", "single_unchanged", "single_deteriorated")),
            ),
            hide_first=("ended_otherwise", "single_unchanged"),
            unpublished=("@cohort",),
            rules=tuple(_rules(settings)),
        ),
    )


def _with_alliance(frame: Lazy, scores: Lazy, alliance: Named) -> Lazy:
    pairs = first_and_last(scores_of(scores, alliance.instrument, alliance.scale), ["episode_id"])
    latest = nw.coalesce(nw.col("last"), nw.col("first"))
    return frame.join(pairs.select("episode_id", latest.alias("alliance")), on="episode_id", how="left")


def _with_goals(frame: Lazy, spans: Lazy, goals: Lazy) -> Lazy:
    of_episodes = spans.rename({"episode_id": "of_episode"})
    mine = goals.join(of_episodes, on="client_id", how="inner").filter(
        (nw.col("set") <= nw.col("last_day"))
        & (nw.col("since").is_null() | (nw.col("set") >= nw.col("since"))).fill_null(value=True)
    )
    counted = (
        mine.with_columns(hit=nw.col("reached").fill_null(value=False).cast(nw.Int64))
        .group_by("of_episode")
        .agg(nw.len().alias("goals"), nw.col("hit").sum().alias("goals_reached"))
        .rename({"of_episode": "episode_id"})
    )
    joined = frame.join(counted, on="episode_id", how="left")
    return joined.with_columns(nw.col("goals", "goals_reached").fill_null(0))


def _with_relationships(frame: Lazy, spans: Lazy, statuses: Lazy) -> Lazy:
    at_start = in_a_relationship(statuses, spans.with_columns(day=nw.col("since")))
    at_end = in_a_relationship(statuses, spans.with_columns(day=nw.col("last_day")))
    ended = statuses.filter(~nw.col("relationship_id").is_null(), ~nw.col("status").is_in(sorted(CURRENT)))
    within = ended.select("client_id", nw.col("since").alias("from_day"), "step_forward").join(
        spans, on="client_id", how="inner"
    )
    within = within.filter((nw.col("from_day") > nw.col("since")) & (nw.col("from_day") <= nw.col("last_day")))
    left = (
        within.with_columns(forward=nw.col("step_forward").fill_null(value=False).cast(nw.Int64))
        .group_by("episode_id")
        .agg(nw.len().alias("endings"), nw.col("forward").max().alias("forward"))
    )
    frame = frame.join(at_start.rename({"together": "together_at_start"}), on="episode_id", how="left")
    frame = frame.join(at_end.rename({"together": "together_at_end"}), on="episode_id", how="left")
    return frame.join(left, on="episode_id", how="left")


def _with_self_measures(frame: Lazy, scores: Lazy, settings: Settings) -> Lazy:
    """Say of each episode whether a measure of the self got clearly better, or clearly worse."""
    better: list[nw.Expr] = []
    worse: list[nw.Expr] = []
    known: list[nw.Expr] = []
    for named in settings.self_measures:
        chosen = instrument(named.instrument)
        scale = chosen.scale(named.scale)
        limits = catalogue_measure(chosen, scale)
        if limits.change is None:
            continue
        column = f"{named.instrument}_{named.scale}_gain"
        pairs = first_and_last(scores_of(scores, named.instrument, named.scale), ["episode_id"])
        gain = pairs.with_columns(gained=improvement(scale.higher_is_better))
        frame = frame.join(gain.select("episode_id", nw.col("gained").alias(column)), on="episode_id", how="left")
        value = nw.col(column)
        up, down = (value >= limits.change, value <= -limits.change) if limits.at_least else (
            value > limits.change, value < -limits.change,
        )  # fmt: skip
        better.append(up.fill_null(value=False))
        worse.append(down.fill_null(value=False))
        known.append(~value.is_null())
    if not better:
        nobody = nw.lit(value=False)
        return frame.with_columns(any_better=nobody, any_worse=nobody, self_known=nobody)
    return frame.with_columns(
        any_better=reduce(lambda left, right: left | right, better),
        any_worse=reduce(lambda left, right: left | right, worse),
        self_known=reduce(lambda left, right: left | right, known),
    )


def _endings() -> tuple[Rate, ...]:
    over, planned, dropped = nw.col("over"), nw.col("planned"), nw.col("dropped")
    among = "clients whose care was over by the last day"
    return (
        Rate("ended_as_planned", "Care ended as planned", among, planned, over, of="care_over"),
        Rate("dropped_out", "Dropped out", among, dropped & ~planned, over, of="care_over"),
        Rate("ended_otherwise", "Care ended otherwise", among, ~planned & ~dropped, over, of="care_over"),
    )


def _goals() -> tuple[Rate, ...]:
    some = nw.col("goals") > 0
    among = "clients with a goal"
    reached = nw.col("goals_reached")
    return (
        Rate("goal_reached", "Reached a goal", among, reached > 0, some, of="goals_set"),
        Rate("all_goals_reached", "Reached every goal", among, reached == nw.col("goals"), some, of="goals_set"),
    )


def _relationships() -> tuple[Rate, ...]:
    began = (nw.col("together_at_start") == 1).fill_null(value=False)
    ended = began & (nw.col("endings") > 0).fill_null(value=False)
    forward = (nw.col("forward") == 1).fill_null(value=False)
    single = (nw.col("together_at_end") == 0).fill_null(value=False)
    judged = single & nw.col("self_known")
    up, down = nw.col("any_better") & ~nw.col("any_worse"), nw.col("any_worse") & ~nw.col("any_better")
    of_single = "single clients with a first and a later score on measures of the self"
    known = (~nw.col("together_at_end").is_null()).fill_null(value=False)
    return (
        Rate("relationship_ended", "A relationship ended in care", "clients in a relationship at the start", ended,
             began, of="in_relationship_at_start"),
        Rate("left_step_forward", "Left as a step forward", "clients whose relationship ended in care", forward,
             ended, of="relationship_ended"),
        Rate("single_at_end", "Single on the last day", "clients whose status is on record", single, known,
             of="status_known"),
        Rate("single_improved", "Single: improved clearly", of_single, up, judged, of="single_measured"),
        Rate("single_unchanged", "Single: no clear change", of_single, ~up & ~down, judged, of="single_measured"),
        Rate("single_deteriorated", "Single: got clearly worse", of_single, down, judged, of="single_measured"),
    )  # fmt: skip


def _means(settings: Settings) -> tuple[Mean, ...]:
    seen = ~nw.col("appointments").is_null()
    return (
        Mean("attendance", "Attended of the appointments offered", "clients with an appointment",
             nw.col("attendance"), seen, "% of appointments"),
        Mean("alliance", f"Latest alliance ({settings.alliance.instrument})", "clients who rated the alliance",
             nw.col("alliance"), ~nw.col("alliance").is_null(), "points"),
    )  # fmt: skip


def _rules(settings: Settings) -> list[str]:
    measures = ", ".join(f"{named.instrument}" for named in settings.self_measures)
    return [
        f"Ended as planned: {', '.join(settings.planned)}. Dropped out: {', '.join(settings.dropped_out)}.",
        "A goal is reached when its latest rating, or score, is at its target. Goals set during this care count.",
        _LEAVING,
        f"Single clients are judged by {measures}: clearly improved on at least one, and worse on none.",
    ]
