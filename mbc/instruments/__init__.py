"""What is asked and how it is scored.

The package is also the public function of that name: ``mbc.instruments()`` is the table of the catalogue.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from mbc.errors import MbcError
from mbc.instruments.applicability import RelationshipStatus, applicable
from mbc.instruments.definition.definition import (
    Applicability,
    Coding,
    Form,
    Instrument,
    Item,
    Licence,
    Missing,
    RiskFlag,
    Scale,
    Source,
)
from mbc.instruments.definition.sourced_numbers import (
    Band,
    ChangeNorm,
    Confidence,
    Cutoff,
    Fact,
    Norm,
    PublishedChange,
    Reliability,
)
from mbc.instruments.library import CONSTRUCTS, all_keys, instrument, instruments, keys, load_file
from mbc.instruments.scoring.response_patterns import phq9_algorithm
from mbc.instruments.scoring.risk_flags import risk_flags
from mbc.instruments.scoring.score_frame import keyed_items, refused_answers, score, score_stated
from mbc.instruments.scoring.targets import across_targets

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
    "Fact",
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
    "across_targets",
    "all_keys",
    "applicable",
    "instrument",
    "instruments",
    "keyed_items",
    "keys",
    "load_file",
    "phq9_algorithm",
    "refused_answers",
    "risk_flags",
    "score",
    "score_stated",
]


class _CallablePackage(ModuleType):
    def __call__(self, *arguments: object, **options: object) -> pl.DataFrame:
        """Table of the catalogue."""
        if arguments or options:
            named = next((each for each in (*arguments, *options.values()) if isinstance(each, str)), "rses")
            raise MbcError(
                "mbc.instruments() lists the catalogue and takes no argument. For one questionnaire call "
                f"mbc.instrument({named!r}); filter the table for several."
            )
        return instruments()


sys.modules[__name__].__class__ = _CallablePackage
