"""The plan of measures of a client, or of every client: read from the record, and what is due by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from mbc.care.course.client_record import INFORMANT
from mbc.care.course.relationships import Timeline, timelines
from mbc.care.plan.battery import read_battery
from mbc.care.plan.schedule import Sessions, schedule_of
from mbc.care.values.plan import ClientPlan
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import all_keys, instrument
from mbc.instruments.short_names import short_name
from mbc.store import MeasurePause, PlannedMeasure, Store

_ASLEEP = ("ended", "not applicable", "paused")


def client_plan(store: Store, client_id: str, *, as_of: dt.date) -> ClientPlan | None:
    """Say where a client's plan of measures stands on a day; None where there is no plan.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    return client_plans(store, as_of=as_of, client_id=client_id).get(client_id)


@with_definitions_of_record
def client_plans(store: Store, *, as_of: dt.date, client_id: str | None = None) -> Mapping[str, ClientPlan]:
    """Say where every plan of measures stands on a day, by client."""
    planned = store.planned_measures(client_id=client_id)
    if planned.is_empty():
        return {}
    taken = store.administrations(client_id=client_id).filter(pl.col("informant") == INFORMANT)
    answers = {
        (str(client), str(key)): sorted(rows["taken_on"])
        for (client, key), rows in taken.group_by("client_id", "instrument")
    }
    sessions = _sessions(store.sessions(client_id=client_id))
    lines = timelines(store.statuses(client_id=client_id), store.relationships(client_id=client_id))
    pauses: dict[str, list[MeasurePause]] = {}
    for row in store.measure_pauses(client_id=client_id).iter_rows(named=True):
        pauses.setdefault(row["client_id"], []).append(MeasurePause(**row))
    plans: dict[str, list[PlannedMeasure]] = {}
    for row in planned.iter_rows(named=True):
        plans.setdefault(row["client_id"], []).append(PlannedMeasure(**row))
    battery = read_battery()
    known = set(all_keys())
    made: dict[str, ClientPlan] = {}
    for client, measures in plans.items():
        own = sessions.get(client, Sessions())
        kept = [each for each in measures if each.instrument in known]
        schedules = [
            schedule_of(
                each,
                name=short_name(each.instrument),
                answered=answers.get((client, each.instrument), []),
                sessions=own,
                pauses=pauses.get(client, []),
                away=_away(lines.get(client, Timeline()), each),
                today=as_of,
            )
            for each in kept
        ]
        live = [each for each, placed in zip(kept, schedules, strict=True) if placed.state not in _ASLEEP]
        taken_a_week = battery.minutes_a_week(live, days_between_sessions=own.gap)
        made[client] = ClientPlan(client, as_of, tuple(schedules), taken_a_week)
    return made


def _sessions(frame: pl.DataFrame) -> dict[str, Sessions]:
    ordered = frame.sort("client_id", "held_on", "number")
    return {
        str(client): Sessions(
            tuple(rows.filter("attended").select("held_on", "number").iter_rows()),
            int(rows["number"].max() or 0),  # pyright: ignore[reportArgumentType]
        )
        for (client,), rows in ordered.group_by("client_id", maintain_order=True)
    }


def _away(line: Timeline, planned: PlannedMeasure) -> list[tuple[dt.date, dt.date | None, str]]:
    spans = line.not_applicable(instrument(planned.instrument), planned.starts_on, None)
    return [(span.start, span.end, span.reason) for span in spans]
