"""What the pages of recording show: the list of forms, what was just recorded, and a form with its fields."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.forms.catalogue import FORMS, GROUPS, form_of
from dashboards.forms.entry import EntryForm, Subject, as_seen, key_of, may_use
from dashboards.forms.fields import Choice, Field, grouped
from dashboards.forms.record_words import quoted, record_words
from dashboards.forms.save import Seen, reference
from dashboards.pages.record.addresses import form_path, list_path
from dashboards.pages.record.entered import entered_for
from dashboards.routes import client_path
from dashboards.web.kept_words import seal_name
from dashboards.web.server_page import server_page
from dashboards.web.sessions import csrf_token

REASON = Field("reason", "Why it is corrected", longest=160, hint="kept with the earlier version")


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field with what stands in it, and why that was not accepted."""

    field: Field
    value: str
    fault: str = ""

    @property
    def groups(self) -> list[tuple[str, list[Choice]]]:
        """The choices under their headings."""
        return grouped(self.field.choices)


@dataclass(frozen=True, slots=True)
class Link:
    """A form in the list."""

    title: str
    path: str
    key: str = ""  # chooses it on a keyboard
    why: str = ""  # it cannot be filled in yet
    detail: str = ""


def list_page(subject: Subject, note: str, *, good: bool) -> str:
    """Write the list of forms for a client, with what was just recorded above it."""
    return server_page(
        "record/list.html",
        name=subject.name,
        client_path=client_path(subject.client_id),
        note=note,
        good=good,
        entries=[_just_written(subject, entry) for entry in entered_for(subject)],
        groups=_groups(subject),
    )


def _just_written(subject: Subject, entry: Any) -> dict[str, object]:
    return {
        "words": record_words(subject, entry.record),
        "correct": _correct_path(subject, entry.record),
        "undo": {"client": subject.client_id, "kind": entry.kind, "key": entry.key} if entry.can_undo else {},
    }


def _correct_path(subject: Subject, record: Any) -> str:
    form = form_of(type(record))
    return form_path(subject.client_id, form.key, key_of(record)) if form else ""


def _groups(subject: Subject) -> list[tuple[str, list[Link]]]:
    offered = [form for form in FORMS.values() if form.group and may_use(form, subject.store)]
    links = {
        group: [
            Link(form.title, form_path(subject.client_id, form.key), why=form.unavailable(subject))
            for form in offered
            if form.group == group
        ]
        for group in GROUPS
    }
    if "Goals" in links:
        links["Goals"] += [link for goal in subject.goals for link in _goal_links(subject, goal)]
    if subject.open_episode is not None:
        path = form_path(subject.client_id, "end-episode", key_of(subject.open_episode))
        links["Care"] = [Link("End the episode of care", path)]
    return [
        (group, _numbered(each)) for group, each in zip(links, _first_nine(links.values()), strict=True) if each
    ]


def _goal_links(subject: Subject, goal: Any) -> list[Link]:
    key, label = key_of(goal), quoted(goal.label)
    return [
        Link(f"Revise {label}", form_path(subject.client_id, "goal", key)),
        Link(f"Retire {label}", form_path(subject.client_id, "retire-goal", key)),
    ]


def _first_nine(groups: Any) -> list[list[tuple[int, Link]]]:
    """Count the forms that can be filled in: the first nine have a key."""
    counted: list[list[tuple[int, Link]]] = []
    place = 0
    for links in groups:
        numbered: list[tuple[int, Link]] = []
        for link in links:
            place += not link.why
            numbered.append((place if not link.why else 0, link))
        counted.append(numbered)
    return counted


def _numbered(links: Sequence[tuple[int, Link]]) -> list[Link]:
    most = 9
    return [
        Link(link.title, link.path, str(place) if 0 < place <= most else "", link.why, link.detail)
        for place, link in links
    ]


def form_page(
    subject: Subject,
    form: EntryForm,
    record: Any,
    *,
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
    problem: str = "",
    needs_reason: bool = False,
    seen: Seen | None = None,
) -> str:
    """Write a form: new, or with what was typed and the reasons why it was refused."""
    sent, wrong = typed or {}, faults or {}
    fields = form.fields(subject, record, sent)
    if needs_reason or (record is not None and not form.only_changes):
        fields = (*fields, REASON)
    versions = dict(seen) if seen is not None else {} if record is None else {reference(record): as_seen(record)}
    key = "" if record is None else key_of(record)
    path = form_path(subject.client_id, form.key, key)
    return server_page(
        "record/form.html",
        title=form.title if record is None or form.only_changes else f"Correct: {form.title.lower()}",
        lead=form.lead,
        about=_about(subject, form, record),
        unavailable="" if record is not None else form.unavailable(subject),
        problem=problem,
        button=_button(form, fields),
        back=list_path(subject.client_id) if subject.client_id else "/",
        back_words=f"Record: {subject.name}" if subject.client_id else "Home",
        in_drawer=bool(subject.client_id),
        fields=[_filled(field, sent, wrong.get(field.name, "")) for field in fields],
        hidden={
            "csrf": csrf_token(),
            "writer": seal_name(subject.user.username),
            "page": path,
            "client": subject.client_id,
            "form": form.key,
            "key": key,
            "token": sent.get("token") or secrets.token_hex(6),
            "seen": json.dumps(versions) if versions else "",
            **({"with_reason": "yes"} if needs_reason else {}),
        },
    )


def _about(subject: Subject, form: EntryForm, record: Any) -> str:
    return record_words(subject, record) if record is not None and form.only_changes else ""


def _button(form: EntryForm, fields: Sequence[Field]) -> str:
    more = form.key == "paper" and not any(field.name == "asked" for field in fields)
    return "Next" if more else form.button


def _filled(field: Field, sent: Mapping[str, str], fault: str) -> ShownField:
    if field.kind == "hidden":
        return ShownField(field, field.value)
    answered = bool(sent.get("form")) and (field.name in sent or field.kind in ("choice", "check"))
    value = sent.get(field.name, "") if answered else field.value
    return ShownField(field, value, fault)
