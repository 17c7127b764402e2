"""Which scales are charted, and under which construct."""

from __future__ import annotations

from collections.abc import Iterable

from mbc.errors import UnknownInstrument
from mbc.instruments import CONSTRUCTS, Instrument, Scale
from mbc.instruments import instrument as load

ALLIANCE = "alliance"  # the construct of questionnaires about the work with the therapist


def scales_to_chart(instrument: Instrument) -> tuple[Scale, ...]:
    """Give the scales that are charted: the main one, and others that share no item with those before them.

    Attachment anxiety and avoidance are two charts; a mean and a sum of the same answers are one.

    Examples
    --------
    >>> [scale.key for scale in scales_to_chart(load("rses"))]
    ['total']
    """
    chosen: list[Scale] = []
    taken: set[str] = set()
    for scale in instrument.scales:
        if taken.isdisjoint(scale.items):
            chosen.append(scale)
            taken |= set(scale.items)
    return tuple(chosen)


def in_reading_order(keys: Iterable[str]) -> list[Instrument]:
    """Load the instruments of these keys that may be charted, by construct and then by key.

    Those the catalogue does not know, and those of the safety channel, are left out.
    """
    instruments: list[Instrument] = []
    for key in sorted(set(keys)):
        try:
            instrument = load(key)
        except UnknownInstrument:
            continue
        if not instrument.safety_channel:
            instruments.append(instrument)
    return sorted(instruments, key=lambda instrument: (construct_rank(instrument.construct), instrument.key))


def shows_progress(instrument: Instrument) -> bool:
    """Say whether change on a questionnaire is progress of the client's; the alliance is a condition of it.

    Examples
    --------
    >>> shows_progress(load("rses")), shows_progress(load("wai_sr"))
    (True, False)
    """
    return instrument.construct != ALLIANCE


def construct_rank(construct: str) -> int:
    """Place a construct in reading order: the product's centre first."""
    return CONSTRUCTS.index(construct) if construct in CONSTRUCTS else len(CONSTRUCTS)


def construct_title(construct: str) -> str:
    """Write a construct's key as words.

    Examples
    --------
    >>> construct_title("relationship_satisfaction")
    'Relationship satisfaction'
    """
    return construct.replace("_", " ").capitalize()
