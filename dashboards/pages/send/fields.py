"""What can be decided when a client is asked: what, in which words and language, and how the link gets there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dashboards.components.language_names import language_name
from dashboards.forms.entry import Subject
from dashboards.forms.fields import Choice, Field, Reading, choices
from mbc.box.content import Explanation
from mbc.care.askings.ask import AskOptions
from mbc.care.askings.ask import battery as battery_of
from mbc.care.askings.due import due_keys
from mbc.care.askings.goals import is_ratable, own_goals
from mbc.care.askings.mail import address_of, checked_address, mail_of
from mbc.care.askings.paper_goals import goals_on_paper
from mbc.care.askings.settings import AskingSettings
from mbc.care.client.trajectory import Cohort
from mbc.care.words import join_list
from mbc.errors import MbcError, SettingsError
from mbc.instruments import wording
from mbc.instruments.library import instrument as load
from mbc.instruments.library import keys
from mbc.reports import measures_explanation
from mbc.reports.catalogue import languages as explained_languages
from mbc.reports.private_matters import speaks_of_others
from mbc.store import Goal

_MEASURE, _GOAL, _WORDS = "ask-", "goal-", "words-"
_LONGEST = 160
_PRIVATE = "mentions leaving or another person: other words may be safer on a phone and on paper"
_ON_PAPER = "on paper only: its levels, -2 to 2, are agreed with the therapist"


@dataclass(frozen=True, slots=True)
class Offer:
    """What one client can be asked by one visitor."""

    subject: Subject
    settings: AskingSettings
    languages: Mapping[str, tuple[str, ...]]  # questionnaire -> languages of its wording
    due: frozenset[str]  # questionnaires that the plan has due
    goals: tuple[Goal, ...]
    stopped: bool  # the client wanted no more of them
    address_on_file: bool

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the form."""
        return tuple(self._fields())

    def _fields(self) -> Iterator[Field]:
        if self.stopped:
            yield Field("again", "The client has agreed again", "check", required=False)
        if self.settings.batteries:
            named = [(name, name.capitalize()) for name in self.settings.batteries]
            yield Field(
                "battery",
                "Battery",
                "select",
                "",
                choices(named),
                required=False,
                hint="or tick what to ask below",
            )
        for key, tags in self.languages.items():
            named = sorted(map(language_name, tags))
            hint = ", ".join(["due by the plan", *named] if key in self.due else named)
            ticked = "yes" if key in self.due else ""
            yield Field(f"{_MEASURE}{key}", load(key).name, "check", ticked, required=False, hint=hint)
        for goal in self.goals:
            only = "" if is_ratable(goal) else _ON_PAPER
            yield Field(f"{_GOAL}{goal.goal_id}", f"Goal: {goal.label}", "check", required=False, hint=only)
            hint = _PRIVATE if speaks_of_others(goal.label) else "as agreed; shown on the phone or on paper"
            yield Field(
                f"{_WORDS}{goal.goal_id}", "In these words", value=goal.label, required=False, longest=_LONGEST,
                hint=hint,
            )  # fmt: skip
        yield from self._about()
        explained = join_list(sorted(map(language_name, explained_languages())))
        yield Field(
            "explain", "After sending, show how progress is measured", "check", required=False,
            hint=f"on the phone, without any result; in {explained}",
        )  # fmt: skip
        yield Field(
            "scores", "After sending, show their own earlier scores", "check", required=False,
            hint="numbers and days without any judgement; by the link only, whoever answers by it sees them",
        )  # fmt: skip
        yield from self._way()

    def _about(self) -> Iterator[Field]:
        tags = {tag for each in self.languages.values() for tag in each} | {self.settings.language}
        named = sorted(((tag, language_name(tag)) for tag in tags), key=lambda pair: pair[1])
        yield Field("language", "Language", "select", self.settings.language, choices(named))
        relationships = [(each.relationship_id, each.label) for each, _ in self.subject.relationships]
        if len(relationships) > 1:
            yield Field(
                "target", "Which relationship", "select", "", choices(relationships), required=False,
                hint="blank: the current one",
            )  # fmt: skip
        if relationships:
            yield Field(
                "about", "What you both call the relationship", required=False, longest=60,
                hint="shown on the phone; leave it blank to name nobody",
            )  # fmt: skip
        screens = any(load(key).safety_channel for key in self.languages)
        yield Field(
            "alone", "The client answers alone, with nobody looking on", "check", required=False,
            hint=f"required for {'safety screens and ' if screens else ''}showing earlier scores",
        )  # fmt: skip

    def _way(self) -> Iterator[Field]:
        if self.settings.mail is None:
            return
        ways = [Choice("show", "Show the link here")]
        ways += [Choice("mail", "Email it to the address on file")] if self.address_on_file else []
        ways += [Choice("mail-to", "Email it to another address")]
        yield Field("way", "How the client gets it", "choice", "show", tuple(ways))
        yield Field(
            "address", "Address", required=False, longest=254, hint="for this email only; it is not stored"
        )


def offer(subject: Subject, settings: AskingSettings) -> Offer:
    """Find out what a client can be asked.

    Raises
    ------
    MbcError
        If loaded wording cannot be read.
    """
    allowed = subject.store.has_permission("safety:read")
    known = set(keys())
    shown = {
        key: tags
        for key, tags in wording.languages().items()
        if key in known and (allowed or not load(key).safety_channel)
    }
    return Offer(
        subject=subject,
        settings=settings,
        languages=dict(sorted(shown.items(), key=lambda each: load(each[0]).name)),
        due=frozenset(due_keys(subject.store, subject.client_id, subject.today)),
        goals=tuple(goals_on_paper(own_goals(subject.store, subject.client_id))),
        stopped=subject.store.has_stopped_askings(subject.client_id),
        address_on_file=_has_address(settings, subject.client_id),
    )


def _has_address(settings: AskingSettings, client_id: str) -> bool:
    if settings.mail is None or settings.mail.contacts is None:
        return False
    try:
        return bool(address_of(settings.mail, client_id))
    except SettingsError:
        return False


def asked_keys(offered: Offer, typed: Reading) -> list[str]:
    """Give the questionnaires that were chosen: of the battery first, then those that were ticked."""
    named = typed.text("battery")
    ticked = [key for key in offered.languages if typed.check(f"{_MEASURE}{key}")]
    return [*(battery_of(offered.settings, named) if named else ()), *ticked]


def require_askable_goals(offered: Offer, typed: Reading) -> None:
    """Refuse a goal that no device can ask for.

    Raises
    ------
    MbcError
        With the name of its field in front.
    """
    for goal in offered.goals:
        name = f"{_GOAL}{goal.goal_id}"
        if typed.check(name) and not is_ratable(goal):
            raise MbcError(f"{name}: This goal is rated from -2 to 2: print it, or rate it in the session.")


def options_of(
    offered: Offer, typed: Reading, asking_id: str, explanation: Explanation | None = None
) -> AskOptions:
    """Give what was decided."""
    return AskOptions(
        language=typed.text("language") or None,
        target=typed.text("target") or None,
        about=typed.text("about") or None,
        answers_alone=typed.check("alone"),
        again=typed.check("again"),
        goals=tuple(
            (goal.goal_id, typed.text(f"{_WORDS}{goal.goal_id}"))
            for goal in offered.goals
            if typed.check(f"{_GOAL}{goal.goal_id}")
        ),
        explanation=explanation,
        asking_id=asking_id,
        show_scores=typed.check("scores"),
    )


def explanation_of(offered: Offer, typed: Reading, cohort: Cohort | None, day: dt.date) -> Explanation | None:
    """Word how progress is measured, where that was ticked.

    Raises
    ------
    ReportError
        If there are no words in the language.
    """
    if not typed.check("explain"):
        return None
    subject, language = offered.subject, typed.text("language") or offered.settings.language
    return measures_explanation(
        subject.store, subject.client_id, asked_keys(offered, typed), language=language, cohort=cohort, as_of=day
    )


def mail_address(offered: Offer, typed: Reading) -> str | None:
    """Give where the link is mailed to; None: it is only shown.

    Raises
    ------
    MbcError
        If there is no such address.
    """
    match typed.text("way"):
        case "mail":
            return address_of(mail_of(offered.settings), offered.subject.client_id)
        case "mail-to":
            try:
                return checked_address(typed.text("address"))
            except MbcError as fault:
                raise MbcError(f"address: {fault}") from None
        case _:
            return None
