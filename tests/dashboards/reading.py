"""How the tests read a layout: what it says, and which components are in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from dash.development.base_component import Component


def parts(layout: object) -> Iterator[object]:
    """Every component and text of a layout, in reading order."""
    if isinstance(layout, Sequence) and not isinstance(layout, str):
        for one in layout:
            yield from parts(one)
        return
    yield layout
    if isinstance(layout, Component):
        children = getattr(layout, "children", None)
        yield from parts([] if children is None else children)


def text_of(layout: object) -> str:
    """What a layout says."""
    return " ".join(str(one) for one in parts(layout) if isinstance(one, (str, int, float)))


def named(layout: object, name: object) -> Component:
    """The component with an id."""
    return next(one for one in parts(layout) if isinstance(one, Component) and getattr(one, "id", None) == name)


def of_kind(layout: object, kind: str) -> list[Component]:
    """Components of a kind, such as "H1"."""
    return [one for one in parts(layout) if isinstance(one, Component) and type(one).__name__ == kind]


def ids_of(layout: object) -> set[str]:
    """Every id of a layout; of a pattern, its type."""
    found = (getattr(one, "id", None) for one in parts(layout) if isinstance(one, Component))
    return {pattern(one) for one in found if one is not None}


def pattern(name: object) -> str:
    """Write an id so that every member of a pattern is the same."""
    if isinstance(name, str) and name.startswith("{"):
        name = json.loads(name)
    return f"pattern {name['type']}" if isinstance(name, dict) else str(name)
