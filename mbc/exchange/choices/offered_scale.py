"""Which number an answer counts as, and which way it runs, where a file lists the choices of its questions.

REDCap dictionaries, SPSS value labels and FHIR Questionnaires all come here: the choices of a file decide its
answer coding, or the file is refused with both scales side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mbc.exchange.choices.answer_words import direction, is_non_answer, normalised, place_of
from mbc.exchange.choices.standard_scales import families_of
from mbc.exchange.files.messages import quote
from mbc.instruments import Coding, Form, Instrument, Item

Offered = Mapping[float, str]
"""Number of a choice -> its label, empty where it has none."""
_NATURAL = ("endorsement", "frequency")
"""Codings in which every answer is counted as it is worded: more is a higher number."""
_MOST_CHOICES = 12


@dataclass(frozen=True, slots=True)
class Judgement:
    """The coding that a file's choices are in, or why there is none."""

    coding: Coding | None = None
    """None where the file lists no choices that decide."""
    problem: str | None = None
    note: str | None = None


def judge(measure: Instrument, form: Form, names: Sequence[str], offered: Sequence[Offered]) -> Judgement:
    """Compare the choices that a file lists with the codings of a questionnaire.

    Parameters
    ----------
    measure, form : Instrument, Form
        The questionnaire and its item order.
    names : sequence of str
        What the file calls each item, in that order.
    offered : sequence of mapping
        The choices of each item; empty where none are listed.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> gad7 = instrument("gad7")
    >>> choices = {1: "Not at all", 2: "Several days", 3: "More than half the days", 4: "Nearly every day"}
    >>> judge(gad7, gad7.form(), gad7.item_columns(), [choices] * 7).coding.key
    '1-4'
    >>> judge(gad7, gad7.form(), gad7.item_columns(), [{0: "Never", 1: "Always"}] * 7).coding is None
    True
    """
    items = [measure.item(item) for item in form.order]
    answers = [
        {number: label for number, label in choices.items() if not is_non_answer(label)} for choices in offered
    ]
    listed = [
        (item, name, choices)
        for item, name, choices in zip(items, names, answers, strict=True)
        if len(choices) > 1
    ]
    if not listed:
        return Judgement()
    codings = sorted(measure.own_codings, key=lambda coding: not coding.default)
    fitting = [coding for coding in codings if all(_spans(coding, item, choices) for item, _, choices in listed)]
    if not fitting:
        wrong = next(
            entry for entry in listed if not all(_spans(coding, entry[0], entry[2]) for coding in codings)
        )
        return Judgement(problem=_unknown_codes(measure, wrong[1], wrong[2]))
    aligned = [
        coding
        for coding in fitting
        if all(_runs(coding, measure, item, choices) is not False for item, _, choices in listed)
    ]
    if not aligned:
        wrong = next(entry for entry in listed if _runs(fitting[0], measure, entry[0], entry[2]) is False)
        everywhere = _all_fall(fitting[0], measure, listed)
        return Judgement(problem=_other_direction(measure, fitting[0], wrong, everywhere=everywhere))
    foreign = next((entry for entry in listed if _is_foreign(measure, entry[2])), None)
    if foreign is not None:
        return Judgement(problem=_other_words(measure, aligned[0], foreign[1], foreign[2]))
    return Judgement(aligned[0], note=_unplaced(measure, aligned[0], listed))


def _spans(coding: Coding, item: Item, choices: Offered) -> bool:
    """Both ends of the coding are offered and it does not go on: others, such as -9 or 99, mean no answer."""
    low, high = coding.accepted(item)
    top = high - 1 if item.may_not_apply and high not in choices else high
    return {low, top} <= choices.keys() and high + 1 not in choices and (low < 1 or low - 1 not in choices)


def _ends(coding: Coding, item: Item, choices: Offered) -> tuple[str, str]:
    low, high = coding.accepted(item)
    if item.may_not_apply:
        high -= 1
    return choices.get(low, ""), choices.get(high, "")


def _runs(coding: Coding, measure: Instrument, item: Item, choices: Offered) -> bool | None:
    """Say whether the labels run as the coding does; None where the words do not tell."""
    label_direction = direction(*_ends(coding, item, choices))
    return None if label_direction is None else (label_direction == "rising") == _is_rising(coding, measure, item)


def _is_rising(coding: Coding, measure: Instrument, item: Item) -> bool:
    """Say whether a higher number means more of what the words of the answer say."""
    if len(measure.own_codings) == 1 and direction(*_title_ends(coding)) == "falling":
        return False
    natural = next((each for each in measure.own_codings if each.key in _NATURAL), measure.coding())
    return (item.id in coding.flipped) == (item.id in natural.flipped)


def _title_ends(coding: Coding) -> tuple[str, str]:
    low, sign, high = coding.title.partition(" to ")
    return (normalised(low), normalised(high)) if sign else ("", "")


def _all_fall(coding: Coding, measure: Instrument, listed: Sequence[tuple[Item, str, Offered]]) -> bool:
    return all(_runs(coding, measure, item, choices) is False for item, _, choices in listed)


def _is_foreign(measure: Instrument, choices: Offered) -> bool:
    families = families_of(measure)
    low, high = place_of(choices[min(choices)]), place_of(choices[max(choices)])
    if families is None or low is None or high is None:
        return False
    return not {low.family, high.family} & families


def _unplaced(measure: Instrument, coding: Coding, listed: Sequence[tuple[Item, str, Offered]]) -> str | None:
    """Show both scales where the words of the choices are not known."""
    for item, name, choices in listed:
        low, high = _ends(coding, item, choices)
        if low == high or not _has_words(low) or not _has_words(high) or direction(low, high) is not None:
            continue
        return (
            f"{measure.name}: the direction of the answer choices in the file is not known. "
            f"'{quote(name)}' offers {scale_text(choices)}; {own_scale(coding, item)}. Check that a higher number "
            "means the same in both."
        )
    return None


def _has_words(label: str) -> bool:
    return any(character.isalpha() for character in normalised(label))


def _unknown_codes(measure: Instrument, name: str, choices: Offered) -> str:
    codings = ", ".join(coding.key for coding in measure.own_codings)
    return (
        f"{measure.name}: '{quote(name)}' offers {scale_text(choices)}, which is not one of its answer codings "
        f"({codings}). {_mapping(measure)}"
    )


def _other_direction(
    measure: Instrument, coding: Coding, entry: tuple[Item, str, Offered], *, everywhere: bool
) -> str:
    item, name, choices = entry
    problem = (
        f"{measure.name}: the answer choices in the file run in the opposite direction. '{quote(name)}' offers "
        f"{scale_text(choices)}; {own_scale(coding, item)}."
    )
    if not everywhere:
        return (
            f"{problem} Other items run in the questionnaire's direction, so this one seems to be reversed "
            "already. Import the answers as they were given: mbc reverses items itself."
        )
    low, high = coding.accepted(item)
    lines = ", ".join(f'"{code}" = {item.maximum - (code - low)}' for code in range(low, high + 1))
    return (
        f"{problem} Give the value of each number in a mapping file, [values.{measure.key}] {lines}, or name the "
        "--coding if the labels are wrong."
    )


def _other_words(measure: Instrument, coding: Coding, name: str, choices: Offered) -> str:
    return (
        f"{measure.name}: '{quote(name)}' offers {scale_text(choices)}. These are not the answers of this "
        f"questionnaire ({coding.title}). Is it another questionnaire? {_mapping(measure)}"
    )


def _mapping(measure: Instrument) -> str:
    return (
        f"Give the number of each choice in a mapping file, [values.{measure.key}] with lines such as "
        '"1" = 0, or name the --coding.'
    )


def scale_text(choices: Offered) -> str:
    """Write the choices of a question in one line.

    Examples
    --------
    >>> scale_text({1: "Strongly agree", 2: "", 3: "Disagree"})
    "1 'Strongly agree', 2, 3 'Disagree'"
    """
    numbers = sorted(choices)
    parts = [f"{number:g} '{quote(choices[number])}'" if choices[number] else f"{number:g}" for number in numbers]
    if len(parts) > _MOST_CHOICES:
        parts = [*parts[: _MOST_CHOICES - 1], "...", parts[-1]]
    return ", ".join(parts)


def own_scale(coding: Coding, item: Item) -> str:
    """Describe the answers of an item in a coding of its questionnaire."""
    low, high = coding.accepted(item)
    title = coding.title if " to " in coding.title else f"{low} is the least, {high} the most"
    return f"coding {coding.key} has {title}"
