"""Tables of a validation: errors, coverage, chances and flags, with intervals that resample clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.models.forecast.calibration.last_score_outcomes import Rule
from mbc.models.forecast.calibration.screening_accuracy import area_under_curve, resampled_area, screen
from mbc.models.forecast.course_model.histories import Indices
from mbc.models.growth.matrices import Floats

METHODS = ("model", "last value", "regression", "mixed model")
_LEAST = 20  # clients; sessions with fewer say nothing


@dataclass(frozen=True, slots=True)
class JudgedForecasts:
    """Forecasts of clients that nothing was learned from, beside what came; one row per client and session."""

    client: Indices
    session: Indices  # scores known
    intake: Floats
    latest: Floats
    final: Floats
    model: Floats
    lower: Floats  # of the 80 % band
    upper: Floats
    last_value: Floats
    regression: Floats
    mixed_model: Floats
    chance_improved: Floats
    chance_deteriorated: Floats
    flagged: Floats  # 0: no, 1: at this session only, 2: at two sessions in a row

    def forecast(self, method: str) -> Floats:
        """Forecasts by one of `METHODS`."""
        return getattr(self, method.replace(" ", "_"))

    def at(self, session: int) -> JudgedForecasts:
        """Rows of one session."""
        chosen = self.session == session
        return JudgedForecasts(*(getattr(self, f.name)[chosen] for f in fields(self)))

    @classmethod
    def joined(cls, parts: list[JudgedForecasts]) -> JudgedForecasts:
        """Put rows together."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def to_frame(self) -> pl.DataFrame:
        """One column per field."""
        return pl.DataFrame({f.name: getattr(self, f.name) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Resampled:
    """How often each client is drawn in each bootstrap sample."""

    weights: Floats  # (samples, clients)

    @classmethod
    def of(cls, clients: int, samples: int, seed: int) -> Resampled:
        """Draw clients with replacement."""
        draw = np.random.default_rng(seed).multinomial(clients, np.full(clients, 1 / clients), size=samples)
        return cls(draw.astype(np.float64))

    def mean(self, value: Floats, client: Indices) -> Floats:
        """Means of a value over one row per client, by sample; NaN where nobody was drawn."""
        weight = self.weights[:, client]
        total = weight.sum(axis=1)
        return np.divide(weight @ value, total, out=np.full(int(total.size), np.nan), where=total > 0)


Bounds = tuple[float | None, float | None]


def bounds(draws: Floats) -> Bounds:
    """Give the 95 % percentile interval.

    None where too few samples have a value, and where all have the same: that nobody, or everybody, has an outcome
    is no certainty, though every sample says so.
    """
    finite = draws[np.isfinite(draws)]
    if finite.size < 0.9 * draws.size:
        return None, None
    low, high = np.quantile(finite, [0.025, 0.975])
    return (float(low), float(high)) if high > low else (None, None)


def sessions(rows: JudgedForecasts) -> Iterator[tuple[int, JudgedForecasts]]:
    """Walk the sessions that enough clients went beyond."""
    for session in np.unique(rows.session).tolist():
        some = rows.at(session)
        if some.client.size >= _LEAST:
            yield session, some


def error_table(rows: JudgedForecasts, drawn: Resampled) -> pl.DataFrame:
    """List errors of the last score by session and method, and how far each method is behind the model.

    Columns: session, clients, method, rmse, rmse_lower, rmse_upper, mae, bias (forecast - outcome), excess (rmse
    of the method - rmse of the model: positive where the model is better), excess_lower, excess_upper.
    """
    out: list[dict[str, object]] = []
    for session, some in sessions(rows):
        draws = {m: np.sqrt(drawn.mean((some.forecast(m) - some.final) ** 2, some.client)) for m in METHODS}
        best = _rmse(some.model - some.final)
        for method in METHODS:
            error = some.forecast(method) - some.final
            low, high = bounds(draws[method])
            behind = bounds(draws[method] - draws["model"])
            out.append(
                {
                    "session": session,
                    "clients": some.client.size,
                    "method": method,
                    "rmse": _rmse(error),
                    "rmse_lower": low,
                    "rmse_upper": high,
                    "mae": float(np.abs(error).mean()),
                    "bias": float(error.mean()),
                    "excess": _rmse(error) - best,
                    "excess_lower": behind[0],
                    "excess_upper": behind[1],
                }
            )
    return pl.DataFrame(out, schema_overrides={"rmse_lower": pl.Float64, "excess_lower": pl.Float64})


def coverage_table(rows: JudgedForecasts, drawn: Resampled) -> pl.DataFrame:
    """Count how often the 80 % band held the last score, and how forecasts line up with outcomes.

    Columns: session, clients, coverage, coverage_lower, coverage_upper, width (score points), slope and intercept
    of the regression of outcomes on forecasts (1 and 0 where they are calibrated).
    """
    out: list[dict[str, object]] = []
    for session, some in sessions(rows):
        inside = within(some).astype(np.float64)
        low, high = bounds(drawn.mean(inside, some.client))
        away = some.model - some.model.mean()
        slope = float(away @ some.final / (away @ away)) if away.any() else None
        out.append(
            {
                "session": session,
                "clients": some.client.size,
                "coverage": float(inside.mean()),
                "coverage_lower": low,
                "coverage_upper": high,
                "width": float((some.upper - some.lower).mean()),
                "slope": slope,
                "intercept": None if slope is None else float(some.final.mean() - slope * some.model.mean()),
            }
        )
    return pl.DataFrame(out)


def within(rows: JudgedForecasts) -> NDArray[np.bool_]:
    """Whose last score lies in the band, its ends included."""
    return (rows.final >= rows.lower - 1e-9) & (rows.final <= rows.upper + 1e-9)


Outcome = tuple[
    str, Callable[[JudgedForecasts, Rule], NDArray[np.bool_]], Callable[[JudgedForecasts, Rule], Floats]
]
OUTCOMES: tuple[Outcome, ...] = (
    (
        "no response",
        lambda rows, rule: ~rule.improved(rows.intake, rows.final),
        lambda rows, _: 1.0 - rows.chance_improved,
    ),
    (
        "deterioration",
        lambda rows, rule: rule.deteriorated(rows.intake, rows.final),
        lambda rows, _: rows.chance_deteriorated,
    ),
)


def chance_table(rows: JudgedForecasts, rule: Rule, drawn: Resampled) -> pl.DataFrame:
    """Say how chances rank clients, and whether they come true.

    Columns: session, clients, outcome, cases, auc, auc_lower, auc_upper, auc_regression and auc_last_value (of the
    change since intake that they forecast), brier, expected and observed (shares of clients). An AUC is None where
    everybody or nobody has the outcome.
    """
    out: list[dict[str, object]] = []
    for session, some in sessions(rows):
        for outcome, happened, chance in OUTCOMES:
            cases, risk = happened(some, rule), chance(some, rule)
            low, high = bounds(resampled_area(risk, cases, drawn.weights[:, some.client]))
            auc, by_regression, by_last = (
                area_under_curve(value, cases)
                for value in (risk, -rule.gain(some.intake, some.regression), -rule.gain(some.intake, some.latest))
            )
            out.append(
                {
                    "session": session,
                    "clients": some.client.size,
                    "outcome": outcome,
                    "cases": int(cases.sum()),
                    "auc": auc,
                    "auc_lower": low,
                    "auc_upper": high,
                    "auc_regression": by_regression,
                    "auc_last_value": by_last,
                    "brier": float(((risk - cases) ** 2).mean()),
                    "expected": float(risk.mean()),
                    "observed": float(cases.mean()),
                }
            )
    return pl.DataFrame(out, schema_overrides=dict.fromkeys(("auc", "auc_lower", "auc_upper"), pl.Float64))


def flag_table(rows: JudgedForecasts, rule: Rule, drawn: Resampled) -> pl.DataFrame:
    """Count what flags got right, by session.

    Columns: session, clients, outcome, flag ("not on track": at two sessions in a row; "watch": now), cases,
    flagged (share of clients), sensitivity, specificity, ppv, npv, intervals of sensitivity, specificity and ppv.
    None where nobody is there to count.
    """
    out: list[dict[str, object]] = []
    for session, some in sessions(rows):
        for outcome, happened, _ in OUTCOMES:
            cases = happened(some, rule)
            for flag, least in (("not on track", 2), ("watch", 1)):
                raised = some.flagged >= least
                accuracy = screen(raised, cases)
                row: dict[str, object] = {
                    "session": session,
                    "clients": accuracy.n,
                    "outcome": outcome,
                    "flag": flag,
                    "cases": accuracy.cases,
                    "flagged": accuracy.flagged,
                    "sensitivity": accuracy.sensitivity,
                    "specificity": accuracy.specificity,
                    "ppv": accuracy.ppv,
                    "npv": accuracy.npv,
                }
                for name, right, among in (
                    ("sensitivity", raised, cases),
                    ("specificity", ~raised, ~cases),
                    ("ppv", cases, raised),
                ):
                    share = drawn.mean(right[among].astype(np.float64), some.client[among])
                    row[f"{name}_lower"], row[f"{name}_upper"] = bounds(share)
                out.append(row)
    kinds = (
        {n: pl.Float64 for n in out[0] if n not in {"session", "clients", "outcome", "flag", "cases"}}
        if out
        else {}
    )
    return pl.DataFrame(out, schema_overrides=kinds)


def _rmse(error: Floats) -> float:
    return float(np.sqrt((error**2).mean()))
