"""What every result can do: become a table, print readably, and write its paragraph for a paper."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import polars as pl

from mbc.arguments import checked
from mbc.models.results.facts import default_columns, facts_of, headline, notes_of
from mbc.models.results.origin import Origin, origin_of
from mbc.models.results.tables import Backend, frame, html_table, number_text, text_table

if TYPE_CHECKING:
    import inspect

    from mbc.models.results.methods.paragraph import Paragraph


class Summary(str):
    """A summary as text; a notebook and the interpreter show it with its line breaks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Explained:
    """The methods that every result has; a class that cannot take another slot keeps ``_origin`` itself.

    A result class may say more than its fields do: `_columns` (its table), `_title` (what it is), `_headline` (its
    one line) and `_notes` (what to keep in mind).
    """

    __slots__ = ()
    _title: ClassVar[str] = ""  # what a summary is headed with; by default the name of the class as words

    @property
    def origin(self) -> Origin | None:
        """The call that made this result; None where it was built by hand."""
        return getattr(self, "_origin", None)

    @property
    def input_backend(self) -> Backend | None:
        """Kind of frame that came in: what `to_frame` returns unless another is requested."""
        return self.origin.backend if self.origin is not None else None

    def note_call(
        self, function: Callable[..., object], signature: inspect.Signature, arguments: Mapping[str, object]
    ) -> None:
        """Keep where this result is from; the outermost call counts."""
        parent = arguments.get("self")
        noted = origin_of(function, signature, arguments, parent if isinstance(parent, Explained) else None)
        if isinstance(parent, type(self)) and parent.origin is not None:
            noted = parent.origin
        object.__setattr__(self, "_origin", noted)
        for part in _parts(self):
            if not any(part is argument for argument in arguments.values()):
                own = part.origin or noted
                object.__setattr__(part, "_origin", replace(own, backend=noted.backend))

    def share_origin(self, other: Explained) -> None:
        """Take over where another result of the same call is from."""
        object.__setattr__(self, "_origin", other.origin)

    def _columns(self) -> Mapping[str, pl.Series | Sequence[object]]:
        """Columns of the table, by name; one row of the fields where a class does not say otherwise."""
        return default_columns(self)

    def _headline(self) -> str:
        """Give what `repr` says after the name of the class."""
        return headline(self, self._table())

    def _notes(self) -> Iterable[str]:
        """Sentences under a summary."""
        return notes_of(self)

    def _table(self) -> pl.DataFrame:
        return cast("pl.DataFrame", frame(self._columns()))

    def _facts(self) -> list[tuple[str, str]]:
        """Give what a summary lists above its table: label and value."""
        return [(name.replace("_", " "), number_text(value)) for name, value in facts_of(self).items()]

    def _all_facts(self, table: pl.DataFrame) -> list[tuple[str, str]]:
        """Give the only row of the table, where there is one only, then the facts."""
        facts = [*(_row_facts(table) if table.height == 1 else []), *self._facts()]
        return [(label, value) for label, value in facts if value]

    @checked
    def to_frame(self, *, backend: Backend | None = None) -> Any:
        """Make a table of this result.

        Parameters
        ----------
        backend : {"polars", "pandas", "pyarrow"}, optional
            Kind of table; by default the kind that came in, and polars where that was none of these. One row per
            pandas column's row keeps its index.
        """
        kind = backend or self.input_backend or "polars"
        table = frame(self._columns(), kind)
        index = None if self.origin is None else self.origin.index
        if kind == "pandas" and index is not None and len(index) == len(table):
            table.index = index
        return table

    def summary(self) -> Summary:
        """Say the result as text: what it is, its numbers, its table, what to keep in mind."""
        table = self._table()
        title = title_of(self)
        facts = self._all_facts(table)
        width = max((len(label) for label, _ in facts), default=0)
        blocks = [f"{title}\n{'=' * len(title)}"]
        if facts:
            blocks.append("\n".join(f"{label.ljust(width)}  {value}" for label, value in facts))
        if table.height != 1:
            blocks.append(text_table(table) if table.height else "(no rows)")
        notes = [note for note in self._notes() if note]
        if notes:
            blocks.append("\n".join(notes))
        return Summary("\n\n".join(blocks))

    def methods_text(self) -> str:
        """Write one paragraph for a paper: model, estimator, reference sample, versions, seed, citations."""
        return self._paragraph().text

    def bibtex(self) -> str:
        """Write the BibTeX entries of what `methods_text` cites."""
        return self._paragraph().bibtex

    def _paragraph(self) -> Paragraph:
        from mbc.models.results.methods.paragraph import paragraph_of  # noqa: PLC0415 - only a paper needs it

        return paragraph_of(self)

    def _repr_html_(self) -> str:
        """Show in a notebook: heading, numbers and table; every text is escaped."""
        table = self._table()
        facts = self._all_facts(table)
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(label)}</th>'
            f'<td style="text-align:left">{html.escape(value)}</td></tr>'
            for label, value in facts
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes() if note)
        return (
            f"<div><strong>{html.escape(title_of(self))}</strong>"
            + (f"<table><tbody>{rows}</tbody></table>" if rows else "")
            + (html_table(table) if table.height > 1 else "")
            + f"{notes}</div>"
        )

    def _short_repr(self) -> str:
        return f"{type(self).__name__}({self._headline()})"


class Result(Explained):
    """Base of frozen result classes: `Explained`, with a place for where the result is from."""

    __slots__ = ("_origin",)

    def __init_subclass__(cls, **options: Any) -> None:
        """Give the class its short repr, which a dataclass writes itself unless the class has one."""
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = _repr

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle with the call that made the result, and without the caller's rows.

        Not by `__getstate__`: on Python 3.11.2 a frozen dataclass with slots replaces the one a class has.
        """
        return _restored, (type(self), _state(self))


def title_of(result: Explained) -> str:
    """Name a result in words: its own title, or its class name.

    Examples
    --------
    >>> from mbc.models import wilson_interval
    >>> title_of(wilson_interval(3, 10))
    'Proportion'
    """
    name = type(result)._title  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  of this module's class
    return name or _words(type(result).__name__)


def _words(name: str) -> str:
    parts: list[str] = []
    for letter in name:
        if letter.isupper() and parts:
            parts.append(" ")
        parts.append(letter.lower() if parts else letter)
    return "".join(parts)


def _row_facts(table: pl.DataFrame) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), number_text(value)) for name, value in table.row(0, named=True).items()]


_NO_RESULT = frozenset({float, int, str, bool, type(None)})


def _parts(result: Explained) -> list[Explained]:
    """Results that a result holds."""
    out: list[Explained] = []
    for name in getattr(type(result), "__dataclass_fields__", ()):
        value: object = getattr(result, name)
        if type(value) in _NO_RESULT:
            continue
        if isinstance(value, Explained):
            out.append(value)
        elif isinstance(value, tuple | list):
            out += [part for part in cast("Sequence[object]", value) if isinstance(part, Explained)]
        elif isinstance(value, dict):
            out += [part for part in cast("dict[object, object]", value).values() if isinstance(part, Explained)]
    return out


_ROWS = "_table_of_rows"  # field of a fit that points to the caller's table


def _repr(self: Explained) -> str:
    return self._short_repr()  # pyright: ignore[reportPrivateUsage]


def _state(self: Explained) -> dict[str, object]:
    """Everything but the rows that a fit may point to, and the result that a method was called on."""
    state: dict[str, object] = {
        field.name: None if field.name == _ROWS else _without_rows(getattr(self, field.name))
        for field in fields(cast("Any", self))
    }
    if self.origin is not None:
        state["_origin"] = replace(self.origin, parent=None)
    return state


def _without_rows(value: Any) -> object:
    """Leave the caller's table out of a part that points to it."""
    shed = getattr(value, "without_rows", None)
    return value if shed is None else shed()


def _restored(kind: type[Result], state: Mapping[str, object]) -> Result:
    result = object.__new__(kind)
    for name, value in state.items():
        object.__setattr__(result, name, value)
    return result
