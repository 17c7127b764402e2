"""Limits of scales without a published measurement error, from the clinic's own records, as on a client's page."""

from __future__ import annotations

import polars as pl

from mbc.care.forecast.clinic_models import CohortModels, noise_for
from mbc.errors import UnknownInstrument
from mbc.instruments import instrument
from mbc.outcomes.definitions import jacobson_truax, milestones
from mbc.outcomes.definitions.definition_file import Definition
from mbc.outcomes.definitions.jacobson_truax import Measure, catalogue_measure, separate_scales

_BY_SCALE = (jacobson_truax.Settings, milestones.Settings)


def with_own_limits(settings: Definition, scores: pl.DataFrame, models: CohortModels | None) -> Definition:
    """Add the clinic's own limits to a definition that takes each scale by itself; others stay as they are.

    Only scales without a published limit are concerned, and the source of the limit says whose it is.
    """
    if models is None or not isinstance(settings, _BY_SCALE) or not settings.from_catalogue:
        return settings
    named = {measure.key for measure in settings.measures}
    own = [
        measure
        for key in scores["instrument"].unique().sort().to_list()
        for measure in _own_measures(str(key), models)
        if measure.key not in named
    ]
    return settings.model_copy(update={"measures": (*settings.measures, *own)})


def _own_measures(key: str, models: CohortModels) -> list[Measure]:
    try:
        known = instrument(key)
    except UnknownInstrument:
        return []
    own: list[Measure] = []
    for scale in separate_scales(known):
        published = catalogue_measure(known, scale)
        if published.change is not None:
            continue
        noise = noise_for(models, known, scale)
        if noise is not None:
            limits = {"change": noise.threshold, "at_least": noise.inclusive, "source": noise.source}
            own.append(published.model_copy(update=limits))
    return own
