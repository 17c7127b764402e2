"""Model files: a fitted expected course as JSON, without any client's own numbers."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import types
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from mbc.errors import ModelError
from mbc.models.growth.matrices import Floats

FORMAT = 2
KIND = "mbc expected course"
_DIGITS = 12  # significant; more than any figure bears, and the same on every machine


def plain(value: Any) -> Any:
    """Turn nested dataclasses and arrays into what JSON can hold."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(element) for element in cast("list[Any]", value)]
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    return value


def digest(parts: Any) -> str:
    """Name a model by a digest of its content: 12 hexadecimal digits."""
    text = json.dumps(plain(parts), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a model file whole: beside its place first, then moved there."""
    text = json.dumps({"kind": KIND, "format": FORMAT, **content}, indent=1) + "\n"
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False) as file:
            file.write(text)
        os.replace(file.name, path)  # noqa: PTH105 - the path is text here
    except OSError as fault:
        raise ModelError(
            f"{path} cannot be written: {fault.strerror}. Choose a folder you may write in."
        ) from None


def read(path: Path) -> dict[str, Any]:
    """Read a model file and check that it is one, of a format known here, and as it was written.

    Raises
    ------
    ModelError
        If it cannot be read, is something else, is of a later format, or was changed.
    """
    try:
        content: dict[str, Any] | None = _object(json.loads(path.read_text(encoding="utf-8")))
    except OSError as fault:
        raise ModelError(f"{path} cannot be read: {fault.strerror}.") from None
    except (ValueError, RecursionError):
        content = None
    if content is None or content.get("kind") != KIND:
        raise ModelError(
            f"{path} is not a model file. Make one with 'mbc validate FILE --save-model {path.name}'."
        )
    if content.pop("format", None) != FORMAT:
        raise ModelError(
            f"{path} has a format that this mbc does not read ({FORMAT}). Update mbc, or create the file again."
        )
    del content["kind"]
    if content.get("version") != digest([value for name, value in content.items() if name != "version"]):
        raise ModelError(
            f"{path} was changed after it was written; its numbers cannot be trusted. Create it again."
        )
    return content


def _object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def built(kind: Any, value: Any, where: str) -> Any:
    """Build nested dataclasses from JSON by their annotations.

    Raises
    ------
    ModelError
        Naming the place of what does not fit.
    """
    if is_dataclass(kind) and isinstance(kind, type):
        return _built_dataclass(kind, value, where)
    if kind == Floats:
        return _array(value, where)
    origin = get_origin(kind)
    if origin is tuple:
        inner = get_args(kind)
        values = cast("list[Any]", value) if isinstance(value, list) else None
        if values is None or (inner[-1] is not Ellipsis and len(values) != len(inner)):
            raise ModelError(f"The model file's {where} is not a list of the right length.")
        kinds = [inner[0]] * len(values) if inner[-1] is Ellipsis else inner
        return tuple(built(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(kinds, values, strict=True)))
    if origin in {Union, types.UnionType}:
        return None if value is None else built(get_args(kind)[0], value, where)
    if origin is Literal:
        fits = value in get_args(kind)
    elif kind is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
        value = float(value) if fits else value
    else:
        fits = type(value) is kind
    if not fits:
        raise ModelError(f"The model file's {where} is {value!r}, which is not possible.")
    return value


def _built_dataclass(kind: type, value: Any, where: str) -> Any:
    types_of = get_type_hints(kind)  # class variables among them
    hints = {field.name: types_of[field.name] for field in fields(kind)}
    held = _object(value)
    if held is None or held.keys() != hints.keys():
        raise ModelError(f"The model file's {where} does not contain exactly {', '.join(hints)}.")
    return kind(**{name: built(hint, held[name], f"{where}.{name}") for name, hint in hints.items()})


def _array(value: Any, where: str) -> Floats:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"The model file's {where} is not a table of numbers.") from None
    if not np.isfinite(array).all():
        raise ModelError(f"The model file's {where} contains numbers that are not finite.")
    return array
