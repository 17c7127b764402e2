"""NHS Talking Therapies: recovery and reliable change of a finished course of treatment, waits and endings.

With caseness (a first score at or above the limit) on *any* measure, and reliable change on each measure:

* recovery = a case at the start and, on every measure, a last score below the limit; of the courses at caseness;
* reliable improvement = a reliable improvement on at least one measure and a reliable deterioration on none; of
  all courses; reliable deterioration is its mirror image; no reliable change is the rest;
* reliable recovery = both; of the courses at caseness.

Courses without a second score on a measure stay in every denominator: they can be in no numerator that needs one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import pairwise

import narwhals.stable.v2 as nw
from pydantic import Field

from mbc.instruments.short_names import short_name
from mbc.outcomes.cohorts import Cohort, Period, in_cohort, last_day_counted
from mbc.outcomes.definitions.definition_file import Definition, Part
from mbc.outcomes.definitions.quantities import Group, Rate, Step
from mbc.outcomes.pairs import contacts, first_and_last, improvement, scores_of, within_episodes
from mbc.outcomes.source import Lazy, Source
from mbc.privacy.small_numbers.attacker import Relation


class Measure(Part):
    """One measure and its limits."""

    instrument: str
    scale: str = "total"
    caseness: float
    reliable: float = Field(gt=0)
    higher_is_better: bool = False

    @property
    def key(self) -> str:
        """Prefix of its columns."""
        return f"{self.instrument}_{self.scale}"


class Wait(Part):
    """A wait for the first contact that is within its limit."""

    name: str
    days: int = Field(ge=0)


class Waits(Part):
    """Limits in days."""

    first_treatment: tuple[Wait, ...] = ()
    first_to_second_over: tuple[int, ...] = ()
    no_contact_over: tuple[int, ...] = ()


class Settings(Definition):
    """The file of these rules."""

    least_contacts: int = Field(default=2, ge=1)
    measures: tuple[Measure, ...] = Field(min_length=1)
    waits: Waits = Waits()


def groups(source: Source, settings: Settings, cohort: Cohort, period: Period) -> tuple[Group, ...]:
    """Give what is to be counted: one row per episode of care."""
    frame = _episodes(source, settings, cohort, period)
    frame = _flags(frame, settings, cohort, period)
    return (
        Group(
            frame=frame,
            rates=(
                *_outcomes(settings, cohort),
                *_waits(settings, cohort),
                *_endings(cohort),
                *_completeness(settings, cohort),
            ),
            steps=_steps(settings, cohort),
            relations=_relations(settings, cohort),
            hide_first=(
                "unresolved_cases",
                "unresolved",
                _paired_name(settings),
                "no_reliable_change",
                "not_at_caseness",
                "finished_course",
            ),
            unpublished=("@cohort", "unresolved_not_cases", "known_cases_left", "recovered_otherwise"),
            rules=tuple(_rules(settings)),
        ),
    )


def _episodes(source: Source, settings: Settings, cohort: Cohort, period: Period) -> Lazy:
    _, end = period.days
    frame = source.episodes.join(contacts(source.sessions, until=end), on="episode_id", how="left")
    if cohort == "started":  # courses go on after the period; waits are as on its last day all the same
        later = contacts(source.sessions, until=None).select("episode_id", nw.col("contacts").alias("attended"))
        frame = frame.join(later, on="episode_id", how="left")
    else:
        frame = frame.with_columns(attended=nw.col("contacts"))
    scores = within_episodes(source.scores, source.episodes, until=last_day_counted(cohort, period))
    for measure in settings.measures:
        paired = first_and_last(scores_of(scores, measure.instrument, measure.scale), ["episode_id"])
        renamed = paired.select(
            "episode_id",
            nw.col("first").alias(f"{measure.key}_first"),
            nw.col("last").alias(f"{measure.key}_last"),
        )
        frame = frame.join(renamed, on="episode_id", how="left")
    return frame.with_columns(contacts=nw.col("contacts").fill_null(0), attended=nw.col("attended").fill_null(0))


def _flags(frame: Lazy, settings: Settings, cohort: Cohort, period: Period) -> Lazy:
    start, end = period.days
    measures = settings.measures
    first = {measure.key: nw.col(f"{measure.key}_first") for measure in measures}
    last = {measure.key: nw.col(f"{measure.key}_last") for measure in measures}
    better = [
        improvement(measure.higher_is_better, f"{measure.key}_first", f"{measure.key}_last") >= measure.reliable
        for measure in measures
    ]
    worse = [
        improvement(measure.higher_is_better, f"{measure.key}_first", f"{measure.key}_last") <= -measure.reliable
        for measure in measures
    ]
    ended = (nw.col("counted") >= start) & (nw.col("counted") <= end)
    open_at_end = (nw.col("ended").is_null() | (nw.col("ended") > end)).fill_null(value=True)
    frame = frame.with_columns(
        member=in_cohort(cohort, period),
        ended_in_period=_sure(ended),
        course=in_cohort(cohort, period) & (nw.col("attended") >= settings.least_contacts),
        case=_any(_clinical(measure, first[measure.key]) for measure in measures),
        scored=_any(~first[measure.key].is_null() for measure in measures),
        well=_all(~_clinical_or_unknown(measure, last[measure.key]) for measure in measures),
        any_better=_any(better),
        any_worse=_any(worse),
        paired_all=_all(~last[measure.key].is_null() for measure in measures),
        paired_any=_any(~last[measure.key].is_null() for measure in measures),
        wait=nw.col("first_contact") - nw.col("referred"),
        gap=nw.col("second_contact") - nw.col("first_contact"),
        second_in_period=_sure((nw.col("second_contact") >= start) & (nw.col("second_contact") <= end)),
        open_with_contact=open_at_end & (nw.col("contacts") > 0),
        silent=nw.lit(end) - nw.col("last_contact"),
    )
    not_a_case = nw.col("course") & nw.col("scored") & ~nw.col("case")
    return frame.with_columns(
        not_at_caseness=not_a_case,
        at_caseness=nw.col("course") & ~not_a_case,
        recovered=nw.col("case") & nw.col("well"),
        improved=nw.col("any_better") & ~nw.col("any_worse"),
        deteriorated=nw.col("any_worse") & ~nw.col("any_better"),
    )


def _clinical(measure: Measure, score: nw.Expr) -> nw.Expr:
    return _sure(score <= measure.caseness if measure.higher_is_better else score >= measure.caseness)


def _clinical_or_unknown(measure: Measure, score: nw.Expr) -> nw.Expr:
    return score.is_null() | _clinical(measure, score)


def _sure(flag: nw.Expr) -> nw.Expr:
    return flag.fill_null(value=False)


def _any(flags: Iterable[nw.Expr]) -> nw.Expr:
    return reduce(lambda left, right: left | right, map(_sure, flags))


def _all(flags: Iterable[nw.Expr]) -> nw.Expr:
    return reduce(lambda left, right: left & right, map(_sure, flags))


def _outcomes(settings: Settings, cohort: Cohort) -> tuple[Rate, ...]:
    course, cases, known = nw.col("course"), nw.col("at_caseness"), nw.col("paired_all")
    courses = "finished courses" if cohort == "finished" else "courses"
    at_caseness = f"{courses} at caseness at the start"
    least = settings.least_contacts
    name = _course_name(cohort)
    title = "Finished a course of treatment" if cohort == "finished" else "Had a course of treatment"
    improved, worse = nw.col("improved"), nw.col("deteriorated")
    return (
        Rate(name, title, f"at least {least} attended contacts", course, course, only_count=True, of=name),
        Rate("not_at_caseness", "Not at caseness at the start", courses, nw.col("not_at_caseness"), course,
             only_count=True, of=name),
        Rate("recovery", "Recovered", at_caseness, nw.col("recovered"), cases, known, of="at_caseness",
             unknown="unresolved_cases"),
        Rate("reliable_improvement", "Improved reliably", courses, improved, course, known, of=name,
             unknown="unresolved", certain=False),
        Rate("reliable_deterioration", "Deteriorated reliably", courses, worse, course, known, of=name,
             unknown="unresolved", certain=False),
        Rate("no_reliable_change", "No reliable change", courses, ~improved & ~worse, course, known, of=name,
             unknown="unresolved", certain=False),
        Rate("reliable_recovery", "Recovered reliably", at_caseness, nw.col("recovered") & improved, cases, known,
             of="at_caseness", unknown="unresolved_cases"),
    )  # fmt: skip


def _course_name(cohort: Cohort) -> str:
    return "finished_course" if cohort == "finished" else "course"


def _relations(settings: Settings, cohort: Cohort) -> tuple[Relation, ...]:
    """Say how the counts hang together: whoever knows the definition knows this."""
    course = _course_name(cohort)
    waits = [wait.name for wait in sorted(settings.waits.first_treatment, key=lambda wait: -wait.days)]
    gaps = [f"first_to_second_over_{days}" for days in sorted(settings.waits.first_to_second_over)]
    chains = [(course, *waits), ("second_in_period", *gaps), ("at_caseness", "recovery", "reliable_recovery"),
              ("reliable_improvement", "reliable_recovery")]  # fmt: skip
    nested = [Relation(total, (part,), exact=False) for chain in chains for total, part in pairwise(chain)]
    ended: list[Relation] = []
    if cohort == "finished":
        ended = [*_endings_related(settings.least_contacts), Relation("@cohort", ("ended_in_period",))]
    paired = _paired_name(settings)
    known = (
        Relation(course, (paired, "unresolved"), kinds=False),
        Relation("unresolved", ("unresolved_cases", "unresolved_not_cases"), kinds=False),
        Relation("not_at_caseness", ("unresolved_not_cases",), exact=False),
        Relation("at_caseness", ("recovery", "unresolved_cases", "known_cases_left"), kinds=False),
        Relation("recovery", ("reliable_recovery", "recovered_otherwise"), kinds=False),
        Relation(course, ("reliable_improvement", "recovered_otherwise"), exact=False),
    )
    return (
        Relation(course, ("reliable_improvement", "reliable_deterioration", "no_reliable_change")),
        Relation(course, ("not_at_caseness", "at_caseness")),
        *nested,
        *known,
        *ended,
        *(Relation("open_with_contact", (f"open_no_contact_over_{days}",), exact=False)
          for days in settings.waits.no_contact_over),
    )  # fmt: skip


def _endings_related(least_contacts: int) -> list[Relation]:
    """Say how those whose care ended add up: who came once has had a course, where one contact makes it."""
    course, before, once = "finished_course", "ended_before_treatment", "ended_treated_once"
    if least_contacts == 1:
        return [Relation("ended_in_period", (course, before)), Relation(course, (once,), exact=False)]
    return [Relation("ended_in_period", (course, before, once), exact=least_contacts == 2)]


def _waits(settings: Settings, cohort: Cohort) -> tuple[Rate, ...]:
    waits = settings.waits
    return (
        *(
            Rate(wait.name, f"First contact within {wait.days} days of referral", "courses",
                 _sure(nw.col("wait") <= wait.days), nw.col("course"), of=_course_name(cohort))
            for wait in waits.first_treatment
        ),
        *(
            Rate(f"first_to_second_over_{days}", f"Second contact more than {days} days after the first",
                 "second contact in the period, ended or not", _sure(nw.col("gap") > days),
                 nw.col("second_in_period"), of="second_in_period")
            for days in waits.first_to_second_over
        ),
        *(
            Rate(f"open_no_contact_over_{days}", f"Open, without contact for more than {days} days",
                 "open on the last day of the period, with at least one contact", _sure(nw.col("silent") > days),
                 nw.col("open_with_contact"), of="open_with_contact")
            for days in waits.no_contact_over
        ),
    )  # fmt: skip


def _endings(cohort: Cohort) -> tuple[Rate, ...]:
    if cohort != "finished":
        return ()
    ended, among = nw.col("ended_in_period"), "ended in the period"
    return (
        Rate(
            "ended_before_treatment",
            "Ended before treatment",
            among,
            nw.col("contacts") == 0,
            ended,
            of="ended_in_period",
        ),
        Rate(
            "ended_treated_once",
            "Ended after one contact",
            among,
            nw.col("contacts") == 1,
            ended,
            of="ended_in_period",
        ),
    )


def _completeness(settings: Settings, cohort: Cohort) -> tuple[Rate, ...]:
    name = _paired_name(settings)
    return (
        Rate(
            name,
            f"First and last score on {name.removeprefix('paired_').replace('_', ' ')}",
            "courses",
            nw.col("paired_all"),
            nw.col("course"),
            of=_course_name(cohort),
            completeness=True,
            unknown="unresolved",
        ),
    )


def _paired_name(settings: Settings) -> str:
    both = "both" if len(settings.measures) == 2 else "all" if len(settings.measures) > 2 else "the"
    return f"paired_{both}_{'measure' if len(settings.measures) == 1 else 'measures'}"


def _steps(settings: Settings, cohort: Cohort) -> tuple[Step, ...]:
    member, course = nw.col("member"), nw.col("course")
    what = {"finished": "Care ended in the period", "in-care": "In care in the period",
            "started": "Care began in the period"}[cohort]  # fmt: skip
    return (
        Step("cohort", what, member, cell="ended_in_period" if cohort == "finished" else ""),
        Step("treated", "Had a course of treatment", course, "fewer attended contacts than a course has",
             cell=_course_name(cohort)),
        Step("measured", "Have a first score", course & nw.col("scored"), "no score on record"),
        Step("paired_any", "Have a last score on a measure", course & nw.col("paired_any"), "one occasion only"),
        Step("paired_all", "Have a last score on every measure", course & nw.col("paired_all"),
             "a measure was not taken again", cell=_paired_name(settings)),
    )  # fmt: skip


def _rules(settings: Settings) -> list[str]:
    lines: list[str] = []
    for measure in settings.measures:
        beyond, fall = ("at or below", "rise") if measure.higher_is_better else ("at or above", "fall")
        lines.append(
            f"{short_name(measure.instrument)} ({measure.scale}): a case {beyond} {measure.caseness:g}; "
            f"reliable change from {measure.reliable:g} points ({fall} is improvement)."
        )
    lines.append(
        "Recovered: a case on any measure at the start, on none at the end, all measures taken again. Reliable "
        "improvement: on at least one measure, with deterioration on none. Those without a last score stay in the "
        "denominators."
    )
    return lines
