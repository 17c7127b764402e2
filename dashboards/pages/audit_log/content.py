"""What the audit log says, in words: one row for each line."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl

from mbc.store import Store

HEADINGS = ("When (UTC)", "Who", "What", "About", "More", "From")
MOST_SHOWN = 200
_FOR_PROGRAMS = frozenset({"account", "sealed", "sha256", "sign_in", "stone", "leaves", "lines", "shown"})


def lines_of(
    store: Store, who: str | None, action: str | None, about: str | None, first: str | None, last: str | None
) -> pl.DataFrame:
    """Read the lines that were asked for, the newest first."""
    since, until = _day(first), _day(last)
    return store.audit.entries(
        last=MOST_SHOWN,
        since=since,
        until=None if until is None else until + dt.timedelta(days=1),
        who=_typed(who),
        action=_typed(action),
        subject=_typed(about),
    ).reverse()


def rows_of(lines: pl.DataFrame) -> list[list[str]]:
    """Write each line in words."""
    return [
        [
            f"{line['at']:%Y-%m-%d %H:%M:%S}", line["who"], line["action"], line["subject"] or "",
            _more(line["detail"]), line["origin"],
        ]
        for line in lines.iter_rows(named=True)
    ]  # fmt: skip


def _more(detail: str) -> str:
    details: dict[str, Any] = json.loads(detail or "{}")
    parts = [
        f"{name}: {_words(value)}"
        for name, value in details.items()
        if value not in (None, [], {}, "") and name not in _FOR_PROGRAMS
    ]
    return "; ".join(parts)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _typed(value: str | None) -> str | None:
    return (value or "").strip() or None


def _day(value: str | None) -> dt.datetime | None:
    """Read a day that was typed; anything else is no limit.

    Examples
    --------
    >>> _day("2026-05-01"), _day("soon"), _day(None)
    (datetime.datetime(2026, 5, 1, 0, 0, tzinfo=datetime.timezone.utc), None, None)
    """
    try:
        return dt.datetime.strptime((value or "").strip(), "%Y-%m-%d").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
