"""What a twin is drawn from: aggregates of a cohort over at least k people each, and no row of anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mbc.care.cohort.deidentified import SELF, Cohort
from mbc.care.cohort.twin.fit_scores import ScalesFit, fit_scales, known_instrument, latest_episode
from mbc.care.cohort.twin.growth_summary import time_of
from mbc.care.cohort.twin.pooled import Categories, Distribution, pool_categories, pool_numbers
from mbc.errors import SettingsError
from mbc.privacy import OTHER

LEAST_K = 5  # people behind every number, also where the cohort folds fewer
LEAST_PEOPLE = 40  # in a cohort; and at least 8 k, so that half of them can be fitted for the membership test
_WEEK = 7
_LARGE = 2  # times k people: a group that has a distribution of its own


@dataclass(frozen=True, slots=True)
class VisitsFit:
    """When people come."""

    counts: Mapping[object, Distribution]  # by ending; None among them is "in care"
    count: Distribution  # of everybody
    first: Distribution  # days
    gaps: Distribution  # days
    attended: float
    modality: Categories
    same_modality: float  # chance that a session is held as the one before


@dataclass(frozen=True, slots=True)
class QuestionnaireFit:
    """When a questionnaire is answered, and how."""

    key: str
    informant: str
    rated: bool  # about a relationship
    share: float  # of people
    first: Distribution  # days
    gaps: Distribution  # days
    forms: Categories  # (form, coding)
    scales: tuple[str, ...]  # that the cohort has scores of


@dataclass(frozen=True, slots=True)
class LifeFit:
    """Relationships, goals and events."""

    statuses: Mapping[bool, Categories]  # rated or not -> sequences of (target, status)
    first_status: Distribution  # days
    later_status: Distribution  # days from one change to the next
    goals: Categories  # number of goals
    goal_numbers: Mapping[str, tuple[float, float]]  # baseline, target, slope, residual: mean and SD
    goal_range: tuple[float, float]
    goal_higher: float
    goal_first: Distribution
    goal_gaps: Distribution
    events: Categories  # number of events
    event_kinds: Categories  # (kind, valence)
    event_days: Distribution


@dataclass(frozen=True, slots=True)
class CohortFit:
    """Everything that a twin is drawn from."""

    people: int
    k: int
    schemas: Mapping[str, pl.Schema]  # of every table
    withheld: tuple[str, ...]
    smallest: int
    step: int  # days: 7 where the cohort has weeks
    bands: Mapping[str, tuple[str, ...]]  # column of the people -> bands that at least k share
    has_sessions: bool
    has_numbers: bool  # of the session that a score belongs to
    columns: tuple[str, ...]  # of the people, where they are drawn together
    together: Categories  # rows of those columns, where the cohort has no sessions
    endings: Categories
    therapists: Categories
    visits: VisitsFit
    batteries: Categories  # sets of questionnaires that people answer
    questionnaires: tuple[QuestionnaireFit, ...]
    scales: ScalesFit
    life: LifeFit
    left_out: Mapping[str, int]  # what -> people or questionnaires that no aggregate holds


def fit_cohort(cohort: Cohort) -> CohortFit:
    """Fit a cohort.

    Parameters
    ----------
    cohort : Cohort

    Raises
    ------
    SettingsError
        If it has fewer people than a twin needs.
    """
    k = max(cohort.smallest, LEAST_K)
    least = max(LEAST_PEOPLE, 8 * k)
    if cohort.people.height < least:
        raise SettingsError(
            f"The cohort has {cohort.people.height} people; a synthetic twin needs at least {least}: every "
            f"figure it is drawn from is based on {k} people or more. 'mbc.care.simulated_cohort' needs no people."
        )
    return fit_people(cohort, k)


def fit_people(cohort: Cohort, k: int) -> CohortFit:
    """Fit however many people there are."""
    people, has_sessions = cohort.people, cohort.sessions.height > 0
    ids = people["study_id"].to_list()
    columns = () if has_sessions else tuple(name for name in people.columns if name != "study_id")
    rows = [tuple(row) for row in people.select(columns).iter_rows()] if columns else []
    questionnaires, batteries, left_out = _questionnaires(cohort, k)
    endings = _people_categories(people, "ending", k)
    therapists = _people_categories(people, "therapist", k)
    scales = fit_scales(cohort, [(each.key, each.informant, each.rated) for each in questionnaires], k)
    life = _life(cohort, k)
    earlier = latest_episode(cohort.scores)
    left_out |= {
        "people with an ending that fewer than k share": endings.left_out,
        "people with a therapist of fewer than k people": therapists.left_out,
        "people with a course of relationship statuses that fewer than k share": sum(
            each.left_out for each in life.statuses.values()
        ),
        "scores of earlier episodes of care": cohort.scores.height - earlier.height,
    }
    return CohortFit(
        people=people.height,
        k=k,
        schemas={name: frame.schema for name, frame in cohort.tables().items()},
        withheld=cohort.withheld,
        smallest=cohort.smallest,
        step=_WEEK if (cohort.scores["day"].drop_nulls() % _WEEK == 0).all() else 1,
        bands=_bands(people, k),
        has_sessions=has_sessions,
        has_numbers=cohort.scores["session_number"].drop_nulls().len() > 0,
        columns=columns,
        together=pool_categories(rows, ids, k) if columns else Categories((), (), 0),
        endings=endings,
        therapists=therapists,
        visits=_visits(cohort, k),
        batteries=batteries,
        questionnaires=questionnaires,
        scales=scales,
        life=life,
        left_out={name: count for name, count in left_out.items() if count},
    )


def _people_categories(people: pl.DataFrame, column: str, k: int) -> Categories:
    if column not in people.columns:
        return Categories((), (), 0)
    return pool_categories(people[column].to_list(), people["study_id"].to_list(), k, pooled=OTHER)


def _bands(people: pl.DataFrame, k: int) -> dict[str, tuple[str, ...]]:
    names = [name for name in ("sessions", "days", "weeks") if people.schema.get(name) == pl.String]
    return {
        name: tuple(
            str(value)
            for value in pool_categories(people[name].to_list(), people["study_id"].to_list(), k).values
            if value is not None
        )
        for name in names
    }


def visits_of(cohort: Cohort) -> pl.DataFrame:
    """Sessions of the latest episode; where there are none, the days with a score."""
    if cohort.sessions.height:
        return latest_episode(cohort.sessions).sort("study_id", "at")
    return latest_episode(cohort.scores).select("study_id", "at").unique().sort("study_id", "at")


def steps(frame: pl.DataFrame, by: Sequence[str] = ("study_id",)) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the first ``at`` of each group, and the steps from one to the next, each with the person."""
    ordered = frame.sort(*by, "at")
    first = ordered.group_by(*by, maintain_order=True).agg(pl.col("at").first())
    gaps = ordered.with_columns(pl.col("at").diff().over(list(by)).alias("gap")).drop_nulls("gap")
    return first, gaps


def _visits(cohort: Cohort, k: int) -> VisitsFit:
    visits = visits_of(cohort)
    first, gaps = steps(visits)
    ending = cohort.people.select("study_id", "ending")
    counts = ending.join(visits.group_by("study_id").len(), on="study_id", how="left").with_columns(
        pl.col("len").fill_null(0)
    )
    by_ending: dict[object, Distribution] = {}
    for (value,), group in counts.group_by("ending"):
        if group.height >= _LARGE * k:
            by_ending[value] = pool_numbers(group["len"].to_list(), group["study_id"].to_list(), k)
    attended, modality, same = 1.0, Categories((), (), 0), 1.0
    if cohort.sessions.height:
        attended = _share(visits, "attended", k)
        held = visits.drop_nulls("modality")
        modality = pool_categories(held["modality"].to_list(), held["study_id"].to_list(), k, pooled=OTHER)
        again = held.select((pl.col("modality") == pl.col("modality").shift().over("study_id")).alias("again"))
        same = float(again["again"].drop_nulls().cast(pl.Float64).mean() or 0.0)  # pyright: ignore[reportArgumentType]
    return VisitsFit(
        counts=by_ending,
        count=pool_numbers(counts["len"].to_list(), counts["study_id"].to_list(), k),
        first=pool_numbers(first["at"].to_list(), first["study_id"].to_list(), k),
        gaps=pool_numbers(gaps["gap"].to_list(), gaps["study_id"].to_list(), k),
        attended=attended,
        modality=modality,
        same_modality=same,
    )


def _share(frame: pl.DataFrame, column: str, k: int) -> float:
    """Share of rows that are true; 0 or 1 where fewer than k people have one of the rarer kind."""
    true, false = frame.filter(pl.col(column)), frame.filter(~pl.col(column))
    if true["study_id"].n_unique() < k:
        return 0.0
    if false["study_id"].n_unique() < k:
        return 1.0
    return true.height / (true.height + false.height)


def _questionnaires(cohort: Cohort, k: int) -> tuple[tuple[QuestionnaireFit, ...], Categories, dict[str, int]]:
    scores = latest_episode(cohort.scores).with_columns(rated=pl.col("target") != SELF)
    by = ["instrument", "informant", "rated"]
    occasions = scores.select("study_id", "at", *by).unique().sort(by)
    fits: list[QuestionnaireFit] = []
    few = unknown = 0
    for (key, informant, rated), group in occasions.group_by(by, maintain_order=True):
        answering = group["study_id"].n_unique()
        if answering < k:
            few += 1
        elif known_instrument(str(key)) is None:
            unknown += 1
        else:
            first, gaps = steps(group)
            fits.append(
                QuestionnaireFit(
                    str(key),
                    str(informant),
                    bool(rated),
                    answering / cohort.people.height,
                    pool_numbers(first["at"].to_list(), first["study_id"].to_list(), k),
                    pool_numbers(gaps["gap"].to_list(), gaps["study_id"].to_list(), k),
                    _forms(cohort, str(key), k),
                    tuple(cohort.scores.filter(pl.col("instrument") == key)["scale"].unique().sort()),
                )
            )
    order = {(fit.key, fit.informant, fit.rated): number for number, fit in enumerate(fits)}
    answered: dict[str, set[int]] = {person: set() for person in cohort.people["study_id"]}
    for person, *kind in occasions.select("study_id", *by).iter_rows():
        if tuple(kind) in order:
            answered[person].add(order[tuple(kind)])
    sets = [tuple(sorted(numbers)) for numbers in answered.values()]
    batteries = pool_categories(sets, list(answered), k)
    return (
        tuple(fits),
        batteries,
        {
            "questionnaires that fewer than k people answered": few,
            "questionnaires that this installation does not know": unknown,
            "people with a set of questionnaires that fewer than k share": batteries.left_out,
        },
    )


def _forms(cohort: Cohort, key: str, k: int) -> Categories:
    frame = cohort.items.get(key)
    if frame is None or frame.is_empty():
        return Categories((), (), 0)
    rows = [tuple(row) for row in frame.select("form", "coding").iter_rows()]
    return pool_categories(rows, frame["study_id"].to_list(), k)


def _life(cohort: Cohort, k: int) -> LifeFit:
    rated = set(cohort.scores.filter(pl.col("target") != SELF)["study_id"])
    ordered = cohort.relationships.sort("study_id", "day", "target", "status")
    courses: dict[str, list[tuple[object, object]]] = {}
    for person, target, status in ordered.select("study_id", "target", "status").iter_rows():
        courses.setdefault(person, []).append((target, status))
    statuses: dict[bool, Categories] = {}
    for is_rated in (False, True):
        own = {person: course for person, course in courses.items() if (person in rated) == is_rated}
        statuses[is_rated] = pool_categories([tuple(course) for course in own.values()], list(own), k)
    first_status, later_status = steps(ordered.with_columns(at=pl.col("day")))
    goals = cohort.goals.with_columns(at=pl.col("day"))
    first_goal, goal_gaps = steps(goals, ("study_id", "goal"))
    numbers, bounds, higher = _goal_numbers(goals, k)
    ids = cohort.people.select("study_id")
    events = cohort.events.with_columns(at=pl.col("day"))
    kinds = [tuple(row) for row in events.select("kind", "valence").iter_rows()]
    return LifeFit(
        statuses=statuses,
        first_status=_numbers(first_status, "at", k),
        later_status=_numbers(later_status, "gap", k),
        goals=_count(ids, cohort.goals.select("study_id", "goal").unique(), k),
        goal_numbers=numbers,
        goal_range=bounds,
        goal_higher=higher,
        goal_first=_numbers(first_goal, "at", k),
        goal_gaps=_numbers(goal_gaps, "gap", k),
        events=_count(ids, events, k),
        event_kinds=pool_categories(kinds, events["study_id"].to_list(), k, pooled=(OTHER, "neutral")),
        event_days=_numbers(events, "at", k),
    )


def _numbers(frame: pl.DataFrame, column: str, k: int) -> Distribution:
    return pool_numbers(frame[column].to_list(), frame["study_id"].to_list(), k)


def _count(ids: pl.DataFrame, rows: pl.DataFrame, k: int) -> Categories:
    """How many rows people have; rarer counts are left out."""
    counts = ids.join(rows.group_by("study_id").len(), on="study_id", how="left").with_columns(
        pl.col("len").fill_null(0)
    )
    return pool_categories(counts["len"].to_list(), counts["study_id"].to_list(), k)


def _goal_numbers(
    goals: pl.DataFrame, k: int
) -> tuple[dict[str, tuple[float, float]], tuple[float, float], float]:
    rated = goals.drop_nulls(["rating", "baseline"])
    if rated["study_id"].n_unique() < k:
        return {}, (0.0, 0.0), 1.0
    each = rated.unique(["study_id", "goal"])
    change = (rated["rating"] - rated["baseline"]).to_numpy()
    time = time_of(rated["at"].cast(pl.Float64).to_numpy())
    slope = float((time @ change) / max(float(time @ time), 1e-9))
    spread = pool_numbers(rated["rating"].to_list(), rated["study_id"].to_list(), k)
    numbers = {
        "baseline": _moments(each["baseline"]),
        "slope": (slope, abs(slope) / 2),
        "residual": (0.0, float(np.std(change - slope * time)) / 2),
    }
    aimed = each.drop_nulls("target_rating")
    if aimed["study_id"].n_unique() >= k:
        numbers["target"] = _moments(aimed["target_rating"])
    return numbers, (spread.means[0], spread.means[-1]), _share(each, "higher_is_better", k)


def _moments(values: pl.Series) -> tuple[float, float]:
    array = values.cast(pl.Float64).to_numpy()
    return (float(array.mean()), float(array.std())) if array.size else (0.0, 0.0)
