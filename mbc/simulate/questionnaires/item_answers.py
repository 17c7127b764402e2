"""How a person in a given state answers the items of a questionnaire.

Each scale follows an ordinal response process: an item's tendency is the trait times a loading, plus what
this person always reads into this item, plus chance; it is rounded to the nearest answer and kept within the
item's range. Keys, ranges, forms and codings come from the instrument's definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.instruments import Instrument, Scale
from mbc.simulate.people.population import ALLIANCE, ITEM_SPREAD, LASTING_SHARE, RARE_ITEMS, READINGS, ScaleModel
from mbc.simulate.streams import Bools, Floats, Ints, Stream

BLANK: Final = 0.0025  # chance that an item is passed over
CARELESS_BLANK: Final = 0.03  # ... by those who often do
PAGE_MISSED: Final = 0.006  # chance that the last items of a questionnaire stay blank


@dataclass(frozen=True, slots=True)
class Occasions:
    """Who answers when, and in what state: one entry per administration."""

    client: Ints
    trait: dict[str, Floats]  # construct -> state in intake SDs, in the construct's own direction
    noise: Floats  # how much of the usual chance in each item applies; 1 for nearly everybody
    habit: Floats  # how much of a person's own reading of each item applies; 1 for nearly everybody


def draw_answers(seed: int, instrument: Instrument, occasions: Occasions, clients: int) -> Floats:
    """Answers in the default form and coding.

    Parameters
    ----------
    seed : int
        The clinic's seed.
    instrument : Instrument
        What is asked.
    occasions : Occasions
        Sorted by client, then day.
    clients : int
        Number of clients of the clinic.

    Returns
    -------
    ndarray, shape (administrations, items)
    """
    place = {item.id: column for column, item in enumerate(instrument.items)}
    answers = np.full((occasions.client.size, len(place)), np.nan)
    stream = Stream(seed, "answers", instrument.key)
    habit = stream.normal(clients, len(place))
    chance = stream.normal(*answers.shape)
    for reading in _readings(instrument):
        scale = instrument.scale(reading.scale)
        columns = [place[item] for item in scale.items]
        own = np.sqrt(LASTING_SHARE) * occasions.habit[:, None] * habit[occasions.client][:, columns]
        noise = own + np.sqrt(1 - LASTING_SHARE) * occasions.noise[:, None] * chance[:, columns]
        answers[:, columns] = _respond(instrument, scale, reading, occasions.trait[reading.construct], noise)
    return answers


def _respond(instrument: Instrument, scale: Scale, reading: ScaleModel, trait: Floats, noise: Floats) -> Floats:
    items = [instrument.item(item) for item in scale.items]
    low = np.array([item.minimum for item in items], dtype=np.float64)
    high = np.array([item.maximum for item in items], dtype=np.float64)
    foot, top = scale.range
    loading = reading.loading(len(items))
    level = _item_levels(instrument, scale, (reading.mean - foot) / (top - foot))
    spread = reading.sd / (top - foot) * reading.item_sd(len(items))
    tendency = level + spread * (loading * trait[:, None] + np.sqrt(1 - loading**2) * noise)
    keyed = np.clip(np.round(low + (high - low) * tendency), low, high)
    reverse = np.array([item.id in scale.reverse for item in items])
    return np.where(reverse, low + high - keyed, keyed)


def _readings(instrument: Instrument) -> list[ScaleModel]:
    return [reading for reading in (*READINGS, ALLIANCE) if reading.instrument == instrument.key]


def _item_levels(instrument: Instrument, scale: Scale, mean: float) -> Floats:
    """Mean tendency of each item, as a share of its range; ``mean`` is that of the scale."""
    count = len(scale.items)
    steps = np.linspace(-1.0, 1.0, count) * ITEM_SPREAD * np.sqrt(3.0)
    level = mean + steps[np.argsort(np.arange(count) * 0.618034 % 1.0)]  # easy and hard items take turns
    place = [item.id for item in instrument.items]
    rare = {place[n - 1]: low for (key, n), low in RARE_ITEMS.items() if key == instrument.key}
    seldom = np.array([item in rare for item in scale.items])
    level[seldom] = [rare[item] for item in scale.items if item in rare]
    # a tendency below the lowest answer is still the lowest answer: the others make up for no more than that
    level[~seldom] += (mean * count - np.maximum(level, 0.0).sum()) / (~seldom).sum()
    return level


def trait_at(instrument: Instrument, reading: ScaleModel, score: Floats) -> Floats:
    """State, in intake SDs and the construct's own direction, at which a scale's expected score is ``score``.

    Rounding and the ends of the items' ranges are left aside: near a scale's ends answers are drawn inwards.
    """
    items = len(instrument.scale(reading.scale).items)
    return (score - reading.mean) / (reading.sd * reading.item_sd(items) * reading.loading(items))


def draw_blanks(seed: int, instrument: Instrument, careless: Bools) -> Bools:
    """Which items are passed over: single ones, and now and then the foot of the page.

    Parameters
    ----------
    seed : int
        The clinic's seed.
    instrument : Instrument
        What is asked.
    careless : ndarray, shape (administrations,)
        Whether this person often leaves blanks.

    Returns
    -------
    ndarray, shape (administrations, items)
        In the order of the form answered.
    """
    stream = Stream(seed, "blanks", instrument.key)
    rows, items = careless.size, len(instrument.items)
    single = stream.chance(np.where(careless, CARELESS_BLANK, BLANK)[:, None], rows, items)
    missed = stream.chance(PAGE_MISSED, rows, 1)
    from_item = np.floor(items * (0.5 + 0.5 * stream.uniform(rows, 1)))
    return single | (missed & (np.arange(items) >= from_item))


def write_as(instrument: Instrument, answers: Floats, form: str, coding: str) -> Floats:
    """Turn default-form, default-coding answers into another printed order and another way of numbering.

    Returns
    -------
    ndarray, shape (administrations, items)
        First column is the form's first item.
    """
    place = {item.id: column for column, item in enumerate(instrument.items)}
    order = [place[item] for item in instrument.form(form).order]
    carry = [instrument.coding(coding).affine(instrument.item(item)) for item in instrument.form(form).order]
    sign = np.array([s for s, _ in carry], dtype=np.float64)
    constant = np.array([c for _, c in carry], dtype=np.float64)
    return sign * (answers[:, order] - constant)  # the inverse of sign * answer + constant, as sign is 1 or -1
