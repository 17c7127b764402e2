"""What is wrong with a definition file of one's own: everything at once, with its line and its repair."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from mbc.errors import DefinitionError, nearest
from mbc.instruments.definition import consistency as checks
from mbc.instruments.definition.build import build
from mbc.instruments.definition.definition import Instrument
from mbc.instruments.definition.definition_file import describe_fault
from mbc.instruments.definition.schema import InstrumentEntry
from mbc.instruments.own.fault_keys import line_of, path_of
from mbc.instruments.own.lines import Path as KeyPath
from mbc.instruments.own.lines import lines
from mbc.instruments.own.syntax import explain
from mbc.instruments.shipped import shipped, sources

# Tables that say something of their own: without one that is faulty, the rest can still be held together.
_MEMBERS = {"cutoff", "norm", "reliability", "change", "flag", "fact"}
_WHOLE = {"change_norm", "bands", "missing", "disputes", "procedures", "needs"}
_APART = {"name", "summary", "recall", "loinc", "confidence", "construct", "safety_channel"}
_STAND_IN: Mapping[str, Any] = {"licence": {"status": "free"}, "key": "own", "version": "own"}
_ROUNDS = 20
_LATER = "Ranges, bands and sources are checked once this is corrected."


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and its repair."""

    text: str
    line: int | None  # from 1; None: it is about the file as a whole, or about what is absent


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at a file found."""

    name: str
    instrument: Instrument | None  # None where anything is wrong
    faults: tuple[Fault, ...]
    text: str  # of the file
    note: str | None = None  # what was not looked at yet


def check(path: str | Path, *, in_folder: bool = False) -> Checked:
    """Find every fault of a definition file.

    Parameters
    ----------
    path : str or Path
        A TOML file. It may cite the catalogue's sources, and bring its own under ``[sources.*]``.
    in_folder : bool
        Whether it is found by its name, so that key and name must be the same.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        return Checked(file.name, None, (Fault(f"cannot be read as UTF-8 text: {fault}.", None),), "")
    return check_text(text, file.name, in_folder=in_folder)


def check_text(text: str, name: str, *, in_folder: bool = False) -> Checked:
    """Find every fault of a definition that was read already; ``name`` is its file's, for messages."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as fault:  # no TOML, or numbers or tables without end
        number, message = explain(str(fault), text)
        return Checked(name, None, (Fault(message, number),), text)
    faults_found, note = _faults(data, text, Path(name), in_folder=in_folder)
    faults = sorted(faults_found, key=lambda fault: fault.line or 0)
    made = None if faults else build(text, name, sources())
    return Checked(name, made, tuple(faults), text, note)


def read(path: str | Path, *, in_folder: bool = False) -> Instrument:
    """Read a definition file; parameters as in ``check``.

    Raises
    ------
    DefinitionError
        Telling every fault, with its line.
    """
    checked = check(path, in_folder=in_folder)
    if checked.instrument is not None:
        return checked.instrument
    fault_lines = [f"line {fault.line}, {fault.text}" if fault.line else fault.text for fault in checked.faults]
    if len(fault_lines) == 1:
        only = fault_lines[0]
        raise DefinitionError(f"{checked.name} {only}" if only.startswith("cannot") else f"{checked.name}, {only}")
    listed = "\n".join(f"  - {line}" for line in fault_lines)
    raise DefinitionError(f"{checked.name} has {len(fault_lines)} faults:\n{listed}")


def _faults(data: dict[str, Any], text: str, file: Path, *, in_folder: bool) -> tuple[list[Fault], str | None]:
    """Faults of form, then of what the file says; the second of as much as the first left standing."""
    where = lines(text)
    data = _licence_as_table(data)
    schema_faults = [
        Fault(describe_fault(InstrumentEntry, data, error), line_of(where, cast("KeyPath", error["loc"])))
        for error in _errors(data)
    ]
    sound = _sound(data)
    if sound is None:
        return schema_faults, _LATER
    entry = _entry(sound)
    messages = [*checks.faults(entry, sources())]
    if "key" in data and entry.key == data["key"]:
        messages += _own(entry, file, in_folder=in_folder)
    messages = [
        message
        for message in messages
        if not any(message != other and message.endswith(other) for other in messages)
    ]
    return [
        *schema_faults,
        *(Fault(message, line_of(where, path_of(data, message))) for message in messages),
    ], None


def _own(entry: InstrumentEntry, file: Path, *, in_folder: bool) -> Iterator[str]:
    """Tell whether a file of one's own has a key of its own, or says whose place it takes."""
    if in_folder and entry.key != file.stem:
        yield f"key: is {entry.key!r}; in a folder it must be the file's name, {file.stem!r}. Rename one of them."
    if entry.replaces is None:
        if entry.key in shipped():
            yield (
                f"key: {entry.key!r} is a built-in instrument; choose another, such as 'my_{entry.key}', or "
                f'replace it deliberately: replaces = "{entry.key}".'
            )
        return
    if entry.replaces not in shipped():
        near = nearest(entry.replaces, shipped(), most=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        yield f"replaces: {entry.replaces!r} is not a built-in instrument.{hint} Correct it, or remove the line."
    elif entry.replaces != entry.key:
        yield f"replaces: is {entry.replaces!r}, but key is {entry.key!r}; a replacement must have the same key."
    elif entry.version == _version(entry.key):
        yield (
            f"version: is {entry.version!r}, the same as the built-in; records must distinguish the two. "
            f"Give another, such as '{entry.version}-own'."
        )


def _version(key: str) -> str:
    return build(shipped()[key].read_text(encoding="utf-8"), f"{key}.toml", sources()).version


def _sound(data: dict[str, Any]) -> dict[str, Any] | None:
    """Copy without what is faulty, where the rest can be judged without it; None where it cannot."""
    left = copy.deepcopy(data)
    for _ in range(_ROUNDS):
        errors = _errors(left)
        if not errors:
            return left
        # From the end, so that removing a member leaves the places of those before it.
        for error in sorted(errors, key=lambda error: [str(step).zfill(4) for step in error["loc"]], reverse=True):
            if not _mended(left, error):
                return None
    return None


def _mended(data: dict[str, Any], error: Mapping[str, Any]) -> bool:
    loc = cast("KeyPath", error["loc"])
    if error["type"] == "extra_forbidden":
        return _removed(data, loc)
    apart = next((depth for depth, step in enumerate(loc) if step in _MEMBERS | _WHOLE), None)
    if apart is not None:
        if loc[apart] in {"norm", "reliability"}:
            _removed(data, (*loc[:apart], "change_norm"))
        single = loc[apart] in _MEMBERS and len(loc) > apart + 1
        return _removed(data, loc[: apart + 2] if single else loc[: apart + 1])
    if loc[0] in _STAND_IN:
        data[str(loc[0])] = _STAND_IN[str(loc[0])]
        return True
    if loc[0] == "source":
        data["source"] = next(iter(sources()))
        return True
    return loc[0] in _APART and _removed(data, loc[:1])


def _removed(data: dict[str, Any], path: KeyPath) -> bool:
    here: Any = data
    for step in path[:-1]:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            return True  # gone with something around it
    if isinstance(here, dict):
        cast("dict[str | int, Any]", here).pop(path[-1], None)
    elif isinstance(here, list) and isinstance(path[-1], int):
        del cast("list[Any]", here)[path[-1] : path[-1] + 1]
    return True


def _errors(data: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        _entry(data)
    except ValidationError as fault:
        return [dict(error) for error in fault.errors(include_url=False)]
    return []


def _entry(data: dict[str, Any]) -> InstrumentEntry:
    # By way of JSON, where strict reading still takes an array for a tuple.
    return InstrumentEntry.model_validate_json(json.dumps(data, default=str))


def _licence_as_table(data: dict[str, Any]) -> dict[str, Any]:
    """Expand a bare status to its table."""
    return data | {"licence": {"status": data["licence"]}} if isinstance(data.get("licence"), str) else data
