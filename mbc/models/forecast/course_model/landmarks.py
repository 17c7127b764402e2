"""What the course model would have said after each score: forecasts of the last score, session by session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from mbc.models.forecast.course_model.fit import CourseFit
from mbc.models.forecast.course_model.histories import Histories, Indices
from mbc.models.forecast.course_model.rounded_numbers import rounded
from mbc.models.growth.matrices import Floats

_NODES = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # quantiles of the time at which the course may end
_EVERY_SESSION = 40
_LATER_SESSIONS = 17
_SHARES = np.linspace(0.0, 1.0, 41)


@dataclass(frozen=True, slots=True)
class Endings:
    """When courses end, counted from intake: what is known of the end before it has come."""

    quantiles: Floats  # (41,), rising

    @classmethod
    def of(cls, end: Floats) -> Endings:
        """Take the ends of followed courses."""
        return cls(rounded(np.quantile(end, _SHARES)))

    def ahead(self, now: Floats) -> Floats:
        """Give five equally likely ends after ``now``, (n,); shape (n, 5).

        They are quantiles of those ends that are later. Where hardly any is, the course is taken to go on for as
        long as a twentieth of the longest one.
        """
        passed = np.interp(now, self.quantiles, _SHARES)
        shares = passed[:, None] + (1.0 - passed[:, None]) * _NODES
        ends = np.interp(shares, _SHARES, self.quantiles)
        least = now + 0.05 * self.quantiles[-1]
        return np.where(passed[:, None] > 0.975, least[:, None], np.maximum(ends, now[:, None]))


@dataclass(frozen=True, slots=True)
class Landmarks:
    """One row per client and session at which the end was still ahead."""

    client: Indices  # index of the client
    session: Indices  # scores known, 1 at intake
    intake: Floats
    latest: Floats  # the score at that session
    expected: Floats  # the course model's mean of the last score
    spread: Floats  # its standard deviation
    final: Floats  # the last score itself

    def where(self, chosen: Floats | Indices) -> Landmarks:
        """Pick some rows."""
        return Landmarks(*(getattr(self, f.name)[chosen] for f in fields(self)))

    @classmethod
    def joined(cls, parts: list[Landmarks]) -> Landmarks:
        """Put rows together."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


def forecast_end(fit: CourseFit, histories: Histories, ends: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation, (n,), of each client's score at the end, over equally likely ends, (n, e)."""
    scale = fit.scale
    later, scored = (histories.time[:, 1:], scale.internal(histories.score[:, 1:])), histories.scored[:, 1:]
    known = None if scored.all() else scored
    mean, variance = fit.model.predict(*later, scale.internal(histories.intake), ends, known=known)
    average, around = scale.moments(mean, variance)
    expected = average.mean(axis=1)
    return expected, np.sqrt(around.mean(axis=1) + average.var(axis=1))


def landmarks(
    fit: CourseFit,
    endings: Endings,
    histories: Histories,
    *,
    client: Indices | None = None,
    sessions: Iterable[int] | None = None,
) -> Landmarks:
    """Forecast every client's last score from the scores up to each session before it.

    Parameters
    ----------
    fit, endings : CourseFit, Endings
        Of other clients, if the forecasts are to be judged.
    histories : Histories
    client : ndarray, optional
        Numbers of the clients elsewhere; 0, 1, ... by default.
    sessions : iterable of int, optional
        Scores known; 1, 2, ... by default.
    """
    numbers = np.arange(len(histories)) if client is None else client
    parts: list[Landmarks] = []
    longest = int(histories.count.max())
    for session in range(1, longest) if sessions is None else sessions:
        there = np.flatnonzero(histories.count > session)
        if not there.size:
            break
        some = histories.of(there)
        so_far = cut(some, session)
        ends = endings.ahead(so_far.end)
        expected, spread = forecast_end(fit, so_far, ends)
        parts.append(
            Landmarks(
                client=numbers[there],
                session=np.full(there.size, session),
                intake=some.intake,
                latest=so_far.last,
                expected=expected,
                spread=spread,
                final=some.last,
            )
        )
    return Landmarks.joined(parts)


def sessions_to_learn_from(longest: int) -> tuple[int, ...]:
    """List sessions from which forecasts are judged: every one at first, fewer in long series.

    Examples
    --------
    >>> len(sessions_to_learn_from(40)), len(sessions_to_learn_from(150)), sessions_to_learn_from(150)[-1]
    (39, 56, 149)
    """
    early = range(1, min(longest, _EVERY_SESSION))
    if longest <= _EVERY_SESSION:
        return tuple(early)
    later = np.unique(np.geomspace(_EVERY_SESSION, longest - 1, _LATER_SESSIONS).astype(int))
    return (*early, *later.tolist())


def cut(histories: Histories, session: int) -> Histories:
    """Keep the first ``session`` scores of clients who have at least as many."""
    count = np.full(len(histories), session)
    return Histories(
        histories.ids, histories.time[:, :session], histories.score[:, :session], count, histories.step
    )
