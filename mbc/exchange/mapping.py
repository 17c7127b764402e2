"""How a user's KEY=VALUE words are read: which column is what, and whose form or coding is meant."""

from __future__ import annotations

from collections.abc import Iterable

from mbc.errors import SettingsError, nearest
from mbc.exchange.columns import ROLES
from mbc.exchange.shown import shown
from mbc.instruments import instrument, keys


def per_instrument(values: Iterable[str], option: str) -> dict[str, str]:
    """Read ``KEY=VALUE`` and plain ``VALUE`` (for all questionnaires).

    Examples
    --------
    >>> per_instrument(["1-4"], "coding"), per_instrument(["rses=1-4", "gad7=1-4"], "coding")
    ({'': '1-4'}, {'rses': '1-4', 'gad7': '1-4'})
    """
    read: dict[str, str] = {}
    for value in values:
        key, sign, named = value.partition("=")
        key, named = (key.strip(), named.strip()) if sign else ("", key.strip())
        if key in read or not named:
            raise SettingsError(
                f"--{option} '{shown(value)}': give one value, or KEY=VALUE once per questionnaire."
            )
        read[key] = named
    return read


def column_mapping(values: Iterable[str]) -> dict[str, str]:
    """Read ``canonical=header`` pairs, such as ``client_id=Patient no.`` and ``rses_1=Q1``.

    Examples
    --------
    >>> column_mapping(["client_id=Patient no.", "rses_1 = Q1"])
    {'client_id': 'Patient no.', 'rses_1': 'Q1'}
    """
    read: dict[str, str] = {}
    for value in values:
        canonical, sign, header = (part.strip() for part in value.partition("="))
        if not sign or not header:
            raise SettingsError(f"--map '{shown(value)}': write NAME=HEADER, such as client_id='Patient no.'.")
        if canonical not in ROLES and canonical not in _item_columns():
            near = nearest(canonical, [*ROLES, *_item_columns()], most=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise SettingsError(
                f"--map {shown(canonical)}: there is no such column to map.{hint} There are {', '.join(ROLES)} "
                "and item columns such as rses_1."
            )
        read[canonical] = header
    return read


def _item_columns() -> dict[str, None]:
    return dict.fromkeys(column for key in keys() for column in instrument(key).item_columns())
