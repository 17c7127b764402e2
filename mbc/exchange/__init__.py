"""Data in and out: files are read, checked row by row and shown as a plan before anything is stored."""

from __future__ import annotations

from mbc.exchange.export.write import ExportReport, export_record
from mbc.exchange.header.options import ImportOptions, Layout
from mbc.exchange.plan.import_plan import ImportPlan, PlannedOutcome
from mbc.exchange.plan.plan_import import plan_import, read_plan
from mbc.exchange.whole_record.import_record import RecordImport, import_record

__all__ = [
    "ExportReport",
    "ImportOptions",
    "ImportPlan",
    "Layout",
    "PlannedOutcome",
    "RecordImport",
    "export_record",
    "import_record",
    "plan_import",
    "read_plan",
]
