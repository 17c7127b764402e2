"""How safety flags are answered: acknowledged, with what was done, and looked at by a second person."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, select, update

from mbc.errors import NotInRecord
from mbc.store.schema import records
from mbc.store.schema import tables as t
from mbc.store.schema.digests import key_of
from mbc.store.schema.validation import check_text, is_id
from mbc.store.writing import ownership as belonging
from mbc.store.writing import seals as sealing
from mbc.store.writing.record_additions import RecordAdditions
from mbc.store.writing.result import Outcome


class FlagAnswers(RecordAdditions):
    """The part of a transaction that answers safety flags: for everybody with the permission, writer or not."""

    def acknowledge(
        self, administration_id: int, item: str, *, action: str | None = None, on: date | None = None
    ) -> None:
        """Say that a safety flag was seen, and what was done. The first acknowledgement stays.

        Parameters
        ----------
        administration_id : int
        item : str
        action : str, optional
            What was done; the pages ask for it. `respond` corrects it.
        on : date, optional
            The day of what was done; needed with ``action``.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        NotInRecord
            If there is no such open flag for this user.
        """
        client_id = self._client_of_flag(administration_id, item, acknowledged=False)
        belonging.require_first_person(self._connection, administration_id, item, self._by)
        self._connection.execute(
            update(t.safety_flag)
            .where(*_named(administration_id, item, acknowledged=False))
            .values(acknowledged_by=self._by, acknowledged_at=self._now, acknowledged_entry_id=self._entry_id())
        )
        self._known.load(self._connection, [client_id])
        key = key_of(self._known.secret(client_id))
        leaf = sealing.acknowledgement_leaf(key, administration_id, item, self._by, self._now)
        self._seal.add(sealing.ACKNOWLEDGEMENTS, leaf)
        self._counts["safety"]["acknowledged"] += 1
        self._clients["safety"].add(client_id)
        if action is not None:
            self.respond(administration_id, item, action, on=on)

    def respond(
        self,
        administration_id: int,
        item: str,
        action: str,
        *,
        on: date | None = None,
        supersede: str | None = None,
    ) -> Outcome:
        """Say what was done about an acknowledged safety flag, or correct it with a reason.

        Whoever may acknowledge a flag may say so, whether or not they write other entries.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        NotInRecord
            If there is no such acknowledged flag for this user.
        Conflict
            If something else is on record, and no reason to correct it is given.
        """
        client_id = self._client_of_flag(administration_id, item, acknowledged=True)
        made = records.FlagResponse(administration_id, item, client_id, on or self._now.date(), action)
        return self._add_of_flag(made, supersede)

    def confirm(self, administration_id: int, item: str, *, on: date | None = None) -> Outcome:
        """Say, as the second person, that an acknowledged safety flag was looked at again.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        NotInRecord
            If there is no such acknowledged flag for this user.
        Conflict
            If it was this user who acknowledged it, or somebody has confirmed it on another day.
        """
        client_id = self._client_of_flag(administration_id, item, acknowledged=True)
        return self._add_of_flag(
            records.SecondReview(administration_id, item, client_id, on or self._now.date()), None
        )

    def _client_of_flag(self, administration_id: int, item: str, *, acknowledged: bool) -> str:
        """Give whose a flag is; raise where there is none for this user."""
        self._scope.require("safety:read")
        state = "acknowledged" if acknowledged else "open"
        if not (is_id(item) and 0 <= administration_id < 2**63):  # what a browser sends is only a claim
            raise NotInRecord(f"There is no such {state} flag.")
        owner = t.safety_flag.c.client_id
        named = _named(administration_id, item, acknowledged=acknowledged)
        query = select(owner).where(*named, *self._scope.reaches(owner))
        if not acknowledged:
            query = query.with_for_update()  # of two who acknowledge it at once, the second meets no open flag
        client_id = self._connection.execute(query).scalar()
        if client_id is None:
            raise NotInRecord(f"There is no {state} flag on item '{item}' of administration {administration_id}.")
        self._name([client_id])
        return client_id

    def _add_of_flag(self, record: records.FlagResponse | records.SecondReview, supersede: str | None) -> Outcome:
        reason = None if supersede is None else check_text("supersede", supersede)
        (outcome,) = self._add_entities(type(record), "safety", [record], reason)
        self._count(type(record), [(outcome, "safety")])
        return outcome


def _named(administration_id: int, item: str, *, acknowledged: bool) -> tuple[ColumnElement[bool], ...]:
    c = t.safety_flag.c
    state = c.acknowledged_at.is_not(None) if acknowledged else c.acknowledged_at.is_(None)
    return c.administration_id == administration_id, c.item == item, state
