"""The form of a therapy session: kept or missed, on which day, how they met."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import Choice, Field, Reading, choices
from mbc.store import Session

MODALITIES = ("in person", "video", "telephone")


def _fields(subject: Subject, session: Session | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    day = subject.today if session is None else session.held_on
    kept = session is None or session.attended
    modality = _last_modality(subject) if session is None else session.modality or ""
    number = _next_number(subject) if session is None else session.number
    known = dict.fromkeys((*MODALITIES, modality) if modality else MODALITIES)
    return (
        Field(
            "attended",
            "Was it kept?",
            "choice",
            "kept" if kept else "missed",
            (Choice("kept", "Kept", key="1"), Choice("missed", "Missed", key="2")),
        ),
        Field("held_on", "Date", "day", day.isoformat(), most=subject.today),
        Field(
            "modality",
            "How",
            "choice",
            modality,
            choices((name, name.capitalize()) for name in known),
            required=False,
            hint="if the session was kept",
        ),
        Field("number", "Number", "number", str(number), least=1, most=100_000, hint="missed sessions count too"),
    )


def _draft(subject: Subject, session: Session | None, typed: Reading, _: str) -> Draft:
    attended = typed.text("attended") == "kept"
    episode = subject.open_episode if session is None else None
    episode_id = session.episode_id if session is not None else str(episode.episode_id if episode else "")
    return Draft(
        (
            Session(
                subject.client_id,
                episode_id,
                int(typed.number("number") or 0),
                typed.day("held_on"),
                attended,
                typed.text("modality") or None if attended else None,
            ),
        )
    )


def _unavailable(subject: Subject) -> str:
    return "" if subject.open_episode else "No episode of care is open. Open one first, under Care."


def _next_number(subject: Subject) -> int:
    episode = subject.open_episode
    numbers = [each.number for each in subject.sessions if episode and each.episode_id == episode.episode_id]
    return max(numbers, default=0) + 1


def _last_modality(subject: Subject) -> str:
    used = [session.modality for session in subject.sessions if session.modality]
    return used[-1] if used else MODALITIES[0]


SESSION = EntryForm(
    key="session",
    title="Session",
    group="This session",
    writes=(Session,),
    fields=_fields,
    draft=_draft,
    unavailable=_unavailable,
    changes=True,
)
