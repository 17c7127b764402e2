"""Time to the first clear improvement, at milestones: each scale by itself.

A client improves clearly on the first day on which a score is better than the first by more than measurement error
explains and the next score is too. Of those whose first score lies at least as many days before the last day
counted as the milestone has, the share that had improved by then is the cumulative incidence: whoever left before
had not improved, and nobody is censored.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw
from pydantic import Field

from mbc.instruments import Instrument, Scale
from mbc.instruments.short_names import short_name
from mbc.outcomes.applicability import of_the_last_relationship
from mbc.outcomes.cohorts import Cohort, Period, in_cohort, last_day_counted
from mbc.outcomes.definitions.definition_file import Definition, Part
from mbc.outcomes.definitions.jacobson_truax import Measure, catalogue_measure, scales_on_record
from mbc.outcomes.definitions.quantities import Group, Rate, Step
from mbc.outcomes.pairs import scores_of, within_episodes
from mbc.outcomes.source import Lazy, Source
from mbc.privacy.small_numbers.attacker import Relation

LAST_RULE = "every later score of that care"
_ORDER = ["taken", "place", "score"]


class Milestone(Part):
    """A number of days after the first score."""

    name: str
    title: str
    days: int = Field(ge=1)


class Settings(Definition):
    """The file of these rules."""

    from_catalogue: bool = True
    measures: tuple[Measure, ...] = ()
    milestones: tuple[Milestone, ...] = Field(min_length=1)


def groups(source: Source, settings: Settings, cohort: Cohort, period: Period) -> tuple[Group, ...]:
    """Give what is to be counted: a group for each scale whose change can be judged, one row per episode."""
    own = {measure.key: measure for measure in settings.measures}
    until = last_day_counted(cohort, period)
    scores = within_episodes(source.scores, source.episodes, until=until)
    last_day = until if until is not None else _last_day(source, period)
    people = source.episodes.filter(in_cohort(cohort, period))
    made: list[Group] = []
    for known, scale in scales_on_record(source):
        measure = own.get(f"{known.key}_{scale.key}") or (
            catalogue_measure(known, scale) if settings.from_catalogue else None
        )
        if measure is not None and measure.change is not None:
            made.append(_group(people, scores, (known, scale), measure, settings, last_day))
    return tuple(made)


def _last_day(source: Source, period: Period) -> int:
    days = source.scores.select(nw.col("taken").max()).collect().to_polars()["taken"].drop_nulls().to_list()
    return max([*days, period.days[1]])


def _group(
    people: Lazy,
    scores: Lazy,
    of: tuple[Instrument, Scale],
    measure: Measure,
    settings: Settings,
    last_day: int,
) -> Group:
    known, scale = of
    rows = scores_of(scores, known.key, scale.key)
    if known.applicability.needs_relationship:
        rows = of_the_last_relationship(rows)
    frame = people.join(_first_clear_change(rows, scale, measure), on="episode_id", how="left")
    frame = frame.with_columns(
        present=nw.lit(value=True), measured=~nw.col("start").is_null(), days=nw.col("reached") - nw.col("start")
    )
    title = f"{scale.title}: {short_name(known.key)}"
    least = f"{'at least' if measure.at_least else 'more than'} {measure.change:.1f} points"
    rule = (
        f"{title}: better than the first score by {least}, twice in a row ({measure.source or 'the clinic'}). "
        "Clients who left earlier count as not improved."
    )
    rates: list[Rate] = []
    relations: list[Relation] = []
    for milestone in settings.milestones:
        eligible = (nw.col("start") + milestone.days <= last_day).fill_null(value=False)
        hit = (nw.col("days") <= milestone.days).fill_null(value=False)
        of_name = f"followed_{milestone.name}"
        among = f"clients with a first score at least {milestone.days} days ago"
        rates.append(
            Rate(milestone.name, f"Clearly improved {milestone.title.lower()}", among, hit, eligible, of=of_name)
        )
        relations.append(Relation(of_name, (milestone.name,), exact=False))
    return Group(
        frame=frame,
        rates=tuple(rates),
        steps=(
            Step("cohort", "In the cohort", nw.col("present")),
            Step("measured", "Have a first score", nw.col("measured"), "no score on record"),
        ),
        key=measure.key,
        title=title,
        relations=tuple(relations),
        rules=(rule,),
    )


def _first_clear_change(rows: Lazy, scale: Scale, measure: Measure) -> Lazy:
    """Find the day of the first score of two in a row that are clearly better than the first."""
    placed = rows.with_columns(position=nw.col("taken").cum_count().over("episode_id", order_by=_ORDER))
    opening = placed.filter(nw.col("position") == 1).select(
        "episode_id", nw.col("score").alias("base"), nw.col("taken").alias("start")
    )
    joined = placed.join(opening, on="episode_id", how="inner")
    gain = nw.col("score") - nw.col("base") if scale.higher_is_better else nw.col("base") - nw.col("score")
    clear = gain >= measure.change if measure.at_least else gain > measure.change
    good = joined.filter(clear).select("episode_id", "position", "taken")
    following = good.select("episode_id", (nw.col("position") - 1).alias("position"))
    twice = good.join(following, on=["episode_id", "position"], how="inner")
    reached = twice.group_by("episode_id").agg(nw.col("taken").min().alias("reached"))
    return opening.select("episode_id", "start").join(reached, on="episode_id", how="left")
