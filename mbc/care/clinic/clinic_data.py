"""The record of all clients of a view, each kind of thing read once: what a worklist is worked out from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from mbc.care.client.trajectory import Cohort
from mbc.care.course.charted_scales import in_reading_order, scales_to_chart
from mbc.care.course.client_record import INFORMANT, Occasions
from mbc.care.course.current_episode import closed_care, present_since, starts_of_care
from mbc.care.course.noise import Noise
from mbc.care.course.relationships import Timeline, timelines
from mbc.care.course.segments import occasions_by_scale
from mbc.care.forecast.clinic_models import noise_for
from mbc.care.plan.client_plan import client_plans
from mbc.care.scoring.recorded_definitions import undefined_instruments
from mbc.care.scoring.scores import scores
from mbc.care.values.plan import ClientPlan
from mbc.instruments import Instrument, Scale
from mbc.store import Store


@dataclass(frozen=True, slots=True)
class _Present:
    """One client's present care."""

    days: Sequence[dt.date]  # of any care, with a session or a questionnaire
    since: dt.date | None
    occasions: Occasions


@dataclass(frozen=True, slots=True)
class ClinicData:
    """The record of all clients, each kind of thing read once."""

    today: dt.date
    occasions: Mapping[str, Occasions]  # by client
    timelines: Mapping[str, Timeline]
    sessions: Mapping[str, Sequence[dt.date]]  # attended
    closed: Mapping[str, tuple[dt.date, str]]  # day on which all care ended, and how
    starts: Mapping[str, Sequence[dt.date]]  # of their episodes of care
    goals: Mapping[str, Sequence[Mapping[str, Any]]]  # still kept
    ratings: Mapping[str, float]  # the latest, by goal
    scales: Sequence[tuple[Instrument, Scale, Noise | None]]  # that anybody was measured on, in reading order
    undefined: Mapping[str, Sequence[str]]  # questionnaires on record without a definition, by client
    plans: Mapping[str, ClientPlan]  # of measures; clients without one are asked by their own rhythm

    memory: dict[str, _Present] = field(default_factory=dict[str, _Present], repr=False)  # what was worked out

    def days(self, client_id: str) -> Sequence[dt.date]:
        """Give the days on which there was a session or a questionnaire."""
        return self._of(client_id).days

    def since(self, client_id: str) -> dt.date | None:
        """Give the day where a client's present care begins, if there was other care before it."""
        return self._of(client_id).since

    def present(self, client_id: str) -> Occasions:
        """Give one client's occasions of their present care."""
        return self._of(client_id).occasions

    def _of(self, client_id: str) -> _Present:
        """Find a client's present care, once."""
        if client_id not in self.memory:
            occasions = self.occasions.get(client_id, {})
            days = [
                *self.sessions.get(client_id, ()),
                *(o.taken_on for group in occasions.values() for o in group),
            ]
            since = present_since(self.starts.get(client_id, ()), days)
            self.memory[client_id] = _Present(days, since, _from(occasions, since))
        return self.memory[client_id]

    def timeline(self, client_id: str) -> Timeline:
        """Give a client's relationships."""
        return self.timelines.get(client_id, Timeline())


def read_clinic(store: Store, as_of: dt.date | None, cohort: Cohort | None) -> ClinicData:
    """Read everybody within a view's reach."""
    table = scores(store, invalid="null").filter(pl.col("informant") == INFORMANT)
    episodes = store.episodes()
    sessions = store.sessions().filter("attended")
    held = sessions.group_by("client_id").agg("held_on")
    ratings = store.goal_ratings().sort("rated_on").group_by("goal_id").agg(pl.col("rating").last())
    goals: dict[str, list[Mapping[str, Any]]] = {}
    for row in store.goals().filter(pl.col("retired_on").is_null()).iter_rows(named=True):
        goals.setdefault(row["client_id"], []).append(row)
    today = as_of or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    return ClinicData(
        today=today,
        occasions=_by_client(table),
        timelines=timelines(store.statuses(), store.relationships()),
        sessions=dict(held.iter_rows()),
        closed=closed_care(episodes),
        starts=starts_of_care(episodes),
        goals=goals,
        ratings=dict(ratings.iter_rows()),
        scales=[
            (instrument, scale, noise_for(cohort, instrument, scale))
            for instrument in in_reading_order(table["instrument"].unique())
            for scale in scales_to_chart(instrument)
        ],
        undefined=undefined_instruments(store),
        plans=client_plans(store, as_of=today),
    )


def _by_client(scores: pl.DataFrame) -> dict[str, Occasions]:
    rows = groupby(scores.iter_rows(named=True), key=itemgetter("client_id"))  # sorted by client
    return {client: occasions_by_scale(own) for client, own in rows}


def _from(occasions: Occasions, since: dt.date | None) -> Occasions:
    """Keep the occasions from a day on."""
    if since is None:
        return occasions
    kept = {
        key: [occasion for occasion in group if occasion.taken_on >= since] for key, group in occasions.items()
    }
    return {key: group for key, group in kept.items() if group}
