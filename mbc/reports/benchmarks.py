"""A clinic's own file of benchmarks: published rates, each with its source, to compare with a rate."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mbc.errors import ReportError


class Benchmark(BaseModel):
    """A rate that somebody else published or set, and what it is of.

    Examples
    --------
    >>> day = dt.date(2026, 11, 2)
    >>> Benchmark(definition="nhs", measure="recovery", figure=50, population="a region, 2025", n=1200,
    ...           source="Annual report, table 3", read_on=day).name
    '50 % (a region, 2025)'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    definition: str = Field(min_length=1, max_length=60)
    """Of the report whose rate it stands next to, such as ``"nhs"``."""
    measure: str = Field(min_length=1, max_length=120)
    """Name of the rate, as in the files of a release: ``"reliable_recovery"``."""
    figure: float = Field(ge=0, le=100)
    """In per cent."""
    population: str = Field(min_length=1, max_length=60)
    n: int | None = Field(default=None, ge=1)
    """How many people it rests on; left out for a target that somebody set."""
    source: str = Field(min_length=1, max_length=300)
    read_on: dt.date
    """The day on which the figure was read in its source."""

    @property
    def name(self) -> str:
        """Figure and population, in words."""
        return f"{self.figure:g} % ({self.population})"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    benchmark: tuple[Benchmark, ...] = Field(min_length=1)


def read_benchmarks(path: Path) -> tuple[Benchmark, ...]:
    """Read a file of benchmarks: TOML with a table ``[[benchmark]]`` for each.

    Raises
    ------
    ReportError
        If the file cannot be read; the message says where the fault is.
    """
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig"))).benchmark
    except UnicodeDecodeError:
        raise ReportError(
            f"The file of benchmarks '{path.name}' is not UTF-8 text, as TOML must be. Save it again with the "
            "encoding UTF-8."
        ) from None
    except OSError as fault:
        raise ReportError(f"The file of benchmarks '{path.name}' cannot be read: {fault}.") from None
    except tomllib.TOMLDecodeError as fault:
        raise ReportError(f"The file of benchmarks '{path.name}' cannot be read as TOML: {fault}.") from None
    except ValidationError as faults:
        first = faults.errors()[0]
        numbers = [f"{part + 1}" if isinstance(part, int) else part for part in first["loc"]]
        where = " ".join(numbers) or "the file"
        raise ReportError(
            f"The file of benchmarks '{path.name}': {where}: {first['msg']}. Each [[benchmark]] has definition, "
            "measure, figure (in per cent), population, source and read_on (a day), and n if it is based on "
            "people."
        ) from None
