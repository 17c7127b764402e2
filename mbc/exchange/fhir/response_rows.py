"""The answers of one QuestionnaireResponse as rows of the long table, questionnaire by questionnaire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from mbc.exchange.choices.offered_scale import Judgement, Offered, judge
from mbc.exchange.choices.standard_scales import words_of
from mbc.exchange.fhir.answer_values import NoNumber, Options, number_of
from mbc.exchange.fhir.displayed_answers import judge_displayed
from mbc.exchange.fhir.long_table import Head, Row, Sheet, status_fault
from mbc.exchange.fhir.questionnaire_match import (
    Link,
    also_answered,
    answers_of,
    code_lists_by_name,
    codes_of,
    keys_of_link,
    links_of,
    place_of,
    scale_of,
    which,
)
from mbc.exchange.fhir.references import Context, unversioned, when
from mbc.exchange.fhir.resource_files import Resource
from mbc.exchange.fhir.resources import CodeList, Coding, Item, Questionnaire, Reference, Response, extra
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import ROW
from mbc.instruments import Instrument, instrument

TAKEN = frozenset({"completed", "amended"})
"""Statuses of a response that counts."""


@dataclass(frozen=True, slots=True)
class _Definition:
    """What the file states of the questions of a response."""

    links: Mapping[str, Link]
    code_lists: Mapping[str, CodeList]

    def options(self, link_id: str, measure: Instrument) -> Options:
        return answers_of(self.links.get(link_id), measure, self.code_lists)


def read_response(resource: Resource, response: Response, context: Context, sheet: Sheet) -> None:
    """Write the answers of a response into the sheet: of every questionnaire that it answers."""
    leaves = [leaf for item in response.item for leaf in item.leaves()]
    questionnaire = _contained(response) or context.definitions.find(response.questionnaire)
    links = links_of(questionnaire)
    mapped = {header: name for name, header in context.options.columns.items()}
    link_ids = [leaf.linkId for leaf in leaves]
    primary = _mapped_key(leaves, mapped) or which(
        link_ids, links, response.questionnaire, questionnaire, context.named
    )
    every = [*([primary] if primary else []), *also_answered(primary, link_ids, links, context.named)]
    if not every:
        name = response.questionnaire or "a questionnaire without a name"
        sheet.unknown.setdefault(name, []).append(resource.place)
        return
    if response.status not in TAKEN:
        sheet.faults.append((resource.place, status_fault(response.status, "completed")))
    sheet.check_subject(resource.place, response.subject, context)
    definition = _Definition(
        links, {**context.definitions.code_lists, **_contained_lists(response, questionnaire)}
    )
    used: set[int] = set()
    for key in every:
        own = [
            (number, leaf)
            for number, leaf in enumerate(leaves)
            if not (claimed := keys_of_link(leaf.linkId, links, every)) or key in claimed
        ]
        used |= _read_measure(instrument(key), resource, response, own, definition, context, sheet)
    for number, leaf in enumerate(leaves):
        if number not in used:
            sheet.unused[leaf.linkId] += 1


def _read_measure(
    measure: Instrument,
    resource: Resource,
    response: Response,
    leaves: Sequence[tuple[int, Item]],
    definition: _Definition,
    context: Context,
    sheet: Sheet,
) -> set[int]:
    """Read the answers to one questionnaire; give the numbers of the leaves that were read."""
    head = _head(resource.place, response, context, measure)
    form = context.form(measure, extra(response.extension, "form"))
    placed = list(_placed(measure, leaves, definition, context, form))
    if head["coding"] is None and not {"", measure.key} & {*context.options.coding, *context.options.values}:
        judged = _judgement(measure, form, placed, definition) or judge_displayed(measure, _codings(placed))
        if judged.problem is not None:
            sheet.faults.append((resource.place, judged.problem))
        if judged.note is not None:
            sheet.remarks[judged.note] = None
        if judged.coding is not None:
            head["coding"] = judged.coding.key
    cells = list(_cells(measure, form, placed, definition, resource.place, sheet))
    sheet.rows += [{**head, **cell} for cell in cells] or [head]
    occasion = Head(head, {cell["scale"]: cell["score"] for cell in cells if "scale" in cell})
    if response.status in TAKEN:
        sheet.taken.append(occasion)
    for address in (resource.address, response.id and f"QuestionnaireResponse/{response.id}"):
        if address:
            sheet.heads.setdefault(unversioned(address), []).append(occasion)
    return {number for number, *_ in placed}


_Placed = tuple[int, Item, int | None, str | None]
"""Number of a leaf, the leaf, and its item position or its scale."""


def _placed(
    measure: Instrument,
    leaves: Sequence[tuple[int, Item]],
    definition: _Definition,
    context: Context,
    form: str | None,
) -> Iterator[_Placed]:
    columns = {name: n for n, name in enumerate(measure.item_columns(), start=1)}
    mapped = {header: name for name, header in context.options.columns.items()}
    for number, leaf in leaves:
        codes = codes_of(leaf.linkId, definition.links)
        scale = scale_of(measure, leaf.linkId, codes)
        item = columns.get(mapped.get(leaf.linkId, "")) or place_of(measure, form, leaf.linkId, codes)
        if scale is not None or item is not None:
            yield number, leaf, item, scale


def _codings(placed: Sequence[_Placed]) -> Iterator[Coding]:
    """Coded answers to items."""
    for _, leaf, _, scale in placed:
        if scale is None:
            yield from (answer.valueCoding for answer in leaf.answer if answer.valueCoding is not None)


def _judgement(
    measure: Instrument, form: str | None, placed: Sequence[_Placed], definition: _Definition
) -> Judgement | None:
    """Compare the choices that the definition offers with the codings; None where it offers none."""
    order = measure.form(form)
    offered: list[Offered] = [{} for _ in order.order]
    names = list(measure.item_columns(order.key))
    for _, leaf, item, scale in placed:
        if item is not None and scale is None:
            offered[item - 1] = definition.options(leaf.linkId, measure).labels
            names[item - 1] = leaf.linkId
    return judge(measure, order, names, offered) if any(offered) else None


def _cells(
    measure: Instrument,
    form: str | None,
    placed: Sequence[_Placed],
    definition: _Definition,
    place: int,
    sheet: Sheet,
) -> Iterator[dict[str, str]]:
    words, order = words_of(measure), measure.form(form).order
    for _, leaf, item, scale in placed:
        answer, *more = leaf.answer
        if more:
            sheet.faults.append((place, f"'{quote(leaf.linkId)}' has {len(more) + 1} answers; one is required"))
            continue
        if answer.valueBoolean is not None and (item is None or not _is_yes_or_no(measure, order[item - 1])):
            sheet.faults.append(
                (place, f"'{quote(leaf.linkId)}' is answered by true or false; a number is required")
            )
            continue
        try:
            text = number_of(answer, definition.options(leaf.linkId, measure), words)
        except NoNumber as fault:
            sheet.faults.append((place, f"'{quote(leaf.linkId)}': {quote(fault, longest=200)}"))
            continue
        yield {"scale": scale, "score": text} if scale is not None else {"item": str(item), "value": text}


def _is_yes_or_no(measure: Instrument, item_id: str) -> bool:
    item = measure.item(item_id)
    return (item.minimum, item.maximum) == (0, 1)


def _head(place: int, response: Response, context: Context, measure: Instrument) -> Row:
    extras = response.extension
    return {
        ROW: place,
        "client_id": context.client(response.subject),
        **when(response.authored, extra(extras, "taken-on")),
        "session_number": extra(extras, "session-number"),
        "target": extra(extras, "target"),
        "informant": extra(extras, "informant") or _informant(response.source),
        "episode_id": extra(extras, "episode"),
        "version": extra(extras, "version"),
        "instrument": measure.key,
        "form": extra(extras, "form") or context.form(measure, None),
        "coding": extra(extras, "coding"),
    }


def _informant(source: Reference | None) -> str | None:
    kind = (source.type or (source.reference or "").split("/")[0]) if source else ""
    return {"RelatedPerson": "related-person", "Practitioner": "clinician", "PractitionerRole": "clinician"}.get(
        kind
    )


def _contained(response: Response) -> Questionnaire | None:
    for content in response.contained:
        if content.get("resourceType") == "Questionnaire":
            try:
                return Questionnaire.model_validate(content)
            except ValidationError:
                return None
    return None


def _contained_lists(response: Response, questionnaire: Questionnaire | None) -> dict[str, CodeList]:
    lists: list[CodeList] = []
    for content in (*response.contained, *(questionnaire.contained if questionnaire else ())):
        if content.get("resourceType") in {"ValueSet", "CodeSystem"}:
            try:
                lists.append(CodeList.model_validate(content))
            except ValidationError:
                continue
    return code_lists_by_name(lists)


def _mapped_key(leaves: Sequence[Item], mapped: Mapping[str, str]) -> str | None:
    mapped_keys = {mapped[leaf.linkId].rpartition("_")[0] for leaf in leaves if leaf.linkId in mapped}
    return next(iter(mapped_keys)) if len(mapped_keys) == 1 else None
