"""Which instruments there are: the catalogue that is shipped, and files of one's own."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import polars as pl

from mbc.errors import DefinitionError, UnknownInstrument, nearest
from mbc.instruments.building import build
from mbc.instruments.definition import Instrument
from mbc.instruments.reading import parse_sources
from mbc.instruments.schema import SourceEntry

CONSTRUCTS = (  # in the order of the table: the product's centre first
    "self_esteem",
    "relationship_satisfaction",
    "attachment",
    "symptoms",
    "alliance",
    "safety",
    "goals",
)


def instrument(key: str) -> Instrument:
    """One instrument of the catalogue, read and checked when first asked for.

    Parameters
    ----------
    key : str
        ``"rses"``, ``"csi16"`` ...; ``mbc.instruments()`` lists them.

    Raises
    ------
    UnknownInstrument
        If the catalogue has no such key; the nearest are named.

    Examples
    --------
    >>> rses = instrument("rses")
    >>> rses.main_scale.range, rses.form("b").order[:3]
    ((0.0, 30.0), ('i7', 'i3', 'i9'))
    """
    known = _catalogue()
    if key not in known:
        near = nearest(str(key), known)
        hint = f" Did you mean {' or '.join(repr(one) for one in near)}?" if near else ""
        raise UnknownInstrument(
            f"There is no instrument {key!r}.{hint} Known: {', '.join(known)}. `mbc instruments` explains them."
        )
    return _load(key)


def instruments() -> pl.DataFrame:
    """Table of the catalogue: key, name, construct, items, scales, licence.

    Examples
    --------
    >>> instruments().columns
    ['key', 'name', 'construct', 'items', 'scales', 'licence']
    """
    loaded = [_load(key) for key in _catalogue()]
    return pl.DataFrame(
        {
            "key": [one.key for one in loaded],
            "name": [one.name for one in loaded],
            "construct": [one.construct for one in loaded],
            "items": [len(one.items) for one in loaded],
            "scales": [", ".join(scale.key for scale in one.scales) for one in loaded],
            "licence": [one.licence.status for one in loaded],
        }
    )


def keys() -> tuple[str, ...]:
    """List the keys of the catalogue, by construct and then by name."""
    return tuple(_catalogue())


def load_file(path: str | Path) -> Instrument:
    """Read one definition of your own; ``score`` takes the result in place of a key.

    Parameters
    ----------
    path : str or Path
        A TOML file. It may cite the catalogue's sources, and bring its own under ``[sources.*]``.

    Raises
    ------
    DefinitionError
        If the file cannot be read, is wrong, or takes the key of a built-in instrument.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise DefinitionError(f"{file.name} cannot be read as UTF-8 text: {fault}.") from None
    made = build(text, file.name, sources())
    if made.key in _catalogue():
        raise DefinitionError(
            f"{file.name}, key: {made.key!r} is a built-in instrument; choose another, such as 'my_{made.key}'."
        )
    return made


@cache
def sources() -> dict[str, SourceEntry]:
    """Read the catalogue's ``sources.toml``."""
    return parse_sources((_folder() / "sources.toml").read_text(encoding="utf-8"), "sources.toml")


@cache
def _load(key: str) -> Instrument:
    file = _catalogue()[key]
    made = build(file.read_text(encoding="utf-8"), file.name, sources())
    if made.key != key:
        raise DefinitionError(f"{file.name}, key: is {made.key!r}; it must be the file's name, {key!r}.")
    return made


@cache
def _catalogue() -> dict[str, Traversable]:
    found: dict[str, Traversable] = {}
    for construct in CONSTRUCTS:
        folder = _folder() / construct
        if folder.is_dir():
            listed = sorted(folder.iterdir(), key=lambda file: _natural(file.name))
            found |= {file.name.removesuffix(".toml"): file for file in listed if file.name.endswith(".toml")}
    return found


def _natural(name: str) -> list[tuple[str, int]]:
    """Order csi4 before csi16."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", name)]


def _folder() -> Traversable:
    return files("mbc.instruments") / "catalogue"
