"""What of the audit trail a reader meets: lines narrowed to what was asked for, the safety channel apart."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, select

from mbc.errors import StoreError
from mbc.store.database.frames import fetch
from mbc.store.schema import tables as t
from mbc.store.schema.validation import quote

APART = "safety"  # the key of a line's detail that few may read, and the first word of actions that few may see
_PAGE = 1_000  # lines looked through at a time, at least


def query_of(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    who: str | None = None,
    action: str | None = None,
    subject: str | None = None,
) -> Select[*tuple[Any, ...]]:
    """Ask for lines of the trail, the newest first; ``since`` counts, ``until`` does not."""
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise StoreError(f"{name} is {quote(moment)}; it must have a time zone (datetime with tzinfo).")
    c = t.audit.c
    wanted = [
        c[name] == value for name, value in (("who", who), ("action", action), ("subject", subject)) if value
    ]
    wanted += [c.at >= since] if since is not None else []
    wanted += [c.at < until] if until is not None else []
    query = select(c.sequence, c.at, c.who, c.action, c.subject, c.detail, c.origin).where(*wanted)
    return query.order_by(c.sequence.desc())


def newest(
    connection: Connection, query: Select[*tuple[Any, ...]], last: int | None, *, include_safety: bool
) -> pl.DataFrame:
    """Fetch as many of the newest lines as may be shown, oldest first.

    Lines that are left out do not count: that fewer came than were asked for would tell that there are some.
    """
    if last is None:
        lines = fetch(connection, query).sort("sequence")
        return lines if include_safety else without_safety(lines)
    pages: list[pl.DataFrame] = []
    page, missing, before = query.limit(max(last, _PAGE)), last, None
    while missing > 0:
        older = page if before is None else page.where(t.audit.c.sequence < before)
        lines = fetch(connection, older)
        if lines.is_empty():
            break
        before = int(lines["sequence"][-1])
        pages.append((lines if include_safety else without_safety(lines)).head(missing))
        missing -= pages[-1].height
    return pl.concat(pages).sort("sequence") if pages else fetch(connection, query.limit(0))


def without_safety(lines: pl.DataFrame) -> pl.DataFrame:
    """Take out what tells of the safety channel: whole lines where they are about nothing else.

    Examples
    --------
    >>> lines = pl.DataFrame({"action": ["read", "read safety"], "detail": ['{"safety": {"n": 1}}', "{}"]})
    >>> without_safety(lines).rows()
    [('read', '{}')]
    """
    details = [
        _visible_detail(action, detail) for action, detail in zip(lines["action"], lines["detail"], strict=True)
    ]
    detail = pl.Series("detail", details, dtype=pl.String)
    return lines.with_columns(detail).filter(pl.col("detail").is_not_null())


def _visible_detail(action: str, detail: str) -> str | None:
    if action.endswith(f" {APART}"):
        return None
    details: dict[str, Any] = json.loads(detail or "{}")
    details.pop("account", None)  # the seal of an account: for verification
    if action == "write":
        # the seal has a part for each kind of thing that was written, entries are numbered over both channels, and
        # the name of a file can say what was in it: none of them is shown for any line
        for name in ("sealed", "entry", "source", "sha256"):
            details.pop(name, None)
    counts = details.get("counts", {})
    apart = [details.pop(APART, None), details.pop("include_safety", None), counts.pop("acknowledged", None)]
    if action == "write" and not counts and any(apart):  # nothing but an acknowledgement, as it was once noted
        return None
    if str(details.get("asked", "")).startswith(APART):
        details.pop("asked")
    return json.dumps(details, sort_keys=True)
