"""What a forecast has to beat: a regression on intake and latest score, and the plain mixed model."""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.models.forecast.course_model.histories import Histories
from mbc.models.forecast.course_model.landmarks import Endings, Landmarks, cut
from mbc.models.growth.growth_curve import GrowthCurve, growth_curve
from mbc.models.growth.matrices import Floats

_LEAST = 10  # clients behind one session's regression; with fewer the nearest session that has them serves


def regression_end(train: Landmarks, rows: Landmarks) -> Floats:
    """Forecast the last score by ordinary least squares on intake and latest score, session by session.

    Parameters
    ----------
    train : Landmarks
        Clients to learn from; only their scores are used, no forecast.
    rows : Landmarks
        Clients to forecast.
    """
    counts = np.bincount(train.session)
    able = np.flatnonzero(counts >= min(_LEAST, counts.max()))
    out = np.zeros(rows.session.size)
    for session in np.unique(rows.session):
        nearest = able[int(np.argmin(np.abs(able - session)))]
        at, own = train.session == nearest, rows.session == session
        design = np.column_stack([np.ones(at.sum()), train.intake[at], train.latest[at]])
        beta = np.linalg.lstsq(design, train.final[at], rcond=None)[0]
        out[own] = beta[0] + beta[1] * rows.intake[own] + beta[2] * rows.latest[own]
    return out


def mixed_end(curve: GrowthCurve, endings: Endings, histories: Histories, rows: Landmarks) -> Floats:
    """Forecast the last score by a plain growth curve: mean course plus the client's own effects so far.

    The end is no better known to it than to the model: forecasts are averaged over the same likely ends.
    """
    out = np.zeros(rows.session.size)
    for session in np.unique(rows.session):
        own = np.flatnonzero(rows.session == session)
        history = cut(histories.of(rows.client[own]), int(session))
        ends = endings.ahead(history.end)
        out[own] = [
            float(np.mean(curve.predict_scores(time, score, at).mean))
            for time, score, at in zip(history.time, history.score, ends, strict=True)
        ]
    return out


def plain_growth(histories: Histories) -> GrowthCurve:
    """Fit the plain model: log(1 + time), random intercept and slope, every score from intake on.

    Where nobody has three scores, slopes that differ between clients cannot be distinguished from error: then only
    intercepts do.
    """
    scored = histories.scored
    who = np.broadcast_to(np.arange(len(histories))[:, None], scored.shape)[scored]
    frame = pl.DataFrame({"client": who, "time": histories.time[scored], "score": histories.score[scored]})
    differ = ("intercept", "slope") if histories.count.max() > 2 else ("intercept",)
    return growth_curve(frame, outcome="score", time="time", client="client", shape="log", random=differ)
