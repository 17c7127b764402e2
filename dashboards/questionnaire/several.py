"""Several questions on one page, where the clinic has chosen so: what is shown of each, and what was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mbc.box.box import Visit
from mbc.box.content import Asking, Question

_BLANK = "blank"


class ShownQuestion(NamedTuple):
    """One question of the page."""

    number: int
    question: Question
    given: bool  # whether it was answered on this device, or left blank on purpose
    value: float | None
    problem: str | None
    lowest: str
    highest: str


def shown_questions(visit: Visit, places: Sequence[int], problems: Mapping[int, str]) -> list[ShownQuestion]:
    """Give the questions of a page, each with its fault, if any."""
    shown: list[ShownQuestion] = []
    for place in places:
        _, question = visit.opened.asking.questions[place]
        shown.append(
            ShownQuestion(
                number=place + 1,
                question=question,
                given=place in visit.draft,
                value=visit.draft.get(place),
                problem=problems.get(place),
                lowest=f"{question.lowest:g}",
                highest=f"{question.highest:g}",
            )
        )
    return shown


def read_several(
    asking: Asking, places: Sequence[int], sent: Mapping[str, str]
) -> tuple[dict[int, float | None], set[int]]:
    """Read what was chosen on a page: answers and blanks by place, and the places with what is no answer.

    A question without any choice is left as it was.
    """
    answers: dict[int, float | None] = {}
    wrong: set[int] = set()
    for place in places:
        text = sent.get(f"value-{place + 1}", "").strip()
        if text == _BLANK:
            answers[place] = None
        elif text:
            value = number_of(asking.questions[place][1], text)
            if value is None:
                wrong.add(place)
            else:
                answers[place] = value
    return answers, wrong


def number_of(question: Question, text: str) -> float | None:
    """Read an answer; None where it is none."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if question.accepts(value) else None
