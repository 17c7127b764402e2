"""The course of one client: what happened, when, by how much; and the same as a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from mbc.models.change.inputs.reasons import Reason
from mbc.models.results.result import Result


@dataclass(frozen=True, slots=True)
class SuddenStep:
    """One sudden gain or loss."""

    before: Any  # time of the session before the step
    after: Any
    magnitude: float  # scale points
    reversed: bool | None  # whether it was lost again (a loss: made good); None: no later score
    bridged: int  # missed sessions in between


@dataclass(frozen=True, slots=True)
class Plateau:
    """Scores of which no two differ by more than noise."""

    start: Any
    end: Any
    scores: int
    duration: float  # days, or the unit of time
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Setback:
    """A fall from the best so far by more than noise."""

    best: float  # scale points
    best_at: Any  # the last time the client was that well
    began_at: Any  # the first score that is worse by more than noise
    worst: float
    worst_at: Any
    depth: float  # scale points between best and worst
    occasions: int  # scores that are worse by more than noise; one may be a bad week
    eased_at: Any  # the first later score that noise alone could part from the best
    regained_at: Any  # the first score as good as the best again
    time_to_regain: float | None  # from best_at to regained_at
    open: bool  # not regained yet


@dataclass(frozen=True, slots=True)
class Course(Result):
    """What became of one client's scores."""

    client: Any
    n: int  # scores
    n_missed: int  # sessions without a score
    higher_is_better: bool
    unit: str  # of times: "days", or what the table counts
    threshold: float | None  # scale points; up to this is noise
    first: float | None
    first_at: Any
    last: float | None
    last_at: Any
    best: float | None
    best_at: Any
    improved_at: Any  # first of two scores in a row that are reliably better than the first score
    deteriorated_at: Any
    gains: tuple[SuddenStep, ...]
    losses: tuple[SuddenStep, ...]
    plateaus: tuple[Plateau, ...]  # the longest first
    setbacks: tuple[Setback, ...]  # in order of time
    largest_drawdown: float | None  # scale points, noise or not
    drawdown_from: Any
    drawdown_to: Any
    cutoff: float | None
    time_covered: float | None  # from the first to the last score, long gaps left out
    time_beyond_cutoff: float | None  # on the better side, by straight lines between scores
    share_beyond_cutoff: float | None
    reason: Reason | None  # why noise could not be estimated

    @property
    def plateau(self) -> Plateau | None:
        """The longest plateau."""
        return self.plateaus[0] if self.plateaus else None

    def sentence(self) -> str:
        """Read the course out in plain words."""
        from mbc.models.courses.sentences import describe_course  # noqa: PLC0415 - it reads this class

        return describe_course(self)

    def _columns(self) -> dict[str, Any]:
        """Make a table of what happened, in order of time: what, from when, to when, how many scale points."""
        happened: list[tuple[str, Any, Any, float]] = []
        happened += [("sudden gain", step.before, step.after, step.magnitude) for step in self.gains]
        happened += [("sudden loss", step.before, step.after, step.magnitude) for step in self.losses]
        happened += [
            ("plateau", plateau.start, plateau.end, plateau.highest - plateau.lowest) for plateau in self.plateaus
        ]
        happened += [("setback", setback.best_at, setback.regained_at, setback.depth) for setback in self.setbacks]
        happened.sort(key=lambda event: (event[1], event[0]))
        return {
            "what": pl.Series([event[0] for event in happened], dtype=pl.String),
            "start": pl.Series([event[1] for event in happened]),
            "end": pl.Series([event[2] for event in happened]),
            "points": pl.Series([event[3] for event in happened], dtype=pl.Float64),
        }
