"""A document as one self-contained HTML page: style and figures are included, there is no script."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from mbc.reports.document import (
    Block,
    Columns,
    Document,
    Heading,
    Items,
    NewSheet,
    Notice,
    Paragraph,
    Picture,
    Table,
    Words,
)

STYLE = Path(__file__).with_name("sheet.css")


def html_of(document: Document) -> str:
    """Write a document as HTML; the same bytes every time."""
    running = "  \N{MIDDLE DOT}  ".join(document.running)
    # what stands on every sheet of a print of this page
    margins = f"@page {{ @bottom-left {{ content: {_quoted(running)}; }} }}"
    return (
        f'<!DOCTYPE html>\n<html lang="{_text(document.language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{_text(document.title)}</title>\n"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}{margins}\n</style>\n</head>\n<body>\n<main>\n"
        f'<header><h1>{_text(document.title)}</h1><p class="facts">{_text(document.facts)}</p></header>\n'
        f"{_blocks(document.blocks)}\n</main>\n<footer><p>{_text(running)}</p></footer>\n</body>\n</html>\n"
    )


def _quoted(text: str) -> str:
    r"""Write text as a CSS string inside a style element.

    Examples
    --------
    >>> print(_quoted("a </style>"))
    "a \3c /style\3e "
    """
    return '"' + "".join(f"\\{ord(sign):x} " if sign in '"\\<>&\n' else sign for sign in text) + '"'


def _text(text: str) -> str:
    return html.escape(text)


def _words(words: Words) -> str:
    if isinstance(words, str):
        return _text(words)
    return "".join(f"<strong>{_text(run.text)}</strong>" if run.strong else _text(run.text) for run in words)


def _blocks(blocks: Sequence[Block]) -> str:
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:  # noqa: PLR0911 - one kind after the other
    match block:
        case Heading():
            return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
        case Paragraph():
            return f'<p class="{block.style}">{_words(block.words)}</p>'
        case Items():
            tag = "ol" if block.numbered else "ul"
            return f"<{tag}>{''.join(_items(block))}</{tag}>"
        case Table():
            return _table(block)
        case Picture():
            return f'<div class="picture" style="max-width:{1.3 * block.width:g}mm">{block.svg.strip()}</div>'
        case Notice():
            return f'<p class="notice">{_words(block.words)}</p>'
        case NewSheet():
            return '<hr class="new-sheet">'
        case Columns():
            shares = " ".join(f"minmax(0, {share:g}fr)" for share in block.widths)
            cells = "".join(f"<div>{_blocks(cell)}</div>" for cell in block.cells)
            return f'<div class="columns" style="grid-template-columns:{shares}">{cells}</div>'


def _items(block: Items) -> Iterable[str]:
    for words, below in block.items:
        yield f"<li>{_words(words)}" + (f"<br><small>{_text(below)}</small>" if below else "") + "</li>"


def _table(block: Table) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in block.headings)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{_words(cell)}</th>' if i == 0 else f"<td>{_words(cell)}</td>"
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in block.rows
    )
    caption = f"<caption>{_text(block.caption)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
