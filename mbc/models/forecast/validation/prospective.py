"""How well does the expected course forecast clients it has not seen: split by client, session by session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.forecast.calibration.baselines import mixed_end, plain_growth, regression_end
from mbc.models.forecast.calibration.last_score_outcomes import Rule
from mbc.models.forecast.course_model.histories import Histories, Indices, read_histories
from mbc.models.forecast.course_model.landmarks import Landmarks, landmarks
from mbc.models.forecast.train import (
    FIRST_SIGNAL,
    LEAST_CLIENTS,
    Thresholds,
    Trained,
    assign_folds,
    require_reliable,
    score_range_of,
    train,
)
from mbc.models.forecast.validation.tables import (
    JudgedForecasts,
    Resampled,
    chance_table,
    coverage_table,
    error_table,
    flag_table,
    within,
)
from mbc.models.growth.matrices import Floats
from mbc.models.results.result import Result

_SAMPLES = 1000


@dataclass(frozen=True)
class ProspectiveValidation(Result):
    """Forecasts of clients that nothing had been learned from, beside what came.

    ``forecasts`` holds one row per client and session, the tables are about groups of at least 20 clients.
    """

    rows: JudgedForecasts
    rule: Rule
    clients: int
    learned_from: str  # in words
    seed: int

    @cached_property
    def _drawn(self) -> Resampled:
        return Resampled.of(self.clients, _SAMPLES, self.seed)

    def _columns(self) -> dict[str, Any]:
        """Errors of the last score by session and method: `errors`."""
        return dict(self.errors.to_dict())

    @property
    def forecasts(self) -> pl.DataFrame:
        """Every forecast; ``client`` counts clients in order of appearance."""
        return self.rows.to_frame()

    @cached_property
    def errors(self) -> pl.DataFrame:
        """Errors of the last score by session and method, with 95 % intervals: see `error_table`."""
        return error_table(self.rows, self._drawn)

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """How often the 80 % band held the last score, by session: see `coverage_table`."""
        return coverage_table(self.rows, self._drawn)

    @cached_property
    def chances(self) -> pl.DataFrame:
        """How chances of no response and of deterioration rank clients and come true: see `chance_table`."""
        return chance_table(self.rows, self.rule, self._drawn)

    @cached_property
    def flags(self) -> pl.DataFrame:
        """What flags got right, and how often they were raised: see `flag_table`."""
        return flag_table(self.rows, self.rule, self._drawn)

    @property
    def overall_coverage(self) -> float | None:
        """Share of all forecasts from the third session on whose 80 % band held the last score; None if none."""
        late = self.rows.session >= FIRST_SIGNAL
        return float(within(self.rows)[late].mean()) if late.any() else None


@checked
def prospective_validation(  # noqa: PLR0913 - options are keyword-only
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    higher_is_better: bool,
    score_range: tuple[float, float] | None = None,
    reliable_change: float | None = None,
    held_out: Any = None,
    folds: int = 5,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ProspectiveValidation:
    """Forecast clients at each session from their scores up to it, by a model of other clients.

    Parameters
    ----------
    frame, outcome, time, client, higher_is_better, score_range, reliable_change
        As in `expected_course`.
    held_out : table, optional
        Clients to forecast, with the same columns; the model then learns from all of ``frame``. Otherwise the
        clients of ``frame`` are dealt to folds, and each fold is forecast by a model of the others.
    folds, seed : int
        Of the split, and of the bootstrap.
    progress : callable, optional
        Told after each part: parts done, parts in all.

    Returns
    -------
    ProspectiveValidation

    Raises
    ------
    FrameError, ModelError
        As in `expected_course`.

    Notes
    -----
    Eligible at session k are clients with more than k scores; the target is their last score, whose time no
    method knows beforehand. The model is measured beside the last value carried forward, least squares on intake
    and latest score fitted at each session, and a plain mixed model (log time, random intercept and slope).
    Intervals resample clients.
    """
    histories = read_histories(frame, outcome=outcome, time=time, client=client).followed()
    others = None if held_out is None else read_histories(held_out, outcome=outcome, time=time, client=client)
    require_reliable(reliable_change)
    low, high = score_range_of(histories if others is None else histories.with_others(others), score_range)

    def learned(some: Histories) -> Trained:
        return train(
            some,
            low=low,
            high=high,
            higher_is_better=higher_is_better,
            reliable_change=reliable_change,
            folds=5,
            seed=seed,
        )

    if others is not None:
        _require_apart(histories, others)
        return _held_out(learned(histories), histories, others.followed(), seed)
    _require_enough(histories, folds)
    fold = assign_folds(len(histories), folds, seed)
    points = learned(histories).rule.reliable_change if reliable_change is None else reliable_change
    parts: list[JudgedForecasts] = []
    for number in range(folds):
        rest = histories.of(fold != number)
        trained = learned(rest)
        parts.append(judge(trained, rest, histories.of(fold == number), np.flatnonzero(fold == number)))
        if progress is not None:
            progress(number + 1, folds)
    words = f"{len(histories)} clients in {folds} folds; each fold forecast by a model of the others"
    return ProspectiveValidation(
        JudgedForecasts.joined(parts), Rule(higher_is_better, points), len(histories), words, seed
    )


def _held_out(trained: Trained, histories: Histories, others: Histories, seed: int) -> ProspectiveValidation:
    words = f"{len(others)} clients, forecast by a model of {len(histories)} others"
    rows = judge(trained, histories, others, np.arange(len(others)))
    return ProspectiveValidation(rows, trained.rule, len(others), words, seed)


def judge(trained: Trained, others: Histories, some: Histories, client: Indices) -> JudgedForecasts:
    """Forecast clients at every session before their last, by the model and by what it has to beat.

    Parameters
    ----------
    trained : Trained
        From ``others``.
    others, some : Histories
        Clients learned from, and clients to forecast; nobody is in both.
    client : ndarray of int
        Numbers of the clients to forecast.
    """
    model, rule = trained.model, trained.rule
    rows = landmarks(model.fit, model.endings, some)
    prognosis = model.prognosis(rows)
    better, worse = prognosis.chance_improved(rows.intake, rule), prognosis.chance_deteriorated(rows.intake, rule)
    return JudgedForecasts(
        client=client[rows.client],
        session=rows.session,
        intake=rows.intake,
        latest=rows.latest,
        final=rows.final,
        model=prognosis.expected,
        lower=prognosis.quantile(0.1),
        upper=prognosis.quantile(0.9),
        last_value=rows.latest,
        regression=regression_end(landmarks(model.fit, model.endings, others), rows),
        mixed_model=mixed_end(plain_growth(others), model.endings, some, rows),
        chance_improved=better,
        chance_deteriorated=worse,
        flagged=flags(rows, better, worse, rule, trained.thresholds),
    )


def flags(rows: Landmarks, improved: Floats, worse: Floats, rule: Rule, thresholds: Thresholds) -> Floats:
    """Give 0 for no flag, 1 for a flag at this session only, 2 for a flag at two sessions in a row."""
    raised = rule.gain(rows.intake, rows.latest) <= -rule.reliable_change
    if thresholds.improvement is not None:
        raised |= (improved > 0) & (improved < thresholds.improvement)
    if thresholds.deterioration is not None:
        raised |= worse >= thresholds.deterioration
    raised &= rows.session >= FIRST_SIGNAL
    keys = list(zip(rows.client.tolist(), rows.session.tolist(), strict=True))
    before = {(client, session + 1) for (client, session), flag in zip(keys, raised.tolist(), strict=True) if flag}
    again = np.array([key in before for key in keys])
    return raised.astype(np.float64) + (raised & again)


def _require_enough(histories: Histories, folds: int) -> None:
    least = -(-LEAST_CLIENTS * folds // (folds - 1)) if folds > 1 else 0
    if folds < 2 or folds > max(len(histories), 2):
        raise ModelError(f"folds must be between 2 and the number of clients ({len(histories)}), got {folds}.")
    if len(histories) < least:
        raise ModelError(
            f"A validation with {folds} folds needs {least} clients with two scores or more, got {len(histories)}."
        )


def _require_apart(histories: Histories, others: Histories) -> None:
    both = set(histories.ids) & set(others.ids)
    if both:
        raise ModelError(
            f"{len(both)} clients are in both tables (such as {min(map(str, both))}). Forecasts of clients whose "
            "outcome was used for fitting prove nothing; remove them from one table."
        )
