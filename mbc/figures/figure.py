"""A figure to show, to print and to save."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mbc.arguments import accepted_by, check, checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Drawing
from mbc.figures.drawing.reword import reworded
from mbc.figures.renderers.pdf import pdf_of
from mbc.figures.renderers.svg import height_for, svg_of
from mbc.figures.renderers.text_size import lines_of
from mbc.figures.theme import PALETTES, StaticTheme, Theme, static_palette

if TYPE_CHECKING:
    import plotly.graph_objects as go

SUFFIXES = (".svg", ".pdf", ".html")
_LEAST_HEIGHT = 120.0  # pixels
_PIXELS_PER_MM = 96 / 25.4


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, interactive by Plotly or static as SVG and PDF, both drawn from the same marks.

    In a notebook it shows itself as SVG.

    Examples
    --------
    >>> from mbc import figures, models
    >>> change = models.effect_size([9, 7, 8, 9, 8], [7, 6, 7, 8, 5], higher_is_better=False)
    >>> figure = figures.forest({"Our clinic": change})
    >>> figure.plotly().data[0].name
    'Estimate'
    >>> figure.svg().startswith("<svg")
    True
    """

    drawing: Drawing

    @property
    def title(self) -> str:
        """Its title, as plain text."""
        return _unmarked(self.drawing.title)

    @property
    def caption(self) -> str:
        """What it shows, in words: its alternative text."""
        return _unmarked(self.drawing.caption)

    def plotly(self, *, theme: Theme = "light") -> go.Figure:
        """Draw with Plotly, for a page or a notebook.

        Parameters
        ----------
        theme : {"light", "dark"}
            The page it is on.
        """
        from mbc.figures.renderers.plotly_figure import plotly_of  # noqa: PLC0415 - paper needs no Plotly

        check({"theme": theme}, {"theme": accepted_by(Theme)}, FigureError)
        return plotly_of(self.drawing, PALETTES[theme])

    @checks(error=FigureError)
    def svg(self, *, theme: StaticTheme = "print", width: float | None = None, height: float | None = None) -> str:
        """Draw as SVG: for paper, a journal or a document.

        Parameters
        ----------
        theme : {"print", "light", "dark"}
            Ink alone, or the colours of a page.
        width, height : float, optional
            Millimetres; about 170 by 106 unless given. Words keep their size (12 pixels, 9 points), so that a
            figure for a column of 85 mm is drawn for that width instead of being made smaller; at another width it
            grows as tall as its key then needs, unless a height is given.

        Returns
        -------
        str
            With ``<title>`` and ``<desc>``, text as text in fonts by name, no script and nothing from outside; the
            same bytes for the same figure.
        """
        return svg_of(self._sized(width, height), static_palette(theme))

    @checks(error=FigureError)
    def pdf(
        self, *, theme: StaticTheme = "print", width: float | None = None, height: float | None = None
    ) -> bytes:
        """Draw as PDF of one page that the figure fills; options as for `svg`.

        Raises
        ------
        FigureError
            If Typst is not installed: it comes with the extra ``reports``.
        """
        drawing = self._sized(width, height)
        svg = svg_of(drawing, static_palette(theme))
        return pdf_of(svg, width=drawing.width, height=drawing.height, title=self.title, caption=self.caption)

    @checks(error=FigureError)
    def save(
        self,
        path: Any,
        *,
        theme: StaticTheme | None = None,
        width: float | None = None,
        height: float | None = None,
    ) -> Path:
        """Save under a name; its suffix says as what.

        Parameters
        ----------
        path : str or path
            Ends in ``.svg``, ``.pdf`` or ``.html`` (interactive, with Plotly's program inside: about 5 MB). A file
            that is there is replaced.
        theme : {"print", "light", "dark"}, optional
            ``"print"`` unless given; a page is ``"light"`` or ``"dark"``.
        width, height : float, optional
            Millimetres, of SVG and PDF.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        FigureError
            If the suffix is another, or the folder cannot be written to.
        """
        if not isinstance(path, str | Path):
            raise FigureError(f"path must be a file name that ends in {_listed()}, got {type(path).__name__}.")
        place = Path(path)
        require_suffix(place)
        content = self.content(place.suffix, theme=theme, width=width, height=height)
        try:
            place.write_bytes(content)
        except OSError as fault:
            raise FigureError(f"{place} cannot be written: {fault.strerror}.") from None
        return place

    def content(
        self,
        suffix: str,
        *,
        theme: StaticTheme | None = None,
        width: float | None = None,
        height: float | None = None,
    ) -> bytes:
        """Give what `save` writes into a file whose name ends in a suffix; options as there."""
        if suffix.lower() == ".html":
            return self._page(theme, width, height)
        if suffix.lower() == ".svg":
            return self.svg(theme=theme or "print", width=width, height=height).encode()
        return self.pdf(theme=theme or "print", width=width, height=height)

    def _page(self, theme: StaticTheme | None, width: float | None, height: float | None) -> bytes:
        if theme == "print":
            raise FigureError("theme='print' is for .svg and .pdf; an HTML page is 'light' or 'dark'.")
        if width is not None or height is not None:
            raise FigureError("width and height are for .svg and .pdf; an HTML page fills its window.")
        figure: Any = self.plotly(theme=theme or "light")
        return str(figure.to_html(include_plotlyjs=True, div_id="figure")).encode()

    def _sized(self, width: float | None, height: float | None) -> Drawing:
        drawing = self.drawing
        if width is not None:
            drawing = replace(drawing, width=_pixels("width", width, drawing.least_width))
            drawing = replace(drawing, height=height_for(self.drawing, drawing.width))
        return drawing if height is None else replace(drawing, height=_pixels("height", height, _LEAST_HEIGHT))

    def reworded(self, words: Mapping[str, str]) -> Figure:
        """Write other words: names of axes, of lines in the key, of rows; in another language, for example.

        Parameters
        ----------
        words : mapping of str to str
            Each text in the figure, and its replacement.

        Raises
        ------
        FigureError
            If a text is not in the figure.

        Examples
        --------
        >>> from mbc import figures, models
        >>> figure = figures.forest({"A": models.wilson_interval(8, 10)})
        >>> figure.reworded({"A (n = 10)": "Klinik A", "Estimates with intervals": "Gebesserte Klienten"}).title
        'Gebesserte Klienten'
        """
        return Figure(reworded(self.drawing, words))

    def __repr__(self) -> str:
        return f"Figure: {self.title}. {self.caption}"

    def _repr_html_(self) -> str:
        return f'<div style="max-width:{self.drawing.width:g}px">{self.svg(theme="light")}</div>'


def require_suffix(place: Path) -> None:
    """Refuse a file whose name does not say as what a figure is saved.

    Raises
    ------
    FigureError
        If its suffix is another than .svg, .pdf or .html.
    """
    if place.suffix.lower() not in SUFFIXES:
        raise FigureError(
            f"A figure is saved as {_listed()}; got {place.name!r}. Use one of these file name endings."
        )


def _pixels(name: str, value: float, least: float) -> float:
    if not value * _PIXELS_PER_MM >= least:
        millimetres = math.ceil(least / _PIXELS_PER_MM)
        raise FigureError(f"{name} must be at least {millimetres} mm for the text of this figure, got {value:g}.")
    return value * _PIXELS_PER_MM


def _listed() -> str:
    return f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"


def _unmarked(text: str) -> str:
    return " ".join("".join(run for run, _ in line) for line in lines_of(text))
