"""The forms of the working day: homework, small wins, conflicts and ruptures with their repair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from dashboards.components.wording import day_words
from dashboards.forms.entry import Draft, EntryForm, Subject, is_current
from dashboards.forms.fields import Choice, Field, Reading, choices, scale_choices
from dashboards.forms.record_words import quoted
from mbc.errors import StoreError
from mbc.store import AllianceRupture, Homework, RelationshipConflict, SmallWin
from mbc.store.schema.entries import Completion, RuptureKind

_REPAIRED = (("yes", "Yes"), ("no", "No"), ("unknown", "Not known yet"))
_HOURS = {"hours": 1.0, "minutes": 1 / 60, "days": 24.0}
_RUPTURES = {"withdrawal": "The client pulled back", "confrontation": "The client objected", "mixed": "Both"}


def _numbered(pairs: Any) -> tuple[Choice, ...]:
    return tuple(Choice(value, words, key=str(n)) for n, (value, words) in enumerate(pairs, start=1))


def _day(name: str, label: str, subject: Subject, value: Any = None, *, required: bool = True) -> Field:
    shown = value if value is not None else subject.today if required else ""
    return Field(name, label, "day", str(shown), required=required, most=subject.today)


def _truth(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


def _homework_fields(subject: Subject, homework: Homework | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("task", "What was agreed", value=homework.task if homework else "", longest=160),
        _day("set_on", "Set on", subject, homework.set_on if homework else None),
    )


def _homework_draft(subject: Subject, homework: Homework | None, typed: Reading, token: str) -> Draft:
    if homework is not None:
        return Draft((replace(homework, task=typed.text("task"), set_on=typed.day("set_on")),))
    return Draft((Homework(f"H-{token}", subject.client_id, typed.day("set_on"), typed.text("task")),))


def _outcome_fields(subject: Subject, _: Homework, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field(
            "completion",
            "Was it done?",
            "choice",
            "",
            _numbered((n, n.capitalize()) for n in get_args(Completion)),
        ),
        Field(
            "helpful",
            "How helpful was it?",
            "choice",
            "",
            scale_choices(0, 10),
            required=False,
            hint="0 not at all, 10 very; x enters 10",
        ),
        _day("reviewed_on", "Date", subject),
    )


def _outcome_draft(_: Subject, homework: Homework, typed: Reading, __: str) -> Draft:
    helpful = float(typed.text("helpful")) if typed.text("helpful") else None
    reviewed = replace(
        homework,
        completion=typed.text("completion"),
        helpful=helpful,
        reviewed_on=typed.day("reviewed_on"),
    )
    return Draft((reviewed,), reason="reviewed in the session")


def _open_homework(subject: Subject) -> list[tuple[str, Any]]:
    return [(f"Homework {quoted(each.task)}", each) for each in subject.of(Homework) if each.completion is None]


def _win_fields(subject: Subject, win: SmallWin | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("label", "What went well", value=win.label if win else "", longest=160),
        _day("occurred_on", "Date", subject, win.occurred_on if win else None),
    )


def _win_draft(subject: Subject, win: SmallWin | None, typed: Reading, token: str) -> Draft:
    name = win.win_id if win else f"W-{token}"
    return Draft((SmallWin(name, subject.client_id, typed.day("occurred_on"), typed.text("label")),))


def _conflict_fields(
    subject: Subject, conflict: RelationshipConflict | None, _: Mapping[str, str]
) -> tuple[Field, ...]:
    current = [each for each, status in subject.relationships if is_current(status)]
    with_whom = choices([*((each.relationship_id, each.label) for each in current), ("-", "Somebody else")])
    first = current[0].relationship_id if current else "-"
    chosen = first if conflict is None else conflict.relationship_id or "-"
    repaired = {True: "yes", False: "no", None: "unknown"}[conflict.repaired if conflict else None]
    return (
        Field(
            "intensity",
            "How strong",
            "choice",
            _point(conflict and conflict.intensity),
            scale_choices(0, 10),
            required=False,
            hint="0 mild, 10 the strongest so far; x enters 10",
        ),
        Field("repaired", "Repaired?", "choice", repaired, _numbered(_REPAIRED)),
        Field(
            "lasted",
            "How long until repaired",
            "number",
            _point(conflict and conflict.hours_to_repair),
            required=False,
            least=0,
            most=10_000,
        ),
        Field("unit", "in", "choice", "hours", _numbered((unit, unit) for unit in _HOURS)),
        Field(
            "count",
            "How many",
            "number",
            str(conflict.count if conflict else 1),
            least=1,
            most=1000,
            hint="in the same period",
        ),
        Field(
            "with_whom",
            "With",
            "choice",
            chosen if chosen in {each.value for each in with_whom} else "-",
            with_whom,
        ),
        _day("occurred_on", "Date", subject, conflict.occurred_on if conflict else None),
    )


def _point(value: Any) -> str:
    return "" if value is None else f"{value:g}"


def _conflict_draft(subject: Subject, conflict: RelationshipConflict | None, typed: Reading, token: str) -> Draft:
    repaired, lasted = _truth(typed.text("repaired")), typed.number("lasted")
    if lasted is not None and repaired is not True:
        raise StoreError(
            "lasted: Time to repair applies only to a repaired conflict. Leave it blank, or mark the conflict as "
            "repaired."
        )
    made = RelationshipConflict(
        conflict.conflict_id if conflict else f"C-{token}",
        subject.client_id,
        typed.day("occurred_on"),
        float(typed.text("intensity")) if typed.text("intensity") else None,
        repaired,
        None if lasted is None else lasted * _HOURS[typed.text("unit")],
        int(typed.number("count") or 1),
        None if typed.text("with_whom") == "-" else typed.text("with_whom"),
    )
    return Draft((made,))


def _rupture_fields(subject: Subject, rupture: AllianceRupture | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    repaired = {True: "yes", False: "no", None: "unknown"}[rupture.repaired if rupture else None]
    return (
        Field(
            "kind",
            "What it looked like",
            "choice",
            (rupture and rupture.kind) or "",
            _numbered((name, _RUPTURES[name]) for name in get_args(RuptureKind)),
            required=False,
        ),
        Field("repaired", "Repaired?", "choice", repaired, _numbered(_REPAIRED)),
        Field("label", "Details", value=(rupture and rupture.label) or "", required=False, longest=160),
        _day("occurred_on", "Date", subject, rupture.occurred_on if rupture else None),
    )


def _rupture_draft(subject: Subject, rupture: AllianceRupture | None, typed: Reading, token: str) -> Draft:
    repaired = _truth(typed.text("repaired"))
    before = rupture.repaired_on if rupture else None
    made = AllianceRupture(
        rupture.rupture_id if rupture else f"A-{token}",
        subject.client_id,
        typed.day("occurred_on"),
        typed.text("kind") or None,  # pyright: ignore[reportArgumentType] - one of the choices
        repaired,
        (before or subject.today) if repaired else None,
        typed.text("label") or None,
    )
    return Draft((made,))


def _repair_fields(subject: Subject, _: AllianceRupture, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (_day("repaired_on", "Repaired on", subject),)


def _repair_draft(_: Subject, rupture: AllianceRupture, typed: Reading, __: str) -> Draft:
    return Draft((replace(rupture, repaired=True, repaired_on=typed.day("repaired_on")),), reason="repaired")


def _open_ruptures(subject: Subject) -> list[tuple[str, Any]]:
    return [
        (f"Rupture of {day_words(each.occurred_on)}: repaired", each)
        for each in subject.of(AllianceRupture)
        if not each.repaired
    ]


HOMEWORK = EntryForm(
    "homework", "Homework", "This session", (Homework,), _homework_fields, _homework_draft, changes=True
)
HOMEWORK_DONE = EntryForm(
    "homework-done",
    "How the homework went",
    "This session",
    (Homework,),
    _outcome_fields,
    _outcome_draft,
    changes=True,
    only_changes=True,
    links=_open_homework,
)
SMALL_WIN = EntryForm("small-win", "Small win", "This session", (SmallWin,), _win_fields, _win_draft, changes=True)
CONFLICT = EntryForm(
    "conflict",
    "Conflict and repair",
    "Life",
    (RelationshipConflict,),
    _conflict_fields,
    _conflict_draft,
    changes=True,
)
RUPTURE = EntryForm(
    "rupture",
    "Rupture and repair with you",
    "This session",
    (AllianceRupture,),
    _rupture_fields,
    _rupture_draft,
    changes=True,
)
RUPTURE_REPAIRED = EntryForm(
    "rupture-repaired",
    "The rupture was repaired",
    "This session",
    (AllianceRupture,),
    _repair_fields,
    _repair_draft,
    changes=True,
    only_changes=True,
    links=_open_ruptures,
)
