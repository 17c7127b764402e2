"""What forecasts are worth on real courses, by repeated cross-validation, beside other learners.

    python benchmarks/forecasts_real.py TABLE [--repeats 4] [--write]

TABLE has columns ID, time (days) and BDI (CRAN package npmlda, data ENRICHD). Clients are dealt to five folds, as
often as asked; each fold is forecast by a model of the others. All methods forecast the same clients. Ridge
regression, random forest, extra trees and gradient boosting need scikit-learn, which is no dependency of mbc;
without it they are left out, and the page says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mbc.models.forecast.calibration.last_score_outcomes import Prognosis
from mbc.models.forecast.course_model.histories import Histories, read_histories
from mbc.models.forecast.course_model.landmarks import cut
from mbc.models.forecast.train import Calibrated, Trained, assign_folds, train
from mbc.models.forecast.validation.prospective import judge

PAGE = Path(__file__).parent / "results/forecasts_real.md"
RANGE, RELIABLE, FOLDS, SAMPLES = (0.0, 63.0), 9.0, 5, 1000
SESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15)
FIRST_SIGNAL = 3
OURS = ("model", "last_value", "regression", "mixed_model")
Floats = Any


def read(path: str) -> Histories:
    """Read clients with two scores or more."""
    rows = pl.read_csv(path, null_values=["NA"])
    return read_histories(rows, outcome="BDI", time="time", client="ID").followed()


def learn(some: Histories, seed: int) -> Trained:
    """Learn from some clients."""
    return train(
        some, low=RANGE[0], high=RANGE[1], higher_is_better=False, reliable_change=RELIABLE, folds=FOLDS, seed=seed
    )


# --- other learners ----------------------------------------------------------------------------------------------


def learners() -> dict[str, Callable[[], Any]]:
    """List learners; none without scikit-learn."""
    try:
        from sklearn import ensemble, linear_model, pipeline, preprocessing  # noqa: PLC0415 - only if installed
    except ImportError:
        return {}
    return {
        "ridge": lambda: pipeline.make_pipeline(
            preprocessing.StandardScaler(), linear_model.RidgeCV(np.logspace(-1, 4, 16))
        ),
        "random forest": lambda: ensemble.RandomForestRegressor(200, min_samples_leaf=5, random_state=0),
        "extra trees": lambda: ensemble.ExtraTreesRegressor(200, min_samples_leaf=5, random_state=0),
        "gradient boosting": lambda: ensemble.GradientBoostingRegressor(
            n_estimators=120, learning_rate=0.04, max_depth=3, subsample=0.7, random_state=0
        ),
    }


def features(some: Histories, session: int) -> Floats:
    """Sixteen features of the scores known."""
    y, t = some.score[:, :session], some.time[:, :session]
    recent = np.exp(-(t[:, -1:] - t) / 21.0)
    weighted = (recent * y).sum(axis=1) / recent.sum(axis=1)
    away = t - t.mean(axis=1, keepdims=True)
    slope = (away * y).sum(axis=1) / np.maximum((away**2).sum(axis=1), 1e-9)
    last = y[:, max(session - 3, 0) :]
    change = y[:, -1] - y[:, 0]
    columns = [
        y[:, 0], y[:, -1], y[:, max(session - 2, 0)], y.mean(axis=1), y.min(axis=1), y.max(axis=1), y.std(axis=1),
        weighted, slope, last.mean(axis=1), change, change / np.maximum(y[:, 0], 1.0), t[:, -1],
        np.log1p(t[:, -1]), t[:, -1] / max(session - 1, 1), np.sqrt(y[:, -1]),
    ]  # fmt: skip
    return np.column_stack(columns)


# --- cross-validation --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """One row per repeat, client and session."""

    rows: pl.DataFrame
    dates: pl.DataFrame  # forecasts at the dates of later scores: client, session, lead, inside


def cross_validate(histories: Histories, repeats: int) -> Judged:
    """Forecast every client by models of others."""
    rows: list[pl.DataFrame] = []
    dates: list[pl.DataFrame] = []
    for seed in range(repeats):
        fold = assign_folds(len(histories), FOLDS, seed)
        for number in range(FOLDS):
            others, own = histories.of(fold != number), histories.of(fold == number)
            client = np.flatnonzero(fold == number)
            trained = learn(others, seed)
            table = judge(trained, others, own, client).to_frame()
            if seed == 0:
                table = table.join(_other_forecasts(others, own, client), on=["client", "session"], how="left")
            rows.append(table)
            dates.append(_at_dates(trained.model, own, client))
        print(f"repeat {seed + 1} of {repeats}", flush=True)
    return Judged(pl.concat(rows, how="diagonal"), pl.concat(dates))


def _other_forecasts(others: Histories, own: Histories, client: Floats) -> pl.DataFrame:
    made: list[pl.DataFrame] = []
    for session in SESSIONS:
        learned_from, there = others.of(others.count > session), np.flatnonzero(own.count > session)
        if not there.size:
            continue
        some = own.of(there)
        columns = {"client": client[there], "session": np.full(there.size, session)}
        for name, make in learners().items():
            fitted = make().fit(features(learned_from, session), learned_from.last)
            columns[name] = np.clip(fitted.predict(features(some, session)), *RANGE)
        made.append(pl.DataFrame(columns))
    return pl.concat(made)


def _at_dates(model: Calibrated, own: Histories, client: Floats) -> pl.DataFrame:
    """Bands of forecasts at the time of every later score."""
    out: list[pl.DataFrame] = []
    scale, course = model.fit.scale, model.fit.model
    for session in range(1, int(own.count.max())):
        there = np.flatnonzero(own.count > session)
        some = own.of(there)
        seen = cut(some, session)
        at = some.time[:, session:]
        mean, variance = course.predict(
            seen.time[:, 1:], scale.internal(seen.score[:, 1:]), scale.internal(seen.intake), at
        )
        expected, around = scale.moments(mean, variance)
        _, wider = model.sparse(seen.intake)
        for j in range(at.shape[1]):
            known = some.count > session + j
            if not known.any():
                break
            if session == 1:
                quantiles, clients = model.on_course.at(course.basis.clock(at[:, j]), scale.distance(seen.intake))
            else:
                lead = np.log1p(np.maximum(at[:, j] - seen.end, 0.0) / course.basis.unit)
                quantiles, clients = model.ahead.at(lead, scale.distance(seen.intake))
            found = Prognosis(expected[:, j], np.sqrt(around[:, j]) * wider, quantiles, clients, scale)
            y = some.score[:, session + j]
            inside = (y >= found.quantile(0.1) - 1e-9) & (y <= found.quantile(0.9) + 1e-9)
            last = some.count == session + j + 1
            part = {"client": client[there], "session": np.full(there.size, session),
                    "lead": at[:, j] - seen.end, "inside": inside, "last": last}  # fmt: skip
            out.append(pl.DataFrame(part).filter(pl.Series(known)))
    return pl.concat(out)


# --- tables ------------------------------------------------------------------------------------------------------


class Clients:
    """Means over rows, with 95 % intervals that resample clients."""

    def __init__(self, clients: int, seed: int = 0) -> None:
        draw = np.random.default_rng(seed).multinomial(clients, np.full(clients, 1 / clients), SAMPLES)
        self._weight = draw.astype(np.float64)

    def means(self, value: Floats, client: Floats) -> Floats:
        """Give the mean in every sample."""
        n = self._weight.shape[1]
        total, count = np.bincount(client, value, n), np.bincount(client, minlength=n)
        with np.errstate(invalid="ignore"):
            return (self._weight @ total) / (self._weight @ count)

    def share(self, value: Floats, client: Floats) -> str:
        """Write a share with its interval."""
        value, client = np.asarray(value, dtype=np.float64), np.asarray(client)
        low, high = np.nanquantile(self.means(value, client), [0.025, 0.975])
        return f"{value.mean():.1%} [{low:.1%}, {high:.1%}]"


def error_rows(judged: Judged, clients: Clients) -> list[str]:
    """Root mean squared errors by session and method, and the difference to the regression."""
    names = [*OURS, *learners()]
    heads = [name.replace("_", " ") for name in names]
    lines = [
        f"| session | clients | {' | '.join(heads)} | model against regression [95 %] |",
        f"|---|---|{'---|' * (len(names) + 1)}",
    ]
    for session in SESSIONS:
        at = judged.rows.filter(pl.col("session") == session)
        final, client = at["final"].to_numpy(), at["client"].to_numpy()
        cells: list[str] = []
        for name in names:
            error = (at[name] - at["final"]).drop_nulls().to_numpy()
            cells.append(f"{np.sqrt(np.mean(error**2)):.2f}")
        squares = [(at[name].to_numpy() - final) ** 2 for name in ("model", "regression")]
        ratio = np.sqrt(clients.means(squares[0], client) / clients.means(squares[1], client)) - 1
        low, high = np.quantile(ratio, [0.025, 0.975])
        middle = np.sqrt(squares[0].mean() / squares[1].mean()) - 1
        ours = f"{middle:+.1%} [{low:+.1%}, {high:+.1%}]"
        lines.append(f"| {session} | {at['client'].n_unique()} | {' | '.join(cells)} | {ours} |")
    return lines


def band_rows(judged: Judged, clients: Clients) -> list[str]:
    """How often 80 % bands held, at the end, at the known date of the last score, and at dates of later scores."""
    lines = [
        "| session | clients | the end, whenever | the end, its date given | dates of all later scores |",
        "|---|---|---|---|---|",
    ]
    rows = judged.rows.with_columns(
        inside=(pl.col("final") >= pl.col("lower") - 1e-9) & (pl.col("final") <= pl.col("upper") + 1e-9)
    )
    for session in (*SESSIONS[2:], None):
        chosen = pl.col("session") >= FIRST_SIGNAL if session is None else pl.col("session") == session
        end, date = rows.filter(chosen), judged.dates.filter(chosen)
        last = date.filter(pl.col("last"))
        cells = [clients.share(part["inside"], part["client"]) for part in (end, last, date)]
        name = f"{FIRST_SIGNAL} and later" if session is None else str(session)
        lines.append(f"| {name} | {end['client'].n_unique()} | {' | '.join(cells)} |")
    return lines


def chance_rows(judged: Judged, clients: Clients) -> list[str]:
    """Chances told from the third session on, and what came."""
    late = judged.rows.filter(pl.col("session") >= FIRST_SIGNAL)
    gain = (late["intake"] - late["final"]).to_numpy()
    lines = ["| chance of | told | clients | mean told | came true |", "|---|---|---|---|---|"]
    for name, column, came in (
        ("reliable improvement", "chance_improved", gain >= RELIABLE),
        ("reliable deterioration", "chance_deteriorated", gain <= -RELIABLE),
    ):
        p, client = late[column].to_numpy(), late["client"].to_numpy()
        for low, high in (
            (0, 0.01),
            (0.01, 0.05),
            (0.05, 0.1),
            (0.1, 0.2),
            (0.2, 0.4),
            (0.4, 0.7),
            (0.7, 0.9),
            (0.9, 1.01),
        ):
            some = (p > low) & (p <= high) if low else (p > 0) & (p <= high)
            number = np.unique(client[some]).size
            if number >= 10:
                share = clients.share(came[some], client[some])
                lines.append(
                    f"| {name} | {low:.0%} to {min(high, 1):.0%} | {number} | {p[some].mean():.1%} | {share} |"
                )
    return lines


def far_rows(histories: Histories, clients: Clients) -> list[str]:
    """Learn from clients who began under a severity, and forecast those who began above it."""
    lines = ["| learned from intakes up to | clients beyond | 80 % band held | mean factor |", "|---|---|---|---|"]
    for share in (0.7, 0.8, 0.9):
        line = float(np.quantile(histories.intake, share))
        trained = learn(histories.of(histories.intake <= line), 0)
        beyond = histories.intake > trained.model.intake_range[1]
        own = histories.of(beyond)
        rows = judge(trained, histories.of(histories.intake <= line), own, np.flatnonzero(beyond))
        late = rows.session >= FIRST_SIGNAL
        inside = (rows.final >= rows.lower - 1e-9) & (rows.final <= rows.upper + 1e-9)
        _, wider = trained.model.sparse(own.intake)
        held = clients.share(inside[late], rows.client[late])
        lines.append(f"| {line:.0f} | {len(own)} | {held} | {wider.mean():.2f} |")
    return lines


WORDS = """## Forecasts on clients not learned from

`python benchmarks/forecasts_real.py TABLE --repeats {repeats} --write` made this section from {n} clients in
cognitive therapy (Beck Depression Inventory at every session; data ENRICHD of the R package npmlda, not part of
this project). Clients are dealt to five folds, {repeats} times; each fold is forecast by a model of the others,
from the scores up to the session. A reliable change is taken as 9 points. Every method forecasts the same
clients; nobody is left out. Intervals resample clients. {learners}

**Errors of the last score** (root mean squared, points).

{errors}

**80 % bands.** How often they held what came.

{bands}

**Chances**, from the third session on. (One to three of these clients deteriorated, so that little is proved
there.)

{chances}

**First scores that hardly anybody had.** The model learns from clients who began up to a severity; forecast are
those who began beyond the range it counts as known. They get a wider band instead of none.

{far}
"""


def text(path: str, repeats: int) -> str:
    """Write the section of the validation page."""
    histories = read(path)
    judged, clients = cross_validate(histories, repeats), Clients(len(histories))
    said = "Ridge regression, random forest, extra trees and gradient boosting got 16 features (one repeat)."
    if not learners():
        said = "Other learners were left out: scikit-learn is not installed."
    return WORDS.format(
        repeats=repeats,
        n=len(histories),
        learners=said,
        errors="\n".join(error_rows(judged, clients)),
        bands="\n".join(band_rows(judged, clients)),
        chances="\n".join(chance_rows(judged, clients)),
        far="\n".join(far_rows(histories, clients)),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    made = text(arguments.table, arguments.repeats)
    if arguments.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(made, encoding="utf-8")
    print(made)
