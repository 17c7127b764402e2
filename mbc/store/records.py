"""What can be written down: one frozen record per thing on a client's record.

A record checks itself when it is made, so that nothing malformed reaches the database: identifiers are
pseudonyms (``A-Z a-z 0-9 . _ -``, at most 64 characters), texts are short and hold no control characters,
days are calendar days where the client lives, and moments (``*_at``) carry a time zone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Literal, get_args

from mbc.errors import StoreError

Status = Literal["single", "dating", "partnered", "cohabiting", "married", "separated", "ended", "widowed"]
Valence = Literal["growth", "hard", "neutral"]
FlagKind = Literal["risk", "ask"]
Channel = Literal["care", "safety"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NEVER_ID = frozenset({"self"})  # a target is "self" or a relationship's id
_LONGEST_TEXT = 500
_MOST_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class Clinician:
    """Somebody who sees clients."""

    clinician_id: str
    display_name: str

    def __post_init__(self) -> None:
        _check_ids(self, "clinician_id")
        _check_texts(self, "display_name")


@dataclass(frozen=True, slots=True)
class Client:
    """One person in care, known by a pseudonym only."""

    client_id: str
    alias: str | None = None  # a short label of the clinic's own; never a name
    clinician_id: str | None = None  # who sees this client now: their caseload
    registered_on: date | None = None
    status: str = "active"

    def __post_init__(self) -> None:
        _check_ids(self, "client_id", "clinician_id")
        _check_texts(self, "alias", "status")
        _check_days(self, "registered_on")


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
        _check_ids(self, "episode_id", "client_id", "clinician_id")
        _check_texts(self, "ending")
        _check_days(self, "referred_on", "started_on", "ended_on")
        _check_order(self, "referred_on", "started_on")
        _check_order(self, "started_on", "ended_on")


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship the client is or was in, by a pseudonymous label (R1, R2, ...)."""

    relationship_id: str
    client_id: str
    label: str
    kind: str = "partner"

    def __post_init__(self) -> None:
        _check_ids(self, "relationship_id", "client_id")
        _check_texts(self, "label", "kind")
        if self.relationship_id in _NEVER_ID:
            raise StoreError("relationship_id 'self' is kept for answers about the client. Use 'R1'.")


@dataclass(frozen=True, slots=True)
class RelationshipStatus:
    """From this day on, this is how a relationship stands; without a relationship, how the person lives."""

    client_id: str
    status: Status
    since: date
    relationship_id: str | None = None

    def __post_init__(self) -> None:
        _check_ids(self, "client_id", "relationship_id")
        _check_choice(self, "status", get_args(Status))
        _check_days(self, "since")


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
        _check_ids(self, "client_id", "episode_id")
        _check_texts(self, "modality")
        _check_days(self, "held_on")
        _check_number(self, "number")


@dataclass(frozen=True, slots=True)
class Flag:
    """An answer that asks for attention, as the instrument's definition says: for the safety channel only."""

    item: str
    kind: FlagKind = "risk"

    def __post_init__(self) -> None:
        _check_ids(self, "item")
        _check_choice(self, "kind", get_args(FlagKind))


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
    totals: Mapping[str, float] = field(default_factory=dict)  # scale -> the score that was kept on paper
    version: str = "1"  # of the instrument's definition
    form: str | None = None  # the item order of `answers`
    coding: str | None = None  # the answer coding of `answers`
    informant: str = "client"  # who answered
    target: str = "self"  # or the relationship_id that is rated
    taken_at: datetime | None = None
    session_number: int | None = None
    episode_id: str | None = None
    channel: Channel = "care"  # "safety" for instruments whose very existence is a safety matter
    flags: tuple[Flag, ...] = ()
    source_line: int | None = None  # where in the imported file

    def __post_init__(self) -> None:
        _check_ids(
            self, "client_id", "instrument", "version", "form", "coding", "informant", "target", "episode_id"
        )
        _check_days(self, "taken_on")
        _check_choice(self, "channel", get_args(Channel))
        _check_number(self, "session_number", least=0)
        object.__setattr__(self, "taken_at", _to_utc("taken_at", self.taken_at))
        object.__setattr__(self, "answers", _to_answers(self.answers))
        object.__setattr__(self, "totals", _to_totals(self.totals))
        if not self.answers and not self.totals:
            raise StoreError(
                f"An administration of {self.instrument} needs answers or totals, and has neither. "
                "For a questionnaire handed in empty, give one None per item."
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

    def __post_init__(self) -> None:
        _check_ids(self, "goal_id", "client_id")
        _check_texts(self, "label", "retired_reason")
        _check_days(self, "set_on", "retired_on")
        _check_order(self, "set_on", "retired_on")
        for name in ("baseline", "target"):
            object.__setattr__(self, name, _to_finite(name, getattr(self, name)))


@dataclass(frozen=True, slots=True)
class GoalRating:
    """Where the client stands with a goal on a day."""

    goal_id: str
    rated_on: date
    rating: float

    def __post_init__(self) -> None:
        _check_ids(self, "goal_id")
        _check_days(self, "rated_on")
        rating = _to_finite("rating", self.rating)
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
        _check_ids(self, "event_id", "client_id")
        _check_texts(self, "kind", "label")
        _check_days(self, "occurred_on")
        _check_choice(self, "valence", get_args(Valence))


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
)


@dataclass(frozen=True, slots=True)
class ImportSource:
    """Where imported rows came from, kept with every row."""

    name: str
    sha256: str | None = None
    kind: str = "csv"

    def __post_init__(self) -> None:
        _check_texts(self, "name", "kind", "sha256")


def check_id(name: str, value: object) -> str:
    """Refuse what cannot be an identifier.

    Raises
    ------
    StoreError
        If ``value`` is not 1 to 64 characters of ``A-Z a-z 0-9 . _ -`` beginning with a letter or digit.
    """
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise StoreError(
        f"{name} is {_shown(value)}; accepted are 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or "
        "digit. Use a pseudonym such as 'C-0142', never a name."
    )


def check_text(name: str, value: object) -> str:
    """Refuse what cannot be a short text: empty, too long, or with control characters.

    Raises
    ------
    StoreError
        If ``value`` is not such a text.
    """
    if not isinstance(value, str) or not value.strip():
        raise StoreError(f"{name} is {_shown(value)}; a short text is needed.")
    if len(value) > _LONGEST_TEXT:
        raise StoreError(f"{name} has {len(value)} characters; at most {_LONGEST_TEXT} are kept. Shorten it.")
    if _CONTROL.search(value):
        raise StoreError(f"{name} is {_shown(value)}; line breaks and control characters are not kept.")
    return value


def _check_ids(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if value is not None or _is_required(record, name):
            check_id(name, value)


def _check_texts(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if value is not None or _is_required(record, name):
            check_text(name, value)


def _check_days(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if value is None and not _is_required(record, name):
            continue
        if not isinstance(value, date) or isinstance(value, datetime):
            raise StoreError(f"{name} is {_shown(value)}; a calendar day (datetime.date) is needed.")
        if value.year < 1900:
            raise StoreError(f"{name} is {value}; days before 1900-01-01 are taken for a mistake.")


def _check_order(record: object, first: str, last: str) -> None:
    start, end = getattr(record, first), getattr(record, last)
    if start is not None and end is not None and end < start:
        raise StoreError(f"{last} ({end}) lies before {first} ({start}). Are the two swapped?")


def _check_choice(record: object, name: str, accepted: tuple[str, ...]) -> None:
    value = getattr(record, name)
    if value not in accepted:
        raise StoreError(f"{name} is {_shown(value)}; accepted are {', '.join(accepted)}.")


def _check_number(record: object, name: str, *, least: int = 1) -> None:
    value = getattr(record, name)
    if value is None and not _is_required(record, name):
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 100_000:
        raise StoreError(f"{name} is {_shown(value)}; a whole number from {least} to 100000 is needed.")


def _is_required(record: object, name: str) -> bool:
    return name in _REQUIRED[type(record)]


def _to_utc(name: str, moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise StoreError(f"{name} is {_shown(moment)}; a moment needs its time zone (datetime with tzinfo).")
    return moment.astimezone(UTC)


def _to_answers(answers: object) -> tuple[float | None, ...]:
    if isinstance(answers, (str, bytes, Mapping)):
        raise StoreError(f"answers is {_shown(answers)}; a sequence in the form's item order is needed.")
    kept = tuple([_to_finite("an answer", value) for value in answers])  # pyright: ignore[reportGeneralTypeIssues]
    if len(kept) > _MOST_ITEMS:
        raise StoreError(f"An administration has {len(kept)} answers; at most {_MOST_ITEMS} are kept.")
    return kept


def _to_totals(totals: Mapping[str, float]) -> dict[str, float]:
    kept: dict[str, float] = {}
    for scale in sorted(totals):
        score = _to_finite(f"total '{scale}'", totals[scale])
        if score is None:
            raise StoreError(f"Total '{scale}' is blank. Leave a total out when it was not kept.")
        kept[check_id("scale", scale)] = score
    return kept


def _to_finite(name: str, value: object) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        raise StoreError(f"{name} is {_shown(value)}; a number is needed.") from None
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise StoreError(f"{name} is infinite; a finite number is needed.")
    return number


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _required_fields(kind: type) -> frozenset[str]:
    from dataclasses import MISSING

    return frozenset(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)


_REQUIRED: dict[type, frozenset[str]] = {
    kind: _required_fields(kind)
    for kind in (
        Clinician, Client, Episode, Relationship, RelationshipStatus, Session, Flag, Administration,
        Goal, GoalRating, Event, ImportSource,
    )
}  # fmt: skip
