"""Corrections with a reason: what was entered in error is withdrawn, and the last change of something undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from sqlalchemy.exc import IntegrityError

from mbc.errors import Conflict, NotInRecord, StoreError
from mbc.store.schema.kinds import Kind, channel_of
from mbc.store.schema.records import ENTERED_IN_ERROR, WITHDRAWN, Administration, Channel, Client, Record
from mbc.store.schema.validation import check_text
from mbc.store.writing import earlier_rows
from mbc.store.writing import ownership as belonging
from mbc.store.writing import seals as sealing
from mbc.store.writing.record_additions import RecordAdditions
from mbc.store.writing.withdrawal import withdrawal_of

Undone = Literal["withdrawn", "restored"]


class Corrections(RecordAdditions):
    """The part of a transaction that takes entries back. Nothing is erased."""

    def withdraw(self, administration_id: int, *, client_id: str, reason: str) -> None:
        """Take a questionnaire out that should not be on record: entered in error, or of somebody else.

        Nothing is deleted: a version without answers supersedes it, so that history keeps what it said and why it
        went. Its flags stay open until somebody with the permission has acknowledged them.

        Parameters
        ----------
        administration_id : int
            The current version, by its number.
        client_id : str
            Whose it is: a number that was mistyped is another client's.
        reason : str
            Kept with the withdrawal.

        Raises
        ------
        NotInRecord
            If the client has no such questionnaire for this user.
        Conflict
            If it was superseded, or is already withdrawn.
        AccessDenied
            If this user may not write questionnaires.
        """
        why = check_text("reason", reason)
        self._name([client_id])
        self._scope.require_writer(Administration)
        batch = withdrawal_of(self._connection, self._scope, administration_id, client_id=client_id)
        belonging.require_administrations(self._connection, self._known, batch)
        channel: Channel = batch.channel[0] or "care"
        self._write_administrations(batch, [channel], why)
        self._counts[channel]["administration withdrawn"] += 1

    def withdraw_entry(self, kind: type[Record], *key: object, reason: str) -> None:
        """Withdraw what was entered in error: readers leave it out, and the record keeps what it said, and why.

        Parameters
        ----------
        kind : type
            `Homework`, `Session`, `GoalRating`, ...; a questionnaire has `withdraw`.
        *key
            What names it: ``"H-1"``, or ``"G-1", date(2026, 5, 1)``.
        reason : str
            Why, in short.

        Raises
        ------
        NotInRecord
            If there is no such entry for this user.
        Conflict
            If something else on record names it.
        AccessDenied
            If this user may not write such records.

        Examples
        --------
        >>> from datetime import date
        >>> from mbc.store import Client, SmallWin, Store
        >>> with Store.create("sqlite://") as store:
        ...     with store.writing() as record:
        ...         _ = record.add(Client("C001"))
        ...         _ = record.add(SmallWin("W-1", "C001", date(2026, 5, 1), "asked for help"))
        ...     with store.writing() as record:
        ...         record.withdraw_entry(SmallWin, "W-1", reason="of another client")
        ...     store.small_wins().height, store.verify().intact
        (0, True)
        """
        why = check_text("reason", reason)
        self._scope.require_writer(kind)  # first: who may not write is not told what there is
        place = earlier_rows.kind_named(kind)
        gone = self._find(place, key)
        if gone is None:
            raise NotInRecord(f"There is no {place.noun} {_key_words(key)} on record.")
        earlier_rows.require_unnamed(self._connection, place, gone.row)
        if kind is Client:  # the row stays: it holds what keys the digests of everything that was theirs
            self._name([gone.owner])
            self.add(replace(gone.record, status=ENTERED_IN_ERROR), supersede=why)
            return
        try:
            with self._connection.begin_nested():
                earlier_rows.take_out(self._connection, gone, entry_id=self._entry_id(), reason=why)
        except IntegrityError:
            raise Conflict(
                f"The {place.noun} {_key_words(key)} cannot be withdrawn: it is named elsewhere."
            ) from None
        self._seal_withdrawal(gone, why)

    def undo(self, kind: type[Record], *key: object, reason: str = "undone") -> Undone:
        """Take back the last change: a new entry is withdrawn, and a correction gives way to what was before.

        What was withdrawn comes back. All of it is a correction with a reason, on record as such.

        Parameters
        ----------
        kind, *key
            As for `withdraw_entry`; of an `Administration` the number of its newest version.
        reason : str
            Why, in short.

        Returns
        -------
        {"withdrawn", "restored"}
            How it went.

        Raises
        ------
        NotInRecord, Conflict, AccessDenied
            See `withdraw_entry`.
        """
        why = check_text("reason", reason)
        self._scope.require_writer(kind)
        if kind is Administration:
            return self._undo_questionnaire(*key, reason=why)
        place = earlier_rows.kind_named(kind)
        now = self._find(place, key)
        before = earlier_rows.before_it(self._connection, self._scope, place, key)
        replaced = before is not None and not before["withdrawn"]
        if now is None and (before is None or replaced):
            raise NotInRecord(f"There is no {place.noun} {_key_words(key)} on record.")
        if before is not None and (now is None or (replaced and before["entry_id"] == now.written_by)):
            self.add(earlier_rows.to_record(place, before["content"]), supersede=why)
            return "restored"
        self.withdraw_entry(kind, *key, reason=why)
        return "withdrawn"

    def written_together(self, first: Record, second: Record) -> bool:
        """Say whether one entry wrote both, as they stand on record."""
        entries: list[int] = []
        for record in (first, second):
            self._scope.require_writer(type(record))
            place = earlier_rows.kind_named(type(record))
            row = self._find(place, tuple(getattr(record, name) for name in place.key))
            if row is None:
                return False
            entries.append(row.written_by)
        return entries[0] == entries[1]

    def _find(self, place: Kind, key: tuple[object, ...]) -> earlier_rows.OnRecord | None:
        if place.channel == "safety":
            self._scope.require("safety:read")
        if len(key) != len(place.key):
            raise StoreError(f"A {place.noun} is named by {', '.join(place.key)}; got {_key_words(key)}.")
        if not earlier_rows.is_key(place, key):
            raise NotInRecord(f"There is no such {place.noun} on record.")
        row = earlier_rows.find(self._connection, self._scope, place, key)
        if row is not None and row.owner is not None:
            self._name([row.owner])
            self._known.load(self._connection, [row.owner])
        return row

    def _seal_withdrawal(self, gone: earlier_rows.OnRecord, reason: str) -> None:
        name, channel = gone.kind.table.name, channel_of(gone.record)
        leaf = sealing.earlier_leaf(
            self._key_of(gone.owner),
            kind=name,
            named=gone.change.key,
            content=gone.change.content,
            reason=reason,
            withdrawn=True,
        )
        self._seal.add(sealing.EARLIER, leaf)
        self._counts[channel][f"{gone.kind.record.__name__.lower()} withdrawn"] += 1
        if gone.owner is not None:
            self._clients[channel].add(gone.owner)

    def _undo_questionnaire(self, *key: object, reason: str) -> Undone:
        number = key[0] if len(key) == 1 else None
        if not isinstance(number, int):
            raise NotInRecord("A questionnaire is named by its number.")
        head = earlier_rows.newest_version(self._connection, self._scope, number)
        before = head["supersedes"]
        if before is not None:
            record, was_withdrawn = earlier_rows.administration_of(self._connection, before)
            if head["version"] == WITHDRAWN or not was_withdrawn:
                self.add(record, supersede=reason)
                return "restored"
        self.withdraw(number, client_id=head["client_id"], reason=reason)
        return "withdrawn"


def _key_words(key: tuple[object, ...]) -> str:
    return ", ".join(str(part) for part in key if part is not None) or "(nothing)"
