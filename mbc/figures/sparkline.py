"""A course as a sparkline: a small line in a row of text, read to a screen reader as words."""

from __future__ import annotations

import html
from collections.abc import Sequence

from mbc.figures.theme import PALETTES, Theme


def sparkline_svg(
    points: Sequence[float | None],
    *,
    label: str,
    bounds: tuple[float, float] | None = None,
    better_is_up: bool = True,
    width: int = 120,
    height: int = 28,
    theme: Theme = "light",
) -> str:
    """Draw scores, oldest first, as inline SVG.

    Parameters
    ----------
    points : sequence of float or None
        Scores in scale points; None leaves the line open (a gap, another relationship).
    label : str
        What a screen reader reads instead: the change in words.
    bounds : (float, float), optional
        The scale's range; without it the scores' own.
    better_is_up : bool
        False turns the line upside down, for a lower-is-better scale on a page where up is better.
    width, height : int
        Pixels.
    theme : {"light", "dark"}

    Returns
    -------
    str
        One ``<svg role="img">`` element; the latest score ends in a dot.

    Examples
    --------
    >>> drawing = sparkline_svg([10, 12, None, 15], label="15, 5 points better", bounds=(0, 30))
    >>> drawing.count("<polyline"), drawing.count("<circle")
    (1, 2)
    """
    colour = PALETTES[theme].score
    drawn = _place(points, bounds, width, height, better_is_up=better_is_up)
    shapes = "".join(_stroke(run, colour) for run in _runs(drawn))
    last = next((spot for spot in reversed(drawn) if spot is not None), None)
    if last is not None:
        shapes += f'<circle cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="3" fill="{colour}"/>'
    name = html.escape(label)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{name}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}"><title>{name}</title>{shapes}</svg>'
    )


_PAD = 4.0  # pixels; room for the last dot

Spot = tuple[float, float]


def _place(
    points: Sequence[float | None],
    bounds: tuple[float, float] | None,
    width: int,
    height: int,
    *,
    better_is_up: bool,
) -> list[Spot | None]:
    known = [float(score) for score in points if score is not None]
    low, high = bounds or (min(known, default=0.0), max(known, default=1.0))
    reach = (high - low) or 1.0
    step = (width - 2 * _PAD) / max(len(points) - 1, 1)

    def place(i: int, score: float) -> Spot:
        share = (score - low) / reach
        up = share if better_is_up else 1 - share
        return _PAD + i * step, height - _PAD - up * (height - 2 * _PAD)

    return [None if spot is None else place(i, spot) for i, spot in enumerate(points)]


def _runs(drawn: Sequence[Spot | None]) -> list[list[Spot]]:
    runs: list[list[Spot]] = [[]]
    for spot in drawn:
        if spot is None:
            runs.append([])
        else:
            runs[-1].append(spot)
    return [run for run in runs if run]


def _stroke(run: Sequence[Spot], colour: str) -> str:
    if len(run) == 1:
        return f'<circle cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="1.8" fill="{colour}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"/>'
