"""Which scores may be compared with each other: one relationship's, or the person's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

from mbc.care.course.noise import Noise, change_between
from mbc.care.course.relationships import Timeline
from mbc.care.values.course import SELF, Change, Occasion, Segment, Span
from mbc.instruments import Instrument, Scale

GAP_DAYS = 42  # a silence of six weeks is left open in a chart ...
GAP_RHYTHMS = 2.5  # ... or of two and a half of the client's own intervals, where those are longer


_AS_SCORED = (
    "administration_id", "taken_on", "session_number", "score", "answered", "items", "recorded", "target", "band",
        "maximum",
)  # fmt: skip


def read_occasions(rows: Iterable[Mapping[str, Any]]) -> list[Occasion]:
    """Turn rows of a scored frame into occasions, by day."""
    return in_order([as_occasion(row) for row in rows])


def occasions_by_scale(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Occasion]]:
    """Turn rows of one client's scored frame into occasions by questionnaire and scale, each by day."""
    scales: dict[tuple[str, str], list[Occasion]] = {}
    for row in rows:
        scales.setdefault((row["instrument"], row["scale"]), []).append(as_occasion(row))
    return {key: in_order(occasions) for key, occasions in scales.items()}


def as_occasion(row: Mapping[str, Any]) -> Occasion:
    """Turn one row of a scored frame into an occasion; the columns carry the fields' names."""
    return Occasion(**{name: row[name] for name in _AS_SCORED}, prorated=bool(row["prorated"]))


def in_order(occasions: Iterable[Occasion]) -> list[Occasion]:
    """Sort by day; on one day, in the order in which they came on record."""
    return sorted(occasions, key=lambda occasion: (occasion.taken_on, occasion.administration_id))


def split(
    occasions: Sequence[Occasion],
    instrument: Instrument,
    scale: Scale,
    timeline: Timeline,
    noise: Noise | None,
) -> tuple[tuple[Segment, ...], tuple[Occasion, ...]]:
    """Sort occasions by what they are about.

    Parameters
    ----------
    occasions : sequence of Occasion
        One client, one scale, by day.
    instrument, scale : Instrument, Scale
    timeline : Timeline
        The client's relationships.
    noise : Noise or None
        What measurement error alone explains on this scale.

    Returns
    -------
    segments : tuple of Segment
        By first day. Each has its own baseline, its first score, and is not yet judged
        (`mbc.care.course.verdicts.judged`).
    set_aside : tuple of Occasion
        Answered on a day on which the questionnaire did not apply; neither drawn nor compared.
    """
    about: dict[str, list[Occasion]] = {}
    set_aside: list[Occasion] = []
    for occasion in occasions:
        target = timeline.target_on(instrument, occasion.target, occasion.taken_on)
        if target is None:
            set_aside.append(occasion)
        else:
            about.setdefault(target, []).append(
                occasion if target == occasion.target else replace(occasion, target=target)
            )
    segments = [
        segment_of(target, group, scale, timeline, noise, related=instrument.applicability.needs_relationship)
        for target, group in about.items()
    ]
    return tuple(sorted(segments, key=lambda segment: segment.occasions[0].taken_on)), tuple(set_aside)


def segment_of(
    target: str,
    occasions: Sequence[Occasion],
    scale: Scale,
    timeline: Timeline,
    noise: Noise | None,
    *,
    related: bool,
) -> Segment:
    """Make a segment of some occasions, each compared with the first score; not yet judged.

    Parameters
    ----------
    target : str
        "self" or a relationship's id.
    occasions : sequence of Occasion
        By day.
    related : bool
        Whether the questionnaire is about a relationship, so that the segment ends with it.
    """
    baseline = next((occasion for occasion in occasions if occasion.score is not None), None)
    up = scale.higher_is_better
    judged = tuple(_against(baseline, occasion, noise, higher_is_better=up) for occasion in occasions)
    known = [occasion for occasion in judged if occasion.score is not None]
    latest = known[-1] if known else None
    previous = known[-2] if len(known) > 1 else None

    def change(before: Occasion | None) -> Change | None:
        if before is None or latest is None or before.administration_id == latest.administration_id:
            return None
        return change_between(before, latest, noise, higher_is_better=up, decimals=scale.decimals)

    return Segment(
        target=target,
        label="" if target == SELF else timeline.label(target),
        occasions=judged,
        ended_on=timeline.ended_on(target) if related and target != SELF else None,
        baseline=baseline,
        noise=None if noise is None or baseline is None else noise.around(_score(baseline), scale.range),
        since_baseline=change(baseline),
        since_last=change(previous),
    )


def _score(occasion: Occasion) -> float:
    assert occasion.score is not None  # noqa: S101 - a baseline has a score by definition
    return occasion.score


def _against(
    baseline: Occasion | None, occasion: Occasion, noise: Noise | None, *, higher_is_better: bool
) -> Occasion:
    if baseline is None or occasion.score is None or occasion.administration_id == baseline.administration_id:
        return occasion
    moved = occasion.score - _score(baseline)
    inside = None
    if noise is not None:
        inside = noise.verdict(moved, higher_is_better=higher_is_better) == "no clear change"
    return replace(occasion, change=moved, inside_noise=inside)


def gap_days(occasions: Sequence[Occasion]) -> int:
    """Length of the silence beyond which a line stays open, in days; follows the client's own rhythm.

    Examples
    --------
    >>> gap_days([])
    42
    """
    days = sorted({occasion.taken_on for occasion in occasions})
    steps = [(b - a).days for a, b in pairwise(days)]
    return max(GAP_DAYS, round(GAP_RHYTHMS * median(steps))) if steps else GAP_DAYS


def gaps(segments: Sequence[Segment], longest: int) -> tuple[Span, ...]:
    """Silences within a segment that are longer than ``longest`` days."""
    spans: list[Span] = []
    for segment in segments:
        days = [occasion.taken_on for occasion in segment.occasions]
        spans += [Span(a, b, "no answers") for a, b in pairwise(days) if (b - a).days > longest]
    return tuple(sorted(spans, key=lambda span: span.start))
