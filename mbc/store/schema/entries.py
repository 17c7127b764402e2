"""Entries of the working day: homework, small wins, conflicts, ruptures, ratings, releases, the plan of measures.

Each is one frozen record, checked when it is made (see `mbc.store.schema.field_types`). Where it is kept and what
names it is declared in `mbc.store.schema.kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from mbc.errors import StoreError
from mbc.store.schema.field_types import CheckedRecord, Count, Hours, Identifier, People, Points, ShortText, Term
from mbc.store.schema.validation import check_id, check_order, quote

Completion = Literal["done", "partly", "not done"]
RuptureKind = Literal["withdrawal", "confrontation", "mixed"]
Aspect = Literal["relationship", "closeness", "trust", "commitment", "conflict"]
Answer = Literal["seen", "changed", "not now"]
ChangeMade = Literal["alliance", "motivation", "life event", "skills and homework", "measure does not fit"]
Pattern = Literal[
    "pursue and withdraw", "giving in", "taking care of the other", "jealousy", "keeping distance",
    "very fast closeness", "idealising", "avoiding conflict", "escalating conflict", "on and off",
    "unavailable partner", "losing oneself",
]  # fmt: skip

_MOST_BURST = 5
_MOST_SESSION = 1000


@dataclass(frozen=True, slots=True)
class Homework(CheckedRecord):
    """A task that client and therapist agreed on, and what became of it.

    Examples
    --------
    >>> Homework("H-1", "C001", date(2026, 1, 5), "ask for one thing", completion="partly", helpful=6).helpful
    6.0
    """

    homework_id: Identifier
    client_id: Identifier
    set_on: date
    task: ShortText
    completion: Completion | None = None  # None: not asked yet
    helpful: Points | None = None  # 0: not at all, 10: very
    reviewed_on: date | None = None

    def check(self) -> None:
        """Refuse a review before the task was set, and a rating of what nobody asked about."""
        check_order(self, "set_on", "reviewed_on")
        if self.helpful is not None and self.completion is None:
            raise StoreError(
                "helpful is given without completion. Also give completion: done, partly or not done."
            )


@dataclass(frozen=True, slots=True)
class SmallWin(CheckedRecord):
    """Something that went well and deserves to be remembered."""

    win_id: Identifier
    client_id: Identifier
    occurred_on: date
    label: ShortText


@dataclass(frozen=True, slots=True)
class RelationshipConflict(CheckedRecord):
    """A conflict in a relationship, or several of one time together, and whether and when it was repaired."""

    conflict_id: Identifier
    client_id: Identifier
    occurred_on: date
    intensity: Points | None = None  # of several: the strongest
    repaired: bool | None = None  # None: not known
    hours_to_repair: Hours | None = None
    count: Count = 1  # how many conflicts this entry stands for
    relationship_id: Identifier | None = None

    def check(self) -> None:
        """Refuse a time to repair of what was not repaired."""
        if self.hours_to_repair is not None and self.repaired is not True:
            raise StoreError("hours_to_repair requires repaired=True. Set it, or leave hours_to_repair out.")


@dataclass(frozen=True, slots=True)
class AllianceRupture(CheckedRecord):
    """A strain in the alliance between client and therapist, and its repair."""

    rupture_id: Identifier
    client_id: Identifier
    occurred_on: date
    kind: RuptureKind | None = None
    repaired: bool | None = None  # None: not known yet
    repaired_on: date | None = None
    label: ShortText | None = None

    def check(self) -> None:
        """Refuse a day of repair without a repair, or before the rupture."""
        check_order(self, "occurred_on", "repaired_on")
        if self.repaired_on is not None and self.repaired is not True:
            raise StoreError("repaired_on requires repaired=True. Set it, or leave repaired_on out.")


@dataclass(frozen=True, slots=True)
class CouplesReadiness(CheckedRecord):
    """How ready client and therapist hold the client for work as a couple, on a day."""

    client_id: Identifier
    rated_on: date
    rating: Points
    reasons: ShortText | None = None


@dataclass(frozen=True, slots=True)
class DecisionClarity(CheckedRecord):
    """How clear the client is about a decision in the relationship, on a day: 0 not at all, 10 completely."""

    client_id: Identifier
    rated_on: date
    rating: Points
    decision: ShortText | None = None


@dataclass(frozen=True, slots=True)
class ImaginedPartnerView(CheckedRecord):
    """What the client thinks that the partner would say; never an answer of the partner's."""

    client_id: Identifier
    relationship_id: Identifier
    rated_on: date
    rating: Points
    aspect: Aspect = "relationship"


@dataclass(frozen=True, slots=True)
class PatternTag(CheckedRecord):
    """A pattern that client and therapist see in a relationship; its words are mbc's own, never a name."""

    client_id: Identifier
    relationship_id: Identifier
    pattern: Pattern
    noted_on: date


@dataclass(frozen=True, slots=True)
class SupportNetwork(CheckedRecord):
    """On how many people the client can count, and how good that support is, on a day."""

    client_id: Identifier
    rated_on: date
    people: People
    quality: Points  # 0: none at all, 10: all that the client could wish for


@dataclass(frozen=True, slots=True)
class Demographics(CheckedRecord):
    """Who a client is, in the clinic's own codes; every field may stay blank.

    For strata of what is published, apart from clinical data: reading and writing need ``demographics:read``.

    Examples
    --------
    >>> Demographics("C001", date(2026, 1, 5), age_band="25-34", payer="self").payer
    'self'
    """

    client_id: Identifier
    recorded_on: date
    age_band: Identifier | None = None
    gender: Identifier | None = None
    ethnicity: Identifier | None = None
    payer: Identifier | None = None
    modality: Identifier | None = None  # of the care: alone, with a partner, remote
    approach: Identifier | None = None  # of the therapist
    relationship_structure: Identifier | None = None

    def check(self) -> None:
        """Refuse a record that says nothing."""
        if all(getattr(self, name) is None for name in STRATA):
            raise StoreError(f"No value is given for {self.client_id}: give at least one of {', '.join(STRATA)}.")


STRATA = ("age_band", "gender", "ethnicity", "payer", "modality", "approach", "relationship_structure")

READINESS = "couples_readiness"  # among the scales of a release: ratings of readiness for work as a couple


@dataclass(frozen=True, slots=True)
class ReleaseOfInformation(CheckedRecord):
    """The client's consent that somebody gets some scores: who, which scales and days, what for, until when."""

    release_id: Identifier
    client_id: Identifier
    recipient: ShortText
    purpose: ShortText
    scales: Term  # "rses csi16.total couples_readiness": questionnaires, or scales of them, a blank between
    signed_on: date
    expires_on: date
    covers_from: date | None = None  # scores of which days; None: all
    covers_to: date | None = None
    withdrawn_on: date | None = None
    withdrawn_reason: ShortText | None = None

    def check(self) -> None:
        """Refuse days in the wrong order, and scales that are not written as such."""
        check_order(self, "signed_on", "expires_on")
        check_order(self, "signed_on", "withdrawn_on")
        check_order(self, "covers_from", "covers_to")
        for scale in self.scales.split(" "):
            check_id("scales", scale)

    @property
    def instruments(self) -> tuple[str, ...]:
        """Questionnaires of which something may be passed on."""
        named = dict.fromkeys(scale.partition(".")[0] for scale in self.scales.split(" "))
        return tuple(name for name in named if name != READINESS)


@dataclass(frozen=True, slots=True)
class PlannedMeasure(CheckedRecord):
    """One questionnaire of a client's plan of measures: how often, from when to when."""

    client_id: Identifier
    instrument: Identifier
    starts_on: date
    every_days: Count | None = None
    every_sessions: Count | None = None
    ends_on: date | None = None
    before_sessions: Term | None = None  # "1 8 16": numbers of sessions, with a blank between
    baseline_askings: Count | None = None  # how often within the first fortnight

    def check(self) -> None:
        """Refuse a plan that asks for nothing, or more than anybody would."""
        check_order(self, "starts_on", "ends_on")
        if not (self.every_days or self.every_sessions or self.before_sessions or self.baseline_askings):
            raise StoreError(
                f"The plan for {self.instrument} has no schedule: give every_days, every_sessions, "
                "before_sessions or baseline_askings."
            )
        if self.baseline_askings is not None and self.baseline_askings > _MOST_BURST:
            raise StoreError(
                f"baseline_askings is {self.baseline_askings}; at most {_MOST_BURST} fit into a fortnight."
            )
        if self.before_sessions is not None:
            session_numbers(self.before_sessions)


@dataclass(frozen=True, slots=True)
class MeasurePause(CheckedRecord):
    """A time in which nothing of the client's plan is asked."""

    client_id: Identifier
    starts_on: date
    ends_on: date | None = None
    reason: ShortText | None = None

    def check(self) -> None:
        """Refuse an end before the start."""
        check_order(self, "starts_on", "ends_on")


@dataclass(frozen=True, slots=True)
class Signal(CheckedRecord):
    """A state that newly asked for attention: what it was worked out from, and with what."""

    signal_id: Identifier
    client_id: Identifier
    raised_on: date
    state: Term  # "not on track", "clearly worse", ...
    inputs: Term  # the scores it rests on, in short
    instrument: Identifier | None = None
    scale: Identifier | None = None
    model: Term | None = None
    version: Term | None = None


@dataclass(frozen=True, slots=True)
class SignalAnswer(CheckedRecord):
    """What was done about a signal, on a day; what concerns safety is a `SafetyChange` beside it."""

    signal_id: Identifier
    client_id: Identifier
    answered_on: date
    answer: Answer
    change: ChangeMade | None = None
    reason: ShortText | None = None

    def check(self) -> None:
        """Refuse a change that is not named, and a postponement without a reason."""
        if (self.answer == "changed") != (self.change is not None):
            raise StoreError("change must be given with the answer 'changed', and only with it.")
        if self.answer == "not now" and self.reason is None:
            raise StoreError("The answer 'not now' requires a reason.")


def session_numbers(text: str) -> tuple[int, ...]:
    """Read numbers of sessions, as a plan of measures holds them.

    Raises
    ------
    StoreError
        If one is not a number from 1 to 1000.

    Examples
    --------
    >>> session_numbers("1 8 16")
    (1, 8, 16)
    """
    parts = text.split(" ")
    if not all(part.isdecimal() and 1 <= int(part) <= _MOST_SESSION for part in parts):
        raise StoreError(f"before_sessions is {quote(text)}; session numbers are required, such as '1 8 16'.")
    return tuple(sorted({int(part) for part in parts}))
