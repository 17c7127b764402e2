"""What is asked of every clinic of a study, in one file: definitions, cohort, period and smallest count."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import Field, ValidationError

from mbc.errors import SettingsError
from mbc.outcomes.cohorts import Cohort, Period, heading, period_of, require_over
from mbc.outcomes.definitions.definition_file import (
    RULES,
    Definition,
    Part,
    read_toml_text,
    require_publishable,
)
from mbc.outcomes.definitions.definition_file import definition as read_definition
from mbc.outcomes.publication import LEAST_PUBLISHED


class Specification(Part):
    """The file of a study, as it is written; keys that it does not have are refused."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,29}$")
    question: str = Field(min_length=1, max_length=500)
    period: str
    """``"2026"``, ``"2026-Q3"`` or ``"2025 to 2026-Q2"``."""
    cohort: Cohort
    smallest_count: int = Field(ge=LEAST_PUBLISHED, le=1000)
    definitions: tuple[str, ...] = Field(min_length=1)
    """Names of `mbc.outcomes.definition`, or files beside this one."""


@dataclass(frozen=True, slots=True)
class Study:
    """A specification with its definitions read."""

    specification: Specification
    settings: tuple[Definition, ...]
    period: Period
    digest: str
    """SHA-256 of what the specification and its definitions say: where it is the same, the same was asked."""
    numbers_digest: str
    """SHA-256 of what decides the numbers alone: days, cohort, smallest count and the limits of the definitions.

    Where it is the same, a record gives the same figures, whatever the study is called.
    """

    @property
    def heading(self) -> str:
        """Whom the study counts, in words."""
        return heading(self.specification.cohort, self.period)

    def require_over(self, today: dt.date | None = None) -> None:
        """Refuse a period that is not over.

        Raises
        ------
        SettingsError
            With the day on which it ends.
        """
        require_over(self.period, f"The study {self.specification.name}", today)


def read_study(path: str | Path) -> Study:
    """Read the specification of a study from its TOML file.

    Parameters
    ----------
    path : str or Path
        Definitions that are no published ones are files beside it.

    Returns
    -------
    Study

    Raises
    ------
    SettingsError
        If it cannot be read, has a key that is not known or lacks one, or names a definition that does not exist,
        two with the same rules, or one that may not be published.
    """
    file = Path(path)
    try:
        content = tomllib.loads(read_toml_text(file, f"The specification '{file.name}'"))
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"The specification '{file.name}' cannot be read as TOML: {fault}.") from None
    try:
        specification = Specification.model_validate(content)
    except ValidationError as faults:
        words = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'the file'}: {each['msg']}"
            for each in faults.errors()
        )
        raise SettingsError(f"The specification '{file.name}': {words}.") from None
    settings = tuple(_definition(name, file) for name in specification.definitions)
    require_publishable(settings)
    period = _period(specification.period)
    numbers = _numbers_digest(specification, settings, period)
    return Study(specification, settings, period, _digest(specification, settings), numbers)


def _definition(name: str, file: Path) -> Definition:
    if name in RULES or not name.endswith(".toml"):
        return read_definition(name)  # refuses a name that does not exist
    if Path(name).name != name:
        raise SettingsError(
            f"The specification '{file.name}': definitions are files in the same folder, named without it; "
            f"got {name!r}."
        )
    return read_definition(file.parent / name)


def _period(words: str) -> Period:
    first, to, last = words.partition(" to ")
    return Period(period_of(first).start, period_of(last if to else first).end)


def _digest(specification: Specification, settings: tuple[Definition, ...]) -> str:
    """Digest what was asked; a definition counts by what it says, whatever its file is called."""
    asked = specification.model_dump(mode="json") | {
        "definitions": [each.model_dump(mode="json") for each in settings]
    }
    return _sha256(asked)


_WORDS = {"title", "about", "sources", "source", "cutoff_source", "verified"}  # of definitions: change no number


def _numbers_digest(specification: Specification, settings: tuple[Definition, ...], period: Period) -> str:
    """Digest what decides the numbers, however it is written: definitions in any order, periods by their days."""
    limits = [_without_words(each.model_dump(mode="json")) for each in settings]
    return _sha256(
        {
            "first_day": period.start.isoformat(),
            "last_day": period.end.isoformat(),
            "cohort": specification.cohort,
            "smallest_count": specification.smallest_count,
            "definitions": sorted(limits, key=lambda each: str(each["rules"])),
        }
    )


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return {name: _without_words(each) for name, each in table.items() if name not in _WORDS}
    return [_without_words(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
