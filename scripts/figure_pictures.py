"""Make the pictures of docs/figures.md: every figure of mbc.figures, from results fitted to synthetic people.

Run by ``make pictures``; everything has its seed, so that the same files come out.
"""

from __future__ import annotations

import datetime as dt
import functools
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mbc import figures, models
from mbc.care.clinic.clinician_outcomes import ClinicianOutcomes, comparison_of, own_line
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
from mbc.errors import DoubtfulAnswers
from mbc.outcomes import Period
from mbc.outcomes.case_mix import IN_RELATIONSHIP, NOT_IN_ONE, Expectation, learn_expectation

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images" / "figures"


@functools.cache
def sessions(clients: int = 90, seed: int = 1) -> pl.DataFrame:
    """Synthetic scores (0 to 30, higher is better) by client, therapist and session; some leave early."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[object, ...]] = []
    skill = rng.permutation(np.linspace(-4, 4, 12))
    for i in range(clients):
        therapist, level, slope = i % 12, rng.normal(13, 3.5), rng.normal(3.0, 1.4)
        last = int(rng.integers(4, 17))
        alliance = 0.0
        score = 0.0
        for session in range(last):
            before = alliance
            alliance = 0.3 * alliance + rng.normal(0, 1)
            score = level + skill[therapist] + slope * np.log1p(session) + 0.8 * before + rng.normal(0, 1.8)
            rows.append(
                (i, f"T{therapist + 1:02d}", session, round(float(np.clip(score, 0, 30)), 1), 50 + 4 * alliance)
            )
    return pl.DataFrame(rows, schema=["client", "therapist", "session", "score", "alliance"], orient="row")


@functools.cache
def growth() -> models.GrowthCurve:
    """Fit a growth curve to the synthetic scores."""
    return models.growth_curve(sessions(), outcome="score", time="session", client="client")


@functools.cache
def pairs() -> pl.DataFrame:
    """First and last score of each synthetic client."""
    return (
        sessions()
        .sort("client", "session")
        .group_by("client", maintain_order=True)
        .agg(
            pl.col("score").first().alias("pre"),
            pl.col("score").last().alias("post"),
            pl.col("therapist").first(),
            pl.len().alias("sessions"),
        )
    )


def clinics() -> models.OutcomeRates:
    """How many improved in each of 26 synthetic clinics, of which one is much better and one much worse."""
    rng = np.random.default_rng(6)
    pre, post, names = [], [], []
    for i, size in enumerate(rng.integers(12, 160, 26).tolist()):
        gain = {5: 11.0, 12: 2.5}.get(i, 6.5)
        pre.append(rng.normal(13, 4, size))
        post.append(pre[-1] + rng.normal(gain, 5, size))
        names += [f"C{i + 1:02d}"] * size
    change = models.reliable_change(
        np.concatenate(pre), np.concatenate(post), sd=4.5, reliability=0.85, higher_is_better=True
    )
    return models.outcome_rates(change, groups=names)


@functools.cache
def finished_care(clinicians: int = 14, seed: int = 8) -> tuple[pl.DataFrame, Expectation]:
    """Case mix and improvement on the PHQ-9 of synthetic clients, and what is expected given case mix."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[object, ...]] = []
    sizes = rng.integers(18, 130, clinicians).tolist()
    for i, (size, effect) in enumerate(zip(sizes, rng.normal(0, 1.1, clinicians).tolist(), strict=True)):
        for j in range(size):
            first, single, earlier = int(rng.integers(8, 25)), bool(rng.random() < 0.4), int(rng.integers(0, 3))
            improvement = round(effect + 0.5 * first - 1.5 * single - 0.8 * earlier + float(rng.normal(0, 4)))
            status = NOT_IN_ONE if single else IN_RELATIONSHIP
            seen_twice = rng.random() < 0.9
            rows.append(
                (f"C{i}.{j}", f"K{i + 1:02d}", first, improvement if seen_twice else None, status, earlier)
            )
    names = ["client_id", "clinician_id", "first", "improvement", "status", "earlier_episodes"]
    table = pl.DataFrame(rows, schema=names, orient="row").cast({"first": pl.Float64, "improvement": pl.Float64})
    period = Period(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    return table, learn_expectation(table, "phq9", None, period)


def clinician_comparison(clinicians: int = 14) -> ClinicianOutcomes:
    """Compare the synthetic clinicians."""
    return comparison_of(*finished_care(clinicians))


def own_comparison(clinician_id: str = "K05") -> ClinicianOutcomes:
    """One synthetic clinician's own line."""
    return own_line(*finished_care(), clinician_id)


@functools.cache
def lagged_rows() -> pl.DataFrame:
    """Synthetic series of twelve sessions in which alliance precedes self-esteem, and not the other way round."""
    rng = np.random.default_rng(4)
    rows: list[tuple[int, int, float, float]] = []
    for client in range(120):
        x = y = 0.0
        level = rng.normal(0, 2, 2)
        for session in range(14):
            x, y = 0.3 * x + rng.normal(), 0.25 * y + 0.35 * x + rng.normal()
            if session >= 2:
                rows.append((client, session, x + level[0], y + level[1]))
    return pl.DataFrame(rows, schema=["client", "session", "alliance", "self-esteem"], orient="row")


def items() -> pl.DataFrame:
    """Answers to ten synthetic items, the seventh keyed the wrong way round."""
    rng = np.random.default_rng(2)
    trait = rng.normal(size=(250, 1))
    answers = np.clip(np.round(1.5 + 0.8 * trait + rng.normal(0, 0.8, (250, 10))), 0, 3)
    answers[:, 6] = 3 - answers[:, 6]
    return pl.DataFrame(answers, schema=[f"item {i + 1}" for i in range(10)])


def item_rest() -> tuple[Any, ...]:
    """Correlate each item with the rest; that one runs against it is what the figure is to show."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DoubtfulAnswers)
        return tuple(models.item_rest_correlations(items()))


def results() -> dict[str, figures.Figure]:
    """Every figure of a result, by the name of its function."""
    data, first_last = sessions(), pairs()
    change = models.compare_methods(
        first_last["pre"], first_last["post"], norms=models.Norms(mean=14, sd=4.5, reliability=0.85),
        higher_is_better=True,
    )  # fmt: skip
    reliable = models.reliable_change(
        first_last["pre"], first_last["post"], sd=4.5, reliability=0.85, higher_is_better=True
    )
    course = models.true_change_course(
        [14, 13, 15, 16, 15, 18, 17, 20, 19, 22, 21, 23], higher_is_better=True, sd=6.98, reliability=0.914,
        meaningful=3, score_range=(0, 30), each_session=True,
    )  # fmt: skip
    end = first_last["sessions"]
    improved = reliable.codes == 1
    incidence = models.time_to_change(end, changed=improved, dropped_out=(~improved) & (end.to_numpy() < 12))
    halves = first_last.with_columns(group=pl.Series(["Group A", "Group B", "Group C"] * 30))
    effects = {
        str(name): models.effect_size(part["pre"], part["post"], higher_is_better=True)
        for (name,), part in halves.group_by("group", maintain_order=True)
    }
    therapists = models.therapist_growth(
        data, outcome="score", time="session", client="client", therapist="therapist"
    )
    lagged = models.lagged_effects(
        lagged_rows(), client="client", time="session", x="alliance", y="self-esteem", samples=200
    )
    return {
        "growth": figures.growth(growth(), data=data),
        "residuals": figures.residuals(growth()),
        "fitted_values": figures.fitted_values(growth()),
        "therapist_effects": figures.therapist_effects(therapists),
        "method_agreement": figures.method_agreement(change),
        "true_change": figures.true_change(course),
        "dropout_sensitivity": figures.dropout_sensitivity(
            models.dropout_sensitivity(growth(), data, at=12, higher_is_better=True)
        ),
        "cumulative_incidence": figures.cumulative_incidence(incidence, kaplan_meier=True),
        "lagged_paths": figures.lagged_paths(lagged),
        "forest": figures.forest(effects, title="Effect of therapy, three groups"),
        "funnel": figures.funnel(clinics(), title="Improved clients by clinic"),
        "clinician_funnel": figures.clinician_funnel(clinician_comparison()),
        "clinician_difference": figures.clinician_difference(own_comparison()),
        "item_rest_correlations": figures.item_rest_correlations(item_rest()),
    }


def trajectory() -> Trajectory:
    """One synthetic client's course, with every mark that a chart of the pages has."""
    start = dt.date(2025, 1, 6)

    def day(week: int) -> dt.date:
        return start + dt.timedelta(weeks=week)

    def occasion(week: int, score: float | None, base: float, target: str, *, prorated: bool = False) -> Occasion:
        change = None if score is None else score - base
        return Occasion(
            administration_id=100 * int(target[1]) + week, taken_on=day(week), session_number=week + 1,
            score=score, answered=4, items=4, prorated=prorated, recorded=False, target=target, band=None,
            change=change,
            inside_noise=None if not change else abs(change) <= 4,
        )  # fmt: skip

    first = tuple(
        occasion(w, s, 8, "r1", prorated=w == 4) for w, s in ((0, 8), (2, 10), (4, 6), (6, 9), (14, 5), (16, 4))
    )
    second = tuple(occasion(w, s, 12, "r2") for w, s in ((24, 12), (26, 14), (28, 17), (30, 18)))
    change = Change(8, day(0), 4, day(16), -4, 4.0, "no clear change", "4 points lower")
    noise = NoiseBand(4, 12, 4, 0.95, "what measurement error alone explains", "Funk & Rogge (2007)", "unverified")
    later = NoiseBand(8, 16, 4, 0.95, "what measurement error alone explains", "Funk & Rogge (2007)", "unverified")
    weeks = range(24, 35)
    return Trajectory(
        client_id="c001", instrument="csi4", name="Couples Satisfaction Index, 4 items",
        construct="relationship_satisfaction", scale="total", title="Relationship satisfaction: CSI-4",
        range=(0, 21), higher_is_better=True, decimals=0, informant="client",
        segments=(
            Segment("r1", "R1", first, day(17), first[0], noise, change, None, None),
            Segment("r2", "R2", second, None, second[0], later, change, None, None),
        ),
        cutoffs=(CutoffLine(13.5, "<", "distressed", "Funk & Rogge (2007)", "high"),),
        goals=(GoalLine("g1", "Feel close on most days", 16, day(0), None),),
        marks=(
            Mark(day(9), "event", "Lost job", "hard", "A"),
            Mark(day(17), "status", "R1 ended", "neutral", "B"),
            Mark(day(17), "event", "Ended R1", "growth", "C"),
            Mark(day(23), "status", "R2: dating", "neutral", "D"),
        ),
        not_applicable=(Span(day(17), day(23), "single"),), gaps=(), gap_days=42,
        curves=(
            CourseCurve(
                "r2", tuple(day(w) for w in weeks), tuple(12 + 0.6 * i for i in range(11)),
                tuple(8 + 0.6 * i for i in range(11)), tuple(min(21, 16 + 0.6 * i) for i in range(11)), 0.8, 140,
                "Expected course",
            ),
        ),
        curve_note="", sessions=tuple((day(w), w + 1) for w in range(32)),
        summary="Satisfaction with R1, then R2.",
        caption="Relationship satisfaction with R1, then R2. Ended R1 on 5 May, recorded as growth.",
        relationships=(("r1", "R1"), ("r2", "R2")),
    )  # fmt: skip


def pictures() -> dict[str, figures.Figure]:
    """Every picture of the page, by its file name."""
    return results() | {"trajectory": figures.static(figures.trajectory_figure(trajectory()))}


def main(folder: Path = FOLDER) -> None:
    """Write the pictures in ink: they are for paper, and read on a dark page too, since they bring their paper."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures().items():
        place = figure.save(folder / f"{name}.svg")
        print(f"{place.name}  {place.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
