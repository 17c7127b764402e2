"""Which arguments a public function accepts: read from its type hints and checked at every call."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import PurePath
from typing import Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin

from mbc.errors import MbcError, ModelError, nearest

P = ParamSpec("P")
R = TypeVar("R")

# Parameters that are proportions or correlations wherever they occur: lowest, highest, whether these two count.
PROPORTIONS: Mapping[str, tuple[float, float, bool]] = {
    "confidence": (0.0, 1.0, False),
    "level": (0.0, 1.0, False),
    "alpha": (0.0, 1.0, False),
    "reliability": (0.0, 1.0, True),
    "correlation": (-1.0, 1.0, True),
    "true_correlation": (-1.0, 1.0, True),
    "autoregression": (-1.0, 1.0, True),
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a type hint accepts, as far as it can be checked without knowing what the argument means."""

    words: tuple[object, ...] = ()
    number: bool = False
    integer: bool = False
    boolean: bool = False
    text: bool = False
    nothing: bool = False  # None
    other: bool = False  # tables, columns and whatever else the function itself reads
    each: Accepted | None = None  # of a list, what its members may be
    length: int | None = None  # of a list, where it is fixed
    classes: tuple[type, ...] = ()  # whose instances are accepted

    def __or__(self, other: Accepted) -> Accepted:
        return Accepted(
            (*self.words, *other.words),
            self.number or other.number,
            self.integer or other.integer,
            self.boolean or other.boolean,
            self.text or other.text,
            self.nothing or other.nothing,
            self.other or other.other,
            self.each or other.each,
            self.length or other.length,
            (*self.classes, *other.classes),
        )


def accepted_by(hint: object) -> Accepted:
    """Read a type hint.

    Examples
    --------
    >>> accepted_by(Literal["mean", "prediction"]).words
    ('mean', 'prediction')
    >>> accepted_by(float | None).number, accepted_by(float | None).nothing
    (True, True)
    """
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        return functools.reduce(Accepted.__or__, map(accepted_by, get_args(hint)))
    if origin is Literal:
        return Accepted(words=get_args(hint))
    if origin in {Sequence, list, Iterable}:
        return Accepted(each=accepted_by(get_args(hint)[0]))
    if origin is tuple:
        members = [member for member in get_args(hint) if member is not Ellipsis]
        length = None if Ellipsis in get_args(hint) else len(members)
        return Accepted(each=functools.reduce(Accepted.__or__, map(accepted_by, members)), length=length)
    simple: dict[object, Accepted] = {
        float: Accepted(number=True),
        int: Accepted(integer=True),
        bool: Accepted(boolean=True),
        str: Accepted(text=True),
        type(None): Accepted(nothing=True),
    }
    if not isinstance(hint, type):
        return Accepted(other=True)
    own = dataclasses.is_dataclass(hint) or issubclass(hint, PurePath)
    return Accepted(classes=(hint,)) if own else simple.get(hint, Accepted(other=True))


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Make a public function refuse arguments that its type hints do not allow, before it does anything.

    Words of a ``Literal`` must be among those listed; numbers must be finite, proportions within their range,
    counts at least zero; yes/no options must be booleans; ``pre`` and ``post``, where both are pandas columns,
    must have one index. What is raised is a `mbc.errors.ModelError`; `checks` names another.
    """
    return checks()(function)


def checks(
    *, error: type[MbcError] = ModelError, aligned: Sequence[str] = ("pre", "post")
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make the decorator `checked` with an error of one's own, or for other columns of the same rows.

    Parameters
    ----------
    error : type of MbcError
        What is raised.
    aligned : sequence of str
        Parameters that hold columns of the same rows.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        name = getattr(function, "__qualname__", "")

        @functools.lru_cache(maxsize=1)
        def rules() -> dict[str, Accepted]:
            return rules_of(function)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError as fault:
                raise TypeError(f"{name}() {fault}") from None
            check(given, rules(), error)
            require_aligned({key: given[key] for key in aligned if key in given}, error)
            result = function(*args, **kwargs)
            _note_call(result, function, signature, given)
            return result

        cast("Any", call).accepted = rules
        return call

    return decorate


def _note_call(
    result: object, function: Callable[..., object], signature: inspect.Signature, given: Mapping[str, object]
) -> None:
    """Let a result note which call made it, where it keeps such a note; so do the members of a list of results."""
    kind = type(result)
    members: list[object] = [result]
    if kind in {tuple, list}:
        members = list(cast("Iterable[object]", result))
    elif kind is dict:
        members = list(cast("Mapping[object, object]", result).values())
    if members and hasattr(type(members[0]), "note_call"):
        first = cast("Any", members[0])
        first.note_call(function, signature, given)
        for member in members[1:]:
            cast("Any", member).share_origin(first)


def rules_of(function: Callable[..., object]) -> dict[str, Accepted]:
    """Read what each parameter of a function, or each field of a dataclass, accepts."""
    hints = typing.get_type_hints(function)
    return {name: accepted_by(hint) for name, hint in hints.items() if name != "return"}


def check(given: Mapping[str, object], rules: Mapping[str, Accepted], error: type[MbcError] = ModelError) -> None:
    """Check every argument against what is accepted.

    Raises
    ------
    MbcError
        Naming the argument, what was given, what is accepted, and the nearest word.
    """
    for name, value in given.items():
        accepted = rules.get(name)
        if accepted is not None:
            fault = _fault(name, value, accepted)
            if fault:
                raise error(fault)


def _fault(name: str, value: object, accepted: Accepted) -> str | None:  # noqa: PLR0911 - one case after the other
    if value is None or isinstance(value, accepted.classes):
        fits = value is not None or accepted.nothing or accepted.other
        return None if fits else f"{name} must be given: {_expected(accepted)}."
    if isinstance(value, str):
        if accepted.text or (accepted.other and not accepted.words and not accepted.number):
            return None
        if accepted.words:
            return None if value in accepted.words else not_among(name, value, accepted.words)
        if accepted.each is not None:
            return _fault(name, value, accepted.each)
        return f"{name} must be {_expected(accepted)}, got {value!r}."
    if isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}:
        return (
            None if accepted.boolean or accepted.other else f"{name} must be {_expected(accepted)}, got {value!r}."
        )
    if isinstance(value, Real) and (accepted.number or accepted.integer):
        return _number_fault(name, value, accepted)
    if accepted.each is not None and not accepted.other and _is_list(value):
        size = len(cast("Sequence[object]", value))
        if accepted.length not in {None, size}:
            return f"{name} must have {accepted.length} members, got {size}: {_brief(value)}."
        faults = (_fault(f"each of {name}", member, accepted.each) for member in cast("Iterable[object]", value))
        return next((fault for fault in faults if fault), None)
    return None if accepted.other else f"{name} must be {_expected(accepted)}, got {_brief(value)}."


def _number_fault(name: str, value: Real, accepted: Accepted) -> str | None:
    number = float(value)
    if accepted.integer and not accepted.number:
        if not isinstance(value, Integral):
            return f"{name} must be a whole number, got {number:g}."
        return None if number >= 0 else f"{name} must be at least 0, got {number:g}."
    if math.isnan(number) and accepted.other:  # a single missing score
        return None
    limits = PROPORTIONS.get(name)
    if limits is not None:
        return proportion_fault(name, number, *limits)
    return None if math.isfinite(number) else f"{name} must be a finite number, got {number:g}."


def proportion_fault(name: str, value: float, low: float, high: float, inclusive: bool) -> str | None:  # noqa: FBT001
    """Say what is wrong with a proportion, None if nothing is.

    Examples
    --------
    >>> proportion_fault("confidence", 95.0, 0.0, 1.0, inclusive=False)
    'confidence must be in (0, 1), got 95. Is it a percentage?'
    """
    inside = low <= value <= high if inclusive else low < value < high
    if inside:
        return None
    span = f"[{low:g}, {high:g}]" if inclusive else f"({low:g}, {high:g})"
    hint = " Is it a percentage?" if math.isfinite(value) and abs(value) > 1 else ""
    return f"{name} must be in {span}, got {value:g}.{hint}"


def not_among(name: str, value: object, words: Iterable[object]) -> str:
    """Say that a word is none of those allowed, and which is nearest.

    Examples
    --------
    >>> not_among("kind", "maen", ("mean", "prediction"))
    "kind must be 'mean' or 'prediction', got 'maen'. Did you mean 'mean'?"
    """
    allowed = list(words)
    near = nearest(str(value), [str(word) for word in allowed], most=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{name} must be {join_choices(allowed)}, got {value!r}.{hint}"


def join_choices(words: Iterable[object]) -> str:
    """List allowed words: ``'a', 'b' or 'c'``."""
    quoted = [repr(word) for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def require_aligned(columns: Mapping[str, object], error: type[MbcError] = ModelError) -> None:
    """Refuse pandas columns of the same rows whose indexes differ: pairing them by position would mix up clients.

    Raises
    ------
    MbcError
        If two of them are pandas Series with different indexes.
    """
    series = {name: cast("Any", column) for name, column in columns.items() if _is_pandas(column)}
    if len(series) < 2:
        return
    (first, reference), *others = series.items()
    for name, column in others:
        if len(column) == len(reference) and not column.index.equals(reference.index):
            raise error(
                f"{first} and {name} are pandas columns with different indexes, or the same in another order: "
                f"which rows belong together? Take both from one frame, or pass {name}.reindex({first}.index)."
            )


def _is_pandas(value: object) -> bool:
    return type(value).__module__.split(".")[0] == "pandas" and type(value).__name__ == "Series"


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) or type(value).__name__ in {
        "ndarray",
        "Series",
        "set",
        "frozenset",
        "Index",
    }


def _expected(accepted: Accepted) -> str:
    kinds = [
        join_choices(accepted.words) if accepted.words else "",
        "a number" if accepted.number else "",
        "a whole number" if accepted.integer and not accepted.number else "",
        "True or False" if accepted.boolean else "",
        "text" if accepted.text else "",
        *(f"{'an' if kind.__name__[0] in 'AEIO' else 'a'} {kind.__name__}" for kind in accepted.classes),
        f"a list ({_expected(accepted.each)} each)" if accepted.each else "",
        "None" if accepted.nothing else "",
    ]
    return " or ".join(kind for kind in kinds if kind)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:50]}..."
