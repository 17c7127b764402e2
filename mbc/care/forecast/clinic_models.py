"""What a clinic's own records say of each scale, at hand for every page and command."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Literal

from mbc.care.course.noise import Noise, noise_of
from mbc.care.forecast.clinic_shape import ClinicShape
from mbc.care.forecast.kept_models import KEPT_FOR, DatedModel, instrument_digest, read_model
from mbc.care.forecast.learned_model import CohortModel, cohort_model, noise_of_scatter
from mbc.care.forecast.model_files import Models
from mbc.care.forecast.signals import NoOutlook
from mbc.instruments import Instrument, Scale
from mbc.instruments import instrument as load
from mbc.models import ExpectedCourse
from mbc.store import Store

Fits = Literal["when asked for", "in the background", "by command"]
NOT_YET = {
    "in the background": "No forecast yet: the clinic's model is being fitted.",
    "by command": "No forecast yet: 'mbc models --fit' fits the clinic's model.",
}
_LOOKED_FOR = 1.0  # seconds for which what the record keeps is not looked up again
Key = tuple[str, str]  # instrument, scale


class CohortModels:
    """What a clinic's own records say, by scale: as the record keeps it, the same for every process.

    Where the record keeps no model of a scale, it is learned when first asked for and held for a week, unless
    ``fits`` says that somebody else makes it. Safe to share between threads.

    Parameters
    ----------
    store : Store
        The record of the clinic. Only model parameters ever leave this object. In one user's view nothing is kept:
        the models are of what that user may see.
    models : mapping of (instrument, scale) to ExpectedCourse, optional
        Expected courses from elsewhere (`mbc.care.forecast.model_files.read_models`), used instead of the
        clinic's own.
    today : callable, optional
        Gives the day; tests turn it.
    fits : {"when asked for", "in the background", "by command"}
        Who makes a model that the record does not keep: this object, while the caller waits; the server, while
        pages say so; or whoever runs ``mbc models --fit``.
    """

    def __init__(
        self,
        store: Store,
        models: Models | None = None,
        *,
        today: Callable[[], dt.date] = dt.date.today,
        fits: Fits = "when asked for",
    ) -> None:
        self._store = store
        self.supplied: Models = models or {}
        self._today = today
        self._fits: Fits = fits
        self._lock = Lock()
        self._kept: dict[Key, tuple[str, DatedModel]] = {}  # with its digest
        self._looked_at = float("-inf")
        self._own: dict[Key, tuple[str, DatedModel]] = {}  # learned here, with the record's state

    @property
    def version(self) -> str:
        """Name the models that the record keeps: another name when one of them is replaced."""
        self._look()
        return " ".join(sorted(digest for digest, _ in self._kept.values()))

    def model(self, instrument: str, scale: str | None = None) -> CohortModel:
        """Give the model of a scale; its main scale when none is named."""
        definition = load(instrument)
        return self._dated(definition, definition.scale(scale)).model

    def course(self, instrument: Instrument, scale: Scale) -> ExpectedCourse | NoOutlook:
        """Give the expected course of a scale: the one supplied, else the clinic's own."""
        supplied = self.supplied.get((instrument.key, scale.key))
        return self._dated(instrument, scale).model.outlook if supplied is None else supplied

    def made_on(self, instrument: Instrument, scale: Scale) -> dt.date | None:
        """Give the day on which the clinic's own model of a scale was made; None for one supplied, or none."""
        if (instrument.key, scale.key) in self.supplied:
            return None
        dated = self._dated(instrument, scale)
        return None if dated.model.course is None else dated.made_on

    def not_yet(self, scales: Iterable[tuple[Instrument, Scale]]) -> str:
        """Say that a model of some scales is still to be made; "" where each is there, or cannot be had."""
        outlooks = (self.course(instrument, scale) for instrument, scale in scales)
        reasons = {outlook.reason for outlook in outlooks if isinstance(outlook, NoOutlook)}
        return next((words for words in NOT_YET.values() if words in reasons), "")

    def spread(self, instrument: Instrument, scale: Scale) -> float | None:
        """Give the standard deviation of clients' first scores in their present care, in scale points.

        None with fewer than 20 clients.
        """
        return self._dated(instrument, scale).model.spread

    def shape(self, instrument: Instrument, scale: Scale) -> ClinicShape | None:
        """Give how uneven the courses of the clinic's clients are on a scale; None with fewer than 20 of them."""
        return self._dated(instrument, scale).model.shape

    def _dated(self, instrument: Instrument, scale: Scale) -> DatedModel:
        self._look()
        key = (instrument.key, scale.key)
        _, kept = self._kept.get(key, ("", None))
        if kept is not None and kept.is_for(instrument):
            return kept
        if self._fits == "when asked for":
            return self._learned(key, instrument)
        without = CohortModel(*key, 0, None, NOT_YET[self._fits], was_learned=False)
        return DatedModel(without, self._today(), instrument_digest(instrument), current=True)

    def _look(self) -> None:
        """Look up what the record keeps, once a second at most: a model that was read is not read again."""
        if self._store.user is not None or time.monotonic() - self._looked_at < _LOOKED_FOR:
            return
        with self._lock:
            known = dict(self._kept.values())
            kept: dict[Key, tuple[str, DatedModel]] = {}
            for each in self._store.kept_models(unless=known):
                dated = known.get(each.digest) or read_model(each)
                if dated is not None:
                    kept[each.instrument, each.scale] = each.digest, dated
            self._kept = kept
            self._looked_at = time.monotonic()

    def _learned(self, key: Key, instrument: Instrument) -> DatedModel:
        """Learn a model, or give the one learned in the last week; others who ask meanwhile wait for the same."""
        with self._lock:
            before, dated = self._own.get(key, ("", None))
            fresh = dated is not None and dated.is_for(instrument) and self._today() - dated.made_on < KEPT_FOR
            if dated is not None and fresh and dated.model.was_learned:
                return dated
            # a user's view does not tell when something was written; what it lacks stays as it is
            revision = self._store.care_revision() if self._store.user is None else "unknown"
            if dated is not None and fresh and before == revision:
                return dated
            model = cohort_model(self._store, *key)
            dated = DatedModel(model, self._today(), instrument_digest(instrument), current=True)
            self._own[key] = revision, dated
            return dated


def noise_for(cohort: CohortModel | CohortModels | None, instrument: Instrument, scale: Scale) -> Noise | None:
    """Find the noise band of a scale: from a published figure, else from this clinic's own records.

    Where nobody published the spread and reliability of a scale, the scatter of scores around each client's own
    growth curve stands in for the standard error of measurement.

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
    if (model.instrument, model.scale) != (instrument.key, scale.key):
        return None
    return noise_of_scatter(model.scatter, model.n_clients)
