"""For a couples therapist, under a recorded release of information: the consented scales and days, and no more.

Who may read the safety channel of this client may make it, and nobody else: a refusal for the sake of safety would
otherwise say what it keeps to itself. While couples work is contraindicated it is not made at all.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from mbc import __version__
from mbc.care import words
from mbc.care.client.releases import covers_day, covers_scale, require_release
from mbc.care.client.trajectory import Cohort, trajectory_of
from mbc.care.course.charted_scales import in_reading_order, scales_to_chart
from mbc.care.course.client_record import ClientRecord, read_record
from mbc.care.course.relationships import Timeline
from mbc.care.values.course import Segment, Trajectory
from mbc.errors import NotInRecord, ReportError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.figures.client_page.sheet import Sheet, shared_sheet
from mbc.reports.charts import course_picture, key_picture
from mbc.reports.clinician_review import line_words
from mbc.reports.document import Block, Columns, Document, Heading, Items, Notice, Paragraph, Run, Table
from mbc.store import ReleaseOfInformation, Store
from mbc.store.schema.entries import READINESS

_COLUMNS, _WIDTH, _HEIGHT, _GAP = 2, 178.0, 30.0, 5.0
_LAYOUTS = ((40, 10.0), (12, 9.0), (8, 8.0))  # scales and ratings at most; letters


@with_definitions_of_record
def couples_report(
    store: Store,
    client_id: str,
    release_id: str,
    *,
    cohort: Cohort | None = None,
    as_of: dt.date | None = None,
) -> Document:
    """Make the summary for a couples therapist.

    Parameters
    ----------
    store : Store
        The view of somebody who may read the safety channel of this client.
    client_id : str
    release_id : str
        A release of information on record.
    cohort : CohortModels, optional
        For measurement error where none is published.
    as_of : date, optional
        The day it is made on; today when not given.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    AccessDenied
        Without the permission ``safety:read``, whatever is on record.
    ReportError
        If couples work is contraindicated, or the release is not on record, has expired or was withdrawn.
    """
    today = as_of or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    with store.snapshot():
        store.clients(client_id=client_id)
        ended = store.couples_contraindications(client_id=client_id)["ended_on"].to_list()
        if any(day is None or day > today for day in ended):
            raise ReportError("Couples work is contraindicated for this client: no report is made for it.")
        release = _release(store, client_id, release_id, today)
        record = _only_released(read_record(store, client_id), release)
        courses = [
            course
            for instrument in in_reading_order(record.asked)
            for scale in scales_to_chart(instrument)
            if covers_scale(release, instrument.key, scale.key)
            and not (course := trajectory_of(record, instrument, scale, cohort=cohort)).empty
        ]
        readiness: list[tuple[dt.date, float, str]] = []
        if covers_scale(release, READINESS):
            rows = store.couples_readiness(client_id=client_id).sort("rated_on")
            readiness = [
                (day, rating, reasons or "")
                for day, rating, reasons in rows.select("rated_on", "rating", "reasons").iter_rows()
                if covers_day(release, day) and day <= today
            ]
    return couples_document(client_id, release, courses, readiness, today)


def _release(store: Store, client_id: str, release_id: str, today: dt.date) -> ReleaseOfInformation:
    """Find a release that is valid on a day and was never withdrawn.

    Raises
    ------
    ReportError
        If there is none.
    """
    try:
        release = require_release(store, client_id, release_id, on=today)
    except NotInRecord as fault:
        raise ReportError(str(fault)) from None
    if release.withdrawn_on is not None:  # also where the report is made for an earlier day
        raise ReportError(f"The client withdrew this release on {words.day(release.withdrawn_on)}.")
    return release


def _only_released(record: ClientRecord, release: ReleaseOfInformation) -> ClientRecord:
    """Leave out everything that was not consented to: other days, events, goals, how the client lives.

    Verdicts compare what is left: the first score of the consented days with the last.
    """
    kept = {
        key: [occasion for occasion in occasions if covers_day(release, occasion.taken_on)]
        for key, occasions in record.occasions.items()
    }
    days = [occasion.taken_on for occasions in kept.values() for occasion in occasions]
    return replace(
        record,
        occasions=kept,
        timeline=Timeline(),
        sessions=record.sessions.clear(),
        goals=record.goals.clear(),
        ratings=record.ratings.clear(),
        events=record.events.clear(),
        session_days=(),
        window=(min(days), max(days)) if days else None,
    )


def couples_document(
    client_id: str,
    release: ReleaseOfInformation,
    courses: list[Trajectory],
    readiness: list[tuple[dt.date, float, str]],
    today: dt.date,
) -> Document:
    """Lay out what was consented to."""
    plain = [replace(course, curves=(), forecast=None, marks=(), goals=()) for course in courses]
    sheet = shared_sheet(plain)
    layouts = tuple(_blocks(release, plain, sheet, readiness, most) for most, _ in _LAYOUTS)
    return Document(
        kind="couples",
        title=f"Summary for {release.recipient}",
        language="en",
        day=today,
        facts=f"{client_id} \N{MIDDLE DOT} {words.day(today)}",
        running=(
            f"Confidential: {client_id}, for {release.recipient} only",
            f"purpose: {release.purpose}",
            f"release {release.release_id}, until {words.day_words(release.expires_on)}",
            words.day_words(today),
            f"mbc {__version__}",
            "sources of the lines are given with each measure",
        ),
        page_words="page {page} of {pages}",
        layouts=layouts,
        most_sheets=2,
        sizes=tuple(size for _, size in _LAYOUTS),
    )


def _blocks(
    release: ReleaseOfInformation,
    courses: list[Trajectory],
    sheet: Sheet | None,
    readiness: list[tuple[dt.date, float, str]],
    most: int,
) -> tuple[Block, ...]:
    consent = (
        Run("Released by the client", strong=True),
        Run(
            f" on {words.day(release.signed_on)} to {release.recipient}, for {release.purpose}. "
            f"{_period(release)} To be used until {words.day(release.expires_on)}, for this purpose only, and "
            "not to be passed on."
        ),
    )
    measures: list[Block] = [Heading("Measures")]
    if sheet is None or not courses:
        measures.append(Paragraph("There is no score on the released scales for these dates."))
    else:
        width = (_WIDTH - _GAP) / _COLUMNS
        measures.append(key_picture(tuple(courses), width=_WIDTH))
        tiles = tuple(_tile(course, sheet, width) for course in courses[:most])
        measures.append(Columns(tiles, (1.0,) * _COLUMNS))
        left = len(courses) - len(tiles)
        measures += (
            [Paragraph(f"{words.count(left, 'more scale')} released and not drawn.", "quiet")] if left else []
        )
    return (
        Notice(consent),
        *measures,
        *_readiness(readiness[-most:]),
        Heading("What this page cannot say"),
        Items(
            (
                ("The scores are the client's own ratings; nobody else was asked.", ""),
                ("Change is assessed within the released dates only, against measurement error.", ""),
                ("What is not on this page was not released; nothing can be concluded from its absence.", ""),
            )
        ),
    )


def _period(release: ReleaseOfInformation) -> str:
    if release.covers_from is None and release.covers_to is None:
        return "Scores of all days up to now."
    first = "the beginning" if release.covers_from is None else words.day(release.covers_from)
    last = "now" if release.covers_to is None else words.day(release.covers_to)
    return f"Scores from {first} to {last}."


def _tile(course: Trajectory, sheet: Sheet, width: float) -> tuple[Block, ...]:
    segments = [segment for segment in course.segments if segment.latest is not None]
    says = " ".join(_segment(course, segment) for segment in segments)
    picture = course_picture(course, sheet, width=width, height=_HEIGHT, alt=f"Chart of {course.title}. {says}")
    lines = line_words(course)
    return (
        Heading(course.title, 3),
        picture,
        Paragraph(says),
        *([Paragraph(lines, "quiet")] if lines else []),
    )


def _segment(course: Trajectory, segment: Segment) -> str:
    """Describe the scores of a segment: from where to where, and whether that is clear."""
    known = [occasion for occasion in segment.occasions if occasion.score is not None]
    first, last = (
        f"{words.number(point.score or 0, course.decimals)} on {words.day(point.taken_on)}"
        for point in (known[0], known[-1])
    )
    better = "higher" if course.higher_is_better else "lower"
    if len(known) == 1:
        return f"One score, {first} ({better} is better)."
    verdict = segment.verdict if segment.verdict != "not known" else "change not judged, measurement error unknown"
    return f"From {first} to {last}: {verdict} ({words.count(len(known), 'score')}; {better} is better)."


def _readiness(ratings: list[tuple[dt.date, float, str]]) -> list[Block]:
    if not ratings:
        return []
    rows = tuple((words.day(day), f"{words.number(rating, 1)} of 10", reasons) for day, rating, reasons in ratings)
    table = Table("Readiness for couples work", ("Date", "Rating", "Reason"), rows, (2, 1.5, 6))
    return [Heading("Readiness for couples work"), table]
