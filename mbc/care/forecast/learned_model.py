"""What a clinic's own records say of one scale, learned from everybody's scores, where nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mbc.care.course.noise import LEVEL as NOISE_LEVEL
from mbc.care.course.noise import Noise, noise_of
from mbc.care.forecast.clinic_shape import ClinicShape, clinic_shape
from mbc.care.forecast.signals import MOST_CLIENTS, NoOutlook, learn
from mbc.care.forecast.training_scores import Lives, courses_of, read_lives, scores_of
from mbc.errors import ModelError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.instruments import instrument as load
from mbc.models import ExpectedCourse, growth_curve, reliable_change
from mbc.store import Store

LEAST_CLIENTS = 20  # with fewer, mean curve and spread are too uncertain


@dataclass(frozen=True, slots=True)
class CohortModel:
    """What a clinic's records say of one scale; nobody's own scores are in it."""

    instrument: str
    scale: str
    n_clients: int  # whom it was learned from
    course: ExpectedCourse | None  # None where there is none
    reason: str  # why there is no course; "" where there is one
    was_learned: bool = True  # False: there are too few records yet
    spread: float | None = None  # standard deviation of first scores in present care, scale points
    scatter: float | None = None  # of scores around each client's own curve; only where no noise is published
    shape: ClinicShape | None = None  # setbacks and plateaus; None with too few clients

    @property
    def outlook(self) -> ExpectedCourse | NoOutlook:
        """The expected course, or why there is none."""
        return NoOutlook(self.reason, self.was_learned) if self.course is None else self.course


@with_definitions_of_record
def cohort_model(store: Store, instrument: str, scale: str | None = None) -> CohortModel:
    """Learn what the records that this store may show say of one scale.

    Parameters
    ----------
    store : Store
    instrument : str
    scale : str, optional
        The main scale when not given.

    Returns
    -------
    CohortModel
        Without a course, and with the reason, when there are too few clients or it forecasts no better than the
        last value.
    """
    definition = load(instrument)
    return learned_model(scores_of(store, instrument), definition, definition.scale(scale), read_lives(store))


def learned_model(rows: pl.DataFrame, instrument: Instrument, scale: Scale, lives: Lives) -> CohortModel:
    """Learn from scores that were read already.

    Parameters
    ----------
    rows : DataFrame
        As `mbc.care.forecast.training_scores.scores_of` gives them.
    instrument, scale : Instrument, Scale
    lives : Lives
        As `mbc.care.forecast.training_scores.read_lives` gives them.
    """
    frame = courses_of(rows, instrument, scale, lives, most=MOST_CLIENTS)
    n_clients = frame["client_id"].n_unique()
    published = noise_of(instrument, scale)
    scatter = _scatter(frame) if published is None else None
    noise = published or noise_of_scatter(scatter, n_clients)
    named = frame.select(pl.col("unit").alias("client"), pl.col("weeks").alias("time"), "score")
    outlook = learn(named, instrument, scale, noise)
    without = outlook if isinstance(outlook, NoOutlook) else None
    return CohortModel(
        instrument.key,
        scale.key,
        n_clients,
        None if isinstance(outlook, NoOutlook) else outlook,
        "" if without is None else without.reason,
        was_learned=without is None or without.was_learned,
        spread=_spread(frame),
        scatter=scatter,
        shape=clinic_shape(frame, scale, None if noise is None else noise.threshold),
    )


def noise_of_scatter(scatter: float | None, n_clients: int) -> Noise | None:
    """Take the scatter of scores around each client's own curve for the standard error of measurement.

    It holds day-to-day fluctuation, and what the curve cannot follow, so it errs on the side of calling a change
    noise.
    """
    if not scatter:
        return None
    # S_diff = sqrt(2) * SEM: a reliability of 0 makes the scatter itself the error of one score.
    threshold = reliable_change(0.0, 0.0, sd=scatter, reliability=0.0, confidence=NOISE_LEVEL).threshold
    if threshold is None:
        return None
    return Noise(
        threshold=threshold,
        inclusive=False,
        label="what measurement error alone explains (scatter around each client's own curve, 95 %)",
        source=f"this clinic's own records ({n_clients} clients); no published value is available",
        confidence="medium",
    )


def _scatter(frame: pl.DataFrame) -> float | None:
    """Estimate the residual standard deviation of a growth curve; None with too few clients, or without a fit."""
    several = frame.filter(pl.len().over("unit") >= 2)
    if several["client_id"].n_unique() < LEAST_CLIENTS:
        return None
    try:
        curve = growth_curve(frame, outcome="score", time="weeks", client="unit", shape="log")
    except ModelError:
        return None
    if not curve.converged:
        return None
    return next(variance.standard_deviation for variance in curve.variances if variance.name == "residual")


def _spread(frame: pl.DataFrame) -> float | None:
    firsts = frame.group_by("unit", maintain_order=True).agg(pl.col("score").first())["score"]
    spread = firsts.std() if firsts.len() >= LEAST_CLIENTS else None
    return float(spread) if isinstance(spread, int | float) and spread > 0 else None
