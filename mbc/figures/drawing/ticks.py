"""Where an axis has its ticks, and their labels: the same on the page and on paper."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence

from mbc.figures.drawing.elements import Axis

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)


def nice_step(span: float, most: int) -> float:
    """Give the least round step that makes at most so many ticks.

    Examples
    --------
    >>> nice_step(30, 6), nice_step(1, 6), nice_step(0.07, 5)
    (5.0, 0.2, 0.02)
    """
    rough = span / max(most, 1)
    size = 10.0 ** math.floor(math.log10(rough))
    return next((step * size for step in _STEPS if step * size >= rough * (1 - 1e-9)), 10 * size)


def number_ticks(low: float, high: float, *, most: int = 6, suffix: str = "") -> tuple[tuple[float, str], ...]:
    """Place ticks at round numbers within two ends.

    Examples
    --------
    >>> number_ticks(-1, 11, most=4)
    ((0.0, '0'), (5.0, '5'), (10.0, '10'))
    """
    low, high = min(low, high), max(low, high)
    if not high > low:
        return ((low, write_number(low, 2) + suffix),)
    step = nice_step(high - low, most)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step, decimals) != round(step, 9):  # 2.5, 0.25
        decimals += 1
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(
        (round(i * step, 12) + 0.0, write_number(i * step, decimals) + suffix) for i in range(first, last + 1)
    )


def write_number(value: float, decimals: int) -> str:
    """Write a number with a true minus sign, and no minus before a zero.

    Examples
    --------
    >>> write_number(-1.5, 1), write_number(-0.001, 1)
    ('−1.5', '0.0')
    """
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def day_ticks(low: float, high: float, *, most: int = 6) -> tuple[tuple[float, str], ...]:
    """Place ticks at the first days of months, or at single days where there is less than two months.

    Examples
    --------
    >>> import datetime as dt
    >>> ends = (dt.date(2025, 1, 6).toordinal(), dt.date(2025, 6, 20).toordinal())
    >>> [label for _, label in day_ticks(*ends)]
    ['Feb 2025', 'Mar', 'Apr', 'May', 'Jun']
    """
    first, last = dt.date.fromordinal(math.floor(low)), dt.date.fromordinal(math.ceil(high))
    if (last - first).days < 62:
        step = next(days for days in (1, 2, 7, 14) if (last - first).days / days <= most or days == 14)
        days = [first + dt.timedelta(days=i) for i in range(0, (last - first).days + 1, step)]
        days = [day for day in days if low <= day.toordinal() <= high]
        return _labels(days, "%d %b", "%d %b %Y")
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    step = next((months for months in _MONTH_STEPS if count / months <= most + 0.5), 240)
    starts = [first.year * 12 + first.month - 1 + i for i in range(count)]
    days = [dt.date(month // 12, month % 12 + 1, 1) for month in starts if month % min(step, 12) == 0]
    if step > 12:
        days = [day for day in days if day.year % (step // 12) == 0]
    days = [day for day in days if low <= day.toordinal() <= high]
    return _labels(days, "%b", "%b %Y")


def _labels(days: Sequence[dt.date], short: str, full: str) -> tuple[tuple[float, str], ...]:
    """Write each day, with the year at the first of each year."""
    years = [day.year for day in days]
    first = [i == 0 or year != years[i - 1] for i, year in enumerate(years)]
    return tuple(
        (float(day.toordinal()), f"{day:{full if is_first else short}}".lstrip("0"))
        for day, is_first in zip(days, first, strict=True)
    )


def number_axis(
    values: Iterable[float | None],
    title: str = "",
    *,
    include: Iterable[float] = (),
    pad: float = 0.05,
    grid: bool = False,
    most: int = 6,
    suffix: str = "",
) -> Axis:
    """Make an axis that shows every value, and some room.

    Examples
    --------
    >>> axis = number_axis([2, 12, None], "Score", pad=0.1)
    >>> axis.start, axis.end, axis.ticks[0]
    (1.0, 13.0, (2.0, '2'))
    """
    known = [float(value) for value in (*values, *include) if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    span = (high - low) or max(abs(high), 1.0)
    start, end = low - pad * span, high + pad * span
    return Axis(start, end, title, number_ticks(start, end, most=most, suffix=suffix), grid=grid)


def fixed_axis(
    start: float,
    end: float,
    title: str = "",
    *,
    grid: bool = False,
    most: int = 6,
    suffix: str = "",
    pad: float = 0.0,
) -> Axis:
    """Make an axis between two ends, whatever the values; ticks within them."""
    room = pad * (end - start)
    return Axis(start - room, end + room, title, number_ticks(start, end, most=most, suffix=suffix), grid=grid)


def rows_axis(labels: Sequence[str]) -> Axis:
    """Make a vertical axis of named rows, the first at the top; row ``i`` lies at ``i``."""
    ticks = tuple((float(i), label) for i, label in enumerate(labels))
    return Axis(len(labels) - 0.4, -0.6, "", ticks, line=False)
