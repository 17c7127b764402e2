"""A validation as it is read at a terminal: errors, bands, chances and flags, with how to read them."""

from __future__ import annotations

from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mbc.models.forecast.train import FIRST_SIGNAL
from mbc.models.forecast.validation.prospective import ProspectiveValidation

_OTHERS = ("last value", "regression", "mixed model")


def print_validation(console: Console, validation: ProspectiveValidation, measure: str) -> None:
    """Print all tables with the sentences that say how to read them."""
    console.print(Text(f"Forecasts of the last score of {measure}", style="bold"))
    console.print(
        f"{validation.learned_from}. A reliable change is {validation.rule.reliable_change:.3g} points. Sessions "
        "that fewer than 20 clients continued beyond are not shown. In brackets: 95 % intervals from resampling "
        "clients.",
        soft_wrap=True,
    )
    _errors(console, validation.errors)
    _coverage(console, validation)
    for outcome in ("no response", "deterioration"):
        _chances(console, validation, outcome)


def _errors(console: Console, errors: pl.DataFrame) -> None:
    table = _table("Root mean squared error, in points", "session", "clients", "model", *_OTHERS)
    table.add_column("regression excess by", justify="right", no_wrap=True)
    table.add_column("model best", justify="left", no_wrap=True)
    won: list[bool] = []
    for session, rows in errors.group_by("session", maintain_order=True):
        by = {row["method"]: row for row in rows.iter_rows(named=True)}
        model = by["model"]
        best = all(model["rmse"] < by[name]["rmse"] for name in _OTHERS)
        if int(str(session[0])) >= FIRST_SIGNAL:
            won.append(best)
        own = f"{model['rmse']:.2f} {_interval(model['rmse_lower'], model['rmse_upper'])}"
        cells = (f"{by[name]['rmse']:.2f}" for name in _OTHERS)
        other = by["regression"]
        behind = f"{other['excess']:+.2f} {_interval(other['excess_lower'], other['excess_upper'])}"
        table.add_row(str(session[0]), str(model["clients"]), own, *cells, behind, "yes" if best else "no")
    console.print(table)
    console.print(
        f"The model has the least error at {sum(won)} of {len(won)} sessions from session {FIRST_SIGNAL} on. "
        "Last value: the latest score carried forward. Regression: least squares on intake and latest score, "
        "fitted at each session. Mixed model: log time with random intercept and slope.",
        soft_wrap=True,
    )


def _coverage(console: Console, validation: ProspectiveValidation) -> None:
    table = _table("Bands and calibration", "session", "80 % band held", "width", "bias", "slope")
    bias = {
        r["session"]: r["bias"]
        for r in validation.errors.filter(pl.col("method") == "model").iter_rows(named=True)
    }
    for row in validation.coverage.iter_rows(named=True):
        held = f"{row['coverage']:.0%} {_interval(row['coverage_lower'], row['coverage_upper'], percent=True)}"
        slope = "" if row["slope"] is None else f"{row['slope']:.2f}"
        table.add_row(str(row["session"]), held, f"{row['width']:.1f}", f"{bias[row['session']]:+.2f}", slope)
    console.print(table)
    overall = f"No client was followed beyond session {FIRST_SIGNAL}."
    if (held := validation.overall_coverage) is not None:
        overall = f"Over all sessions from {FIRST_SIGNAL} on the 80 % band held {held:.1%} of last scores."
    console.print(f"{overall} Slope 1 and bias 0 would be perfect.", soft_wrap=True)


def _chances(console: Console, validation: ProspectiveValidation, outcome: str) -> None:
    chances = validation.chances.filter(pl.col("outcome") == outcome)
    flags = {
        row["session"]: row
        for row in validation.flags.filter(
            pl.col("outcome") == outcome, pl.col("flag") == "not on track"
        ).iter_rows(named=True)
    }
    table = _table(f"Chance of {outcome}", "session", "cases", "AUC", "by last value", "forecast", "seen", "Brier")
    marks = _table(
        f"Flag 'not on track' for {outcome}", "session", "flagged", "sensitivity", "specificity", "PPV", "NPV"
    )
    for row in chances.iter_rows(named=True):
        flag = flags[row["session"]]
        table.add_row(
            str(row["session"]),
            str(row["cases"]),
            f"{_number(row['auc'])} {_interval(row['auc_lower'], row['auc_upper'])}".strip(),
            _number(row["auc_last_value"]),
            f"{row['expected']:.0%}",
            f"{row['observed']:.0%}",
            f"{row['brier']:.3f}",
        )
        if row["session"] > FIRST_SIGNAL:
            shares = (_share(flag, name) for name in ("flagged", "sensitivity", "specificity", "ppv", "npv"))
            marks.add_row(str(row["session"]), *shares)
    console.print(table)
    console.print(marks)
    if outcome == "deterioration" and not chances.is_empty() and int(chances["cases"].max() or 0) < 10:  # type: ignore[call-overload]
        console.print(
            "Fewer than ten clients deteriorated: figures for deterioration are hardly more than a guess."
        )


def _table(title: str, *names: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, header_style="bold", pad_edge=False
    )
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _interval(low: float | None, high: float | None, *, percent: bool = False) -> str:
    if low is None or high is None:
        return ""
    return f"({low:.0%} to {high:.0%})" if percent else f"({low:.2f} to {high:.2f})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _share(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return ""
    low, high = row.get(f"{name}_lower"), row.get(f"{name}_upper")
    return f"{value:.0%} {_interval(low, high, percent=True)}".strip()
