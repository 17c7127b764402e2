"""What clients are asked on their own device: kept with the words they were asked in, and how far it has come."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, insert, select, update

from mbc.errors import AccessDenied, Conflict, NotInRecord, StoreError
from mbc.store.audit.log import append
from mbc.store.database import engine as engines
from mbc.store.database.frames import fetch
from mbc.store.schema import tables as t
from mbc.store.schema.records import Administration, Channel
from mbc.store.schema.validation import check_ids
from mbc.store.view import RecordView

_MOMENTS = ("opened_at", "begun_at", "answered_at", "stopped_at", "withdrawn_at")
_ASKING_ID = re.compile("[0-9a-f]{24}")
GOAL = "goal"  # in the place of a questionnaire's key: a goal of the client's own, whose number is the target


@dataclass(frozen=True, slots=True)
class AskedSheet:
    """One questionnaire or goal of an asking: what its answers are kept as, and the words that were shown."""

    instrument: str
    version: str
    form: str
    coding: str
    channel: Channel
    wording: str  # JSON, as mbc.box.content.Sheet writes it
    target: str = "self"

    def __post_init__(self) -> None:
        check_ids(self, "instrument", "version", "form", "coding", "target")


@dataclass(frozen=True, slots=True)
class AskingKeys:
    """The pair of keys of a record's askings, in hexadecimal."""

    public: str
    private: str = field(repr=False)


class Askings(RecordView):
    """The part of a store that says what clients are asked."""

    def ask(
        self,
        client_id: str,
        sheets: Sequence[AskedSheet],
        *,
        language: str,
        expires_at: datetime,
        asking_id: str | None = None,
    ) -> str:
        """Keep an asking; the link to it is made elsewhere, and kept nowhere.

        Parameters
        ----------
        client_id : str
            Who is asked.
        sheets : sequence of AskedSheet
            What, in this order; screens of the safety channel need the permission, and never stand alone: who sees
            the asking without them learns nothing of them, whatever becomes of it.
        language : str
            Of the wording.
        expires_at : datetime
            From then on it cannot be answered.
        asking_id : str, optional
            A number as `new_asking_id` gives it: sent twice, it is kept once.

        Returns
        -------
        str
            Its number: random, so that it says nothing of the client.

        Raises
        ------
        AccessDenied
            If this user may not write questionnaires, or not those of the safety channel.
        NotInRecord
            If there is no such client, relationship or goal for this user.
        Conflict
            If the number was used already.
        StoreError
            If it asks for nothing but safety screens.
        """
        asking_id = new_asking_id() if asking_id is None else asking_id
        if not _ASKING_ID.fullmatch(asking_id):
            raise StoreError(
                "The number of a request has 24 hexadecimal digits. Leave it out to have one generated."
            )
        if all(sheet.channel == "safety" for sheet in sheets):
            raise StoreError(
                "Safety screens are sent together with something else, so that the request itself does not reveal "
                "them. Add a questionnaire, such as checkin."
            )
        with self._audited("asking", client_id, logged=False), engines.writing(self._engine) as connection:
            self._scope.require_writer(Administration)
            self._require_targets(connection, client_id, sheets)
            if any(sheet.channel == "safety" for sheet in sheets):
                self._scope.require("safety:read")
            head = {
                "asking_id": asking_id,
                "client_id": client_id,
                "language": language,
                "made_at": datetime.now(UTC),
                "made_by": self._scope.who,
                "expires_at": expires_at,
                "reminders": 0,
            }
            used = select(t.asking.c.asking_id).where(t.asking.c.asking_id == asking_id)
            if connection.execute(used).first() is not None:
                raise Conflict("This request already exists; nothing was created twice.")
            connection.execute(insert(t.asking), head)
            rows = [
                {
                    **{each.name: getattr(sheet, each.name) for each in fields(sheet)},
                    "asking_id": asking_id,
                    "place": place,
                    "wording": self._keep_wording(connection, sheet.wording),
                }
                for place, sheet in enumerate(sheets)
            ]
            connection.execute(insert(t.asked_sheet), rows)
            append(connection, [self.audit.line("asking made", subject=client_id, asking=asking_id)])
        return asking_id

    def askings(self, client_id: str | None = None) -> pl.DataFrame:
        """Give the askings of a client, or of everybody: what, when, and how far it has come; the newest last.

        Screens of the safety channel are left out without the permission.

        Returns
        -------
        polars.DataFrame
            asking_id, client_id, language, made_at, made_by, expires_at, opened_at, begun_at, answered_at,
            stopped_at, withdrawn_at, collected_at, reminders, reminded_at, instruments (a list).
        """
        a, s = t.asking.c, t.asked_sheet.c
        with self._audited("askings", client_id):
            self._scope.require_reader("administrations")
            whose = self._scope.reaches(a.client_id)
            whose += [a.client_id == client_id] if client_id is not None else []
            visible = [] if self._scope.may_read("safety_flags") else [s.channel == "care"]
            with self._reading() as connection:
                heads = fetch(connection, select(t.asking).where(*whose))
                if heads.is_empty():
                    return heads.with_columns(pl.Series("instruments", [], pl.List(pl.String)))
                sheets = fetch(
                    connection,
                    select(s.asking_id, s.place, s.instrument).join(t.asking).where(*whose, *visible),
                )
        listed = sheets.sort("asking_id", "place").group_by("asking_id", maintain_order=True)
        kept = listed.agg(pl.col("instrument").alias("instruments"))
        return heads.join(kept, on="asking_id").sort("made_at", "asking_id")

    def asked_sheets(self, asking_id: str) -> tuple[str, list[AskedSheet]]:
        """Give whose an asking is, and its sheets with the words that were shown. For the operator.

        Raises
        ------
        NotInRecord
            If there is no such asking.
        """
        self._require_collector("askings")
        s, w = t.asked_sheet.c, t.asked_wording.c
        columns = (s.instrument, s.version, s.form, s.coding, s.channel, w.content, s.target)
        query = select(*columns).join(t.asked_wording).where(s.asking_id == asking_id)
        with self._reading() as connection:
            owner = connection.execute(
                select(t.asking.c.client_id).where(t.asking.c.asking_id == asking_id)
            ).scalar()
            rows = connection.execute(query.order_by(s.place)).all()
        if owner is None:
            raise NotInRecord(f"There is no request '{asking_id}' on record.")
        return owner, [AskedSheet(*row) for row in rows]

    def note_progress(self, asking_id: str, moments: Mapping[str, datetime | None], *, collected: bool) -> bool:
        """Note how far an asking has come; says whether the record has it. For the operator.

        Parameters
        ----------
        asking_id : str
            Which.
        moments : mapping
            ``opened_at``, ``begun_at``, ``answered_at``, ``stopped_at`` and ``withdrawn_at``, as far as known.
        collected : bool
            Whether its answers are on record from now on.
        """
        self._require_collector("askings")
        values: dict[str, Any] = {name: moments[name] for name in _MOMENTS if moments.get(name) is not None}
        c = t.asking.c
        query = select(c.collected_at, *(c[name] for name in _MOMENTS)).where(c.asking_id == asking_id)
        with self._reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return False
        if values.get("stopped_at") is not None:
            # from when on it is known here: whoever asked in between did not know
            values["stopped_at"] = row["stopped_at"] or datetime.now(UTC)
        if collected and row["collected_at"] is None:
            values["collected_at"] = datetime.now(UTC)
        if all(row[name] == value for name, value in values.items()):
            return True  # nothing new: nobody waits for a writer
        with engines.writing(self._engine) as connection:
            done = connection.execute(update(t.asking).where(c.asking_id == asking_id).values(values))
        return done.rowcount == 1

    def note_reminder(self, asking_id: str, *, sent_before: int, undo: bool = False) -> bool:
        """Note that a reminder is about to be given to the mail server. For the operator.

        Parameters
        ----------
        asking_id : str
            Of which asking.
        sent_before : int
            How many there were before this one.
        undo : bool
            Take the note back: the server refused it.

        Returns
        -------
        bool
            Whether it was noted; else somebody else has done so.
        """
        self._require_collector("askings")
        c = t.asking.c
        before, after = (sent_before + 1, sent_before) if undo else (sent_before, sent_before + 1)
        with engines.writing(self._engine) as connection:
            change = update(t.asking).where(c.asking_id == asking_id, c.reminders == before)
            moment = None if undo else datetime.now(UTC)
            return connection.execute(change.values(reminders=after, reminded_at=moment)).rowcount == 1

    def withdraw_asking(self, asking_id: str) -> None:
        """End an asking.

        Raises
        ------
        NotInRecord
            If there is none for this user.
        Conflict
            If it was answered.
        """
        c = t.asking.c
        with self._audited("asking", None, logged=False), engines.writing(self._engine) as connection:
            self._scope.require_writer(Administration)
            query = select(c.client_id, c.answered_at).where(
                c.asking_id == asking_id, *self._scope.reaches(c.client_id)
            )
            row = connection.execute(query).first()
            if row is None:
                raise NotInRecord(f"There is no request '{asking_id}' on record.")
            if row.answered_at is not None:
                raise Conflict(f"The request '{asking_id}' has already been answered.")
            now = datetime.now(UTC)
            change = update(t.asking).where(c.asking_id == asking_id, c.withdrawn_at.is_(None))
            connection.execute(change.values(withdrawn_at=now))
            append(connection, [self.audit.line("asking withdrawn", subject=row.client_id, asking=asking_id)])

    def has_stopped_askings(self, client_id: str) -> bool:
        """Say whether the client wanted no more askings, and was not asked since."""
        c = t.asking.c
        with self._audited("askings", client_id, logged=False):
            self._scope.require_reader("administrations")
            with self._reading() as connection:
                query = select(func.max(c.stopped_at), func.max(c.made_at)).where(
                    c.client_id == client_id, *self._scope.reaches(c.client_id)
                )
                stopped, made = connection.execute(query).one()
        return stopped is not None and stopped > made

    def asking_public_key(self, new: AskingKeys) -> str:
        """Give the key that answers are sealed with; ``new`` is kept where there is none yet."""
        with self._audited("asking", None, logged=False), engines.writing(self._engine) as connection:
            self._scope.require_writer(Administration)
            c = t.asking_key.c
            public = connection.execute(select(c.public).order_by(c.made_at.desc()).limit(1)).scalar()
            if public is None:
                row = {"public": new.public, "private": new.private, "made_at": datetime.now(UTC)}
                connection.execute(insert(t.asking_key), row)
        return public or new.public

    def asking_keys(self) -> list[AskingKeys]:
        """Give the keys that open answers, the newest first. For the operator."""
        self._require_collector("asking keys")
        c = t.asking_key.c
        with self._reading() as connection:
            rows = connection.execute(select(c.public, c.private).order_by(c.made_at.desc())).all()
        return [AskingKeys(*row) for row in rows]

    def _require_collector(self, what: str) -> None:
        with self._audited(what, None, logged=False):
            if self._scope.user is not None or self._scope.masked:
                raise AccessDenied(
                    f"{self._scope.who} may not collect answers: that is done by the clinic's own timer."
                )

    def _require_targets(self, connection: Connection, client_id: str, sheets: Sequence[AskedSheet]) -> None:
        c, r = t.client.c, t.relationship.c
        known = connection.execute(
            select(c.client_id).where(c.client_id == client_id, *self._scope.reaches(c.client_id))
        )
        if known.scalar() is None:
            raise NotInRecord(f"There is no client '{client_id}' on record. Add the client first.")
        relationship_ids = set(
            connection.execute(select(r.relationship_id).where(r.client_id == client_id)).scalars()
        )
        goals = set(connection.execute(select(t.goal.c.goal_id).where(t.goal.c.client_id == client_id)).scalars())
        for sheet in sheets:
            if sheet.instrument == GOAL:
                if sheet.target not in goals:
                    raise NotInRecord(f"{client_id} has no goal '{sheet.target}' on record.")
            elif sheet.target != "self" and sheet.target not in relationship_ids:
                listed = ", ".join(sorted(relationship_ids)) or "there is none yet"
                raise NotInRecord(f"{client_id} has no relationship '{sheet.target}' on record; {listed}.")

    def _keep_wording(self, connection: Connection, content: str) -> str:
        digest = hashlib.sha256(content.encode()).hexdigest()
        c = t.asked_wording.c
        if connection.execute(select(c.digest).where(c.digest == digest)).scalar() is None:
            connection.execute(insert(t.asked_wording), {"digest": digest, "content": content})
        return digest


def new_asking_id() -> str:
    """Make the number of an asking: random, so that it says nothing of the client."""
    return secrets.token_hex(12)
