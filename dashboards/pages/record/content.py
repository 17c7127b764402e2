"""What the pages of recording show: the list of forms, what was just recorded, and a form with its fields."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.forms.catalogue import FORMS, GROUPS, form_of
from dashboards.forms.entry import RESTRICTED, EntryForm, Subject, as_seen, key_of, may_use
from dashboards.forms.fields import Choice, Field, grouped
from dashboards.forms.paper import FIRST_ITEM
from dashboards.forms.record_words import record_words
from dashboards.forms.save import Seen, reference
from dashboards.pages.record.addresses import form_path, list_path
from dashboards.pages.record.entered import Entered, entered_for
from dashboards.routes import client_path
from dashboards.web.kept_words import seal_name
from dashboards.web.server_page import server_page
from dashboards.web.sessions import csrf_token

REASON = Field("reason", "Why it is corrected", longest=160, hint="kept with the earlier version")


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field with its value, and why that was not accepted."""

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


def list_page(subject: Subject, note: str, *, good: bool, restricted: bool = False) -> str:
    """Write the list of forms for a client, with what was just recorded above it; or of the restricted ones."""
    return server_page(
        "record/list.html",
        name=subject.name,
        title=RESTRICTED if restricted else "Record",
        back=list_path(subject.client_id) if restricted else client_path(subject.client_id),
        in_drawer=restricted,
        note=note,
        good=good,
        entries=[] if restricted else [_just_written(subject, entry) for entry in entered_for(subject)],
        groups=_groups(subject, restricted=restricted),
    )


def _just_written(subject: Subject, entry: Entered) -> dict[str, object]:
    return {
        "words": "; ".join(record_words(subject, record) for record in entry.records),
        "correct": _correct_path(subject, entry.records[0]),
        "undo": {"client": subject.client_id, "entry": entry.number},
    }


def _correct_path(subject: Subject, record: Any) -> str:
    form = form_of(type(record))
    return form_path(subject.client_id, form.key, key_of(record)) if form else ""


def _groups(subject: Subject, *, restricted: bool) -> list[tuple[str, list[Link]]]:
    offered = [form for form in FORMS.values() if form.group and may_use(form, subject)]
    groups = [group for group in GROUPS if (group == RESTRICTED) == restricted]
    links = {
        group: [link for form in offered if form.group == group for link in _links(subject, form)]
        for group in groups
    }
    if not restricted and any(form.group == RESTRICTED for form in offered):
        links.setdefault("Care", []).append(Link("Restricted", form_path(subject.client_id, RESTRICTED.lower())))
    counted = zip(links, _first_nine(links.values()), strict=True)
    return [(group, _numbered(each)) for group, each in counted if each]


def _links(subject: Subject, form: EntryForm) -> list[Link]:
    own = (
        []
        if form.only_changes
        else [Link(form.title, form_path(subject.client_id, form.key), why=form.unavailable(subject))]
    )
    changes = [
        Link(words, form_path(subject.client_id, form.key, key_of(each))) for words, each in form.links(subject)
    ]
    return [*own, *changes]


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
    if needs_reason or (record is not None and form.asks_for_a_reason):
        fields = (*fields, REASON)
    versions = dict(seen) if seen is not None else {} if record is None else {reference(record): as_seen(record)}
    key = "" if record is None or form.standing is not None else key_of(record)
    path = form_path(subject.client_id, form.key, key)
    return server_page(
        "record/form.html",
        title=form.title if record is None or not form.asks_for_a_reason else f"Correct: {form.title.lower()}",
        lead=form.lead,
        about=_about(subject, form, record),
        unavailable="" if record is not None else form.unavailable(subject),
        problem=problem,
        button=_button(form, fields),
        back=back_path(subject, form),
        back_words=f"Record: {subject.name}" if subject.client_id else "Home",
        in_drawer=bool(subject.client_id),
        start=_start(fields),
        fields=[_filled(field, sent, wrong.get(field.name, "")) for field in fields],
        details=form.details(subject),
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


def back_path(subject: Subject, form: EntryForm) -> str:
    """Give the path of the list that contains a form."""
    if not subject.client_id:
        return "/"
    restricted = RESTRICTED.lower() if form.group == RESTRICTED else ""
    return form_path(subject.client_id, restricted)


def _about(subject: Subject, form: EntryForm, record: Any) -> str:
    return record_words(subject, record) if record is not None and form.only_changes else ""


def _button(form: EntryForm, fields: Sequence[Field]) -> str:
    more = form.key == "paper" and not any(field.name == "asked" for field in fields)
    return "Next" if more else form.button


def _start(fields: Sequence[Field]) -> str:
    """Name the field that is filled in first: the first item of a questionnaire that is chosen already."""
    names = [field.name for field in fields]
    return FIRST_ITEM if FIRST_ITEM in names else names[0]


def _filled(field: Field, sent: Mapping[str, str], fault: str) -> ShownField:
    if field.kind == "hidden":
        return ShownField(field, field.value)
    answered = bool(sent.get("form")) and (field.name in sent or field.kind in ("choice", "check"))
    value = sent.get(field.name, "") if answered else field.value
    return ShownField(field, value, fault)
