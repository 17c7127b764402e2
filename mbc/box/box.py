"""The box: a small file of askings and sealed answers, which knows nobody and cannot read what is in it.

::

    asking ──< token    digests of the links and codes that lead to it
           ──< visit    one device that is answering: a digest, and answers that only that device can show again
           ──< sealed   one answer to each question, the latest; only the clinic's private key opens it
    erasing             askings whose client is being erased

Two more tables hold what a client is shown of their own earlier scores: see `mbc.box.link_scores`.

Writers of one process wait for each other at a lock, in order; SQLite would let them sleep and try again.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from mbc.box.content import Asking, EarlierScores, Progress
from mbc.box.link_scores import add_to_link, add_to_visit, remove_from_links, scores_of_visit
from mbc.box.seal import lock, seal, unlock
from mbc.box.tables import VERSION, prepare_tables
from mbc.box.token import Kind, digest, new_token, normal_code
from mbc.errors import MbcError, StoreBusy
from mbc.sqlite_library import SQLITE

Connection = Any  # of whichever SQLite there is
_BUSY_SECONDS = 10.0
_SHARED = stat.S_ISGID | stat.S_IWGRP  # of a folder: what is made in it belongs to its group
# a device that does nothing for so long shows nothing any more; a tablet goes from hand to hand
IDLE_SECONDS: dict[Kind, float] = {"link": 10 * 60, "code": 3 * 60}
SENT_SECONDS = 10 * 60  # how long the thanks are shown
_END = -1  # the place of the mark that everything was sent


@dataclass(frozen=True, slots=True)
class OpenAsking:
    """An asking that can be answered now."""

    number: int
    asking_id: str
    asking: Asking
    public_key: bytes
    expires_at: datetime
    kind: Kind  # by which way it was opened
    begun: bool
    answered: frozenset[int]  # places that have an answer, or a blank that was chosen


@dataclass(frozen=True, slots=True)
class Visit:
    """One device that is answering."""

    opened: OpenAsking
    sent: bool
    draft: dict[int, float | None]  # what was answered on this device


@lru_cache(maxsize=512)
def _asking(content: str) -> Asking:
    return Asking.from_json(content)


class Box:
    """An open box. Each thread has a connection of its own.

    Parameters
    ----------
    path : Path
        The file; made when absent, readable by its owner only. In a folder whose mode has the set-group-id bit and
        lets its group write (2770), it is its group's as well: that is how two users share a box.
    clock : callable
        Seconds since the epoch; tests turn it.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._thread = threading.local()
        self._connections: list[Connection] = []
        self._turn = threading.Lock()
        self._prepare()

    def close(self) -> None:
        """Give the connections back."""
        while self._connections:
            self._connections.pop().close()
        self._thread = threading.local()

    # ---- the clinic's side

    def add(
        self,
        asking_id: str,
        asking: Asking,
        *,
        public_key: bytes,
        expires_at: datetime,
        token: str,
        code: str | None = None,
        scores: EarlierScores | None = None,
    ) -> None:
        """Put an asking in; the same again changes nothing.

        Earlier scores can be read with the token of the link alone: neither with the code nor by another link.
        """
        values = (asking_id, asking.to_json(), public_key, self._clock(), expires_at.timestamp())
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO asking (asking_id, content, public_key, made_at, expires_at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (asking_id) DO NOTHING",
                values,
            )
            self._add_token(connection, asking_id, token, "link")
            add_to_link(connection, token, scores)
            if code is not None:
                self._add_token(connection, asking_id, normal_code(code) or code, "code")

    def add_token(self, asking_id: str, token: str) -> None:
        """Let another link lead to an asking: for a reminder, since the first is kept nowhere.

        It shows no earlier scores: those can be read with the token of the first link alone.
        """
        with self._writing() as connection:
            self._add_token(connection, asking_id, token, "link")
            add_to_link(connection, token, None)

    def withdraw(self, asking_id: str) -> None:
        """End an asking: its links lead nowhere from now on."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE asking SET withdrawn_at = ? "
                "WHERE asking_id = ? AND withdrawn_at IS NULL AND answered_at IS NULL",
                (self._clock(), asking_id),
            )
            connection.execute(
                "DELETE FROM visit WHERE number IN (SELECT number FROM asking WHERE asking_id = ?)", (asking_id,)
            )
            row = connection.execute("SELECT number FROM asking WHERE asking_id = ?", (asking_id,)).fetchone()
            if row is not None:
                remove_from_links(connection, row[0])

    def progress(self) -> list[Progress]:
        """Say how far every asking has come."""
        rows = self._connection.execute(
            "SELECT asking_id, made_at, expires_at, opened_at, begun_at, answered_at, stopped_at, withdrawn_at "
            "FROM asking ORDER BY number"
        )
        return [Progress(row[0], *map(_moment, row[1:])) for row in rows.fetchall()]  # pyright: ignore[reportArgumentType]

    def sealed(self, asking_id: str) -> list[bytes]:
        """Give the sealed answers of an asking."""
        rows = self._connection.execute(
            "SELECT sealed.content FROM sealed JOIN asking USING (number) WHERE asking_id = ? ORDER BY place",
            (asking_id,),
        )
        return [row[0] for row in rows.fetchall()]

    def holds(self, asking_id: str) -> bool:
        """Say whether an asking is in the box."""
        query = "SELECT 1 FROM asking WHERE asking_id = ?"
        return self._connection.execute(query, (asking_id,)).fetchone() is not None

    def discard(self, asking_id: str, *, answered: bool = True) -> None:
        """Remove an asking with all that belongs to it; ``answered=False``: unless it has just been answered."""
        spared = "" if answered else " AND answered_at IS NULL"
        with self._writing() as connection:
            connection.execute(f"DELETE FROM asking WHERE asking_id = ?{spared}", (asking_id,))  # noqa: S608
            connection.execute("DELETE FROM erasing WHERE asking_id = ?", (asking_id,))

    def mark_erasing(self, asking_ids: Sequence[str], *, undo: bool = False) -> None:
        """Mark askings whose client is about to be erased; or take the marks back."""
        change = "DELETE FROM erasing WHERE asking_id = ?" if undo else "INSERT OR IGNORE INTO erasing VALUES (?)"
        with self._writing() as connection:
            connection.executemany(change, [(asking_id,) for asking_id in asking_ids])

    def erasing(self) -> set[str]:
        """Give the askings that are marked so."""
        return {row[0] for row in self._connection.execute("SELECT asking_id FROM erasing").fetchall()}

    # ---- the client's side

    def find(self, token: str) -> OpenAsking | None:
        """Find the asking that a link or code leads to; None where it leads nowhere (any more)."""
        row = self._connection.execute(
            f"SELECT {_ASKING}, token.kind FROM asking JOIN token USING (number) WHERE digest = ?",  # noqa: S608
            (digest(token),),
        ).fetchone()
        return self._open(row)

    def mark_opened(self, number: int) -> None:
        """Note that somebody, or a program that looks at links, has seen the first page."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE asking SET opened_at = ? WHERE number = ? AND opened_at IS NULL", (self._clock(), number)
            )

    def begin(self, opened: OpenAsking, token: str = "") -> str:
        """Begin a visit; returns its secret, which is kept nowhere.

        Parameters
        ----------
        opened : OpenAsking
        token : str
            Of the link that it was opened by: earlier scores that it leads to go along, locked with the secret.
        """
        secret, now = new_token(), self._clock()
        with self._writing() as connection:
            connection.execute("DELETE FROM visit WHERE seen_at < ?", (now - max(IDLE_SECONDS.values()),))
            connection.execute(
                "INSERT INTO visit (digest, number, kind, seen_at) VALUES (?, ?, ?, ?)",
                (digest(secret), opened.number, opened.kind, now),
            )
            if opened.kind == "link":
                add_to_visit(connection, secret, token)
            connection.execute(
                "UPDATE asking SET opened_at = coalesce(opened_at, ?), begun_at = coalesce(begun_at, ?) "
                "WHERE number = ?",
                (now, now, opened.number),
            )
        return secret

    def visit(self, secret: str) -> Visit | None:
        """Find a visit; None where it has ended."""
        return self._visit(self._connection, secret)

    def answer(self, secret: str, place: int, value: float | None) -> Visit | None:
        """Seal an answer (None: chosen blank) in place of an earlier one; None where the visit has ended."""
        return self.answer_all(secret, {place: value})

    def answer_all(self, secret: str, answers: Mapping[int, float | None]) -> Visit | None:
        """Seal several answers, all or none; None where the visit has ended."""
        now = self._clock()
        with self._writing() as connection:
            visit = self._visit(connection, secret)
            if visit is None or visit.sent:
                return visit
            opened = visit.opened
            for place, value in answers.items():
                self._put_answer(connection, opened, place, value, now)
            draft = {**visit.draft, **answers}
            locked = lock(secret, {str(key): kept for key, kept in draft.items()})
            connection.execute(
                "UPDATE visit SET draft = ?, seen_at = ? WHERE digest = ?", (locked, now, digest(secret))
            )
        return visit

    def send(self, secret: str) -> Visit | None:
        """End the asking as answered, with what this device has shown; None where the visit has ended.

        What was answered on this device is sealed anew: another device may have answered the same question since,
        and whoever looked at everything before sending has not seen that. Twice is once.
        """
        now = self._clock()
        with self._writing() as connection:
            visit = self._visit(connection, secret)
            if visit is None or visit.sent:
                return visit
            number = visit.opened.number
            for place, value in visit.draft.items():
                self._put_answer(connection, visit.opened, place, value, now)
            self._put(connection, visit.opened, _END, {"asking": visit.opened.asking_id, "sent": _written(now)})
            connection.execute("UPDATE asking SET answered_at = ? WHERE number = ?", (now, number))
            connection.execute("DELETE FROM visit WHERE number = ? AND digest != ?", (number, digest(secret)))
            remove_from_links(connection, number)
            connection.execute(
                "UPDATE visit SET draft = NULL, sent = 1, seen_at = ? WHERE digest = ?", (now, digest(secret))
            )
        return visit

    def earlier_scores(self, secret: str) -> EarlierScores | None:
        """Give the scores that a visit shows: once it has sent, until it ends, and to who came by their link."""
        visit = self.visit(secret)
        if visit is None or not visit.sent or visit.opened.kind != "link":
            return None
        return scores_of_visit(self._connection, secret)

    def leave(self, secret: str) -> None:
        """End a visit: what was answered on this device cannot be shown again."""
        with self._writing() as connection:
            connection.execute("DELETE FROM visit WHERE digest = ?", (digest(secret),))

    def stop(self, number: int) -> None:
        """Note that the client wants no more of these; the answers given so far are removed."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE asking SET stopped_at = ? WHERE number = ? AND answered_at IS NULL AND stopped_at IS NULL",
                (self._clock(), number),
            )
            for table in ("visit", "sealed"):
                connection.execute(
                    f"DELETE FROM {table} WHERE number IN "  # noqa: S608 - names of our own
                    "(SELECT number FROM asking WHERE number = ? AND stopped_at IS NOT NULL)",
                    (number,),
                )
            remove_from_links(connection, number)

    # ---- inside

    def _put_answer(
        self, connection: Connection, opened: OpenAsking, place: int, value: float | None, now: float
    ) -> None:
        content = {"asking": opened.asking_id, "place": place, "value": value, "at": _written(now)}
        self._put(connection, opened, place, content)

    def _put(self, connection: Connection, opened: OpenAsking, place: int, content: dict[str, Any]) -> None:
        connection.execute(
            "INSERT INTO sealed (number, place, content) VALUES (?, ?, ?) "
            "ON CONFLICT (number, place) DO UPDATE SET content = excluded.content",
            (opened.number, place, seal(opened.public_key, content)),
        )

    def _visit(self, connection: Connection, secret: str) -> Visit | None:
        row = connection.execute(
            f"SELECT {_ASKING}, visit.kind, seen_at, draft, sent FROM visit JOIN asking USING (number) "  # noqa: S608
            "WHERE digest = ?",
            (digest(secret),),
        ).fetchone()
        if row is None:
            return None
        seen_at, draft, sent = row[-3:]
        opened = self._open(row[:-3], sent=bool(sent))
        if opened is None or self._clock() - seen_at > (SENT_SECONDS if sent else IDLE_SECONDS[opened.kind]):
            return None
        answers = unlock(secret, draft) if draft else {}
        return Visit(opened, bool(sent), {int(place): value for place, value in answers.items()})

    def _open(self, row: tuple[Any, ...] | None, *, sent: bool = False) -> OpenAsking | None:
        if row is None:
            return None
        number, asking_id, content, public_key, expires_at, begun_at, answered_at, stopped, withdrawn, kind = row
        ended = stopped is not None or withdrawn is not None or self._clock() >= expires_at
        if not sent and (ended or answered_at is not None):
            return None
        places = self._connection.execute("SELECT place FROM sealed WHERE number = ?", (number,)).fetchall()
        return OpenAsking(
            number=number,
            asking_id=asking_id,
            asking=_asking(content),
            public_key=public_key,
            expires_at=_moment(expires_at) or datetime.now(UTC),
            kind=kind,
            begun=begun_at is not None,
            answered=frozenset(place for (place,) in places if place != _END),
        )

    def _add_token(self, connection: Connection, asking_id: str, token: str, kind: Kind) -> None:
        connection.execute(
            "INSERT OR IGNORE INTO token (digest, number, kind) "
            "SELECT ?, number, ? FROM asking WHERE asking_id = ?",
            (digest(token), kind, asking_id),
        )

    @property
    def _connection(self) -> Connection:
        connection: Connection = getattr(self._thread, "connection", None)
        if connection is None:
            connection = SQLITE.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            for pragma in (
                "journal_mode = TRUNCATE",
                "synchronous = FULL",
                "foreign_keys = ON",
                "secure_delete = ON",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            self._thread.connection = connection
            self._connections.append(connection)
        return connection

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        connection = self._connection
        with self._turn:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except SQLITE.OperationalError:
                raise StoreBusy(f"The box {self._path} is busy. Try again in a minute.") from None
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _make(self) -> None:
        try:
            made = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        except FileExistsError:
            os.close(os.open(self._path, os.O_RDWR))
            return
        try:
            if self._path.parent.stat().st_mode & _SHARED == _SHARED and hasattr(os, "fchmod"):
                os.fchmod(made, 0o660)  # whatever the umask says
        finally:
            os.close(made)

    def _prepare(self) -> None:
        try:
            self._make()
            with self._writing() as connection:
                version = prepare_tables(connection)
        except OSError as fault:
            raise MbcError(f"The box {self._path} cannot be opened: {fault.strerror}.") from None
        except SQLITE.DatabaseError:
            raise MbcError(f"{self._path} is not an answer box. Name another file.") from None
        if version > VERSION:
            raise MbcError(
                f"The box {self._path} was written by a newer mbc (version {version}). Update this one."
            )


_ASKING = (
    "asking.number, asking_id, content, public_key, expires_at, begun_at, answered_at, stopped_at, withdrawn_at"
)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
