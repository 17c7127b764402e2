"""What is asked and how it is scored.

The package is also the public function of that name: ``mbc.instruments()`` is the table of the catalogue.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from mbc.instruments.applicability import RelationshipStatus, applicable
from mbc.instruments.definition import (
    Applicability,
    Band,
    ChangeNorm,
    Coding,
    Confidence,
    Cutoff,
    Form,
    Instrument,
    Item,
    Licence,
    Missing,
    Norm,
    PublishedChange,
    Reliability,
    RiskFlag,
    Scale,
    Source,
)
from mbc.instruments.library import CONSTRUCTS, instrument, instruments, keys, load_file
from mbc.instruments.scoring import keyed_items, refused_answers, risk_flags, score

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "CONSTRUCTS",
    "Applicability",
    "Band",
    "ChangeNorm",
    "Coding",
    "Confidence",
    "Cutoff",
    "Form",
    "Instrument",
    "Item",
    "Licence",
    "Missing",
    "Norm",
    "PublishedChange",
    "RelationshipStatus",
    "Reliability",
    "RiskFlag",
    "Scale",
    "Source",
    "applicable",
    "instrument",
    "instruments",
    "keyed_items",
    "keys",
    "load_file",
    "refused_answers",
    "risk_flags",
    "score",
]


class _CallablePackage(ModuleType):
    def __call__(self) -> pl.DataFrame:
        """Table of the catalogue."""
        return instruments()


sys.modules[__name__].__class__ = _CallablePackage
