"""The forms of care itself: a new client, and an episode of care that is opened or ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import Field, Reading, choice_or_words, words_of_choice
from mbc.errors import StoreError
from mbc.store import Client, Episode
from mbc.store.schema.validation import check_id

ENDINGS = ("planned", "dropped out", "moved away", "referred on")


def _client_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("client_id", "Pseudonym", longest=64, hint="letters, digits, . _ -, never a name"),
        Field("alias", "Label", required=False, longest=60, hint="a short label of your own, never a name"),
        Field("started_on", "Care began", "day", subject.today.isoformat(), required=False, most=subject.today),
    )


def _client_draft(subject: Subject, _: object, typed: Reading, token: str) -> Draft:
    name, clinician = typed.text("client_id"), subject.user.clinician_id
    try:
        check_id("client_id", name)
    except StoreError:
        raise StoreError(
            "client_id: Use 1 to 64 letters, digits and . _ - beginning with a letter or digit, such as "
            "C-0142. Never a name."
        ) from None
    client = Client(name, typed.text("alias") or None, clinician, subject.today)
    began = typed.values.get("started_on")
    episode = Episode(f"E-{token}", name, clinician, started_on=began)  # pyright: ignore[reportArgumentType] - a day
    return Draft((client, *((episode,) if began else ())))


def _open_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("started_on", "Began on", "day", subject.today.isoformat(), most=subject.today),
        Field("referred_on", "Referred on", "day", required=False, most=subject.today),
    )


def _open_draft(subject: Subject, _: object, typed: Reading, token: str) -> Draft:
    (client,) = subject.of(Client)
    referred = typed.values.get("referred_on")
    began = typed.day("started_on")
    return Draft((Episode(f"E-{token}", subject.client_id, client.clinician_id, referred, began),))  # pyright: ignore[reportArgumentType] - a day


def _already_open(subject: Subject) -> str:
    return "An episode of care is already open. End it before opening another." if subject.open_episode else ""


def _end_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        *choice_or_words("ending", "How it ended", ENDINGS, "Other", longest=80, hint="required if other"),
        Field("ended_on", "Date", "day", subject.today.isoformat(), most=subject.today),
    )


def _end_draft(_: Subject, episode: Episode, typed: Reading, __: str) -> Draft:
    words = words_of_choice(typed, "ending", "how the episode ended")
    ended = replace(episode, ended_on=typed.day("ended_on"), ending=words)
    return Draft((ended,), reason=f"ended: {words}")


def _open_episode(subject: Subject) -> list[tuple[str, Episode]]:
    return [("End the episode of care", subject.open_episode)] if subject.open_episode else []


NEW_CLIENT = EntryForm(
    "new-client", "New client", "", (Client, Episode), _client_fields, _client_draft, needs_client=False,
    button="Add the client", lead="The client joins your caseload.",
)  # fmt: skip
OPEN_EPISODE = EntryForm(
    "episode", "Open an episode of care", "Care", (Episode,), _open_fields, _open_draft, unavailable=_already_open
)
END_EPISODE = EntryForm(
    "end-episode", "End the episode of care", "Care", (Episode,), _end_fields, _end_draft, changes=True,
    only_changes=True, button="End the episode", links=_open_episode,
)  # fmt: skip
