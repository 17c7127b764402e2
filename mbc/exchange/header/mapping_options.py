"""How a user's KEY=VALUE words are read: which column is what, and whose form or coding is meant."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from mbc.errors import SettingsError, nearest
from mbc.exchange.files.messages import quote
from mbc.exchange.header.columns import OWN_ROLES, ROLES
from mbc.instruments import instrument, keys
from mbc.instruments.own.folders import OwnDefinition, listed


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
                f"--{option} '{quote(value)}': give one value, or KEY=VALUE once per questionnaire."
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
            raise SettingsError(f"--map '{quote(value)}': write NAME=HEADER, such as client_id='Patient no.'.")
        check_column(canonical, "--map")
        read[canonical] = header
    return read


def check_column(canonical: str, where: str) -> None:
    """Refuse a name that no column can be mapped to.

    Raises
    ------
    SettingsError
        Names the nearest, and what there is.
    """
    if canonical in ROLES or canonical in _columns(listed()):
        return
    near = nearest(canonical, [*ROLES, *_columns(listed())], most=2)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise SettingsError(
        f"{where} {quote(canonical)}: there is no such column to map.{hint} There are {', '.join(ROLES)}, item "
        "columns such as rses_1, recorded scores such as rses_total, and columns for a single questionnaire, "
        "such as rses_taken_on and rses_form."
    )


@lru_cache(maxsize=8)
def _columns(_: tuple[OwnDefinition, ...]) -> dict[str, None]:
    """Columns that belong to one questionnaire; the clinic's own files are named because they may change."""
    every = [instrument(key) for key in keys()]
    items = [column for measure in every for column in measure.item_columns()]
    scores = [f"{measure.key}_{scale.key}" for measure in every for scale in measure.scales]
    own = [f"{measure.key}_{role}" for measure in every for role in OWN_ROLES]
    return dict.fromkeys([*items, *scores, *own])
