"""A frozen course for figures to draw: nobody's, made up by hand, with every element a chart can hold."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from mbc import figures
from mbc.care.values.course import (
    Change,
    CourseCurve,
    CutoffLine,
    GoalLine,
    Mark,
    NoiseBand,
    Occasion,
    Segment,
    Span,
    Trajectory,
)
from mbc.care.values.review import GoalProgress
from mbc.figures import Figure as Drawing
from mbc.outcomes.publication import ReleasedReport
from mbc.outcomes.results import Figure
from scripts.figure_pictures import pictures

DAY = dt.date(2025, 1, 6)
GOAL = GoalProgress(
    goal_id="g1", label="Say no without explaining", baseline=2, target=8, higher_is_better=True, set_on=DAY,
    retired_on=None, retired_reason=None, ratings=((DAY, 2), (DAY + dt.timedelta(weeks=6), 5)), movement=3,
    reached=False, words="From 2 to 5 on 17 February 2025; 3 points to the target of 8.",
)  # fmt: skip
OUTCOMES = ReleasedReport(
    "Change", "Clients of a quarter", "the first score", "the last score", (), "No headline",
    (
        Figure("rses_total_improved", "Improved", "clients", "Self-esteem", 10, 40, 25, 14, 40, None, "percent"),
        Figure("rses_total_unchanged", "Unchanged", "clients", "Self-esteem", None, None, None, None, None, None,
               "percent", hidden=True),
        Figure("rses_total_deteriorated", "Deteriorated", "clients", "Self-esteem", 0, 40, 0, 0, 9, None,
               "percent"),
    ),
    "jacobson-truax", "nhs5",
)  # fmt: skip


def occasion(week: int, score: float | None, *, target: str = "r1", baseline: float = 8, **more) -> Occasion:
    change = None if score is None else score - baseline
    return Occasion(
        administration_id=100 * int(target[1]) + week,
        taken_on=DAY + dt.timedelta(weeks=week),
        session_number=week + 1,
        score=score,
        answered=4 if score is not None else 1,
        items=4,
        prorated=more.get("prorated", False),
        recorded=more.get("recorded", False),
        target=target,
        band=None,
        change=change,
        inside_noise=None if change in (None, 0) else abs(change) <= 4,
    )


def made_trajectory() -> Trajectory:
    first = (
        occasion(0, 8),
        occasion(2, 10),
        occasion(4, 6, prorated=True),
        occasion(5, None),
        occasion(6, 9),
        occasion(14, 5, recorded=True),
        occasion(16, 4),
    )
    second = tuple(occasion(w, s, target="r2", baseline=12) for w, s in ((24, 12), (26, 14), (28, 17), (30, 18)))
    noise = NoiseBand(4, 12, 4, 0.95, "what measurement error alone explains", "Funk & Rogge (2007)", "unverified")
    change = Change(8, first[0].taken_on, 4, first[-1].taken_on, -4, 4.0, "no clear change", "4 points lower")
    end = DAY + dt.timedelta(weeks=17)
    days = tuple(DAY + dt.timedelta(weeks=w) for w in range(24, 35))
    return Trajectory(
        client_id="c001",
        instrument="csi4",
        name="Couples Satisfaction Index, 4 items",
        construct="relationship_satisfaction",
        scale="total",
        title="Relationship satisfaction: CSI-4",
        range=(0, 21),
        higher_is_better=True,
        decimals=0,
        informant="client",
        segments=(
            Segment("r1", "R1", first, end, first[0], noise, change, None, None),
            Segment("r2", "R2", second, None, second[0], replace(noise, lower=8, upper=16), change, None, None),
        ),
        cutoffs=(CutoffLine(13.5, "<", "distressed below 13.5", "Funk & Rogge (2007)", "high"),),
        goals=(GoalLine("g1", "Feel close on most days", 16, DAY, None),),
        marks=(
            Mark(DAY + dt.timedelta(weeks=9), "event", "Lost job", "hard", "A"),
            Mark(end, "status", "R1 ended", "neutral", "B"),
            Mark(end, "event", "Ended R1", "growth", "C"),
            Mark(DAY + dt.timedelta(weeks=23), "status", "R2: dating", "neutral", "D"),
        ),
        not_applicable=(Span(end, DAY + dt.timedelta(weeks=23), "single"),),
        gaps=(Span(first[4].taken_on, first[5].taken_on, "no answers"),),
        gap_days=42,
        curves=(
            CourseCurve(
                "r2",
                days,
                tuple(12 + 0.6 * i for i in range(11)),
                tuple(8 + 0.6 * i for i in range(11)),
                tuple(min(21, 16 + 0.6 * i) for i in range(11)),
                0.8,
                140,
                "Expected course",
            ),
        ),
        curve_note="",
        sessions=tuple((DAY + dt.timedelta(weeks=w), w + 1) for w in range(32)),
        summary="Satisfaction with R1, then R2.",
        caption="Relationship satisfaction with R1, then R2. Ended R1 on 5 May, recorded as growth.",
        relationships=(("r1", "R1"), ("r2", "R2")),
    )


@pytest.fixture
def course() -> Trajectory:
    return made_trajectory()


@pytest.fixture(scope="session")
def drawn() -> dict[str, Drawing]:
    """Every figure of a result, from models fitted to synthetic people, and the charts of the pages on paper."""
    return pictures() | {
        "goals": figures.static(figures.goals_figure([GOAL]), title="Goals"),
        "outcomes": figures.static(figures.outcomes_figure(OUTCOMES), title="Outcomes"),
    }
