"""How the record is laid out: narrow tables, the same on SQLite and PostgreSQL.

::

    entry ──< every row: who wrote it, when (UTC), from which file
    clinician ──< client ──< episode ──< therapy_session
                     ├──< relationship ──< relationship_status
                     ├──< administration ──< answer | total | safety_flag
                     ├──< goal ──< goal_rating
                     ├──< event
                     ├──< signal ──< signal_answer
                     └──< homework, small_win, conflict ...: see mbc.store.schema.kinds
    earlier               what a changed or withdrawn row said before, with who changed it, when and why
    account ──< account_permission, supervision, second_factor, recovery_code, passkey,
                  provider_account
    setting               what the clinic decided
    release               what was published of a period, frozen
    asking ──< asked_sheet   what a client is asked on their own device; the answers come as administrations
    asked_wording         the wording of each sheet as it was when asked
    asking_key            opens what clients have sealed
    audit                 who did what, when, from where: a hash chain
    tombstone ──< erased  what a legal erasure took out: numbers and keyed digests, nobody's name
    definition            definition files of the clinic's own questionnaires, as they were when answers came in
    score_set ──< score   scores worked out from the answers: a cache that can be dropped
    clinic_model          models fitted to everybody's scores, holding nobody's: another cache

Answers are rows of (administration, item, value): a new questionnaire needs no migration. Administrations and
their answers are only ever added: a correction is a new administration whose ``supersedes`` names the old one.
Each client has a secret that keys every digest made of what is theirs: it goes with the client, and what is left
of the digests then tells nobody anything.
"""

from __future__ import annotations

from sqlalchemy import Table

from mbc.store.schema.column_types import metadata
from mbc.store.schema.tables.account_tables import (
    account,
    account_permission,
    passkey,
    provider_account,
    recovery_code,
    second_factor,
    setting,
    sign_in_attempt,
    supervision,
)
from mbc.store.schema.tables.asking_tables import asked_sheet, asked_wording, asking, asking_key
from mbc.store.schema.tables.care_tables import (
    client,
    clinician,
    earlier,
    entry,
    episode,
    event,
    goal,
    goal_rating,
    relationship,
    relationship_status,
    therapy_session,
)
from mbc.store.schema.tables.common_columns import client_link, entry_column, of_this_client
from mbc.store.schema.tables.evidence_tables import audit, erased, erasing, release, tombstone
from mbc.store.schema.tables.questionnaire_tables import (
    administration,
    answer,
    clinic_model,
    definition,
    safety_flag,
    score,
    score_set,
    total,
)

__all__ = [
    "Table",
    "account",
    "account_permission",
    "administration",
    "answer",
    "asked_sheet",
    "asked_wording",
    "asking",
    "asking_key",
    "audit",
    "client",
    "client_link",
    "clinic_model",
    "clinician",
    "definition",
    "earlier",
    "entry",
    "entry_column",
    "episode",
    "erased",
    "erasing",
    "event",
    "goal",
    "goal_rating",
    "metadata",
    "of_this_client",
    "passkey",
    "provider_account",
    "recovery_code",
    "relationship",
    "relationship_status",
    "release",
    "safety_flag",
    "score",
    "score_set",
    "second_factor",
    "setting",
    "sign_in_attempt",
    "supervision",
    "therapy_session",
    "tombstone",
    "total",
]
