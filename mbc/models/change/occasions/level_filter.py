"""What do all scores so far say of a client's level at the start and now: a filter over many clients at once.

For client i at time t, the score is

    y_i(t) = L_i(t) + f_i(t) + e_i(t),

with a level L that wanders, var(L(t) - L(s)) = q |t - s|; a fluctuation f that fades, cov(f(s), f(t)) =
v exp(-|t - s| / tau); and measurement error e of variance s^2. The state is (level at the start, level now,
fluctuation now): as the level at the start stays in the state, filtering also smooths it. Each *setting* is one
choice of (q, v, tau); all are run side by side, and the likelihood of the scores says how far each is to be
believed.

A score at an end of the scale says only that the client is there or beyond. It is treated as censored, and the
state after it is the normal distribution with the same mean and variance (assumed density filtering).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mbc.models.change.inputs.distributions import log_normal_below
from mbc.models.change.inputs.score_arrays import FloatArray

_LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True, slots=True)
class Settings:
    """How scores may vary: the values that are averaged over, with their weights before any score."""

    wander: FloatArray  # (g,), q: variance that the level gains per unit of time
    fluctuation: FloatArray  # (g,), v
    fading_time: FloatArray  # (g,), tau
    weight: FloatArray  # (g,), adds up to 1
    error: FloatArray  # (g,), s^2


@dataclass(frozen=True, slots=True)
class ExpectedChange:
    """Change of level that is expected of clients: ``amount (1 - exp(-t / time))`` after t units of time."""

    amount: float  # score points, in the end
    time: float

    def since_start(self, elapsed: FloatArray) -> FloatArray:
        """Give the change expected after so long."""
        return self.amount * (1.0 - np.exp(-elapsed / self.time))


@dataclass(frozen=True, slots=True)
class Prior:
    """What is taken to be known of a client before any score."""

    mean: float | None  # of the level at the start; None: about the first score, so widely that nothing is assumed
    sd: float
    change: ExpectedChange | None = None  # None: none

    def means(self, sequences: Sequences) -> FloatArray:
        """Give the mean of the level at the start, (n,)."""
        return sequences.score[:, 0] if self.mean is None else np.full(sequences.count.size, self.mean)


@dataclass(frozen=True, slots=True)
class Limits:
    """Ends of the scale; a score within ``half_step`` of one is there or beyond."""

    low: float
    high: float
    half_step: float


@dataclass(frozen=True, slots=True)
class Sequences:
    """Clients by falling number of scores, one row each, padded to the longest."""

    score: FloatArray  # (n, m)
    gap: FloatArray  # (n, m): time since the score before, 0 for the first
    open_gap: FloatArray  # (n, m): the part of it in which the level may change, 0 up to the last baseline
    count: NDArray[np.intp]  # (n,), falling

    def having(self, session: int) -> int:
        """Count the clients with more than ``session`` scores; they are the first rows."""
        return int(np.searchsorted(-self.count, -session, side="left"))

    @property
    def open_time(self) -> FloatArray:
        """Time in which the level could change, up to each score, (n, m)."""
        return np.cumsum(self.open_gap, axis=1)

    def rows(self, start: int, stop: int) -> Sequences:
        """Take some clients."""
        longest = int(self.count[start])
        chosen = slice(start, stop)
        return Sequences(
            self.score[chosen, :longest],
            self.gap[chosen, :longest],
            self.open_gap[chosen, :longest],
            self.count[chosen],
        )


@dataclass(slots=True)
class State:
    """Normal distributions of (level at the start, level now, fluctuation now), one per setting and client.

    All arrays have shape (g, n). It is changed in place by `advance` and `observe`.
    """

    start: FloatArray
    level: FloatArray
    fluctuation: FloatArray
    var_start: FloatArray
    var_level: FloatArray
    var_fluctuation: FloatArray
    cov_start_level: FloatArray
    cov_start_fluctuation: FloatArray
    cov_level_fluctuation: FloatArray
    log_likelihood: FloatArray

    @classmethod
    def before(cls, settings: Settings, mean: FloatArray, sd: float) -> State:
        """Begin with what is known before any score: a level from a normal distribution, mean of shape (n,)."""
        shape = (settings.wander.size, mean.size)
        level = np.broadcast_to(mean, shape)
        variance = np.full(shape, sd**2)
        fluctuation = np.broadcast_to(settings.fluctuation[:, None], shape)
        zero = np.zeros(shape)
        return cls(
            start=level.copy(),
            level=level.copy(),
            fluctuation=zero.copy(),
            var_start=variance.copy(),
            var_level=variance.copy(),
            var_fluctuation=fluctuation.copy(),
            cov_start_level=variance.copy(),
            cov_start_fluctuation=zero.copy(),
            cov_level_fluctuation=zero.copy(),
            log_likelihood=zero.copy(),
        )

    def first(self, n: int) -> State:
        """Look at the first clients only; what is changed there is changed here."""
        return State(*(getattr(self, name)[:, :n] for name in _FIELDS))

    def of(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> State:
        """Copy some clients."""
        return State(*(getattr(self, name)[:, chosen] for name in _FIELDS))

    def advance(self, gap: FloatArray, open_gap: FloatArray, settings: Settings) -> None:
        """Let time pass: the fluctuation fades, and the level wanders while it may.

        Parameters
        ----------
        gap, open_gap : ndarray, shape (n,)
            Time since the last score, and the part of it in which the level may change.
        """
        kept = np.exp(-gap[None, :] / settings.fading_time[:, None])
        v = settings.fluctuation[:, None]
        self.fluctuation *= kept
        self.cov_start_fluctuation *= kept
        self.cov_level_fluctuation *= kept
        self.var_fluctuation[:] = v + (self.var_fluctuation - v) * kept**2
        self.var_level += settings.wander[:, None] * open_gap

    def observe(self, score: FloatArray, error: FloatArray, limits: Limits | None) -> None:
        """Take one more score of every client, shape (n,)."""
        with_start, with_level, with_fluctuation = self._covariances()
        variance = with_level + with_fluctuation + error[:, None]
        surprise = score - self.level - self.fluctuation
        move = surprise / variance
        shrink = 1.0 / variance
        gained = -0.5 * (surprise * move + np.log(variance) + _LOG_2PI)
        if limits is not None:
            for sign, at_end, edge in _censored(score, limits):
                _replace_censored(sign, at_end, edge - score[at_end], surprise, variance, (move, shrink, gained))
        self.log_likelihood += gained
        self.start += with_start * move
        self.level += with_level * move
        self.fluctuation += with_fluctuation * move
        self._shrink(with_start, with_level, with_fluctuation, shrink)

    def observe_any(self, error: FloatArray) -> None:
        """Let variances become those after one more score, whatever it is (none at an end of the scale)."""
        with_start, with_level, with_fluctuation = self._covariances()
        shrink = 1.0 / (with_level + with_fluctuation + error[:, None])
        self._shrink(with_start, with_level, with_fluctuation, shrink)

    def _covariances(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Covariance of each part of the state with the next score."""
        return (
            self.cov_start_level + self.cov_start_fluctuation,
            self.var_level + self.cov_level_fluctuation,
            self.cov_level_fluctuation + self.var_fluctuation,
        )

    def _shrink(
        self, with_start: FloatArray, with_level: FloatArray, with_fluctuation: FloatArray, share: FloatArray
    ) -> None:
        start, level, fluctuation = with_start * share, with_level * share, with_fluctuation * share
        self.var_start -= with_start * start
        self.var_level -= with_level * level
        self.var_fluctuation -= with_fluctuation * fluctuation
        self.cov_start_level -= with_start * level
        self.cov_start_fluctuation -= with_start * fluctuation
        self.cov_level_fluctuation -= with_level * fluctuation

    def belief(self, settings: Settings) -> FloatArray:
        """Give how far each setting is believed after the scores so far, (g, n); adds up to 1 for each client."""
        log = self.log_likelihood + np.log(settings.weight)[:, None]
        weight = np.exp(log - log.max(axis=0))
        return weight / weight.sum(axis=0)

    @property
    def change(self) -> FloatArray:
        """Mean of level now - level at the start."""
        return self.level - self.start

    @property
    def sd_change(self) -> FloatArray:
        """Its standard deviation."""
        return np.sqrt(np.maximum(self.var_level + self.var_start - 2.0 * self.cov_start_level, 0.0))


_FIELDS = tuple(State.__dataclass_fields__)


def _censored(score: FloatArray, limits: Limits) -> Iterator[tuple[float, NDArray[np.intp], float]]:
    """Find the scores at either end of the range: the side of the true value, which clients, and the end."""
    low, high = limits.low + limits.half_step, limits.high - limits.half_step
    for sign, at_end, edge in ((-1.0, score <= low, low), (1.0, score >= high, high)):
        chosen = np.flatnonzero(at_end)
        if chosen.size:
            yield sign, chosen, edge


def _replace_censored(
    sign: float,
    chosen: NDArray[np.intp],
    beyond: FloatArray,
    surprise: FloatArray,
    variance: FloatArray,
    parts: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    """Replace a score at an end by "beyond the edge", by the moments of the truncated normal distribution.

    With a = sign (mean - edge) / sd: P = Phi(a), mean moves by sign sd phi(a) / Phi(a), and the variance shrinks
    by the share (phi/Phi) (a + phi/Phi).
    """
    move, shrink, gained = parts
    own = variance[:, chosen]
    sd = np.sqrt(own)
    a = -sign * (surprise[:, chosen] + beyond) / sd
    log_p = log_normal_below(a)
    ratio = np.exp(-0.5 * (a * a + _LOG_2PI) - log_p)
    move[:, chosen] = sign * ratio / sd
    shrink[:, chosen] = np.clip(ratio * (a + ratio), 0.0, 1.0) / own
    gained[:, chosen] = log_p


def filter_sessions(
    sequences: Sequences, settings: Settings, limits: Limits | None, prior: Prior
) -> Iterator[tuple[int, State, State]]:
    """Run through the scores, session by session.

    Parameters
    ----------
    sequences : Sequences
    settings : Settings
    limits : Limits, optional
        Without, no score is taken as censored.
    prior : Prior

    Yields
    ------
    session, current, state
        The session (0 for the first score); the state of the clients who have that score, which are the first of
        ``sequences``; and that of everybody, each after the latest score. Both change with the next step.
    """
    state = State.before(settings, prior.means(sequences), prior.sd)
    expected = None if prior.change is None else prior.change.since_start(sequences.open_time)
    for session in range(int(sequences.score.shape[1])):
        n = sequences.having(session)
        current = state.first(n)
        if session:
            current.advance(sequences.gap[:n, session], sequences.open_gap[:n, session], settings)
            if expected is not None:
                current.level += expected[:n, session] - expected[:n, session - 1]
        current.observe(sequences.score[:n, session], settings.error, limits)
        yield session, current, state
