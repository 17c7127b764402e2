"""To which key of a file a fault belongs, so that its line can be named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from mbc.instruments.own.lines import Path

_LISTS = {"item": "items"}  # how messages call a member -> the list it is in
_NAMES = ("key", "id", "item", "scale", "population", "label")  # keys by which a member may be called
_NUMBERS = ("value", "points")  # numbers by which one may be called


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Line of a key, or of the nearest table around it that is in the file."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


def path_of(data: Mapping[str, Any], fault: str) -> Path:
    """Path that a fault speaks of: ``scale 'total', missing.at_most: is 9; ...``.

    Examples
    --------
    >>> data = {"scale": [{"key": "total", "range": [0, 6], "cutoff": [{"value": 9}]}]}
    >>> path_of(data, "scale 'total', range[2]: is 'six'"), path_of(data, "scale 'total', cutoff 9: lies outside")
    (('scale', 0, 'range', 1), ('scale', 0, 'cutoff', 0))
    """
    where = re.split(r":(?:\s|$)", fault, maxsplit=1)[0]
    last = "occurs twice" in fault
    quoted = re.search(r": '([^']*)' does not exist", fault)
    path: Path = ()
    here: Any = data
    for part in where.split(", "):
        step = _member(here, part, last=last) or _keys(here, part, quoted[1] if quoted else None)
        if not step:
            break
        path = (*path, *step)
        for key in step:
            here = _inside(here, key)
    return path


def _member(here: Any, part: str, *, last: bool) -> Path:
    """Find ``scale 'total'`` or ``cutoff 9`` in the list of that name."""
    parsed = re.fullmatch(r"(\w+) (?:'([^']*)'|(-?[\d.]+)|number (\d+))", part)
    if not parsed:
        return ()
    name = _LISTS.get(parsed[1], parsed[1])
    listed = _inside(here, name)
    if not isinstance(listed, list):
        return _mention(here, parsed[2] or "") if parsed[1] == "item" else ()
    members = list(enumerate(cast("list[Any]", listed)))
    if parsed[4]:
        return (name, int(parsed[4]) - 1)
    for place, member in reversed(members) if last else members:
        if _is_called(member, parsed[2], parsed[3]):
            return (name, place)
    return (name,)


def _is_called(member: Any, name: str | None, number: str | None) -> bool:
    if name is not None:
        return any(_inside(member, key) == name for key in _NAMES)
    return any(
        isinstance(value := _inside(member, key), int | float) and value == float(number or "nan")
        for key in _NUMBERS
    )


def _mention(here: Any, item: str) -> Path:
    """Find an item that only a scale's list names."""
    for place, scale in enumerate(cast("list[Any]", _inside(here, "scale") or [])):
        named = _inside(scale, "items")
        if isinstance(named, list) and item in named:
            return ("scale", place, "items", cast("list[Any]", named).index(item))
    return ()


def _keys(here: Any, part: str, quoted: str | None) -> Path:
    """Find ``missing.at_most``, ``range[2]``, and ``norm.source`` by the source it names."""
    path: Path = ()
    for key in part.split("."):
        parsed = re.fullmatch(r"(\w+)(?:\[(\d+)\])?", key)
        if not parsed:
            return path
        if isinstance(here, list):
            place = _with(cast("list[Any]", here), parsed[1], quoted)
            if place is None:
                return path
            path, here = (*path, place), here[place]
        path, here = (*path, parsed[1]), _inside(here, parsed[1])
        if parsed[2]:
            path, here = (*path, int(parsed[2]) - 1), _inside(here, int(parsed[2]) - 1)
    return path


def _with(members: list[Any], key: str, value: str | None) -> int | None:
    return next((place for place, member in enumerate(members) if _inside(member, key) == value), None)


def _inside(here: Any, key: str | int) -> Any:
    if isinstance(here, dict):
        return cast("dict[str | int, Any]", here).get(key)
    if isinstance(here, list) and isinstance(key, int):
        listed = cast("list[Any]", here)
        return listed[key] if 0 <= key < len(listed) else None
    return None
