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

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
)

from mbc.store.schema.column_types import Id, Number, UtcDateTime, metadata


def _number(name: str, *constraints: ForeignKey, **options: Any) -> Column[int]:
    return Column(name, Number, *constraints, **options)


def entry_column() -> Column[int]:
    """Say which entry wrote a row."""
    return Column("entry_id", Number, ForeignKey("entry.entry_id"), nullable=False)


def _client() -> Column[str]:
    return Column("client_id", Id, ForeignKey("client.client_id"), nullable=False)


def client_link() -> ForeignKeyConstraint:
    """Say that the client of a row must exist."""
    return ForeignKeyConstraint(["client_id"], ["client.client_id"])


def of_this_client(table: str, column: str) -> ForeignKeyConstraint:
    """Say that the pair must exist: an episode or relationship of somebody else cannot be named."""
    return ForeignKeyConstraint(["client_id", column], [f"{table}.client_id", f"{table}.{column}"])


entry = Table(
    "entry",
    metadata,
    _number("entry_id", primary_key=True),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("recorded_by", String(64), nullable=False),
    Column("source_kind", Text),
    Column("source_name", Text),
    Column("source_sha256", String(64)),
    sqlite_autoincrement=True,
)

clinician = Table(
    "clinician",
    metadata,
    Column("clinician_id", Id, primary_key=True),
    Column("display_name", Text, nullable=False),
    entry_column(),
)

client = Table(
    "client",
    metadata,
    Column("client_id", Id, primary_key=True),
    Column("alias", Text),
    Column("clinician_id", Id, ForeignKey("clinician.clinician_id"), index=True),
    Column("registered_on", Date),
    Column("status", Text, nullable=False),
    Column(
        "secret", String(64), nullable=False, server_default=""
    ),  # hexadecimal; keys the digests of this client
    entry_column(),
)

episode = Table(
    "episode",
    metadata,
    Column("episode_id", Id, primary_key=True),
    _client(),
    Column("clinician_id", Id, ForeignKey("clinician.clinician_id")),
    Column("referred_on", Date),
    Column("started_on", Date),
    Column("ended_on", Date),
    Column("ending", Text),
    entry_column(),
    UniqueConstraint("client_id", "episode_id"),
)

relationship = Table(
    "relationship",
    metadata,
    Column("relationship_id", Id, primary_key=True),
    _client(),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=False),
    entry_column(),
    UniqueConstraint("client_id", "relationship_id"),
    UniqueConstraint("client_id", "label"),
)

relationship_status = Table(
    "relationship_status",
    metadata,
    _number("status_id", primary_key=True),
    _client(),
    Column("relationship_id", Id),
    Column("status", String(16), nullable=False),
    Column("since", Date, nullable=False),
    entry_column(),
    Column("step_forward", Boolean),  # of a relationship that ends; NULL: nobody said
    of_this_client("relationship", "relationship_id"),
    sqlite_autoincrement=True,
)
# one status a day for each relationship, and one for the person (no relationship): NULLs compare as equal here
Index(
    "uq_relationship_status_day",
    relationship_status.c.client_id,
    func.coalesce(relationship_status.c.relationship_id, ""),
    relationship_status.c.since,
    unique=True,
)

therapy_session = Table(
    "therapy_session",
    metadata,
    Column("episode_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("client_id", Id, nullable=False),
    Column("held_on", Date, nullable=False),
    Column("attended", Boolean, nullable=False),
    Column("modality", Text),
    entry_column(),
    of_this_client("episode", "episode_id"),
    Index("ix_therapy_session_client_id", "client_id"),
)

administration = Table(
    "administration",
    metadata,
    _number("administration_id", primary_key=True),
    _client(),
    Column("episode_id", Id),
    Column("relationship_id", Id),  # NULL: the answers are about the client ("self")
    Column("instrument", Id, nullable=False),
    Column("version", Id, nullable=False),
    Column("form", Id),
    Column("coding", Id),
    Column("informant", Id, nullable=False),
    Column("taken_on", Date, nullable=False),
    Column("taken_at", UtcDateTime),
    Column("session_number", Integer),
    Column("channel", String(8), nullable=False),
    Column("occasion", String(64), nullable=False),  # digest of the natural key
    Column("revision", Integer, nullable=False),  # 0, then 1 for the first correction, ...
    Column("content", String(64), nullable=False),  # digest of everything the client or clinic handed in
    Column("supersedes", Number, ForeignKey("administration.administration_id")),
    Column("reason", Text),
    Column("source_line", Integer),
    entry_column(),
    of_this_client("episode", "episode_id"),
    of_this_client("relationship", "relationship_id"),
    UniqueConstraint("occasion", "revision"),  # two writers cannot both be first, or both correct the same
    CheckConstraint("channel IN ('care', 'safety')", name="channel"),
    CheckConstraint("(supersedes IS NULL) = (revision = 0)", name="revision"),
    Index("ix_administration_client_id_instrument", "client_id", "instrument"),
    Index("ix_administration_instrument", "instrument"),
    sqlite_autoincrement=True,
)
# corrections are few: a partial index keeps "is there a later version?" out of every other row's way
Index(
    "uq_administration_supersedes",
    administration.c.supersedes,
    unique=True,
    sqlite_where=administration.c.supersedes.is_not(None),
    postgresql_where=administration.c.supersedes.is_not(None),
)


def _administration() -> Column[int]:
    return Column(
        "administration_id",
        Number,
        ForeignKey("administration.administration_id"),
        primary_key=True,
        autoincrement=False,
    )


answer = Table(
    "answer",
    metadata,
    _administration(),
    Column("item", Integer, primary_key=True, autoincrement=False),  # position in the form, from 1
    Column("value", Double),  # NULL is a blank
    sqlite_with_rowid=False,
)

total = Table(
    "total",
    metadata,
    _administration(),
    Column("scale", Id, primary_key=True),
    Column("score", Double, nullable=False),
    sqlite_with_rowid=False,
)

safety_flag = Table(
    "safety_flag",
    metadata,
    _administration(),
    Column("item", Id, primary_key=True),
    _client(),
    Column("instrument", Id, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("raised_on", Date, nullable=False),
    Column("acknowledged_by", String(64)),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_entry_id", Number),
    entry_column(),
    Index("ix_safety_flag_client_id", "client_id"),
)

goal = Table(
    "goal",
    metadata,
    Column("goal_id", Id, primary_key=True),
    _client(),
    Column("label", Text, nullable=False),
    Column("baseline", Double),
    Column("target", Double),
    Column("higher_is_better", Boolean, nullable=False),
    Column("set_on", Date, nullable=False),
    Column("retired_on", Date),
    Column("retired_reason", Text),
    Column("scale", Id),  # whose points the target is in; NULL: the goal has ratings of its own
    entry_column(),
    Column("pattern", String(32)),  # that it is to change, across relationships
    Index("ix_goal_client_id", "client_id"),
)

goal_rating = Table(
    "goal_rating",
    metadata,
    Column("goal_id", Id, ForeignKey("goal.goal_id"), primary_key=True),
    Column("rated_on", Date, primary_key=True),
    Column("rating", Double, nullable=False),
    entry_column(),
)

event = Table(
    "event",
    metadata,
    Column("event_id", Id, primary_key=True),
    _client(),
    Column("occurred_on", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("valence", String(8), nullable=False),
    entry_column(),
    Index("ix_event_client_id", "client_id"),
)

earlier = Table(
    "earlier",
    metadata,
    _number("earlier_id", primary_key=True),
    Column("kind", String(32), nullable=False),  # the table
    Column("key", Text, nullable=False),
    Column("content", Text, nullable=False),  # the row before the change, as JSON
    Column("reason", Text, nullable=False),
    Column("client_id", Id),  # whose; NULL: a clinician's
    Column("replaced_entry_id", Number),  # which entry had written `content`; NULL: before anybody kept that
    entry_column(),  # who replaced it, and when
    Column("withdrawn", Boolean),  # TRUE: entered in error, and nothing came in its place
    Index("ix_earlier_kind_key", "kind", "key"),
    Index("ix_earlier_client_id", "client_id"),
    sqlite_autoincrement=True,
)

account = Table(
    "account",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("clinician_id", Id, ForeignKey("clinician.clinician_id")),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),  # password, role or state: older sign-ins end
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
)

account_permission = Table(
    "account_permission",
    metadata,
    Column("username", String(64), ForeignKey("account.username"), primary_key=True),
    Column("permission", String(32), primary_key=True),
)

supervision = Table(
    "supervision",
    metadata,
    Column("username", String(64), ForeignKey("account.username"), primary_key=True),
    Column("clinician_id", Id, ForeignKey("clinician.clinician_id"), primary_key=True),
)

second_factor = Table(
    "second_factor",
    metadata,
    Column("username", String(64), ForeignKey("account.username"), primary_key=True),
    Column("secret", String(64), nullable=False),  # base32, as the user's app has it
    Column("added_at", UtcDateTime, nullable=False),
    _number("last_step", nullable=False),  # of the code that was used last: no code is taken twice
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("username", String(64), ForeignKey("account.username"), primary_key=True),
    Column("code", String(64), primary_key=True),  # a digest; the row goes when the code is used
)

setting = Table(  # what a clinic decided; each change is a line of the audit log
    "setting",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),  # JSON
)

release = Table(  # what was published of a period; triggers keep it as it is
    "release",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("content", Text, nullable=False),  # JSON: the published figures and their rules
    Column("sha256", String(64), nullable=False),
    Column("counted", Text, nullable=False),  # JSON: keyed digests of the episodes that were counted
)

sign_in_attempt = Table(  # failed sign-ins of late, by account and address
    "sign_in_attempt",
    metadata,
    Column("username", String(64), primary_key=True),  # empty: an account that does not exist
    Column("address", String(64), primary_key=True),  # empty: from anywhere
    Column("since", UtcDateTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("paused_until", UtcDateTime),
    Column("notified_at", UtcDateTime),  # when the clinic was written to about this pause
)

provider_account = Table(  # who signs in through the clinic's own directory, as an administrator has said
    "provider_account",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("username", String(64), ForeignKey("account.username"), nullable=False),
    UniqueConstraint("username", "issuer"),
)

passkey = Table(
    "passkey",
    metadata,
    Column("passkey_id", String(64), primary_key=True),  # digest of the credential's own id
    Column("username", String(64), ForeignKey("account.username"), nullable=False),
    Column("credential", Text, nullable=False),  # base64url
    Column("public_key", Text, nullable=False),  # COSE, base64url
    _number("uses", nullable=False),  # as the authenticator counts them: a copy would count anew
    Column("label", String(64), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Index("ix_passkey_username", "username"),
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(64), nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text),  # a client, an account, a file
    Column("detail", Text, nullable=False),  # JSON
    Column("origin", Text, nullable=False),  # where from: an address, or the command line
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),  # covers `mark`, not the two fields that may name somebody
    Column("salt", String(64)),  # NULL: an erasure took out what named somebody
    Column("mark", String(64), nullable=False, server_default=""),  # digest of salt, subject and detail as written
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("tombstone_id", Id, primary_key=True),  # random
    Column("erased_at", UtcDateTime, nullable=False),
    Column("erased_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("counts", Text, nullable=False),  # JSON: how many rows of what
    Column("salt", String(64), nullable=False),
    Column("client", String(64), nullable=False),  # keyed digest of the identifier, so that it is not taken again
)

erased = Table(
    "erased",
    metadata,
    _number("erased_id", primary_key=True),
    Column("tombstone_id", Id, ForeignKey("tombstone.tombstone_id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("administration_id", Number),
    Column("leaf", String(64), nullable=False),  # the row's part of its entry's seal
    entry_column(),
    sqlite_autoincrement=True,
)

# A row here lifts the triggers for one client; nobody can commit one, since no entry has the number 0.
erasing = Table(
    "erasing",
    metadata,
    Column("client_id", Id, primary_key=True),
    Column(
        "until_commit",
        Number,
        ForeignKey("entry.entry_id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    CheckConstraint("until_commit = 0", name="until_commit"),
)

definition = Table(
    "definition",
    metadata,
    Column("instrument", Id, primary_key=True),
    _number("entry_id", ForeignKey("entry.entry_id"), primary_key=True, autoincrement=False),
    Column("version", Id, nullable=False),
    Column("text", Text, nullable=False),  # the definition file, as it was when answers were recorded
    Column("channel", String(8), nullable=False),
    Column("rule", Text, nullable=False),  # JSON: what decides channel and flags
    Column("raises_flags", Boolean, nullable=False),
    CheckConstraint("channel IN ('care', 'safety')", name="channel"),
)

score_set = Table(
    "score_set",
    metadata,
    _number("set_id", primary_key=True),
    Column("instrument", Id, nullable=False),
    Column("scale", Id, nullable=False),
    Column("version", Id, nullable=False),
    Column("definition", String(64), nullable=False),  # digest of what the scores were worked out with
    Column("made_at", UtcDateTime, nullable=False),
    UniqueConstraint("instrument", "scale", "definition"),
    sqlite_autoincrement=True,
)

score = Table(
    "score",
    metadata,
    _administration(),
    Column("set_id", Number, ForeignKey("score_set.set_id"), primary_key=True, autoincrement=False),
    Column("score", Double),
    Column("answered", Integer),
    Column("prorated", Boolean),
    Column("band", Text),
    Column("maximum", Double),
    Column("recorded", Boolean, nullable=False),
    Column("digest", String(64)),  # keyed with a secret outside the record: a score that was edited does not count
    Index("ix_score_set_id", "set_id"),
    sqlite_with_rowid=False,
)

clinic_model = Table(  # fitted to everybody's scores, holding nobody's: see mbc.store.reading.model_cache
    "clinic_model",
    metadata,
    Column("instrument", Id, primary_key=True),
    Column("scale", Id, primary_key=True),
    Column("made_at", UtcDateTime),
    Column("made_on", Date),
    Column("revision", String(64)),  # state of the care channel that it was fitted to
    Column("definition", String(64)),  # digest of the questionnaire's definition
    Column("content", Text),  # JSON; NULL: it is being made for the first time
    Column("digest", String(64)),  # keyed with a secret outside the record: a model that was edited does not count
    Column("claimed_until", UtcDateTime),  # a process is fitting it
)

asking = Table(  # what a client is asked on their own device, and how far it has come
    "asking",
    metadata,
    Column("asking_id", Id, primary_key=True),  # random
    _client(),
    Column("language", String(35), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime),
    Column("begun_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("stopped_at", UtcDateTime),  # the client asked for no more of them
    Column("withdrawn_at", UtcDateTime),  # by the clinic
    Column("collected_at", UtcDateTime),
    Column("reminders", Integer, nullable=False),
    Column("reminded_at", UtcDateTime),  # when the last message was given to the mail server
    Index("ix_asking_client_id", "client_id"),
)

asked_wording = Table(  # nobody's: the same for everybody who is asked in the same words
    "asked_wording",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", Text, nullable=False),  # JSON
)

asked_sheet = Table(
    "asked_sheet",
    metadata,
    Column("asking_id", Id, ForeignKey("asking.asking_id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("instrument", Id, nullable=False),
    Column("version", Id, nullable=False),
    Column("form", Id, nullable=False),
    Column("coding", Id, nullable=False),
    Column("target", Id, nullable=False),  # "self", or the relationship
    Column("channel", String(8), nullable=False),
    Column("wording", String(64), ForeignKey("asked_wording.digest"), nullable=False),
    CheckConstraint("channel IN ('care', 'safety')", name="channel"),
)

asking_key = Table(
    "asking_key",
    metadata,
    Column("public", String(64), primary_key=True),  # hexadecimal
    Column("private", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)
