"""Which number an answer of a QuestionnaireResponse counts as."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mbc.exchange.fhir.resources import LOINC, Answer, Coding, Extension, Question

# Where profiles write the number that a coded answer counts as: ordinalValue (R4), itemWeight (R5), older ones.
_WEIGHTS = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
        "http://hl7.org/fhir/StructureDefinition/questionnaire-ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/iso21090-CO-value",
    }
)
_PREFIX = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionPrefix"
# Frequency answers that PHQ-9 and GAD-7 share, with the scores that LOINC gives them; also in the ordinalValue of
# the US Core example Questionnaire/phq-9-example.
_LOINC_ANSWERS: Mapping[str, float] = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
Options = Mapping[tuple[str | None, str | None], float]


class NoNumber(ValueError):
    """An answer without a known number; the message says how to give it one."""


def option_numbers(question: Question) -> Options:
    """Collect the numbers of the coded answers that a question offers, as far as its definition says so."""
    numbers: dict[tuple[str | None, str | None], float] = {}
    for option in question.answerOption:
        coding = option.valueCoding
        if coding is None:
            continue
        number = _weight((*option.extension, *coding.extension))
        if number is not None:
            numbers[(coding.system, coding.code)] = number
    return numbers


def number_of(answer: Answer, options: Options) -> str:
    """Write the number that an answer counts as.

    Parameters
    ----------
    answer : Answer
        Valued or coded.
    options : mapping
        What the question's definition says of its coded answers; empty when there is none.

    Raises
    ------
    NoNumber
        When a coded answer has no number.

    Examples
    --------
    >>> number_of(Answer(valueInteger=2), {}), number_of(Answer(valueDecimal=2.50), {})
    ('2', '2.5')
    >>> number_of(Answer(valueCoding=Coding(system=LOINC, code="LA6570-1")), {})
    '2'
    """
    if answer.valueBoolean is not None:
        return "1" if answer.valueBoolean else "0"
    for value in (answer.valueInteger, answer.valueDecimal, answer.valueQuantity and answer.valueQuantity.value):
        if value is not None:
            return plain(value)
    if answer.valueCoding is not None:
        return _coded(answer.valueCoding, options)
    text = answer.valueString or answer.valueDate
    if text is None:
        raise NoNumber("the answer is of a kind that holds no number")
    return text


def _coded(coding: Coding, options: Options) -> str:
    weight = _weight(coding.extension)
    if weight is None:
        weight = options.get((coding.system, coding.code))
    if weight is None and coding.system in {LOINC, None}:
        weight = _LOINC_ANSWERS.get(coding.code or "")
    if weight is not None:
        return plain(weight)
    if coding.system is None or "loinc.org" not in coding.system:
        code = coding.code or ""
        if _NUMBER.fullmatch(code):
            return code
    if coding.display and not coding.code:
        return coding.display
    raise NoNumber(
        f"the coded answer '{coding.code or '?'}' ({coding.display or 'no display'}) has no number; name the "
        "Questionnaire that gives it one: --questionnaire FILE"
    )


def _weight(extensions: Iterable[Extension]) -> float | None:
    prefix = None
    for extension in extensions:
        if extension.url in _WEIGHTS:
            return extension.valueDecimal if extension.valueDecimal is not None else extension.valueInteger
        if extension.url == _PREFIX and extension.valueString and _NUMBER.fullmatch(extension.valueString):
            prefix = float(extension.valueString.replace(",", "."))
    return prefix


def plain(value: float) -> str:
    """Write a number without a needless fraction.

    Examples
    --------
    >>> plain(12.0), plain(2.25)
    ('12', '2.25')
    """
    return str(int(value)) if float(value).is_integer() else repr(float(value))
