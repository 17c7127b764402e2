"""What is on record about one client, read once for everything that is shown of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from mbc.care.course.current_episode import closed_care, present_since, starts_of_care
from mbc.care.course.relationships import Timeline, is_current, timelines
from mbc.care.course.segments import occasions_by_scale
from mbc.care.scoring.scores import scores
from mbc.care.values.course import Mark, Occasion
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.store import Store

Occasions = Mapping[tuple[str, str], Sequence[Occasion]]  # by questionnaire and scale, each by day

INFORMANT = "client"  # a chart shows what the client answered; others' answers are never mixed in
_APART = "safety"  # kinds of event that belong to the safety channel begin with this word


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """One client's scores and frames; nothing of the safety channel."""

    client_id: str
    occasions: Occasions  # the client's own scores
    timeline: Timeline
    sessions: pl.DataFrame  # of the present care
    goals: pl.DataFrame
    ratings: pl.DataFrame
    events: pl.DataFrame
    window: tuple[dt.date, dt.date] | None  # of the present care: days with a session or a questionnaire
    since: dt.date | None  # where the present care begins, if there was other care before it
    episodes: pl.DataFrame
    closed: tuple[dt.date, str] | None  # day on which the last episode of care ended, and how; None while in care
    session_days: tuple[tuple[dt.date, int], ...]  # of each session held, with its number

    @property
    def asked(self) -> list[str]:
        """Questionnaires answered in the present care."""
        return sorted({instrument for instrument, scale in self.occasions if self.of(instrument, scale)})

    def of(self, instrument: str, scale: str) -> list[Occasion]:
        """Scores on one scale in the present care, by day."""
        occasions = self.occasions.get((instrument, scale), ())
        return [each for each in occasions if self.since is None or each.taken_on >= self.since]

    def before(self, instrument: str, scale: str) -> list[Occasion]:
        """Scores on one scale in earlier care, by day."""
        if self.since is None:
            return []
        return [each for each in self.occasions.get((instrument, scale), ()) if each.taken_on < self.since]


@with_definitions_of_record
def read_record(store: Store, client_id: str, *, instrument: str | None = None) -> ClientRecord:
    """Read one client; the scores of one questionnaire only, where one is named.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    timeline = timelines(store.statuses(client_id=client_id), store.relationships(client_id=client_id))
    events = store.events(client_id=client_id)
    sessions = store.sessions(client_id=client_id).sort("held_on", "number")
    episodes = store.episodes(client_id=client_id)
    starts = starts_of_care(episodes).get(client_id, ())
    table = scores(store, client_id=client_id, instrument=instrument, invalid="null")
    days = [*sessions["held_on"], *store.administrations(client_id=client_id)["taken_on"]]
    since = present_since(starts, days)
    days = [day for day in days if since is None or day >= since]
    if since is not None:
        sessions = sessions.filter(pl.col("held_on") >= since)
    return ClientRecord(
        client_id=client_id,
        occasions=occasions_by_scale(row for row in table.iter_rows(named=True) if row["informant"] == INFORMANT),
        timeline=timeline.get(client_id, Timeline()),
        sessions=sessions,
        goals=store.goals(client_id=client_id),
        ratings=store.goal_ratings(client_id=client_id).sort("rated_on"),
        events=events.filter(~pl.col("kind").str.to_lowercase().str.starts_with(_APART)),
        window=(min(days), max(days)) if days else None,
        since=since,
        episodes=episodes,
        closed=closed_care(episodes).get(client_id),
        session_days=session_axis(sessions),
    )


def session_axis(sessions: pl.DataFrame) -> tuple[tuple[dt.date, int], ...]:
    """Day and number of each session held; renumbered where the numbers on record do not rise."""
    held = sessions.filter("attended").sort("held_on", "number").select("held_on", "number")
    numbered = [(day, number) for day, number in held.iter_rows()]
    rising = all(a[1] < b[1] for a, b in pairwise(numbered))
    return tuple(numbered) if rising else tuple((day, i) for i, (day, _) in enumerate(numbered, start=1))


def marks_of(record: ClientRecord) -> tuple[Mark, ...]:
    """Events and changes of relationship status within the record's window, keyed A, B, C ... by day."""
    if record.window is None:
        return ()
    first, last = record.window
    marks = [
        Mark(row["occurred_on"], "event", row["label"] or row["kind"], row["valence"])
        for row in record.events.iter_rows(named=True)
    ]
    marks += _status_marks(record.timeline)
    shown = [mark for mark in marks if first <= mark.on <= last]
    shown.sort(key=lambda mark: (mark.on, mark.kind, mark.label))
    return tuple(Mark(mark.on, mark.kind, mark.label, mark.valence, _letter(i)) for i, mark in enumerate(shown))


def _status_marks(timeline: Timeline) -> list[Mark]:
    periods = timeline.periods
    over = {period.since for period in periods if period.relationship_id is not None and not is_current(period)}
    marks: list[Mark] = []
    for period in periods:
        if period.relationship_id is not None:
            marks.append(Mark(period.since, "status", f"{period.label}: {period.status}", "neutral"))
        elif period.since not in over:  # "single" on the day a relationship ended says nothing new
            marks.append(Mark(period.since, "status", period.status.capitalize(), "neutral"))
    return marks


def _letter(index: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return letters[index] if index < len(letters) else _letter(index // 26 - 1) + letters[index % 26]
