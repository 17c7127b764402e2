"""Every kind of record but the questionnaires, declared once: where it is kept, what names it, who may read it.

From a declaration follow the table of a kind of entry, who may read and write it, its part of the seals,
what an erasure takes out, its file in an export, and how it is imported again. A new kind of entry is a record in
`mbc.store.schema.entries`, a line here, and a migration.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Index, Table, UniqueConstraint

from mbc.store.schema import entries, records, safety_entries
from mbc.store.schema import tables as t
from mbc.store.schema.column_types import metadata
from mbc.store.schema.field_types import columns_of, typed_texts
from mbc.store.schema.records import Channel
from mbc.store.schema.safety_rules import SAFETY_EVENT, is_safety_event


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind of record is kept, and what names one of them."""

    record: type
    table: Table
    key: tuple[str, ...]
    noun: str
    words: str  # for several of them
    reader: str  # method of the store, and file of an export
    texts: tuple[str, ...]  # what somebody typed
    channel: Channel = "care"

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns, in the order of the record's fields."""
        return tuple(field.name for field in fields(self.record))

    @property
    def portable(self) -> bool:
        """Whether its rows mean the same in another record: numbers of questionnaires do not."""
        return "administration_id" not in self.columns

    @property
    def day(self) -> str | None:
        """The column that says when it was; None where it has none."""
        return next((name for name in self.columns if name.endswith("_on") or name == "since"), None)


_OF_THIS_CLIENT = {"relationship_id": "relationship", "signal_id": "signal"}


def _entry_kind(
    record: type, key: tuple[str, ...], noun: str, words: str, reader: str, *, channel: Channel = "care"
) -> Kind:
    """Declare a kind whose table follows from its record."""
    table = Table(noun.replace(" ", "_"), metadata, *columns_of(record, key), t.entry_column(), t.client_link())
    for column, other in _OF_THIS_CLIENT.items():
        # A row of the safety channel holds none of the care channel back: that it cannot be withdrawn would tell.
        if column in table.c and table.name != other and channel == "care":
            table.append_constraint(t.of_this_client(other, column))
    if "administration_id" in table.c:  # of a flag
        table.append_constraint(
            ForeignKeyConstraint(
                ["administration_id", "item"], ["safety_flag.administration_id", "safety_flag.item"]
            )
        )
    if key[0] != "client_id":
        Index(f"ix_{table.name}_client_id", table.c.client_id)
    if table.name in _OF_THIS_CLIENT.values():  # others point to it together with its client
        table.append_constraint(UniqueConstraint("client_id", key[0]))
    return Kind(record, table, key, noun, words, reader, typed_texts(record), channel)


_RECORDS = (
    Kind(
        records.Clinician, t.clinician, ("clinician_id",), "clinician", "clinicians", "clinicians",
        ("display_name",),
    ),
    Kind(records.Client, t.client, ("client_id",), "client", "clients", "clients", ("alias",)),
    Kind(records.Episode, t.episode, ("episode_id",), "episode", "episodes", "episodes", ("ending",)),
    Kind(
        records.Relationship, t.relationship, ("relationship_id",), "relationship", "relationships",
        "relationships", ("label", "kind"),
    ),
    Kind(
        records.RelationshipStatus, t.relationship_status, ("client_id", "relationship_id", "since"), "status",
        "relationship statuses", "statuses", (),
    ),
    Kind(
        records.Session, t.therapy_session, ("episode_id", "number"), "session", "sessions", "sessions",
        ("modality",),
    ),
    Kind(records.Goal, t.goal, ("goal_id",), "goal", "goals", "goals", ("label", "retired_reason")),
    Kind(
        records.GoalRating, t.goal_rating, ("goal_id", "rated_on"), "goal rating", "goal ratings",
        "goal_ratings", (),
    ),
    Kind(records.Event, t.event, ("event_id",), "event", "events", "events", ("kind", "label")),
)  # fmt: skip

ENTRIES = (
    _entry_kind(entries.Homework, ("homework_id",), "homework", "homework", "homework"),
    _entry_kind(entries.SmallWin, ("win_id",), "small win", "small wins", "small_wins"),
    _entry_kind(entries.RelationshipConflict, ("conflict_id",), "conflict", "conflicts", "conflicts"),
    _entry_kind(
        entries.AllianceRupture, ("rupture_id",), "alliance rupture", "alliance ruptures", "alliance_ruptures"
    ),
    _entry_kind(
        entries.CouplesReadiness, ("client_id", "rated_on"), "couples readiness", "ratings of couples readiness",
        "couples_readiness",
    ),
    _entry_kind(
        entries.DecisionClarity, ("client_id", "rated_on"), "decision clarity", "ratings of decision clarity",
        "decision_clarity",
    ),
    _entry_kind(
        entries.ImaginedPartnerView, ("client_id", "relationship_id", "rated_on", "aspect"),
        "imagined partner view", "imagined partner views", "imagined_partner_views",
    ),
    _entry_kind(
        entries.ReleaseOfInformation, ("release_id",), "release of information", "releases of information",
        "releases_of_information",
    ),
    _entry_kind(
        entries.PlannedMeasure, ("client_id", "instrument"), "planned measure", "planned measures",
        "planned_measures",
    ),
    _entry_kind(
        entries.MeasurePause, ("client_id", "starts_on"), "measure pause", "pauses of measures", "measure_pauses"
    ),
    _entry_kind(
        entries.PatternTag, ("client_id", "relationship_id", "pattern"), "pattern tag",
        "pattern tags", "pattern_tags",
    ),
    _entry_kind(
        entries.SupportNetwork, ("client_id", "rated_on"), "support network", "ratings of the support network",
        "support_networks",
    ),
    _entry_kind(entries.Demographics, ("client_id",), "demographics", "demographics", "demographics"),
    _entry_kind(entries.Signal, ("signal_id",), "signal", "signals", "signals"),
    _entry_kind(
        entries.SignalAnswer, ("signal_id", "answered_on"), "signal answer", "answers to signals", "signal_answers"
    ),
    _entry_kind(
        safety_entries.SafetyPlan, ("client_id", "made_on"), "safety plan", "safety plans", "safety_plans",
        channel="safety",
    ),
    _entry_kind(
        safety_entries.DutyToReport, ("client_id", "considered_on"), "duty to report", "duties to report",
        "duties_to_report", channel="safety",
    ),
    _entry_kind(
        safety_entries.CouplesContraindication, ("client_id", "since"), "couples contraindication",
        "contraindications of couples work", "couples_contraindications", channel="safety",
    ),
    _entry_kind(
        safety_entries.SafetyChange, ("signal_id", "answered_on"), "safety change", "changes that concern safety",
        "safety_changes", channel="safety",
    ),
    _entry_kind(
        safety_entries.FlagResponse, ("administration_id", "item"), "flag response", "responses to flags",
        "flag_responses", channel="safety",
    ),
    _entry_kind(
        safety_entries.SecondReview, ("administration_id", "item"), "second review", "second reviews of flags",
        "second_reviews", channel="safety",
    ),
)  # fmt: skip
"""What somebody enters during the working day; the order is one in which they can be written."""

KINDS: dict[type, Kind] = {kind.record: kind for kind in (*_RECORDS, *ENTRIES)}
NAMES_INSTRUMENTS = (entries.ReleaseOfInformation, entries.PlannedMeasure, entries.Signal)
DEMOGRAPHICS_READER = "demographics"  # needs a permission of its own
CARE_READERS = frozenset(kind.reader for kind in KINDS.values() if kind.channel == "care") - {DEMOGRAPHICS_READER}
SAFETY_READERS = frozenset(kind.reader for kind in KINDS.values() if kind.channel == "safety")


def channel_of(record: object) -> Channel:
    """Say which channel a record of one of these kinds belongs to."""
    if isinstance(record, records.Event) and is_safety_event(record.kind):
        return "safety"
    kind = KINDS.get(type(record))
    return "care" if kind is None else kind.channel


def care_rows(table: Table) -> list[ColumnElement[bool]]:
    """Give the conditions that leave out the rows of the safety channel in a table that holds both."""
    return [~t.event.c.kind.istartswith(SAFETY_EVENT)] if table is t.event else []


def kind_of_reader(reader: str) -> Kind:
    """Give the kind that a reader reads."""
    return next(kind for kind in KINDS.values() if kind.reader == reader)
