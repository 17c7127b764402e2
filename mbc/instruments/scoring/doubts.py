"""Whether answers look as if they were given on another response scale, or in another item order.

Nothing in a table states its coding or its item order, so only the answers can show that they are read in the
wrong one. What is judged is enough of them, and what is said is what was seen in them; `coding_doubt` and
`order_doubt` decide for ``score`` and for an import alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mbc.instruments.definition.algorithms import ALGORITHMS
from mbc.instruments.definition.definition import Coding, Form, Instrument, Scale
from mbc.item_signs import MANY_ROWS, alpha_of, item_rest_of, run_against

Floats: TypeAlias = NDArray[np.float64]
DoubtKind = Literal[
    "one higher", "one lower", "no lowest", "another coding", "never high", "another reading", "against the rest"
]

MANY_ANSWERS = 100  # fewer may avoid an end of the scale by chance
_STEPS = 6  # of a scale on which nobody may reach the top by chance
_GAIN, _BELIEVABLE = 0.15, 0.6  # alpha of another reading: how much better, and at least
_FEWEST_ITEMS, _SAME = 3, 1e-9


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the answers show, in words without a full stop, and the reading that would fit them."""

    kind: DoubtKind
    text: str
    form: str | None = None
    coding: str | None = None


class AnswerEnds(Protocol):
    """The answers to one questionnaire, taken together."""

    @property
    def count(self) -> int:
        """Answers that are there."""
        ...

    @property
    def extremes(self) -> Mapping[int, tuple[float, float]]:
        """Position (from 1) -> lowest and highest answer."""
        ...

    @property
    def at_lowest(self) -> int:
        """Answers that are the lowest of the coding."""
        ...

    @property
    def one_above(self) -> int:
        """Answers that are one above its highest."""
        ...

    @property
    def beyond(self) -> int:
        """Other answers that it does not have."""
        ...


def coding_doubt(instrument: Instrument, form: Form, coding: Coding, ends: AnswerEnds) -> Doubt | None:
    """Say why answers seem to be in another coding; None where they do not."""
    spans = [coding.accepted(instrument.item(item)) for item in form.order]
    if not ends.extremes or len(set(spans)) != 1:
        return None
    low, high = spans[0]
    shifted = _all_shifted(low, high, ends)
    if shifted is not None or ends.beyond or ends.count < MANY_ANSWERS:
        return shifted
    if ends.at_lowest == 0 and _counts_symptoms(instrument):
        return Doubt(
            "no lowest",
            f"no answer of {ends.count} is {low}, the answer of those without complaints, so they seem to be "
            f"numbered from {low + 1}",
        )
    top = max(last for _, last in ends.extremes.values())
    long_scale = high - low >= _STEPS - 1
    if long_scale and ends.count >= 2 * MANY_ANSWERS and top <= high - 2 and is_keyed_both_ways(instrument):
        shorter = next((each.key for each in instrument.codings if each.range and each.range[1] == top), None)
        return Doubt(
            "never high", f"no answer of {ends.count} is above {top:g}, but its answers go from {low} to {high}",
            coding=shorter,
        )  # fmt: skip
    return None


def _all_shifted(low: int, high: int, ends: AnswerEnds) -> Doubt | None:
    """Say that all answers seem to be numbered one higher, or one lower."""
    if ends.at_lowest == 0 and ends.one_above and not ends.beyond:
        are = "is" if ends.one_above == 1 else "are"
        return Doubt(
            "one higher",
            f"no answer of {ends.count} is {low} and {ends.one_above} {are} {high + 1}, so they seem to be "
            f"numbered {low + 1} to {high + 1}, not {low} to {high}",
        )
    lowest = min(first for first, _ in ends.extremes.values())
    top = max(last for _, last in ends.extremes.values())
    if low > 0 and (lowest, top) == (low - 1, high - 1):
        return Doubt(
            "one lower",
            f"the answers go from {low - 1} to {high - 1} and none of {ends.count} is {high}, so they seem to be "
            f"numbered {low - 1} to {high - 1}, not {low} to {high}",
        )
    return None


def undecided_coding(instrument: Instrument, form: Form, coding: Coding, ends: AnswerEnds) -> Doubt | None:
    """Say that many answers never use what only this coding has, so that they may be in another."""
    accepted = {n: coding.accepted(instrument.item(item)) for n, item in enumerate(form.order, start=1)}
    unused = all(accepted[n][0] < low for n, (low, _) in ends.extremes.items())
    if instrument.safety_channel or ends.count < MANY_ANSWERS or not unused:
        return None
    other = fitting_coding(instrument, form, coding, ends.extremes)
    if other is None:
        return None
    text = f"no answer of {ends.count} is the lowest of coding {coding.key}; all would fit {other} too"
    return Doubt("another coding", text, coding=other)


def fitting_coding(
    instrument: Instrument, form: Form, coding: Coding, extremes: Mapping[int, tuple[float, float]]
) -> str | None:
    """Key of another coding that every answer fits; None where the answers cannot distinguish one."""
    items = [instrument.item(item) for item in form.order]
    for other in instrument.own_codings:
        spans = [other.accepted(item) for item in items]
        if spans == [coding.accepted(item) for item in items]:
            continue
        if all(spans[n - 1][0] <= low and high <= spans[n - 1][1] for n, (low, high) in extremes.items()):
            return other.key
    return None


@dataclass(frozen=True, slots=True)
class ItemMoments:
    """Sums over complete questionnaires, from which every reading's reliability follows; they can be added."""

    rows: int
    sums: Floats  # shape (items,), by position of the form
    products: Floats  # shape (items, items)

    @classmethod
    def of(cls, answers: Floats) -> ItemMoments:
        """Sum the complete rows of a table of answers, shape (n, items), NaN where blank."""
        complete = answers[np.isfinite(answers).all(axis=1)]
        return cls(len(complete), complete.sum(axis=0), complete.T @ complete)

    def __add__(self, later: ItemMoments) -> ItemMoments:
        return ItemMoments(self.rows + later.rows, self.sums + later.sums, self.products + later.products)

    def covariance(self) -> Floats:
        """Covariances of the positions, shape (items, items)."""
        return (self.products - np.outer(self.sums, self.sums) / self.rows) / (self.rows - 1)


def order_doubt(instrument: Instrument, form: Form, coding: Coding, moments: ItemMoments | None) -> Doubt | None:
    """Say why answers seem to be in another order, or coded in another direction; None where they do not.

    Parameters
    ----------
    instrument, form, coding
        As the answers are read.
    moments : ItemMoments, optional
        Of the complete questionnaires; fewer than 200 raise no doubt.

    Notes
    -----
    Another form or coding is offered where its mean alpha, over the scales on which the two differ, is at least .6
    and .15 above that of the present one: an item order is wrong for many items at once, so the two differ by far
    more than samples do. Where few items run against the rest (`mbc.item_signs.run_against`), a reading in
    which none does is offered if its alpha is higher at all; else these items are named.
    """
    if moments is None or moments.rows < MANY_ROWS:
        return None
    covariance, rows = moments.covariance(), moments.rows
    present = _alphas(instrument, form, coding, covariance)
    against = _items_against(instrument, form, coding, covariance, rows)
    fitting: list[tuple[float, float, Form, Coding]] = []
    for other, turned in _other_readings(instrument, form, coding):
        now, then = _compared(present, _alphas(instrument, other, turned, covariance))
        mends = bool(against) and not _items_against(instrument, other, turned, covariance, rows)
        if then >= _BELIEVABLE and (then - now >= _GAIN or (mends and then > now)):
            fitting.append((then, now, other, turned))
    if fitting:
        return _another_reading(form, coding, rows, *max(fitting, key=lambda reading: reading[0]))
    if not against:
        return None
    runs = "item {} runs" if len(against) == 1 else "items {} run"
    return Doubt(
        "against the rest",
        f"{runs.format(', '.join(str(n) for n in against))} against the rest of the scale in {rows} "
        "complete questionnaires, as with a different item order, or if reversed items were already recoded",
    )


def _another_reading(
    form: Form, coding: Coding, rows: int, then: float, now: float, other: Form, turned: Coding
) -> Doubt:
    reading = [f"form {other.key}"] * (other != form) + [f"coding {turned.key}"] * (turned != coding)
    return Doubt(
        "another reading",
        f"the items are more consistent in {' and '.join(reading)} (mean alpha {then:.2f} against {now:.2f} in "
        f"{rows} complete questionnaires)",
        form=other.key if other != form else None,
        coding=turned.key if turned != coding else None,
    )


def _other_readings(instrument: Instrument, form: Form, coding: Coding) -> list[tuple[Form, Coding]]:
    """Other item orders, and codings that turn other items; what only shifts answers does not show here."""
    codings = [coding, *(each for each in instrument.own_codings if each.flipped != coding.flipped)]
    return [
        (other, turned)
        for other, turned in product(instrument.forms, codings)
        if (other, turned) != (form, coding)
    ]


def _alphas(instrument: Instrument, form: Form, coding: Coding, covariance: Floats) -> Floats:
    """Alpha of each group of items, at least -1; NaN where a sum does not vary."""
    alphas = [
        alpha_of(covariance[np.ix_(places, places)], signs)
        for scale in _scales(instrument)
        for places, signs in _groups(scale, form, coding)
    ]
    return np.maximum(np.array([np.nan if alpha is None else alpha for alpha in alphas]), -1.0)


def _compared(present: Floats, other: Floats) -> tuple[float, float]:
    """Mean alpha of the present and of another reading, over the groups of items on which they differ."""
    differ = np.isfinite(present) & np.isfinite(other) & (np.abs(present - other) > _SAME)
    return (float(present[differ].mean()), float(other[differ].mean())) if differ.any() else (0.0, 0.0)


def _items_against(
    instrument: Instrument, form: Form, coding: Coding, covariance: Floats, rows: int
) -> tuple[int, ...]:
    """Positions (from 1) whose item goes against the rest of a scale."""
    against: set[int] = set()
    for scale in _scales(instrument):
        for places, signs in _groups(scale, form, coding):
            correlations = item_rest_of(covariance[np.ix_(places, places)], signs)
            against |= {places[n] + 1 for n in run_against(correlations, rows)}
    return tuple(sorted(against))


def _scales(instrument: Instrument) -> list[Scale]:
    """Scales with different items, as a total and a mean of the same say the same."""
    distinct = {frozenset(scale.items): scale for scale in reversed(instrument.scales)}
    return [scale for scale in distinct.values() if len(scale.items) >= _FEWEST_ITEMS]


def _groups(scale: Scale, form: Form, coding: Coding) -> list[tuple[list[int], Floats]]:
    """Positions and signs of the items that should go together."""
    parts: Sequence[Sequence[str]] = [scale.items]
    if scale.algorithm is not None:
        parts = ALGORITHMS[scale.algorithm].alike(scale.items)
    return [
        (
            [form.order.index(item) for item in part],
            np.array([-1.0 if (item in scale.reverse) != (item in coding.flipped) else 1.0 for item in part]),
        )
        for part in parts
    ]


def is_keyed_both_ways(instrument: Instrument) -> bool:
    """Whether some items are reversed, so that everybody has answers at both ends."""
    return any(scale.reverse for scale in instrument.scales)


def _counts_symptoms(instrument: Instrument) -> bool:
    """Whether the lowest answer says that there is nothing to complain of."""
    return not any(scale.higher_is_better or scale.reverse for scale in instrument.scales)
