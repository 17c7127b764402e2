"""A document as tagged PDF, set by Typst without a browser and without a font of this machine."""

from __future__ import annotations

import atexit
import datetime as dt
import functools
import importlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mbc.distribution import install_hint
from mbc.errors import ReportError
from mbc.figures.renderers.svg_shapes import FONTS
from mbc.reports.document import (
    Block,
    Columns,
    Document,
    Heading,
    Items,
    NewSheet,
    Notice,
    Paper,
    Paragraph,
    Picture,
    Table,
    Words,
)

TEMPLATE = Path(__file__).with_name("sheet.typ")
STANDARD = "ua-1"
_FONT_PACKAGE = "font_source_sans_pro"
_FONT_FILES = (
    "SourceSansPro-Regular.otf",
    "SourceSansPro-It.otf",
    "SourceSansPro-Semibold.otf",
    "SourceSansPro-Bold.otf",
)
_FAMILY = "Source Sans Pro"


def pdf_of(document: Document, paper: Paper) -> bytes:
    """Set a document in the first of its layouts that fits.

    Raises
    ------
    ReportError
        If Typst is not installed, or none fits.
    """
    compiler = _compiler()
    moment = dt.datetime.combine(
        document.day, dt.time(), dt.UTC
    )  # no clock in the file: the same bytes every time
    sheets = 0
    for i, blocks in enumerate(document.layouts):
        size = document.sizes[min(i, len(document.sizes) - 1)]
        inputs = {"document": json.dumps(_data(document, blocks, paper, size), ensure_ascii=False, sort_keys=True)}
        content = compiler.compile(format="pdf", sys_inputs=inputs, timestamp=moment, pdf_standards=[STANDARD])
        sheets = int(json.loads(compiler.query("<sheets>", field="value", one=True)))
        if sheets <= document.most_sheets:
            return bytes(content)
    raise ReportError(
        f"The {document.kind} report has {sheets} sheets; the limit is {document.most_sheets}. "
        "Save it under a name that ends in .html instead."
    )


def _compiler() -> Any:
    """Make a compiler that knows the fonts of its packages only: the same bytes on every machine."""
    try:
        typst: Any = importlib.import_module("typst")
        fonts = _fonts()
    except ImportError:
        raise ReportError(
            f"PDF needs the Typst package and a font. To install: {install_hint('reports')}. "
            "HTML needs nothing else: save under a name that ends in .html."
        ) from None
    return typst.Compiler(str(TEMPLATE), font_paths=fonts)


@functools.cache
def _fonts() -> Any:
    typst: Any = importlib.import_module("typst")
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[_font_folder()])


@functools.cache
def _font_folder() -> str:
    """Lay out the four fonts that are used: their package has many more, in two formats of the same name."""
    spec = importlib.util.find_spec(_FONT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(_FONT_PACKAGE)
    source = Path(spec.submodule_search_locations[0]) / "files"
    folder = tempfile.mkdtemp(prefix="mbc-fonts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in _FONT_FILES:
        shutil.copy(source / name, folder)
    return folder


def _data(document: Document, blocks: Sequence[Block], paper: Paper, size: float) -> dict[str, object]:
    return {
        "title": document.title,
        "language": document.language,
        "day": [document.day.year, document.day.month, document.day.day],
        "facts": document.facts,
        "running": list(document.running),
        "page_words": document.page_words,
        "paper": paper,
        "size": size,
        "blocks": [_block(block) for block in blocks],
    }


def _block(block: Block) -> dict[str, object]:  # noqa: PLR0911 - one kind after the other
    match block:
        case Heading():
            return {"kind": "heading", "text": block.text, "level": block.level}
        case Paragraph():
            return {"kind": "paragraph", "words": _runs(block.words), "style": block.style}
        case Items():
            items = [{"words": _runs(words), "below": below} for words, below in block.items]
            return {"kind": "items", "items": items, "numbered": block.numbered}
        case Table():
            return {
                "kind": "table",
                "headings": list(block.headings),
                "rows": [[{"words": _runs(cell)} for cell in row] for row in block.rows],
                "widths": list(block.widths or (1.0,) * len(block.headings)),
            }
        case Picture():
            svg = block.svg.replace(FONTS, _FAMILY)
            return {"kind": "picture", "svg": svg, "alt": block.alt, "width": block.width}
        case Notice():
            return {"kind": "notice", "words": _runs(block.words)}
        case NewSheet():
            return {"kind": "new sheet"}
        case Columns():
            cells = [[_block(part) for part in cell] for cell in block.cells]
            return {"kind": "columns", "cells": cells, "widths": list(block.widths)}


def _runs(words: Words) -> list[dict[str, object]]:
    if isinstance(words, str):
        return [{"text": words, "strong": False}]
    return [{"text": run.text, "strong": run.strong} for run in words]
