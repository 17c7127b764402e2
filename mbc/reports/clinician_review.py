"""The clinician's review of one client on at most two sheets, from the values that their page shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from mbc import __version__
from mbc.care import words
from mbc.care.client.moved_items import ItemStrip, items_since_last_time
from mbc.care.client.review import client_review
from mbc.care.client.review_words import (
    agenda,
    facts,
    goal_words,
    latest_words,
    mark_words,
    period_words,
    since_last_time,
    since_start,
    state_reasons,
    state_words,
    value_words,
    verdict_line,
)
from mbc.care.client.trajectory import Cohort
from mbc.care.values.course import Trajectory
from mbc.care.values.review import ClientReview
from mbc.figures.client_page.sheet import Sheet, shared_sheet
from mbc.figures.client_page.timeline_chart import repair_caption
from mbc.reports.charts import chart_words, course_picture, key_picture, timeline_picture
from mbc.reports.document import Block, Columns, Document, Heading, Items, Paragraph, Picture, Run, Table
from mbc.store import Store

WIDTH = 178.0  # millimetres of a sheet of A4 between its margins
_GAP = 5.0
_TILE_HEIGHT = 27.0
_MARKS = {
    "clearly better": "\N{BLACK UP-POINTING TRIANGLE} ",
    "clearly worse": "\N{BLACK DOWN-POINTING TRIANGLE} ",
}
_DENSITIES = ((3, 40, 9.5), (4, 20, 8.8), (5, 15, 8.0), (5, 10, 7.0))  # tiles in a row; rows of a table; letters
_LONGEST_LABEL = 110


def client_report(
    store: Store, client_id: str, *, cohort: Cohort | None = None, as_of: dt.date | None = None
) -> Document:
    """Make the clinician's review of one client; nothing of the safety channel.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id : str
    cohort : CohortModels, optional
        For expected courses and forecasts.
    as_of : date, optional
        The day the review is for; today when not given.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    with store.snapshot():
        review = client_review(store, client_id, cohort=cohort, as_of=as_of)
        _, moved = items_since_last_time(store, review)
    return review_document(review, moved)


def review_document(review: ClientReview, moved: Sequence[ItemStrip] = ()) -> Document:
    """Lay out a review that was read: the same values give the same document."""
    sheet = shared_sheet(review.trajectories)
    layouts = tuple(
        _blocks(review, moved, sheet, columns=columns, most_rows=rows) for columns, rows, _ in _DENSITIES
    )
    name = review.alias or review.client_id
    return Document(
        kind="client",
        title=f"Review: {name}",
        language="en",
        day=review.as_of,
        facts=facts(review),
        running=running_words(review),
        page_words="page {page} of {pages}",
        layouts=layouts,
        most_sheets=2,
        sizes=tuple(size for _, _, size in _DENSITIES),
    )


def running_words(review: ClientReview) -> tuple[str, ...]:
    """Give the running text of every sheet: who, which date, which version, the sources of the lines."""
    name = f"{review.alias} ({review.client_id})" if review.alias else review.client_id
    return (
        f"Confidential: {name}",
        f"as of {words.day_words(review.as_of)}",
        f"mbc {__version__}",
        "sources of the lines are given with each measure",
    )


def _blocks(
    review: ClientReview, moved: Sequence[ItemStrip], sheet: Sheet | None, *, columns: int, most_rows: int
) -> tuple[Block, ...]:
    lead = Paragraph((Run(f"{state_words(review)}. ", strong=True), Run(review.headline)), "lead")
    more = [Paragraph(text, "quiet") for text in (state_reasons(review),) if text]
    more += [Paragraph(text) for text in (agenda(review),) if text]
    return (
        lead,
        *more,
        *_questions(review),
        *_measures(review, sheet, columns, most_rows),
        *_goals(review, most_rows),
        *_timeline(review, sheet, most_rows),
        *_moved(review, moved),
        *_all_measures(review, most_rows),
    )


def _questions(review: ClientReview) -> list[Block]:
    if review.closed is not None:
        return []
    if not review.questions:
        return [Heading("What to ask"), Paragraph("No particular questions today.")]
    items = tuple((question.text, question.reason) for question in review.questions)
    return [Heading("What to ask"), Items(items, numbered=True)]


def _measures(review: ClientReview, sheet: Sheet | None, columns: int, most_rows: int) -> list[Block]:
    if not review.trajectories or sheet is None:
        return [Heading("Measures"), Paragraph("No questionnaire is on record yet.")]
    width = (WIDTH - (columns - 1) * _GAP) / columns
    tiles = tuple(_tile(course, sheet, width) for course in review.trajectories[:most_rows])
    left = len(review.trajectories) - len(tiles)
    drawn = tuple(course for course in review.trajectories if not course.empty)
    key: list[Block] = [key_picture(drawn, width=WIDTH)] if drawn else []
    rest = [Paragraph(f"{words.count(left, 'more measure')} not drawn; on the page.", "quiet")] if left else []
    return [Heading("Measures"), *key, Columns(tiles, (1.0,) * columns), *rest]


def _tile(course: Trajectory, sheet: Sheet, width: float) -> tuple[Block, ...]:
    value, moved = value_words(course)
    verdict, kind = verdict_line(course)
    mark = _MARKS.get(kind or "", "")
    about = f" ({moved})" if moved else ""
    line = (Run(f"{value}{about}: " if value else ""), Run(f"{mark}{verdict}", strong=True))
    tile: list[Block] = [Heading(course.title, 3), Paragraph(line)]
    if not course.empty:
        tile.append(course_picture(course, sheet, width=width, height=_TILE_HEIGHT, alt=chart_words(course)))
    lines = line_words(course)
    return (*tile, Paragraph(lines, "quiet")) if lines else tuple(tile)


def line_words(course: Trajectory) -> str:
    """Name the lines of a chart with their values and sources, in short."""
    parts: list[str] = []
    noise = next((segment.noise for segment in course.segments if segment.noise is not None), None)
    if noise is not None:
        limit = words.number(noise.threshold, max(course.decimals, 1))
        doubt = "" if noise.verified else ", not yet verified"
        parts.append(f"Measurement error \N{PLUS-MINUS SIGN}{limit} ({noise.source}{doubt})")
    for cutoff in course.cutoffs:
        doubt = "" if cutoff.verified else ", not yet verified"
        parts.append(f"cutoff {words.number(cutoff.value, course.decimals)} ({cutoff.source}{doubt})")
    parts += [f"expected course from {words.count(curve.n_clients, 'client')} here" for curve in course.curves[:1]]
    return words.sentence("; ".join(parts))


def _goals(review: ClientReview, most_rows: int) -> list[Block]:
    if not review.goals:
        return []
    rows = tuple(
        (_short(goal.label), _rating(goal.baseline), _rating(goal.ratings[-1][1] if goal.ratings else None),
         _rating(goal.target) + (" \N{CHECK MARK} reached" if goal.reached else ""), goal_words(goal))
        for goal in review.goals[:most_rows]
    )  # fmt: skip
    headings = ("Goal", "At the start", "Now", "Target", "When")
    rest = _left_out(len(review.goals) - len(rows), "goal")
    return [Heading("Goals"), Table("Goals", headings, rows, (4, 1.1, 0.8, 1.4, 4)), *rest]


def _rating(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else words.number(value, 1)


def _short(text: str) -> str:
    return (
        text
        if len(text) <= _LONGEST_LABEL
        else text[:_LONGEST_LABEL].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"
    )


def _left_out(count: int, thing: str) -> list[Block]:
    return [Paragraph(f"{words.count(count, f'more {thing}')} on the page.", "quiet")] if count > 0 else []


def _timeline(review: ClientReview, sheet: Sheet | None, most_rows: int) -> list[Block]:
    if sheet is None:
        return []
    marks = review.trajectories[0].marks if review.trajectories else ()
    events = [mark_words(mark) for mark in marks if mark.kind == "event"]
    lines = [*map(period_words, review.timeline), *events]
    kept = f"{words.count(review.sessions_attended, 'session')} kept, {review.sessions_missed} missed"
    listed = "; ".join(map(_short, [*lines[-most_rows:], kept]))
    picture: Picture = timeline_picture(review, sheet, width=WIDTH)
    repair = repair_caption(review, drawn=True)
    below = [words.sentence(listed), repair] if repair else [words.sentence(listed)]
    return [Heading("Along the way"), picture, *(Paragraph(text, "quiet") for text in below)]


def _moved(review: ClientReview, moved: Sequence[ItemStrip]) -> list[Block]:
    if review.closed is not None or not moved:
        return []
    rows = tuple(
        (
            strip.label,
            strip.name,
            f"{words.number(strip.answers[-2] or 0)} \N{RIGHTWARDS ARROW} {words.number(strip.answers[-1] or 0)}",
            "better" if strip.improved else "worse",
        )
        for strip in moved
    )
    table = Table(
        "Items with the largest changes", ("Item", "Questionnaire", "Answer", "Direction"), rows, (5, 2, 1.5, 1.5)
    )
    return [Heading("Largest changes since last time"), table]


def _all_measures(review: ClientReview, most_rows: int) -> list[Block]:
    if not review.trajectories:
        return []
    answered = {entry.instrument: entry.words for entry in review.completeness}
    rows = tuple(
        (course.title, latest_words(course), since_start(course)[0], since_last_time(course)[0],
         answered.get(course.instrument, ""))
        for course in review.trajectories[: 2 * most_rows]
    )  # fmt: skip
    headings = ("Measure", "Latest", "Since the start", "Since last time", "Answered")
    table = Table("Latest score and change on each scale", headings, rows, (3, 2.4, 3, 2.6, 4))
    return [Heading("All measures"), table, *_left_out(len(review.trajectories) - len(rows), "measure")]
