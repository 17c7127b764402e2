"""The verdict of a scale, from all scores: the one that headline, tile, caption, table, caseload and print show.

A change is clear when the true level now is better (or worse) than at the start with a probability of 95 % given
all scores (`mbc.models.true_change_course`), or when the latest two scores in a row differ from the first by
more than measurement error. The second rule also serves scales of which only a reliable change is published.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from mbc.care.course.noise import LEVEL, Noise
from mbc.care.values.course import NOT_JUDGED, Judgement, Occasion, Segment, Verdict
from mbc.instruments import Scale
from mbc.models import Norms, ScoreVariation
from mbc.models.change.occasions.session_chances import session_chances

HELD_FOR = 2  # scores in a row: against one baseline at 95 % this keeps false claims near 5 % over a treatment
HORIZON = 24  # further sessions looked at
_USUAL_GAP = 14.0  # days between two scores


def judged(
    segments: Sequence[Segment], scale: Scale, noise: Noise | None, *, sessions_needed: bool = False
) -> tuple[Segment, ...]:
    """Judge segments of one scale: one client's, or those of a whole clinic at once.

    Parameters
    ----------
    segments : sequence of Segment
        Each judged against its own first score.
    scale : Scale
    noise : Noise or None
        None: the verdict of every segment is "not known".
    sessions_needed : bool
        Also say how many further scores it takes to tell; a list of many clients does without.

    Returns
    -------
    tuple of Segment
        In the order given, each with its judgement.
    """
    if noise is None:
        return tuple(replace(segment, judgement=NOT_JUDGED) for segment in segments)
    chances = _chances(segments, scale, noise, horizon=HORIZON if sessions_needed else 0)
    return tuple(
        replace(segment, judgement=_judgement(_scored(segment), chances.get(i, _NO_CHANCES), scale))
        for i, segment in enumerate(segments)
    )


class _Chances(NamedTuple):
    """What the model of all scores says of one segment."""

    p_better: Sequence[float] | None  # after each score; None where the model was not asked
    sessions_needed: int | None


_NO_CHANCES = _Chances(None, None)


def _scored(segment: Segment) -> list[Occasion]:
    return [occasion for occasion in segment.occasions if occasion.score is not None]


def _judgement(known: Sequence[Occasion], of_all: _Chances, scale: Scale) -> Judgement:
    """Give the verdict after the latest score, and since when it has stood."""
    if len(known) < 2:
        return NOT_JUDGED
    chances = of_all.p_better
    verdicts = [
        _verdict(known[: i + 1], None if chances is None else chances[i], scale) for i in range(len(known))
    ]
    latest, run = verdicts[-1]
    since = None
    if latest in ("clearly better", "clearly worse"):
        i = len(verdicts) - 1
        while i > 0 and verdicts[i - 1][0] == latest:
            i -= 1
        since = known[i].taken_on
    return Judgement(
        verdict=latest,
        since=since,
        in_a_row=run,
        p_better=None if chances is None or math.isnan(chances[-1]) else chances[-1],
        sessions_needed=of_all.sessions_needed,
        last_better=next(
            (
                occasion.taken_on
                for occasion, (verdict, _) in zip(reversed(known), reversed(verdicts), strict=True)
                if verdict == "clearly better"
            ),
            None,
        ),
    )


def _verdict(known: Sequence[Occasion], p_better: float | None, scale: Scale) -> tuple[Verdict, int]:
    """Judge the latest of some scores; also how many in a row lie on its side, beyond measurement error."""
    if len(known) < 2:
        return "not known", 0
    side, run = _run(known, higher_is_better=scale.higher_is_better)
    sure = 0 if p_better is None or math.isnan(p_better) else _side(p_better)
    if sure and side in (0, sure):
        side, clear = sure, True
    else:
        clear = run >= HELD_FOR
    if side == 0:
        return "no clear change", 0
    if clear:
        return ("clearly better" if side > 0 else "clearly worse"), run
    return ("better once" if side > 0 else "worse once"), run


def _side(p_better: float) -> int:
    return 1 if p_better >= LEVEL else -1 if p_better <= 1 - LEVEL else 0


def _run(known: Sequence[Occasion], *, higher_is_better: bool) -> tuple[int, int]:
    """Side on which the latest score lies, beyond measurement error (0: neither), and for how many in a row."""
    side, run = 0, 0
    for occasion in reversed(known[1:]):
        if occasion.inside_noise is not False or not occasion.change:
            break
        here = 1 if (occasion.change > 0) == higher_is_better else -1
        if side not in (0, here):
            break
        side, run = here, run + 1
    return side, run


def _chances(segments: Sequence[Segment], scale: Scale, noise: Noise, *, horizon: int) -> dict[int, _Chances]:
    """Ask the model of all scores; of no segment where no spread and reliability are published."""
    if noise.sd is None or noise.reliability is None:
        return {}
    known = {i: scored for i, segment in enumerate(segments) if _days_apart(scored := _scored(segment))}
    result = session_chances(
        [_course(scored) for scored in known.values()],
        _variation(noise.sd, noise.reliability),
        higher_is_better=scale.higher_is_better,
        score_range=(float(scale.range[0]), float(scale.range[1])),
        step=1.0 if scale.decimals == 0 else None,
        confidence=LEVEL,
        horizon=horizon,
    )
    return {
        i: _Chances(p_better.tolist(), None if math.isnan(needed) else int(needed))
        for i, p_better, needed in zip(known, result.p_better, result.sessions_needed, strict=True)
    }


@lru_cache(maxsize=256)
def _variation(sd: float, reliability: float) -> ScoreVariation:
    return ScoreVariation.from_norms(Norms(sd=sd, reliability=reliability), gap=_USUAL_GAP)


def _course(known: Sequence[Occasion]) -> tuple[list[float], list[float]]:
    """Give the days since the first score, and the scores."""
    first = known[0].taken_on
    return [float((each.taken_on - first).days) for each in known], [float(each.score or 0.0) for each in known]


def _days_apart(known: Sequence[Occasion]) -> bool:
    """Whether there are two scores, and no two of one day: the model needs a time between them."""
    return len(known) >= 2 and len({occasion.taken_on for occasion in known}) == len(known)
