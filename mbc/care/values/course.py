"""What a client's course on one scale is made of: frozen values that charts, pages and text read alike."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import polars as pl

from mbc.care.words import lower_first

Verdict = Literal["clearly better", "better once", "no clear change", "worse once", "clearly worse", "not known"]
Valence = Literal["growth", "hard", "neutral"]
OnTrack = Literal["insufficient data", "on track", "watch", "not on track"]
Confidence = Literal["high", "medium", "unverified"]

VALENCE_NOTES: dict[Valence, str] = {"growth": " (growth)", "hard": " (hard time)", "neutral": ""}
SELF = "self"  # the target of an administration that rates no relationship


@dataclass(frozen=True, slots=True)
class Occasion:
    """One completed questionnaire on one scale, compared with the first score of its segment."""

    administration_id: int
    taken_on: dt.date  # the client's own calendar day
    session_number: int | None
    score: float | None  # scale points; None = too few answers for a score, never zero
    answered: int | None  # items answered; None where only a total was kept
    items: int | None
    prorated: bool
    recorded: bool  # True where only a total was kept
    target: str  # "self" or a relationship's id
    band: str | None = None
    maximum: float | None = None  # the highest score that could be reached, where items do not apply
    change: float | None = None  # scale points, from the segment's baseline
    inside_noise: bool | None = None  # None at the baseline itself, and where noise is not known


@dataclass(frozen=True, slots=True)
class Change:
    """One score compared with an earlier one, judged against measurement error."""

    before: float
    before_on: dt.date
    after: float
    after_on: dt.date
    points: float  # after - before, in scale points
    threshold: float | None  # scale points; a larger change is reliable
    verdict: Verdict
    words: str  # "6 points better, a clear change"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Where a client stands on one scale against the start, from all scores: shown everywhere."""

    verdict: Verdict
    since: dt.date | None = None  # first day since which the verdict has stood without a break; clear ones only
    in_a_row: int = 0  # latest scores, all on one side of the first by more than measurement error
    p_better: float | None = None  # that the true level now is better than at the start, from all scores
    sessions_needed: int | None = None  # further ones until all scores can tell, about; None where not known
    last_better: dt.date | None = None  # last day on which the change was clearly better

    @property
    def is_clear(self) -> bool:
        """Whether the change is clear, for better or for worse."""
        return self.verdict in ("clearly better", "clearly worse")


NOT_JUDGED = Judgement("not known")


@dataclass(frozen=True, slots=True)
class NoiseBand:
    """The scores that measurement error alone explains around a baseline."""

    lower: float  # scale points, inside the scale's range
    upper: float
    threshold: float  # scale points either side of the baseline
    level: float  # share of unchanged people whose score stays inside; 0.95
    label: str
    source: str
    confidence: Confidence

    @property
    def verified(self) -> bool:
        """Whether the reliability and spread behind the band were checked at their source."""
        return self.confidence != "unverified"


@dataclass(frozen=True, slots=True)
class Setback:
    """A fall from the best score so far by more than measurement error."""

    best_on: dt.date
    best: float
    lowest_on: dt.date  # the worst score of the setback
    lowest: float
    regained_on: dt.date | None  # first day back within a standard error of the best; None: not yet


@dataclass(frozen=True, slots=True)
class Jump:
    """A sudden gain between two neighbouring scores, by the criteria of Tang and DeRubeis (1999)."""

    before_on: dt.date
    after_on: dt.date
    points: float  # in the direction of improvement


@dataclass(frozen=True, slots=True)
class Shape:
    """How a course ran between its ends."""

    setbacks: tuple[Setback, ...] = ()
    jumps: tuple[Jump, ...] = ()
    plateau: tuple[dt.date, dt.date] | None = None  # longest stretch of scores within measurement error

    @property
    def days_to_regain(self) -> tuple[int, ...]:
        """Days from the worst score of each setback to the day it was regained."""
        return tuple((s.regained_on - s.lowest_on).days for s in self.setbacks if s.regained_on is not None)


@dataclass(frozen=True, slots=True)
class Segment:
    """Occasions that may be compared: one relationship's, or the person's own."""

    target: str
    label: str  # "" for the person's own, else the relationship's label, such as "R1"
    occasions: tuple[Occasion, ...]
    ended_on: dt.date | None  # when the relationship ended; nothing is drawn after it
    baseline: Occasion | None  # the first occasion with a score
    noise: NoiseBand | None
    since_baseline: Change | None
    since_last: Change | None
    judgement: Judgement = NOT_JUDGED  # of the latest score against the first, from all scores
    shape: Shape = Shape()

    @property
    def verdict(self) -> Verdict:
        """The verdict that is shown of this segment."""
        return self.judgement.verdict

    @property
    def latest(self) -> Occasion | None:
        """The last occasion with a score."""
        return next((occasion for occasion in reversed(self.occasions) if occasion.score is not None), None)


@dataclass(frozen=True, slots=True)
class CutoffLine:
    """A score that divides one population from another, and its source."""

    value: float
    side: str  # "<", "<=", ">" or ">=": the comparison that means distressed
    label: str
    source: str
    confidence: Confidence

    @property
    def verified(self) -> bool:
        """Whether the cutoff was checked at its source."""
        return self.confidence != "unverified"


@dataclass(frozen=True, slots=True)
class GoalLine:
    """A goal set on the scale's own points."""

    goal_id: str
    label: str
    value: float
    set_on: dt.date
    until: dt.date | None  # when it was retired


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a life event, or a change of relationship status."""

    on: dt.date
    kind: Literal["event", "status"]
    label: str  # "Ended R1"
    valence: Valence
    key: str = ""  # "A", "B", ...: names the mark on a small chart

    @property
    def words(self) -> str:
        """The label, and its valence where that says more.

        Examples
        --------
        >>> Mark(dt.date(2025, 6, 12), "event", "Ended R1", "growth").words
        'Ended R1 (growth)'
        """
        return self.label + VALENCE_NOTES[self.valence]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of days, and why nothing is drawn there."""

    start: dt.date
    end: dt.date | None  # None = still so
    reason: str  # "single"; "no answers"


@dataclass(frozen=True, slots=True)
class CourseCurve:
    """The course of clients who began with the same score, or this client's forecast; with its band."""

    target: str
    dates: tuple[dt.date, ...]
    mean: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    level: float  # 0.8: where four in five single observations are expected
    n_clients: int  # whose records the model was fitted to
    label: str  # "Expected from intake", "Forecast"

    def at(self, day: dt.date) -> tuple[float, float, float] | None:
        """Mean, lower and upper end of the band on a day, in scale points; None outside the curve's days."""
        for i, (start, end) in enumerate(pairwise(self.dates)):
            if start <= day <= end:
                share = (day - start).days / (end - start).days
                mean, other, more = (
                    values[i] + share * (values[i + 1] - values[i])
                    for values in (self.mean, self.lower, self.upper)
                )
                return mean, other, more
        return None


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One client on one scale over time: everything a chart, its table and its caption need."""

    client_id: str
    instrument: str  # key
    name: str  # the questionnaire's name
    construct: str  # "self_esteem"
    scale: str  # key
    title: str  # "Self-esteem: RSES"
    range: tuple[float, float]
    higher_is_better: bool
    decimals: int
    informant: str  # "client"
    segments: tuple[Segment, ...]
    cutoffs: tuple[CutoffLine, ...]
    goals: tuple[GoalLine, ...]
    marks: tuple[Mark, ...]
    not_applicable: tuple[Span, ...]
    gaps: tuple[Span, ...]
    gap_days: int  # a longer silence is left open in the chart
    curves: tuple[CourseCurve, ...]  # expected from intake: never fitted to the client's own later scores
    curve_note: str  # why there is no expected course; "" where there is one
    sessions: tuple[tuple[dt.date, int], ...]  # day and number of each session held
    summary: str  # where the client stands, in one to three sentences
    caption: str  # the summary, and everything else
    relationships: tuple[tuple[str, str], ...] = ()  # id, label
    set_aside: tuple[Occasion, ...] = ()  # answered while the questionnaire did not apply: never drawn
    window: tuple[dt.date, dt.date] | None = None  # the client's present care; all their charts span it
    earlier: tuple[Segment, ...] = ()  # in earlier care: described and tabulated, not drawn
    outlook: str = ""  # where the current segment is heading, in words; "" where nothing is forecast
    on_track: OnTrack = "insufficient data"
    forecast: CourseCurve | None = None  # from the last score on, of the same model as the expected course
    no_forecast: str = ""  # why there is none; "" where there is one

    @property
    def occasions(self) -> tuple[Occasion, ...]:
        """All occasions, by day."""
        in_segments = (occasion for segment in self.segments for occasion in segment.occasions)
        return tuple(sorted(in_segments, key=lambda occasion: (occasion.taken_on, occasion.administration_id)))

    @property
    def current(self) -> Segment | None:
        """The segment that is still open and was answered last; None when none is open."""
        live = [segment for segment in self.segments if segment.ended_on is None and segment.latest is not None]
        return max(live, key=lambda segment: segment.occasions[-1].taken_on, default=None)

    @property
    def measure(self) -> str:
        """What is measured, inside a sentence: "self-esteem"."""
        return lower_first(self.title.partition(":")[0])

    @property
    def no_forecast_words(self) -> str:
        """Why there is no forecast, as a sentence without its stop; "" where there is one."""
        reason = self.no_forecast
        return reason if not reason or reason.startswith("No forecast") else f"No forecast: {lower_first(reason)}"

    @property
    def empty(self) -> bool:
        """Whether there is no score to draw."""
        return all(segment.latest is None for segment in self.segments)

    def to_frame(self) -> pl.DataFrame:
        """Give the table that stands under the chart: one row per occasion.

        Returns
        -------
        pl.DataFrame
            date, session, score, band, answered ("9 of 10"; null where only a total was kept), change (scale
            points from the segment's first score), inside_noise ("yes", "no", null), note, target (the
            relationship's label, or "self").
        """
        return pl.DataFrame(self.table_rows(), schema=_TABLE, orient="row")

    def table_rows(self) -> list[tuple[Any, ...]]:
        """Give the rows of `to_frame`, whose columns `TABLE_COLUMNS` names."""
        labels = dict(self.relationships)
        rows = [_row(occasion, labels.get(occasion.target, occasion.target)) for occasion in self.occasions]
        rows += [_aside(occasion, labels.get(occasion.target, occasion.target)) for occasion in self.set_aside]
        past = (occasion for segment in self.earlier for occasion in segment.occasions)
        rows += [_row(occasion, labels.get(occasion.target, occasion.target), past=True) for occasion in past]
        rows.sort(key=lambda row: row[0])
        return rows


_TABLE = {
    "date": pl.Date,
    "session": pl.Int64,
    "score": pl.Float64,
    "band": pl.String,
    "answered": pl.String,
    "change": pl.Float64,
    "inside_noise": pl.String,
    "note": pl.String,
    "target": pl.String,
}
TABLE_COLUMNS = tuple(_TABLE)
_YES_NO = {True: "yes", False: "no", None: None}


def _aside(occasion: Occasion, target: str) -> tuple[dt.date, *tuple[object, ...]]:
    note = "not applicable that day"
    return (occasion.taken_on, occasion.session_number, None, None, None, None, None, note, target)


def _row(occasion: Occasion, target: str, *, past: bool = False) -> tuple[dt.date, *tuple[object, ...]]:
    answered = None if occasion.answered is None else f"{occasion.answered} of {occasion.items}"
    return (
        occasion.taken_on,
        occasion.session_number,
        occasion.score,
        occasion.band,
        answered,
        None if past else occasion.change,
        None if past else _YES_NO[occasion.inside_noise],
        _note(occasion, past=past),
        target,
    )


def _note(occasion: Occasion, *, past: bool) -> str | None:
    notes = (
        ("earlier care", past),
        ("too few answers for a score", occasion.score is None),
        ("prorated", occasion.prorated),
        ("recorded total", occasion.recorded),
    )
    return ", ".join(note for note, holds in notes if holds) or None
