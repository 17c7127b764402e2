"""``mbc review``: one client's charts as text."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mbc.care import client_review
from mbc.care.client.pattern_recurrence import PatternTable, pattern_table
from mbc.care.client.state import FLAG_IS_RIGHT
from mbc.care.signals.ledger import ClientSignals
from mbc.care.signals.note import note_signals, signals_of
from mbc.care.signals.words import entry_words, signal_words
from mbc.care.values.course import Trajectory
from mbc.care.values.review import ClientReview
from mbc.care.words import count, day, number, sentence, span
from mbc.cli.options import (
    as_option,
    cohort_models,
    instrument_option,
    instruments_option,
    models_option,
    store_option,
    view_of,
)
from mbc.errors import NotInRecord
from mbc.instruments import instrument
from mbc.instruments.short_names import short_name
from mbc.store import Store


@click.command("review")
@click.argument("client_id", metavar="CLIENT")
@store_option
@instruments_option
@as_option
@instrument_option("keys", "Only this questionnaire; may be repeated.")
@click.option("--table/--no-table", default=True, show_default=True, help="List every score under its chart.")
@click.option("--expected/--no-expected", default=True, show_default=True, help="Include the clinic's models.")
@models_option
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Reference date of the review. Default: the last day on record.",
)
def command(
    *,
    client_id: str,
    store_url: str,
    username: str | None,
    keys: tuple[str, ...],
    table: bool,
    expected: bool,
    models_folder: Path | None,
    as_of: dt.datetime | None,
) -> None:
    """Describe how CLIENT is doing: change beyond measurement error, goals, completeness, what to ask.

    Everything the charts show, in words. The safety channel is not part of it.
    """
    console = Console(highlight=False)
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        for key in keys:
            instrument(key)  # an unknown one is refused, with the nearest named
        try:
            store.clients(client_id=client_id)
        except NotInRecord as fault:
            raise NotInRecord(f"{fault} 'mbc caseload' lists all clients.") from None
        cohort = cohort_models(full_store, models_folder) if expected else None
        review = client_review(store, client_id, cohort=cohort, as_of=None if as_of is None else as_of.date())
        signals = signals_of(store, review, cohort)
        patterns = pattern_table(store, client_id, review.timeline)
        if as_of is None:  # a look back gives no signals
            note_signals(store, signals.new)
    _head(console, review)
    for course in review.trajectories:
        if not keys or course.instrument in keys:
            _chart(console, course, table=table)
    for key in keys:
        if key not in {course.instrument for course in review.trajectories}:
            _heading(console, short_name(key))
            console.print(Text("No answers on record."))
    _goals(console, review)
    _relationships(console, review)
    _patterns(console, patterns)
    _completeness(console, review)
    _questions(console, review)
    _signals(console, signals)


def _signals(console: Console, signals: ClientSignals) -> None:
    if signals.ask is None and not signals.entries:
        return
    _heading(console, "Signals")
    if signals.ask is not None:
        line = f"mbc record answer {signals.ask.client_id} seen|changed|not-now --signal {signals.ask.signal_id}"
        console.print(Text(f"- {signal_words(signals.ask)}: what was done about it? {line}"), soft_wrap=True)
    for entry in signals.entries:
        console.print(Text(f"- {entry_words(entry)}"))


def _head(console: Console, review: ClientReview) -> None:
    name = review.client_id + (f" ({review.alias})" if review.alias else "")
    who = f", clinician: {review.clinician}" if review.clinician else ""
    console.print(Text(f"{name}{who}", style="bold"))
    line = f"{review.state.state.capitalize()}. " if review.closed is None else _closed(review.closed)
    console.print(Text(f"{line}{review.headline}"))
    if review.closed is None and review.state.reasons and review.state.state != "on track":
        console.print(Text(f"Why: {'; '.join(review.state.reasons)}."))
        if review.state.state == "not on track":
            console.print(Text(sentence(FLAG_IS_RIGHT), style="dim"))
    facts = [review.relationship] if review.relationship else []
    facts += [f"due: {', '.join(review.due)}"] if review.due else []
    console.print(Text(f"As of {day(review.as_of)}{''.join(f'; {fact}' for fact in facts)}."))
    if review.last_session is not None:
        ago = span(max((review.as_of - review.last_session).days, 0))
        missed = f", {review.sessions_missed} missed" if review.sessions_missed else ""
        sessions = f"{count(review.sessions_attended, 'session')} held{missed}"
        console.print(Text(f"{sessions}; the last on {day(review.last_session)}, {ago} before this review."))


def _closed(closed: tuple[dt.date, str]) -> str:
    ended_on, how = closed
    return f"Care ended on {day(ended_on)}{f' ({how})' if how else ''}. "


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold underline"))


def _chart(console: Console, course: Trajectory, *, table: bool) -> None:
    _heading(console, course.title)
    console.print(Text(course.summary))
    rest = course.caption.removeprefix(course.summary).strip()
    if rest:
        console.print(Text(rest, style="dim"))
    if table and (course.occasions or course.set_aside):
        console.print(Padding(_occasions(course), (0, 0, 0, 1)))


def _occasions(course: Trajectory) -> Table:
    related = any(segment.label for segment in course.segments)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("date", "session", "score", "answered", "change", "from the first"):
        table.add_column(name, justify="left" if name in {"date", "from the first"} else "right")
    table.add_column("with" if related else "")
    table.add_column("")
    for row in course.to_frame().iter_rows(named=True):
        noise = {"yes": "no clear change", "no": "clear change", None: ""}[row["inside_noise"]]
        table.add_row(
            f"{row['date']:%Y-%m-%d}",
            "" if row["session"] is None else str(row["session"]),
            "" if row["score"] is None else number(row["score"], course.decimals),
            row["answered"] or "",
            "" if row["change"] is None else number(row["change"], course.decimals, signed=True),
            noise,
            Text(row["target"] if related else ""),
            Text(row["note"] or ""),
        )
    return table


def _goals(console: Console, review: ClientReview) -> None:
    if not review.goals:
        return
    _heading(console, "Goals")
    for goal in review.goals:
        console.print(Text(f"- {goal.label}. {goal.words}"))


def _relationships(console: Console, review: ClientReview) -> None:
    if not review.timeline:
        return
    _heading(console, "Relationships")
    for segment in review.timeline:
        until = f" to {day(segment.until)}" if segment.until else ""
        whose = f"{segment.label}: " if segment.label else ""
        console.print(Text(f"- {whose}{segment.status}, from {day(segment.since)}{until}"))


def _patterns(console: Console, patterns: PatternTable) -> None:
    if not patterns.rows and not patterns.support:
        return
    _heading(console, "Patterns and support")
    for row in patterns.rows:
        goals = f"; goals: {'; '.join(row.goals)}" if row.goals else ""
        console.print(Text(f"- {row.pattern.capitalize()}: {row.words}{goals}"))
    if patterns.support:
        console.print(Text(f"- {patterns.support}"))


def _completeness(console: Console, review: ClientReview) -> None:
    if not review.completeness:
        return
    _heading(console, "Completeness")
    for measure in review.completeness:
        console.print(Text(f"- {measure.name}: {measure.words}"))


def _questions(console: Console, review: ClientReview) -> None:
    if not review.questions:
        return
    _heading(console, "Worth asking")
    for question in review.questions:
        console.print(Text(f"- {question.text} ({question.reason.rstrip('.')})"))
