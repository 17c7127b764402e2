"""How long a client's conflicts usually take to repair, and which took longer: process limits of one series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from mbc.care.values.review import RepairBand
from mbc.care.words import day_words, number
from mbc.models import process_chart
from mbc.models.individual.single_case import LEAST_FOR_LIMITS

Repair = tuple[dt.date, float]  # day of the conflict, hours until it was repaired


@dataclass(frozen=True, slots=True)
class RepairLimits:
    """The usual range of hours to repair, and the repairs outside it."""

    repairs: int
    mean: float
    lower: float
    upper: float
    provisional: bool  # fewer than twelve: the limits still move
    outside: tuple[Repair, ...]

    @property
    def words(self) -> str:
        """The limits as sentences that can be read aloud.

        Examples
        --------
        >>> late = ((dt.date(2026, 3, 2), 30.0),)
        >>> RepairLimits(8, 10.0, 0.0, 22.5, True, late).words.partition(". ")[2]
        'Outside: 30 h on 2 Mar 2026.'
        """
        few = " (few so far)" if self.provisional else ""
        usual = f"usually {number(self.lower, 1)} to {number(self.upper, 1)} h{few}"
        text = f"Repair takes {number(self.mean, 1)} h on average over {self.repairs} conflicts, {usual}."
        if not self.outside:
            return text
        listed = ", ".join(f"{number(hours, 1)} h on {day_words(day)}" for day, hours in self.outside)
        return f"{text} Outside: {listed}."


def repair_limits(repairs: Sequence[Repair]) -> RepairLimits | None:
    """Draw the limits of hours to repair; None where they are too few, or all alike.

    Parameters
    ----------
    repairs : sequence of (date, float)
        In order of time.

    Examples
    --------
    >>> days = [dt.date(2026, 1, day) for day in range(1, 9)]
    >>> limits = repair_limits(list(zip(days, [10.0, 12.0, 9.0, 11.0, 10.0, 12.0, 10.0, 40.0], strict=True)))
    >>> limits.outside
    ((datetime.date(2026, 1, 8), 40.0),)
    """
    chart = process_chart([hours for _, hours in repairs])
    if chart.mean is None or chart.lower is None or chart.upper is None:
        return None
    lower = max(0.0, chart.lower)
    outside = tuple(repair for repair in repairs if not lower <= repair[1] <= chart.upper)
    return RepairLimits(chart.n, chart.mean, lower, chart.upper, chart.provisional, outside)


def repair_words(repairs: Sequence[Repair], limits: RepairLimits | None) -> str:
    """Say how long repair usually takes, or why there are no limits; empty where no time is on record.

    Examples
    --------
    >>> days = [dt.date(2026, 1, day) for day in range(1, 8)]
    >>> repair_words([(day, 2.0) for day in days[:4]], None)
    'Time to repair is known of 4 conflicts; limits are drawn from 6 on.'
    >>> repair_words([(day, 2.0) for day in days], None)
    'Repair took 2 h after each of 7 conflicts: there are no limits without variation.'
    """
    if limits is not None:
        return limits.words
    if not repairs:
        return ""
    if len(repairs) < LEAST_FOR_LIMITS:
        known = "1 conflict" if len(repairs) == 1 else f"{len(repairs)} conflicts"
        return f"Time to repair is known of {known}; limits are drawn from {LEAST_FOR_LIMITS} on."
    hours = number(repairs[0][1], 1)
    return f"Repair took {hours} h after each of {len(repairs)} conflicts: there are no limits without variation."


def repair_band(repairs: Sequence[Repair], limits: RepairLimits | None) -> RepairBand | None:
    """Give what is drawn of the limits; None where there are none."""
    return None if limits is None else RepairBand(tuple(repairs), limits.lower, limits.upper, limits.outside)
