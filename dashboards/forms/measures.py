"""The forms of the plan of measures: which questionnaire is asked how often, and pauses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import Choice, Field, Reading
from mbc.errors import StoreError
from mbc.instruments.library import instrument as load
from mbc.instruments.library import keys
from mbc.store import MeasurePause, PlannedMeasure

_FAR = dt.date(2100, 1, 1)


def _offered(subject: Subject) -> tuple[Choice, ...]:
    allowed = subject.store.has_permission("safety:read")
    listed = [load(key) for key in keys()]
    return tuple(
        Choice(each.key, each.name, each.construct_name.capitalize())
        for each in listed
        if allowed or not each.safety_channel
    )


def _plan_fields(subject: Subject, planned: PlannedMeasure | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    days = planned.every_days if planned else 14
    return (
        Field("instrument", "Questionnaire", "select", planned.instrument if planned else "", _offered(subject)),
        Field("every_days", "Interval in days", "number", _count(days), required=False, least=1, most=1000),
        Field(
            "every_sessions",
            "Interval in sessions",
            "number",
            _count(planned and planned.every_sessions),
            required=False,
            least=1,
            most=1000,
        ),
        Field(
            "before_sessions",
            "Before sessions",
            value=(planned and planned.before_sessions) or "",
            required=False,
            longest=100,
            hint="numbers, such as 1 8 16",
        ),
        Field(
            "baseline_askings",
            "In the first fortnight",
            "number",
            _count(planned and planned.baseline_askings),
            required=False,
            least=1,
            most=5,
            hint="two or three reduce measurement error in every later change",
        ),
        Field("starts_on", "From", "day", str(planned.starts_on if planned else subject.today), most=_FAR),
        Field("ends_on", "Until", "day", str((planned and planned.ends_on) or ""), required=False, most=_FAR),
    )


def _count(value: int | None) -> str:
    return "" if value is None else str(value)


def _integer(typed: Reading, name: str) -> int | None:
    number = typed.number(name)
    if number is not None and number != int(number):
        raise StoreError(f"{name}: Enter a whole number.")
    return None if number is None else int(number)


def _plan_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    names = ("every_days", "every_sessions", "baseline_askings")
    counts = {name: _integer(typed, name) for name in names}
    before = " ".join(typed.text("before_sessions").replace(",", " ").split()) or None
    if not before and not any(counts.values()):
        raise StoreError(
            "every_days: Enter how often: in days, in sessions, before which sessions, or in the first fortnight."
        )
    made = PlannedMeasure(
        subject.client_id,
        typed.text("instrument"),
        typed.day("starts_on"),
        ends_on=typed.optional_day("ends_on"),
        before_sessions=before,
        **counts,
    )
    return Draft((made,))


def _planned(subject: Subject) -> list[tuple[str, PlannedMeasure]]:
    return [
        (f"Change the plan: {load(each.instrument).name}", each)
        for each in subject.of(PlannedMeasure)
        if each.ends_on is None or each.ends_on >= subject.today
    ]


def _pause_fields(subject: Subject, pause: MeasurePause | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("starts_on", "From", "day", str(pause.starts_on if pause else subject.today), most=_FAR),
        Field(
            "ends_on",
            "Until",
            "day",
            str((pause and pause.ends_on) or ""),
            required=False,
            most=_FAR,
            hint="blank: until further notice",
        ),
        Field("reason", "Why", value=(pause and pause.reason) or "", required=False, longest=160),
    )


def _pause_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    why = typed.text("reason") or None
    return Draft((MeasurePause(subject.client_id, typed.day("starts_on"), typed.optional_day("ends_on"), why),))


PLANNED = EntryForm(
    "measure",
    "Plan a questionnaire",
    "Plan of measures",
    (PlannedMeasure,),
    _plan_fields,
    _plan_draft,
    changes=True,
    links=_planned,
)
PAUSE = EntryForm(
    "pause", "Pause all questionnaires", "Plan of measures", (MeasurePause,), _pause_fields, _pause_draft
)
