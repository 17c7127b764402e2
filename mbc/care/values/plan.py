"""What a plan of measures gives: when each questionnaire is asked, and what is due."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

PlanState = Literal["due", "overdue", "later", "paused", "not applicable", "ended"]


@dataclass(frozen=True, slots=True)
class Asking:
    """One occasion on which a questionnaire is to be answered."""

    instrument: str
    on: dt.date  # of a session that is still to come: the day that is expected
    before_session: int | None = None


@dataclass(frozen=True, slots=True)
class MeasureSchedule:
    """Where one questionnaire of a client's plan stands."""

    instrument: str
    name: str
    state: PlanState
    due_on: dt.date | None  # of the asking that is open, else of the next one; None where there is none
    missed: int  # askings that passed without an answer; the open one is not among them
    coming: tuple[Asking, ...]  # from the day after the review on
    words: str

    @property
    def is_due(self) -> bool:
        """Whether an answer is awaited."""
        return self.state in ("due", "overdue")


@dataclass(frozen=True, slots=True)
class ClientPlan:
    """A client's plan of measures on a day."""

    client_id: str
    as_of: dt.date
    measures: tuple[MeasureSchedule, ...]
    minutes_a_week: float

    @property
    def due(self) -> tuple[MeasureSchedule, ...]:
        """Questionnaires that are due or overdue, the longest first."""
        waiting = [measure for measure in self.measures if measure.is_due]
        return tuple(sorted(waiting, key=lambda measure: (measure.due_on or dt.date.max, measure.name)))

    @property
    def calendar(self) -> tuple[Asking, ...]:
        """Everything that comes, by day."""
        coming = [asking for measure in self.measures for asking in measure.coming]
        return tuple(sorted(coming, key=lambda asking: (asking.on, asking.instrument)))

    def of(self, instrument: str) -> MeasureSchedule | None:
        """Give the schedule of one questionnaire."""
        return next((measure for measure in self.measures if measure.instrument == instrument), None)
