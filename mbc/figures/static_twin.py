"""A chart of the pages on paper: the marks of a Plotly figure read back, so that both show the same."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Area, Axis, Bars, Dash, Drawing, Mark, Panel, Rule, Series, Symbol, Text
from mbc.figures.drawing.ticks import day_ticks, number_ticks
from mbc.figures.figure import Figure
from mbc.figures.renderers.text_size import lines_of
from mbc.figures.results.accepted import kind_of
from mbc.figures.text import plain
from mbc.figures.theme import PALETTES, Palette

Json = Mapping[str, Any]
_SYMBOLS = frozenset(get_args(Symbol))
_DASHES = frozenset(get_args(Dash))
_NO_TITLE = "Figure"
_ROLES = (
    "ink",
    "score",
    "quiet",
    "cutoff",
    "goal",
    "course",
    "noise",
    "growth",
    "hard",
    "neutral",
    "grid",
    "paper",
)


@checks(error=FigureError)
def static(figure: object, *, title: str | None = None) -> Figure:
    """Put a chart of the pages on paper.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure, or the same as a dictionary
        From `trajectory_figure`, `goals_figure` or `outcomes_figure`.
    title : str, optional
        Instead of the chart's own; empty for none.

    Returns
    -------
    Figure
        Every mark, tick, line of the key and word of the chart, its values read from the chart itself.

    Raises
    ------
    FigureError
        If it contains something that cannot be drawn on paper, rather than leaving it out.

    Examples
    --------
    >>> from mbc import figures
    >>> figure = figures.static(figures.goals_figure([]), title="Goals")
    >>> figure.caption
    'No goal on record.'
    """
    described = _described(figure)
    layout = _inside(described, "layout")
    meta = _inside(layout, "meta")
    reader = _Reader(_palette(layout), layout, cast("Sequence[Json]", described.get("data") or ()))
    own = str(meta.get("title") or _legend_title(layout))
    return Figure(
        Drawing(
            plain(own if title is None else title) or _NO_TITLE,
            plain(str(meta.get("caption") or "")),
            reader.panels(),
            height=float(layout.get("height") or 400),
        )
    )


def _described(figure: object) -> Json:
    """Give a figure as plain dictionaries."""
    source: Any = figure
    if hasattr(source, "to_plotly_json"):
        source = source.to_plotly_json()
    if isinstance(source, Mapping) and "data" in source and "layout" in source:
        return cast("Json", source)
    raise FigureError(
        "figures.static draws a chart of the pages, as trajectory_figure, goals_figure and outcomes_figure make "
        f"it; got {kind_of(figure)}. Figures of results have .svg() themselves."
    )


def _inside(about: Json, name: str) -> Json:
    """Give what a name holds, or nothing."""
    return cast("Json", about.get(name) or {})


def _palette(layout: Json) -> Palette:
    paper = layout.get("paper_bgcolor")
    return next((palette for palette in PALETTES.values() if palette.paper == paper), PALETTES["light"])


def _legend_title(layout: Json) -> str:
    text = str(_inside(_inside(layout, "legend"), "title").get("text") or "")
    return " ".join("".join(run for run, _ in line) for line in lines_of(text))


@dataclass
class _Reader:
    """What is read from one figure; its colours come back as roles of the palette it was drawn with."""

    palette: Palette
    layout: Json
    traces: Sequence[Json]
    marks: dict[tuple[str, str], list[Mark]] = field(default_factory=dict[tuple[str, str], list[Mark]])
    titles: dict[str, str] = field(default_factory=dict[str, str])

    def panels(self) -> tuple[Panel, ...]:
        """Read all marks, by the axes they lie on."""
        for name in self.layout:
            if match := re.fullmatch(r"yaxis(\d*)", name):
                y = f"y{match[1]}"
                self.marks.setdefault((str(self._axis_layout(y).get("anchor") or "x"), y), [])
        for trace in sorted(self.traces, key=lambda about: about.get("legendrank") or 1000):
            self._add_trace(trace)
        for shape in cast("Iterable[Json]", self.layout.get("shapes") or ()):
            self._add_shape(shape)
        for note in cast("Iterable[Json]", self.layout.get("annotations") or ()):
            self._add_note(note)
        return tuple(self._panel(x, y, marks) for (x, y), marks in self.marks.items())

    def _panel(self, x: str, y: str, marks: Sequence[Mark]) -> Panel:
        across, up = self._domain(x), self._domain(y)
        x_axis, y_axis = self._axis(x), self._axis(y)
        if str(self._axis_layout(x).get("anchor") or "y") != y:  # drawn with another panel
            x_axis = replace(x_axis, visible=False)
        return Panel(x_axis, y_axis, tuple(marks), across, up, self.titles.get(y, ""))

    def _domain(self, name: str) -> tuple[float, float]:
        low, high = self._axis_layout(name).get("domain") or (0.0, 1.0)
        return float(low), float(high)

    def _axis_layout(self, name: str) -> Json:
        return cast("Json", self.layout.get(f"{name[0]}axis{name[1:]}") or {})

    def _axis(self, name: str) -> Axis:
        about = self._axis_layout(name)
        values = [value for trace in self.traces for value in self._of_axis(trace, name)]
        days = about.get("type") == "date" or any(isinstance(value, dt.date) for value in values)
        if about.get("range"):
            start, end = (position(value) for value in about["range"])
        else:
            known = [at for at in map(position, values) if at is not None]
            days = days and bool(known)  # without any day there is no calendar to show
            low, high = min(known, default=0.0), max(known, default=1.0)
            room = 0.05 * ((high - low) or 1.0)
            start, end = low - room, high + room
        if start is None or end is None:
            raise FigureError(f"The range of {name} cannot be read: {about.get('range')!r}.")
        return Axis(
            start,
            end,
            str(_inside(about, "title").get("text") or ""),
            self._ticks(about, start, end, days=days),
            grid=about.get("showgrid") is not False,
            line=bool(about.get("showline")),
            visible=about.get("visible") is not False,
            days=days,
        )

    def _of_axis(self, trace: Json, name: str) -> Sequence[object]:
        own = trace.get(f"{name[0]}axis") or name[0]
        return list(trace.get(name[0]) or ()) if own == name else []

    def _ticks(self, about: Json, start: float, end: float, *, days: bool) -> tuple[tuple[float, str], ...]:
        if about.get("showticklabels") is False:
            return ()
        low, high = min(start, end), max(start, end)
        if about.get("tickvals") is not None:
            places = [at for at in map(position, about["tickvals"]) if at is not None]
            words = about.get("ticktext") or [f"{at:g}" for at in places]
            return tuple((at, str(word)) for at, word in zip(places, words, strict=True))
        most = int(about.get("nticks") or 6)
        return day_ticks(low, high, most=most) if days else number_ticks(
            low, high, most=most, suffix=str(about.get("ticksuffix") or "")
        )  # fmt: skip

    def _add_trace(self, trace: Json) -> None:
        if trace.get("type", "scatter") != "scatter":
            raise FigureError(f"A trace of type {trace['type']!r} cannot be drawn on paper; only 'scatter' can.")
        key = (str(trace.get("xaxis") or "x"), str(trace.get("yaxis") or "y"))
        marks = self.marks.setdefault(key, [])
        if trace.get("fill") is None:
            marks += self._series(trace)
        elif trace["fill"] == "toself":
            marks.append(self._area(trace))
        else:
            raise FigureError(f"A trace filled {trace['fill']!r} cannot be drawn on paper; only 'toself' can.")

    def _in_key(self, trace: Json) -> bool:
        return self.layout.get("showlegend") is not False and trace.get("showlegend") is not False

    def _series(self, trace: Json) -> list[Mark]:
        modes = str(trace.get("mode") or "lines").split("+")
        line, marker = _inside(trace, "line"), _inside(trace, "marker")
        x, y = (tuple(position(value) for value in trace.get(name) or ()) for name in ("x", "y"))
        name = str(trace.get("name") or "")
        several = isinstance(marker.get("color"), list | tuple)
        colours = list(cast("Sequence[str]", marker["color"])) if several else []
        own: Any = colours[0] if colours else marker.get("color")
        series = Series(
            x,
            y,
            name,
            self._role(cast("str | None", line.get("color") if "lines" in modes else own)),
            _known(str(line.get("dash") or "solid"), _DASHES, "dash") if "lines" in modes else None,  # pyright: ignore[reportArgumentType]
            float(line.get("width") or 2),
            symbols=self._symbols(marker) if "markers" in modes else (),
            size=float(marker.get("size") or 6),
            colours=tuple(self._role(colour) for colour in colours),
            bars=self._bars(trace, x),
            key=self._in_key(trace),
            key_group="below" if trace.get("legend") == "legend2" else "above",
        )
        return [series, *self._words(trace, x, y)] if "text" in modes else [series]

    def _symbols(self, marker: Json) -> tuple[Symbol, ...]:
        symbols = marker.get("symbol") or "circle"
        names = [symbols] if isinstance(symbols, str) else list(symbols)
        return cast("tuple[Symbol, ...]", tuple(_known(str(symbol), _SYMBOLS, "marker") for symbol in names))

    def _words(self, trace: Json, x: Sequence[float | None], y: Sequence[float | None]) -> Iterable[Text]:
        place = str(trace.get("textposition") or "middle center")
        up, side = place.split()
        vertical = {"top": "bottom", "bottom": "top"}.get(up, "middle")
        shift = (2.0 if vertical != "middle" else 9.0, {"top": 3.0, "bottom": -3.0}.get(up, 0.0))
        if side != "right":
            raise FigureError(f"Text at {place!r} of a point cannot be drawn on paper; only to its right.")
        for at, value, words in zip(x, y, trace.get("text") or (), strict=True):
            if at is not None and value is not None and words:
                yield Text(at, value, str(words), vertical=cast("Any", vertical), shift=shift)

    def _bars(self, trace: Json, x: Sequence[float | None]) -> Bars | None:
        if trace.get("error_y"):
            raise FigureError("Error bars upwards cannot be read from a chart; only bars along x can.")
        about = _inside(trace, "error_x")
        if not about:
            return None
        up, down = list(about["array"]), list(about.get("arrayminus") or about["array"])
        lower = tuple(None if at is None else at - by for at, by in zip(x, down, strict=True))
        return Bars(lower, tuple(None if at is None else at + by for at, by in zip(x, up, strict=True)), "x")

    def _area(self, trace: Json) -> Area:
        line = _inside(trace, "line")
        pattern = _inside(trace, "fillpattern")
        colour = str(pattern.get("fgcolor") if pattern else trace.get("fillcolor"))
        x, y = (tuple(at for at in map(position, trace[name]) if at is not None) for name in ("x", "y"))
        return Area(
            x,
            y,
            str(trace.get("name") or ""),
            self._role(colour),
            opacity_of(colour),
            None
            if not line.get("width")
            else cast("Dash", _known(str(line.get("dash") or "solid"), _DASHES, "dash")),
            hatch=bool(pattern),
            key=self._in_key(trace),
        )

    def _add_shape(self, shape: Json) -> None:
        x, y = (str(shape.get(f"{name}ref") or name).removesuffix(" domain") for name in ("x", "y"))
        line = _inside(shape, "line")
        start, end = position(shape["x0"]), position(shape["x1"])
        if shape.get("type") != "line" or start != end or start is None or shape.get("yref") != f"{y} domain":
            raise FigureError("Only lines from the foot to the top of a panel can be read from a chart's shapes.")
        dash = cast("Dash", _known(str(line.get("dash") or "solid"), _DASHES, "dash"))
        rule = Rule(
            start, "x", colour=self._role(line.get("color")), dash=dash, width=float(line.get("width") or 1)
        )
        self.marks.setdefault((x, y), []).append(rule)

    def _add_note(self, note: Json) -> None:
        x_reference, y_reference = str(note.get("xref") or "x"), str(note.get("yref") or "y")
        if (x_reference, y_reference) == ("paper", "paper"):
            self._add_title(note)
            return
        x, y = x_reference.removesuffix(" domain"), y_reference.removesuffix(" domain")
        at, value = position(note["x"]), position(note["y"])
        if at is None or value is None:
            raise FigureError(f"The place of the words {note.get('text')!r} cannot be read.")
        horizontal = str(note.get("xanchor") or "center")
        vertical = str(note.get("yanchor") or "middle")
        text = Text(
            at,
            value,
            str(note.get("text") or ""),
            "data" if x == x_reference else "panel",
            "data" if y == y_reference else "panel",
            cast("Any", horizontal),
            cast("Any", vertical),
            (float(note.get("xshift") or 0), float(note.get("yshift") or 0)),
            float(_inside(note, "font").get("size") or 12),
            background=note.get("bgcolor") is not None,
        )
        self.marks.setdefault((x, y), []).append(text)

    def _add_title(self, note: Json) -> None:
        """Read the title of a panel, which stands at its top."""
        for _, y in self.marks:
            if abs(self._domain(y)[1] - float(note["y"])) < 1e-9:
                self.titles[y] = str(note.get("text") or "")
                return
        raise FigureError(f"The words {note.get('text')!r} are not above any panel.")

    def _role(self, colour: str | None) -> str:
        """Find what a colour stands for, so that paper can show the same in ink."""
        if colour is None:
            return "ink"
        red_green_blue = _channels(colour)
        for role in _ROLES:
            if _channels(getattr(self.palette, role)) == red_green_blue:
                return "quiet" if role == "noise" else role
        raise FigureError(f"The colour {colour!r} is not one of the palette, and cannot be drawn on paper.")


def _known(word: str, accepted: frozenset[str], what: str) -> str:
    if word not in accepted:
        raise FigureError(
            f"The {what} {word!r} cannot be drawn on paper; these can: {', '.join(sorted(accepted))}."
        )
    return word


def position(value: object) -> float | None:
    """Give a coordinate as a number; a day is its ordinal.

    Examples
    --------
    >>> position(dt.date(2025, 1, 6)), position(dt.datetime(2025, 1, 6, 12)), position(3), position(None)
    (739257.0, 739257.5, 3.0, None)
    """
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            raise FigureError(f"A coordinate must be a number or a day, got {value!r}.") from None
    if isinstance(value, dt.datetime):
        seconds = value.hour * 3600 + value.minute * 60 + value.second
        return value.toordinal() + seconds / 86400
    if isinstance(value, dt.date):
        return float(value.toordinal())
    return float(cast("float", value))


def _channels(colour: str) -> tuple[int, int, int]:
    if colour.startswith("#"):
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    red, green, blue = re.findall(r"\d+(?:\.\d+)?", colour)[:3]
    return int(red), int(green), int(blue)


def opacity_of(colour: str) -> float:
    """Read the opacity of a colour.

    Examples
    --------
    >>> opacity_of("rgba(107,114,128,0.14)"), opacity_of("#ffffff")
    (0.14, 1.0)
    """
    return float(colour.rstrip(")").split(",")[3]) if colour.startswith("rgba") else 1.0
