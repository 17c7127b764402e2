"""A client's own earlier scores as the page after sending shows them: a line, and every number with its day.

No verdict, no cutoff, no band, no colour: the line says what was, the scale says from where to where.
"""

from __future__ import annotations

from typing import NamedTuple

from dashboards.questionnaire.frame import Frame
from mbc.box.content import Asking, EarlierScores, ScoreLine

WIDTH, HEIGHT, _EDGE = 320, 112, 6  # of the drawing, in its own units


class ShownLine(NamedTuple):
    """One line of the page."""

    heading: str
    loaded: bool  # whether the heading is loaded wording
    about: str  # the scale, which way it runs, and how many are shown
    lowest: str
    highest: str
    points: tuple[tuple[float, float], ...]  # in units of the drawing
    rows: tuple[tuple[str, str], ...]  # day and number, the oldest first
    first_day: str
    last_day: str

    @property
    def path(self) -> str:
        """The points as an SVG polyline has them."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)

    @property
    def dots(self) -> str:
        """The points as an SVG path has them: lines without length, which round ends make visible."""
        return "".join(f"M{x:g} {y:g}h0" for x, y in self.points)


def shown_lines(scores: EarlierScores, asking: Asking, frame: Frame) -> list[ShownLine]:
    """Put earlier scores into words and points; a questionnaire is called what the client saw it called."""
    return [_shown_line(line, asking, frame) for line in scores.lines if line.sheet < len(asking.sheets)]


def _shown_line(line: ScoreLine, asking: Asking, frame: Frame) -> ShownLine:
    title = asking.sheets[line.sheet].title
    lowest, highest = (frame.number(bound, line.decimals) for bound in (line.lowest, line.highest))
    about = [frame["scores_range"].format(lowest=lowest, highest=highest)]
    about.append(frame["scores_higher" if line.higher_is_better else "scores_lower"])
    if line.only_last:
        about.append(frame["scores_last"].format(number=len(line.scores)))
    days = [frame.full_day(day) for day, _ in line.scores]
    numbers = [frame.number(score, line.decimals) for _, score in line.scores]
    return ShownLine(
        heading=title or _questions(line.sheet, asking, frame),
        loaded=title is not None,
        about=" ".join(about),
        lowest=lowest,
        highest=highest,
        points=_points(line),
        rows=tuple(
            (frame["scores_row"].format(day=day), number) for day, number in zip(days, numbers, strict=True)
        ),
        first_day=days[0],
        last_day=days[-1],
    )


def _questions(sheet: int, asking: Asking, frame: Frame) -> str:
    """Name a sheet without a title by its questions, as the pages did."""
    first = sum(len(each.questions) for each in asking.sheets[:sheet]) + 1
    last, total = first + len(asking.sheets[sheet].questions) - 1, len(asking.questions)
    if first == last:
        return frame["question_of"].format(number=first, total=total)
    return frame["questions_of"].format(first=first, last=last, total=total)


def _points(line: ScoreLine) -> tuple[tuple[float, float], ...]:
    """Place the scores: across by day, or by order where all are of one day; up over the scale's full range."""
    days = [day.toordinal() for day, _ in line.scores]
    places = days if days[-1] > days[0] else list(range(len(days)))
    first, length = places[0], (places[-1] - places[0]) or 1
    span = (line.highest - line.lowest) or 1
    return tuple(
        (
            round(_EDGE + (WIDTH - 2 * _EDGE) * (place - first) / length, 1),
            round(HEIGHT - _EDGE - (HEIGHT - 2 * _EDGE) * min(max((score - line.lowest) / span, 0), 1), 1),
        )
        for place, (_, score) in zip(places, line.scores, strict=True)
    )
