"""A mapping saved in a file: which column is what, so that the next file of its kind needs no options.

::

    date_format = "%d.%m.%Y"
    blank = ["NA", "-99"]

    [columns]                 # what it is -> its header
    client_id = "Patient no."
    taken_on = "Day"

    [items]                   # questionnaire -> how its item columns are named
    rses = "Q{n}"

    [form]
    rses = "b"

    [coding]
    rses = "1-4"

    [values.rses]             # answers in words -> the numbers they stand for
    "Strongly agree" = 4

    [events]                  # REDCap event -> session number
    visit_1_arm_1 = 1
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mbc.errors import SettingsError
from mbc.exchange.files.messages import quote
from mbc.exchange.files.output import write_text
from mbc.exchange.header.mapping_options import check_column
from mbc.exchange.header.options import Layout


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    layout: Layout | None = None
    instruments: tuple[str, ...] = Field(default=(), strict=False)
    sheet: str | None = None
    separator: str | None = None
    encoding: str | None = None
    date_format: str | None = None
    blank: tuple[str, ...] = Field(default=(), strict=False)
    ignore: tuple[str, ...] = Field(default=(), strict=False)
    clinician: str | None = None
    columns: dict[str, str] = {}
    items: dict[str, str] = {}
    form: dict[str, str] = {}
    coding: dict[str, str] = {}
    values: dict[str, dict[str, int | float]] = {}
    events: dict[str, int] = {}


def read_mapping(path: str | Path) -> dict[str, Any]:
    """Read a mapping file as the fields of ``ImportOptions`` that it sets.

    Raises
    ------
    SettingsError
        When it cannot be read, or sets something unknown.
    """
    path = Path(path)
    name = quote(path.name)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise SettingsError(f"The mapping '{name}' cannot be read: {fault.strerror}.") from None
    except (ValueError, RecursionError) as fault:  # no TOML, no UTF-8, numbers or tables without end
        raise SettingsError(f"The mapping '{name}' is not valid TOML: {fault}.") from None
    try:
        entry = _Entry.model_validate(content)
    except ValidationError as fault:
        faults = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in fault.errors()[:5])
        raise SettingsError(
            f"The mapping '{name}' is wrong: {quote(faults, longest=400)}. It may contain "
            f"{', '.join(_Entry.model_fields)}."
        ) from None
    for column in entry.columns:
        check_column(column, f"mapping '{name}', columns")
    options = {key: value for key, value in entry.model_dump().items() if key in entry.model_fields_set}
    if "items" in options:
        options["patterns"] = options.pop("items")
    return options


def write_mapping(path: str | Path, options: Mapping[str, Any], *, force: bool = False) -> None:
    """Write a mapping that `read_mapping` reads back.

    Raises
    ------
    SettingsError
        When the file exists already and ``force`` is not set.
    """
    entries = dict(options)
    if "patterns" in entries:
        entries["items"] = entries.pop("patterns")
    lines = [
        f"{key} = {_toml(value)}" for key, value in entries.items() if value and not isinstance(value, Mapping)
    ]
    for table, values in entries.items():
        if isinstance(values, Mapping) and values:
            lines += _table(table, cast("Mapping[str, Any]", values))
    write_text(Path(path), "\n".join(lines).strip() + "\n", force=force)


def _table(name: str, values: Mapping[str, Any]) -> list[str]:
    inner = {key: cast("Mapping[str, Any]", value) for key, value in values.items() if isinstance(value, Mapping)}
    plain = {key: value for key, value in values.items() if key not in inner}
    lines = ["", f"[{name}]", *(f"{_toml(key)} = {_toml(value)}" for key, value in plain.items())] if plain else []
    return lines + [line for key, value in inner.items() for line in _table(f"{name}.{_toml(key)}", value)]


def _toml(value: Any) -> str:
    # JSON's texts, numbers and lists are TOML's too; only U+007F has to be written out
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
