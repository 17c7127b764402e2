"""Which number an answer of a QuestionnaireResponse counts as."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mbc.exchange.choices.answer_words import normalised
from mbc.exchange.fhir.resources import LOINC, Answer, Coding, Extension, Option

# Where profiles write the number that a coded answer counts as: ordinalValue (R4), itemWeight (R5), older ones.
_WEIGHTS = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
        "http://hl7.org/fhir/StructureDefinition/questionnaire-ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/codesystem-ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/valueset-ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/iso21090-CO-value",
    }
)
_PREFIX = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionPrefix"
# Frequency answers that PHQ-9 and GAD-7 share, with the scores that LOINC gives them; also in the ordinalValue of
# the US Core example Questionnaire/phq-9-example.
_LOINC_ANSWERS: Mapping[str, float] = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}
_NUMBER = re.compile(r"[+-]?\d{1,15}([.,]\d{1,15})?")


class NoNumber(ValueError):
    """An answer without a known number; the message says how to give it one."""


@dataclass(frozen=True, slots=True)
class Options:
    """The answers that a question offers, and the numbers that its definition gives them."""

    by_code: Mapping[tuple[str | None, str], float] = field(default_factory=dict[tuple[str | None, str], float])
    """System and code -> number; system None where a code is in one system only."""
    by_value: Mapping[str, float] = field(default_factory=dict[str, float])
    """Integer or text option -> number, where it has a weight."""
    labels: Mapping[float, str] = field(default_factory=dict[float, str])
    """Number -> label of the choice: what the question offers."""


NO_OPTIONS = Options()


def options_of(options: Iterable[Option], words: Mapping[str, int]) -> Options:
    """Collect the answers that a question offers.

    Parameters
    ----------
    options : iterable of Option
        From the question itself or from its value set.
    words : mapping
        The questionnaire's standard answers in words -> number, for codes that are not numbers.
    """
    by_code: dict[tuple[str | None, str], float] = {}
    by_value: dict[str, float] = {}
    labels: dict[float, str] = {}
    for option in options:
        number = _option_number(option, words)
        coding = option.valueCoding
        if coding is not None and coding.code is not None and number is not None:
            by_code[coding.system, coding.code] = number
        elif number is not None:
            by_value[str(option.valueInteger if option.valueInteger is not None else option.valueString)] = number
        if number is not None:
            labels[number] = (coding.display if coding else option.valueString) or ""
    for code in {code for _, code in by_code}:
        numbers = {number for (_, other), number in by_code.items() if other == code}
        if len(numbers) == 1:
            by_code[None, code] = numbers.pop()
    return Options(by_code, by_value, labels)


def _option_number(option: Option, words: Mapping[str, int]) -> float | None:
    coding = option.valueCoding
    number = _weight((*option.extension, *(coding.extension if coding else ())))
    if number is not None:
        return number
    if option.valueInteger is not None:
        return float(option.valueInteger)
    text = option.valueString if coding is None else None
    if coding is not None:
        if coding.system in {LOINC, None} and (scored := _LOINC_ANSWERS.get(coding.code or "")) is not None:
            return scored
        if coding.code is not None and _is_plain_code(coding):
            return float(coding.code.replace(",", "."))
        text = coding.display
    known = words.get(normalised(text or ""))
    return None if known is None else float(known)


def number_of(answer: Answer, options: Options = NO_OPTIONS, words: Mapping[str, int] | None = None) -> str:
    """Write the number that an answer counts as.

    Parameters
    ----------
    answer : Answer
        Valued or coded.
    options : Options
        What the question's definition states of its answers; empty when there is none.
    words : mapping, optional
        The questionnaire's standard answers in words -> number.

    Raises
    ------
    NoNumber
        When a coded answer has no number.

    Examples
    --------
    >>> number_of(Answer(valueInteger=2)), number_of(Answer(valueDecimal=2.50))
    ('2', '2.5')
    >>> number_of(Answer(valueCoding=Coding(system=LOINC, code="LA6570-1")))
    '2'
    """
    if answer.valueBoolean is not None:
        return "1" if answer.valueBoolean else "0"
    for value in (answer.valueInteger, answer.valueDecimal, answer.valueQuantity and answer.valueQuantity.value):
        if value is not None:
            return plain(options.by_value.get(plain(value), value))
    if answer.valueCoding is not None:
        return _coded(answer.valueCoding, options, words or {})
    text = answer.valueString or answer.valueDate
    if text is None:
        raise NoNumber("the answer is of a type that has no number")
    return plain(options.by_value[text]) if text in options.by_value else text


def _coded(coding: Coding, options: Options, words: Mapping[str, int]) -> str:
    weight = _weight(coding.extension)
    if weight is None and coding.code is not None:
        weight = options.by_code.get((coding.system, coding.code))
        if weight is None and coding.system is None:
            weight = options.by_code.get((None, coding.code))
    if weight is None and coding.system in {LOINC, None}:
        weight = _LOINC_ANSWERS.get(coding.code or "")
    if weight is not None:
        return plain(weight)
    if coding.code is not None and _is_plain_code(coding):
        return coding.code
    if coding.display and (not coding.code or normalised(coding.display) in words):
        return coding.display
    raise NoNumber(
        f"the coded answer '{coding.code or '?'}' ({coding.display or 'no display'}) has no number; name the "
        "Questionnaire that gives it one: --questionnaire FILE"
    )


def coded_number(coding: Coding) -> float | None:
    """Give the number that a coded answer states by itself: its weight, its score in LOINC, or its code."""
    weight = _weight(coding.extension)
    if weight is None and coding.system in {LOINC, None}:
        weight = _LOINC_ANSWERS.get(coding.code or "")
    if weight is None and coding.code is not None and _is_plain_code(coding):
        weight = float(coding.code.replace(",", "."))
    return weight


def _is_plain_code(coding: Coding) -> bool:
    """Say whether a code is itself a number; those of LOINC only look like it."""
    return "loinc.org" not in (coding.system or "") and _NUMBER.fullmatch(coding.code or "") is not None


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
