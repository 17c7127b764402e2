"""The forms of single ratings: clarity about a decision, readiness for couples work, an imagined view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import Choice, Field, Reading, choices, scale_choices
from mbc.store import CouplesContraindication, CouplesReadiness, DecisionClarity, ImaginedPartnerView
from mbc.store.schema.entries import Aspect


def _rating(label: str, record: Any, hint: str) -> Field:
    value = "" if record is None else f"{record.rating:g}"
    return Field("rating", label, "choice", value, scale_choices(0, 10), hint=f"{hint}; x enters 10")


def _day(subject: Subject, record: Any) -> Field:
    shown = subject.today if record is None else record.rated_on
    return Field("rated_on", "Date", "day", shown.isoformat(), most=subject.today)


def _clarity_fields(subject: Subject, record: DecisionClarity | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    before = sorted(subject.of(DecisionClarity), key=lambda each: each.rated_on)
    decision = record.decision if record else before[-1].decision if before else None
    return (
        _rating("How clear is the client about the decision?", record, "0 not at all, 10 completely"),
        Field("decision", "Which decision", value=decision or "", required=False, longest=160),
        _day(subject, record),
    )


def _clarity_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    decision = typed.text("decision") or None
    return Draft(
        (DecisionClarity(subject.client_id, typed.day("rated_on"), float(typed.text("rating")), decision),)
    )


def _readiness_fields(
    subject: Subject, record: CouplesReadiness | None, _: Mapping[str, str]
) -> tuple[Field, ...]:
    return (
        _rating("How ready is the client for couples work?", record, "0 not at all, 10 fully"),
        Field("reasons", "Why", value=(record and record.reasons) or "", required=False, longest=160),
        _day(subject, record),
    )


def _readiness_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    reasons = typed.text("reasons") or None
    return Draft(
        (CouplesReadiness(subject.client_id, typed.day("rated_on"), float(typed.text("rating")), reasons),)
    )


def _view_fields(subject: Subject, record: ImaginedPartnerView | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    whose = choices((each.relationship_id, each.label) for each, _ in subject.relationships)
    aspects = tuple(
        Choice(name, name.capitalize(), key=str(n)) for n, name in enumerate(get_args(Aspect), start=1)
    )
    chosen = record.relationship_id if record else whose[0].value if whose else ""
    return (
        _rating("What does the client think the partner would say?", record, "0 very bad, 10 very good"),
        Field("aspect", "About", "choice", record.aspect if record else "relationship", aspects),
        Field("whose", "Relationship", "choice", chosen, whose),
        _day(subject, record),
    )


def _view_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    made = ImaginedPartnerView(
        subject.client_id,
        typed.text("whose"),
        typed.day("rated_on"),
        float(typed.text("rating")),
        typed.text("aspect"),  # pyright: ignore[reportArgumentType] - one of the choices
    )
    return Draft((made,))


def _couples_work(subject: Subject) -> bool:
    """Say whether work as a couple may be asked about; whoever cannot know is never asked."""
    return all(each.ended_on is not None for each in subject.of(CouplesContraindication))


def _no_relationship(subject: Subject) -> str:
    return "" if subject.relationships else "No relationship is on record."


CLARITY = EntryForm(
    "decision",
    "Clarity about a decision",
    "Life",
    (DecisionClarity,),
    _clarity_fields,
    _clarity_draft,
    changes=True,
)
READINESS = EntryForm(
    "readiness",
    "Readiness for couples work",
    "Life",
    (CouplesReadiness,),
    _readiness_fields,
    _readiness_draft,
    changes=True,
    permission="safety:read",
    offered=_couples_work,
)
IMAGINED_VIEW = EntryForm(
    "imagined-view",
    "Partner's view, as the client imagines it",
    "Life",
    (ImaginedPartnerView,),
    _view_fields,
    _view_draft,
    unavailable=_no_relationship,
    changes=True,
    lead="Kept separate from anything that the partner reports.",
)
