"""Which of our questionnaires a QuestionnaireResponse answers, and which item or score each of its links is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mbc.exchange.choices.standard_scales import words_of
from mbc.exchange.fhir.answer_values import NO_OPTIONS, Options, options_of
from mbc.exchange.fhir.resources import INSTRUMENT, LOINC, SCORES, CodeList, Coding, Question, Questionnaire
from mbc.exchange.header.columns import fold
from mbc.exchange.header.questionnaires import item_number, item_pattern, key_of
from mbc.instruments import Instrument, instrument, keys
from mbc.instruments.own.folders import OwnDefinition, listed

_LOINC_CODE = re.compile(r"(?<!\d)(\d{1,7}-\d)(?!\d)")


@dataclass(frozen=True)
class Definitions:
    """The available Questionnaires, by every name that a response may use."""

    by_name: Mapping[str, Questionnaire] = field(default_factory=dict[str, Questionnaire])
    code_lists: Mapping[str, CodeList] = field(default_factory=dict[str, CodeList])
    """Address of a ValueSet -> the answers that it lists."""

    @classmethod
    def of(cls, questionnaires: Iterable[Questionnaire], code_lists: Iterable[CodeList] = ()) -> Definitions:
        """Collect Questionnaires and the value sets that they name."""
        by_name: dict[str, Questionnaire] = {}
        for questionnaire in questionnaires:
            versioned = (
                f"{questionnaire.url}|{questionnaire.version}"
                if questionnaire.url and questionnaire.version
                else None
            )
            for name in (
                versioned,
                questionnaire.url,
                questionnaire.id and f"Questionnaire/{questionnaire.id}",
                questionnaire.id and f"#{questionnaire.id}",
            ):
                if name:
                    by_name.setdefault(name, questionnaire)
        return cls(by_name, code_lists_by_name(code_lists))

    def find(self, canonical: str | None) -> Questionnaire | None:
        """Find the one that a response names; its only one where it names none."""
        if canonical is None:
            return next(iter(self.by_name.values())) if len(set(map(id, self.by_name.values()))) == 1 else None
        if canonical in self.by_name:
            return self.by_name[canonical]
        name = canonical.split("|")[0]
        return self.by_name.get(name) or self.by_name.get(f"Questionnaire/{name.rsplit('/', 1)[-1]}")


@dataclass(frozen=True, slots=True)
class Link:
    """What the definition says of one link id."""

    codes: tuple[str, ...]
    """LOINC codes."""
    question: Question


def links_of(definition: Questionnaire | None) -> dict[str, Link]:
    """Collect what a definition says of each of its link ids."""
    if definition is None:
        return {}
    every = (question for top in definition.item for question in top.all())
    return {question.linkId: Link(_loinc(question.code), question) for question in every}


def code_lists_by_name(code_lists: Iterable[CodeList]) -> dict[str, CodeList]:
    """Name value sets by every address that a question may call them."""
    named: dict[str, CodeList] = {}
    for code_list in code_lists:
        for name in (
            code_list.url,
            code_list.id and f"#{code_list.id}",
            code_list.id and f"ValueSet/{code_list.id}",
        ):
            if name:
                named.setdefault(name, code_list)
    return named


def answers_of(link: Link | None, measure: Instrument, code_lists: Mapping[str, CodeList]) -> Options:
    """Collect the answers that a question offers, from its own options or its value set."""
    if link is None:
        return NO_OPTIONS
    question, words = link.question, words_of(measure)
    if question.answerOption or question.answerValueSet is None:
        return options_of(question.answerOption, words)
    address = question.answerValueSet
    code_list = code_lists.get(address) or code_lists.get(address.partition("|")[0])
    return NO_OPTIONS if code_list is None else options_of(code_list.options(), words)


def also_answered(
    primary: str | None, link_ids: Sequence[str], links: Mapping[str, Link], named: Sequence[str]
) -> list[str]:
    """Keys of further questionnaires that a response answers: two of their items or more, claimed by no other."""
    claims = [keys_of_link(link, links, tuple(named) or keys()) for link in link_ids]
    sole = Counter(next(iter(claim)) for claim in claims if len(claim) == 1)
    return [key for key, count in sole.items() if count > 1 and key != primary]


def keys_of_link(link: str, links: Mapping[str, Link], among: Sequence[str]) -> set[str]:
    """Keys of the questionnaires that a link is an item of: by its LOINC codes, else by its name."""
    codes = set(codes_of(link, links))
    by_code = {key for key in among if codes & _item_codes(key).keys()}
    name = re.sub(r"[/#|]+", "_", link).strip("_")
    return by_code or {key for key in among if item_pattern(key).fullmatch(name)}


def codes_of(link_id: str, links: Mapping[str, Link]) -> tuple[str, ...]:
    """LOINC codes of a link: as its definition says, and as the link id itself may bear one (``/44250-9``)."""
    defined = links[link_id].codes if link_id in links else ()
    return (*defined, *_LOINC_CODE.findall(link_id))


def which(
    link_ids: Sequence[str],
    links: Mapping[str, Link],
    canonical: str | None,
    definition: Questionnaire | None,
    named: Sequence[str],
) -> str | None:
    """Key of the questionnaire that is answered, or None when it cannot be determined.

    Parameters
    ----------
    link_ids : sequence of str
        Of the answered items.
    links : mapping
        From `links_of`.
    canonical : str, optional
        The address of the questionnaire, as the response gives it.
    definition : Questionnaire, optional
        What is found under that address.
    named : sequence of str
        Questionnaires that the user asks for; empty: all.
    """
    among = tuple(named) or keys()
    if canonical and canonical.split("|")[0].startswith(INSTRUMENT):
        key = canonical.split("|")[0].removeprefix(INSTRUMENT)
        return key if key in among else None
    panel = _loinc(definition.code) if definition else ()
    codes = {code for link in link_ids for code in codes_of(link, links)}
    for key in among:
        if instrument(key).loinc and instrument(key).loinc in panel:
            return key
    scored = {key: len(codes & _item_codes(key).keys()) for key in among}
    best = max(scored, key=lambda key: scored[key], default=None)
    if best is not None and scored[best] and list(scored.values()).count(scored[best]) == 1:
        return best
    by_link = [key for key in among if any(item_pattern(key).fullmatch(link) for link in link_ids)]
    if len(by_link) == 1:
        return by_link[0]
    by_name = _by_name(canonical, definition)
    return by_name if by_name in among else (named[0] if len(named) == 1 else None)


def _by_name(canonical: str | None, definition: Questionnaire | None) -> str | None:
    last = canonical.split("|")[0].rstrip("/").rsplit("/", 1)[-1] if canonical else None
    for text in (definition and definition.name, definition and definition.title, last):
        try:
            if text:
                return key_of(text)
        except ValueError:
            continue
    return None


def place_of(measure: Instrument, form: str | None, link_id: str, codes: Iterable[str]) -> int | None:
    """Position of an item in a form: by its LOINC code, else by the number in its link id.

    Examples
    --------
    >>> phq9 = instrument("phq9")
    >>> place_of(phq9, None, "/44255-8", ["44255-8"]), place_of(phq9, None, "phq9_9", ())
    (2, 9)
    """
    order = measure.form(form).order
    known = _item_codes(measure.key)
    for code in codes:
        if code in known:
            return order.index(known[code]) + 1
    last = re.split(r"[/#|]", link_id)[-1]
    number = item_number(link_id, measure.key) or item_number(last, measure.key)
    return number if number is not None and 1 <= number <= len(order) else None


def scale_of(measure: Instrument, link_id: str, codes: Iterable[str]) -> str | None:
    """Scale whose score an item is: by its LOINC code, else by its name (``rses_total``)."""
    codes = set(codes)
    for scale in measure.scales:
        if (scale.loinc and scale.loinc in codes) or fold(link_id) == fold(f"{measure.key}_{scale.key}"):
            return scale.key
    return None


def score_of(codings: Iterable[Coding]) -> tuple[str, str] | None:
    """Questionnaire and scale that an Observation is a score of."""
    own = listed()
    for coding in codings:
        if coding.system == SCORES and coding.code in _by_column(own):
            return _by_column(own)[coding.code]
        if coding.system == LOINC and coding.code in _scale_codes(own):
            return _scale_codes(own)[coding.code]
    return None


def _loinc(codings: Iterable[Coding]) -> tuple[str, ...]:
    return tuple(coding.code for coding in codings if coding.code and coding.system in {LOINC, None})


def _item_codes(key: str) -> dict[str, str]:
    return _item_codes_of(key, listed())


@lru_cache(maxsize=256)
def _item_codes_of(key: str, _: tuple[OwnDefinition, ...]) -> dict[str, str]:
    return {item.loinc: item.id for item in instrument(key).items if item.loinc}


@lru_cache(maxsize=8)
def _scale_codes(_: tuple[OwnDefinition, ...]) -> dict[str, tuple[str, str]]:
    return {scale.loinc: (key, scale.key) for key in keys() for scale in instrument(key).scales if scale.loinc}


@lru_cache(maxsize=8)
def _by_column(_: tuple[OwnDefinition, ...]) -> dict[str, tuple[str, str]]:
    return {f"{key}_{scale.key}": (key, scale.key) for key in keys() for scale in instrument(key).scales}


def questions(definition: Questionnaire) -> list[Question]:
    """List every question of a definition, however deep."""
    return [question for top in definition.item for question in top.all()]
