"""Is the verdict from all sessions right, and sooner than the reliable change index? A simulation of courses.

    python benchmarks/true_change_course.py [--clients 5000] [--write]

Scores are like those of the Rosenberg scale (0 to 30, whole numbers, measurement error 2.05 from a standard
deviation of 6.98 and an alpha of .914), once at the start and at 24 sessions. Courses gain 7 points, or nothing.
Both methods are held to the same rate of false alarms: of clients who never change, 5 % are called better at any
of 24 sessions. ``--write`` puts the tables into benchmarks/results, of which docs/validation.md is made.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.models.change.occasions.all_sessions import TrueChangeCourse, true_change_course
from mbc.models.change.occasions.learn_variation import score_variation
from mbc.models.change.occasions.variation import ScoreVariation

Floats = NDArray[np.float64]
SESSIONS = 24
GAIN = 7.0
SD, ALPHA = 6.98, 0.914
SEM = SD * math.sqrt(1 - ALPHA)
START = (16.0, 5.0)
RANGE = (0.0, 30.0)
PAGE = Path(__file__).parent / "results/true_change_course_simulated.md"
FALSE_ALARMS = 0.05
NEVER = SESSIONS + 1  # counted for a change that was not found


def course(kind: str, n: int, rng: np.random.Generator) -> Floats:
    """Gain since the start, (n, 25), in points."""
    s = np.arange(SESSIONS + 1.0)
    made = {
        "none": 0.0 * s,
        "linear": GAIN * np.clip(s / 16, 0, 1),
        "late": GAIN * np.clip((s - 8) / 8, 0, 1),
        "slowing": GAIN * (1 - np.exp(-s / 6)),
        "back and forth": GAIN * np.interp(s, [0, 6, 12, 18, 24], [0, 1, 0.4, 1, 1]),
    }
    if kind == "sudden":
        return GAIN * (s[None, :] >= rng.integers(2, 9, n)[:, None])
    return np.tile(made[kind], (n, 1))


CHANGES = ("linear", "late", "sudden", "slowing")
COURSES = ("none", *CHANGES, "back and forth")


@dataclass(frozen=True)
class World:
    """How scores come about; the defaults are those that the method assumes."""

    name: str
    fluctuation: float = 0.84  # standard deviation
    fading: float = 3.0  # sessions
    noise: Callable[[np.random.Generator, tuple[int, int]], Floats] | None = None
    choose: Callable[[Floats], NDArray[np.bool_]] | None = None  # who comes for treatment, by first score
    irregular: bool = False  # sessions one to four weeks apart
    start: tuple[float, float] = START
    items: bool = False  # ten items of four answers, so that errors shrink and skew near the ends

    def draw(self, kind: str, n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Draw times, scores and true gains, each (n, 25)."""
        size = n if self.choose is None else 8 * n
        gaps = rng.integers(1, 5, (size, SESSIONS)) if self.irregular else np.ones((size, SESSIONS))
        time = np.concatenate([np.zeros((size, 1)), np.cumsum(gaps, axis=1)], axis=1)
        gain = course(kind, size, rng)
        moved = np.zeros(gain.shape)
        moved[:, 0] = rng.normal(0, self.fluctuation, size)
        for j in range(1, SESSIONS + 1):
            kept = np.exp(-gaps[:, j - 1] / self.fading)
            moved[:, j] = kept * moved[:, j - 1] + self.fluctuation * np.sqrt(1 - kept**2) * rng.normal(size=size)
        level = rng.normal(*self.start, size)[:, None] + gain
        if self.items:
            score = _answers(level + moved, rng)
        else:
            noise = rng.normal(0, SEM, gain.shape) if self.noise is None else self.noise(rng, gain.shape)
            score = np.clip(np.round(level + moved + noise), *RANGE)
        if self.choose is not None:
            kept_clients = np.flatnonzero(self.choose(score[:, 0]))[:n]
            time, score, gain = time[kept_clients], score[kept_clients], gain[kept_clients]
        return time, score, gain


def _answers(level: Floats, rng: np.random.Generator) -> Floats:
    """Sum of ten items answered 0 to 3, by a graded response model; about ``level`` in the middle of the scale."""
    theta = (level - 15.0) / 4.6
    total = np.zeros(level.shape)
    for shift in np.linspace(-0.9, 0.9, 10):
        answer = theta * 1.7 + rng.logistic(0, 1, level.shape)
        for threshold in (-2.2, 0.0, 2.2):
            total += answer > threshold + shift
    return total


def _heavy(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return SEM / math.sqrt(2.0) * rng.standard_t(4, shape)


def _weekly_cycle(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    phase = rng.uniform(0, 2 * np.pi, (shape[0], 1))
    return rng.normal(0, SEM, shape) + 1.2 * np.sin(2 * np.pi * np.arange(shape[1]) / 4 + phase)


MAIN = (
    World("no fluctuation (all error from alpha)", fluctuation=0.0),
    World("some fluctuation (retest reliability .90)", fluctuation=0.84),
    World("much fluctuation (retest reliability .85)", fluctuation=1.76),
)
OTHER = (
    World("errors with heavy tails (t, 4 df)", noise=_heavy),
    World("a cycle of four sessions in the errors", noise=_weekly_cycle),
    World("fluctuation that takes 8 sessions to fade", fading=8.0),
    World("sessions one to four weeks apart", irregular=True),
    World("clients come when the score is 12 or less", choose=lambda first: first <= 12),
    World("many near the floor (start 5, SD 4)", start=(5.0, 4.0)),
    World("ten items of four answers (graded response)", items=True, start=(13.0, 4.0)),
)


def long_frame(time: Floats, score: Floats) -> pl.DataFrame:
    """One row per client and session."""
    n, m = score.shape
    return pl.DataFrame({"client": np.repeat(np.arange(n), m), "time": time.ravel(), "score": score.ravel()})


def judge(time: Floats, score: Floats, **options: Any) -> tuple[Floats, Floats]:
    """P(better) and P(worse) after each session, (n, 24)."""
    found: TrueChangeCourse[Any, Any] = true_change_course(
        data=long_frame(time, score), higher_is_better=True, score_range=RANGE, each_session=True, **options
    )
    shape = score.shape
    return found.p_better.reshape(shape)[:, 1:], found.p_worse.reshape(shape)[:, 1:]


def index_once(score: Floats) -> Floats:
    """Change since the first score, (n, 24)."""
    return score[:, 1:] - score[:, :1]


def index_twice(score: Floats) -> Floats:
    """Give the smaller of two consecutive changes."""
    change = index_once(score)
    return np.minimum(change, np.concatenate([np.full((len(change), 1), -np.inf), change[:, :-1]], axis=1))


def calibrated(unchanged: Floats) -> tuple[float, float, float]:
    """Find two limits, and the share of clients for whom the lower holds, that 5 % of the unchanged ever reach.

    Scores come in steps, so that no single limit has exactly that rate; this favours the index, as nobody could
    use such a limit.
    """
    most = unchanged.max(axis=1)
    levels = np.unique(most)
    rates = np.array([(most >= level).mean() for level in levels])
    above = int(np.argmax(rates <= FALSE_ALARMS))
    upper, lower = levels[above], levels[max(above - 1, 0)]
    gap = rates[max(above - 1, 0)] - rates[above]
    return float(lower), float(upper), float((FALSE_ALARMS - rates[above]) / gap) if gap > 0 else 0.0


def first_session(values: Floats, limit: Floats | float) -> NDArray[np.intp]:
    """First session at which the limit is reached; NEVER where it is not."""
    reached = values >= np.reshape(limit, (-1, 1)) if np.ndim(limit) else values >= limit
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, NEVER)


@dataclass(frozen=True)
class Record:
    """How one method did in one world."""

    false_alarms: float  # share of the unchanged who are ever called better
    found: dict[str, float]  # by course: share of changes found
    session: dict[str, float]  # by course: mean session of detection, NEVER where not found

    @property
    def power(self) -> float:
        """Share of changes found, over courses."""
        return float(np.mean([self.found[kind] for kind in CHANGES]))

    @property
    def mean_session(self) -> float:
        """Mean session of detection, over courses."""
        return float(np.mean([self.session[kind] for kind in CHANGES]))


def record(values: dict[str, Floats], limits: tuple[float, float, float], rng: np.random.Generator) -> Record:
    """Count, with a limit for each client."""
    lower, upper, share = limits
    firsts = {
        kind: first_session(own, np.where(rng.random(len(own)) < share, lower, upper))
        for kind, own in values.items()
    }
    return Record(
        float((firsts["none"] < NEVER).mean()),
        {kind: float((first < NEVER).mean()) for kind, first in firsts.items() if kind != "none"},
        {kind: float(first.mean()) for kind, first in firsts.items() if kind != "none"},
    )


@dataclass(frozen=True)
class Study:
    """All methods in one world."""

    world: World
    records: dict[str, Record]
    right: float  # share of verdicts at 95 % that are right, over sessions, courses in equal parts
    right_at_first: float  # of the first such verdict of each client


def study(world: World, n: int, seed: int, *, training: int = 300) -> Study:
    """Simulate one world."""
    rng = np.random.default_rng(seed)
    drawn = {kind: world.draw(kind, n, rng) for kind in COURSES}
    part = [world.draw(kind, training // 5, rng) for kind in COURSES[:5]]
    clinic = long_frame(np.concatenate([p[0] for p in part]), np.concatenate([p[1] for p in part]))
    clinic = clinic.with_columns(client=np.repeat(np.arange(len(clinic) // (SESSIONS + 1)), SESSIONS + 1))
    norms = {"sd": SD, "reliability": ALPHA}
    known = {"variation": ScoreVariation.of(SEM, gap=2.5 if world.irregular else 1.0,
    fluctuation=world.fluctuation,
                                            fading_time=world.fading)}  # fmt: skip
    learned = {"variation": score_variation(clinic, score_range=RANGE, **norms)}
    ways = {"fluctuation known": known, "fluctuation learned from 300 clients": learned, "norms only": norms}
    records: dict[str, Record] = {}
    for name, index in (("index, once", index_once), ("index, twice in a row", index_twice)):
        values = {kind: index(score) for kind, (_, score, _) in drawn.items()}
        records[name] = record(values, calibrated(values["none"]), rng)
        usual = 1.959964 * math.sqrt(2) * SEM
        records[f"{name}, at 1.96"] = record(values, (usual, usual, 0.0), rng)
    right = right_at_first = math.nan
    for name, options in ways.items():
        found = {kind: judge(time, score, **options) for kind, (time, score, _) in drawn.items()}
        better = {kind: pair[0] for kind, pair in found.items()}
        records[f"all sessions, {name}"] = record(better, calibrated(better["none"]), rng)
        records[f"all sessions, {name}, at 0.95"] = record(better, (0.95, 0.95, 0.0), rng)
        if name.endswith("clients"):
            right, right_at_first = _right(drawn, found)
    return Study(world, records, right, right_at_first)


def _right(
    drawn: dict[str, tuple[Floats, Floats, Floats]], found: dict[str, tuple[Floats, Floats]]
) -> tuple[float, float]:
    """Share of clear verdicts (better and worse) that are right: the true level is on that side of the start."""
    said = correct = first_said = first_correct = 0
    for kind, (_, _, gain) in drawn.items():
        for sign, values in zip((1.0, -1.0), found[kind], strict=True):
            clear, true = values >= 0.95, sign * gain[:, 1:] > 1e-9
            said, correct = said + int(clear.sum()), correct + int((clear & true).sum())
            first = first_session(values, 0.95)
            who = np.flatnonzero(first < NEVER)
            first_said += who.size
            first_correct += int(true[who, first[who] - 1].sum())
    return correct / said, first_correct / first_said


def table(studies: list[Study], names: list[str]) -> list[str]:
    """Lay records out."""
    lines = [
        f"| scores | method | unchanged ever called better | {' | '.join(CHANGES)} | found | mean session |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in studies:
        for name in names:
            own = one.records[name]
            cells = [f"{own.found[kind]:.1%} / {own.session[kind]:.1f}" for kind in CHANGES]
            lines.append(
                f"| {one.world.name} | {name} | {own.false_alarms:.1%} | {' | '.join(cells)} | {own.power:.1%} "
                f"| {own.mean_session:.1f} |"
            )
    return lines


SAME_RATE = [
    "index, once", "index, twice in a row", "all sessions, fluctuation known",
    "all sessions, fluctuation learned from 300 clients", "all sessions, norms only",
]  # fmt: skip
AS_SHIPPED = [
    "index, once, at 1.96", "index, twice in a row, at 1.96", "all sessions, fluctuation known, at 0.95",
    "all sessions, fluctuation learned from 300 clients, at 0.95", "all sessions, norms only, at 0.95",
]  # fmt: skip


WORDS = """## A verdict from all sessions: simulated courses

`python benchmarks/true_change_course.py --clients {clients} --write` (seed {seed}) made this section: {clients}
clients per course in the first two tables, half as many in the others. Scores are whole numbers from 0 to 30 with
a measurement error of 2.05 points, once at the start and at 24 sessions. Four courses gain 7 points: evenly over
16 sessions, evenly over sessions 8 to 16, at once at one of sessions 2 to 8, and fast at first. A change not
found counts as session 25.

**At the same rate of false alarms.** Every limit is set so that 5 % of clients who never change are ever called
better. (For the index, whose values are whole numbers, two limits are mixed.) Cells: share of changes found / mean
session.

{same}

**As it is used**, with the index at 1.96 standard errors and the verdict at a probability of 0.95:

{used}

With a retest reliability of .85 no method here finds 95 % of changes of 7 points at 5 % false alarms: it takes
several sessions to tell fluctuation of that size from change.

**Scores that do not follow the model**, at the same rate of false alarms and then as used:

{other_same}

{other_used}

**Right when it says so.** Of verdicts with a probability of at least 0.95 (of six courses in equal parts: no
change, the four above, and back and forth) this share is right: the true level is on that side of the start.
Fluctuation was learned from 300 clients.

| scores | all verdicts | the first of each client |
|---|---|---|
{right}
"""


def text(clients: int, seed: int) -> str:
    """Write the section of the validation page."""
    main = [study(world, clients, seed) for world in MAIN]
    other = [study(world, clients // 2, seed) for world in OTHER]
    right = [f"| {one.world.name} | {one.right:.1%} | {one.right_at_first:.1%} |" for one in (*main, *other)]
    return WORDS.format(
        clients=clients,
        seed=seed,
        same="\n".join(table(main, SAME_RATE)),
        used="\n".join(table(main, AS_SHIPPED)),
        other_same="\n".join(table(other, SAME_RATE)),
        other_used="\n".join(table(other, AS_SHIPPED)),
        right="\n".join(right),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=4000, help="per course and kind of scores")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    made = text(arguments.clients, arguments.seed)
    if arguments.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(made, encoding="utf-8")
    print(made)
