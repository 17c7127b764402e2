"""Where a result is from: which function was called, with which options, and which kind of table came in."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any, cast

from mbc.models.results.tables import Backend, kind_of_table

_PLAIN = frozenset({str, int, float, bool, type(None)})
_MOST = 50  # names in a list of columns; a longer one is data


@dataclass(frozen=True, slots=True)
class Origin:
    """The call that made a result. It holds options and names of columns, never scores."""

    function: str  # "growth_curve", "GrowthCurve.predict_client"
    given: Mapping[str, object]
    defaults: Mapping[str, object]
    backend: Backend | None  # kind of table that came in; None: lists, arrays, a table that is not in memory
    parent: Any = field(default=None, repr=False)  # the result whose method was called
    index: Any = field(default=None, repr=False)  # of the first pandas column, where it names the rows

    def option(self, name: str, default: object = None) -> Any:
        """Give an option as it was passed, or the function's own default."""
        if name in self.given:
            return self.given[name]
        return self.defaults.get(name, default)


def origin_of(
    function: Callable[..., object], signature: inspect.Signature, arguments: Mapping[str, object], parent: object
) -> Origin:
    """Note a call: its options and the kind of its first table.

    Parameters
    ----------
    function, signature
        What was called.
    arguments : mapping
        What was passed, by name.
    parent : object
        The result whose method it is, None otherwise.
    """
    given: dict[str, object] = {}
    backend: Backend | None = None
    for name, value in arguments.items():
        if type(value) in _PLAIN:  # a name, a setting; a positional number is a score
            if type(value) is str or signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY:
                given[name] = value
            continue
        backend = backend or kind_of_table(value)
        if _is_option(value):
            given[name] = value
    if backend is None:
        backend = next(
            (kind for value in arguments.values() if (kind := getattr(value, "input_backend", None))), None
        )
    index = _index_of(arguments.values()) if backend == "pandas" else None
    return Origin(function.__qualname__, given, _defaults(function), backend, parent, index)


def _index_of(values: Iterable[object]) -> Any:
    """Index of the first pandas column; None where it only counts the rows."""
    for value in values:
        if type(value).__name__ == "Series" and kind_of_table(value) == "pandas":
            index = cast("Any", value).index
            return None if type(index).__name__ == "RangeIndex" else index
    return None


@functools.lru_cache(maxsize=512)
def _defaults(function: Callable[..., object]) -> Mapping[str, object]:
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }


def _is_option(value: object) -> bool:
    """Keep lists of names, and frozen settings such as norms; no data, no result."""
    if isinstance(value, tuple | list):
        members: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return len(members) <= _MOST and all(isinstance(member, str) for member in members)
    return is_dataclass(value) and not isinstance(value, type) and not hasattr(value, "methods_text")
