"""What is printed: documents made from the values that the pages show, as PDF and as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mbc.lazy import public_names

if TYPE_CHECKING:
    from mbc.reports.catalogue import languages as languages
    from mbc.reports.clinic_report import clinic_document as clinic_document
    from mbc.reports.clinician_review import client_report as client_report
    from mbc.reports.clinician_review import review_document as review_document
    from mbc.reports.couples_summary import couples_report as couples_report
    from mbc.reports.document import Document as Document
    from mbc.reports.measures_on_screen import measures_explanation as measures_explanation
    from mbc.reports.measures_sheet import measures_report as measures_report
    from mbc.reports.paper_sheet import paper_document as paper_document
    from mbc.reports.plain_summary import client_summary as client_summary

__getattr__, __dir__, _names = public_names(
    __name__,
    {
        "catalogue": ("languages",),
        "clinic_report": ("clinic_document",),
        "clinician_review": ("client_report", "review_document"),
        "measures_on_screen": ("measures_explanation",),
        "measures_sheet": ("measures_report",),
        "plain_summary": ("client_summary",),
        "couples_summary": ("couples_report",),
        "document": ("Document",),
        "paper_sheet": ("paper_document",),
    },
)
__all__ = sorted(_names)  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]
