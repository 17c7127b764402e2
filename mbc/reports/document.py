"""A document before it is set: blocks of words, tables and figures, read alike as PDF and as HTML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mbc.arguments import accepted_by, check
from mbc.errors import ReportError
from mbc.exchange.files.output import new_file

Paper = Literal["a4", "us-letter"]
SUFFIXES = (".pdf", ".html")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of words in one weight."""

    text: str
    strong: bool = False


Words = str | tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below the title; level 2 is the highest."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words; ``lead`` is larger, ``quiet`` smaller."""

    words: Words
    style: Literal["plain", "lead", "quiet"] = "plain"


@dataclass(frozen=True, slots=True)
class Items:
    """A list; each item is words, and smaller words below them."""

    items: tuple[tuple[Words, str], ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its caption is read aloud first."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Words, ...], ...]
    widths: tuple[float, ...] = ()  # shares of the width; equal unless given


@dataclass(frozen=True, slots=True)
class Picture:
    """A vector figure with its alternative text."""

    svg: str = field(repr=False)
    alt: str
    width: float  # millimetres on paper


@dataclass(frozen=True, slots=True)
class Notice:
    """Words in a frame: a warning, a condition."""

    words: Words


@dataclass(frozen=True, slots=True)
class Columns:
    """Blocks next to each other, row by row; each cell is read to its end before the next."""

    cells: tuple[tuple[Block, ...], ...]
    widths: tuple[float, ...]  # shares of the width, as many as there are columns


@dataclass(frozen=True, slots=True)
class NewSheet:
    """What follows begins a new sheet of paper."""


Block = Heading | Paragraph | Items | Table | Picture | Notice | Columns | NewSheet


@dataclass(frozen=True, slots=True)
class Document:
    """A report that can be saved as PDF or as HTML, with the same words and figures in both.

    The same document has the same bytes every time it is set.
    """

    kind: str  # "client", "summary" ...
    title: str
    language: str  # "en"
    day: dt.date  # on which the record was read
    facts: str  # stands next to the title
    running: tuple[str, ...]  # on every sheet: who, which day, which version, where the lines come from
    page_words: str  # "page {page} of {pages}"
    layouts: tuple[tuple[Block, ...], ...]  # from roomy to dense; the first that fits is set
    most_sheets: int
    sizes: tuple[float, ...] = (9.5,)  # of the letters in each layout, points; the last also for those after it

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Everything it says, in its roomiest layout."""
        return self.layouts[0]

    def pdf(self, *, paper: Paper = "a4") -> bytes:
        """Set as tagged PDF (PDF/UA-1).

        Parameters
        ----------
        paper : {"a4", "us-letter"}

        Raises
        ------
        ReportError
            If Typst is not installed, or the content does not fit on as many sheets as it may have.
        """
        from mbc.reports.render.typst_pdf import pdf_of  # noqa: PLC0415 - HTML needs no Typst

        check({"paper": paper}, {"paper": accepted_by(Paper)}, ReportError)
        return pdf_of(self, paper)

    def html(self) -> str:
        """Write as one self-contained HTML page: style and figures are included, there is no script."""
        from mbc.reports.render.html_page import html_of  # noqa: PLC0415 - PDF needs no HTML

        return html_of(self)

    def content(self, suffix: str, *, paper: Paper = "a4") -> bytes:
        """Give the bytes of a file whose name ends so: ``.pdf`` or ``.html``."""
        return self.html().encode() if suffix.lower() == ".html" else self.pdf(paper=paper)

    def save(self, path: Any, *, paper: Paper = "a4") -> Path:
        """Save under a name that ends in ``.pdf`` or ``.html``; a file that is there is replaced.

        The file is written completely or not at all, and only its owner may read it.

        Raises
        ------
        ReportError
            If the name has another ending, or there is no such folder.
        SettingsError
            If the file cannot be written.
        """
        place = checked_path(path)
        write_report(place, self.content(place.suffix, paper=paper))
        return place


def write_report(place: Path, content: bytes) -> None:
    """Write the bytes of a report, completely or not at all, for its owner only."""
    with new_file(place, force=True) as temporary:
        temporary.write_bytes(content)


def checked_path(path: Any, *, also: tuple[str, ...] = ()) -> Path:
    """Check that a report can be saved under a name; ``also`` are endings that are accepted too.

    Raises
    ------
    ReportError
        If it does not end in ``.pdf`` or ``.html``, or its folder does not exist.

    Examples
    --------
    >>> checked_path("review.pdf").suffix
    '.pdf'
    """
    if not isinstance(path, str | Path):
        raise ReportError(f"path must be a file name that ends in .pdf or .html, got {type(path).__name__}.")
    place = Path(path)
    accepted = (*SUFFIXES, *also)
    if place.suffix.lower() not in accepted:
        endings = f"{', '.join(accepted[:-1])} or {accepted[-1]}"
        raise ReportError(
            f"A report is saved as {endings}; got {place.name!r}. Use one of these file name endings."
        )
    if not place.parent.is_dir():
        raise ReportError(f"The folder {place.parent} does not exist. Make it first.")
    return place


def plain_words(words: Words) -> str:
    """Give words without their weights.

    Examples
    --------
    >>> plain_words((Run("On track", strong=True), Run(", clearly better")))
    'On track, clearly better'
    """
    return words if isinstance(words, str) else "".join(run.text for run in words)


def all_words(blocks: Sequence[Block]) -> list[str]:
    """List every stretch of words in some blocks, in reading order; alternative texts included.

    Examples
    --------
    >>> all_words([Heading("Goals"), Items((("Sleep", "from 2 to 5"),))])
    ['Goals', 'Sleep', 'from 2 to 5']
    """
    parts: list[str] = []
    for block in blocks:
        match block:
            case Heading():
                parts.append(block.text)
            case Paragraph() | Notice():
                parts.append(plain_words(block.words))
            case Items():
                parts += [part for words, below in block.items for part in (plain_words(words), below)]
            case Table():
                cells = (cell for row in block.rows for cell in row)
                parts += [block.caption, *block.headings, *(plain_words(cell) for cell in cells)]
            case Picture():
                parts.append(block.alt)
            case NewSheet():
                pass
            case Columns():
                parts += [part for cell in block.cells for part in all_words(cell)]
    return [part for part in parts if part]
