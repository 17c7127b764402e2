"""A cohort with less detail, as a profile asks: weeks or periods for days, bands for numbers, people alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import polars as pl

from mbc.care.cohort.deidentified import SELF, Cohort
from mbc.care.cohort.profiles import Profile
from mbc.errors import IdentityLeft, SettingsError
from mbc.privacy.risk import Hierarchy, generalise

WEEK, MONTH, YEAR = 7, 28, 365  # days
ABSENCES = ("holiday", "vacation", "leave", "absence")  # in the name of a kind of event
ONGOING, PLANNED_ENDING, OTHER_ENDING = "in care", "planned", "other"
_AT_INTAKE = 4 * WEEK  # days in which the first score of a scale counts as that of the intake
_IN_THE_SCORES = ("relationship", "answered_in")  # the scores show them, so they cannot be hidden
_ONE = ["study_id", "instrument", "scale", "target", "informant"]


@dataclass(frozen=True, slots=True)
class Coarsened:
    """A cohort as a profile leaves it, and what that took."""

    cohort: Cohort
    profile: Profile
    known: tuple[str, ...]  # columns of the people that somebody might know
    left_out: int  # people
    levels: dict[str, int]  # column -> how coarse it became; 0 is the finest


def coarsen(cohort: Cohort, profile: Profile) -> Coarsened:
    """Take detail out of a cohort.

    Parameters
    ----------
    cohort : Cohort
        In days, from `mbc.care.deidentified_cohort`.
    profile : Profile

    Raises
    ------
    IdentityLeft
        If the profile asks for people who look alike and there are too few for it.
    """
    if profile.time == "days" and not profile.session_bands and profile.therapists:
        return Coarsened(cohort, profile, _known(cohort.people), 0, {})
    people = _people(cohort, profile)
    if profile.time == "periods":
        return _in_periods(cohort, people, profile)
    moved = _cut_open_ends(cohort) if profile.cut_open_ends else cohort
    step = WEEK if profile.time == "weeks" else 1
    coarse = replace(
        moved,
        people=people,
        scores=_floored(moved.scores, step),
        items={key: _floored(frame, step) for key, frame in moved.items.items()},
        sessions=_floored(moved.sessions, step),
        goals=_floored(moved.goals, step),
        events=_floored(_without_absences(moved.events), step),
        relationships=_relationships(moved.relationships, profile, step),
    )
    return Coarsened(coarse, profile, _known(people), 0, {})


def _known(people: pl.DataFrame) -> tuple[str, ...]:
    """Columns of the people that hold something, apart from the random id."""
    return tuple(
        name for name in people.columns if name != "study_id" and people[name].null_count() < people.height
    )


def _people(cohort: Cohort, profile: Profile) -> pl.DataFrame:
    """Bands for numbers, endings in two groups, therapists where they are asked for."""
    people = cohort.people
    if not profile.therapists:
        people = people.with_columns(therapist=pl.lit(None, pl.String))
    if profile.session_bands:
        bands = [band(count, profile.session_bands) for count in people["sessions"].to_list()]
        people = people.with_columns(pl.Series("sessions", bands, dtype=pl.String))
    if profile.length_bands:
        weeks = [None if days is None else days // WEEK + 1 for days in people["days"].to_list()]
        bands = [band(count, profile.length_bands) for count in weeks]
        people = people.with_columns(pl.Series("days", bands, dtype=pl.String)).rename({"days": "weeks"})
    if profile.group_endings:
        grouped = pl.when(pl.col("ending").is_null()).then(pl.lit(ONGOING))
        grouped = grouped.when(pl.col("ending") == PLANNED_ENDING).then(pl.lit(PLANNED_ENDING))
        people = people.with_columns(ending=grouped.otherwise(pl.lit(OTHER_ENDING)))
    return people


def band(count: int | None, bounds: tuple[int, ...]) -> str | None:
    """Write the band that a number lies in.

    Examples
    --------
    >>> [band(count, (1, 10, 20)) for count in (0, 1, 19, 20, None)]
    ['0', '1-9', '10-19', '20+', None]
    """
    if count is None:
        return None
    if count < bounds[0]:
        return "0" if bounds[0] == 1 else f"0-{bounds[0] - 1}"
    for low, high in pairwise(bounds):
        if count < high:
            return f"{low}-{high - 1}" if high - low > 1 else str(low)
    return f"{bounds[-1]}+"


def _floored(frame: pl.DataFrame, step: int) -> pl.DataFrame:
    """Take the first day of the week for each day, and sort again, so that no order within a week is left."""
    days = [name for name in ("day", "since_intake") if name in frame.columns]
    return frame.with_columns((pl.col(name) // step * step).cast(pl.Int32).alias(name) for name in days).sort(
        pl.all()
    )


def _relationships(frame: pl.DataFrame, profile: Profile, step: int) -> pl.DataFrame:
    in_care = _floored(frame.filter(pl.col("day") >= 0), step)
    before = frame.filter(pl.col("day") < 0)
    if profile.before_care == "left out":
        return in_care
    return pl.concat([_floored(before, YEAR if profile.before_care == "years" else step), in_care]).sort(pl.all())


def _without_absences(events: pl.DataFrame) -> pl.DataFrame:
    """Leave out absences: with a clinic's calendar of holidays they give intake dates back."""
    named = pl.any_horizontal(pl.col("kind").str.to_lowercase().str.contains(word) for word in ABSENCES)
    return events.filter(~named.fill_null(value=False))


def _cut_open_ends(cohort: Cohort) -> Cohort:
    """Leave out the last weeks of people in care: with the day of the export they give intake dates back."""
    open_people = cohort.people.filter(pl.col("ending").is_null())["study_id"]
    days = pl.concat([frame.select("study_id", "day") for frame in (cohort.scores, cohort.sessions)])
    last = (
        days.filter(pl.col("study_id").is_in(open_people.to_list())).group_by("study_id").agg(pl.col("day").max())
    )
    ends = last.select("study_id", ((pl.col("day") // MONTH - 1).clip(1) * MONTH).alias("end"))

    def cut(frame: pl.DataFrame) -> pl.DataFrame:
        joined = frame.join(ends, on="study_id", how="left")
        return joined.filter(pl.col("end").is_null() | (pl.col("day") < pl.col("end"))).drop("end").sort(pl.all())

    return replace(
        cohort,
        scores=cut(cohort.scores),
        items={key: cut(frame) for key, frame in cohort.items.items()},
        sessions=cut(cohort.sessions),
        goals=cut(cohort.goals),
        events=cut(cohort.events),
        relationships=cut(cohort.relationships),
    )


def _in_periods(cohort: Cohort, people: pl.DataFrame, profile: Profile) -> Coarsened:
    """One score of each scale at intake and at the end of each period; people alike in all that can be known."""
    scores = _of_one_relationship(_period_scores(cohort.scores, profile.periods))
    signature = people.drop("study_id", "therapist").with_columns(
        _relationship_rated(people, scores), _periods_answered(people, scores)
    )
    hierarchies = {
        name: _hierarchy(name, signature[name].unique().to_list())
        for name in signature.columns
        if name not in _IN_THE_SCORES and signature[name].null_count() < signature.height
    }
    rated: dict[object, str] = {value: value for value in signature["relationship"].unique().to_list()}
    hierarchies["relationship"] = Hierarchy((rated,), can_be_hidden=False)
    hierarchies["answered_in"] = _answered_hierarchy(signature["answered_in"].unique().to_list())
    try:
        alike, out, levels = generalise(
            signature, hierarchies, k=profile.k or 2, most_left_out=profile.most_left_out
        )
    except SettingsError as fault:
        raise IdentityLeft(f"{fault} Nothing was written.") from None
    if profile.k is None:
        out = pl.Series("few", [False] * people.height)
    kept = people.select("study_id").hstack(alike).filter(~out)
    scores = _thinned(scores, levels["answered_in"]).filter(pl.col("study_id").is_in(kept["study_id"].to_list()))
    coarse = replace(
        cohort,
        people=kept.sort("study_id"),
        scores=scores.sort(pl.all()),
        items={},
        sessions=cohort.sessions.clear(),
        relationships=cohort.relationships.clear(),
        goals=cohort.goals.clear(),
        events=cohort.events.clear(),
    )
    return Coarsened(coarse, profile, tuple(alike.columns), int(out.sum()), levels)


def _period_scores(scores: pl.DataFrame, periods: tuple[int, ...]) -> pl.DataFrame:
    """Scores of the latest episode: the first of each scale, then the last in each period, at the period's end."""
    latest = scores.filter(pl.col("episode").fill_null(1) == pl.col("episode").fill_null(1).max().over("study_id"))
    scored = latest.drop_nulls("score").with_columns(since=pl.col("since_intake").fill_null(pl.col("day")))
    first = (
        scored.filter(pl.col("since") < _AT_INTAKE).sort("since").unique(_ONE, keep="first", maintain_order=True)
    )
    parts = [first.with_columns(at=pl.lit(0, pl.Int32))]
    start = _AT_INTAKE
    for weeks in periods:
        end = weeks * WEEK
        inside = scored.filter((pl.col("since") >= start) & (pl.col("since") < end))
        last = inside.sort("since").unique(_ONE, keep="last", maintain_order=True)
        parts.append(last.with_columns(at=pl.lit(end, pl.Int32)))
        start = end
    placed = pl.concat(parts).with_columns(
        day=pl.col("at"),
        since_intake=pl.col("at"),
        episode=pl.lit(1, pl.Int32),
        session_number=pl.lit(None, pl.Int64),
    )
    return placed.drop("since", "at")


def _periods_answered(people: pl.DataFrame, scores: pl.DataFrame) -> pl.Series:
    """List the periods in which a person has any score, as text."""
    days = scores.group_by("study_id").agg(
        pl.col("day").unique().sort().cast(pl.String).str.join(" ").alias("days")
    )
    joined = people.select("study_id").join(days, on="study_id", how="left", maintain_order="left")
    return joined["days"].fill_null("").alias("answered_in")


def _of_one_relationship(scores: pl.DataFrame) -> pl.DataFrame:
    """Keep the scores of the person, and of the relationship rated last, so that none is counted."""
    rated = scores.filter(pl.col("target") != SELF)
    last = rated.sort("day").group_by("study_id", maintain_order=True).agg(pl.col("target").last().alias("last"))
    joined = scores.join(last, on="study_id", how="left", maintain_order="left")
    kept = joined.filter((pl.col("target") == SELF) | (pl.col("target") == pl.col("last")))
    named = pl.when(pl.col("target") == SELF).then(pl.lit(SELF)).otherwise(pl.lit("R1"))
    return kept.with_columns(named.alias("target")).drop("last")


def _relationship_rated(people: pl.DataFrame, scores: pl.DataFrame) -> pl.Series:
    """Say whether a person has scores of a relationship."""
    rated = set(scores.filter(pl.col("target") != SELF)["study_id"])
    words = ["rated" if study_id in rated else "none rated" for study_id in people["study_id"]]
    return pl.Series("relationship", words, dtype=pl.String)


def _hierarchy(name: str, values: list[str | None]) -> Hierarchy:
    """Ever coarser words for a column: as it is, then two groups where bands can be joined, then hidden."""
    finest: dict[object, str] = {value: "none" if value is None else value for value in values}
    if name == "ending":
        ended: dict[object, str] = {value: ONGOING if value == ONGOING else "ended" for value in values}
        return Hierarchy((finest, ended))
    if name in ("sessions", "weeks"):
        last = max((value for value in values if value is not None), key=_lower_end, default=None)
        fewer: dict[object, str] = {value: last if last and value == last else "fewer" for value in values}
        return Hierarchy((finest, fewer))
    return Hierarchy((finest,))


def _lower_end(band: str) -> int:
    return int(band.removesuffix("+").partition("-")[0])


def _answered_hierarchy(values: list[str]) -> Hierarchy:
    """Every period with a score; the first and the last of them; the first, and whether there is a later one."""
    ends: dict[object, str] = {}
    later: dict[object, str] = {}
    for value in values:
        days = value.split()
        ends[value] = " ".join(dict.fromkeys([*days[:1], *days[-1:]]))
        later[value] = " ".join(days[:1]) + (" later" if len(days) > 1 else "")
    return Hierarchy(({value: value for value in values}, ends, later), can_be_hidden=False)


def _thinned(scores: pl.DataFrame, level: int) -> pl.DataFrame:
    """Leave out the scores that would tell more than the level of the periods does."""
    if level == 0:
        return scores
    first, last = pl.col("day").min().over("study_id"), pl.col("day").max().over("study_id")
    ends = scores.filter((pl.col("day") == first) | (pl.col("day") == last))
    if level == 1:
        return ends
    later = scores.filter(pl.col("day") > first).sort("day").unique(_ONE, keep="last", maintain_order=True)
    moved = later.with_columns(day=pl.lit(YEAR, pl.Int32), since_intake=pl.lit(YEAR, pl.Int32))
    return pl.concat([scores.filter(pl.col("day") == first), moved])
