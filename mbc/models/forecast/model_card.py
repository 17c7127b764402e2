"""What a model file says about itself: whom it learned from, how well it forecast others, what it is not for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbc.models.forecast.calibration.baselines import regression_end
from mbc.models.forecast.calibration.last_score_outcomes import Rule, actual
from mbc.models.forecast.calibration.screening_accuracy import area_under_curve
from mbc.models.forecast.train import FIRST_SIGNAL, Trained
from mbc.models.growth.matrices import Floats

_LEAST = 20  # clients in a row of the table: no figure of the card is about fewer


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """How forecasts made at one session turned out, for clients left out of the fit."""

    session: int
    clients: int
    rmse: float  # score points
    rmse_last_value: float
    rmse_regression: float  # on intake and latest score
    bias: float  # mean of forecast - outcome, score points
    coverage: float  # of the 80 % band
    auc_no_response: float | None  # ranking of who does not improve reliably
    flagged: float | None  # share below the threshold at this session


@dataclass(frozen=True, slots=True)
class Card:
    """A model card."""

    measure: str
    clients: int
    scores: int
    intake: tuple[float, float]  # scores that are forecast
    score_range: tuple[float, float]
    higher_is_better: bool
    reliable_change: float
    reliable_change_source: str
    transform: str
    time_unit: str
    longest: float  # time from intake to the last score, 95 % quantile
    improved: float  # share of clients
    deteriorated: float
    improvement_threshold: float | None
    deterioration_threshold: float | None
    sessions: tuple[SessionRecord, ...]

    @property
    def is_useful(self) -> bool:
        """Whether forecasts of clients left out erred less than their last values, from the third session on."""
        late = [row for row in self.sessions if row.session >= FIRST_SIGNAL]
        own = sum(row.clients * row.rmse**2 for row in late)
        return bool(late) and own < sum(row.clients * row.rmse_last_value**2 for row in late)

    def text(self) -> str:
        """Write the card in words."""
        low, high = (_number(end) for end in self.score_range)
        better = "higher" if self.higher_is_better else "lower"
        points = f"{self.reliable_change:.3g} points ({self.reliable_change_source})"
        moved = f"{self.improved:.0%} had improved and {self.deteriorated:.0%} had deteriorated by as much"
        followed = f"nineteen in twenty were followed for up to {self.longest:.3g} {self.time_unit}"
        intake = " to ".join(_number(end) for end in self.intake)
        lines = [
            f"Expected course of {self.measure} ({better} is better, {low} to {high}).",
            f"Learned from {self.clients} clients with {self.scores} scores; intake {intake}; {followed}.",
            f"Scores are modelled {_SCALE[self.transform]}.",
            f"Reliable change: {points}. By the last score {moved}.",
            _flags(self),
            "Forecasts of the last score for clients left out of the fit (root mean squared error in points):",
            "  session  clients  model  last value  regression  80 % band covers  AUC no response",
            *(_line(session) for session in self.sessions),
            _LIMITS,
        ]
        return "\n".join(lines)


_LIMITS = (
    "It describes courses like those it was fitted to. It does not explain why a course is as it is, and no "
    "decision should be based on it alone. It is not for intake scores outside the range above."
)


def _line(record: SessionRecord) -> str:
    auc = "" if record.auc_no_response is None else f"{record.auc_no_response:>15.2f}"
    return (
        f"  {record.session:>7}  {record.clients:>7}  {record.rmse:>5.2f}  {record.rmse_last_value:>10.2f}"
        f"  {record.rmse_regression:>10.2f}  {record.coverage:>16.0%}  {auc}"
    ).rstrip()


_SCALE = {
    "none": "as they are",
    "square root": "by the square root of their distance from the healthy end",
    "logarithm": "by the logarithm of their distance from the healthy end",
}


def card_of(trained: Trained, *, measure: str, time_unit: str, source: str, scores: int) -> Card:
    """Write down how the forecasts of clients left out turned out."""
    rows, prognosis, rule = trained.unseen, trained.prognosis, trained.rule
    regression = _left_out_regression(trained)
    first = rows.where(np.flatnonzero(rows.session == 1))
    improved, worse = actual(first, rule)
    scale, model = trained.model.fit.scale, trained.model
    return Card(
        measure=measure,
        clients=trained.clients,
        scores=scores,
        intake=model.intake_range,
        score_range=(scale.low, scale.high),
        higher_is_better=scale.higher_is_better,
        reliable_change=rule.reliable_change,
        reliable_change_source=source,
        transform=scale.transform,
        time_unit=time_unit,
        longest=float(np.interp(0.95, np.linspace(0, 1, model.endings.quantiles.size), model.endings.quantiles)),
        improved=float(improved.mean()),
        deteriorated=float(worse.mean()),
        improvement_threshold=trained.thresholds.improvement,
        deterioration_threshold=trained.thresholds.deterioration,
        sessions=tuple(
            _record(trained, int(session), regression, prognosis.chance_improved(rows.intake, rule), rule)
            for session in np.unique(rows.session)
            if np.count_nonzero(rows.session == session) >= _LEAST
        ),
    )


def _left_out_regression(trained: Trained) -> Floats:
    rows, fold = trained.unseen, trained.fold
    out = np.zeros(rows.session.size)
    for number in np.unique(fold):
        own = fold[rows.client] == number
        out[own] = regression_end(rows.where(np.flatnonzero(~own)), rows.where(np.flatnonzero(own)))
    return out


def _record(trained: Trained, session: int, regression: Floats, chance: Floats, rule: Rule) -> SessionRecord:
    rows, prognosis = trained.unseen, trained.prognosis
    at = rows.session == session
    final, error = rows.final[at], (prognosis.expected - rows.final)[at]
    low, high = prognosis.quantile(0.1)[at], prognosis.quantile(0.9)[at]
    none = ~rule.improved(rows.intake, rows.final)[at]
    limit = trained.thresholds.improvement
    flagged = (
        float(((chance[at] > 0) & (chance[at] < limit)).mean())
        if limit is not None and session >= FIRST_SIGNAL
        else None
    )
    return SessionRecord(
        session=session,
        clients=int(at.sum()),
        rmse=_rmse(error),
        rmse_last_value=_rmse((rows.latest - rows.final)[at]),
        rmse_regression=_rmse((regression - rows.final)[at]),
        bias=float(error.mean()),
        coverage=float(((final >= low - 1e-9) & (final <= high + 1e-9)).mean()),
        auc_no_response=area_under_curve(-chance[at], none),
        flagged=flagged,
    )


def _rmse(error: Floats) -> float:
    return float(np.sqrt((error**2).mean()))


def _number(value: float) -> str:
    return f"{value:.4g}"


def _flags(card: Card) -> str:
    parts: list[str] = []
    if card.improvement_threshold is not None:
        parts.append(f"a chance of reliable improvement under {card.improvement_threshold:.0%}")
    if card.deterioration_threshold is not None:
        parts.append(f"a chance of reliable deterioration of {card.deterioration_threshold:.0%} or more")
    parts.append("a score already that much worse than at intake")
    return f"Not on track: {', or '.join(parts)}, at two sessions in a row."
