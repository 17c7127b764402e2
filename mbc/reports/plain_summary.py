"""One page for the client in plain words: chosen scales and their goals, and what the page cannot say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import replace

from mbc import __version__
from mbc.care.client.line_sources import CLINIC
from mbc.care.client.review import client_review
from mbc.care.client.trajectory import Cohort
from mbc.care.values.course import Segment, Trajectory, Verdict
from mbc.care.values.review import ClientReview, GoalProgress
from mbc.errors import ReportError
from mbc.figures.client_page.sheet import Sheet, shared_sheet
from mbc.reports.catalogue import Catalogue, catalogue
from mbc.reports.charts import course_picture
from mbc.reports.document import Block, Columns, Document, Heading, Items, Paragraph, Run, Table
from mbc.reports.private_matters import PRIVATE_WORDS, check_included, is_private, is_private_goal, printable
from mbc.store import Store

_CHART = (86.0, 30.0)  # millimetres
_LAYOUTS = ((4, 8, 11.0), (4, 8, 10.0), (3, 6, 10.0), (2, 5, 9.5), (2, 4, 9.0))  # measures, goals, letters
_GROUPS: tuple[tuple[str, tuple[Verdict, ...]], ...] = (
    ("better", ("clearly better",)),
    ("worse", ("clearly worse",)),
    ("once", ("better once", "worse once")),
    ("same", ("no clear change",)),
    ("unknown", ("not known",)),
)
_LONGEST = 90


def client_summary(
    store: Store,
    client_id: str,
    *,
    language: str = "en",
    measures: Sequence[str] = (),
    include: Collection[str] = (),
    cohort: Cohort | None = None,
    as_of: dt.date | None = None,
) -> Document:
    """Make the page that a client takes home.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id : str
    language : str
        "de", "en", "es", "fr" or "nl".
    measures : sequence of str
        Questionnaires to print, such as "rses"; all that are not private unless given.
    include : collection of str
        What is private and printed all the same: "relationship", "alliance", "events", "goals".
    cohort : CohortModels, optional
        For measurement error where none is published; see `mbc.care.client_trajectory`.
    as_of : date, optional
        The day the page is for; today when not given.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    ReportError
        If a measure is not on record or is private, or there is no such language.
    """
    words = catalogue(language)
    ticked = check_included(include)
    review = client_review(store, client_id, cohort=cohort, as_of=as_of)
    return summary_document(review, words, measures=measures, include=ticked)


def summary_document(
    review: ClientReview, words: Catalogue, *, measures: Sequence[str] = (), include: Collection[str] = ()
) -> Document:
    """Lay out the summary of a review that was read."""
    courses = _chosen(review, measures, include)
    goals = printed_goals(review, include)
    layouts = tuple(
        _blocks(review, courses, goals, words, include, most=most, most_goals=most_goals)
        for most, most_goals, _ in _LAYOUTS
    )
    day = words.day(review.as_of)
    return Document(
        kind="summary",
        title=words.text("summary.title"),
        language=words.code,
        day=review.as_of,
        facts=words.text("page.for", who=review.client_id, date=day),
        running=(review.client_id, day, f"mbc {__version__}", words.text("page.grey_bands")),
        page_words=words.text("page.page", page="{page}", pages="{pages}"),
        layouts=layouts,
        most_sheets=1,
        sizes=tuple(size for *_, size in _LAYOUTS),
    )


def printed_goals(review: ClientReview, include: Collection[str] = ()) -> tuple[GoalProgress, ...]:
    """Choose the goals that a client's summary has: kept or reached, and not private unless that was ticked."""
    kept = [goal for goal in review.goals if goal.retired_on is None or goal.reached]
    if "goals" in include:
        return tuple(kept)
    scales = {f"{course.instrument}.{course.scale}" for course in review.trajectories if is_private(course)}
    return tuple(goal for goal in kept if not is_private_goal(goal, scales))


def _chosen(review: ClientReview, measures: Sequence[str], include: Collection[str]) -> tuple[Trajectory, ...]:
    """Choose the scales to print.

    Raises
    ------
    ReportError
        If a questionnaire is not on record, or is private and was not ticked.
    """
    known = {course.instrument for course in review.trajectories}
    for key in measures:
        if key not in known:
            raise ReportError(
                f"There are no answers to {key!r} on record; there are to {', '.join(sorted(known))}."
            )
        private = (is_private(course) for course in review.trajectories if course.instrument == key)
        for name in private:
            if name is None or name in include:
                continue
            raise ReportError(
                f"{key!r} belongs to {PRIVATE_WORDS[name]}, which is printed for a client "
                f"only when ticked for this print: {name}."
            )
    courses = [course for course in printable(review.trajectories, include) if _live(course) is not None]
    if measures:
        order = list(dict.fromkeys(measures))
        courses = [course for course in courses if course.instrument in order]
        courses.sort(key=lambda course: order.index(course.instrument))
    return tuple(courses)


def _live(course: Trajectory) -> Segment | None:
    """Give the segment that the page is about, where it has a score."""
    live = course.current
    return live if live is not None and live.latest is not None and live.baseline is not None else None


def _blocks(
    review: ClientReview,
    courses: Sequence[Trajectory],
    goals: Sequence[GoalProgress],
    words: Catalogue,
    include: Collection[str],
    *,
    most: int,
    most_goals: int,
) -> tuple[Block, ...]:
    plain = [replace(course, cutoffs=(), curves=(), forecast=None, goals=(), marks=()) for course in courses]
    sheet = shared_sheet(plain)
    cells: list[tuple[Block, ...]] = []
    if sheet is not None:
        for course in plain[:most]:
            cells += _measure(course, sheet, words)
    charts: list[Block] = [Columns(tuple(cells), (1.0, 1.0))] if cells else []
    return (
        *_lead(review, courses, words),
        *charts,
        *_goals(goals[:most_goals], words),
        *_way(review, words),
        *(_events(review, words) if "events" in include else ()),
        Heading(words.text("summary.cannot")),
        Paragraph(" ".join(words.text(f"summary.cannot_{i}") for i in (1, 2, 3))),
        Heading(words.text("summary.talk")),
        Items(tuple((words.text(f"summary.talk_{i}"), "") for i in (1, 2, 3))),
    )


def _lead(review: ClientReview, courses: Sequence[Trajectory], words: Catalogue) -> list[Block]:
    kept = [day for day, attended in review.visits if attended]
    parts: list[Run] = []
    if len(kept) > 1:
        parts.append(Run(words.text("summary.sessions", kept=len(kept), month=words.month(kept[0])) + " "))
    by_verdict: dict[Verdict, list[str]] = {}
    for course in courses:
        live = _live(course)
        if live is not None and live.since_baseline is not None:
            by_verdict.setdefault(live.verdict, []).append(words.measure(course))
    for name, verdicts in _GROUPS:
        names = list(dict.fromkeys(measure for verdict in verdicts for measure in by_verdict.get(verdict, ())))
        if names:
            parts += [
                Run(f"{words.text(f'summary.{name}')}: ", strong=True),
                Run(f"{words.join_list(names)}. "),
            ]
    if not by_verdict:
        parts.append(Run(words.text("summary.few")))
    return [Paragraph(tuple(parts), "lead")]


def _measure(course: Trajectory, sheet: Sheet, words: Catalogue) -> list[tuple[Block, ...]]:
    """Lay out one scale: its chart, and next to it what the chart says."""
    name = words.measure(course)
    sentences = measure_words(course, words)
    alt = " ".join([words.text("summary.chart", name=name), *sentences])
    width, height = _CHART
    picture = course_picture(course, sheet, width=width, height=height, alt=alt, tick_words=words.tick)
    source = _source(course, words)
    says: tuple[Block, ...] = (Paragraph(" ".join(sentences)), *([Paragraph(source, "quiet")] if source else []))
    return [(Heading(name[:1].upper() + name[1:], 2), picture), says]


def measure_words(course: Trajectory, words: Catalogue) -> list[str]:
    """Say what happened on one scale: from where to where, how much of it can be chance, what it amounts to."""
    live = _live(course)
    if live is None or live.baseline is None or live.latest is None:
        return []
    first, last = live.baseline, live.latest
    values = {
        "first": words.number(first.score or 0, course.decimals),
        "first_day": words.day(first.taken_on),
        "last": words.number(last.score or 0, course.decimals),
        "last_day": words.day(last.taken_on),
    }
    best = words.number(course.range[1 if course.higher_is_better else 0], course.decimals)
    way = words.text("summary.higher" if course.higher_is_better else "summary.lower", best=best)
    if live.since_baseline is None:
        return [words.text("summary.only", **values), way]
    sentences = [words.text("summary.from_to", **values), way, _verdict(live, words)]
    if live.shape.setbacks:
        sentences.append(words.text("summary.between"))
    if live.noise is not None:
        limit = words.number(live.noise.threshold, max(course.decimals, 1))
        sentences.append(words.text("summary.band", limit=limit))
    return sentences


def _verdict(live: Segment, words: Catalogue) -> str:
    key = live.verdict.replace(" ", "_")
    since = live.judgement.since
    if live.judgement.is_clear:
        return (
            words.text(f"summary.{key}_now")
            if since is None
            else words.text(f"summary.{key}", day=words.day(since))
        )
    return words.text(f"summary.{key}")


def _source(course: Trajectory, words: Catalogue) -> str:
    live = _live(course)
    if live is None or live.noise is None or live.since_baseline is None:
        return ""
    own = live.noise.source.startswith(CLINIC)
    return words.text(
        "summary.band_source", source=words.text("summary.own_records") if own else live.noise.source
    )


def _goals(goals: Sequence[GoalProgress], words: Catalogue) -> list[Block]:
    if not goals:
        return []
    rows = tuple((_short(goal.label), *_ratings(goal, words)) for goal in goals)
    headings = tuple(words.text(f"summary.{key}") for key in ("goal", "start", "now", "aim"))
    title = words.text("summary.goals")
    return [Heading(title), Table(title, headings, rows, (5, 1.4, 1, 2.4))]


def _ratings(goal: GoalProgress, words: Catalogue) -> tuple[str, str, str]:
    latest = goal.ratings[-1][1] if goal.ratings else None
    start, now, aim = (
        "\N{EN DASH}" if value is None else words.number(value, 1)
        for value in (goal.baseline, latest, goal.target)
    )
    return start, now, aim + (f" \N{CHECK MARK} {words.text('summary.reached')}" if goal.reached else "")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"


def _way(review: ClientReview, words: Catalogue) -> list[Block]:
    every = review.sessions_attended + review.sessions_missed
    if every < 2:
        return []
    kept = words.text("summary.kept", kept=review.sessions_attended, all=every)
    return [Heading(words.text("summary.way")), Paragraph(kept)]


def _events(review: ClientReview, words: Catalogue) -> list[Block]:
    marks = review.trajectories[0].marks if review.trajectories else ()
    lines = tuple((f"{words.day(mark.on)}: {_short(mark.label)}", "") for mark in marks if mark.kind == "event")
    return [Heading(words.text("summary.events")), Items(lines[-4:])] if lines else []
