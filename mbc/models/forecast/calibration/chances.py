"""Are chances what came true? A correction of chances, learned from clients left out of the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mbc.models.forecast.course_model.histories import Indices
from mbc.models.forecast.course_model.rounded_numbers import rounded
from mbc.models.growth.matrices import Floats

_MOST_UNFORESEEN = 0.3
_USUAL = np.array([0.0, 0.0, -2.0])  # level, log slope and unforeseen share (transformed) without evidence
_SPREAD = np.array([0.5, 0.3, 1.0])  # standard deviations of a normal prior about them
_EDGE = 1e-9  # chances nearer to 0 or 1 than this are taken as this


@dataclass(frozen=True, slots=True)
class ChanceCorrection:
    """How a chance p is corrected: (1 - unforeseen) logistic(level + slope logit p) + unforeseen * base.

    Unforeseen outcomes are equally frequent for all clients: without them, probabilities near 0 and 1 are too
    certain.
    """

    level: float = 0.0
    slope: float = 1.0
    unforeseen: float = 0.0
    base: float = 0.0  # share of clients with the outcome

    def of(self, chance: Floats) -> Floats:
        """Correct chances; 0, where the scale has no room, stays 0.

        Examples
        --------
        >>> ChanceCorrection(0.0, 1.0, 0.1, 0.5).of(np.array([0.0, 0.02, 0.5])).round(3).tolist()
        [0.0, 0.068, 0.5]
        """
        p = np.clip(chance, _EDGE, 1.0 - _EDGE)
        corrected = 1.0 / (1.0 + np.exp(-(self.level + self.slope * np.log(p / (1.0 - p)))))
        return np.where(chance > 0, (1.0 - self.unforeseen) * corrected + self.unforeseen * self.base, 0.0)


def fit_correction(chance: Floats, outcome: NDArray[np.bool_], client: Indices) -> ChanceCorrection:
    """Fit the correction by penalised maximum likelihood.

    Parameters
    ----------
    chance : ndarray, shape (rows,)
        Chances of clients left out of the fit; 0 where there was no room.
    outcome : ndarray of bool, shape (rows,)
        What came.
    client : ndarray of int, shape (rows,)
        Whose they are. Every client counts once, however many rows.

    Notes
    -----
    Logistic recalibration (Cox, 1958, doi:10.1093/biomet/45.3-4.562) with a share of outcomes that nothing
    foretold.
    """
    room = chance > 0
    if not room.any():
        return ChanceCorrection()
    chance, came, client = chance[room], outcome[room].astype(np.float64), client[room]
    weight = 1.0 / np.bincount(client)[client]
    base = float(weight @ came / weight.sum())

    def loss(parameters: Floats) -> float:
        p = np.clip(_correction(parameters, base).of(chance), 1e-9, 1.0 - 1e-9)
        away = (parameters - _USUAL) / _SPREAD
        fit = float(weight @ (came * np.log(p) + (1.0 - came) * np.log1p(-p)))
        return -fit + 0.5 * float(away @ away)

    result: Any = minimize(loss, _USUAL, method="BFGS", options={"gtol": 1e-3})
    return _correction(rounded(np.asarray(result.x)), float(rounded(np.array(base))))


def _correction(parameters: Floats, base: float) -> ChanceCorrection:
    unforeseen = _MOST_UNFORESEEN / (1.0 + float(np.exp(-parameters[2])))
    return ChanceCorrection(float(parameters[0]), float(np.exp(parameters[1])), unforeseen, base)
