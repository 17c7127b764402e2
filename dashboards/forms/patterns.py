"""The forms that concern all relationships: a pattern that was seen, and the support network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import Field, Reading, choices, scale_choices
from mbc.errors import StoreError
from mbc.store import PatternTag, SupportNetwork
from mbc.store.schema.entries import Pattern

_MOST_PEOPLE = 200


def _tag_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    whose = choices((each.relationship_id, each.label) for each, _ in subject.relationships)
    return (
        Field("whose", "Relationship", "choice", whose[0].value if whose else "", whose),
        Field(
            "pattern", "Pattern", "select", "", choices((name, name.capitalize()) for name in get_args(Pattern))
        ),
        Field("noted_on", "Date", "day", subject.today.isoformat(), most=subject.today),
    )


def _tag_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    tag = PatternTag(
        subject.client_id,
        typed.text("whose"),
        typed.text("pattern"),  # pyright: ignore[reportArgumentType] - one of the choices
        typed.day("noted_on"),
    )
    return Draft((tag,))


def _no_relationship(subject: Subject) -> str:
    return "" if subject.relationships else "No relationship is on record."


def _support_fields(subject: Subject, record: SupportNetwork | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    people = "" if record is None else str(record.people)
    quality = "" if record is None else f"{record.quality:g}"
    shown = subject.today if record is None else record.rated_on
    return (
        Field(
            "people", "How many people can the client count on?", "number", people, least=0, most=_MOST_PEOPLE,
            hint="partner not counted",
        ),
        Field("quality", "How good is this support?", "choice", quality, scale_choices(0, 10),
              hint="0 no support, 10 ideal support; x enters 10"),
        Field("rated_on", "Date", "day", shown.isoformat(), most=subject.today),
    )  # fmt: skip


def _support_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    people = typed.number("people") or 0.0
    if people != int(people):
        raise StoreError("people: Enter a whole number of people.")
    rated = SupportNetwork(subject.client_id, typed.day("rated_on"), int(people), float(typed.text("quality")))
    return Draft((rated,))


PATTERN = EntryForm(
    "pattern", "Pattern in a relationship", "Life", (PatternTag,), _tag_fields, _tag_draft,
    unavailable=_no_relationship, lead="Chosen from mbc's own list, so that no names or stories are included.",
)  # fmt: skip
SUPPORT = EntryForm(
    "support", "Support network", "Life", (SupportNetwork,), _support_fields, _support_draft, changes=True
)
