"""How much room words take, and what their markup says."""

from __future__ import annotations

import html
import re

# Advance widths of Helvetica (and of Arial and Liberation Sans, which are metrically the same), in thousandths of
# the font size, for the characters 32 to 126: Adobe's published font metrics of Helvetica.
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_OTHER = 610  # a character outside that range
_BOLD = 1.07  # bold letters are wider by about so much
_SPARE = 1.17  # where none of these is installed, DejaVu Sans or the like stands in, which is wider

Run = tuple[str, bool]  # words, and whether they are bold


def lines_of(text: str) -> list[list[Run]]:
    """Read the markup of a text: lines of runs.

    Examples
    --------
    >>> lines_of("<b>Self-esteem</b> (n = 40)<br>R&amp;D")
    [[('Self-esteem', True), (' (n = 40)', False)], [('R&D', False)]]
    """
    lines: list[list[Run]] = [[]]
    bold = False
    for part in re.split(r"(</?b>|<br>)", text):
        if part == "<br>":
            lines.append([])
        elif part in {"<b>", "</b>"}:
            bold = part == "<b>"
        elif part:
            lines[-1].append((html.unescape(part), bold))
    return lines


def broken(text: str, width: float, size: float) -> str:
    """Break a text at words so that its lines fit a width; a word that is longer keeps its line.

    Examples
    --------
    >>> broken("Deviation of those who left", 100, 13)
    'Deviation of<br>those who left'
    """
    lines: list[str] = []
    for word in re.split(r" (?!%)", text):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "<br>".join(lines)


def width_of(text: str, size: float) -> float:
    """Estimate how wide a text is, in the unit of the font size; the widest of its lines.

    Examples
    --------
    >>> round(width_of("Score", 10), 1)
    30.6
    """
    return (
        max(sum(_run_width(words, bold=bold) for words, bold in line) for line in lines_of(text)) * size * _SPARE
    )


def _run_width(words: str, *, bold: bool) -> float:
    total = sum(_WIDTHS[ord(c) - 32] if 32 <= ord(c) <= 126 else _OTHER for c in words)
    return total / 1000 * (_BOLD if bold else 1.0)
