"""Published definitions of outcome metrics, as expressions over tables of any engine.

The package knows no database and no page: ``report`` takes tables of episodes, sessions and scores (pandas,
polars, pyarrow, duckdb or pyspark) and gives rates with their denominators, intervals and bounds. From a record
the same is `mbc.care.clinic_report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mbc.lazy import public_names

if TYPE_CHECKING:
    from mbc.outcomes.cohorts import COHORTS as COHORTS
    from mbc.outcomes.cohorts import Period as Period
    from mbc.outcomes.compute import report as report
    from mbc.outcomes.definitions.definition_file import definition as definition
    from mbc.outcomes.definitions.definition_file import definitions as definitions
    from mbc.outcomes.results import Metric as Metric
    from mbc.outcomes.results import OutcomeReport as OutcomeReport

__getattr__, __dir__, _names = public_names(
    __name__,
    {
        "cohorts": ("COHORTS", "Period"),
        "compute": ("report",),
        "definitions.definition_file": ("definition",),
        "results": ("Metric", "OutcomeReport"),
    },
)
__all__ = sorted(_names)  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]
