"""Search everybody's sessions for sudden gains, or for sudden losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import two_sided
from mbc.models.change.inputs.norms import NormLike, Norms, stated_norms
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import Backend, FloatArray
from mbc.models.courses import suddengains_package as package
from mbc.models.courses.chance import by_chance
from mbc.models.courses.criteria import UNKNOWN, YES, Criteria, Verdicts, judge, steps, windows
from mbc.models.courses.gain_quantities import AROUND, Reversal, gains_table, total_change
from mbc.models.courses.gains import Kind, SuddenGains
from mbc.models.courses.sessions import Rows, Sessions, Spacing, as_elapsed, lay_out, read_rows

Compat = Literal["suddengains"]


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked: see :func:`mbc.models.sudden_gains`."""

    kind: Kind
    columns: tuple[str, str, str]
    higher_is_better: bool
    cutoff: float | None = None
    sd: float | None = None
    reliability: float | None = None
    norms: NormLike | Mapping[str, object] | None = None
    confidence: float = 0.95
    criteria: tuple[int, ...] = (1, 2, 3)
    proportion: float | None = 0.25
    alpha: float = 0.05
    critical: float | None = None
    zero: float = 0.0
    sessions: Spacing = "auto"
    bridge: bool = False
    longest_gap: float | None = None
    within: tuple[object, object] | None = None
    start: object = None
    end: object = None
    reversal: float = 0.5
    half_counts: bool = False
    permutations: int = 0
    seed: int = 0
    baseline: bool = False
    compat: Compat | None = None

    @property
    def sign(self) -> float:
        """1 if the step looked for is a drop, -1 if it is a rise."""
        return 1.0 if (self.kind == "gain") != self.higher_is_better else -1.0


def search(data: object, asked: Search) -> SuddenGains:
    """Read a table and search it."""
    who, when, score = asked.columns
    return search_rows(read_rows(data, client=who, time=when, score=score), asked, backend_of(data))


def search_rows(everything: Rows, asked: Search, backend: Backend = "polars") -> SuddenGains:
    """Lay out, judge every step, and describe those that are gains."""
    _check(asked)
    who = asked.columns[0]
    rows = _within(everything, asked)
    sessions = lay_out(rows, spacing="columns" if asked.compat else asked.sessions, bridge=asked.bridge)
    norms, notes = _norms(asked, rows)
    criteria, reason = _criteria(asked, norms)
    cells = steps(sessions)
    around = windows(sessions.scores, cells)
    verdicts = _near(judge(around, cells, criteria, sign=asked.sign), sessions, asked)
    if reason is not None:
        verdicts = replace(verdicts, together=np.full(cells.size, UNKNOWN, dtype=np.int8))
    judged = verdicts.together != UNKNOWN
    found = cells[verdicts.together == YES]
    seen = np.bincount(sessions.client[cells[judged]], minlength=sessions.lengths.size)
    return SuddenGains(
        table=_named(_table(everything, rows, sessions, found, asked), asked),
        steps=_named(_steps(rows, sessions, verdicts, asked), asked),
        clients=pl.DataFrame({who: rows.clients}),
        around=pl.DataFrame({name: sessions.elapsed[found + k - 2] for k, name in enumerate(AROUND)}),
        kind=asked.kind,
        criteria=criteria,
        higher_is_better=asked.higher_is_better,
        sessions=sessions.spacing,
        bridged=asked.bridge,
        norms=norms,
        columns=asked.columns,
        n=sessions.lengths.size,
        n_missing=int((seen == 0).sum()),
        n_steps=int(np.maximum(sessions.lengths - 1, 0).sum()),
        n_examined=cells.size,
        n_judged=int(judged.sum()),
        n_dropped=rows.n_dropped,
        chance=_chance(sessions, criteria, asked, found.size) if reason is None else None,
        compat=asked.compat,
        notes=(*notes, *_spacing_note(sessions, asked)),
        reason=reason if reason is not None else (None if judged.any() else "too_few_scores"),
        backend=backend,
        method="R package suddengains 0.7.2" if asked.compat else "Tang & DeRubeis (1999)",
    )


def _check(asked: Search) -> None:
    if not isinstance(cast("Any", asked.higher_is_better), bool):
        raise ModelError("higher_is_better must be True or False.")
    if not asked.criteria or not set(asked.criteria) <= {1, 2, 3}:
        raise ModelError(f"criteria must be some of 1, 2 and 3, got {asked.criteria!r}.")
    if asked.compat is None and 2 in asked.criteria and not (asked.proportion or 0.0) > 0:
        raise ModelError(
            f"proportion must be > 0, got {asked.proportion}: 0.25 asks for a quarter of the score before. "
            "To do without it, leave 2 out of criteria."
        )
    if not 0.0 < asked.alpha < 1.0:
        raise ModelError(f"alpha must be in (0, 1), got {asked.alpha:g}. Is it a percentage?")
    if not asked.reversal > 0:
        raise ModelError(f"reversal must be > 0, got {asked.reversal:g}: the share of a gain that is given back.")
    if asked.compat is not None:
        package.check(asked.compat, higher_is_better=asked.higher_is_better, bridge=asked.bridge)


def _within(rows: Rows, asked: Search) -> Rows:
    if asked.within is None:
        return rows
    low, high = (as_elapsed(one, rows, "within") for one in asked.within)
    return rows.take((rows.elapsed >= low) & (rows.elapsed <= high))


def _norms(asked: Search, rows: Rows) -> tuple[Norms, tuple[str, ...]]:
    norms = stated_norms(asked.norms, asked.sd, asked.reliability)
    if 1 not in asked.criteria or asked.cutoff is not None:
        return norms, ()
    if norms.reliability is None:
        raise ModelError(
            "Criterion 1 needs cutoff= (scale points), or sd= and reliability= (or norms= with both). "
            "To do without it, leave 1 out of criteria."
        )
    if norms.sd is not None:
        return norms, ()
    known = np.flatnonzero(np.isfinite(rows.scores))
    first = rows.scores[known[np.flatnonzero(np.diff(rows.codes[known], prepend=-1))]]
    if first.size < 2:
        raise ModelError("Criterion 1 needs sd=: it cannot be computed from fewer than two clients' first scores.")
    spread = Norms(sd=float(first.std(ddof=1)), n=first.size, sample=f"first scores of {first.size} clients")
    return norms.filled_from(spread), (f"sd computed from the first scores of {first.size} clients.",)


def _criteria(asked: Search, norms: Norms) -> tuple[Criteria, Reason | None]:
    cutoff = asked.cutoff
    if 1 not in asked.criteria:
        cutoff = None
    elif cutoff is None:
        z = package.Z if asked.compat else two_sided(asked.confidence)
        cutoff = z * math.sqrt(2.0) * (norms.sem or 0.0)
    elif asked.compat:
        cutoff = package.cutoff(cutoff, asked.kind)
    elif not cutoff > 0:
        raise ModelError(f"cutoff must be > 0, got {cutoff:g}: the size of a step in scale points.")
    made = Criteria(
        applied=tuple(sorted(set(asked.criteria))),
        cutoff=cutoff,
        proportion=asked.proportion if 2 in asked.criteria else None,
        critical=asked.critical,
        alpha=asked.alpha,
        zero=asked.zero,
        literal=asked.compat is not None,
    )
    if asked.compat is None and cutoff == 0:
        return made, "perfect_reliability" if norms.reliability == 1 else "zero_variance"
    return made, None


def _near(verdicts: Verdicts, sessions: Sessions, asked: Search) -> Verdicts:
    """Leave steps over too long a gap unjudged."""
    if asked.longest_gap is None:
        return verdicts
    gap = sessions.elapsed[verdicts.cells + 1] - sessions.elapsed[verdicts.cells]
    together = np.where(gap > asked.longest_gap, UNKNOWN, verdicts.together).astype(np.int8)
    return replace(verdicts, together=together)


def _table(everything: Rows, rows: Rows, sessions: Sessions, found: Any, asked: Search) -> pl.DataFrame:
    start, end = (
        None if one is None else as_elapsed(one, everything, "start") for one in (asked.start, asked.end)
    )
    if asked.compat:
        ends = package.ends(rows, (start, end))
        total = total_change(everything, sessions, sign=1.0, ends=ends)
        return package.table(rows, sessions, found, total, asked.columns[2], asked.kind, baseline=asked.baseline)
    kept = everything if start is not None or end is not None else rows
    total = total_change(kept, sessions, sign=asked.sign, ends=(start, end))
    rule = Reversal(asked.reversal, asked.half_counts)
    return gains_table(rows, sessions, found, total, rule, sign=asked.sign)


def _steps(rows: Rows, sessions: Sessions, verdicts: Verdicts, asked: Search) -> pl.DataFrame:
    cells = verdicts.cells
    words = pl.Series([False, True, None], dtype=pl.Boolean)
    place = pl.Series(sessions.place[cells] + (0 if asked.baseline else 1), dtype=pl.Int64)
    times = rows.table["time"]
    made: dict[str, pl.Series] = {
        "client": rows.clients.gather(pl.Series(sessions.client[cells])),
        "session": place,
        "before": _at(times, sessions.row[cells]),
        "after": _at(times, sessions.row[cells + 1]),
    }
    made |= {f"criterion_{k}": words.gather(pl.Series(codes % 3)) for k, codes in verdicts.met.items()}
    made["gain" if asked.kind == "gain" else "loss"] = words.gather(pl.Series(verdicts.together % 3))
    return pl.DataFrame(made)


def _at(times: pl.Series, rows: Any) -> pl.Series:
    return times.gather(pl.Series(rows).replace(-1, None))


def _named(table: pl.DataFrame, asked: Search) -> pl.DataFrame:
    who = asked.columns[0]
    return table if who in table.columns else table.rename({"client": who})


def _chance(sessions: Sessions, criteria: Criteria, asked: Search, observed: int) -> Any:
    if not asked.permutations:
        return None
    cells = steps(sessions)

    def count(scores: FloatArray) -> int:
        made = _near(judge(windows(scores, cells), cells, criteria, sign=asked.sign), sessions, asked)
        return int(np.count_nonzero(made.together == YES))

    return by_chance(sessions, count, observed=observed, permutations=asked.permutations, seed=asked.seed)


def _spacing_note(sessions: Sessions, asked: Search) -> tuple[str, ...]:
    if asked.sessions != "auto" or asked.compat or sessions.spacing != "rows":
        return ()
    return (
        "Every row of a client was taken as the next session; a row that is not there cannot count as missed.",
    )


def backend_of(data: object) -> Backend:
    """Name the kind of table that came in."""
    frame = nw.from_native(cast("Any", data))
    if isinstance(frame, nw.LazyFrame):
        return "polars"
    if frame.implementation.is_pandas_like():
        return "pandas"
    return "pyarrow" if frame.implementation.is_pyarrow() else "polars"
