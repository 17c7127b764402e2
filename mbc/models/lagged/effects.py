"""Does a gain in one measure come before a gain in another, within persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import t_below, t_quantile
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.courses.sessions import Spacing
from mbc.models.lagged.consecutive_sessions import ConsecutiveSessions, read_following
from mbc.models.lagged.within_slopes import Panel, bootstrap, freed, panel
from mbc.models.results.result import Result

Reason = Literal[
    "too_few_clients",
    "too_few_occasions",  # enough clients, but their series are too short
    "zero_variance",  # within persons a measure never moves
    "measures_alike",  # within persons one measure is a straight line of the other
]
Detrend = Literal["own", "level"]
# Occasions per client: either half of a series must show more than its level (and slope).
LEAST_OCCASIONS = {"own": 7, "level": 5}
LEAST_CLIENTS = 50


@dataclass(frozen=True, slots=True)
class LaggedEffect(Result):
    """One measure now on another (or itself) next time, within persons."""

    before: str
    after: str
    estimate: float  # points of ``after`` per point of ``before``, bias of short series taken off
    standard_error: float  # bootstrap over clients
    lower: float
    upper: float
    p_value: float
    standardised: float  # in standard deviations within persons
    uncorrected: float  # before the correction

    @property
    def detected(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.lower > 0 or self.upper < 0


@dataclass(frozen=True, slots=True)
class LaggedEffects(Result):
    """Both directions, each measure's own carry-over, and the checks."""

    forward: LaggedEffect | None  # x now, y next time
    backward: LaggedEffect | None  # y now, x next time
    carry_over: tuple[LaggedEffect, ...]  # x on itself, y on itself
    lead_forward: LaggedEffect | None  # placebo: x of the time after next "on" y; zero unless y precedes x
    lead_backward: LaggedEffect | None
    residual_correlation: float | None  # x and y of the same session, given the session before
    between_correlation: float | None  # of persons' means: who is higher on one is higher on the other
    nickell_bias: float | None  # expected of y's uncorrected carry-over if levels alone were taken off
    x: str
    y: str
    detrend: Detrend
    n: int  # clients used
    n_missing: int  # clients with too few sessions that follow each other
    pairs: int  # sessions with a next one
    occasions: float  # median per client used
    confidence: float
    method: str = "within persons, half-panel jackknife, clients bootstrapped"
    source: str = "Dhaene & Jochmans (2015), doi:10.1093/restud/rdv007"
    reason: Reason | None = None  # why nothing is claimed

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against reading an effect as an order in time."""
        messages: list[str] = []
        for effect, other, lead in (
            (self.forward, self.backward, self.lead_forward),
            (self.backward, self.forward, self.lead_backward),
        ):
            if effect and other and lead and effect.detected and lead.detected and not other.detected:
                messages.append(
                    f"Later {effect.before} goes with earlier {effect.after} too, though {effect.after} was not "
                    f"found to precede {effect.before}: shared time is likely."
                )
        if self.detrend == "level":
            messages.append(
                "Own trends were not removed: clients who improve on both alike can look like an order in time."
            )
        return tuple(messages)

    def sentence(self) -> str:
        """Say it in plain words: what precedes what, never what causes what."""
        if self.forward is None or self.backward is None:
            why = {
                "too_few_clients": f"fewer than {LEAST_CLIENTS} clients with enough sessions ({self.n})",
                "too_few_occasions": f"series of fewer than {LEAST_OCCASIONS[self.detrend]} sessions",
                "zero_variance": "a measure that never changes within persons",
                "measures_alike": "within persons, the two measures are identical",
            }[self.reason or "too_few_clients"]
            return f"Whether {self.x} precedes {self.y} cannot be determined: {why}. See the plot."
        text = " ".join([_describe_effect(self.forward), _describe_effect(self.backward), *self.warnings])
        return f"{text} ({self.n} clients; this shows what came first, not why.)"

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per effect."""
        kinds = ("precedes", "precedes", "carry-over", "carry-over", "placebo lead", "placebo lead")
        effects = (self.forward, self.backward, *(self.carry_over or (None, None)))
        rows = [
            (kind, effect)
            for kind, effect in zip(kinds, (*effects, self.lead_forward, self.lead_backward), strict=True)
            if effect is not None
        ]
        columns: dict[str, pl.Series] = {"kind": pl.Series([kind for kind, _ in rows], dtype=pl.String)}
        for name in ("before", "after"):
            columns[name] = pl.Series([getattr(effect, name) for _, effect in rows], dtype=pl.String)
        for name in ("estimate", "standard_error", "lower", "upper", "p_value", "standardised", "uncorrected"):
            columns[name] = pl.Series([getattr(effect, name) for _, effect in rows], dtype=pl.Float64)
        return columns


@checked
def nickell_bias(autoregression: float, rows: int) -> float:
    """Give the bias of an autoregression when each person's mean is taken off.

    Parameters
    ----------
    autoregression : float
        True coefficient, -1 to 1.
    rows : int
        Pairs of sessions per person; at least 2.

    Notes
    -----
    ``-(1 + g) / (T - 1) * A / (1 - 2 g A / ((1 - g) (T - 1)))`` with ``A = 1 - (1 - g^T) / (T (1 - g))``.

    References
    ----------
    .. [1] Nickell (1981), doi:10.2307/1911408.

    Examples
    --------
    >>> round(nickell_bias(0.3, 8), 4)
    -0.1696
    """
    if not -1.0 < autoregression < 1.0 or rows < 2:
        raise ModelError(f"autoregression must be in (-1, 1) and rows at least 2, got {autoregression:g}, {rows}.")
    g, t = autoregression, float(rows)
    a = 1.0 - (1.0 - g**rows) / (t * (1.0 - g))
    return -(1.0 + g) / (t - 1.0) * a / (1.0 - 2.0 * g * a / ((1.0 - g) * (t - 1.0)))


@checked
def lagged_effects(  # noqa: PLR0913 - options are keyword-only
    data: object,
    *,
    client: str,
    time: str,
    x: str,
    y: str,
    detrend: Detrend = "own",
    sessions: Spacing = "auto",
    shortest_gap: float | None = None,
    longest_gap: float | None = None,
    samples: int = 500,
    seed: int = 0,
    confidence: float = 0.95,
) -> LaggedEffects:
    """Ask whether a person who is higher than usual on x is higher than usual on y the next time.

    Parameters
    ----------
    data : frame
        One row per client and session, with both measures.
    client, time, x, y : str
        Its columns; time contains dates or session numbers.
    detrend : {"own", "level"}
        Take off each client's own straight line over time, or the level only. Both measures improve in therapy,
        and some clients improve faster: with levels alone, that is found as an order in time.
    sessions : {"auto", "numbers", "rows"}
        See ``sudden_gains``. A missed session breaks the pair.
    shortest_gap, longest_gap : float, optional
        Time between two sessions for them to be a pair; days for dates.
    samples, seed : int
        Bootstrap samples of clients.
    confidence : float

    Returns
    -------
    LaggedEffects
        With a ``reason`` instead of effects when there are fewer than 50 clients with at least 7 sessions (5 when
        only levels are taken off).

    Raises
    ------
    ModelError
        If a column is missing or an option is not known.

    Notes
    -----
    ``y(t) = level + trend + f y(t-1) + b x(t-1)``. Taking off each person's own mean biases f downward (Nickell)
    and b with it; the half-panel jackknife, ``2 g - mean(g of the halves)``, takes off the bias of order 1/T. In
    simulations without any effect, 6 to 9 % of 95 % intervals left zero out. The placebo lead adds x of the same
    session and of the session after to the equation of y.
    """
    if detrend not in LEAST_OCCASIONS:
        raise ModelError(f"detrend must be 'own' or 'level', got {detrend!r}.")
    if samples < 2 or not 0.0 < confidence < 1.0:
        raise ModelError("samples must be at least 2, and confidence in (0, 1).")
    if x == y:
        raise ModelError(f"x and y are both {x!r}; give two different measures.")
    rows = read_following(
        data,
        client=client,
        time=time,
        measures=(x, y),
        sessions=sessions,
        gaps=(shortest_gap, longest_gap),
        least=LEAST_OCCASIONS[detrend],
    )
    reason, spread = _refusal(rows, trend=detrend == "own")
    trend = detrend == "own"
    shared = None
    if reason is None:
        made = panel(rows.client, rows.time, rows.now, rows.following, rows.clients, trend=trend)
        shared = _effects(made, (x, y), spread, (samples, seed, confidence))
    settings = (samples, seed, confidence)
    carried = 0.0 if shared is None else min(0.99, max(-0.99, shared[1][1].estimate))
    return LaggedEffects(
        forward=None if shared is None else shared[0][1],
        backward=None if shared is None else shared[1][0],
        carry_over=() if shared is None else (shared[0][0], shared[1][1]),
        lead_forward=None if shared is None else _lead(rows, (x, y), 0, spread, settings, trend=trend),
        lead_backward=None if shared is None else _lead(rows, (x, y), 1, spread, settings, trend=trend),
        residual_correlation=None if shared is None else _residual_correlation(rows, trend=trend),
        between_correlation=None if shared is None else _between(rows),
        nickell_bias=None if shared is None else nickell_bias(carried, max(2, int(rows.occasions) - 1)),
        x=x,
        y=y,
        detrend=detrend,
        n=rows.clients,
        n_missing=rows.n_all - rows.clients,
        pairs=rows.client.size,
        occasions=rows.occasions,
        confidence=confidence,
        reason=reason,
    )


def _refusal(rows: ConsecutiveSessions, *, trend: bool) -> tuple[Reason | None, FloatArray]:
    """Say why nothing can be claimed; else give both measures' spread within persons."""
    none = np.full(2, np.nan)
    if rows.clients < LEAST_CLIENTS:
        return ("too_few_occasions" if rows.n_paired >= LEAST_CLIENTS else "too_few_clients"), none
    own = freed(rows.now, rows.client, rows.time, rows.clients, trend=trend)
    spread = np.sqrt((own**2).mean(axis=0))
    size = np.abs(rows.now).max(axis=0)
    if bool((spread <= 1e-10 * np.maximum(size, 1.0)).any()):
        return "zero_variance", spread
    together = float((own[:, 0] * own[:, 1]).mean()) / float(spread[0] * spread[1])
    return ("measures_alike" if abs(together) > 1.0 - 1e-10 else None), spread


def _effects(
    made: Panel, names: tuple[str, str], spread: FloatArray, settings: tuple[int, int, float]
) -> list[list[LaggedEffect]]:
    """Rows: the measure now; columns: the measure next time."""
    n = made.totals.outcomes.shape[0]
    once = np.ones((1, n))
    plain, estimate = made.totals.slopes(once)[0], made.corrected(once)[0]
    errors = bootstrap(made, samples=settings[0], seed=settings[1]).std(axis=0, ddof=1)
    return [
        [
            _effect(
                (names[a], names[b]),
                estimate[a, b],
                errors[a, b],
                plain[a, b],
                spread[a] / spread[b],
                n,
                settings[2],
            )
            for b in (0, 1)
        ]
        for a in (0, 1)
    ]


def _lead(
    rows: ConsecutiveSessions,
    names: tuple[str, str],
    a: int,
    spread: FloatArray,
    settings: tuple[int, int, float],
    *,
    trend: bool,
) -> LaggedEffect | None:
    """Regress measure b on both measures before, on measure a of the same session and of the session after."""
    b = 1 - a
    full = np.isfinite(rows.after).all(axis=1)
    regressors = np.column_stack([rows.now, rows.following[:, a], rows.after[:, a]])[full]
    made = panel(
        rows.client[full], rows.time[full], regressors, rows.following[full][:, [b]], rows.clients, trend=trend
    )
    n = rows.clients
    try:
        plain, estimate = made.totals.slopes(np.ones((1, n)))[0], made.corrected(np.ones((1, n)))[0]
        errors = bootstrap(made, samples=settings[0], seed=settings[1]).std(axis=0, ddof=1)
    except np.linalg.LinAlgError:  # too few triples of sessions to tell four slopes apart
        return None
    label = (f"{names[a]} (later)", names[b])
    return _effect(label, estimate[3, 0], errors[3, 0], plain[3, 0], spread[a] / spread[b], n, settings[2])


def _effect(
    names: tuple[str, str], estimate: float, error: float, plain: float, ratio: float, n: int, confidence: float
) -> LaggedEffect:
    half = t_quantile(n - 1, 0.5 + confidence / 2.0) * float(error)
    value = float(estimate)
    p = 2.0 * float(t_below(n - 1, -abs(value) / float(error))) if error > 0 else 0.0
    return LaggedEffect(
        *names, value, float(error), value - half, value + half, p, value * float(ratio), float(plain)
    )


def _residual_correlation(rows: ConsecutiveSessions, *, trend: bool) -> float | None:
    before = freed(rows.now, rows.client, rows.time, rows.clients, trend=trend)
    after = freed(rows.following, rows.client, rows.time, rows.clients, trend=trend)
    rest = after - before @ np.linalg.lstsq(before, after, rcond=None)[0]
    squares = rest.T @ rest
    size = float(squares[0, 0] * squares[1, 1]) ** 0.5
    return float(squares[0, 1]) / size if size > 0 else None


def _between(rows: ConsecutiveSessions) -> float | None:
    sums = np.zeros((rows.clients, 2))
    np.add.at(sums, rows.owner, rows.scores)
    means = sums / np.bincount(rows.owner, minlength=rows.clients)[:, None]
    about = means - means.mean(axis=0)
    squares = about.T @ about
    size = float(squares[0, 0] * squares[1, 1]) ** 0.5
    return float(squares[0, 1]) / size if size > 0 else None


def _describe_effect(effect: LaggedEffect) -> str:
    interval = f"{effect.estimate:.2f} points per point, {effect.lower:.2f} to {effect.upper:.2f}"
    if not effect.detected:
        return f"There was no evidence that {effect.before} precedes {effect.after} ({interval})."
    direction = "rise" if effect.estimate > 0 else "fall"
    return f"A rise in {effect.before} precedes a {direction} in {effect.after} at the next session ({interval})."
