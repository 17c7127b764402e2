"""What a clinician reads before a session, and what a caseload shows: frozen values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import polars as pl

from mbc.care.values.course import Trajectory, Verdict
from mbc.care.values.plan import ClientPlan


@dataclass(frozen=True, slots=True)
class ConstructReview:
    """All scales on which one construct was measured."""

    construct: str  # "self_esteem"
    title: str  # "Self-esteem"
    trajectories: tuple[Trajectory, ...]


@dataclass(frozen=True, slots=True)
class GoalProgress:
    """A goal the client set, its ratings, and how far it has moved."""

    goal_id: str
    label: str
    baseline: float | None
    target: float | None
    higher_is_better: bool
    set_on: dt.date
    retired_on: dt.date | None
    retired_reason: str | None
    ratings: tuple[tuple[dt.date, float], ...]
    movement: float | None  # goal points towards the target; negative = away from it
    reached: bool
    words: str
    scale: str | None = None  # "rses.total" where the goal is set on a questionnaire's own points


@dataclass(frozen=True, slots=True)
class StatusPeriod:
    """One stretch of a relationship, or of being single."""

    relationship_id: str | None  # None = the person
    label: str  # "R1", or "" for the person
    status: str
    since: dt.date
    until: dt.date | None


@dataclass(frozen=True, slots=True)
class Completeness:
    """How regularly one questionnaire was answered, against the client's own rhythm."""

    instrument: str
    name: str
    occasions: int
    scored: int
    blank_items: int  # left blank over all occasions
    rhythm_days: int | None  # four in five intervals are no longer; None with fewer than three occasions
    last_on: dt.date
    missed: int  # expected occasions, by that rhythm, that were missed
    due_on: dt.date | None  # by that rhythm; None where there is none, or it does not apply now
    due: bool
    applicable: bool  # False while the client's status makes it not applicable
    words: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something worth asking, and why."""

    text: str
    reason: str


State = Literal["on track", "watch", "not on track", "no forecast"]


@dataclass(frozen=True, slots=True)
class ClientState:
    """Whether a client is on track, from all their scales, and why."""

    state: State
    reasons: tuple[str, ...]  # in words, without a full stop, the most important first
    progress: float | None  # average change for the better since the start, standard deviations of first scores
    scales: int  # that it rests on


StripKind = Literal[
    "homework done", "homework open", "homework not done", "small win", "conflict", "conflict repaired", "rupture",
    "rupture repaired",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class StripMark:
    """An entry of the working day on the time axis."""

    on: dt.date
    kind: StripKind
    words: str
    waiting: bool = False  # homework that nobody has asked about yet


@dataclass(frozen=True, slots=True)
class RepairBand:
    """The range in which the hours to repair of a client's conflicts usually lie, and what it rests on."""

    series: tuple[tuple[dt.date, float], ...]  # day of the conflict, hours until it was repaired; in order of time
    lower: float
    upper: float
    outside: tuple[tuple[dt.date, float], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class ClientReview:
    """One client, two minutes before a session. Holds nothing of the safety channel."""

    client_id: str
    alias: str | None
    clinician_id: str | None
    clinician: str | None
    status: str
    as_of: dt.date
    state: ClientState
    headline: str  # what changed clearly since the start, and since the last questionnaires
    relationship: str  # "dating since 29 August"; "" when not on record
    closed: tuple[dt.date, str] | None  # day on which care ended, and how; None while in care
    due: tuple[str, ...]  # questionnaires that are due today: "RSES"
    constructs: tuple[ConstructReview, ...]
    goals: tuple[GoalProgress, ...]
    timeline: tuple[StatusPeriod, ...]
    completeness: tuple[Completeness, ...]
    last_session: dt.date | None
    last_session_number: int | None
    sessions_attended: int
    sessions_missed: int
    questions: tuple[Question, ...]
    visits: tuple[
        tuple[dt.date, bool], ...
    ] = ()  # every session of the present care: day, and whether it was kept
    strips: tuple[StripMark, ...] = ()  # homework, small wins, conflicts and ruptures, in order of time
    repair_words: str = ""  # how long conflicts usually take to repair, or why no limits; "" where none was timed
    repair_band: RepairBand | None = None  # the limits of it; None where there are too few times, or all are alike
    plan: ClientPlan | None = None  # of measures; None: there is none, or care has ended

    def __repr__(self) -> str:
        charts = ", ".join(course.title for course in self.trajectories)
        return f"ClientReview({self.client_id!r}, {self.as_of}, {self.state.state!r}, charts: {charts or 'none'})"

    @property
    def trajectories(self) -> tuple[Trajectory, ...]:
        """Every chart, in the order of the constructs."""
        return tuple(course for construct in self.constructs for course in construct.trajectories)


@dataclass(frozen=True, slots=True)
class CaseloadCell:
    """Latest score and change of one client on one scale, in words and points."""

    construct: str
    instrument: str
    scale: str
    title: str  # "Self-esteem: RSES"
    range: tuple[float, float]
    higher_is_better: bool
    latest: float | None
    latest_on: dt.date | None
    change: float | None  # scale points, from the first score of the same segment
    verdict: Verdict
    words: str  # "18, +6: clearly better"; "not applicable while single"
    points: tuple[float | None, ...]  # for a sparkline, oldest first; None = a gap or another relationship
    sort_key: float  # larger = better than at the start, in units of what noise explains
    answered: int | None = None  # items of the latest; None where only a total was kept
    items: int | None = None


Group = Literal["needs you", "soon", "as expected", "closed"]


@dataclass(frozen=True, slots=True)
class CaseloadRow:
    """One client of a caseload."""

    client_id: str
    alias: str | None
    clinician_id: str | None
    status: str
    relationship: str  # "single", "partnered", ... as last recorded; "" when not on record
    last_contact: dt.date | None
    days_since_contact: int | None
    sessions: int
    cells: tuple[CaseloadCell, ...]
    state: ClientState
    group: Group
    reasons: tuple[str, ...]  # why the client is in this group, in words, the most important first
    due: tuple[tuple[str, dt.date], ...]  # questionnaires due within a week or overdue, and since when
    closed: tuple[dt.date, str] | None  # day on which care ended, and how; None while in care

    def cell(self, construct: str) -> CaseloadCell | None:
        """Give the first scale of a construct, or None when it was never measured."""
        return next((cell for cell in self.cells if cell.construct == construct), None)


@dataclass(frozen=True, slots=True, repr=False)
class Caseload:
    """Every client of a clinician, or of the clinic."""

    as_of: dt.date
    rows: tuple[CaseloadRow, ...]  # those who need the clinician most first; in a group, longest waiting first
    constructs: tuple[tuple[str, str], ...]  # key and title of every construct measured, in reading order
    caption: str

    def __repr__(self) -> str:
        in_care = sum(row.closed is None for row in self.rows)
        return f"Caseload({self.as_of}, clients: {len(self.rows)}, in care: {in_care})"

    def to_frame(self) -> pl.DataFrame:
        """Give one row per client: who, last contact, latest and change per construct, state, group, why."""
        rows = [self._flat(row) for row in self.rows]
        schema: dict[str, type[pl.DataType]] = {
            "client_id": pl.String,
            "alias": pl.String,
            "clinician_id": pl.String,
            "status": pl.String,
            "relationship": pl.String,
            "last_contact": pl.Date,
            "days_since_contact": pl.Int64,
            "sessions": pl.Int64,
        }
        for key, _ in self.constructs:
            schema |= {f"{key}_latest": pl.Float64, f"{key}_change": pl.Float64, f"{key}_words": pl.String}
        schema |= {"state": pl.String, "group": pl.String, "reasons": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _flat(self, row: CaseloadRow) -> tuple[object, ...]:
        values: list[object] = [
            row.client_id,
            row.alias,
            row.clinician_id,
            row.status,
            row.relationship,
            row.last_contact,
            row.days_since_contact,
            row.sessions,
        ]
        for key, _ in self.constructs:
            cell = row.cell(key)
            values += [None, None, None] if cell is None else [cell.latest, cell.change, cell.words]
        return (*values, row.state.state, row.group, "; ".join(row.reasons))
