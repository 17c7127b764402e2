"""The audit trail as a chain: how its lines hang together, and how that is checked.

A line's digest covers who, what, when and from where, the line before, and a mark. The mark is a salted digest of
the two fields that may name a client. An erasure takes out those fields and the salt, and lists the lines in its
own: the chain still holds, and the mark tells nobody who it was.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, select

from mbc.errors import SettingsError
from mbc.store.schema import tables as t
from mbc.store.schema.digests import utc

GENESIS = "0" * 64
ERASE, UPGRADE = "erase", "upgrade"
# what a value of the wrong kind raises: SQLite takes any text for a date or a number
UNREADABLE = (ValueError, TypeError, AttributeError, OverflowError)
_ERASURE = frozenset({"tombstone", "by", "reason", "counts", "stone", "leaves", "lines", "shown"})
_HEAD = re.compile(r"(?:(\d+):)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done."""

    at: datetime  # UTC
    who: str
    action: str
    subject: str | None
    detail: str  # JSON
    origin: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What checking the chain found; note ``head`` elsewhere: a chain cannot know that its end was cut off."""

    lines: int | None  # None where it is not shown: it counts lines of the safety channel too
    head: str  # digest of the last line
    faults: tuple[str, ...]
    erasures: tuple[dict[str, Any], ...] = ()  # what each legal erasure's line says
    since_noted: int | None = None  # lines added after the head that was noted

    @property
    def intact(self) -> bool:
        """Say whether every line follows from the one before."""
        return not self.faults

    @property
    def note(self) -> str:
        """What to note elsewhere: the number of lines, where it is shown, and the head."""
        return self.head if self.lines is None else f"{self.lines}:{self.head}"


def chain_lines(lines: Iterable[Line], sequence: int, previous: str) -> Iterator[dict[str, Any]]:
    """Make the rows of lines that follow on a place in the chain."""
    for line in lines:
        sequence += 1
        salt = secrets.token_hex(16)
        mark = masked_digest(salt, line.subject, line.detail)
        digest = digest_of(previous, sequence, line, mark)
        yield {
            "sequence": sequence,
            "at": line.at,
            "who": line.who,
            "action": line.action,
            "subject": line.subject,
            "detail": line.detail,
            "origin": line.origin,
            "previous": previous,
            "digest": digest,
            "salt": salt,
            "mark": mark,
        }
        previous = digest


def masked_digest(salt: str, subject: str | None, detail: str) -> str:
    """Digest what may name somebody. Without the salt nobody can tell from it whom."""
    return _sha256([salt, subject, detail])


def digest_of(previous: str, sequence: int, line: Line, mark: str) -> str:
    """Digest a line and its place in the chain."""
    return _sha256([previous, sequence, _moment(line), line.who, line.action, mark, line.origin])


def first_digest(previous: str, sequence: int, line: Line) -> str:
    """Digest a line the way of revision 0001, which had no marks."""
    parts = [previous, sequence, _moment(line), line.who, line.action, line.subject, line.detail, line.origin]
    return _sha256(parts)


def parse_details(detail: str) -> dict[str, Any]:
    """Read a line's detail; nothing, if somebody made it unreadable."""
    try:
        content: object = json.loads(detail)
    except ValueError:
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def shown_digest(lines: Sequence[tuple[int, str | None, str]]) -> str:
    """Digest what an erasure left of some lines: number, subject, detail."""
    return _sha256([list(line) for line in lines])


def verify_chain(
    connection: Connection, *, noted: str | None = None, tick: Callable[[int], None] = lambda _: None
) -> ChainReport:
    """Recompute every digest in order.

    Parameters
    ----------
    connection : Connection
        The record.
    noted : str, optional
        A head that was noted earlier, with or without the number of lines before it: ``"812:9f2c..."``.
    tick : callable
        Told how many lines were walked.

    Raises
    ------
    SettingsError
        If ``noted`` cannot be a head.
    """
    walk = _Walk(_noted(noted))
    rows = connection.execute(select(t.audit).order_by(t.audit.c.sequence).execution_options(yield_per=10_000))
    try:
        for batch in rows.partitions():
            for row in batch:
                walk.take(row)
            tick(len(batch))
    except UNREADABLE as fault:
        walk.faults.append(
            f"A line after line {walk.expected} cannot be read, so it was not written by mbc: {fault}"
        )
    return walk.report()


@dataclass(slots=True)
class _Walk:
    """One way along the chain."""

    noted: tuple[int | None, str] | None
    expected: int = 0
    previous: str = GENESIS
    first: str | None = GENESIS  # the digest that revision 0001 would have written; None: no longer to be known
    found_at: int | None = None
    faults: list[str] = field(default_factory=list[str])
    hidden: dict[int, tuple[int, str | None, str]] = field(default_factory=dict[int, tuple[int, str | None, str]])
    erasures: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def take(self, row: Any) -> None:
        line = Line(row.at, row.who, row.action, row.subject, row.detail, row.origin)
        self.expected += 1
        if row.sequence != self.expected:
            self.faults.append(f"Lines {self.expected} to {row.sequence - 1} are missing.")
            self.expected = row.sequence
        elif row.previous != self.previous:
            self.faults.append(
                f"Line {row.sequence} does not follow line {row.sequence - 1}: one of them was replaced or moved."
            )
        hidden = row.salt is None
        marked = hidden or masked_digest(row.salt, line.subject, line.detail) == row.mark
        if not marked or digest_of(row.previous, row.sequence, line, row.mark) != row.digest:
            self.faults.append(f"Line {row.sequence} was changed after it was written.")
        if hidden:
            self.hidden[row.sequence] = (row.sequence, line.subject, line.detail)
        if line.action == ERASE:
            erasure = parse_details(line.detail)
            if erasure.keys() >= _ERASURE:
                self.erasures.append(erasure)
            else:
                self.faults.append(f"Line {row.sequence} claims an erasure but does not account for it.")
        self._compare(row.sequence, row.digest)
        self._compare_first(row.sequence, line, hidden=hidden)
        self.previous = row.digest

    def report(self) -> ChainReport:
        left = dict(self.hidden)
        for erasure in self.erasures:
            covered = [left.pop(number, (number, None, "")) for number in erasure["lines"]]
            if shown_digest(covered) != erasure["shown"]:
                self.faults.append(
                    f"What the erasure {erasure['tombstone']} left of earlier lines has been changed since then."
                )
        self.faults += [
            f"Line {number} has no subject, and no erasure accounts for it." for number in sorted(left)
        ]
        since = None
        if self.noted is not None:
            if self.found_at is None:
                self.faults.append(
                    "The noted head is not part of the chain: lines have been removed or rewritten since then, or "
                    "it was noted for another record."
                )
            else:
                since = self.expected - self.found_at
        return ChainReport(self.expected, self.previous, tuple(self.faults), tuple(self.erasures), since)

    def _compare(self, sequence: int, digest: str) -> None:
        if self.noted is not None and digest == self.noted[1] and self.noted[0] in {None, sequence}:
            self.found_at = sequence

    def _compare_first(self, sequence: int, line: Line, *, hidden: bool) -> None:
        # a head noted under revision 0001 is worked out anew, as long as all that it covered is still there
        if self.noted is None or self.first is None:
            return
        if hidden or line.action == UPGRADE:
            self.first = None
            return
        self.first = first_digest(self.first, sequence, line)
        self._compare(sequence, self.first)


def _noted(text: str | None) -> tuple[int | None, str] | None:
    if text is None:
        return None
    match = _HEAD.fullmatch(text.strip().lower())
    if match is None:
        raise SettingsError(
            f"'{text[:80]}' is not the head of a chain; use the head printed by 'mbc verify': a number, "
            "a colon and 64 hexadecimal digits."
        )
    return (None if match[1] is None else int(match[1])), match[2]


def _moment(line: Line) -> str:
    return utc(line.at).isoformat(timespec="microseconds")


def _sha256(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
