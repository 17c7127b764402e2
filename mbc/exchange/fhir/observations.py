"""Scores in Observations: of a response in the file, or alone."""

from __future__ import annotations

from collections.abc import Iterator

from mbc.exchange.fhir.answer_values import plain
from mbc.exchange.fhir.long_table import Head, Row, Sheet, status_fault
from mbc.exchange.fhir.questionnaire_match import score_of
from mbc.exchange.fhir.references import Context, unversioned, when
from mbc.exchange.fhir.resource_files import Resource
from mbc.exchange.fhir.resources import SCORES, Component, Observation, extra
from mbc.exchange.files.text_table import ROW

_FINAL = frozenset({"final", "amended", "corrected"})
_OCCASION = ("client_id", "instrument", "taken_on")


def read_observation(resource: Resource, observation: Observation, context: Context, sheet: Sheet) -> None:
    """Write the scores of an Observation into the sheet; the responses of the file have been read already.

    Each of its components may be a score too, of the same person and day. A score is stored with the answers of
    the response that the Observation names, or of the only one of that client, questionnaire and day. Scores
    computed by an export of our own are not read: they are recomputed.
    """
    scores = list(_scores(observation, context, sheet))
    if not scores:
        return
    if observation.status not in _FINAL:
        sheet.faults.append((resource.place, status_fault(observation.status, "final")))
    sheet.check_subject(resource.place, observation.subject, context)
    for key, scale, score in scores:
        own = _own_occasion(observation, context, key)
        head = _response_of(observation, own, sheet)
        if head is None or head.scores.get(scale) != score:  # else the response says the same
            occasion = head.cells if head else own
            sheet.rows.append({**occasion, ROW: resource.place, "scale": scale, "score": score})


def _scores(observation: Observation, context: Context, sheet: Sheet) -> Iterator[tuple[str, str, str]]:
    """Yield questionnaire, scale and score of the Observation and its components; count what is none."""
    own: list[Observation | Component] = [observation] if observation.value is not None else []
    for part in [*own, *observation.component] or [observation]:
        named = score_of(part.code.coding)
        if named is None or part.value is None:
            sheet.others += part is observation
            sheet.other_components += part is not observation
        elif observation.derivedFrom and any(coding.system == SCORES for coding in part.code.coding):
            sheet.derived += 1
        elif not context.named or named[0] in context.named:
            yield (*named, plain(part.value))


def _own_occasion(observation: Observation, context: Context, key: str) -> Row:
    extras = observation.extension
    return {
        "client_id": context.client(observation.subject),
        **when(observation.effectiveDateTime, extra(extras, "taken-on")),
        "session_number": extra(extras, "session-number"),
        "target": extra(extras, "target"),
        "informant": extra(extras, "informant"),
        "episode_id": extra(extras, "episode"),
        "version": extra(extras, "version"),
        "instrument": key,
    }


def _response_of(observation: Observation, own: Row, sheet: Sheet) -> Head | None:
    """Find the response whose score it is: the one that it names, or the only one of the day."""
    sources = [unversioned(reference.reference or "") for reference in observation.derivedFrom]
    for source in sources:
        heads = sheet.heads.get(source) or sheet.heads.get("/".join(source.split("/")[-2:])) or []
        for head in heads:
            if all(head.cells[name] == own[name] for name in ("client_id", "instrument")):
                return head
    elsewhere = any("QuestionnaireResponse/" in source for source in sources)
    if elsewhere or own["target"] or own["informant"] or any(own[name] is None for name in _OCCASION):
        return None
    same = [head for head in sheet.taken if _day(head.cells) == _day(own)]
    return same[0] if len(same) == 1 else None


def _day(cells: Row) -> tuple[str, ...]:
    client, key, day = (str(cells[name]) for name in _OCCASION)
    return client, key, day[:10]
