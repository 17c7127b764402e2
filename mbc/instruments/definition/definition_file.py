"""How a definition file is read, and how each fault in it is reported."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError

from mbc.errors import DefinitionError, nearest
from mbc.instruments.definition.schema import InstrumentEntry, SourceEntry, SourcesFile

_M = TypeVar("_M", bound=BaseModel)
_NAMED = {"scale": "key", "form": "key", "coding": "key", "items": "id", "flag": "item"}


def parse(text: str, name: str) -> InstrumentEntry:
    """Read one definition; every fault of form is reported at once.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        The file's name, as messages should give it.

    Raises
    ------
    DefinitionError
        If the text is not TOML, or says something the schema does not know.
    """
    data = _toml(text, name)
    if isinstance(data.get("licence"), str):
        data["licence"] = {"status": data["licence"]}
    return _validated(InstrumentEntry, data, name)


def parse_sources(text: str, name: str) -> dict[str, SourceEntry]:
    """Read ``sources.toml``: one table per source."""
    return _validated(SourcesFile, {"sources": _toml(text, name)}, name).sources


def refuse(name: str, faults: Iterable[str]) -> DefinitionError:
    """One error for all faults of a file."""
    lines = list(faults)
    if len(lines) == 1:
        return DefinitionError(f"{name}, {lines[0]}")
    return DefinitionError(f"{name} has {len(lines)} faults:\n" + "\n".join(f"  - {line}" for line in lines))


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as fault:  # no TOML, or numbers or tables without end
        raise DefinitionError(f"{name} is not valid TOML: {fault}.") from None


def _validated(model: type[_M], data: dict[str, Any], name: str) -> _M:
    # By way of JSON, where strict reading still takes an array for a tuple.
    try:
        return model.model_validate_json(json.dumps(data, default=str))
    except ValidationError as fault:
        errors = fault.errors(include_url=False)
        raise refuse(name, [describe_fault(model, data, dict(error)) for error in errors]) from None


def describe_fault(model: type[BaseModel], data: Mapping[str, Any], error: dict[str, Any]) -> str:
    """Tell one fault of form, as pydantic found it, by the keys that the file's author wrote."""
    loc = cast("tuple[int | str, ...]", error["loc"])
    where = _place(data, loc)
    match error["type"]:
        case "extra_forbidden":
            keys = _keys_at(model, loc[:-1])
            near = nearest(str(loc[-1]), keys, most=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(keys)}."
            return f"{where}: there is no such key; {hint}"
        case "missing":
            return f"{where}: required, but absent. Add it."
        case _:
            text = str(error["msg"]).removeprefix("Input ").strip()
            return f"{where}: is {_quote(error['input'])}; it {text}."


def _place(data: Mapping[str, Any], loc: tuple[int | str, ...]) -> str:
    """Name a path by the keys its author wrote: scale 'total', missing.at_most."""
    named: list[str] = []
    rest: list[str] = []
    here: Any = data
    for step in loc:
        inside = _step(here, step)
        if isinstance(step, int) and rest and rest[-1] in _NAMED:
            what = rest.pop()
            title = _step(inside, _NAMED[what]) or f"number {step + 1}"
            named.append(f"{'item' if what == 'items' else what} {title!r}")
        elif isinstance(step, int):
            rest[-1:] = [f"{rest[-1] if rest else ''}[{step + 1}]"]
        elif inside is not None or here is not None:
            rest.append(step)
        here = inside
    return ", ".join([*named, ".".join(rest)] if rest else named)


def _step(here: Any, step: int | str) -> Any:
    if isinstance(here, dict):
        table = cast("dict[int | str, Any]", here)
        return table.get(step)
    if isinstance(here, list) and isinstance(step, int):
        listed = cast("list[Any]", here)
        return listed[step] if step < len(listed) else None
    return None


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    here: type[BaseModel] = model
    for step in loc:
        field = here.model_fields.get(str(step))
        if field is not None:
            here = _model_in(field.annotation) or here
    return [field.alias or key for key, field in here.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in get_args(annotation))
    return next((model_class for model_class in inner if model_class is not None), None)


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
