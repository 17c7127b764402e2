"""Emergency access to one record ("break glass"): for one client, for an hour, with a reason that others read.

For an emergency, and for whoever stands in for a colleague. It is for people who treat clients: never for
analysts, researchers or administrators. The line in the audit trail is written before anything is shown, and it is
what keeps the record open: what is not in the trail is not open.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import polars as pl
from sqlalchemy import select

from mbc.errors import AccessDenied, NotInRecord, StoreError
from mbc.store.access.roles import PERSON_READERS, SAFETY_READERS, Permission, Role, Scope
from mbc.store.audit.log import append, lock_log
from mbc.store.audit.recent_events import CLOSED, OPENED, Opened, opened_lately
from mbc.store.database import engine as engines
from mbc.store.reading.queries import require_client
from mbc.store.schema import tables as t
from mbc.store.schema.validation import check_text, is_id
from mbc.store.view import RecordView

OPEN_FOR = timedelta(hours=1)
MOST_OPEN = 3  # an hour, closed again or not: whoever looks through a whole clinic is stopped, and seen
MAY_OPEN: frozenset[Role] = frozenset({"clinician", "supervisor", "safety_lead"})
_FEWEST_WORDS, _FEWEST_LETTERS = 3, 12


class BreakGlass(RecordView):
    """The part of a store that gives emergency access to one record."""

    def break_glass(self, client_id: str, *, reason: str, safety: bool = False) -> Self:
        """Open one client's record by emergency access, for an hour.

        It can be read, not written; with ``safety`` also the restricted part, and a flag may be acknowledged. The
        line in the audit trail comes first. The safety lead, and whoever supervises the client's clinician, read
        it in `break_glass_log`.

        Parameters
        ----------
        client_id : str
            Anybody on record, whether of one's own caseload or not.
        reason : str
            Why it is needed now, in a sentence. Kept for good; only those who may read the safety channel see it.
        safety : bool
            Also the safety channel, of this client alone.

        Raises
        ------
        NotInRecord
            If there is no such client; the answer is that of any other reader.
        AccessDenied
            If this role opens no records, or three were opened within the last hour.
        StoreError
            If the reason says nothing, or the record is within reach without.
        """
        with self._audited("emergency access", client_id, logged=False):
            user = self._scope.user
            if user is None or user.role not in MAY_OPEN or self._scope.masked or self._scope.only is not None:
                raise AccessDenied(f"{self._scope.who} has no emergency access to records.")
            words = _reason(reason)
            self._require_somebody(client_id)
            self._require_need(client_id, safety=safety)
            self._log_opening(client_id, reason=words, safety=safety)
        return self.open_break_glass_view(client_id)

    def _log_opening(self, client_id: str, *, reason: str, safety: bool) -> None:
        """Count what was opened within the hour and add the line, with the log locked for everybody else."""
        now = self._shared.clock()
        detail = {"until": (now + OPEN_FOR).isoformat(), "safety": {"reason": reason, "opened": safety}}
        with engines.writing(self._engine) as connection:
            lock_log(connection)
            opened = opened_lately(connection, self._scope.who, now)
            if len(opened - {client_id}) >= MOST_OPEN:
                raise AccessDenied(f"At most {MOST_OPEN} records an hour can be opened by emergency access.")
            append(connection, [self.audit.line(OPENED, subject=client_id, **detail)])

    def open_break_glass_view(self, client_id: str) -> Self:
        """Give the view of a record to which this user has emergency access.

        Raises
        ------
        NotInRecord
            If it is not open, or no longer.
        """
        with self._audited("an opened record", client_id, logged=False):
            opened = next((record for record in self.break_glass_records() if record.client_id == client_id), None)
            if opened is None:
                raise NotInRecord(f"There is no open emergency access to '{client_id}'.")
        return self._view(scope_through(self._scope, opened))

    def break_glass_records(self) -> tuple[Opened, ...]:
        """Name the records to which this user has emergency access, the first opened first."""
        if self._scope.user is None or self._scope.masked or self._scope.only is not None:
            return ()
        return self._shared.recent.opened(self._scope.who, self._shared.clock())

    def end_break_glass(self, client_id: str) -> None:
        """Close a record opened by emergency access. Nothing happens if it is closed already."""
        if any(record.client_id == client_id for record in self.break_glass_records()):
            self._log_action(CLOSED, client_id)

    def break_glass_log(self) -> pl.DataFrame:
        """List every emergency access, newest first, as far as this view may see it.

        The safety lead, the administrator and the operator see all; a supervisor and a clinician those of their
        clients, and their own. ``reason`` and ``safety`` are null without the permission ``safety:read``.

        Returns
        -------
        pl.DataFrame
            at, who, client_id, until, closed_at, safety, reason, origin.

        Raises
        ------
        AccessDenied
            If this role may not see it.
        """
        with self._audited("emergency access log", None, logged=False):
            user, scope = self._scope.user, self._scope
            if scope.masked or scope.only is not None or (user and not _may_see_log(user.role)):
                raise AccessDenied(f"{scope.who} may not see the log of emergency access.")
            return _breaks(self._lines(), reasons=scope.has_permission("safety:read"))

    def _lines(self) -> list[dict[str, Any]]:
        c, scope = t.audit.c, self._scope
        query = select(c.sequence, c.at, c.who, c.action, c.subject, c.detail, c.origin)
        query = query.where(c.action.in_((OPENED, CLOSED))).order_by(c.sequence)
        everybody = scope.has_permission("audit:read") or (
            scope.user is not None and scope.user.role == "safety_lead"
        )
        with self._reading() as connection:
            lines = [dict(row) for row in connection.execute(query).mappings()]
            if everybody:
                return lines
            column = t.client.c.client_id
            mine = set(connection.execute(select(column).where(*scope.reaches(column))).scalars())
        return [line for line in lines if line["subject"] in mine or line["who"] == scope.who]

    def _require_somebody(self, client_id: str) -> None:
        column = t.client.c.client_id
        with self._reading() as connection:
            there = is_id(client_id) and connection.execute(select(column).where(column == client_id)).first()
            if not there:
                require_client(connection, self._scope, client_id)

    def _require_need(self, client_id: str, *, safety: bool) -> None:
        column = t.client.c.client_id
        with self._reading() as connection:
            query = select(column).where(column == client_id, *self._scope.reaches(column))
            reached = connection.execute(query).first() is not None and self._scope.may_read("administrations")
        if reached and (not safety or self._scope.has_permission("safety:read")):
            raise StoreError("You already have access to that record; emergency access is not needed.")


def scope_through(scope: Scope, opened: Opened) -> Scope:
    """Narrow a scope to one client whose record was opened; it ends by itself."""
    permissions: frozenset[Permission] = frozenset({"safety:read"}) if opened.safety else frozenset()
    return Scope(
        who=scope.who,
        readers=PERSON_READERS | (SAFETY_READERS if opened.safety else frozenset[str]()),
        writes=frozenset(),
        permissions=permissions,
        clinicians=frozenset(),
        user=scope.user,
        only=opened.client_id,
        until=opened.until,
    )


def _reason(reason: str) -> str:
    text = check_text("reason", reason).strip()
    words = re.findall(r"[^\W\d_]{2,}", text)
    if len(set(map(str.casefold, words))) < _FEWEST_WORDS or sum(map(len, words)) < _FEWEST_LETTERS:
        raise StoreError(
            "The reason is too short. Write a sentence that others will understand later, such as 'Covering "
            "for T2, who is ill; the client has called in distress'."
        )
    return text


def _may_see_log(role: Role) -> bool:
    return role in MAY_OPEN or role == "administrator"


def _breaks(lines: list[dict[str, Any]], *, reasons: bool) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        key = (line["who"], line["subject"])
        if line["action"] == OPENED:
            latest[key] = _break(line, reasons=reasons)
            rows.append(latest[key])
        elif key in latest:
            latest[key]["closed_at"] = line["at"]
    return pl.DataFrame(rows[::-1], schema=_BREAKS)


def _break(line: dict[str, Any], *, reasons: bool) -> dict[str, Any]:
    detail: dict[str, Any] = json.loads(line["detail"] or "{}")  # of somebody who was erased since: nothing
    apart: dict[str, Any] = detail.get("safety", {}) if reasons else {}
    return {
        "at": line["at"],
        "who": line["who"],
        "client_id": line["subject"],
        "until": datetime.fromisoformat(detail["until"]).astimezone(UTC) if "until" in detail else None,
        "closed_at": None,
        "safety": apart.get("opened"),
        "reason": apart.get("reason"),
        "origin": line["origin"],
    }


_MOMENT = pl.Datetime("us", "UTC")
_BREAKS = {
    "at": _MOMENT,
    "who": pl.String,
    "client_id": pl.String,
    "until": _MOMENT,
    "closed_at": _MOMENT,
    "safety": pl.Boolean,
    "reason": pl.String,
    "origin": pl.String,
}
