"""The clinic's default battery, from one TOML file, with how long it takes."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

from mbc.errors import MbcError, SettingsError
from mbc.instruments import instrument
from mbc.store import PlannedMeasure

_FIELDS = frozenset(f.name for f in fields(PlannedMeasure)) - {"client_id", "starts_on", "ends_on"}
_KNOWN = frozenset({"seconds_per_item", "core_minutes", "measure"})
_SECONDS, _CORE_MINUTES = 8.0, 3.0
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Battery:
    """What a new client is asked by default."""

    name: str
    measures: tuple[Mapping[str, Any], ...]  # fields of a `PlannedMeasure`
    core: frozenset[str]
    seconds_per_item: float
    core_minutes: float

    def planned(self, client_id: str, starts_on: dt.date) -> tuple[PlannedMeasure, ...]:
        """Give the plan of one client."""
        return tuple(PlannedMeasure(client_id=client_id, starts_on=starts_on, **each) for each in self.measures)

    def minutes_a_week(self, planned: Iterable[PlannedMeasure], *, days_between_sessions: int = _WEEK) -> float:
        """Estimate how long a plan takes in a week after its baseline."""
        return sum(
            minutes(each.instrument, self.seconds_per_item) * askings_a_week(each, days_between_sessions)
            for each in planned
        )


def minutes(key: str, seconds_per_item: float = _SECONDS) -> float:
    """Estimate how long one questionnaire takes, from its number of items.

    Examples
    --------
    >>> round(minutes("who5", 6), 2)
    0.5
    """
    return len(instrument(key).items) * seconds_per_item / 60


def askings_a_week(planned: PlannedMeasure, days_between_sessions: int = _WEEK) -> float:
    """Say how often a week a questionnaire is asked on average; named sessions are too few to count.

    Examples
    --------
    >>> askings_a_week(PlannedMeasure("C1", "who5", dt.date(2026, 1, 5), every_days=14))
    0.5
    """
    by_days = _WEEK / planned.every_days if planned.every_days else 0.0
    by_sessions = _WEEK / (planned.every_sessions * days_between_sessions) if planned.every_sessions else 0.0
    return by_days + by_sessions


def read_battery(path: Path | None = None) -> Battery:
    """Read a battery; the one that mbc ships when no file is named.

    Raises
    ------
    SettingsError
        If the file cannot be read, names what is not known, plans nothing, or its core takes longer than it may.
    """
    return _shipped() if path is None else _read(path.name, path)


@cache
def _shipped() -> Battery:
    """Read the battery that mbc ships, once: every caseload with plans asks for it."""
    return _read("battery.toml", files("mbc.care.plan") / "battery.toml")


def _read(name: str, source: Path | Traversable) -> Battery:
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError(f"{name} cannot be read: {fault}.") from None
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"{name} cannot be read as TOML: {fault}.") from None
    if unknown := sorted(content.keys() - _KNOWN):
        raise SettingsError(f"{name}: '{unknown[0]}' is not known; accepted are {', '.join(sorted(_KNOWN))}.")
    return _battery(name, content)


def _battery(name: str, content: Mapping[str, Any]) -> Battery:
    tables = _tables(name, content.get("measure"))
    measures: list[Mapping[str, Any]] = []
    core: set[str] = set()
    for place, table in enumerate(tables, start=1):
        given = dict(table)
        is_core = given.pop("core", False)
        if unknown := sorted(given.keys() - _FIELDS):
            known = ", ".join(sorted(_FIELDS | {"core"}))
            raise SettingsError(f"{name}, measure {place}: '{unknown[0]}' is not known; accepted are {known}.")
        try:
            key = instrument(given.get("instrument", "")).key
            PlannedMeasure(client_id="C1", starts_on=dt.date(2000, 1, 1), **given)
        except MbcError as fault:
            raise SettingsError(f"{name}, measure {place}: {fault}") from None
        core |= {key} if is_core else set()
        measures.append(given)
    numbers = {"seconds_per_item": _SECONDS, "core_minutes": _CORE_MINUTES}
    for each, default in numbers.items():
        value = content.get(each, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise SettingsError(f"{name}: {each} is {value!r}; it must be above 0.")
        numbers[each] = float(value)
    battery = Battery(name, tuple(measures), frozenset(core), **numbers)
    _require_short(battery)
    return battery


def _tables(name: str, value: object) -> list[dict[str, Any]]:
    tables = cast("list[object]", value) if isinstance(value, list) else []
    if not tables or not all(isinstance(table, dict) for table in tables):
        raise SettingsError(f"{name} plans nothing: it needs at least one [[measure]].")
    return cast("list[dict[str, Any]]", tables)


def _require_short(battery: Battery) -> None:
    planned = battery.planned("C1", dt.date(2000, 1, 1))
    taken = battery.minutes_a_week(each for each in planned if each.instrument in battery.core)
    if taken > battery.core_minutes:
        raise SettingsError(
            f"{battery.name}: the core battery takes {taken:.1f} minutes a week, and at most "
            f"{battery.core_minutes:g} are allowed (core_minutes). Ask less often, or mark fewer as core."
        )
