"""The clinic's models as its record keeps them: written, read, and made again when they are due."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

from mbc import __version__
from mbc.care.course.charted_scales import in_reading_order, scales_to_chart
from mbc.care.forecast.clinic_shape import ClinicShape
from mbc.care.forecast.learned_model import CohortModel, learned_model
from mbc.care.forecast.training_scores import read_lives, scores_of
from mbc.errors import MbcError, ModelError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.models import ExpectedCourse
from mbc.models.forecast.model_file import FORMAT, built, plain
from mbc.store import Store
from mbc.store.reading.model_cache import KeptModel

KEPT_FOR = dt.timedelta(days=7)  # a fit takes long, and a week of a clinic changes it little
TRIED_AGAIN = dt.timedelta(minutes=10)  # where there were too few records, and something was written
_definitions: dict[str, tuple[Instrument, str]] = {}  # the last definition seen of each key, with its digest


@dataclass(frozen=True, slots=True)
class DatedModel:
    """A model with the day it was made on."""

    model: CohortModel
    made_on: dt.date
    definition: str
    current: bool  # made by this version of mbc

    def is_for(self, instrument: Instrument) -> bool:
        """Whether it was learned with the definition that is in use."""
        return self.definition == instrument_digest(instrument)


def instrument_digest(instrument: Instrument) -> str:
    """Digest the definition of a questionnaire: a model of another definition is of other scores."""
    known, digest = _definitions.get(instrument.key, (None, ""))
    if known is not instrument:
        digest = hashlib.sha256(repr(instrument).encode()).hexdigest()
        _definitions[instrument.key] = instrument, digest
    return digest


def read_model(kept: KeptModel) -> DatedModel | None:
    """Read a model from its text; None where another mbc wrote it in a form that is not known here."""
    try:
        content = cast("dict[str, Any]", json.loads(kept.content))
        if content["format"] != FORMAT:
            return None
        course = content["course"]
        model = CohortModel(
            kept.instrument,
            kept.scale,
            content["clients"],
            None if course is None else built(ExpectedCourse, course, "model"),
            content["reason"],
            was_learned=content["was_learned"],
            spread=content["spread"],
            scatter=content["scatter"],
            shape=None if content.get("shape") is None else ClinicShape(**content["shape"]),
        )
    except (ModelError, ValueError, KeyError, TypeError):
        return None
    return DatedModel(model, kept.made_on, kept.definition, content["mbc"] == __version__)


def to_keep(model: CohortModel, instrument: Instrument, *, revision: str, today: dt.date) -> KeptModel:
    """Write a model as the record keeps it."""
    content = {
        "format": FORMAT,
        "mbc": __version__,
        "clients": model.n_clients,
        "reason": model.reason,
        "was_learned": model.was_learned,
        "spread": model.spread,
        "scatter": model.scatter,
        "shape": None if model.shape is None else asdict(model.shape),
        "course": None if model.course is None else plain(model.course),
    }
    return KeptModel(
        model.instrument,
        model.scale,
        dt.datetime.now(dt.UTC),
        today,
        revision,
        instrument_digest(instrument),
        json.dumps(content, separators=(",", ":")),
    )


@with_definitions_of_record
def due_models(store: Store, today: dt.date) -> list[tuple[Instrument, Scale]]:
    """List the scales whose model is to be made, or made again, in reading order.

    A model that can be used is kept for a week, unless the questionnaire's definition or mbc changed; one that
    lacked records is tried again once something was written, at most every ten minutes.

    Parameters
    ----------
    store : Store
        The record, as the operator sees it.
    today : date
        The day that pages are read on.
    """
    kept = {(each.instrument, each.scale): each for each in store.kept_models()}
    revision, now = store.care_revision(), dt.datetime.now(dt.UTC)
    return [
        (instrument, scale)
        for instrument, scale in _measured(store)
        if _is_due(kept.get((instrument.key, scale.key)), instrument, revision, today, now)
    ]


def _is_due(
    kept: KeptModel | None, instrument: Instrument, revision: str, today: dt.date, now: dt.datetime
) -> bool:
    dated = None if kept is None else read_model(kept)
    if kept is None or dated is None or not dated.current or not dated.is_for(instrument):
        return True
    if dated.model.was_learned and today - dated.made_on >= KEPT_FOR:
        return True
    return not dated.model.was_learned and kept.revision != revision and now - kept.made_at >= TRIED_AGAIN


@with_definitions_of_record
def make_models(store: Store, today: dt.date, *, every: bool = False) -> Iterator[tuple[CohortModel, bool]]:
    """Make the models that are due and keep them in the record, one after the other.

    A scale whose model another process is making is left to it.

    Parameters
    ----------
    store : Store
        The record, as the operator sees it.
    today : date
        The day that pages are read on: the models are dated with it.
    every : bool
        Those that are not due as well.

    Yields
    ------
    tuple of CohortModel and bool
        The model, and whether it was kept: not if somebody was erased meanwhile.

    Raises
    ------
    MbcError
        What went wrong with one of them, after the others were made.
    """
    faults: list[MbcError] = []
    for instrument, scale in _measured(store) if every else due_models(store, today):
        if not store.claim_model(instrument.key, scale.key):
            continue
        revision = store.care_revision()
        try:
            with store.snapshot():
                rows, lives = scores_of(store, instrument.key), read_lives(store)
            model = learned_model(rows, instrument, scale, lives)
        except MbcError as fault:  # the others are made; this one is tried again when the claim on it has ended
            faults.append(fault)
            continue
        yield model, store.keep_model(to_keep(model, instrument, revision=revision, today=today))
    if faults:
        raise faults[0]


def _measured(store: Store) -> list[tuple[Instrument, Scale]]:
    instruments = in_reading_order(store.measured())
    return [(instrument, scale) for instrument in instruments for scale in scales_to_chart(instrument)]
