"""A static figure as PDF: the SVG set on a page of its size by Typst, without a browser."""

from __future__ import annotations

import datetime as dt
import importlib
from typing import Any

from mbc.distribution import install_hint
from mbc.errors import FigureError

_PAGE = """
#set document(title: sys.inputs.title, date: none)
#set page(width: {width}pt, height: {height}pt, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", width: 100%, alt: sys.inputs.caption)
"""
_POINTS = 0.75  # in a CSS pixel
_DAWN = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # no clock in the file: the same figure has the same bytes


def pdf_of(svg: str, *, width: float, height: float, title: str, caption: str) -> bytes:
    """Set an SVG on a page of its own size.

    Raises
    ------
    FigureError
        If Typst is not installed.
    """
    try:
        typst: Any = importlib.import_module("typst")
    except ImportError:
        raise FigureError(
            f"PDF needs the Typst package. To install: {install_hint('reports')}. "
            "SVG needs nothing else: save under a name that ends in .svg."
        ) from None
    page = _PAGE.format(width=f"{width * _POINTS:g}", height=f"{height * _POINTS:g}")
    inputs = {"svg": svg, "title": title, "caption": caption}
    return bytes(typst.compile(page.encode(), format="pdf", sys_inputs=inputs, timestamp=_DAWN))
