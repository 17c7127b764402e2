"""How we measure your progress: what a client is asked, how often, what a clear change is; from their own plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mbc import __version__
from mbc.care.client.line_sources import CLINIC, noise_source
from mbc.care.client.trajectory import Cohort
from mbc.care.course.charted_scales import in_reading_order, scales_to_chart
from mbc.care.course.noise import Noise
from mbc.care.forecast.clinic_models import noise_for
from mbc.care.plan.client_plan import client_plan
from mbc.care.plan.schedule import BURST_DAYS
from mbc.care.values.plan import MeasureSchedule
from mbc.errors import ReportError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.reports.catalogue import Catalogue, catalogue
from mbc.reports.document import Block, Document, Heading, Items, Paragraph, Table
from mbc.reports.private_matters import check_included, is_private_construct
from mbc.store import PlannedMeasure, Store
from mbc.store.schema.entries import session_numbers

_SIZES = (11.0, 10.0, 9.0, 8.0)
_WIDTHS = (3.0, 1.2, 3.2, 4.2)
_WEEK = 7
_OVER = ("ended", "not applicable")


@dataclass(frozen=True, slots=True)
class AskedMeasure:
    """One questionnaire that a client is asked, as it is printed."""

    instrument: Instrument
    scales: tuple[Scale, ...]
    planned: PlannedMeasure | None = None  # None: asked without a plan
    schedule: MeasureSchedule | None = None


class MeasureFacts(NamedTuple):
    """What a client is shown about one questionnaire."""

    name: str
    questions: str
    often: str  # blank where it is asked without a plan
    clear: str


@with_definitions_of_record
def measures_report(
    store: Store,
    client_id: str,
    *,
    language: str = "en",
    include: Collection[str] = (),
    cohort: Cohort | None = None,
    as_of: dt.date | None = None,
) -> Document:
    """Make the page that explains to a client how their progress is measured.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id : str
    language : str
        "de", "en", "es", "fr" or "nl".
    include : collection of str
        What is private and printed all the same: "relationship", "alliance".
    cohort : CohortModels, optional
        For measurement error where none is published; see `mbc.care.client_trajectory`.
    as_of : date, optional
        The day the page is for; today when not given.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    ReportError
        If the client has no plan of measures, or there is no such language.
    """
    words = catalogue(language)
    ticked = check_included(include)
    today = as_of or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    with store.snapshot():
        store.clients(client_id=client_id)
        asked = _asked(store, client_id, today)
    printed = [each for each in asked if may_print(each.instrument, ticked)]
    return measures_document(client_id, printed, words, cohort, today)


def _asked(store: Store, client_id: str, today: dt.date) -> list[AskedMeasure]:
    """Read what the client is asked on a day; screens of the safety channel are no part of it.

    Raises
    ------
    ReportError
        If nothing is planned.
    """
    planned = {
        row["instrument"]: PlannedMeasure(**row)
        for row in store.planned_measures(client_id=client_id).iter_rows(named=True)
    }
    instruments = in_reading_order(planned)
    plan = client_plan(store, client_id, as_of=today)
    if not instruments or plan is None:
        raise ReportError(
            f"{client_id} has no plan of measures: there is nothing to print. Plan the clinic's battery: "
            f"mbc client plan {client_id} --start YYYY-MM-DD"
        )
    asked: list[AskedMeasure] = []
    for instrument in instruments:
        schedule = plan.of(instrument.key)
        if schedule is not None and _is_asked(schedule):
            asked.append(AskedMeasure(instrument, scales_to_chart(instrument), planned[instrument.key], schedule))
    return asked


def _is_asked(schedule: MeasureSchedule) -> bool:
    return schedule.state not in _OVER and (schedule.due_on is not None or schedule.state == "paused")


def may_print(instrument: Instrument, included: Collection[str]) -> bool:
    """Say whether a questionnaire may be named on what a partner may find; ``included``: what was ticked."""
    private = is_private_construct(instrument.construct)
    return private is None or private in included


def measures_document(
    client_id: str, asked: list[AskedMeasure], words: Catalogue, cohort: Cohort | None, today: dt.date
) -> Document:
    """Lay out what was read of a plan."""
    day = words.day(today)
    return Document(
        kind="measures",
        title=words.text("measures.title"),
        language=words.code,
        day=today,
        facts=words.text("page.for", who=client_id, date=day),
        running=(client_id, day, f"mbc {__version__}", words.text("page.lines_below")),
        page_words=words.text("page.page", page="{page}", pages="{pages}"),
        layouts=tuple(_blocks(asked, words, cohort, today) for _ in _SIZES),
        most_sheets=1,
        sizes=_SIZES,
    )


def _blocks(
    asked: list[AskedMeasure], words: Catalogue, cohort: Cohort | None, today: dt.date
) -> tuple[Block, ...]:
    return (
        Paragraph(words.text("measures.why"), "lead"),
        Heading(words.text("measures.what")),
        *_table(asked, words, cohort, today),
        Heading(words.text("measures.sure")),
        Paragraph(sentences("measures.sure", words)),
        Heading(words.text("measures.yours")),
        Paragraph(sentences("measures.yours", words)),
        *_lines(asked, words, cohort),
    )


def sentences(key: str, words: Catalogue) -> str:
    """Join the sentences of one part of the page."""
    return " ".join(words.text(f"{key}_{number}") for number in (1, 2, 3))


def _table(asked: list[AskedMeasure], words: Catalogue, cohort: Cohort | None, today: dt.date) -> Iterator[Block]:
    if not asked:
        yield Paragraph(words.text("measures.none"))
        return
    headings = tuple(words.text(f"measures.{key}") for key in ("measure", "questions", "often", "clear"))
    rows = tuple(measure_facts(each, words, cohort, today) for each in asked)
    yield Table(words.text("measures.what"), headings, rows, _WIDTHS)
    yield Paragraph(words.text("measures.not_all"), "quiet")


def measure_facts(asked: AskedMeasure, words: Catalogue, cohort: Cohort | None, today: dt.date) -> MeasureFacts:
    """Say what a questionnaire looks at, how long it is, how often it is asked, and what a clear change is."""
    planned, schedule = asked.planned, asked.schedule
    return MeasureFacts(
        name=_upper_first(_name(asked, words)),
        questions=f"{len(asked.instrument.items)}",
        often="" if planned is None or schedule is None else how_often(planned, schedule, words, today),
        clear=_clear_change(asked, words, cohort),
    )


def _name(asked: AskedMeasure, words: Catalogue) -> str:
    return words.join_list(list(dict.fromkeys(_scale_name(asked, scale, words) for scale in asked.scales)))


def _scale_name(asked: AskedMeasure, scale: Scale, words: Catalogue) -> str:
    return words.measure_name(asked.instrument.key, scale.key, scale.title)


def how_often(planned: PlannedMeasure, schedule: MeasureSchedule, words: Catalogue, today: dt.date) -> str:
    """Say how often a questionnaire is asked, as it was planned."""
    if schedule.state == "paused":
        return words.text("measures.paused")
    parts: list[str] = []
    burst_ends = planned.starts_on + dt.timedelta(days=BURST_DAYS)
    if planned.baseline_askings and planned.baseline_askings > 1 and today < burst_ends:
        parts.append(words.text("measures.at_start", times=planned.baseline_askings))
    if planned.every_days:
        parts.append(_every_days(planned.every_days, words))
    if planned.every_sessions:
        key = "every_session" if planned.every_sessions == 1 else "every_sessions"
        parts.append(words.text(f"measures.{key}", sessions=planned.every_sessions))
    if planned.before_sessions:
        numbers = [str(number) for number in session_numbers(planned.before_sessions)]
        key = "before_session" if len(numbers) == 1 else "before_sessions"
        parts.append(words.text(f"measures.{key}", numbers=words.join_list(numbers)))
    if not parts:
        parts.append(words.text("measures.once"))
    if planned.ends_on is not None:
        parts.append(words.text("measures.until", day=words.day(planned.ends_on)))
    return "; ".join(parts)


def _every_days(days: int, words: Catalogue) -> str:
    if days == 1:
        return words.text("measures.every_day")
    if days == _WEEK:
        return words.text("measures.every_week")
    if days % _WEEK == 0:
        return words.text("measures.every_weeks", weeks=days // _WEEK)
    return words.text("measures.every_days", days=days)


def _clear_change(asked: AskedMeasure, words: Catalogue, cohort: Cohort | None) -> str:
    """Say how large a change must be, from the same measurement error as the client's charts."""
    by_words: dict[str, list[str]] = {}
    for scale in asked.scales:
        text = _limit(noise_for(cohort, asked.instrument, scale), scale, words)
        by_words.setdefault(text, []).append(_scale_name(asked, scale, words))
    if len(by_words) == 1:
        return next(iter(by_words))
    return "; ".join(f"{words.join_list(names)}: {text}" for text, names in by_words.items())


def _limit(noise: Noise | None, scale: Scale, words: Catalogue) -> str:
    if noise is None:
        return words.text("measures.no_line")
    low, high = (words.number(bound, scale.decimals) for bound in scale.range)
    limit = words.number(noise.threshold, max(scale.decimals, 1))
    key = "points_from" if noise.inclusive else "points"
    better = words.text("measures.higher_better" if scale.higher_is_better else "measures.lower_better")
    return f"{words.text(f'measures.{key}', limit=limit, low=low, high=high)}; {better}"


def _lines(asked: Iterable[AskedMeasure], words: Catalogue, cohort: Cohort | None) -> Iterator[Block]:
    sources: dict[str, str] = {}
    for each in asked:
        for scale in each.scales:
            noise = noise_for(cohort, each.instrument, scale)
            if noise is not None:
                own = noise.source.startswith(CLINIC)
                name = _upper_first(_scale_name(each, scale, words))
                full = noise_source(each.instrument, scale, noise.source)
                sources[name] = words.text("summary.own_records") if own else full
    if sources:
        yield Heading(words.text("measures.lines"))
        yield Items(tuple((f"{name}: {source}", "") for name, source in sources.items()))


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
