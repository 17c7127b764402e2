"""How care went, and when change came: against plain Python over drawn rows."""

from __future__ import annotations

import datetime as dt
import itertools
import random

import polars as pl
import pytest

from mbc import outcomes
from mbc.care.course.noise import noise_of
from mbc.instruments import instrument
from tests.outcomes.made_people import Tables, add_score, days
from tests.outcomes.test_nhs import KINDS, counted, frames_of

START, END = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
CURRENT = {"dating", "partnered", "cohabiting", "married"}


@pytest.fixture(scope="module")
def clinic():
    """Clients with sessions, goals, statuses and scores around every limit."""
    draw = random.Random(23)
    tables, goals, statuses = Tables(), [], []
    for number in range(150):
        who, since = f"V{number:03d}", dt.date(2025, 10, 1) + days(draw.randint(0, 300))
        ended = draw.choice([None, since + days(draw.choice([90, 91, 182, 183, 365])), END])
        ended = None if ended is not None and ended < since else ended
        ending = None if ended is None else draw.choice(["planned", "dropped out", "moved away", None])
        tables.episodes.append(
            {"episode_id": f"{who}.E", "client_id": who, "clinician_id": draw.choice(["K1", "K2"]),
             "referred_on": since, "started_on": since, "ended_on": ended, "ending": ending}
        )  # fmt: skip
        tables.sessions += [
            {"client_id": who, "episode_id": f"{who}.E", "number": session + 1,
             "held_on": since + days(7 * session), "attended": draw.random() < 0.8}
            for session in range(draw.choice([0, 1, 4, 9]))
        ]  # fmt: skip
        goals += [
            (who, f"{who}.G{goal}", since + days(draw.choice([-1, 0, 20, 400])), draw.random() < 0.4)
            for goal in range(draw.choice([0, 1, 3]))
        ]
        if draw.random() < 0.8:
            statuses.append((who, draw.choice([None, "R1"]), draw.choice(["single", "dating", "married"]),
                             since - days(30), None))  # fmt: skip
        if draw.random() < 0.5:
            statuses.append((who, "R1", "ended", since + days(draw.choice([0, 1, 40])), draw.choice([True, None])))
        for key, cut in (("rses", 6), ("phq9", 6)):
            base = draw.choice([10, 12])
            gaps = [
                0,
                *sorted(draw.sample([30, 60, 90, 91, 92, 181, 182, 183, 364, 365, 366], draw.randint(0, 6))),
            ]
            for gap in gaps:
                move = 0 if gap == 0 else draw.choice([-cut - 1, -cut, 1 - cut, 0, cut - 1, cut, cut + 1, cut + 1])
                add_score(tables, who, key, since + days(gap), base + move)
    statuses = [row for row in statuses if not (row[1] == "R1" and row[2] == "single")]
    return tables, goals, statuses


def frames(clinic, kind="polars"):
    tables, goals, statuses = clinic
    made = frames_of(tables, kind)
    columns = ("episode_id", "client_id", "clinician_id", "referred_on", "ended_on", "ending")
    schema = {name: pl.Date if name.endswith("_on") else pl.String for name in columns}
    rows = [tuple(row[name] for name in columns) for row in tables.episodes]
    to_kind = KINDS[kind]
    return made | {
        "episodes": to_kind(pl.DataFrame(rows, schema, orient="row")),
        "goals": to_kind(
            pl.DataFrame(goals, {"client_id": pl.String, "goal_id": pl.String, "set_on": pl.Date,
                                 "reached": pl.Boolean}, orient="row")
        ),
        "statuses": to_kind(
            pl.DataFrame(statuses, {"client_id": pl.String, "relationship_id": pl.String, "status": pl.String,
                                    "since": pl.Date, "step_forward": pl.Boolean}, orient="row")
        ),
    }  # fmt: skip


def in_care(tables):
    for episode in tables.episodes:
        if episode["referred_on"] <= END and (episode["ended_on"] is None or episode["ended_on"] >= START):
            yield episode, min(episode["ended_on"] or END, END)


def lives_together(statuses, who, day):
    """None where nothing is on record by that day."""
    mine = [row for row in statuses if row[0] == who and row[3] <= day]
    latest = {
        whose: max((row for row in mine if row[1] == whose), key=lambda row: row[3]) for _, whose, *_ in mine
    }
    return any(row[2] in CURRENT for row in latest.values()) if latest else None


def gain(tables, who, key, since, last_day):
    scale = instrument(key).scale()
    mine = sorted(
        (row["taken_on"], row["score"]) for row in tables.scores
        if row["client_id"] == who and row["instrument"] == key and since <= row["taken_on"] <= last_day
    )  # fmt: skip
    if len(mine) < 2:
        return None
    noise = noise_of(instrument(key), scale)
    return noise.verdict(mine[-1][1] - mine[0][1], higher_is_better=scale.higher_is_better)


def by_hand(clinic):
    tables, goals, statuses = clinic
    counts: dict[str, list[int]] = {}

    def add(name, hit):
        part = counts.setdefault(name, [0, 0])
        part[0] += bool(hit)
        part[1] += 1

    shares = []
    for episode, last_day in in_care(tables):
        who, since = episode["client_id"], episode["referred_on"]
        if episode["ended_on"] is not None and episode["ended_on"] <= END:
            add("ended_as_planned", episode["ending"] == "planned")
            add("dropped_out", episode["ending"] == "dropped out")
            add("ended_otherwise", episode["ending"] not in ("planned", "dropped out"))
        mine = [reached for client, _, on, reached in goals if client == who and since <= on <= last_day]
        if mine:
            add("goal_reached", any(mine))
            add("all_goals_reached", all(mine))
        held = [row["attended"] for row in tables.sessions if row["client_id"] == who and row["held_on"] <= END]
        if held:
            shares.append(100 * sum(held) / len(held))
        left = [row for row in statuses if row[0] == who and row[2] == "ended" and since < row[3] <= last_day]
        if lives_together(statuses, who, since):
            add("relationship_ended", left)
            if left:
                add("left_step_forward", any(row[4] for row in left))
        together = lives_together(statuses, who, last_day)
        if together is not None:
            add("single_at_end", not together)
        verdicts = {gain(tables, who, key, since, last_day) for key in ("rses", "phq9")} - {None}
        if together is False and verdicts:
            up, down = "clearly better" in verdicts, "clearly worse" in verdicts
            add("single_improved", up and not down)
            add("single_unchanged", up == down)
            add("single_deteriorated", down and not up)
    return {name: tuple(pair) for name, pair in counts.items()}, shares


@pytest.mark.parametrize(
    "kind",
    [
        "polars",
        pytest.param("duckdb", marks=pytest.mark.slow),
        pytest.param("pandas", marks=pytest.mark.slow),
    ],
)
def test_every_figure_of_the_course_of_care_agrees_with_the_rows(clinic, kind):
    report = outcomes.report(frames(clinic, kind), "course-of-care", "in-care", start=START, end=END)
    expected, shares = by_hand(clinic)
    rates = {name: pair for name, pair in counted(report).items() if pair[0] is not None}
    assert rates == expected
    assert min(of for _, of in expected.values()) > 5
    assert report["attendance"].value == pytest.approx(sum(shares) / len(shares))
    assert report["attendance"].denominator == len(shares)
    assert report["alliance"].denominator == 0


def first_clear(tables, who, key, since, last_day):
    """First score and the day from which two scores in a row are clearly better than it."""
    scale = instrument(key).scale()
    noise = noise_of(instrument(key), scale)
    mine = sorted(
        (row["taken_on"], row["score"]) for row in tables.scores
        if row["client_id"] == who and row["instrument"] == key and since <= row["taken_on"] <= last_day
    )  # fmt: skip
    if not mine:
        return None, None
    better = [
        noise.verdict(score - mine[0][1], higher_is_better=scale.higher_is_better) == "clearly better"
        for _, score in mine
    ]
    twice = [day for (day, _), now, then in zip(mine, better, better[1:], strict=False) if now and then]
    return mine[0][0], min(twice, default=None)


@pytest.mark.parametrize(
    "kind", ["polars", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("pandas", "duckdb"))]
)
def test_the_first_clear_change_by_each_milestone(clinic, kind):
    tables, *_ = clinic
    report = outcomes.report(frames(clinic, kind), "milestones", "in-care", start=START, end=END)
    limits = (("within_3_months", 91), ("within_6_months", 182), ("within_12_months", 365))
    for key, (name, limit) in itertools.product(("rses", "phq9"), limits):
        hit = of = 0
        for episode, _ in in_care(tables):
            until = min(episode["ended_on"] or END, END)
            begin, reached = first_clear(tables, episode["client_id"], key, episode["referred_on"], until)
            if begin is not None and begin + days(limit) <= END:
                of += 1
                hit += reached is not None and (reached - begin).days <= limit
        assert counted(report)[f"{key}_total_{name}"] == (hit, of)
    for key in ("rses", "phq9"):
        assert counted(report)[f"{key}_total_within_3_months"][0] > 5


def test_leaving_is_counted_as_an_outcome_and_never_as_a_deterioration(clinic):
    report = outcomes.report(frames(clinic), "course-of-care", "in-care", start=START, end=END)
    assert report["left_step_forward"].numerator > 0
    assert any("never as a deterioration" in rule for rule in report.rules)
