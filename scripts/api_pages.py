"""Fill the pages of docs/reference with the public names: a hook of MkDocs, called when the site is built.

A page holds a line such as ``<!-- public names of mbc.care: table, entries -->``. ``table`` becomes a table of the
names with a sentence each, ``entries`` what mkdocstrings knows of each, ``families`` the same under a heading for
each folder of the package. The names are those in ``__all__``, or each public class and function of a module that
has none, so that no list of names is kept by hand.
"""

from __future__ import annotations

import importlib
import inspect
import re
from itertools import groupby
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

PLACE = re.compile(r"^<!-- public names of ([\w.]+): ([\w, ]+) -->$", re.MULTILINE)
LEFT_OUT = {"__version__"}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each placeholder by what it asks for."""
    return PLACE.sub(lambda found: filled(found[1], found[2].split(", ")), markdown)


def filled(package: str, kinds: list[str]) -> str:
    """Write what a placeholder asks for."""
    writers = {"table": table, "entries": entries, "families": families}
    return "\n\n".join(writers[kind](package) for kind in kinds)


def public_names(package: ModuleType) -> list[str]:
    """Name what a package offers to others."""
    listed = getattr(package, "__all__", None)
    if listed is None:
        listed = [
            name
            for name, value in vars(package).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == package.__name__
        ]
    return [name for name in listed if name not in LEFT_OUT]


def homes(package: str) -> dict[str, str]:
    """Find where each public name that is no module is defined; in the order of the alphabet."""
    names = public_names(importlib.import_module(package))
    found = {name: home(package, name, offered(package, name)) for name in names}
    return {name: found[name] for name in sorted(found, key=str.casefold) if not is_module(found[name])}


def table(package: str) -> str:
    """Write a table of the names, each with the first sentence of its docstring."""
    about = {name: summary(offered(package, name)) for name in homes(package)}
    rows = [f"| [`{name}`][{place}] | {about[name]} |" for name, place in homes(package).items()]
    return "\n".join(["| name | what it is |", "|---|---|", *rows])


def summary(value: object) -> str:
    """Take the first sentence of a docstring; a plain value has none."""
    if get_origin(value) is Literal:
        return f"One of {', '.join(f'`{choice!r}`' for choice in get_args(value))}."
    if not callable(value):
        return "A constant."
    first = (inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ")
    return first.replace("``", "`").replace("|", "\\|")


def entries(package: str) -> str:
    """Write one entry for each public name."""
    return "\n\n".join(entry(name, place) for name, place in homes(package).items())


def families(package: str) -> str:
    """Write the entries under a heading for each folder or module of the package."""
    depth = package.count(".") + 1
    found = homes(package)
    ordered = sorted(found, key=lambda name: family(found[name], depth))
    parts: list[str] = []
    for heading, names in groupby(ordered, key=lambda name: family(found[name], depth)):
        parts += [f"## {heading}", *(entry(name, found[name], level=3) for name in names)]
    return "\n\n".join(parts)


def offered(package: str, name: str) -> object:
    """Load a public name. ``mbc.instruments`` is a package and a function: then the function is meant."""
    value = getattr(importlib.import_module(package), name)
    return getattr(value, name) if inspect.ismodule(value) and callable(value) else value


def home(package: str, name: str, value: object) -> str:
    """Find where something is defined; a constant does not know, and is named by its package."""
    if inspect.isclass(value) or inspect.isfunction(value):
        return f"{value.__module__}.{value.__qualname__}"
    if inspect.ismodule(value):
        return value.__name__
    return f"{package}.{name}"


def is_module(place: str) -> bool:
    """Tell whether a name is a module, which has a page of its own."""
    try:
        importlib.import_module(place)
    except ModuleNotFoundError:
        return False
    return True


def family(place: str, depth: int) -> str:
    """Name the folder or module of a package that something is in, as a heading."""
    return place.split(".")[depth].replace("_", " ").capitalize()


def entry(name: str, place: str, *, level: int = 2) -> str:
    """Write the entry of one name for mkdocstrings."""
    options = (f'heading: "{name}"', f'toc_label: "{name}"', f"heading_level: {level}")
    return "\n".join([f"::: {place}", "    options:", *(f"      {option}" for option in options)])
