"""Search everybody's sessions for sudden gains, or for sudden losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, cast

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import two_sided
from mbc.models.change.inputs.norms import NormLike, Norms, stated_norms
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import (
    FloatArray,
)
from mbc.models.courses import suddengains_package as package
from mbc.models.courses.chance import by_chance
from mbc.models.courses.criteria import UNKNOWN, YES, Criteria, Verdicts, judge, steps, windows
from mbc.models.courses.gain_quantities import AROUND, Reversal, gains_table, total_change
from mbc.models.courses.gains import Kind, SuddenGains
from mbc.models.courses.sessions import PAD, IntArray, Rows, Sessions, Spacing, as_elapsed, lay_out, read_rows
from mbc.models.results.tables import Backend

Compat = Literal["suddengains"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """The parameters of `mbc.models.sudden_gains` and `mbc.models.sudden_losses`, described there."""

    client: str
    time: str
    score: str
    higher_is_better: bool
    cutoff: float | None = None
    sd: float | None = None
    reliability: float | None = None
    norms: NormLike | Mapping[str, object] | None = None
    confidence: float = 0.95
    criteria: tuple[int, ...] = (1, 2, 3)
    proportion: float = 0.25
    alpha: float = 0.05
    critical: float | None = None
    scale_origin: float = 0.0
    sessions: Spacing = "auto"
    bridge_missed: bool = False
    longest_gap: float | None = None
    search_window: tuple[Any, Any] | None = None
    start: Any = None
    end: Any = None
    reversal: float = 0.5
    reversal_inclusive: bool = False
    permutations: int = 0
    seed: int = 0
    first_is_baseline: bool = False
    compat: Compat | None = None

    @property
    def columns(self) -> tuple[str, str, str]:
        """Client, time and score, as the table calls them."""
        return self.client, self.time, self.score


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(SearchOptions):
    """Options together with the direction that is searched."""

    kind: Kind

    @classmethod
    def of(cls, options: SearchOptions, kind: Kind) -> Search:
        """Search for gains or for losses."""
        return cls(**{field.name: getattr(options, field.name) for field in fields(SearchOptions)}, kind=kind)

    @property
    def sign(self) -> float:
        """1 if the step looked for is a drop, -1 if it is a rise."""
        return 1.0 if (self.kind == "gain") != self.higher_is_better else -1.0


def search(data: object, options: SearchOptions, kind: Kind) -> SuddenGains:
    """Read a table and search it."""
    rows = read_rows(data, client=options.client, time=options.time, score=options.score, count_nobody=True)
    return search_rows(rows, options, kind, backend_of(data))


def search_rows(all_rows: Rows, options: SearchOptions, kind: Kind, backend: Backend = "polars") -> SuddenGains:
    """Lay out, judge every step, and describe those that are gains."""
    request = Search.of(options, kind)
    _check(request)
    who = request.columns[0]
    rows = _searched(all_rows, request)
    sessions = lay_out(
        rows, spacing="columns" if request.compat else request.sessions, bridge_missed=request.bridge_missed
    )
    norms, notes = _norms(request, rows)
    criteria, reason = _criteria(request, norms)
    cells = steps(sessions)
    around = windows(sessions.scores, cells)
    verdicts = _near(judge(around, cells, criteria, sign=request.sign), sessions, request)
    if reason is not None:
        verdicts = replace(verdicts, together=np.full(cells.size, UNKNOWN, dtype=np.int8))
    judged = verdicts.together != UNKNOWN
    gain_cells = cells[verdicts.together == YES]
    judged_counts = np.bincount(sessions.client[cells[judged]], minlength=sessions.lengths.size)
    return SuddenGains(
        table=_named(_table(all_rows, rows, sessions, gain_cells, request), request),
        steps=_named(_steps(rows, sessions, verdicts, request), request),
        clients=pl.DataFrame({who: rows.clients}),
        around=pl.DataFrame({name: sessions.elapsed[gain_cells + k - 2] for k, name in enumerate(AROUND)}),
        kind=request.kind,
        criteria=criteria,
        higher_is_better=request.higher_is_better,
        sessions=sessions.spacing,
        bridged=request.bridge_missed,
        norms=norms,
        columns=request.columns,
        n=sessions.lengths.size,
        n_missing=int((judged_counts == 0).sum()),
        n_steps=int(np.maximum(sessions.lengths - 1, 0).sum()),
        n_examined=cells.size,
        n_judged=int(judged.sum()),
        n_dropped=rows.n_dropped,
        chance=_chance(sessions, criteria, request, gain_cells.size) if reason is None else None,
        compat=request.compat,
        notes=(*notes, *_spacing_note(sessions, request)),
        reason=reason if reason is not None else (None if judged.any() else "too_few_scores"),
        backend=backend,
        method="R package suddengains 0.7.2" if request.compat else "Tang & DeRubeis (1999)",
    )


def search_scores(
    scores: FloatArray, kind: Kind, *, higher_is_better: bool, cutoff: float, scale_origin: float = 0.0
) -> tuple[IntArray, FloatArray]:
    """Search the scores of one client, one per session: for callers that have them at hand and need no table.

    Parameters
    ----------
    scores : ndarray, shape (k,)
        In order of sessions; none is missing.
    kind : {"gain", "loss"}
    higher_is_better, cutoff, scale_origin
        As for `mbc.models.sudden_gains`; everything else has the values that it has there unless given.

    Returns
    -------
    before : ndarray of int, shape (g,)
        The session before each step, from 0.
    sizes : ndarray, shape (g,)
        Scale points, in the direction of the step.

    Raises
    ------
    ModelError
        If the cutoff is not above 0.
    """
    request = Search(
        client="",  # there is no table
        time="",
        score="",
        higher_is_better=higher_is_better,
        cutoff=cutoff,
        scale_origin=scale_origin,
        kind=kind,
    )
    _check(request)
    criteria, _ = _criteria(request, Norms())
    apart = np.full(PAD, np.nan)
    cells = np.arange(1, scores.size - 2, dtype=np.int64) + PAD
    around = windows(np.concatenate([apart, scores, apart]), cells)
    gains = judge(around, cells, criteria, sign=request.sign).together == YES
    return cells[gains] - PAD, request.sign * (around[2] - around[3])[gains]


def _check(request: Search) -> None:
    if not isinstance(cast("Any", request.higher_is_better), bool):
        raise ModelError("higher_is_better must be True or False.")
    if not request.criteria or not set(request.criteria) <= {1, 2, 3}:
        raise ModelError(f"criteria must be some of 1, 2 and 3, got {request.criteria!r}.")
    if request.compat is None and 2 in request.criteria and not (request.proportion or 0.0) > 0:
        raise ModelError(
            f"proportion must be > 0, got {request.proportion}: 0.25 requires a quarter of the previous score. "
            "To omit this criterion, leave 2 out of criteria."
        )
    if not 0.0 < request.alpha < 1.0:
        raise ModelError(f"alpha must be in (0, 1), got {request.alpha:g}. Is it a percentage?")
    if not request.reversal > 0:
        raise ModelError(
            f"reversal must be > 0, got {request.reversal:g}: the proportion of a gain that is lost again."
        )
    if request.compat is not None:
        package.check(
            request.compat, higher_is_better=request.higher_is_better, bridge_missed=request.bridge_missed
        )


def _searched(rows: Rows, request: Search) -> Rows:
    if request.search_window is None:
        return rows
    low, high = (as_elapsed(time, rows, "search_window") for time in request.search_window)
    return rows.take((rows.elapsed >= low) & (rows.elapsed <= high))


def _norms(request: Search, rows: Rows) -> tuple[Norms, tuple[str, ...]]:
    norms = stated_norms(request.norms, request.sd, request.reliability)
    if 1 not in request.criteria or request.cutoff is not None:
        return norms, ()
    if norms.reliability is None:
        raise ModelError(
            "Criterion 1 needs cutoff= (scale points), or sd= and reliability= (or norms= with both). "
            "To omit this criterion, leave 1 out of criteria."
        )
    if norms.sd is not None:
        return norms, ()
    finite = np.flatnonzero(np.isfinite(rows.scores))
    first = rows.scores[finite[np.flatnonzero(np.diff(rows.codes[finite], prepend=-1))]]
    if first.size < 2:
        raise ModelError("Criterion 1 needs sd=: it cannot be computed from fewer than two clients' first scores.")
    spread = Norms(sd=float(first.std(ddof=1)), n=first.size, sample=f"first scores of {first.size} clients")
    return norms.filled_from(spread), (f"sd computed from the first scores of {first.size} clients.",)


def _criteria(request: Search, norms: Norms) -> tuple[Criteria, Reason | None]:
    cutoff = request.cutoff
    if 1 not in request.criteria:
        cutoff = None
    elif cutoff is None:
        z = package.Z if request.compat else two_sided(request.confidence)
        cutoff = z * math.sqrt(2.0) * (norms.sem or 0.0)
    elif request.compat:
        cutoff = package.cutoff(cutoff, request.kind)
    elif not cutoff > 0:
        raise ModelError(f"cutoff must be > 0, got {cutoff:g}: the size of a step in scale points.")
    made = Criteria(
        applied=tuple(sorted(set(request.criteria))),
        cutoff=cutoff,
        proportion=request.proportion if 2 in request.criteria else None,
        critical=request.critical,
        alpha=request.alpha,
        scale_origin=request.scale_origin,
        literal=request.compat is not None,
    )
    if request.compat is None and cutoff == 0:
        return made, "perfect_reliability" if norms.reliability == 1 else "zero_variance"
    return made, None


def _near(verdicts: Verdicts, sessions: Sessions, request: Search) -> Verdicts:
    """Leave steps over too long a gap unjudged."""
    if request.longest_gap is None:
        return verdicts
    gap = sessions.elapsed[verdicts.cells + 1] - sessions.elapsed[verdicts.cells]
    together = np.where(gap > request.longest_gap, UNKNOWN, verdicts.together).astype(np.int8)
    return replace(verdicts, together=together)


def _table(all_rows: Rows, rows: Rows, sessions: Sessions, gain_cells: Any, request: Search) -> pl.DataFrame:
    start, end = (
        None if time is None else as_elapsed(time, all_rows, "start") for time in (request.start, request.end)
    )
    if request.compat:
        ends = package.ends(rows, (start, end))
        total = total_change(all_rows, sessions, sign=1.0, ends=ends)
        return package.table(
            rows,
            sessions,
            gain_cells,
            total,
            request.columns[2],
            request.kind,
            first_is_baseline=request.first_is_baseline,
        )
    kept = all_rows if start is not None or end is not None else rows
    total = total_change(kept, sessions, sign=request.sign, ends=(start, end))
    rule = Reversal(request.reversal, request.reversal_inclusive)
    return gains_table(rows, sessions, gain_cells, total, rule, sign=request.sign)


def _steps(rows: Rows, sessions: Sessions, verdicts: Verdicts, request: Search) -> pl.DataFrame:
    cells = verdicts.cells
    words = pl.Series([False, True, None], dtype=pl.Boolean)
    place = pl.Series(sessions.place[cells] + (0 if request.first_is_baseline else 1), dtype=pl.Int64)
    times = rows.table["time"]
    made: dict[str, pl.Series] = {
        "client": rows.clients.gather(pl.Series(sessions.client[cells])),
        "session": place,
        "before": _at(times, sessions.row[cells]),
        "after": _at(times, sessions.row[cells + 1]),
    }
    made |= {f"criterion_{k}": words.gather(pl.Series(codes % 3)) for k, codes in verdicts.results.items()}
    made["gain" if request.kind == "gain" else "loss"] = words.gather(pl.Series(verdicts.together % 3))
    return pl.DataFrame(made)


def _at(times: pl.Series, rows: Any) -> pl.Series:
    return times.gather(pl.Series(rows).replace(-1, None))


def _named(table: pl.DataFrame, request: Search) -> pl.DataFrame:
    who = request.columns[0]
    return table if who in table.columns else table.rename({"client": who})


def _chance(sessions: Sessions, criteria: Criteria, request: Search, observed: int) -> Any:
    if not request.permutations:
        return None
    cells = steps(sessions)

    def count(scores: FloatArray) -> int:
        made = _near(judge(windows(scores, cells), cells, criteria, sign=request.sign), sessions, request)
        return int(np.count_nonzero(made.together == YES))

    return by_chance(sessions, count, observed=observed, permutations=request.permutations, seed=request.seed)


def _spacing_note(sessions: Sessions, request: Search) -> tuple[str, ...]:
    if request.sessions != "auto" or request.compat or sessions.spacing != "rows":
        return ()
    return ("Every row of a client was treated as the next session; an absent row cannot count as missed.",)


def backend_of(data: object) -> Backend:
    """Name the kind of table that came in."""
    frame = nw.from_native(cast("Any", data))
    if isinstance(frame, nw.LazyFrame):
        return "polars"
    if frame.implementation.is_pandas_like():
        return "pandas"
    return "pyarrow" if frame.implementation.is_pyarrow() else "polars"
