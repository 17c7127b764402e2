"""The forms of what happens in the client's life: events, and relationships that begin, change and end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from dashboards.forms.entry import Draft, EntryForm, Subject, is_current
from dashboards.forms.fields import Choice, Field, Reading, choices
from mbc.errors import StoreError
from mbc.store import Event, Relationship, RelationshipStatus
from mbc.store.schema.records import Status

EVENT_KINDS = (
    "family", "friends", "work", "home", "health", "loss", "setback", "step forward", "holiday", "other",
)  # fmt: skip
_VALENCES = (("growth", "A step forward"), ("hard", "A hard time"), ("neutral", "Neither"))
_CURRENT = ("dating", "partnered", "cohabiting", "married")
_OVER = ("separated", "ended", "widowed")
_FORWARD = {"growth": True, "hard": False, "neutral": None}
_PERSON = "-"  # the client's own status, of no relationship


def _event_fields(subject: Subject, event: Event | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    kinds = dict.fromkeys((*EVENT_KINDS, event.kind) if event else EVENT_KINDS)
    return (
        Field("label", "What happened", value=event.label if event else "", longest=160),
        Field(
            "valence", "For the client it was", "choice", event.valence if event else "neutral",
            tuple(Choice(value, words, key=str(n)) for n, (value, words) in enumerate(_VALENCES, start=1)),
        ),
        Field(
            "kind", "About", "select", event.kind if event else "other",
            choices((name, name.capitalize()) for name in kinds),
        ),
        Field(
            "occurred_on", "Date", "day", (event.occurred_on if event else subject.today).isoformat(),
            most=subject.today,
        ),
    )  # fmt: skip


def _event_draft(subject: Subject, event: Event | None, typed: Reading, token: str) -> Draft:
    made = Event(
        event.event_id if event else f"EV-{token}",
        subject.client_id,
        typed.day("occurred_on"),
        typed.text("kind"),
        typed.text("label"),
        typed.text("valence"),  # pyright: ignore[reportArgumentType] - one of the choices
    )
    return Draft((made,))


def _began_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field(
            "label", "Label", value=_free_label(subject), longest=40,
            hint="a pseudonym such as R2, never a name",
        ),
        Field("status", "Status", "choice", _CURRENT[0], _status_choices(_CURRENT)),
        Field("since", "Since", "day", subject.today.isoformat(), most=subject.today),
    )  # fmt: skip


def _began_draft(subject: Subject, _: object, typed: Reading, token: str) -> Draft:
    relationship = Relationship(f"R-{token}", subject.client_id, typed.text("label"))
    taken = {
        each.label for each in subject.of(Relationship) if each.relationship_id != relationship.relationship_id
    }
    if relationship.label in taken:
        raise StoreError(f"label: This client has a relationship '{relationship.label}' already. Choose another.")
    status = RelationshipStatus(
        subject.client_id,
        typed.text("status"),  # pyright: ignore[reportArgumentType] - one of the choices
        typed.day("since"),
        relationship.relationship_id,
    )
    return Draft((relationship, status))


def _free_label(subject: Subject) -> str:
    taken = {relationship.label for relationship in subject.of(Relationship)}
    return next(label for n in range(1, len(taken) + 2) if (label := f"R{n}") not in taken)


def _status_choices(names: tuple[str, ...]) -> tuple[Choice, ...]:
    return tuple(Choice(name, name.capitalize(), key=str(n)) for n, name in enumerate(names, start=1))


def _status_fields(subject: Subject, status: RelationshipStatus | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    whose = [(relationship.relationship_id, relationship.label) for relationship, _ in subject.relationships]
    named = (status.status,) if status else ()
    names = tuple(name for name in get_args(Status) if name not in _OVER or name in ("separated", *named))
    first = whose[0][0] if whose else _PERSON
    return (
        Field(
            "whose", "Whose status", "choice", first if status is None else status.relationship_id or _PERSON,
            choices([*whose, (_PERSON, "The client's own")]),
        ),
        Field(
            "status", "Status", "select", status.status if status else "",
            choices((name, name.capitalize()) for name in names),
        ),
        Field(
            "since", "Since", "day", (status.since if status else subject.today).isoformat(), most=subject.today
        ),
    )  # fmt: skip


def _status_draft(subject: Subject, before: RelationshipStatus | None, typed: Reading, __: str) -> Draft:
    whose = typed.text("whose")
    same = before is not None and before.status == typed.text("status")
    status = RelationshipStatus(
        subject.client_id,
        typed.text("status"),  # pyright: ignore[reportArgumentType] - one of the choices
        typed.day("since"),
        None if whose == _PERSON else whose,
        before.step_forward if before is not None and same else None,
    )
    return Draft((status,))


def _ended_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    current = _current(subject)
    single = (Choice("yes", "Yes", key="1"), Choice("no", "No", key="2"))
    return (
        Field(
            "whose", "Relationship", "choice", current[0].relationship_id if current else "",
            choices((each.relationship_id, each.label) for each in current),
        ),
        Field("status", "Status", "choice", "ended", choices((("ended", "Ended"), ("widowed", "Ended by death")))),
        Field("since", "Since", "day", subject.today.isoformat(), most=subject.today),
        Field(
            "valence", "Was it a step forward for the client?", "choice", "",
            choices((("growth", "Yes"), ("hard", "No, a loss"), ("neutral", "Neither, or not clear yet"))),
            hint="leaving a harmful relationship counts as growth",
        ),
        Field("single", "Single from that date", "choice", "yes" if len(current) < 2 else "no", single),
    )  # fmt: skip


def _ended_draft(subject: Subject, _: object, typed: Reading, token: str) -> Draft:
    whose, since = typed.text("whose"), typed.day("since")
    label = next(each.label for each in subject.of(Relationship) if each.relationship_id == whose)
    forward = _FORWARD[typed.text("valence")] if typed.text("status") == "ended" else None
    over = RelationshipStatus(subject.client_id, typed.text("status"), since, whose, forward)  # pyright: ignore[reportArgumentType] - one of the choices
    own = RelationshipStatus(subject.client_id, "single", since)
    event = Event(
        f"EV-{token}", subject.client_id, since,
        "loss" if over.status == "widowed" else "break-up", f"{label} ended", typed.text("valence"),  # pyright: ignore[reportArgumentType] - one of the choices
    )  # fmt: skip
    return Draft((over, *((own,) if typed.text("single") == "yes" else ()), event))


def _current(subject: Subject) -> list[Relationship]:
    return [relationship for relationship, status in subject.relationships if is_current(status)]


def _none_current(subject: Subject) -> str:
    return "" if _current(subject) else "No current relationship is on record."


EVENT = EntryForm("event", "Event", "Life", (Event,), _event_fields, _event_draft, changes=True)
BEGAN = EntryForm(
    "relationship-began",
    "Relationship began",
    "Life",
    (Relationship, RelationshipStatus),
    _began_fields,
    _began_draft,
)
STATUS = EntryForm(
    "status",
    "Relationship: new status",
    "Life",
    (RelationshipStatus,),
    _status_fields,
    _status_draft,
    changes=True,
)
ENDED = EntryForm(
    "relationship-ended", "Relationship ended", "Life", (RelationshipStatus, Event), _ended_fields, _ended_draft,
    unavailable=_none_current,
)  # fmt: skip
