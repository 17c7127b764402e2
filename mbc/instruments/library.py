"""Which instruments there are: the catalogue that is shipped, and files of one's own."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import polars as pl

from mbc.arguments import checks
from mbc.errors import DefinitionError, UnknownInstrument, nearest
from mbc.instruments.definition.build import build
from mbc.instruments.definition.definition import Instrument
from mbc.instruments.own import check as checking
from mbc.instruments.own import folders
from mbc.instruments.own.folders import OwnDefinition, OwnFile
from mbc.instruments.own.recorded import RecordedDefinition, read_recorded
from mbc.instruments.shipped import CONSTRUCTS, shipped, sources

__all__ = ["CONSTRUCTS", "all_keys", "instrument", "instruments", "keys", "load_file", "origin", "sources"]

Origin = Literal["built-in", "own", "own, in place of the built-in"]


def instrument(key: str) -> Instrument:
    """One instrument of the catalogue or of your own, read and checked on first use.

    Parameters
    ----------
    key : str
        ``"rses"``, ``"csi16"`` ...; ``mbc.instruments()`` lists them.

    Raises
    ------
    UnknownInstrument
        If there is no such key; the nearest are named.
    DefinitionError
        If it is your own, and its file is wrong.

    Examples
    --------
    >>> rses = instrument("rses")
    >>> rses.main_scale.range, rses.form("b").order[:3]
    ((0.0, 30.0), ('i7', 'i3', 'i9'))
    """
    catalogue = _catalogue()
    if not isinstance(key, str) or key not in catalogue:  # pyright: ignore[reportUnnecessaryIsInstance]
        near = nearest(str(key), catalogue)
        hint = f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
        raise UnknownInstrument(
            f"There is no instrument {key!r}.{hint} Known: {', '.join(catalogue)}. `mbc instruments` lists them."
        )
    return _load(key)


def instruments() -> pl.DataFrame:
    """Table of the catalogue: key, name, construct, items, scales, licence.

    Examples
    --------
    >>> instruments().columns
    ['key', 'name', 'construct', 'items', 'scales', 'licence']
    """
    loaded = [_load(key) for key in all_keys()]
    return pl.DataFrame(
        {
            "key": [definition.key for definition in loaded],
            "name": [definition.name for definition in loaded],
            "construct": [definition.construct for definition in loaded],
            "items": [len(definition.items) for definition in loaded],
            "scales": [", ".join(scale.key for scale in definition.scales) for definition in loaded],
            "licence": [definition.licence.status for definition in loaded],
        }
    )


def all_keys() -> tuple[str, ...]:
    """List the keys of the catalogue, by construct and then by name."""
    return tuple(_catalogue())


def keys() -> tuple[str, ...]:
    """List the keys of the questionnaires: what has items to be answered, so not a person's own goals."""
    return _questionnaires(folders.listed())


@lru_cache(maxsize=8)
def _questionnaires(own: tuple[OwnDefinition, ...]) -> tuple[str, ...]:
    return tuple(key for key in _merged(own) if _load(key).kind == "questionnaire")


@checks(error=DefinitionError)
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
    return checking.read(path)


def origin(key: str) -> Origin:
    """Whether a key means what the package brings, a definition of your own, or yours in its place."""
    if key not in folders.by_key(folders.listed()):
        return "built-in"
    return "own, in place of the built-in" if key in shipped() else "own"


def own_text(key: str) -> str | None:
    """Text of the definition of one's own that a key means: from a folder, or of the record in use.

    Without white space at the ends of lines: not every format that a record travels in keeps it.

    Returns
    -------
    str or None
        None for a built-in, and where there is no such key.

    Raises
    ------
    DefinitionError
        If the file cannot be read.
    """
    own = folders.by_key(folders.listed()).get(key)
    if own is None or isinstance(own, RecordedDefinition):
        return None if own is None else own.text
    try:
        lines = Path(own.path).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise DefinitionError(f"{own.path} cannot be read as UTF-8 text: {fault}.") from None
    return "\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n"


def _load(key: str) -> Instrument:
    file = _catalogue()[key]
    if isinstance(file, RecordedDefinition):
        return read_recorded(file)
    return _read_own(file) if isinstance(file, OwnFile) else _read_shipped(key)


@lru_cache(maxsize=256)
def _read_own(file: OwnFile) -> Instrument:
    return checking.read(file.path, in_folder=True)


@cache
def _read_shipped(key: str) -> Instrument:
    file = shipped()[key]
    made = build(file.read_text(encoding="utf-8"), file.name, sources())
    if made.key != key:
        raise DefinitionError(f"{file.name}, key: is {made.key!r}; it must be the file's name, {key!r}.")
    return made


def _catalogue() -> dict[str, Traversable | OwnDefinition]:
    """Join what is shipped and what is one's own; a replacement takes the place of the built-in."""
    return _merged(folders.listed())


@lru_cache(maxsize=8)
def _merged(own: tuple[OwnDefinition, ...]) -> dict[str, Traversable | OwnDefinition]:
    return {**shipped(), **folders.by_key(own)}
