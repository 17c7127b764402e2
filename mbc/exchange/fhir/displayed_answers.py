"""Whether the code of an answer and the words beside it say the same, where no Questionnaire is at hand."""

from __future__ import annotations

from collections.abc import Iterable

from mbc.exchange.choices.answer_words import direction, normalised
from mbc.exchange.choices.offered_scale import Judgement, scale_text
from mbc.exchange.choices.standard_scales import words_of
from mbc.exchange.fhir.answer_values import coded_number
from mbc.exchange.fhir.resources import Coding
from mbc.exchange.files.messages import quote
from mbc.instruments import Coding as AnswerCoding
from mbc.instruments import Instrument


def judge_displayed(measure: Instrument, given: Iterable[Coding]) -> Judgement:
    """Compare the numbers of coded answers with their words.

    Parameters
    ----------
    measure : Instrument
        The questionnaire.
    given : iterable of Coding
        The coded answers of one response.

    Returns
    -------
    Judgement
        The coding in which every code counts as its words do; a problem where there is none.
    """
    words = words_of(measure)
    shown = {
        number: coding.display
        for coding in given
        if coding.display and (number := coded_number(coding)) is not None
    }
    known = {number: words[text] for number, label in shown.items() if (text := normalised(label)) in words}
    if not known and len(shown) > 1:
        falls = direction(shown[min(shown)], shown[max(shown)]) == "falling"
        return Judgement(problem=_two_ways(measure, shown) if falls else None)
    codings = sorted(measure.own_codings, key=lambda coding: not coding.default)
    fitting = [coding for coding in codings if _counts_as_worded(measure, coding, known)]
    if known and not fitting:
        wrong = next(number for number, counts in known.items() if number != counts)
        return Judgement(
            problem=f"the code of an answer and its label contradict each other: {wrong:g} "
            f"'{quote(shown[wrong])}' is "
            f"{known[wrong]} in {measure.name}. {_repair(measure)}"
        )
    if known and not fitting[0].default:
        return Judgement(
            fitting[0],
            note=f"{measure.name}: according to the labels of its answers, they are coded {fitting[0].key}.",
        )
    return Judgement()


def _counts_as_worded(measure: Instrument, coding: AnswerCoding, known: dict[float, int]) -> bool:
    item = measure.items[0]  # items whose answers have the same words have the same span
    sign, shift = coding.affine(item)
    return item.id not in coding.flipped and all(sign * code + shift == counts for code, counts in known.items())


def _two_ways(measure: Instrument, shown: dict[float, str]) -> str:
    return (
        f"the codes of {measure.name} run in the opposite direction to their labels: {scale_text(shown)}. "
        f"{_repair(measure)}"
    )


def _repair(measure: Instrument) -> str:
    return (
        "Name the Questionnaire that gives each code its number (--questionnaire FILE), or the coding if the "
        f"labels are wrong (--coding {measure.key}={measure.coding().key})"
    )
