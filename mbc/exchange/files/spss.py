"""What is in an SPSS data file: the same table of text as from a CSV file, user-missing codes blank."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from mbc.errors import EmptyTable, ImportRefused
from mbc.exchange.files.file_digest import digest
from mbc.exchange.files.isolated import isolated_lines
from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.files.optional_libraries import require_library
from mbc.exchange.files.text_table import MOST_CELLS, TextTable, as_text, numbered, too_many_cells, unique_names

MARKS = (b"$FL2", b"$FL3")  # .sav and .zsav
_WHAT = "SPSS files"


def read_spss(path: str | Path, *, strip: bool = True, encoding: str | None = None) -> TextTable:
    """Read an SPSS .sav or .zsav file.

    Codes that the file declares as user-missing are blanks. Cases are numbered
    from 1. Numbers come as they are coded; value labels
    say which codes there are, and so which answer coding is in use.

    Parameters
    ----------
    path : str or Path
        The file.
    strip : bool
        Take white space off the ends of texts.
    encoding : str, optional
        Of its texts, where the file declares a wrong one.

    Raises
    ------
    ImportRefused
        When the file is damaged, locked, or has no cases.
    SettingsError
        When the reader's library is not installed.
    """
    path = Path(path)
    require_library("pyreadstat", _WHAT)
    frame, about = _read(path, encoding)
    frame, declared = without_user_missing(frame, about["missing"])
    names, repeated = unique_names(frame.columns)
    table = numbered(as_text(frame), names, first_row=1, strip=strip)
    if table.is_empty():
        raise EmptyTable(f"'{quote(path.name)}' has variables but no cases: there is nothing to import.")
    cells = count_noun(sum(declared.values()), "cell")
    note = f"{cells} with user-missing codes read as not answered ({join_names(declared)})."
    return TextTable(
        name=path.name,
        sha256=digest(path),
        columns=names,
        repeated=repeated,
        frame=table,
        notes=(note,) if declared else (),
        encoding=about["encoding"],
        choices={
            name: {f"{code:g}": label for code, label in labels if isinstance(code, int | float)}
            for name, labels in about["labels"].items()
        },
        kind="spss",
        noun="case",
    )


def _read(path: Path, encoding: str | None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Read the cases, and what the file declares, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="mbc-") as folder:
        target = Path(folder) / "cases.arrow"
        try:
            with isolated_lines("spss", path, str(target), str(MOST_CELLS), encoding or "") as lines:
                line = next(lines, "")
            about = json.loads(line)
            cases = pl.read_ipc(target.read_bytes()) if target.exists() else None
        except ImportRefused as fault:
            if "encoding" in str(fault) or "Unable to convert string" in str(fault):
                raise ImportRefused(
                    f"'{quote(path.name)}' contains text that is not in the declared encoding. Give the correct "
                    "one, such as --encoding windows-1252."
                ) from None
            raise ImportRefused(f"'{quote(path.name)}' cannot be read as an SPSS file. {fault}") from None
        except (OSError, ValueError, pl.exceptions.PolarsError) as fault:
            raise ImportRefused(f"'{quote(path.name)}' cannot be read as an SPSS file ({fault}).") from fault
    if cases is None:
        raise ImportRefused(too_many_cells(path, about["rows"], about["columns"], most=MOST_CELLS))
    return cases, about


def without_user_missing(
    frame: pl.DataFrame, ranges: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Make user-missing codes null, and count them by variable.

    Examples
    --------
    >>> cells = pl.DataFrame({"q1": [1.0, 99.0, -2.0], "sex": ["f", "n/a", "m"]})
    >>> ranges = {"q1": [{"lo": 99.0, "hi": 99.0}, {"lo": -9.0, "hi": -1.0}], "sex": [{"lo": "n/a", "hi": "n/a"}]}
    >>> kept, counts = without_user_missing(cells, ranges)
    >>> kept.rows(), counts
    ([(1.0, 'f'), (None, None), (None, 'm')], {'q1': 2, 'sex': 1})
    """
    declared: dict[str, int] = {}
    for name, spans in ranges.items():
        column = pl.col(name)
        missing = pl.any_horizontal(
            column.is_between(pl.lit(span["lo"]), pl.lit(span["hi"]))
            for span in spans
            if isinstance(span["lo"], str) == (frame.schema[name] == pl.String)
        )
        count = int(frame.select(missing.sum()).item() or 0)
        if count:
            frame = frame.with_columns(pl.when(~missing).then(column).alias(name))
            declared[name] = count
    return frame, declared
