"""The forms of releases of information: what may be passed on, to whom, what for, until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from dashboards.components.wording import day_words
from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import Field, Reading
from mbc.errors import StoreError
from mbc.instruments.library import instrument as load
from mbc.instruments.library import keys
from mbc.store import ReleaseOfInformation

_YEAR = dt.timedelta(days=365)
_FAR = dt.date(2100, 1, 1)


def _answered(subject: Subject) -> list[str]:
    """Questionnaires that the client has answered; the safety channel is never among what is passed on."""
    used = subject.store.administrations(client_id=subject.client_id)["instrument"].unique().sort()
    return [key for key in used if key in keys() and not load(key).safety_channel]


def _fields(subject: Subject, release: ReleaseOfInformation | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    chosen = release.instruments if release else ()
    offered = dict.fromkeys((*_answered(subject), *chosen))
    scales = [
        Field(f"scale-{key}", load(key).name, "check", "yes" if key in chosen else "", required=False)
        for key in offered
    ]
    until = release.expires_on if release else subject.today + _YEAR
    return (
        Field(
            "recipient",
            "Recipient",
            value=release.recipient if release else "",
            longest=120,
            hint="for example the couples therapist or the physician",
        ),
        Field("purpose", "Purpose", value=release.purpose if release else "", longest=160),
        *scales,
        Field(
            "signed_on",
            "Signed on",
            "day",
            str(release.signed_on if release else subject.today),
            most=subject.today,
        ),
        Field("expires_on", "Valid until", "day", until.isoformat(), most=_FAR),
        Field(
            "covers_from",
            "Scores from",
            "day",
            _day(release and release.covers_from),
            required=False,
            hint="blank: all",
        ),
        Field("covers_to", "Scores until", "day", _day(release and release.covers_to), required=False, most=_FAR),
    )


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""


def _draft(subject: Subject, release: ReleaseOfInformation | None, typed: Reading, token: str) -> Draft:
    names = [name for name, ticked in typed.values.items() if name.startswith("scale-") and ticked is True]
    if not names:
        raise StoreError("Tick at least one questionnaire that may be shared.")
    made = ReleaseOfInformation(
        release_id=release.release_id if release else f"RI-{token}",
        client_id=subject.client_id,
        recipient=typed.text("recipient"),
        purpose=typed.text("purpose"),
        scales=" ".join(name.removeprefix("scale-") for name in names),
        signed_on=typed.day("signed_on"),
        expires_on=typed.day("expires_on"),
        covers_from=typed.optional_day("covers_from"),
        covers_to=typed.optional_day("covers_to"),
        withdrawn_on=release.withdrawn_on if release else None,
        withdrawn_reason=release.withdrawn_reason if release else None,
    )
    return Draft((made,))


def _nothing_answered(subject: Subject) -> str:
    return "" if _answered(subject) else "There is no questionnaire on record that could be shared."


def _withdraw_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("withdrawn_on", "Withdrawn on", "day", subject.today.isoformat(), most=subject.today),
        Field("reason_given", "Why", required=False, longest=160, hint="if the client gave a reason"),
    )


def _withdraw_draft(_: Subject, release: ReleaseOfInformation, typed: Reading, __: str) -> Draft:
    why = typed.text("reason_given") or None
    gone = replace(release, withdrawn_on=typed.day("withdrawn_on"), withdrawn_reason=why)
    return Draft((gone,), reason="withdrawn by the client")


def _standing(subject: Subject) -> list[tuple[str, ReleaseOfInformation]]:
    return [
        (f"Withdraw the release to {each.recipient}, {day_words(each.signed_on)}", each)
        for each in subject.of(ReleaseOfInformation)
        if each.withdrawn_on is None and each.expires_on >= subject.today
    ]


RELEASE = EntryForm(
    "release",
    "Release of information",
    "Care",
    (ReleaseOfInformation,),
    _fields,
    _draft,
    unavailable=_nothing_answered,
    changes=True,
    lead="What the client has signed. Safety data is never part of it.",
)
WITHDRAW_RELEASE = EntryForm(
    "withdraw-release",
    "Withdraw a release of information",
    "Care",
    (ReleaseOfInformation,),
    _withdraw_fields,
    _withdraw_draft,
    changes=True,
    only_changes=True,
    button="Withdraw",
    links=_standing,
)
