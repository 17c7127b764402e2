"""The forms of the safety channel, for those with its permission: that there is a plan and when it is reviewed.

Their addresses are the same whether anything is on record or not, and say nothing of what they are about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from dashboards.forms.entry import RESTRICTED, Draft, EntryForm, Subject
from dashboards.forms.fields import Choice, Field, Reading, choices
from mbc.store import CouplesContraindication, DutyToReport, SafetyPlan
from mbc.store.schema.safety_entries import ContraindicationReason, DutyOutcome, ReviewReason

_PERMISSION = "safety:read"
_FAR = dt.date(2100, 1, 1)
_QUARTER = dt.timedelta(days=91)


def _words(values: Iterable[str]) -> tuple[Choice, ...]:
    return choices((value, value.capitalize()) for value in values)


def _plan(subject: Subject) -> SafetyPlan | None:
    plans = [plan for plan in subject.of(SafetyPlan) if plan.ended_on is None]
    return max(plans, key=lambda plan: plan.made_on, default=None)


def _plan_fields(subject: Subject, plan: SafetyPlan | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    made = Field(
        "made_on", "Plan made on", "day", str(plan.made_on if plan else subject.today), most=subject.today
    )
    coming = Field(
        "next_review_on", "Next review", "day", str(subject.today + _QUARTER), required=False, most=_FAR
    )
    if plan is None:
        return made, coming
    last = f"last review {plan.last_review_on}" if plan.last_review_on else "not reviewed yet"
    return (
        Field("last_review_on", "Reviewed on", "day", str(subject.today), most=subject.today,
              hint=f"plan of {plan.made_on}, {last}"),
        Field("review_reason", "Why it was reviewed", "choice", "scheduled", _words(get_args(ReviewReason))),
        coming,
        Field("ended", "The plan is no longer valid", "check", required=False),
    )  # fmt: skip


def _plan_draft(subject: Subject, plan: SafetyPlan | None, typed: Reading, _: str) -> Draft:
    coming = typed.optional_day("next_review_on")
    if plan is None:
        return Draft((SafetyPlan(subject.client_id, typed.day("made_on"), next_review_on=coming),))
    on = typed.day("last_review_on")
    reviewed = replace(
        plan,
        last_review_on=on,
        review_reason=typed.text("review_reason"),
        next_review_on=None if typed.check("ended") else coming,
        ended_on=on if typed.check("ended") else None,
    )
    return Draft((reviewed,), reason=f"reviewed: {typed.text('review_reason')}")


def _duty_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("outcome", "Outcome", "choice", "", _words(get_args(DutyOutcome))),
        Field("considered_on", "Considered on", "day", subject.today.isoformat(), most=subject.today),
    )


def _duty_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    outcome: Any = typed.text("outcome")
    return Draft((DutyToReport(subject.client_id, typed.day("considered_on"), outcome),))


def _contraindication(subject: Subject) -> CouplesContraindication | None:
    standing = [each for each in subject.of(CouplesContraindication) if each.ended_on is None]
    return max(standing, key=lambda each: each.since, default=None)


def _couples_fields(
    subject: Subject, standing: CouplesContraindication | None, _: Mapping[str, str]
) -> tuple[Field, ...]:
    if standing is not None:
        hint = f"contraindicated since {standing.since}: {standing.reason}"
        return (
            Field(
                "ended_on",
                "No longer contraindicated since",
                "day",
                subject.today.isoformat(),
                most=subject.today,
                hint=hint,
            ),
        )
    return (
        Field("reason", "Contraindicated because of", "choice", "", _words(get_args(ContraindicationReason))),
        Field("since", "Since", "day", subject.today.isoformat(), most=subject.today),
    )


def _couples_draft(subject: Subject, standing: CouplesContraindication | None, typed: Reading, _: str) -> Draft:
    if standing is not None:
        return Draft((replace(standing, ended_on=typed.day("ended_on")),), reason="ended")
    reason: Any = typed.text("reason")
    return Draft((CouplesContraindication(subject.client_id, typed.day("since"), reason),))


PLAN = EntryForm(
    "restricted-a", "Safety plan", RESTRICTED, (SafetyPlan,), _plan_fields, _plan_draft, permission=_PERMISSION,
    standing=_plan, lead="Records only that a plan exists, and its reviews. Its content is kept elsewhere.",
)  # fmt: skip
DUTY = EntryForm(
    "restricted-b", "Duty to report, considered", RESTRICTED, (DutyToReport,), _duty_fields, _duty_draft,
    permission=_PERMISSION,
)  # fmt: skip
COUPLES = EntryForm(
    "restricted-c", "Couples work contraindicated", RESTRICTED, (CouplesContraindication,), _couples_fields,
    _couples_draft, permission=_PERMISSION, standing=_contraindication,
)  # fmt: skip
