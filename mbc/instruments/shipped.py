"""What the package brings: its definition files and their sources."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from mbc.instruments.definition.definition_file import parse_sources
from mbc.instruments.definition.schema import SourceEntry

CONSTRUCTS = (  # in the order of the table: the product's centre first
    "self_esteem",
    "relationship_satisfaction",
    "attachment",
    "symptoms",
    "alliance",
    "safety",
    "goals",
)


@cache
def sources() -> dict[str, SourceEntry]:
    """Read the catalogue's ``sources.toml``."""
    return parse_sources((folder() / "sources.toml").read_text(encoding="utf-8"), "sources.toml")


@cache
def shipped() -> dict[str, Traversable]:
    """Find the definition files, by construct and then by name."""
    files: dict[str, Traversable] = {}
    for construct in CONSTRUCTS:
        inside = folder() / construct
        if inside.is_dir():
            listed = sorted(inside.iterdir(), key=lambda file: _natural(file.name.removesuffix(".toml")))
            files |= {file.name.removesuffix(".toml"): file for file in listed if file.name.endswith(".toml")}
    return files


def folder() -> Traversable:
    """Give the folder of the catalogue."""
    return files("mbc.instruments") / "catalogue"


def _natural(name: str) -> list[tuple[str, int]]:
    """Order csi4 before csi16."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", name)]
