"""How an asking is made: what may be asked, in which words, and the link, code and date that the client gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from mbc.box.box import Box
from mbc.box.content import Asking
from mbc.box.seal import KeyPair
from mbc.box.token import new_code, new_token
from mbc.care.askings.settings import AskingSettings
from mbc.care.askings.sheets import asked_sheet, sheet_of
from mbc.care.course.relationships import Timeline, timelines
from mbc.errors import Conflict, MbcError, SettingsError, nearest
from mbc.exchange.own_definitions import keep_definitions
from mbc.instruments import instrument, wording
from mbc.instruments.definition.definition import Instrument
from mbc.store import Store
from mbc.store.askings import AskingKeys

_MOST_QUESTIONS = 400


@dataclass(frozen=True, slots=True)
class MadeAsking:
    """What a client gets. The link and the code are secrets, and kept nowhere."""

    asking_id: str
    link: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: datetime
    questions: int
    minutes: int


class AskOptions(NamedTuple):
    """What is decided for one asking."""

    language: str | None = None  # default: the clinic's
    target: str | None = None  # the relationship that is rated, where there are several
    about: str | None = None  # what the client and the clinician call it; None: not at all
    answers_alone: bool = False  # the clinician says that the client answers without anybody near
    again: bool = False  # the client, who wanted no more askings, has agreed again


NO_OPTIONS = AskOptions()


def ask(
    store: Store, box: Box, settings: AskingSettings, client_id: str, keys: Sequence[str],
    options: AskOptions = NO_OPTIONS, *, today: date | None = None,
) -> MadeAsking:  # fmt: skip
    """Ask a client.

    Parameters
    ----------
    store : Store
        The record, or a clinician's view of it.
    box : Box
        Where the client's device finds the asking, and leaves the answers.
    settings : AskingSettings
        The clinic's.
    client_id : str
        Who is asked.
    keys : sequence of str
        Questionnaires, in this order; only those whose wording is loaded in the language.
    options : AskOptions
        Language, relationship, and what the clinician says.
    today : date, optional
        Which relationships last on this day; default: today.

    Raises
    ------
    WordingError
        If no wording is loaded.
    SettingsError
        If an answer may ask for help, and the clinic has no help text in the language.
    MbcError
        If a questionnaire may not be asked, or does not apply.
    Conflict
        If the client wanted no more askings.
    AccessDenied, NotInRecord
        As `Store.ask` does.
    """
    measures = [instrument(key) for key in dict.fromkeys(keys)]
    if not measures:
        raise MbcError("Name at least one questionnaire, or a battery.")
    if not options.again and store.has_stopped_askings(client_id):
        raise Conflict(
            f"{client_id} wanted no more of these. Talk about it first; if the client agrees again, add --again."
        )
    language = options.language or settings.language
    _require_help_text(measures, settings, language)
    _require_alone(measures, answers_alone=options.answers_alone)
    day, timeline = today or datetime.now().astimezone().date(), _timeline(store, client_id)
    worded = [(measure, wording.require(measure, language)) for measure in measures]
    targets = [_target(measure, timeline, options.target, day) for measure in measures]
    sheets = [
        sheet_of(text, measure, options.about if target != "self" or _is_about_another(measure) else None)
        for (measure, text), target in zip(worded, targets, strict=True)
    ]
    asking = Asking(
        language=language,
        sheets=tuple(sheets),
        help_text=settings.help_text(language),
        leave_to=settings.leave_to,
    )
    if len(asking.questions) > _MOST_QUESTIONS:
        raise MbcError(f"{len(asking.questions)} questions at once; at most {_MOST_QUESTIONS} are asked.")
    asked = [
        asked_sheet(text, measure, target, sheet)
        for (measure, text), target, sheet in zip(worded, targets, sheets, strict=True)
    ]
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=settings.expires_days)
    if store.user is None:
        with store.writing() as record:
            keep_definitions(record, [measure.key for measure in measures])
    fresh = KeyPair.new()
    public = store.asking_public_key(AskingKeys(fresh.public.hex(), fresh.private.hex()))
    asking_id = store.ask(client_id, asked, language=language, expires_at=expires_at)
    token, code = new_token(), new_code()
    box.add(asking_id, asking, public_key=bytes.fromhex(public), expires_at=expires_at, token=token, code=code)
    questions = len(asking.questions)
    return MadeAsking(asking_id, settings.link(token), code, expires_at, questions, asking.minutes(questions))


def battery(settings: AskingSettings, name: str) -> list[str]:
    """Give the questionnaires of a battery.

    Raises
    ------
    SettingsError
        If the clinic has none of that name.
    """
    if name in settings.batteries:
        return list(settings.batteries[name])
    near = nearest(name, settings.batteries, most=1)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(settings.batteries)}."
    raise SettingsError(f"There is no battery '{name}'. {hint} They stand in the settings under [batteries].")


def _is_about_another(measure: Instrument) -> bool:
    return measure.applicability.needs_target or measure.applicability.needs_relationship


def _require_help_text(measures: Sequence[Instrument], settings: AskingSettings, language: str) -> None:
    asking = [measure.key for measure in measures if measure.safety_channel or measure.flags]
    if asking and settings.help_text(language) is None:
        raise SettingsError(
            f"An answer to {', '.join(asking)} may say that somebody needs help, so the client must read whom to "
            f'call. Write the clinic\'s own words and numbers into the settings first: [help] {language} = "..."'
        )


def _require_alone(measures: Sequence[Instrument], *, answers_alone: bool) -> None:
    screens = [measure.key for measure in measures if measure.safety_channel]
    if screens and not answers_alone:
        raise MbcError(
            f"{', '.join(screens)} asks about violence: with the partner nearby the questions alone are a danger. "
            "Ask it in the session, or say that the client answers alone: --alone"
        )


def _timeline(store: Store, client_id: str) -> Timeline:
    every = timelines(store.statuses(client_id=client_id), store.relationships(client_id=client_id))
    return every.get(client_id, Timeline())


def _target(measure: Instrument, timeline: Timeline, named: str | None, day: date) -> str:
    """Find which relationship is rated: the named one, else the current one."""
    if not _is_about_another(measure):
        return "self"
    target = timeline.target_on(measure, named or "self", day)
    if target is None:
        raise MbcError(
            f"{measure.key} is about a current relationship, and there is none on record today. Leave it out."
        )
    if target == "self" and len(timeline.labels) == 1:
        return timeline.labels[0][0]
    return target
