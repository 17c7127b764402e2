"""How do everybody's sessions lie beside each other: one long array in which neighbours are neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.inputs.tidy_frames import read_columns, refuse_nobody, with_finite_scores

IntArray = NDArray[np.int64]
Spacing = Literal["auto", "numbers", "rows"]
Clock = Callable[[IntArray, IntArray], FloatArray]  # clients, sessions -> times
PAD = 3  # empty cells between clients: no window of three sessions reaches into the next client
_MICROSECONDS = 86_400e6  # a day
_MOST_CELLS = 100  # cells per row; more means that the numbers count days, not sessions


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Scores in long form, sorted by client and time; a missed session's score is NaN."""

    table: pl.DataFrame  # client, time
    scores: FloatArray  # shape (n_rows,)
    elapsed: FloatArray  # time as a number; days for dates
    codes: IntArray  # the client's place in ``clients``
    clients: pl.Series
    unit: str  # "days" where time is a date, else ""
    n_dropped: int  # rows without a client or a time

    def take(self, kept: NDArray[np.bool_]) -> Rows:
        """Keep some rows; every client stays known."""
        if kept.all():
            return self
        table = self.table.filter(pl.Series(kept))
        return Rows(
            table,
            self.scores[kept],
            self.elapsed[kept],
            self.codes[kept],
            self.clients,
            self.unit,
            self.n_dropped,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """One cell per session of every client, clients one after the other with empty cells between."""

    scores: FloatArray  # shape (n_cells,); NaN: missed, or between clients
    client: IntArray  # place of the client, -1 between clients
    place: IntArray  # session of that client, from 0; -1 between clients
    row: IntArray  # row of Rows, -1 where there is none
    elapsed: FloatArray  # time of the session as a number, known for missed ones too; NaN between clients
    skipped: IntArray  # missed sessions just before this one that were bridged
    starts: IntArray  # each client's first cell, shape (n_clients,)
    lengths: IntArray  # each client's sessions
    spacing: str  # "numbers", "rows" or "columns"


def read_rows(data: object, *, client: str, time: str, score: str, count_nobody: bool = False) -> Rows:
    """Read scores in long form.

    Parameters
    ----------
    data : frame
        One row per client and occasion: pandas, polars, pyarrow, duckdb, pyspark. A row without a score is a
        missed session.
    client, time, score : str
        Its columns; time contains dates or numbers, score contains scale points.
    count_nobody : bool
        Rows without a client are left out and counted; otherwise they are refused.

    Raises
    ------
    ModelError
        If a column is missing or of the wrong kind, or a client has two rows at one time.
    """
    rows = read_columns(data, {"client": client, "time": time, "score": score})
    if not count_nobody:
        refuse_nobody(rows, "client", client)
    rows, unit = _typed(rows, time, score)
    n_all = rows.height
    rows = rows.drop_nulls(["client", "time"]) if rows["client"].null_count() + rows["time"].null_count() else rows
    elapsed, codes, clients = _counted(rows)
    if not _in_order(codes, elapsed, clients):
        rows = _sorted(rows)
        elapsed, codes, clients = _counted(rows)
    _refuse_repeats(rows, codes, elapsed, (client, time))
    scores = np.asarray(rows["score"].fill_null(float("nan")).to_numpy(), dtype=float)
    if np.isinf(scores).any():
        scores = np.where(np.isinf(scores), np.nan, scores)
    return Rows(rows.select("client", "time"), scores, elapsed, codes, clients, unit, n_all - rows.height)


def lay_out(
    rows: Rows, *, spacing: Spacing | Literal["columns"] = "auto", bridge_missed: bool = False
) -> Sessions:
    """Give every session its cell.

    Parameters
    ----------
    rows : Rows
    spacing : {"auto", "numbers", "rows", "columns"}
        ``numbers``: time counts sessions, in steps of the greatest common divisor of a client's steps, and a
        number that a client lacks is a missed session; ``rows``: every row of a client is the next session;
        ``columns``: the distinct times of all clients are everybody's sessions, as in a wide table; ``auto``:
        ``numbers`` if times are whole numbers of which clients have at least half, else ``rows``.
    bridge_missed : bool
        Leave missed sessions out, so that the scores on either side become neighbours.
    """
    firsts = _firsts(rows.codes, rows.clients.len())
    place, clock, used = _places(rows, firsts, spacing)
    kept = np.isfinite(rows.scores) if bridge_missed else np.ones(rows.scores.size, dtype=bool)
    row = np.flatnonzero(kept)
    codes, number = rows.codes[row], place[row]
    skipped = np.zeros(row.size, dtype=np.int64)
    if bridge_missed:
        inside = np.flatnonzero(codes[1:] == codes[:-1]) + 1
        skipped[inside] = number[inside] - number[inside - 1] - 1
        number = np.arange(row.size) - _firsts(codes, rows.clients.len())[codes]
    lengths = np.zeros(rows.clients.len(), dtype=np.int64)
    if used == "columns":
        lengths[:] = int(number.max(initial=-1)) + 1
    else:
        np.maximum.at(lengths, codes, number + 1)
    return _filled(rows, (row, codes, number, skipped), lengths, clock, used)


def _filled(
    rows: Rows, at: tuple[IntArray, IntArray, IntArray, IntArray], lengths: IntArray, clock: Clock, used: str
) -> Sessions:
    row, codes, number, skipped = at
    _refuse_sparse(int(lengths.sum()), rows.scores.size)
    starts = PAD + np.concatenate([[0], np.cumsum(lengths + PAD)[:-1]]).astype(np.int64)[: lengths.size]
    size = PAD + int((lengths + PAD).sum())
    cell = starts[codes] + number
    made: dict[str, Any] = {
        "scores": np.full(size, np.nan),
        "elapsed": np.full(size, np.nan),
        "row": np.full(size, -1, dtype=np.int64),
        "skipped": np.zeros(size, dtype=np.int64),
        "client": np.full(size, -1, dtype=np.int64),
        "place": np.full(size, -1, dtype=np.int64),
    }
    made["scores"][cell], made["row"][cell], made["skipped"][cell] = rows.scores[row], row, skipped
    every = np.repeat(np.arange(lengths.size), lengths)
    step = np.arange(every.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    inside = starts[every] + step
    made["client"][inside], made["place"][inside] = every, step
    made["elapsed"][inside] = clock(every, step)
    made["elapsed"][cell] = rows.elapsed[row]
    return Sessions(**made, starts=starts, lengths=lengths, spacing=used)


def _places(rows: Rows, firsts: IntArray, spacing: str) -> tuple[IntArray, Clock, str]:
    """Give each row's session, how a session's time follows from it, and how that was decided."""
    if spacing not in {"auto", "numbers", "rows", "columns"}:
        raise ModelError(f"sessions must be 'auto', 'numbers' or 'rows', got {spacing!r}.")
    in_row = np.arange(rows.codes.size) - firsts[rows.codes] if rows.codes.size else rows.codes
    if spacing == "rows" or (spacing == "auto" and not _are_whole_numbers(rows)):
        return in_row, _unknown, "rows"
    if spacing == "columns":
        times, place = np.unique(rows.elapsed, return_inverse=True)
        return place.astype(np.int64), lambda _, session: times[session], "columns"
    if not _are_whole_numbers(rows):
        raise ModelError("sessions='numbers' needs whole numbers as time; these are dates or fractions.")
    since = (rows.elapsed - rows.elapsed[firsts[rows.codes]]).astype(np.int64)
    step = max(1, int(np.gcd.reduce(since)) if since.size else 1)
    number = since // step
    lasts = np.zeros(rows.clients.len(), dtype=np.int64)
    np.maximum.at(lasts, rows.codes, number + 1)
    if spacing == "auto" and number.size < lasts.sum() / 2:
        return in_row, _unknown, "rows"
    return number, lambda person, session: rows.elapsed[firsts[person]] + step * session, "numbers"


def _unknown(people: IntArray, _sessions: IntArray) -> FloatArray:
    """Row by row every session has its own time."""
    return np.full(people.size, np.nan)


def _are_whole_numbers(rows: Rows) -> bool:
    return rows.unit == "" and bool((rows.elapsed == np.floor(rows.elapsed)).all())


def _firsts(codes: IntArray, people: int) -> IntArray:
    """Row of each client's first score; codes are sorted."""
    return np.searchsorted(codes, np.arange(people)).astype(np.int64)


def _counted(rows: pl.DataFrame) -> tuple[FloatArray, IntArray, pl.Series]:
    ids = rows["client"]
    codes = np.asarray(ids.rle_id().to_numpy(), dtype=np.int64)
    opens = np.flatnonzero(np.diff(codes, prepend=-1))
    return _as_numbers(rows["time"]), codes, ids.gather(cast("Any", opens))


def _in_order(codes: IntArray, elapsed: FloatArray, clients: pl.Series) -> bool:
    same = codes[1:] == codes[:-1]
    return bool((np.diff(elapsed)[same] >= 0).all()) and bool(clients.is_sorted())


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort by client and time: whole numbers in their stead sort several times faster than texts do."""
    ids = rows["client"].unique().sort()
    codes = pl.DataFrame({"client": ids, "code": pl.Series(np.arange(ids.len()), dtype=pl.Int64)})
    code = rows.select("client").join(codes, on="client", how="left", maintain_order="left")["code"]
    times, rank = np.unique(_as_numbers(rows["time"]), return_inverse=True)
    key = np.asarray(code.to_numpy(), dtype=np.int64) * times.size + rank
    return rows[pl.Series(key).arg_sort()]


def _typed(rows: pl.DataFrame, time: str, score: str) -> tuple[pl.DataFrame, str]:
    kind = rows["time"].dtype
    if not (kind.is_numeric() or kind == pl.Null or (kind.is_temporal() and kind != pl.Time)):
        raise ModelError(
            f"Column '{time}' must contain dates or numbers, got {kind}. Convert it: text sorts '10' before '2'."
        )
    rows = with_finite_scores(rows, score)
    columns: list[pl.Expr] = []
    if kind.is_float():
        columns.append(pl.col("time").fill_nan(None))
    return rows.with_columns(columns), "" if kind.is_numeric() else "days"


def _as_numbers(times: pl.Series) -> FloatArray:
    if times.dtype == pl.Datetime:
        return np.asarray(times.dt.timestamp("us").cast(pl.Float64).to_numpy(), dtype=float) / _MICROSECONDS
    if times.dtype == pl.Duration:
        return np.asarray(times.dt.total_microseconds().cast(pl.Float64).to_numpy(), dtype=float) / _MICROSECONDS
    physical = times.to_physical() if times.dtype == pl.Date else times
    return np.asarray(physical.cast(pl.Float64).to_numpy(), dtype=float)


def _refuse_repeats(rows: pl.DataFrame, codes: IntArray, elapsed: FloatArray, names: tuple[str, str]) -> None:
    again = np.flatnonzero((np.diff(codes) == 0) & (np.diff(elapsed) == 0))
    if again.size:
        first = rows.row(int(again[0]))
        raise ModelError(
            f"{again.size} rows repeat a '{names[0]}' and '{names[1]}', the first {first[0]} at {first[1]}. "
            "Keep one score per client and time."
        )


def _refuse_sparse(cells: int, rows: int) -> None:
    if cells > _MOST_CELLS * max(rows, 100):
        raise ModelError(
            f"{rows} rows would span {cells} sessions: the times look like days, not session numbers. "
            "Use sessions='rows'."
        )


def as_elapsed(value: object, rows: Rows, name: str) -> float:
    """Read a time as the caller writes it."""
    try:
        return float(_as_numbers(pl.Series([value]).cast(rows.table["time"].dtype))[0])
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        kind = rows.table["time"].dtype
        raise ModelError(f"{name} must be a time like those of the table ({kind}), got {value!r}.") from error
