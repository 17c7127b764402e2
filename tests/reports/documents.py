"""A printed document, read back: its text page by page, its tags, its metadata."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import pikepdf
import pypdfium2

SIGNS = "\N{SOFT HYPHEN}\ufffe\x02-"


def squeezed(text: str) -> str:
    """Text without white space and hyphens: lines are broken where the paper ends."""
    return re.sub(rf"[\s{SIGNS}]+", "", text)


@dataclass(frozen=True)
class Printed:
    """What a PDF says of itself."""

    pages: tuple[str, ...]  # text
    sizes: tuple[tuple[float, float], ...]  # millimetres
    title: str
    language: str
    marked: bool
    shows_title: bool
    part: str  # of PDF/UA
    tags: tuple[str, ...]  # in reading order
    alternatives: tuple[str | None, ...]  # of each figure
    metadata: str  # everything that is no page

    @property
    def text(self) -> str:
        return "\n".join(self.pages)


def read_pdf(content: bytes) -> Printed:
    with pypdfium2.PdfDocument(content) as document:
        pages, sizes = [], []
        for i in range(len(document)):
            page = document[i]
            words = page.get_textpage()
            pages.append(words.get_text_bounded())
            words.close()
            width, height = page.get_size()
            page.close()
            sizes.append((width * 25.4 / 72, height * 25.4 / 72))
    with pikepdf.open(io.BytesIO(content)) as pdf:
        root = pdf.Root
        elements = list(_elements(root.StructTreeRoot.K))
        metadata = root.Metadata.read_bytes().decode()
        part = re.search(r"pdfuaid:part[^0-9]*([0-9])", metadata)
        return Printed(
            pages=tuple(pages),
            sizes=tuple(sizes),
            title=str(pdf.docinfo.get("/Title")),
            language=str(root.Lang),
            marked=bool(root.MarkInfo.Marked),
            shows_title=bool(root.ViewerPreferences.DisplayDocTitle),
            part=part[1] if part else "",
            tags=tuple(tag for tag, _ in elements),
            alternatives=tuple(alt for tag, alt in elements if tag == "Figure"),
            metadata=metadata + repr({key: str(value) for key, value in pdf.docinfo.items()}),
        )


def _elements(node: pikepdf.Object) -> Iterator[tuple[str, str | None]]:
    if isinstance(node, pikepdf.Array):
        for child in node:
            yield from _elements(child)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        alt = node.get("/Alt")
        yield str(node.S)[1:], None if alt is None else str(alt)
        if "/K" in node:
            yield from _elements(node.K)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._silent += tag in ("style", "title")

    def handle_endtag(self, tag):
        self._silent -= tag in ("style", "title")

    def handle_data(self, data):
        if not self._silent:
            self.words.append(data)


@dataclass(frozen=True)
class Page:
    """What an HTML page holds."""

    tags: tuple[str, ...]
    attributes: tuple[tuple[str, str | None], ...]
    text: str


def read_html(content: str) -> Page:
    reader = _Reader()
    reader.feed(content)
    return Page(tuple(reader.tags), tuple(reader.attributes), " ".join(reader.words))
