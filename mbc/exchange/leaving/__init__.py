"""Data out: what one user may take, in the formats that others read, each with its codebook."""

from __future__ import annotations

from mbc.exchange.leaving.exporting import FORMATS, ExportReport, Format, export_record

__all__ = ["FORMATS", "ExportReport", "Format", "export_record"]
