"""Single answers over time: every response as a strip, and the items that moved most since last time.

Items are named by our own short labels; the authors' wording is not part of a definition. Items that raise a flag
of the safety channel (PHQ-9 item 9, the risk items of CORE-10), and screens of that channel, are left out for
everybody; the other answers to such a questionnaire are there for those who may read them from the record.

A single item has no published measurement error, so a move is described and never judged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mbc.care.course.client_record import INFORMANT
from mbc.care.values.review import ClientReview
from mbc.errors import UnknownInstrument
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.instruments import instrument as load
from mbc.instruments.short_names import short_name
from mbc.store import Store

MOST = 3
_LEAST_SHARE = 0.2  # of an item's range; a smaller move is not listed


class _Answer(NamedTuple):
    """A row of the record's answers, as far as a strip needs it."""

    instrument: str
    administration_id: int
    taken_on: dt.date
    informant: str
    target: str
    form: str | None
    coding: str | None
    item: int  # place in the form, from 1
    value: float | None


_COLUMNS = _Answer._fields


@dataclass(frozen=True, slots=True)
class ItemStrip:
    """Every answer of one client to one item, oldest first."""

    instrument: str  # key
    name: str  # "ECR-S"
    scale: str  # key of the first scale that counts the item
    item: str  # key
    label: str  # ours: "need for reassurance"
    range: tuple[float, float]  # answers, in the default coding
    higher_is_better: bool  # of the answer, as it is given
    days: tuple[dt.date, ...]  # of every occasion of the questionnaire
    answers: tuple[float | None, ...]  # one per day; None = left blank
    targets: tuple[str, ...]  # one per day: "self" or a relationship's id

    @property
    def moved(self) -> float | None:
        """Difference between the latest two answers, in steps of the answer; None where there are no two.

        Answers about two different relationships are not compared.
        """
        if len(self.days) < 2 or self.targets[-1] != self.targets[-2]:
            return None
        before, after = self.answers[-2:]
        return None if before is None or after is None else after - before

    @property
    def share(self) -> float:
        """How far it moved, as a share of the item's range, 0 to 1."""
        low, high = self.range
        return abs(self.moved or 0.0) / (high - low)

    @property
    def improved(self) -> bool:
        """Whether the latest move was in the direction that is better."""
        return (self.moved or 0.0) * (1 if self.higher_is_better else -1) > 0

    def level(self, answer: float) -> float:
        """Place an answer in the item's range, 0 to 1."""
        low, high = self.range
        return (answer - low) / (high - low)


@with_definitions_of_record
def item_strips(
    store: Store, client_id: str, *, since: dt.date | None = None, until: dt.date | None = None
) -> tuple[ItemStrip, ...]:
    """Read every answer of one client, item by item.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id : str
    since, until : date, optional
        First and last day of interest, such as those of the present care.

    Returns
    -------
    tuple of ItemStrip
        By questionnaire, then in the order of its items. Nothing of the safety channel.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    by_instrument: dict[str, dict[int, list[_Answer]]] = {}
    for row in map(_Answer._make, store.answers(client_id=client_id).select(*_COLUMNS).iter_rows()):  # by day
        in_care = (since is None or row.taken_on >= since) and (until is None or row.taken_on <= until)
        if in_care and row.informant == INFORMANT:
            by_instrument.setdefault(row.instrument, {}).setdefault(row.administration_id, []).append(row)
    strips: list[ItemStrip] = []
    for key, occasions in sorted(by_instrument.items()):
        try:
            strips += _strips(load(key), list(occasions.values()))
        except UnknownInstrument:  # answered, and its definition is not here: the headline says so
            continue
    return tuple(strips)


def moved_most(strips: Iterable[ItemStrip], *, most: int = MOST) -> tuple[ItemStrip, ...]:
    """Choose the items that moved most between the latest two questionnaires of their kind.

    Parameters
    ----------
    strips : iterable of ItemStrip
    most : int
        How many at most. Moves below a fifth of an item's range are left out; of equal moves the later
        questionnaire's comes first.
    """
    moved = [strip for strip in strips if strip.moved and strip.share >= _LEAST_SHARE]
    moved.sort(key=lambda strip: (-round(strip.share, 6), -strip.days[-1].toordinal(), strip.name, strip.label))
    return tuple(moved[:most])


def items_since_last_time(
    store: Store, review: ClientReview
) -> tuple[tuple[ItemStrip, ...], tuple[ItemStrip, ...]]:
    """Read the answers of a client's present care, and choose those that moved most since last time.

    Parameters
    ----------
    store : Store
    review : ClientReview
        Of the client; says which days are of interest, and whether care has ended.

    Returns
    -------
    strips, moved : tuple of ItemStrip
        Nothing has moved after care has ended.
    """
    window = next((course.window for course in review.trajectories if course.window), None)
    if window is None:
        return (), ()
    strips = item_strips(store, review.client_id, since=window[0], until=review.as_of)
    return strips, moved_most(strips) if review.closed is None else ()


def _strips(instrument: Instrument, occasions: Sequence[Sequence[_Answer]]) -> list[ItemStrip]:
    flagged = {flag.item for flag in instrument.flags}
    if instrument.safety_channel or any(flag.on == "scale" for flag in instrument.flags):
        return []
    kept = [item for item in instrument.items if item.id not in flagged]
    days = tuple(occasion[0].taken_on for occasion in occasions)
    targets = tuple(occasion[0].target for occasion in occasions)
    decoded = [_decoded(instrument, occasion) for occasion in occasions]
    strips: list[ItemStrip] = []
    for item in kept:
        scale = next((scale for scale in instrument.scales if item.id in scale.items), None)
        if scale is None or item.maximum == item.minimum:
            continue
        strips.append(
            ItemStrip(
                instrument=instrument.key,
                name=short_name(instrument.key),
                scale=scale.key,
                item=item.id,
                label=item.label,
                range=(float(item.minimum), float(item.maximum)),
                higher_is_better=_higher_is_better(scale, item.id),
                days=days,
                answers=tuple(answers.get(item.id) for answers in decoded),
                targets=targets,
            )
        )
    return strips


def _decoded(instrument: Instrument, occasion: Sequence[_Answer]) -> dict[str, float | None]:
    """Give one questionnaire's answers by item, in the default coding; what cannot be an answer is a blank."""
    order: Sequence[str] = instrument.form(occasion[0].form).order
    coding = instrument.coding(occasion[0].coding)
    answers: dict[str, float | None] = {}
    for row in occasion:
        item = instrument.item(order[row.item - 1])
        sign, constant = coding.affine(item)
        answer = None if row.value is None else sign * float(row.value) + constant
        possible = answer is not None and item.minimum <= answer <= item.maximum
        answers[item.id] = answer if possible else None
    return answers


def _higher_is_better(scale: Scale, item: str) -> bool:
    return scale.higher_is_better != (item in scale.reverse)
