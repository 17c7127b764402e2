"""How an asking is made: what may be asked, in which words, and the link, code and date that the client gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from mbc.box.box import Box
from mbc.box.content import Asking, EarlierScores, Explanation, Sheet
from mbc.box.seal import KeyPair
from mbc.box.token import new_code, new_token
from mbc.care.askings.goals import goal_sheets
from mbc.care.askings.past_scores import earlier_scores
from mbc.care.askings.settings import AskingSettings
from mbc.care.askings.sheets import asked_sheet, sheet_of
from mbc.care.course.relationships import Timeline, timelines
from mbc.errors import Conflict, MbcError, SettingsError, nearest
from mbc.exchange.own_definitions import keep_definitions
from mbc.instruments import instrument, wording
from mbc.instruments.definition.definition import Instrument
from mbc.store import Store
from mbc.store.askings import AskedSheet, AskingKeys, new_asking_id

_MOST_QUESTIONS = 400


@dataclass(frozen=True, slots=True)
class MadeAsking:
    """What a client gets. The link and the code are secrets, and kept nowhere."""

    asking_id: str
    client_id: str
    language: str
    link: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: datetime
    questions: int
    minutes: int
    scores_shown: tuple[tuple[str, int], ...] = ()  # after sending: questionnaire, and how many earlier scores


class AskOptions(NamedTuple):
    """What is decided for one asking."""

    language: str | None = None  # default: the clinic's
    target: str | None = None  # the relationship rated, where there are several
    about: str | None = None  # what the client and the clinician call it; None: not at all
    answers_alone: bool = False  # the clinician says that the client answers without anybody near
    again: bool = False  # the client, who wanted no more askings, has agreed again
    goals: tuple[tuple[str, str], ...] = ()  # to rate: number, and words (blank: the goal's own)
    explanation: Explanation | None = None  # how progress is measured, shown after sending; None: only thanks
    asking_id: str | None = None  # a number of `new_asking_id`: sent twice, it is asked once
    show_scores: bool = False  # their own earlier scores, after sending, by the link; needs answers_alone


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
        If a questionnaire may not be asked, or does not apply; or if earlier scores are to be shown, and the
        client may not be alone, or has too few of them.
    Conflict
        If the client wanted no more askings.
    AccessDenied, NotInRecord
        As `Store.ask` does.
    """
    measures = [instrument(key) for key in dict.fromkeys(keys)]
    language = options.language or settings.language
    _require_something(measures, options)
    if options.show_scores and not options.answers_alone:
        raise MbcError(
            "Earlier scores are shown only to a client who answers alone: confirm that nobody looks on (--alone), "
            "or ask without them."
        )
    if not options.again and store.has_stopped_askings(client_id):
        raise Conflict(
            f"{client_id} has opted out of these questions. Discuss it first; if the client agrees again, add "
            "--again."
        )
    check_askable(measures, settings, language, answers_alone=options.answers_alone)
    sheets = [
        *worded_sheets(store, client_id, measures, language, options, today),
        *goal_sheets(store, client_id, options.goals, language),
    ]
    asking = Asking(
        language=language,
        sheets=tuple(shown for _, shown in sheets),
        help_text=settings.help_text(language),
        leave_to=settings.leave_to,
        per_page=settings.questions_a_page,
        explanation=options.explanation,
    )
    if len(asking.questions) > _MOST_QUESTIONS:
        raise MbcError(f"{len(asking.questions)} questions at once; the limit is {_MOST_QUESTIONS}.")
    if store.user is None:
        with store.writing() as record:
            keep_definitions(record, [measure.key for measure in measures])
    asked = [kept for kept, _ in sheets]
    scores = earlier_scores(store, client_id, asked) if options.show_scores else None
    return _put(store, box, settings, client_id, asked, asking, options.asking_id, scores)


def check_askable(
    measures: Sequence[Instrument], settings: AskingSettings, language: str, *, answers_alone: bool
) -> None:
    """Refuse what may not be asked: for want of a help text, or of a client who answers alone.

    Raises
    ------
    SettingsError
        If an answer may ask for help, and the clinic has no help text in the language.
    MbcError
        If a screen of the safety channel is asked of a client who may not be alone.
    """
    _require_help_text(measures, settings, language)
    _require_alone(measures, answers_alone=answers_alone)


def worded_sheets(
    store: Store,
    client_id: str,
    measures: Sequence[Instrument],
    language: str,
    options: AskOptions,
    today: date | None,
) -> list[tuple[AskedSheet, Sheet]]:
    """Put each questionnaire as the record keeps it, and as the client is shown it."""
    day, timeline = today or datetime.now().astimezone().date(), _timeline(store, client_id)
    made: list[tuple[AskedSheet, Sheet]] = []
    for measure in measures:
        text, target = wording.require(measure, language), _target(measure, timeline, options.target, day)
        about = options.about if target != "self" or _is_about_another(measure) else None
        sheet = sheet_of(text, measure, about)
        made.append((asked_sheet(text, measure, target, sheet), sheet))
    return made


def _put(
    store: Store,
    box: Box,
    settings: AskingSettings,
    client_id: str,
    sheets: Sequence[AskedSheet],
    asking: Asking,
    asking_id: str | None,
    scores: EarlierScores | None,
) -> MadeAsking:
    """Keep an asking on record, and put it into the box; where the box refuses, it is withdrawn again."""
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=settings.expires_days)
    fresh = KeyPair.new()
    public = bytes.fromhex(store.asking_public_key(AskingKeys(fresh.public.hex(), fresh.private.hex())))
    asking_id = store.ask(
        client_id,
        sheets,
        language=asking.language,
        expires_at=expires_at,
        asking_id=asking_id or new_asking_id(),
    )
    token, code = new_token(), new_code()
    try:
        box.add(asking_id, asking, public_key=public, expires_at=expires_at, token=token, code=code, scores=scores)
    except MbcError:
        store.withdraw_asking(asking_id)
        raise
    questions = len(asking.questions)
    lines = () if scores is None else scores.lines
    return MadeAsking(
        asking_id=asking_id,
        client_id=client_id,
        language=asking.language,
        link=settings.link(token),
        code=code,
        expires_at=expires_at,
        questions=questions,
        minutes=asking.minutes(questions),
        scores_shown=tuple((sheets[line.sheet].instrument, len(line.scores)) for line in lines),
    )


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
    raise SettingsError(
        f"There is no battery '{name}'. {hint} Batteries are defined in the settings under [batteries]."
    )


def _is_about_another(measure: Instrument) -> bool:
    return measure.applicability.needs_target or measure.applicability.needs_relationship


def _require_something(measures: Sequence[Instrument], options: AskOptions) -> None:
    if not measures and not options.goals:
        raise MbcError("Name at least one questionnaire, a battery, or a goal.")
    if not options.goals and all(measure.safety_channel for measure in measures):
        screens = ", ".join(measure.key for measure in measures)
        raise MbcError(
            f"{screens} on its own would reveal its purpose to everybody who sees the list of requests. Send it "
            "together with something else, such as checkin."
        )


def _require_help_text(measures: Sequence[Instrument], settings: AskingSettings, language: str) -> None:
    asking = [measure.key for measure in measures if measure.safety_channel or measure.flags]
    if asking and settings.help_text(language) is None:
        raise SettingsError(
            f"An answer to {', '.join(asking)} may show that the client needs help, so the client must be told "
            "whom to call. First write the clinic's own text and phone numbers into the settings: [help] "
            f"{language} = "
            '"..."'
        )


def _require_alone(measures: Sequence[Instrument], *, answers_alone: bool) -> None:
    screens = [measure.key for measure in measures if measure.safety_channel]
    if screens and not answers_alone:
        raise MbcError(
            f"{', '.join(screens)} asks about violence: with the partner nearby, the questions themselves are a "
            "danger. Use it in the session, or confirm that the client answers alone: --alone"
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
