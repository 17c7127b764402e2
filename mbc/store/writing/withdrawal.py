"""How a questionnaire is taken out that should not be on record: a version without answers supersedes it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from mbc.errors import Conflict, NotInRecord
from mbc.store.access.roles import Scope
from mbc.store.schema import tables as t
from mbc.store.schema.records import WITHDRAWN
from mbc.store.writing.administration_batch import Completed

_LARGEST = 2**63


def withdrawal_of(connection: Connection, scope: Scope, administration_id: int, *, client_id: str) -> Completed:
    """Make the version that takes an administration out: the same occasion, and no answers.

    Raises
    ------
    NotInRecord
        If the client has no such administration for this user.
    Conflict
        If it was superseded, or is already withdrawn.
    """
    c = t.administration.c
    absent = NotInRecord(
        f"{client_id} has no questionnaire with the number {administration_id} on record. 'mbc client history "
        f"{client_id}' shows the numbers."
    )
    if not 0 <= administration_id < _LARGEST:
        raise absent
    named = (c.administration_id == administration_id, c.client_id == client_id)
    row = (
        connection.execute(select(t.administration).where(*named, *scope.reaches(c.client_id))).mappings().first()
    )
    if row is None or (row["channel"] == "safety" and not scope.has_permission("safety:read")):
        raise absent
    if row["version"] == WITHDRAWN:
        raise Conflict(f"Number {administration_id} is itself a withdrawal and cannot be withdrawn.")
    after = connection.execute(
        select(c.administration_id, c.version).where(c.supersedes == administration_id)
    ).first()
    if after is not None and after.version == WITHDRAWN:
        raise Conflict(f"Questionnaire {administration_id} of {client_id} is already withdrawn.")
    if after is not None:
        raise Conflict(
            f"Questionnaire {administration_id} of {client_id} was corrected by {after.administration_id}. "
            "Withdraw the newest version."
        )
    return _without_answers(row)


def _without_answers(row: Any) -> Completed:
    return Completed(
        client_id=[row["client_id"]],
        instrument=[row["instrument"]],
        taken_on=[row["taken_on"]],
        answers=[()],
        totals=[()],
        version=[WITHDRAWN],
        form=[None],
        coding=[None],
        informant=[row["informant"]],
        target=[row["relationship_id"] or "self"],
        taken_at=[row["taken_at"]],
        session_number=[None],
        episode_id=[row["episode_id"]],
        channel=[row["channel"]],
        flags=[()],
        source_line=[None],
    )
