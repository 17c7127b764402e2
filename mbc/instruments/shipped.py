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
    "check_in",
)
_OWN = "check_in"  # the construct whose questionnaires are mbc's own


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


@cache
def shipped_wording(key: str) -> dict[str, Traversable]:
    """Find the wording of a questionnaire that mbc has written, by language; every other's is its authors'."""
    inside = folder() / _OWN
    pattern = re.compile(rf"{re.escape(key)}\.([A-Za-z-]+)\.csv")
    files = ((pattern.fullmatch(file.name), file) for file in inside.iterdir())
    return {match[1]: file for match, file in files if match}


def folder() -> Traversable:
    """Give the folder of the catalogue."""
    return files("mbc.instruments") / "catalogue"


def _natural(name: str) -> list[tuple[str, int]]:
    """Order csi4 before csi16."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", name)]
