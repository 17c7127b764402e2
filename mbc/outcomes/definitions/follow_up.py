"""Outcomes in a window of days after an elevated score, as the measures of payers count them."""

from __future__ import annotations

import narwhals.stable.v2 as nw
from pydantic import Field, model_validator

from mbc.outcomes.cohorts import Cohort, Period, in_cohort
from mbc.outcomes.definitions.definition_file import Definition, Part
from mbc.outcomes.definitions.quantities import Group, Rate, Step
from mbc.outcomes.pairs import scores_of, within_episodes
from mbc.outcomes.source import Lazy, Source
from mbc.privacy.small_numbers.attacker import Relation

FIRST_RULE = "the first elevated score of the care"
LAST_RULE = "the most recent score in the window after it"
_ORDER = ["taken", "place", "score"]


class Window(Part):
    """Days after the index, both included."""

    first: int = Field(ge=1)
    last: int

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) is before first ({self.first})")
        return self


class Settings(Definition):
    """The file of these rules. Lower scores are better."""

    instrument: str
    scale: str = "total"
    elevated: float
    remission_below: float
    response: float | None = Field(default=None, gt=0, le=1)
    window: Window


def groups(source: Source, settings: Settings, cohort: Cohort, period: Period) -> tuple[Group, ...]:
    """Give what is to be counted: one row per episode of care."""
    _, end = period.days
    all_scores = scores_of(source.scores, settings.instrument, settings.scale)
    index = _index(within_episodes(all_scores, source.episodes, until=end), settings)
    frame = source.episodes.filter(in_cohort(cohort, period)).join(index, on="episode_id", how="left")
    frame = frame.join(_latest(all_scores, frame, settings.window), on="episode_id", how="left")
    over = (nw.col("index_day") + settings.window.last <= end).fill_null(value=False)
    frame = frame.with_columns(
        member=nw.lit(value=True),
        elevated=~nw.col("index_day").is_null(),
        eligible=over,
        followed=~nw.col("later").is_null(),
        remission=(nw.col("later") < settings.remission_below).fill_null(value=False),
        response=_response(settings),
    )
    return (
        Group(
            frame=frame,
            rates=_rates(settings),
            steps=_steps(settings.window),
            relations=_relations(settings),
            hide_first=("not_followed", "response", "remission"),
            rules=(_rule(settings),),
        ),
    )


def _index(scores: Lazy, settings: Settings) -> Lazy:
    """Find the first elevated score of each episode."""
    elevated = scores.filter(nw.col("score") >= settings.elevated)
    placed = elevated.with_columns(position=nw.col("taken").cum_count().over("episode_id", order_by=_ORDER))
    first = placed.filter(nw.col("position") == 1)
    return first.select("episode_id", nw.col("taken").alias("index_day"), nw.col("score").alias("index_score"))


def _latest(scores: Lazy, indexed: Lazy, window: Window) -> Lazy:
    """Find the most recent score in the window, in this episode of care or after it."""
    spans = indexed.select("client_id", nw.col("episode_id").alias("of_episode"), "index_day")
    joined = scores.drop("episode_id").join(spans, on="client_id", how="inner")
    days = nw.col("taken") - nw.col("index_day")
    inside = joined.filter(((days >= window.first) & (days <= window.last)).fill_null(value=False))
    placed = inside.with_columns(
        position=nw.col("taken").cum_count().over("of_episode", order_by=_ORDER),
        size=nw.len().over("of_episode"),
    )
    last = placed.filter(nw.col("position") == nw.col("size"))
    return last.select(nw.col("of_episode").alias("episode_id"), nw.col("score").alias("later"))


def _response(settings: Settings) -> nw.Expr:
    if settings.response is None:
        return nw.lit(value=False)
    return (nw.col("later") <= (1 - settings.response) * nw.col("index_score")).fill_null(value=False)


def _rates(settings: Settings) -> tuple[Rate, ...]:
    eligible, followed = nw.col("eligible"), nw.col("followed")
    among = "clients with an elevated score whose window is over"
    rates = [Rate("follow_up", "Followed up in the window", among, followed, eligible, of="eligible")]
    if settings.response is not None:
        hit = nw.col("response")
        rates.append(
            Rate("response", "Responded", among, hit, eligible, followed, of="eligible", unknown="not_followed")
        )
    rates.append(
        Rate("remission", "In remission", among, nw.col("remission"), eligible, followed, of="eligible",
             unknown="not_followed")
    )  # fmt: skip
    return tuple(rates)


def _relations(settings: Settings) -> tuple[Relation, ...]:
    names = ("response", "remission") if settings.response is not None else ("remission",)
    return (
        Relation("eligible", ("follow_up", "not_followed"), kinds=False),
        *(Relation("follow_up", (name,), exact=False) for name in names),
    )


def _steps(window: Window) -> tuple[Step, ...]:
    elevated, eligible = nw.col("elevated"), nw.col("eligible")
    return (
        Step("cohort", "In the cohort", nw.col("member")),
        Step("elevated", "Had an elevated score", elevated, "no elevated score in this care"),
        Step("eligible", "Their window is over", eligible, f"under {window.last} days since, by the last day"),
        Step("followed", "Followed up in the window", eligible & nw.col("followed"), "no score in the window"),
    )


def _rule(settings: Settings) -> str:
    window = settings.window
    words = (
        f"{settings.instrument} ({settings.scale}): the index is the first score from {settings.elevated:g} up; "
        f"the most recent score {window.first} to {window.last} days later counts, after the end of care too. "
        f"Remission: below {settings.remission_below:g}. Clients without a score in the window stay in the "
        "denominator."
    )
    if settings.response is not None:
        words += f" Response: at least {100 * settings.response:g} % lower than the index."
    return words
