"""How wording is read from a FHIR R4 Questionnaire: nested or flat, options inline or in a contained value set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from mbc.errors import WordingError
from mbc.instruments.wording.drafts import Draft, Line, plain

_WEIGHT = ("/ordinalValue", "/itemWeight", "/questionnaire-ordinalValue")  # R4, R5, DSTU2
_PREFIX = "/questionnaire-optionPrefix"
_TRANSLATION = "/translation"
_LOINC = "http://loinc.org"
_ASKED = {"choice", "open-choice", "coding", "integer", "decimal", "boolean", "quantity", "string", "text"}


class _Read(BaseModel):
    """What is not needed is skipped: a resource may hold a great deal more."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class _Extension(_Read):
    url: str = ""
    value_decimal: float | None = None
    value_integer: int | None = None
    value_string: str | None = None
    value_code: str | None = None
    value_markdown: str | None = None
    extension: tuple[_Extension, ...] = ()


class _Element(_Read):
    extension: tuple[_Extension, ...] = ()


class _Coded(_Read):
    system: str | None = None
    code: str | None = None
    display: str | None = None
    more: _Element | None = Field(default=None, alias="_display")
    extension: tuple[_Extension, ...] = ()


class _AnswerOption(_Read):
    value_coding: _Coded | None = None
    value_integer: int | None = None
    value_string: str | None = None
    extension: tuple[_Extension, ...] = ()


class _Item(_Read):
    link_id: str
    type: str
    text: str | None = None
    more: _Element | None = Field(default=None, alias="_text")
    code: tuple[_Coded, ...] = ()
    read_only: bool = False
    answer_option: tuple[_AnswerOption, ...] = ()
    answer_value_set: str | None = None
    extension: tuple[_Extension, ...] = ()
    item: tuple[_Item, ...] = ()


class _Include(_Read):
    concept: tuple[_Coded, ...] = ()


class _Compose(_Read):
    include: tuple[_Include, ...] = ()


class _Expansion(_Read):
    contains: tuple[_Coded, ...] = ()


class _Contained(_Read):
    id: str = ""
    compose: _Compose = _Compose()
    expansion: _Expansion = _Expansion()


class _Questionnaire(_Read):
    resource_type: Literal["Questionnaire"]
    title: str | None = None
    more: _Element | None = Field(default=None, alias="_title")
    name: str | None = None
    language: str | None = None
    copyright: str | None = None
    contained: tuple[_Contained, ...] = ()
    item: tuple[_Item, ...] = ()


def read_questionnaire(content: bytes, name: str, language: str) -> Draft:
    """Read the questions of a Questionnaire resource, in the order they are asked.

    Parameters
    ----------
    content : bytes
        JSON.
    name : str
        The file's name, for messages.
    language : str
        A translation to this language is taken where the resource carries one.

    Raises
    ------
    WordingError
        If it is no Questionnaire, or is in another language.
    """
    try:
        resource = _Questionnaire.model_validate_json(content)
    except ValidationError as fault:
        raise WordingError(f"{name} is not a FHIR R4 Questionnaire: {_first(fault)}.") from None
    _check_language(resource, name, language)
    questions = [item for item in _walk(resource.item) if item.type in _ASKED and not item.read_only]
    if not questions:
        raise WordingError(
            f"{name} has no questions: no item has a type that can be answered (choice, integer, ...)."
        )
    numbers = _numbers([item.link_id for item in questions])
    lines = [_line(item, number, resource, language) for item, number in zip(questions, numbers, strict=True)]
    return Draft(
        title=_text_in(resource.title, resource.more, language) or resource.name,
        instructions="\n".join(_before_questions(resource.item, language)) or None,
        copyright=plain(resource.copyright) or None,
        lines=tuple(lines),
        extras="reported",
    )


def _walk(items: Iterable[_Item]) -> Iterator[_Item]:
    for item in items:
        yield item
        yield from _walk(item.item)


def _numbers(link_ids: Sequence[str]) -> list[str]:
    """Last parts of nested link ids (``/44249-1/44250-9``, ``1.2``); running numbers where these repeat.

    Examples
    --------
    >>> _numbers(["/1/1.1", "/1/1.2"]), _numbers(["1.1", "1.2", "2.1"])
    (['1', '2'], ['1', '2', '3'])
    """
    last = [link.strip("/").rsplit("/", 1)[-1] for link in link_ids]
    if not all(re.fullmatch(r"(\d+\.)+\d+", prefix) for prefix in last):
        return last
    ends = [prefix.rsplit(".", 1)[-1] for prefix in last]
    return ends if len(set(ends)) == len(ends) else [str(n) for n in range(1, len(ends) + 1)]


def _before_questions(items: Iterable[_Item], language: str) -> Iterator[str]:
    """Texts of groups and displays that stand above the first question."""
    for item in _walk(items):
        if item.type not in {"group", "display"}:
            return
        text = _text_in(item.text, item.more, language)
        if text:
            yield text


def _line(item: _Item, number: str, resource: _Questionnaire, language: str) -> Line:
    codes = tuple(code.code for code in item.code if code.code and (code.system or _LOINC) == _LOINC)
    options = tuple(_option(option, language) for option in item.answer_option)
    if not options and item.answer_value_set:
        options = tuple(_concept(concept, language) for concept in _value_set(resource, item.answer_value_set))
    if item.type == "boolean":
        options = (("0", "No"), ("1", "Yes")) if language.startswith("en") else ()
    text = _text_in(item.text, item.more, language)
    return Line(
        f"linkId '{item.link_id}'", tuple(dict.fromkeys((item.link_id, number))), codes, text, options, _span(item)
    )


def _option(option: _AnswerOption, language: str) -> tuple[str, str]:
    own = _weight(option.extension)
    if option.value_coding is not None:
        value, label = _concept(option.value_coding, language)
        return own or value or _prefix(option.extension), label
    if option.value_integer is not None:
        return own or str(option.value_integer), ""
    return own or _prefix(option.extension), plain(option.value_string)


def _concept(coded: _Coded, language: str) -> tuple[str, str]:
    number = coded.code if coded.code and re.fullmatch(r"-?\d+", coded.code) else ""
    return _weight(coded.extension) or number, _text_in(coded.display, coded.more, language)


def _value_set(resource: _Questionnaire, reference: str) -> tuple[_Coded, ...]:
    wanted = reference.rsplit("/", 1)[-1].split("|", 1)[0].removeprefix("#")
    for contained in resource.contained:
        if contained.id == wanted:
            return contained.expansion.contains or tuple(
                c for part in contained.compose.include for c in part.concept
            )
    return ()


def _weight(extensions: Iterable[_Extension]) -> str:
    for extension in extensions:
        if extension.url.endswith(_WEIGHT):
            value = extension.value_decimal if extension.value_decimal is not None else extension.value_integer
            return f"{value:g}" if value is not None else ""
    return ""


def _prefix(extensions: Iterable[_Extension]) -> str:
    prefix = next(
        (extension.value_string or "" for extension in extensions if extension.url.endswith(_PREFIX)), ""
    )
    return prefix if re.fullmatch(r"-?\d+", prefix) else ""


def _span(item: _Item) -> tuple[int, int] | None:
    if item.type not in {"integer", "decimal"}:
        return None
    ends = {
        extension.url.rsplit("/", 1)[-1]: extension.value_integer
        if extension.value_integer is not None
        else extension.value_decimal
        for extension in item.extension
    }
    low, high = ends.get("minValue"), ends.get("maxValue")
    return (int(low), int(high)) if low is not None and high is not None else None


def _text_in(text: str | None, more: _Element | None, language: str) -> str:
    """Text in the language asked for, where a translation is carried; else as it stands."""
    for extension in more.extension if more else ():
        if extension.url.endswith(_TRANSLATION):
            parts = {
                part.url: part.value_code or part.value_string or part.value_markdown
                for part in extension.extension
            }
            if (parts.get("lang") or "").casefold() == language.casefold():
                return plain(parts.get("content"))
    return plain(text)


def _check_language(resource: _Questionnaire, name: str, language: str) -> None:
    translated = any(
        part.value_code and part.value_code.casefold() == language.casefold()
        for item in _walk(resource.item)
        for extension in (item.more.extension if item.more else ())
        for part in extension.extension
    )
    stated = (resource.language or language).casefold().split("-")[0]
    if stated != language.casefold().split("-")[0] and not translated:
        raise WordingError(
            f"{name} says that its language is {resource.language!r}and has no translation to {language!r}. "
            f"Load it with --language {resource.language}?"
        )


def _first(fault: ValidationError) -> str:
    error = fault.errors(include_url=False)[0]
    where = ".".join(str(step) for step in error["loc"])
    return f"{where}: {error['msg']}" if where else str(error["msg"])
