"""What was the course of each client: gains and losses, plateaus, setbacks, time beyond the cutoff."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import two_sided
from mbc.models.change.inputs.norms import NormLike, Norms, stated_norms
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import (
    number_column,
)
from mbc.models.change.person.cutoffs import Cutoff
from mbc.models.courses.beyond_cutoff import first_reliable, time_beyond
from mbc.models.courses.gains import SuddenGains
from mbc.models.courses.observed import Observed, first_where, running_best
from mbc.models.courses.one_course import Course, Plateau, Setback, SuddenStep
from mbc.models.courses.plateaus import plateaus
from mbc.models.courses.search import SearchOptions, backend_of, search_rows
from mbc.models.courses.sessions import Rows, Spacing, read_rows
from mbc.models.courses.setbacks import largest_drawdown, setbacks
from mbc.models.results.result import Result
from mbc.models.results.tables import Backend

_COUNTED = ("gains", "losses", "plateaus", "setbacks")


@dataclass(frozen=True, slots=True, eq=False)
class Courses(Result):
    """The courses of all clients: tables of everybody, and ``courses[client]`` for one.

    ``plateaus`` and ``setbacks`` have one row per plateau and setback, ``gains`` and ``losses`` are searches for
    sudden gains and losses whose size criterion is the same noise threshold.
    """

    table: pl.DataFrame = field(repr=False)  # one row per client
    gains: SuddenGains = field(repr=False)
    losses: SuddenGains = field(repr=False)
    plateaus: pl.DataFrame = field(repr=False)
    setbacks: pl.DataFrame = field(repr=False)
    higher_is_better: bool
    threshold: float | None  # scale points; up to this is noise
    cutoff: float | None
    norms: Norms
    unit: str  # of times
    columns: tuple[str, str, str]  # client, time and score, as the frame calls them
    n: int  # clients
    n_missing: int  # clients without any score
    reason: Reason | None  # why noise cannot be estimated
    backend: Backend = "polars"
    method: str = "setbacks from the running best; Tang & DeRubeis (1999)"

    def __len__(self) -> int:
        """Count the clients."""
        return self.n

    def __iter__(self) -> Iterator[Course]:
        """Give each client's course."""
        return (self[client] for client in self.table[self.columns[0]])

    @checked
    def __getitem__(self, client: object) -> Course:
        """Give one client's course.

        Raises
        ------
        ModelError
            If the client is not among them.
        """
        who = self.columns[0]
        own = self.table.filter(pl.col(who) == client)
        if not own.height:
            raise ModelError(f"There is no client {client!r} among the {self.n} of column '{who}'.")
        row = own.row(0, named=True)
        numbers = {name: row[name] for name in row if name not in {who, *_COUNTED}}

        def rows(table: pl.DataFrame) -> list[dict[str, Any]]:
            return table.filter(pl.col(who) == client).drop(who).to_dicts()

        return Course(
            client=row[who],
            higher_is_better=self.higher_is_better,
            unit=self.unit,
            threshold=self.threshold,
            cutoff=self.cutoff,
            gains=tuple(_step(step) for step in rows(self.gains.table)),
            losses=tuple(_step(step) for step in rows(self.losses.table)),
            plateaus=tuple(Plateau(**plateau) for plateau in rows(self.plateaus.drop("rank"))),
            setbacks=tuple(Setback(**setback) for setback in rows(self.setbacks)),
            **numbers,
        )

    @property
    def input_backend(self) -> Backend | None:
        """Kind of table that came in."""
        return self.backend

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per client, of the kind that came in unless another is named."""
        return dict(self.table.to_dict())


@checked
def describe_courses(  # noqa: PLR0913 - options are keyword-only
    frame: object,
    *,
    client: str,
    time: str,
    score: str,
    higher_is_better: bool,
    threshold: float | None = None,
    sd: float | None = None,
    reliability: float | None = None,
    norms: NormLike | Mapping[str, object] | None = None,
    confidence: float = 0.95,
    cutoff: float | Cutoff | None = None,
    consecutive: int = 2,
    least_plateau: int = 4,
    sessions: Spacing = "auto",
    bridge_missed: bool = False,
    longest_gap: float | None = None,
    unit: str = "",
) -> Courses:
    """Describe each client's course.

    Parameters
    ----------
    frame : table
        One row per client and occasion: pandas, polars, pyarrow, duckdb, pyspark. A row without a score is a
        missed session.
    client, time, score : str
        Its columns; time contains dates or numbers, score contains scale points.
    higher_is_better : bool
    threshold : float, optional
        Up to this many scale points a difference of two scores is noise. Or:
    sd, reliability, norms, confidence
        the reference sample that it is computed from: ``z * sqrt(2) * sd * sqrt(1 - reliability)``.
    cutoff : float or Cutoff, optional
        Where the functional population begins; a score on it is clinical.
    consecutive : int
        Scores in a row that must be reliably better than the first before that is called an improvement.
    least_plateau : int
        Scores that make a plateau.
    sessions, bridge_missed
        As for `mbc.models.sudden_gains`.
    longest_gap : float, optional
        Between scores farther apart there is no sudden gain, and no time is counted; days for dates.
    unit : str
        What ``time`` counts, for the sentence: ``"weeks"``. Days for dates, else ``sessions``.

    Returns
    -------
    Courses
        ``courses["C17"].sentence()`` reads one out.

    Raises
    ------
    ModelError
        If a column is missing, a client has two rows at one time, or nothing says what is noise.

    Notes
    -----
    A *plateau* is a stretch of scores no two of which differ by more than the threshold. A *setback* runs from the
    best score so far until a score is that good again, and counts when one in between is worse by more than the
    threshold. *Time beyond the cutoff* draws a straight line between consecutive scores. The *first reliable
    improvement* compares with the first score.

    Examples
    --------
    >>> import polars as pl
    >>> scores = pl.DataFrame({"who": ["a"] * 9, "week": range(9), "phq": [20, 19, 21, 12, 11, 10, 17, 10, 9]})
    >>> courses = describe_courses(scores, client="who", time="week", score="phq", higher_is_better=False,
    ...     threshold=5.5, cutoff=10, unit="weeks")
    >>> [(setback.best, setback.depth, setback.regained_at) for setback in courses["a"].setbacks]
    [(10.0, 7.0, 7)]
    >>> print(courses["a"].sentence())
    Nine scores, from 20 to 9 (lower is better; up to 5.5 points is measurement error). Clearly better than at the
    start from week 3. One sudden gain: 9 points between week 2 and week 3 (more than half lost again later). One
    setback: 7 points below the best so far, worst at week 6, on one occasion only, regained at week 7. On the
    better side of the cutoff (10) for 12 % of the time.
    """
    noise, reference, reason = _noise(threshold, stated_norms(norms, sd, reliability), confidence)
    if consecutive < 1 or least_plateau < 2:
        raise ModelError("consecutive must be at least 1, and least_plateau at least 2.")
    rows = read_rows(frame, client=client, time=time, score=score)
    columns, kind = (client, time, score), backend_of(frame)

    options = SearchOptions(
        client=client,
        time=time,
        score=score,
        higher_is_better=higher_is_better,
        cutoff=math.inf if noise is None else noise,
        sessions=sessions,
        bridge_missed=bridge_missed,
        longest_gap=longest_gap,
    )
    observed = Observed.of(rows, higher_is_better=higher_is_better)
    limit = math.inf if noise is None else noise
    gains, losses = (search_rows(rows, options, direction, kind) for direction in ("gain", "loss"))
    falls = setbacks(observed, limit)
    flats = plateaus(observed, -math.inf if noise is None else noise, least=least_plateau)
    cut = None if cutoff is None or math.isnan(cutoff) else float(cutoff)
    parts = [
        _scores(rows, observed, client),
        _counts(rows, {"gains": gains.table, "losses": losses.table}, client),
        _counts(rows, {"plateaus": _named(flats, rows, client), "setbacks": _named(falls, rows, client)}, client),
        first_reliable(observed, limit, consecutive=consecutive),
        largest_drawdown(observed),
        _beyond(observed, cut, longest_gap, higher_is_better=higher_is_better),
    ]
    few = pl.when(pl.col("n") < 2).then(pl.lit("too_few_scores")).otherwise(pl.lit(reason, dtype=pl.String))
    table = pl.concat(parts, how="horizontal").with_columns(reason=few)
    return Courses(
        table=table,
        gains=gains,
        losses=losses,
        plateaus=_named(flats, rows, client),
        setbacks=_named(falls, rows, client),
        higher_is_better=higher_is_better,
        threshold=noise,
        cutoff=cut,
        norms=reference,
        unit=unit or rows.unit or "sessions",
        columns=columns,
        n=table.height,
        n_missing=int((table["n"] == 0).sum()),
        reason=reason,
        backend=kind,
    )


def _noise(threshold: float | None, norms: Norms, confidence: float) -> tuple[float | None, Norms, Reason | None]:
    if threshold is not None:
        if not threshold > 0:
            raise ModelError(
                f"threshold must be > 0, got {threshold:g}: the scale points that measurement error "
                "alone can produce."
            )
        return float(threshold), norms, None
    if norms.sem is None:
        raise ModelError(
            "describe_courses needs threshold= (scale points), or sd= and reliability= (or norms= with both): "
            "without them, change cannot be separated from measurement error."
        )
    if norms.sem == 0:
        return None, norms, "perfect_reliability" if norms.reliability == 1 else "zero_variance"
    return two_sided(confidence) * math.sqrt(2.0) * norms.sem, norms, None


def _scores(rows: Rows, observed: Observed, client: str) -> pl.DataFrame:
    """Count each client's scores, and pick the first, the last and the best."""
    at = np.arange(observed.scores.size)
    first, last = np.unique(observed.first), np.unique(observed.last)
    best = first_where(observed.better == running_best(observed)[observed.last], observed.codes)
    counted = (
        np.bincount(observed.codes, minlength=observed.people)
        if at.size
        else np.zeros(observed.people, dtype=np.int64)
    )
    all_rows = np.bincount(rows.codes, minlength=observed.people)
    made: dict[str, pl.Series] = {
        client: rows.clients,
        "n": pl.Series(counted, dtype=pl.Int64),
        "n_missed": pl.Series(all_rows - counted, dtype=pl.Int64),
    }
    for name, chosen in (("first", first), ("last", last), ("best", best)):
        made[name] = number_column(observed.per_client(chosen, observed.scores[chosen]))
        made[f"{name}_at"] = observed.client_time(chosen)
    return pl.DataFrame(made)


def _beyond(
    observed: Observed, cutoff: float | None, longest_gap: float | None, *, higher_is_better: bool
) -> pl.DataFrame:
    turned = math.nan if cutoff is None else cutoff if higher_is_better else -cutoff
    return time_beyond(observed, turned, tie_counts=False, longest_gap=longest_gap)


def _counts(rows: Rows, tables: dict[str, pl.DataFrame], client: str) -> pl.DataFrame:
    """Count rows per client."""
    people = pl.DataFrame({client: rows.clients})
    for name, table in tables.items():
        counts = table.group_by(client).agg(pl.len().cast(pl.Int64).alias(name))
        people = people.join(counts, on=client, how="left", maintain_order="left")
    return people.drop(client).with_columns(pl.col(list(tables)).fill_null(0))


def _named(table: pl.DataFrame, rows: Rows, client: str) -> pl.DataFrame:
    return table.with_columns(client=rows.clients.gather(table["client"])).rename({"client": client})


def _step(row: dict[str, Any]) -> SuddenStep:
    names = ("before", "after", "magnitude", "reversed", "bridged")
    return SuddenStep(**{name: row[name] for name in names})
