"""What sensitivity to dropout says, in sentences that can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of the growth model."""

    time: str  # name of its time column
    at: float
    start: float
    measure: str  # "change" or "score"
    per: str  # "client" or "time"
    against: float
    confidence: float
    higher_is_better: bool | None
    endings_known: bool
    active_only: bool  # whether delta applies to the first group alone
    planned_weight: float


def sensitivity_sentence(
    question: Question,
    groups: Sequence[tuple[str, int, int, int]],
    interval: tuple[float, float, float],
    tipping: tuple[float | None, float | None],
    reason: str | None,
) -> str:
    """Say who dropped out, what the model finds, and what would reverse it.

    Parameters
    ----------
    groups : (name, clients, dropped out, ended as planned)
    interval : (estimate, lower, upper) at delta 0
    tipping : delta for the estimate, and for its interval
    """
    return " ".join(
        (
            _who_left(question, groups),
            _finding(question, groups, interval),
            _what_undoes(question, groups, interval[0], tipping, reason),
        )
    )


def _who_left(question: Question, groups: Sequence[tuple[str, int, int, int]]) -> str:
    n, left, planned = (
        sum(group[1] for group in groups),
        sum(group[2] for group in groups),
        sum(group[3] for group in groups),
    )
    by = f"by {question.time} {question.at:g}"
    if question.endings_known:
        return f"Of {n} clients {left} had dropped out {by} and {planned} had ended as planned."
    return f"Of {n} clients {left} had left {by}; how therapy ended is not recorded, so all count as dropouts."


def _finding(
    question: Question, groups: Sequence[tuple[str, int, int, int]], interval: tuple[float, float, float]
) -> str:
    since = f" since {question.time} {question.start:g}" if question.measure == "change" else ""
    between = f" ({groups[0][0]} less {groups[1][0]})" if len(groups) == 2 else ""
    what = (
        f"difference in mean {question.measure}{since}{between}" if between else f"mean {question.measure}{since}"
    )
    estimate, lower, upper = interval
    return (
        f"If dropout depends only on the earlier scores, the {what} is {estimate:.1f} points "
        f"({100 * question.confidence:g} % interval {lower:.1f} to {upper:.1f})."
    )


def _what_undoes(
    question: Question,
    groups: Sequence[tuple[str, int, int, int]],
    estimate: float,
    tipping: tuple[float | None, float | None],
    reason: str | None,
) -> str:
    point, reached = tipping
    if reason == "nobody_left":
        return "Nobody dropped out whose deviation could change that."
    if point is None and len(groups) == 1:
        return "Dropouts and planned endings, weighted against each other, cancel out."
    if point is None:
        return "Both groups lost the same number, so the same deviation in both changes nothing."
    of = f" of '{groups[0][0]}'" if len(groups) == 2 and question.active_only else ""
    each = f" per unit of {question.time} since their last score" if question.per == "time" else ""
    aim = f"at {question.against:g}" if question.against else "gone"
    undone = (
        f"the {_describe_estimate(question, estimate, len(groups))} is {aim} if those who "
        f"dropped out{of} lie {abs(point):.1f} points{each} "
        f"{_side(point, question.higher_is_better)} than expected"
    )
    undone += " of them"
    if question.planned_weight:
        undone += f" and those who ended as planned {question.planned_weight:g} times as much"
    if reason == "not_shown":
        return f"The interval includes {question.against:g} already; by the estimate alone {undone}."
    held = f"its interval includes {question.against:g} from {abs(reached or 0.0):.1f} points on"
    return f"By this estimate {undone}; {held}. No score on record shows how far they did deviate."


def _side(point: float, higher_is_better: bool | None) -> str:  # noqa: FBT001 - three-valued
    if higher_is_better is None:
        return "higher" if point > 0 else "lower"
    return "better" if (point > 0) == higher_is_better else "worse"


def _describe_estimate(question: Question, estimate: float, groups: int) -> str:
    if question.higher_is_better is None or question.against or (question.measure == "score" and groups == 1):
        return "result"
    good = (estimate > 0) == question.higher_is_better
    if groups == 2:
        return "advantage" if good else "disadvantage"
    return "improvement" if good else "worsening"
