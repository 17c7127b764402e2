"""Which combinations of coefficients are tested: read from numbers, names or a formula."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from mbc.errors import ModelError, nearest
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Rows of combinations of the reported coefficients, and what each is compared with."""

    rows: Floats  # (tests, coefficients)
    values: Floats  # (tests,)


def contrasts_of(contrasts: ArrayLike | str | Sequence[str], names: Sequence[str]) -> Contrasts:
    """Read contrasts.

    Parameters
    ----------
    contrasts : str, list of str or array_like
        A formula such as ``"week = 0, week:arm = 0"`` or ``"week = month"``, names of coefficients (in either
        order of an interaction; the name of a column of text stands for all its levels), or rows of numbers.
    names : sequence of str
        The model's coefficients.

    Raises
    ------
    ModelError
        If a name is not a coefficient, the formula cannot be read, or rows depend on each other.

    Examples
    --------
    >>> contrasts_of("week = 0, arm:week = 0", ["(Intercept)", "week", "week:arm[T.b]"]).rows
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """
    if isinstance(contrasts, str):
        parts = [part for part in _split(contrasts) if part]
        read = [_condition(part, names) for part in parts]
    elif _all_text(contrasts):
        read = [_condition(part, names) for part in cast("Sequence[str]", contrasts)]
    else:
        return _checked(_numbers(contrasts, names), names, contrasts)
    rows = [row for part in read for row in part.rows]
    values = [value for part in read for value in part.values]
    if not rows:
        raise ModelError(f"contrasts contains no coefficient; the model has {', '.join(names)}.")
    return _checked(Contrasts(np.array(rows), np.array(values)), names, contrasts)


def _all_text(contrasts: object) -> bool:
    if not isinstance(contrasts, Sequence | np.ndarray):
        return False
    members = list(cast("Sequence[object]", contrasts))
    return bool(members) and all(isinstance(part, str) for part in members)


def _numbers(contrasts: Any, names: Sequence[str]) -> Contrasts:
    try:
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
    except (TypeError, ValueError):
        raise ModelError(
            f"contrasts must be rows of numbers, one per coefficient ({', '.join(names)}), names of coefficients, "
            f"or a formula such as '{names[-1]} = 0'; got {contrasts!r:.80}."
        ) from None
    return Contrasts(rows, np.zeros(len(rows)))


def _checked(read: Contrasts, names: Sequence[str], given: object) -> Contrasts:
    rows = read.rows
    if rows.ndim != 2 or rows.shape[1] != len(names) or np.linalg.matrix_rank(rows) < len(rows):
        raise ModelError(
            f"contrasts must be independent rows of {len(names)} numbers, one per coefficient "
            f"({', '.join(names)}); got shape {rows.shape} from {given!r:.80}."
        )
    return read


def _split(text: str) -> list[str]:
    """Split at commas outside brackets: levels may hold commas."""
    return [part.strip() for part in re.split(r",(?![^\[]*\])", text)]


def _condition(text: str, names: Sequence[str]) -> Contrasts:
    """Read one condition: a name alone or ``= 0`` may be a column of many levels; else a linear formula."""
    left, equals, right = (part.strip() for part in text.partition("="))
    columns = _columns_of(left, names)
    if columns and (not equals or _is_number(right)):
        rows = np.zeros((len(columns), len(names)))
        rows[np.arange(len(columns)), columns] = 1.0
        return Contrasts(rows, np.full(len(columns), float(right) if equals else 0.0))
    return _linear(text, names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _columns_of(name: str, names: Sequence[str]) -> list[int]:
    """Find the coefficients that a name stands for: itself, the other order, or all levels of its columns."""
    wanted = sorted(part.strip() for part in _factors(name))
    exact = [i for i, known in enumerate(names) if sorted(_factors(known)) == wanted]
    if exact:
        return exact
    return [i for i, known in enumerate(names) if sorted(map(_without_level, _factors(known))) == wanted]


def _factors(name: str) -> list[str]:
    return re.split(r":(?![^\[]*\])", name)


def _without_level(factor: str) -> str:
    return re.sub(r"\[(?:T\.)?[^\]]*\]$", "", factor)


def _linear(text: str, names: Sequence[str]) -> Contrasts:
    """Read a linear condition such as ``a - b = 2`` by patsy; interactions may be written in either order."""
    patsy: Any = importlib.import_module("patsy")  # has no types; only a formula needs it
    turned = {":".join(reversed(_factors(name))): i for i, name in enumerate(names) if len(_factors(name)) > 1}
    extra = [name for name in turned if name not in names]
    try:
        read: Any = patsy.DesignInfo([*names, *extra]).linear_constraint(text)
    except patsy.PatsyError as fault:
        unknown = _unknown_names(text, names)
        near = nearest(unknown[0], names, most=1) if unknown else []
        hint = f" Did you mean {near[0]!r}?" if near else ""
        what = f"{unknown[0]!r} is not a coefficient" if unknown else str(fault).splitlines()[0]
        raise ModelError(
            f"contrasts {text!r} cannot be read: {what}; the model has {', '.join(names)}.{hint}"
        ) from None
    rows = np.asarray(read.coefs, dtype=np.float64)
    folded = rows[:, : len(names)].copy()
    for place, name in enumerate(extra, start=len(names)):
        folded[:, turned[name]] += rows[:, place]
    return Contrasts(folded, np.asarray(read.constants, dtype=np.float64).ravel())


def _unknown_names(text: str, names: Sequence[str]) -> list[str]:
    words = re.findall(r"[^\s=+*/-]+", text)
    return [word for word in words if not _is_number(word) and not _columns_of(word, names)]
