"""Functions that take the same parameters, which are written once: as the fields of a dataclass."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from mbc.arguments import check, rules_of

_P = ParamSpec("_P")
_Options = TypeVar("_Options")
_Result = TypeVar("_Result")


def with_parameters_of(
    make_options: Callable[_P, _Options],
) -> Callable[[Callable[[object, _Options], _Result]], Callable[Concatenate[object, _P], _Result]]:
    """Give ``function(frame, options)`` the parameters of the options themselves: ``function(frame, cutoff=6)``.

    ``help``, ``inspect.signature`` and type checkers see them as if they were written out; their values are
    checked as `mbc.arguments.checked` does.
    """
    parameters = inspect.signature(make_options).parameters.values()
    rules = rules_of(make_options)
    frame = inspect.Parameter("frame", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="object")

    def decorate(function: Callable[[object, _Options], _Result]) -> Callable[Concatenate[object, _P], _Result]:
        result = inspect.signature(function).return_annotation
        signature = inspect.Signature([frame, *parameters], return_annotation=result)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> _Result:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise TypeError(f"{function.__name__}() {error}") from None
            check(given, rules)
            table = given.pop("frame")
            return function(table, cast("Any", make_options)(**given))

        cast("Any", call).__signature__ = signature
        cast("Any", call).__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        cast("Any", call).accepted = lambda: rules
        return call

    return decorate
