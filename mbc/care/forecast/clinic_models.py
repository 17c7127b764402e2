"""What a clinic's own records say about a scale: its expected course, the spread of first scores, the scatter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

import polars as pl

from mbc.care.course.client_record import INFORMANT
from mbc.care.course.current_episode import present_since, starts_of_care
from mbc.care.course.noise import LEVEL as NOISE_LEVEL
from mbc.care.course.noise import Noise, noise_of
from mbc.care.course.relationships import Timeline, timelines
from mbc.care.course.segments import read_occasions, split
from mbc.care.forecast.model_files import Models
from mbc.care.forecast.signals import MOST_CLIENTS, NoOutlook, learn
from mbc.care.scoring.scores import scores
from mbc.care.values.course import SELF, Segment
from mbc.errors import ModelError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.instruments import instrument as load
from mbc.models import ExpectedCourse, GrowthCurve, growth_curve, reliable_change
from mbc.store import Store

Made = TypeVar("Made")
KEPT_FOR = dt.timedelta(days=7)
LEAST_CLIENTS = 20  # with fewer, mean curve and spread are too uncertain


@dataclass(frozen=True, slots=True)
class CohortModel:
    """A growth model of one scale over a clinic's records."""

    instrument: str
    scale: str
    curve: GrowthCurve | None  # None where it could not be fitted
    n_clients: int
    reason: str  # why there is no curve; "" where there is one


class _Shelf(Generic[Made]):
    """What was worked out from the record, by scale, and kept.

    A result that can be used is kept for a week: a fit takes long, and a week of a clinic changes it little. What
    could not be made yet is tried again as soon as something was written.
    """

    def __init__(self, revision: Callable[[], str], today: Callable[[], dt.date]) -> None:
        self._revision = revision
        self._today = today
        self._lock = Lock()
        self._kept: dict[tuple[str, str], tuple[Made, dt.date, str]] = {}  # day; revision that lacked data

    def give(self, key: tuple[str, str], make: Callable[[], Made], *, is_usable: Callable[[Made], bool]) -> Made:
        """Give what is kept under a key, or make it; others who ask meanwhile wait for the same."""
        with self._lock:
            kept = self._kept.get(key)
            fresh = kept is not None and self._today() - kept[1] < KEPT_FOR
            if kept is not None and fresh and (not kept[2] or kept[2] == self._revision()):
                return kept[0]
            before = self._revision()
            made = make()
            self._kept[key] = (made, self._today(), "" if is_usable(made) else before)
            return made


class CohortModels:
    """What a clinic's own records say, by scale: each worked out when first asked for, and kept for a week.

    Safe to share between threads.

    Parameters
    ----------
    store : Store
        The record of the clinic. Only model parameters ever leave this object.
    models : mapping of (instrument, scale) to ExpectedCourse, optional
        Expected courses from elsewhere (`mbc.care.forecast.model_files.read_models`), used instead of the
        clinic's own.
    today : callable, optional
        Gives the day; tests turn it.
    """

    def __init__(
        self, store: Store, models: Models | None = None, *, today: Callable[[], dt.date] = dt.date.today
    ) -> None:
        self._store = store
        self.supplied: Models = models or {}
        self._models: _Shelf[CohortModel] = _Shelf(self._revision, today)
        self._courses: _Shelf[ExpectedCourse | NoOutlook] = _Shelf(self._revision, today)
        self._spreads: _Shelf[float | None] = _Shelf(self._revision, today)

    def _revision(self) -> str:
        # a user's view does not tell when something was written; what it lacks stays as it is
        return self._store.revision() if self._store.user is None else "unknown"

    def model(self, instrument: str, scale: str | None = None) -> CohortModel:
        """Give the growth model of a scale; its main scale when none is named."""
        key = (instrument, load(instrument).scale(scale).key)
        return self._models.give(
            key, lambda: cohort_model(self._store, *key), is_usable=lambda made: made.curve is not None
        )

    def course(self, instrument: Instrument, scale: Scale) -> ExpectedCourse | NoOutlook:
        """Give the expected course of a scale: the one supplied, else the clinic's own."""
        key = (instrument.key, scale.key)
        if key in self.supplied:
            return self.supplied[key]
        noise = noise_for(self, instrument, scale)
        return self._courses.give(
            key,
            lambda: learn(_sampled(followed_scores(self._store, *key)), instrument, scale, noise),
            is_usable=lambda made: not isinstance(made, NoOutlook) or made.was_learned,
        )

    def spread(self, instrument: Instrument, scale: Scale) -> float | None:
        """Give the standard deviation of clients' first scores in their present care, in scale points.

        None with fewer than 20 clients. It needs no fit.
        """
        key = (instrument.key, scale.key)
        return self._spreads.give(key, lambda: _spread(self._store, *key), is_usable=lambda made: made is not None)


def _spread(store: Store, instrument: str, scale: str) -> float | None:
    firsts = followed_scores(store, instrument, scale).group_by("client").agg(pl.col("score").first())["score"]
    return _number(firsts.std()) if firsts.len() >= LEAST_CLIENTS else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _sampled(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep so many units that a model can be learned from them in seconds; always the same of them."""
    units = frame["client"].unique(maintain_order=True)
    if units.len() <= MOST_CLIENTS:
        return frame
    return frame.filter(pl.col("client").is_in(units.sample(MOST_CLIENTS, seed=1).implode()))


def cohort_model(store: Store, instrument: str, scale: str | None = None) -> CohortModel:
    """Fit the growth model of one scale to every record that this store may show.

    Parameters
    ----------
    store : Store
    instrument : str
    scale : str, optional
        The main scale when not given.

    Returns
    -------
    CohortModel
        Without a curve, and with the reason, when there are too few clients or the fit fails.
    """
    definition = load(instrument)
    chosen = definition.scale(scale)
    frame = _training(store, instrument, chosen)
    n_clients = frame["client_id"].n_unique()
    several = frame.filter(pl.len().over("unit") >= 2)

    def without(reason: str) -> CohortModel:
        return CohortModel(instrument, chosen.key, None, n_clients, reason)

    if several["client_id"].n_unique() < LEAST_CLIENTS:
        return without(
            f"An expected course needs {LEAST_CLIENTS} clients with two scores or more; "
            f"{several['client_id'].n_unique()} are on record."
        )
    try:
        curve = growth_curve(frame, outcome="score", time="weeks", client="unit", shape="log")
    except ModelError as fault:
        return without(f"The growth model could not be fitted: {fault}")
    if not curve.converged:
        return without("The growth model did not converge on this clinic's records.")
    return CohortModel(instrument, chosen.key, curve, n_clients, "")


def noise_for(cohort: CohortModel | CohortModels | None, instrument: Instrument, scale: Scale) -> Noise | None:
    """Find the noise band of a scale: from a published figure, else from this clinic's own records.

    Where nobody published the spread and reliability of a scale, the scatter of scores around each client's own
    growth curve stands in for the standard error of measurement: it holds day-to-day fluctuation, and what the
    curve cannot follow, so it errs on the side of calling a change noise.

    Parameters
    ----------
    cohort : CohortModel, CohortModels or None
        Without it only published figures are used.
    instrument, scale : Instrument, Scale
    """
    noise = noise_of(instrument, scale)
    if noise is not None or cohort is None:
        return noise
    model = cohort.model(instrument.key, scale.key) if isinstance(cohort, CohortModels) else cohort
    if model.curve is None or (model.instrument, model.scale) != (instrument.key, scale.key):
        return None
    scatter = next(
        variance.standard_deviation for variance in model.curve.variances if variance.name == "residual"
    )
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
        source=f"this clinic's own records ({model.n_clients} clients); nothing published is on file",
        confidence="medium",
    )


def unit_of(client_id: str, target: str) -> str:
    """Name what has a course of its own: a client, or a client within one relationship."""
    return client_id if target == SELF else f"{client_id} {target}"


@with_definitions_of_record
def followed_scores(store: Store, instrument: str, scale: str | None = None) -> pl.DataFrame:
    """List the scores that an expected course is learned from.

    Parameters
    ----------
    store : Store
    instrument : str
    scale : str, optional
        The main scale when not given.

    Returns
    -------
    DataFrame
        Columns client (a client, or a client within one relationship), time (weeks since the first score of the
        present episode of care, within the relationship) and score.
    """
    frame = _training(store, instrument, load(instrument).scale(scale))
    return frame.select(pl.col("unit").alias("client"), pl.col("weeks").alias("time"), "score")


def _training(store: Store, instrument: str, scale: Scale) -> pl.DataFrame:
    definition = load(instrument)
    everybody = timelines(store.statuses(), store.relationships())
    starts = starts_of_care(store.episodes())
    rows = scores(store, instrument=instrument, invalid="null").filter(
        pl.col("scale") == scale.key, pl.col("informant") == INFORMANT, pl.col("score").is_not_null()
    )
    observed: list[tuple[str, str, float, float]] = []
    for (client_id,), group in rows.group_by("client_id", maintain_order=True):
        line = everybody.get(str(client_id), Timeline())
        occasions = read_occasions(group.iter_rows(named=True))
        since = present_since(starts.get(str(client_id), ()), group["taken_on"])
        present = [occasion for occasion in occasions if since is None or occasion.taken_on >= since]
        for segment in split(present, definition, scale, line, None)[0]:
            observed += [
                (str(client_id), unit, weeks, score) for unit, weeks, score in _course(str(client_id), segment)
            ]
    return pl.DataFrame(
        observed,
        schema={"client_id": pl.String, "unit": pl.String, "weeks": pl.Float64, "score": pl.Float64},
        orient="row",
    )


def _course(client_id: str, segment: Segment) -> list[tuple[str, float, float]]:
    known = [occasion for occasion in segment.occasions if occasion.score is not None]
    unit = unit_of(client_id, segment.target)
    return [
        (unit, _weeks(known[0].taken_on, occasion.taken_on), float(occasion.score or 0.0)) for occasion in known
    ]


def _weeks(start: dt.date, day: dt.date) -> float:
    return (day - start).days / 7.0
