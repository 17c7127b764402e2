"""What testing at every session does to the risk of a false claim, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import polars as pl
from scipy import optimize

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import normal_below, two_sided
from mbc.models.change.inputs.norms import NormLike, Norms, stated_norms
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.inputs.tidy_frames import long_scores
from mbc.models.results.result import Result

_REACH = 9.0  # standard deviations of the shared baseline error: beyond lies 2e-19 of it
_POINTS = 361


@checked
def familywise_error(
    sessions: int, *, confidence: float = 0.95, critical: float | None = None, consecutive: int = 1
) -> float:
    """Give the risk that a person who never changes is classified as changed at some session.

    Every session's score is compared with the same baseline, whose error they share.

    Parameters
    ----------
    sessions : int
        Sessions after the baseline; >= 1.
    confidence : float
        Of each single comparison, 0 to 1.
    critical : float, optional
        Standard errors that a change must exceed, instead of ``confidence``.
    consecutive : int
        How many sessions in a row must lie beyond, in the same direction; 1 is any session.

    Notes
    -----
    ``1 - integral phi(u) [Phi(u + sqrt(2) c) - Phi(u - sqrt(2) c)]^K du`` for one session; runs by a Markov chain
    given the baseline's error ``u``.

    Examples
    --------
    >>> [round(familywise_error(k), 3) for k in (1, 5, 12)]
    [0.05, 0.183, 0.319]
    >>> round(familywise_error(12, consecutive=2), 3)
    0.056
    """
    _check_count("sessions", sessions)
    _check_count("consecutive", consecutive)
    if critical is None:
        critical = two_sided(confidence)
    # Equal steps: for a smooth integrand that vanishes at both ends they are exact to rounding.
    u = np.linspace(-_REACH, _REACH, _POINTS)
    density = (u[1] - u[0]) * np.exp(-(u**2) / 2.0) / math.sqrt(2.0 * math.pi)
    above, below = normal_below(-(u + math.sqrt(2.0) * critical)), normal_below(u - math.sqrt(2.0) * critical)
    return float(density @ (1.0 - _no_run(above, below, sessions, consecutive)))


@checked
def many_to_one_critical(sessions: int, *, confidence: float = 0.95, consecutive: int = 1) -> float:
    """Give the constant that holds the family-wise error (Dunnett's two-sided, for one session in a row).

    Parameters
    ----------
    sessions : int
        Sessions after the baseline; >= 1.
    confidence : float
        Wanted for all comparisons together, 0 to 1.
    consecutive : int
        As for `familywise_error`; at most ``sessions``.

    Examples
    --------
    >>> [round(many_to_one_critical(k), 2) for k in (1, 3, 12)]
    [1.96, 2.35, 2.77]
    """
    _check_count("sessions", sessions)
    if consecutive > sessions:
        raise ModelError(f"consecutive must be at most sessions ({sessions}), got {consecutive}.")
    wanted = 1.0 - _proportion("confidence", confidence)
    root = optimize.brentq(
        lambda c: familywise_error(sessions, critical=c, consecutive=consecutive) - wanted, 0.0, 8.0, xtol=1e-12
    )
    return float(root)


def _no_run(above: FloatArray, below: FloatArray, sessions: int, consecutive: int) -> FloatArray:
    """Probability of never meeting a run, given the baseline's error; one column of states per run length."""
    inside = 1.0 - above - below
    up = np.zeros((consecutive, above.size))  # row k: the last k sessions lay above
    down = np.zeros((consecutive, above.size))
    up[0] = 1.0  # row 0 of ``up`` stands for "no run going", and row 0 of ``down`` is not used
    for _ in range(sessions):
        total = up.sum(axis=0) + down.sum(axis=0)
        going_up, going_down = up.sum(axis=0) - up[0], down.sum(axis=0)
        new_up, new_down = np.zeros_like(up), np.zeros_like(down)
        new_up[0] = total * inside
        if consecutive > 1:
            new_up[1], new_down[1] = (up[0] + going_down) * above, (up[0] + going_up) * below
            new_up[2:], new_down[2:] = up[1:-1] * above, down[1:-1] * below
        up, down = new_up, new_down
    return up.sum(axis=0) + down.sum(axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class FirstReliableChange(Result):
    """For each client, the first session from which the change from the baseline was reliable."""

    table: pl.DataFrame  # client, baseline, sessions, improved_at, deteriorated_at, familywise_error, reason
    threshold: float | None  # scale points
    critical: float
    consecutive: int
    confidence: float
    norms: Norms
    n: int
    n_missing: int  # clients without a score after the baseline
    reason: Reason | None = None

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per client."""
        return dict(self.table.to_dict())


@checked
def first_reliable_change(  # noqa: PLR0913 - options are keyword-only
    data: object,
    *,
    client: str,
    time: str,
    score: str,
    higher_is_better: bool,
    sd: float | None = None,
    reliability: float | None = None,
    norms: NormLike | Mapping[str, object] | None = None,
    confidence: float = 0.95,
    consecutive: int = 2,
    correction: Literal["none", "dunnett"] = "none",
    sessions: int | None = None,
) -> FirstReliableChange:
    """Find when each client first changed reliably from the first score.

    Parameters
    ----------
    data : frame
        One row per client and occasion: pandas, polars, pyarrow, duckdb ...
    client, time, score : str
        Its columns; time may be a date or a number, score is in scale points.
    higher_is_better : bool
    sd, reliability, norms
        The reference sample, as for `reliable_change`.
    confidence : float
        Of a single comparison; with ``correction="dunnett"`` of all of a client's together.
    consecutive : int
        Sessions in a row, in the same direction, that must be beyond. With two the family-wise error stays near
        its nominal value (0.056 over 12 sessions); with one it does not (0.319).
    correction : {"none", "dunnett"}
        Whether to enlarge the critical value for ``sessions`` comparisons.
    sessions : int, optional
        Planned comparisons for the correction; the largest number any client has unless given.

    Raises
    ------
    ModelError
        If a column is missing, a client has two scores at one time, or the norms lack spread or reliability.

    Examples
    --------
    >>> import polars as pl
    >>> data = pl.DataFrame({"who": ["a"] * 5, "week": range(5), "phq": [20, 9, 19, 8, 7]})
    >>> first = first_reliable_change(data, client="who", time="week", score="phq", higher_is_better=False,
    ...     sd=5.0, reliability=0.84)
    >>> first.table["improved_at"].to_list()
    [3]
    """
    _check_count("consecutive", consecutive)
    if not isinstance(cast("Any", higher_is_better), bool):
        raise ModelError("higher_is_better must be True or False.")
    reference = stated_norms(norms, sd, reliability)
    if reference.sem is None:
        raise ModelError("first_reliable_change needs sd= and reliability= (or norms= with both).")
    rows = long_scores(data, client=client, time=time, score=score)
    counted = rows.group_by("client").len()
    planned = sessions or max(1, int(cast("int", counted["len"].max() or 2)) - 1)
    critical = two_sided(confidence)
    if correction == "dunnett":
        critical = many_to_one_critical(planned, confidence=confidence, consecutive=min(consecutive, planned))
    threshold = critical * math.sqrt(2.0) * reference.sem
    reason: Reason | None = None if threshold > 0 else "perfect_reliability"
    table = _first(rows, threshold if reason is None else math.inf, consecutive, 1.0 if higher_is_better else -1.0)
    errors = {
        k: familywise_error(k, critical=critical, consecutive=consecutive) if k else 0.0
        for k in table["sessions"].unique().to_list()
    }
    table = table.with_columns(
        familywise_error=pl.col("sessions").replace_strict(errors, return_dtype=pl.Float64),
        reason=pl.when(pl.col("sessions") == 0)
        .then(pl.lit("too_few_scores"))
        .otherwise(pl.lit(reason, dtype=pl.String)),
    ).rename({"client": client})
    return FirstReliableChange(
        table=table,
        threshold=threshold if reason is None else None,
        critical=critical,
        consecutive=consecutive,
        confidence=confidence,
        norms=reference,
        n=table.height,
        n_missing=int((table["sessions"] == 0).sum()),
        reason=reason,
    )


def _first(rows: pl.DataFrame, threshold: float, consecutive: int, direction: float) -> pl.DataFrame:
    """Work on all clients at once: rows are sorted by client and time, and have a score."""
    gain = direction * (pl.col("score") - pl.col("score").first().over("client"))
    rows = rows.with_columns(gain=gain, baseline=pl.col("score").first().over("client"))
    for name, sign in (("improved_at", 1.0), ("deteriorated_at", -1.0)):
        beyond = sign * pl.col("gain") > threshold
        run = pl.all_horizontal(
            [beyond.shift(-k).over("client").fill_null(value=False) for k in range(consecutive)]
        )
        rows = rows.with_columns(pl.when(run).then(pl.col("time")).alias(name))
    return rows.group_by("client", maintain_order=True).agg(
        pl.col("baseline").first(),
        (pl.len() - 1).cast(pl.Int64).alias("sessions"),
        pl.col("improved_at").drop_nulls().first(),
        pl.col("deteriorated_at").drop_nulls().first(),
    )


def _check_count(name: str, value: int) -> None:
    if value < 1:
        raise ModelError(f"{name} must be at least 1, got {value}.")


def _proportion(name: str, value: float) -> float:
    if not 0.0 < value < 1.0:
        raise ModelError(f"{name} must be in (0, 1), got {value:g}. Is it a percentage?")
    return value
