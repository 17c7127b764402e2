"""Who was asked, when and about whom: the columns that every layout has besides its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import polars as pl

from mbc.errors import ImportRefused, StoreError
from mbc.exchange.cells.dates import Moment, Order, order_of, read_moment
from mbc.exchange.cells.identifiers import client_identifier, exact_identifier, identifier
from mbc.exchange.cells.text import REASON, blank_out, by_text, faults, no_faults
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.columns import ROLES, Columns
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.rows.entered_in_error import rows_in_error

# One row per record of the file with its occasion; what cannot be read is null and a fault.
OCCASION: dict[str, pl.DataType] = {
    "client_id": pl.String(),
    "clinician_id": pl.String(),
    "taken_on": pl.Date(),
    "taken_at": pl.Datetime("us", "UTC"),
    "date_text": pl.String(),
    "session_number": pl.Int64(),
    "informant": pl.String(),
    "target": pl.String(),
    "form": pl.String(),
    "coding": pl.String(),
    "episode_id": pl.String(),
    "version": pl.String(),
}
MOST_SESSIONS = 100_000


@dataclass(frozen=True, slots=True)
class Occasions:
    """The occasion of each record, the faults found, and the decisions made."""

    frame: pl.DataFrame
    faults: pl.DataFrame
    notes: tuple[str, ...]
    orders: Mapping[str, Order]
    """Header of a date column -> whether day or month comes first in it."""


def read_occasions(columns: Columns, options: ImportOptions) -> Occasions:
    """Read client, date, session, informant, target, form, coding and clinician of each record."""
    columns = _without_missing(columns, options)
    cells = columns.table.frame
    columns.need_all(["client_id"] if columns.find("taken_at") else ["client_id", "taken_on"])
    rows = cells[ROW]
    days, day_faults, notes, orders = _days(columns, options)
    read: list[pl.Series] = [rows, *days]
    all_faults = [day_faults]
    for name, reader, dtype in _READERS:
        header = columns.find(name)
        if header is None:
            read.append(pl.repeat(None, len(cells), dtype=dtype, eager=True).alias(name))
            continue
        if options.exact_identifiers and reader in {client_identifier, identifier}:
            reader = exact_identifier  # noqa: PLW2901 - a record names its own people
        values, reasons = by_text(cells[header], _saying(header, reader), dtype=dtype)
        read.append(values.alias(name))
        all_faults.append(faults(rows, reasons))
    frame = pl.DataFrame(read).select(ROW, *OCCASION)
    blank_client = cells[columns.need("client_id")].is_null()
    all_faults.append(_absent(rows, blank_client, "the client is blank"))
    all_faults.append(rows_in_error(columns))
    frame = frame.with_columns(pl.col("informant").fill_null("client"))
    return Occasions(frame, pl.concat(all_faults), notes, orders)


def _without_missing(columns: Columns, options: ImportOptions) -> Columns:
    """Make what the user calls missing blank here too: R writes NA for a session that is not known."""
    if not options.blank:
        return columns
    headers = {header for name in OCCASION if name in ROLES and (header := columns.find(name)) is not None}
    frame = blank_out(columns.table.frame, headers, options.blank)
    return Columns(replace(columns.table, frame=frame), columns.given)


def _days(
    columns: Columns, options: ImportOptions
) -> tuple[list[pl.Series], pl.DataFrame, tuple[str, ...], Mapping[str, Order]]:
    """Day, moment and the text that is neither; the day's own column wins over the day of the moment."""
    rows = columns.table.frame[ROW]
    headers = [header for header in (columns.find("taken_on"), columns.find("taken_at")) if header]
    for header in headers:
        if header in columns.table.date_doubts:
            raise ImportRefused(columns.table.date_doubts[header])
    read = [_moments(columns.table.frame[header], header, options) for header in headers]
    together = pl.DataFrame(
        [
            series.alias(f"{name}{place}")
            for place, moments in enumerate(read)
            for name, series in moments.columns.items()
        ]
    )
    chosen = {
        name: together.select(pl.coalesce(f"{name}{place}" for place in range(len(read)))).to_series().alias(name)
        for name in ("taken_on", "taken_at", "date_text")
    }
    blank = chosen["taken_on"].is_null() & chosen["date_text"].is_null()
    all_faults = [*(faults(rows, moments.reasons) for moments in read), _absent(rows, blank, "the date is blank")]
    notes = tuple(note for moments in read for note in moments.notes)
    orders: dict[str, Order] = {
        header: moments.order for header, moments in zip(headers, read, strict=True) if moments.order is not None
    }
    return list(chosen.values()), pl.concat(all_faults), notes, orders


@dataclass(frozen=True, slots=True)
class _Moments:
    """One date column, read."""

    columns: dict[str, pl.Series]
    reasons: pl.Series
    notes: tuple[str, ...]
    order: Order | None


def _moments(cells: pl.Series, header: str, options: ImportOptions) -> _Moments:
    texts = cells.drop_nulls().unique(maintain_order=True)
    detected = None if options.date_format else order_of(texts, header)
    order = None if detected is None else detected.order
    moments: dict[str, Moment] = {}

    def day(text: str) -> date:
        moments[text] = read_moment(text, order=order, date_format=options.date_format, now=options.now)
        return moments[text].day

    def at(text: str) -> datetime | None:
        return moments[text].at if text in moments else None

    days, reasons = by_text(cells, _saying(header, day), dtype=OCCASION["taken_on"])
    ats, _ = by_text(cells, at, dtype=OCCASION["taken_at"])
    unread = pl.DataFrame({"text": cells, "why": reasons}).select(
        pl.when(pl.col("why").is_not_null()).then(pl.col("text"))
    )
    dropped = [text for text, moment in moments.items() if moment.time_dropped]
    note = (
        f"Column '{quote(header)}' has times of day without a time zone, such as {join_names(dropped[:1])}: the "
        "date is kept, the time is not. To keep it, write 2026-01-31T14:30+01:00."
    )
    read = {"taken_on": days, "taken_at": ats, "date_text": unread.to_series()}
    notes = [note] if dropped else []
    if detected is not None and detected.note is not None:
        notes.append(f"Column '{quote(header)}' {detected.note}")
    return _Moments(read, reasons, tuple(notes), order)


def _absent(rows: pl.Series, where: pl.Series, reason: str) -> pl.DataFrame:
    if not where.any():
        return no_faults()
    return pl.DataFrame({ROW: rows.filter(where)}).with_columns(pl.lit(reason).alias(REASON))


def _saying(header: str, read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Name the column in what a reader refuses."""

    def reader(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, StoreError) as fault:
            raise ValueError(f"{quote(header)}: {fault}") from None

    return reader


def _integer(text: str) -> int:
    value = float(text.replace(",", "."))
    if value != int(value) or not 0 <= value <= MOST_SESSIONS:
        raise ValueError
    return int(value)


def _session(text: str) -> int:
    try:
        return _integer(text)
    except (ValueError, OverflowError):
        raise ValueError(f"'{quote(text)}' is not a session number; a whole number from 0 is needed") from None


def _label(text: str) -> str:
    return text


_READERS: tuple[tuple[str, Callable[[str], Any], pl.DataType], ...] = (
    ("client_id", client_identifier, pl.String()),
    ("clinician_id", identifier, pl.String()),
    ("session_number", _session, pl.Int64()),
    ("informant", identifier, pl.String()),
    ("target", _label, pl.String()),
    ("form", _label, pl.String()),
    ("coding", _label, pl.String()),
    ("episode_id", identifier, pl.String()),
    ("version", exact_identifier, pl.String()),
)
