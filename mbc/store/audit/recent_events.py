"""The last two days of the audit trail: sign-ins that ended, emergency access to records.

The trail itself is where this is kept. So it holds for every worker of a server, and after a restart, and whoever
wanted to change it would have to forge the chain.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from mbc.store.audit.hash_chain import ERASE
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t

LOOK_BACK = timedelta(days=2)  # longer than a sign-in can last, and than a record stays open
_MOST_NOTED = 10_000  # a server that runs for months forgets, and notes once more
SIGN_OUT, OPENED, CLOSED = "sign-out", "break glass", "glass closed"
PROVIDER_SIGN_OUT = "signed out by provider"
_FOLLOWED = (SIGN_OUT, PROVIDER_SIGN_OUT, OPENED, CLOSED)


@dataclass(frozen=True, slots=True)
class Opened:
    """Emergency access to one client's record, by somebody who gave a reason."""

    sequence: int  # of its line in the trail
    who: str
    client_id: str
    since: datetime  # UTC
    until: datetime  # UTC
    safety: bool  # whether the safety channel is part of it


class Recent:
    """The end of the trail, followed as it grows. One is shared by all views of an open record."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._last: int | None = None
        self._ended: set[str] = set()
        self._provider_ended: dict[str, str] = {}  # what the provider ended -> the message that did so last
        self._messages: set[str] = set()
        self._noted: set[str] = set()
        self._opened: dict[tuple[str, str], Opened] = {}  # open still, unless their time is up

    def is_news(self, token: str) -> bool:
        """Say whether this process was not told before that a sign-in had ended."""
        with self._lock:
            if len(self._noted) > _MOST_NOTED:
                self._noted.clear()
            new = fingerprint(token) not in self._noted
            self._noted.add(fingerprint(token))
            return new

    def has_ended(self, token: str) -> bool:
        """Say whether a sign-in was handed back, wherever that was."""
        with self._lock:
            self._follow(datetime.now(UTC))
            return fingerprint(token) in self._ended

    def provider_messages(self, keys: Iterable[str]) -> dict[str, str]:
        """Give the message by which the provider last ended each account or session of its own; empty if none."""
        with self._lock:
            self._follow(datetime.now(UTC))
            return {key: self._provider_ended.get(key, "") for key in keys}

    def has_message(self, message: str) -> bool:
        """Say whether a message of the provider's was taken before."""
        with self._lock:
            self._follow(datetime.now(UTC))
            return message in self._messages

    def opened(self, who: str, now: datetime) -> tuple[Opened, ...]:
        """Name the records that somebody has open now, the first opened first."""
        with self._lock:
            self._follow(now)
            open_accesses = [
                opening for opening in self._opened.values() if opening.who == who and opening.until > now
            ]
        return tuple(sorted(open_accesses, key=lambda opening: opening.sequence))

    def _follow(self, now: datetime) -> None:
        c = t.audit.c
        with engines.reading(self._engine) as connection:
            head = connection.execute(select(func.max(c.sequence))).scalar() or 0
            if head == self._last:
                return
            # the first look, or another record was put in its place, or lines lost what named somebody
            if self._last is None or head < self._last or self._erased_since(connection, self._last):
                self._ended.clear()
                self._provider_ended.clear()
                self._messages.clear()
                self._opened.clear()
                self._last = self._start(connection, now)
            wanted = (c.sequence > self._last, c.sequence <= head, c.action.in_(_FOLLOWED))
            query = select(c.sequence, c.at, c.who, c.action, c.subject, c.detail).where(*wanted)
            for row in connection.execute(query.order_by(c.sequence)).mappings():
                self._take(row)
        self._last = head

    def _erased_since(self, connection: Connection, sequence: int) -> bool:
        c = t.audit.c
        query = select(c.sequence).where(c.sequence > sequence, c.action == ERASE).limit(1)
        return connection.execute(query).first() is not None

    def _start(self, connection: Connection, now: datetime) -> int:
        c = t.audit.c
        # by the first recent line, not the last old one: a clock that was wrong for a minute hides nothing
        recent = connection.execute(select(func.min(c.sequence)).where(c.at >= now - LOOK_BACK)).scalar()
        last = connection.execute(select(func.max(c.sequence))).scalar() or 0
        return last if recent is None else recent - 1

    def _take(self, line: Any) -> None:
        detail = json.loads(line["detail"] or "{}")
        if line["action"] == SIGN_OUT:
            self._ended.add(detail.get("sign_in", ""))
        elif line["action"] == PROVIDER_SIGN_OUT:
            message = detail.get("message", "")
            self._messages.add(message)
            self._provider_ended |= dict.fromkeys(detail.get("ended", ()), message)
        elif line["action"] == CLOSED:
            self._opened.pop((line["who"], line["subject"]), None)
        elif "until" in detail:  # an erasure takes the detail out, and closes the record with it
            opened = opened_of(line)
            self._opened[opened.who, opened.client_id] = opened


def opened_lately(connection: Connection, who: str, now: datetime) -> frozenset[str]:
    """Name the clients whose records somebody opened within the last hour, closed again or not.

    Asked on the connection that then writes the next opening, with the end of the log locked: so two requests at
    the same moment cannot both be the last that is allowed.
    """
    c = t.audit.c
    query = select(c.sequence, c.at, c.who, c.subject, c.detail).where(c.action == OPENED, c.who == who)
    lines = connection.execute(query).mappings().all()
    opened = [opened_of(line) for line in lines if "until" in json.loads(line["detail"] or "{}")]
    return frozenset(opening.client_id for opening in opened if opening.until > now)


def open_now(connection: Connection, now: datetime) -> tuple[tuple[str, str], ...]:
    """Name who has whose record open by emergency access."""
    c = t.audit.c
    query = select(c.sequence, c.at, c.who, c.action, c.subject, c.detail).where(
        c.action.in_((OPENED, CLOSED)), c.at > now - LOOK_BACK
    )
    still_open: dict[tuple[str, str], datetime] = {}
    for line in connection.execute(query.order_by(c.sequence)).mappings():
        if line["action"] == CLOSED:
            still_open.pop((line["who"], line["subject"]), None)
        elif "until" in json.loads(line["detail"] or "{}"):
            still_open[line["who"], line["subject"]] = opened_of(line).until
    return tuple(sorted(key for key, until in still_open.items() if until > now))


def opened_of(line: Any) -> Opened:
    """Read a line of the trail that says that a record was opened."""
    detail = json.loads(line["detail"])
    return Opened(
        sequence=line["sequence"],
        who=line["who"],
        client_id=line["subject"],
        since=line["at"],
        until=datetime.fromisoformat(detail["until"]),
        safety=bool(detail.get("safety", {}).get("opened", False)),
    )


def fingerprint(token: str) -> str:
    """Write a sign-in's token so that it can be recognised in the trail, and not be used."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]
