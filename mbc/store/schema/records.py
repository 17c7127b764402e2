"""What can be written down: one frozen record per thing on a client's record.

A record checks itself when it is made, so that nothing malformed reaches the database: identifiers are
pseudonyms (``A-Z a-z 0-9 . _ -``, at most 64 characters), texts are short and hold no control characters,
days are calendar days where the client lives, and moments (``*_at``) carry a time zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, get_args

from mbc.errors import StoreError
from mbc.store.schema.entries import (
    AllianceRupture,
    CouplesReadiness,
    DecisionClarity,
    Demographics,
    Homework,
    ImaginedPartnerView,
    MeasurePause,
    Pattern,
    PatternTag,
    PlannedMeasure,
    RelationshipConflict,
    ReleaseOfInformation,
    Signal,
    SignalAnswer,
    SmallWin,
    SupportNetwork,
)
from mbc.store.schema.safety_entries import (
    CouplesContraindication,
    DutyToReport,
    FlagResponse,
    SafetyChange,
    SafetyPlan,
    SecondReview,
)
from mbc.store.schema.validation import (
    check_choice,
    check_days,
    check_ids,
    check_number,
    check_order,
    check_texts,
    quote,
    to_answers,
    to_finite,
    to_totals,
    to_utc,
)

ENTERED_IN_ERROR = "entered in error"  # status of a client that was withdrawn

Status = Literal["single", "dating", "partnered", "cohabiting", "married", "separated", "ended", "widowed"]
Valence = Literal["growth", "hard", "neutral"]
FlagKind = Literal["risk", "ask"]
Channel = Literal["care", "safety"]

WITHDRAWN = "withdrawn"
"""Version of an administration that takes an earlier one out: it has no answers."""

_MOST_CHARACTERS = 1_000_000  # of a definition file
_ENDINGS = ("separated", "ended")
_NEVER_ID = frozenset({"self"})  # a target is "self" or a relationship's id


@dataclass(frozen=True, slots=True)
class Clinician:
    """Somebody who sees clients."""

    clinician_id: str
    display_name: str

    def __post_init__(self) -> None:
        check_ids(self, "clinician_id")
        check_texts(self, "display_name")


@dataclass(frozen=True, slots=True)
class Client:
    """One person in care, known by a pseudonym only."""

    client_id: str
    alias: str | None = None  # a short label of the clinic's own; never a name
    clinician_id: str | None = None  # who sees this client now: their caseload
    registered_on: date | None = None
    status: str = "active"

    def __post_init__(self) -> None:
        check_ids(self, "client_id", "clinician_id")
        check_texts(self, "alias", "status")
        check_days(self, "registered_on")


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of care, from referral to ending."""

    episode_id: str
    client_id: str
    clinician_id: str | None = None
    referred_on: date | None = None
    started_on: date | None = None
    ended_on: date | None = None
    ending: str | None = None

    def __post_init__(self) -> None:
        check_ids(self, "episode_id", "client_id", "clinician_id")
        check_texts(self, "ending")
        check_days(self, "referred_on", "started_on", "ended_on")
        check_order(self, "referred_on", "started_on")
        check_order(self, "started_on", "ended_on")


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship the client is or was in, by a pseudonymous label (R1, R2, ...)."""

    relationship_id: str
    client_id: str
    label: str
    kind: str = "partner"

    def __post_init__(self) -> None:
        check_ids(self, "relationship_id", "client_id")
        check_texts(self, "label", "kind")
        if self.relationship_id in _NEVER_ID:
            raise StoreError("relationship_id 'self' is reserved for answers about the client. Use 'R1'.")


@dataclass(frozen=True, slots=True)
class RelationshipStatus:
    """From this day on, this is how a relationship stands; without a relationship, how the person lives."""

    client_id: str
    status: Status
    since: date
    relationship_id: str | None = None
    step_forward: bool | None = None  # of a relationship that ends: whether leaving was a step forward

    def __post_init__(self) -> None:
        check_ids(self, "client_id", "relationship_id")
        check_choice(self, "status", get_args(Status))
        check_days(self, "since")
        if self.step_forward is not None and self.status not in _ENDINGS:
            raise StoreError(
                f"step_forward is given for the status '{self.status}'; it applies only where a relationship "
                f"ends: {', '.join(_ENDINGS)}."
            )


@dataclass(frozen=True, slots=True)
class Session:
    """One therapy session of an episode, held or missed."""

    client_id: str
    episode_id: str
    number: int
    held_on: date
    attended: bool = True
    modality: str | None = None  # "in person", "video", ...

    def __post_init__(self) -> None:
        check_ids(self, "client_id", "episode_id")
        check_texts(self, "modality")
        check_days(self, "held_on")
        check_number(self, "number")


@dataclass(frozen=True, slots=True)
class Flag:
    """An answer that asks for attention, as the instrument's definition says: for the safety channel only."""

    item: str
    kind: FlagKind = "risk"

    def __post_init__(self) -> None:
        check_ids(self, "item")
        check_choice(self, "kind", get_args(FlagKind))


@dataclass(frozen=True, slots=True)
class Administration:
    """One completed questionnaire: its answers, or only the totals that were kept, or both.

    Examples
    --------
    >>> taken = Administration("C001", "rses", date(2026, 1, 5), answers=(3, 2, None, 1, 0, 2, 3, 1, 2, 2))
    >>> taken.answers[:3], taken.target
    ((3.0, 2.0, None), 'self')
    """

    client_id: str
    instrument: str
    taken_on: date  # the calendar day where the client was
    answers: tuple[float | None, ...] = ()  # in the order of `form`; None (or NaN) is a blank, never zero
    totals: Mapping[str, float] = field(
        default_factory=dict[str, float]
    )  # scale -> the score that was kept on paper
    version: str = "1"  # of the instrument's definition
    form: str | None = None  # the item order of `answers`
    coding: str | None = None  # the answer coding of `answers`
    informant: str = "client"  # who answered
    target: str = "self"  # or the relationship_id that is rated
    taken_at: datetime | None = None
    session_number: int | None = None
    episode_id: str | None = None
    channel: Channel | None = None  # None: as the definition says; "safety": its very existence is apart
    flags: tuple[Flag, ...] = ()  # beyond those that the definition raises by itself
    source_line: int | None = None  # where in the imported file

    def __post_init__(self) -> None:
        check_ids(
            self, "client_id", "instrument", "version", "form", "coding", "informant", "target", "episode_id"
        )
        check_days(self, "taken_on")
        if self.channel is not None:
            check_choice(self, "channel", get_args(Channel))
        check_number(self, "session_number", least=0)
        check_number(self, "source_line", least=0, most=2**31 - 1)
        object.__setattr__(self, "taken_at", to_utc("taken_at", self.taken_at))
        object.__setattr__(self, "answers", to_answers(self.answers))
        object.__setattr__(self, "totals", to_totals(self.totals))
        if self.version == WITHDRAWN:
            raise StoreError(
                f"version is '{WITHDRAWN}', which is reserved for withdrawn questionnaires. Use another."
            )
        if not self.answers and not self.totals:
            raise StoreError(
                f"An administration of {self.instrument} needs answers or totals, but has neither. "
                "For a questionnaire submitted empty, give one None per item."
            )


@dataclass(frozen=True, slots=True)
class Goal:
    """What the client works towards, in their own words and on a scale agreed with them."""

    goal_id: str
    client_id: str
    label: str
    set_on: date
    baseline: float | None = None
    target: float | None = None
    higher_is_better: bool = True
    retired_on: date | None = None
    retired_reason: str | None = None
    scale: str | None = None  # "rses" or "ecr_s.anxiety": set in that scale's points; None: rated 0 to 10
    pattern: Pattern | None = None  # that it is to change, across relationships

    def __post_init__(self) -> None:
        check_ids(self, "goal_id", "client_id", "scale")
        if self.pattern is not None:
            check_choice(self, "pattern", get_args(Pattern))
        check_texts(self, "label", "retired_reason")
        check_days(self, "set_on", "retired_on")
        check_order(self, "set_on", "retired_on")
        for name in ("baseline", "target"):
            object.__setattr__(self, name, to_finite(name, getattr(self, name)))


@dataclass(frozen=True, slots=True)
class GoalRating:
    """Where the client stands with a goal on a day."""

    goal_id: str
    rated_on: date
    rating: float

    def __post_init__(self) -> None:
        check_ids(self, "goal_id")
        check_days(self, "rated_on")
        rating = to_finite("rating", self.rating)
        if rating is None:
            raise StoreError("A goal's rating is missing. Leave the rating out rather than writing it blank.")
        object.__setattr__(self, "rating", rating)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in the client's life. Leaving a harmful relationship is growth."""

    event_id: str
    client_id: str
    occurred_on: date
    kind: str
    label: str
    valence: Valence = "neutral"

    def __post_init__(self) -> None:
        check_ids(self, "event_id", "client_id")
        check_texts(self, "kind", "label")
        check_days(self, "occurred_on")
        check_choice(self, "valence", get_args(Valence))


Record = (
    Clinician
    | Client
    | Episode
    | Relationship
    | RelationshipStatus
    | Session
    | Administration
    | Goal
    | GoalRating
    | Event
    | Homework
    | SmallWin
    | RelationshipConflict
    | AllianceRupture
    | CouplesReadiness
    | DecisionClarity
    | Demographics
    | ImaginedPartnerView
    | ReleaseOfInformation
    | PlannedMeasure
    | MeasurePause
    | PatternTag
    | SupportNetwork
    | Signal
    | SignalAnswer
    | SafetyPlan
    | DutyToReport
    | CouplesContraindication
    | FlagResponse
    | SafetyChange
    | SecondReview
)


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a questionnaire of the clinic's own, as its answers were recorded with it."""

    instrument: str
    version: str
    text: str  # of the definition file
    rule: Mapping[str, Any]  # what it says of safety: mbc.instruments.definition.safety_rule

    def __post_init__(self) -> None:
        check_ids(self, "instrument", "version")
        if not 0 < len(self.text) <= _MOST_CHARACTERS:
            raise StoreError(
                f"A definition's text must have 1 to {_MOST_CHARACTERS} characters; this one does not."
            )
        if self.rule.get("channel") not in get_args(Channel):
            raise StoreError(f"The rule of '{self.instrument}' names no channel: it must be 'care' or 'safety'.")

    @property
    def channel(self) -> Channel:
        """Where the answers belong."""
        return self.rule["channel"]


@dataclass(frozen=True, slots=True)
class ImportSource:
    """Where imported rows came from, kept with every row."""

    name: str
    sha256: str | None = None
    kind: str = "csv"

    def __post_init__(self) -> None:
        check_texts(self, "name", "kind")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise StoreError(f"sha256 is {quote(self.sha256)}; it must have 64 hexadecimal digits.")
