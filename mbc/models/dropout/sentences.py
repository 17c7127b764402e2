"""What sensitivity to dropout says, in sentences that can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
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
    asked: Asked,
    groups: Sequence[tuple[str, int, int, int]],
    interval: tuple[float, float, float],
    tipping: tuple[float | None, float | None],
    reason: str | None,
) -> str:
    """Say who left, what the model finds, and what would undo it.

    Parameters
    ----------
    groups : (name, clients, dropped out, ended as planned)
    interval : (estimate, lower, upper) at delta 0
    tipping : delta for the estimate, and for its interval
    """
    return " ".join(
        (
            _who_left(asked, groups),
            _finding(asked, groups, interval),
            _what_undoes(asked, groups, interval[0], tipping, reason),
        )
    )


def _who_left(asked: Asked, groups: Sequence[tuple[str, int, int, int]]) -> str:
    n, left, planned = sum(one[1] for one in groups), sum(one[2] for one in groups), sum(one[3] for one in groups)
    by = f"by {asked.time} {asked.at:g}"
    if asked.endings_known:
        return f"Of {n} clients {left} had dropped out {by} and {planned} had ended as planned."
    return f"Of {n} clients {left} had left {by}; how therapy ended is not told: all count as dropouts."


def _finding(
    asked: Asked, groups: Sequence[tuple[str, int, int, int]], interval: tuple[float, float, float]
) -> str:
    since = f" since {asked.time} {asked.start:g}" if asked.measure == "change" else ""
    between = f" ({groups[0][0]} less {groups[1][0]})" if len(groups) == 2 else ""
    what = f"difference in mean {asked.measure}{since}{between}" if between else f"mean {asked.measure}{since}"
    estimate, lower, upper = interval
    return (
        f"If leaving depends on nothing but the scores before it, the {what} is {estimate:.1f} points "
        f"({100 * asked.confidence:g} % interval {lower:.1f} to {upper:.1f})."
    )


def _what_undoes(
    asked: Asked,
    groups: Sequence[tuple[str, int, int, int]],
    estimate: float,
    tipping: tuple[float | None, float | None],
    reason: str | None,
) -> str:
    point, reached = tipping
    if reason == "nobody_left":
        return "Nobody left whose deviation could change that."
    if point is None and len(groups) == 1:
        return "Dropouts and planned endings, weighed against each other, cancel out."
    if point is None:
        return "Both groups lost equally many, so that the same deviation in both changes nothing."
    of = f" of '{groups[0][0]}'" if len(groups) == 2 and asked.active_only else ""
    each = f" per unit of {asked.time} since their last score" if asked.per == "time" else ""
    aim = f"at {asked.against:g}" if asked.against else "gone"
    undone = (
        f"the {_found(asked, estimate, len(groups))} is {aim} if those who "
        f"dropped out{of} lie {abs(point):.1f} points{each} {_side(point, asked.higher_is_better)} than expected"
    )
    undone += " of them"
    if asked.planned_weight:
        undone += f" and those who ended as planned {asked.planned_weight:g} times as much"
    if reason == "not_shown":
        return f"The interval includes {asked.against:g} already; by the estimate alone {undone}."
    held = f"its interval includes {asked.against:g} from {abs(reached or 0.0):.1f} points on"
    return f"By this estimate {undone}; {held}. How far they did deviate, no score on record can tell."


def _side(point: float, higher_is_better: bool | None) -> str:  # noqa: FBT001 - three-valued
    if higher_is_better is None:
        return "higher" if point > 0 else "lower"
    return "better" if (point > 0) == higher_is_better else "worse"


def _found(asked: Asked, estimate: float, groups: int) -> str:
    if asked.higher_is_better is None or asked.against or (asked.measure == "score" and groups == 1):
        return "result"
    good = (estimate > 0) == asked.higher_is_better
    if groups == 2:
        return "advantage" if good else "disadvantage"
    return "improvement" if good else "worsening"
