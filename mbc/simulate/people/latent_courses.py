"""How each client's true state moves from week to week.

Courses are drawn in the direction of doing better and in standard deviations of clients at intake, by weeks
since the first session. Progress is not a straight line: most courses here bend, pause, fall back or jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.simulate.people.population import RESPONSE, WAVERS
from mbc.simulate.streams import Floats, Ints, Stream

# Kinds of course and how many clients in a hundred take each.
COURSES: Final = {
    "gradual": 22,  # fast at first, then slower
    "early": 10,  # most of it within two months, then level
    "late": 9,  # nothing for a good while, then change
    "sudden gain": 14,  # one clear step between two sessions
    "setback": 13,  # a relapse that is regained
    "worse first": 6,  # falls before it rises
    "unchanged": 10,
    "worsening": 12,
    "well throughout": 5,  # little to improve at intake, and stable
}
KINDS: Final = tuple(COURSES)
IMPROVING: Final = KINDS[:6]
FULL_COURSE: Final = 26.0  # weeks after which a gradual course has made its typical gain
STATE_CARRY: Final = 0.45  # share of last week's fluctuation left this week


@dataclass(frozen=True, slots=True)
class Courses:
    """The true weekly state of every client, and what it was made from."""

    kind: Ints  # shape (clients,): position in KINDS
    gain: Floats  # shape (clients, constructs): full gain, + is better, in intake SDs
    path: Floats  # shape (clients, constructs, weeks): + is better, without fluctuation


def draw_courses(seed: int, first: Floats, started: Ints, weeks: int) -> Courses:
    """Give every client a kind of course and lay it over the calendar.

    Parameters
    ----------
    seed : int
        The clinic's seed.
    first : ndarray, shape (clients, constructs)
        Traits at intake, + is better.
    started : ndarray, shape (clients,)
        Calendar week of the first session.
    weeks : int
        Number of calendar weeks.

    Returns
    -------
    Courses
        Before the first session a client stays at the intake level.
    """
    clients = first.shape[0]
    stream = Stream(seed, "courses")
    kind = stream.choice(list(COURSES.values()), clients)
    first = np.where((kind == KINDS.index("well throughout"))[:, None], np.abs(first) * 0.4 + 0.9, first)
    gain = _gains(stream, kind, first)
    shape = _shapes(stream, kind, np.maximum(np.arange(weeks) - started[:, None], 0.0))
    return Courses(kind, gain, first[:, :, None] + gain[:, :, None] * shape[:, None, :])


def _gains(stream: Stream, kind: Ints, first: Floats) -> Floats:
    clients = kind.size
    improving = kind < len(IMPROVING)
    size = np.select(
        [improving, kind == KINDS.index("worsening")],
        [1.55 + 0.45 * stream.normal(clients), -1.30 + 0.30 * stream.normal(clients)],
        0.0,
    )
    severity = -first.mean(axis=1)  # those who come in worse have more room to improve
    size = np.where(improving, size * np.clip(1.0 + 0.35 * severity, 0.4, 1.7), size)
    own = 0.30 * stream.normal(clients, first.shape[1]) * (size != 0)[:, None]
    return size[:, None] * RESPONSE + own


def _shapes(stream: Stream, kind: Ints, since: Floats) -> Floats:
    """Share of the full gain reached by week; ``since`` is weeks since the first session."""
    turn = stream.uniform(kind.size, 1)  # when the turn of each course comes
    gradual = np.log1p(since) / np.log1p(FULL_COURSE)
    leap = 4.0 + 9.0 * turn
    dip = 7.0 + 9.0 * turn
    by_kind = [
        gradual,
        1.0 - np.exp(-since / 3.5),
        _step(since, 12.0 + 6.0 * turn, 1.6),
        0.2 * gradual + 0.85 * _step(since, leap, 0.12),
        gradual * 1.05 - 0.75 * _bell(since, dip, 1.8),
        1.15 * _step(since, 15.0 + 4.0 * turn, 2.5) - 0.80 * _bell(since, 8.0 + 3.0 * turn, 3.5),
        np.zeros_like(since),
        gradual,
        np.zeros_like(since),
    ]
    return np.select([(kind == k)[:, None] for k in range(len(KINDS))], by_kind)


def _step(since: Floats, at: Floats, width: float) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip((since - at) / width, -50.0, 50.0)))


def _bell(since: Floats, at: Floats, width: float) -> Floats:
    return np.exp(-0.5 * ((since - at) / width) ** 2)


def fluctuation(seed: int, clients: int, weeks: int) -> Floats:
    """Week-to-week state around the true course; half of it shared by all of a client's constructs.

    Returns
    -------
    ndarray, shape (clients, constructs, weeks)
        First-order autoregressive over weeks, in intake SDs.
    """
    draws = Stream(seed, "wavering").normal(clients, WAVERS.size + 1, weeks)
    mixed = np.sqrt(0.5) * (draws[:, :1, :] + draws[:, 1:, :])
    state = np.empty_like(mixed)
    state[:, :, 0] = mixed[:, :, 0]
    for week in range(1, weeks):
        state[:, :, week] = STATE_CARRY * state[:, :, week - 1] + np.sqrt(1 - STATE_CARRY**2) * mixed[:, :, week]
    return WAVERS[:, None] * state
