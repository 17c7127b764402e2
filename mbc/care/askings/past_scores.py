"""A client's own earlier scores, as they are shown after sending, where the clinician has chosen that."""

from __future__ import annotations

from collections.abc import Sequence

from mbc.box.content import EarlierScores, ScoreLine
from mbc.box.seal import SCORES_BYTES
from mbc.care.course.client_record import ClientRecord, read_record
from mbc.care.course.segments import split
from mbc.care.values.course import SELF
from mbc.errors import MbcError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import instrument
from mbc.store import Store
from mbc.store.askings import GOAL, AskedSheet

FEWEST_SCORES, MOST_SCORES = 3, 24  # on one scale


@with_definitions_of_record
def earlier_scores(store: Store, client_id: str, sheets: Sequence[AskedSheet]) -> EarlierScores:
    """Read a client's earlier scores on the main scale of each questionnaire that is asked.

    They come from the client's own answers in the present care, about the relationship that is asked about. Goals,
    questionnaires of the safety channel, a relationship that is over, and scales with fewer than `FEWEST_SCORES`
    scores have no line.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id : str
    sheets : sequence of AskedSheet
        What is asked, in its order.

    Returns
    -------
    EarlierScores
        The last scores of each scale, at most `MOST_SCORES`; fewer where many questionnaires share the room.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    MbcError
        If there is nothing to show, or too much for the room that a link has.
    """
    record = read_record(store, client_id)
    lines = [line for place, sheet in enumerate(sheets) if (line := _line_of(record, place, sheet)) is not None]
    if not lines:
        raise MbcError(
            f"{client_id} has fewer than {FEWEST_SCORES} earlier scores on what is asked: there is nothing to "
            "show. Ask without showing earlier scores."
        )
    for most in range(MOST_SCORES, FEWEST_SCORES - 1, -1):
        scores = EarlierScores(lines=tuple(_last(line, most) for line in lines))
        if len(scores.to_json().encode()) <= SCORES_BYTES:
            return scores
    raise MbcError(
        f"Earlier scores of {len(lines)} questionnaires are too many to be shown at once. Ask for fewer, or "
        "without showing earlier scores."
    )


def _line_of(record: ClientRecord, place: int, sheet: AskedSheet) -> ScoreLine | None:
    """Give the scores of one sheet; None where none are shown."""
    if sheet.channel != "care" or sheet.instrument == GOAL:
        return None
    measure = instrument(sheet.instrument)
    if measure.safety_channel:
        return None
    if sheet.target != SELF and record.timeline.ended_on(sheet.target) is not None:
        return None
    scale = measure.main_scale
    segments, _ = split(record.of(measure.key, scale.key), measure, scale, record.timeline, None)
    scores = [
        (occasion.taken_on, round(occasion.score, scale.decimals))
        for segment in segments
        if segment.target == sheet.target
        for occasion in segment.occasions
        if occasion.score is not None
    ]
    if len(scores) < FEWEST_SCORES:
        return None
    return ScoreLine(
        sheet=place,
        lowest=scale.range[0],
        highest=scale.range[1],
        decimals=scale.decimals,
        higher_is_better=scale.higher_is_better,
        scores=tuple(scores),
    )


def _last(line: ScoreLine, most: int) -> ScoreLine:
    if len(line.scores) <= most:
        return line
    return line.model_copy(update={"scores": line.scores[-most:], "only_last": True})
