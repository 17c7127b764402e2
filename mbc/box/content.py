"""One asking: what a client is shown, as it was when they were asked. It says nothing of who they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mbc.errors import MbcError

State = Literal["made", "opened", "begun", "answered", "expired", "stopped", "withdrawn"]
STATES: tuple[State, ...] = ("made", "opened", "begun", "answered", "expired", "stopped", "withdrawn")
MOST_PER_PAGE = 20
_SECONDS_EACH = 9  # for one question, on a phone


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def to_json(self) -> str:
        """Write it down."""
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what was written down.

        Raises
        ------
        MbcError
            If it cannot be read.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as fault:
            raise MbcError(f"A request cannot be read: {fault.error_count()} faults. Create it again.") from None


class Choice(_Content):
    """One answer that can be chosen."""

    value: int
    text: str


class Question(_Content):
    """One question: choices, or any number of a range where there are none."""

    text: str
    choices: tuple[Choice, ...] = ()
    lowest: float
    highest: float
    whole_numbers: bool = True

    def accepts(self, value: float) -> bool:
        """Say whether a number is an answer to this question."""
        if self.choices:
            return any(choice.value == value for choice in self.choices)
        return self.lowest <= value <= self.highest and (not self.whole_numbers or value == int(value))


class Sheet(_Content):
    """One questionnaire, by its loaded wording and no other name."""

    title: str | None = None
    instructions: str | None = None
    copyright: str | None = None
    about: str | None = None  # what the client and the clinician call the relationship
    asks_for_help: bool = False  # whether an answer may say that help is needed
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]


def _is_web_address(address: str) -> str:
    if not address.startswith(("https://", "http://", "/")) or any(c in address for c in "\"'<> \r\n"):
        raise ValueError("must begin with https:// or /")
    return address


class ExplainedMeasure(_Content):
    """One questionnaire of an explanation: what it looks at, and what is said of it, label and text."""

    name: str
    facts: tuple[tuple[str, str], ...]


class Explanation(_Content):
    """How progress is measured, shown once the answers are sent. It is worded before, and no answer is in it."""

    title: str
    paragraphs: tuple[str, ...]
    heading: str = ""  # above the questionnaires
    measures: tuple[ExplainedMeasure, ...] = ()
    note: str = ""  # below them
    sections: tuple[tuple[str, str], ...] = ()  # heading and text


class ScoreLine(_Content):
    """A client's earlier scores on the main scale of one sheet, by day; nothing is said of what they mean."""

    sheet: Annotated[int, Field(ge=0)]  # its place among the sheets of the asking
    lowest: float  # of the scale, in scale points
    highest: float
    decimals: Annotated[int, Field(ge=0)] = 0
    higher_is_better: bool
    scores: Annotated[tuple[tuple[date, float], ...], Field(min_length=1)]
    only_last: bool = False  # whether older ones were left out


class EarlierScores(_Content):
    """The client's own earlier scores, shown after sending to whoever came by the link."""

    lines: Annotated[tuple[ScoreLine, ...], Field(min_length=1)]


class Asking(_Content):
    """What is asked at once."""

    language: str
    sheets: Annotated[tuple[Sheet, ...], Field(min_length=1)]
    help_text: str | None = None  # the clinic's own, shown with sheets that ask for help
    leave_to: Annotated[str, AfterValidator(_is_web_address)] = "https://www.wikipedia.org/"
    per_page: Annotated[int, Field(ge=1, le=MOST_PER_PAGE)] = 1  # questions
    explanation: Explanation | None = None  # shown afterwards, to whoever came by a link

    @cached_property
    def questions(self) -> tuple[tuple[Sheet, Question], ...]:
        """Give all questions in order, each with its sheet."""
        return tuple((sheet, question) for sheet in self.sheets for question in sheet.questions)

    def page_of(self, place: int) -> range:
        """Give the places that are shown together with one: never those of two questionnaires."""
        first = 0
        for sheet in self.sheets:
            end = first + len(sheet.questions)
            if place < end:
                begin = first + (place - first) // self.per_page * self.per_page
                return range(begin, min(begin + self.per_page, end))
            first = end
        raise IndexError(place)

    @property
    def shows_help(self) -> bool:
        """Whether the clinic's help text is part of it."""
        return self.help_text is not None and any(sheet.asks_for_help for sheet in self.sheets)

    def minutes(self, questions: int) -> int:
        """Give about how long so many questions take, at least one minute."""
        return max(1, round(questions * _SECONDS_EACH / 60))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an asking has come, in the box."""

    asking_id: str
    made_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    begun_at: datetime | None
    answered_at: datetime | None
    stopped_at: datetime | None  # the client asked for no more of them
    withdrawn_at: datetime | None  # by the clinic

    def state(self, now: datetime) -> State:
        """Name the state; never "sent": nobody knows whether a message arrived."""
        if self.answered_at is not None:
            return "answered"
        if self.stopped_at is not None:
            return "stopped"
        if self.withdrawn_at is not None:
            return "withdrawn"
        if now >= self.expires_at:
            return "expired"
        return "begun" if self.begun_at is not None else "opened" if self.opened_at is not None else "made"
