"""What a clinic returns of a study: published figures only, with what was asked and by which version."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import Field, ValidationError

from mbc import __version__
from mbc.errors import SettingsError
from mbc.exchange.files.output import new_folder
from mbc.outcomes.compute import report
from mbc.outcomes.definitions.definition_file import Part
from mbc.outcomes.publication import publish_reports
from mbc.outcomes.shared_counts import relations_between
from mbc.outcomes.study.specification import Study

RESULT, FIGURES = "result.json", "figures.csv"
_NUMBERS = ("count", "of", "percent", "lower", "upper", "worst", "best")
_COLUMNS = ("metric", "group", *_NUMBERS, "value", "unit", "hidden")


class StudyResult(Part):
    """The result of one clinic: no names, no days but those of the period, no count that is not published."""

    format: Literal[1] = 1
    study: str
    version: str
    question: str
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    period: str
    cohort: str
    smallest_count: int = Field(ge=1)
    mbc: str
    """Version of mbc that made it."""
    run: str = Field(pattern=r"^[0-9a-f]{32}$")
    """Random: no two runs have the same."""
    reports: tuple[dict[str, Any], ...]
    """One for each definition, as in a release."""

    def to_frame(self) -> pl.DataFrame:
        """Give the figures as a table: what is hidden is null, with ``hidden`` true."""
        rows = [
            (place + 1, each["definition"], *(figure.get(name) for name in _COLUMNS))
            for place, each in enumerate(self.reports)
            for figure in each["figures"]
        ]
        schema: dict[str, Any] = {"place": pl.Int64, "definition": pl.String} | dict.fromkeys(_COLUMNS, pl.String)
        schema |= dict.fromkeys(_NUMBERS, pl.Int64) | {"hidden": pl.Boolean}
        return pl.DataFrame(rows, schema=schema, orient="row")


def study_result(study: Study, frames: Mapping[str, Any]) -> StudyResult:
    """Count what a study requires, and give what may be published of it.

    Counts under the study's smallest count are hidden, the others rounded, over all of its definitions together
    (`mbc.outcomes.publication.publish_reports`).

    Parameters
    ----------
    study : Study
    frames : mapping of str to table
        As for `mbc.outcomes.report`, of one clinic.

    Returns
    -------
    StudyResult
    """
    asked, period = study.specification, study.period
    reports = [
        report(
            frames,
            each,
            asked.cohort,
            start=period.start,
            end=period.end,
            small_numbers=asked.smallest_count,
        )
        for each in study.settings
    ]
    published, _ = publish_reports(reports, relations_between(reports, study.settings))
    return StudyResult(
        study=asked.name,
        version=asked.version,
        question=asked.question,
        digest=study.digest,
        period=asked.period,
        cohort=asked.cohort,
        smallest_count=asked.smallest_count,
        mbc=__version__,
        run=secrets.token_hex(16),
        reports=tuple(part.to_json() for part in published),
    )


def write_result(result: StudyResult, folder: Path) -> None:
    """Write a result into a new folder, completely or not at all.

    Raises
    ------
    SettingsError
        If the folder is not empty, or cannot be written.
    """
    with new_folder(folder) as temporary:
        write_files(result, temporary)


def write_files(result: StudyResult, folder: Path) -> None:
    """Write the two files of a result: all of it, and its figures as a table."""
    text = json.dumps(result.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    (folder / RESULT).write_text(text, encoding="utf-8", newline="\n")
    result.to_frame().write_csv(folder / FIGURES)


def read_result(path: str | Path) -> StudyResult:
    """Read the result of a clinic from its folder, or from its ``result.json``.

    Raises
    ------
    SettingsError
        If there is none, or it is not what a study writes.
    """
    place = Path(path)
    file = place / RESULT if place.is_dir() else place
    try:
        return StudyResult.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as faults:
        first = faults.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SettingsError(
            f"'{file}' is not the result of a study: {where}: {first['msg']}. Name a folder that 'mbc study run' "
            "wrote."
        ) from None
    except (OSError, UnicodeDecodeError, ValueError) as fault:
        raise SettingsError(
            f"'{file}' cannot be read as the result of a study: {fault}. Name a folder that 'mbc study run' wrote."
        ) from None
