"""Files of a cohort in other formats than CSV: Parquet with its types, SPSS with labels; neither bears a time."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import polars as pl

from mbc.errors import SettingsError
from mbc.exchange.files.optional_libraries import require_library

CohortFormat = Literal["parquet", "spss"]
COHORT_FORMATS: tuple[CohortFormat, ...] = get_args(CohortFormat)
_SUFFIX: dict[str, str] = {"parquet": "parquet", "spss": "sav"}
_SPSS_DAY, _SPSS_TIME = slice(92, 101), slice(101, 109)  # of the header, where SPSS writes when a file was made


def table_files(
    tables: Mapping[str, pl.DataFrame], labels: Mapping[str, str], kind: CohortFormat
) -> dict[str, bytes]:
    """Make the files of a cohort's tables: name -> content.

    Raises
    ------
    SettingsError
        If there is no such format.
    """
    if kind not in COHORT_FORMATS:
        raise SettingsError(f"There is no format {kind!r}; there are {', '.join(COHORT_FORMATS)}.")
    made = _parquet if kind == "parquet" else _spss
    return {f"{name}.{_SUFFIX[kind]}": made(table, labels) for name, table in tables.items()}


def _parquet(table: pl.DataFrame, _: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    table.write_parquet(content)
    return content.getvalue()


def _spss(table: pl.DataFrame, labels: Mapping[str, str]) -> bytes:
    pyreadstat: Any = require_library("pyreadstat", "SPSS files")
    truths = [name for name, dtype in table.schema.items() if dtype == pl.Boolean]
    with TemporaryDirectory() as home:
        path = Path(home) / "table.sav"
        pyreadstat.write_sav(
            table.with_columns(pl.col(truths).cast(pl.Int8)),
            path,
            column_labels={name: labels[name][:250] for name in table.columns if name in labels},
            variable_value_labels={name: {0: "no", 1: "yes"} for name in truths},
        )
        content = bytearray(path.read_bytes())
    content[_SPSS_DAY], content[_SPSS_TIME] = b"01 Jan 00", b"00:00:00"
    return bytes(content)
