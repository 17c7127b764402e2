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
    from mbc.outcomes.record_folders import read_folders as read_folders
    from mbc.outcomes.registry.by_clinic import ClinicReports as ClinicReports
    from mbc.outcomes.registry.by_clinic import report_by_clinic as report_by_clinic
    from mbc.outcomes.registry.check_folders import RegistryCheck as RegistryCheck
    from mbc.outcomes.registry.check_folders import check_folders as check_folders
    from mbc.outcomes.registry.growth_rows import growth_rows as growth_rows
    from mbc.outcomes.results import Metric as Metric
    from mbc.outcomes.results import OutcomeReport as OutcomeReport
    from mbc.outcomes.study.pool import StudyPool as StudyPool
    from mbc.outcomes.study.pool import pool_results as pool_results
    from mbc.outcomes.study.result import StudyResult as StudyResult
    from mbc.outcomes.study.result import read_result as read_result
    from mbc.outcomes.study.result import study_result as study_result
    from mbc.outcomes.study.specification import Study as Study
    from mbc.outcomes.study.specification import read_study as read_study

__getattr__, __dir__, _names = public_names(
    __name__,
    {
        "cohorts": ("COHORTS", "Period"),
        "compute": ("report",),
        "definitions.definition_file": ("definition",),
        "record_folders": ("read_folders",),
        "registry.by_clinic": ("ClinicReports", "report_by_clinic"),
        "registry.check_folders": ("RegistryCheck", "check_folders"),
        "registry.growth_rows": ("growth_rows",),
        "results": ("Metric", "OutcomeReport"),
        "study.pool": ("StudyPool", "pool_results"),
        "study.result": ("StudyResult", "read_result", "study_result"),
        "study.specification": ("Study", "read_study"),
    },
)
__all__ = sorted(_names)  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]
