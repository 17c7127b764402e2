"""Which resources a file of FHIR JSON holds: one, a Bundle of them, or one on each line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import quote

MOST_BYTES = 256 << 20  # of JSON, which takes many times its size in memory


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its place in the file (from 1), its address inside a Bundle, its kind and content."""

    place: int
    address: str | None
    kind: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's resources."""

    name: str
    sha256: str
    noun: str
    """What a place counts: entries of a Bundle, lines of a bulk export."""
    resources: tuple[Resource, ...]

    def of(self, kind: str) -> Iterator[Resource]:
        """Those of one kind."""
        return (resource for resource in self.resources if resource.kind == kind)


def load_resources(path: str | Path) -> Loaded:
    """Read the resources of a FHIR JSON file (R4): a resource, a Bundle, or NDJSON as a bulk export writes it.

    Raises
    ------
    ImportRefused
        When the file is no such JSON.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise ImportRefused(f"'{quote(path, longest=200)}' cannot be read: {fault.strerror}.") from fault
    if len(raw) > MOST_BYTES:
        raise ImportRefused(
            f"'{quote(path.name)}' has more than {MOST_BYTES >> 20} MB of JSON. Export it in parts."
        )
    documents, noun = _parsed(raw, path)
    digest = hashlib.sha256(raw).hexdigest()
    resources = tuple(_resources(documents, noun, path))
    if not resources:
        raise ImportRefused(f"'{quote(path.name)}' holds no FHIR resources: there is nothing to import.")
    return Loaded(path.name, digest, noun, resources)


def _parsed(raw: bytes, path: Path) -> tuple[list[Any], str]:
    text = raw.decode("utf-8-sig", errors="replace")
    try:
        return [_json(text)], "entry"
    except (json.JSONDecodeError, RecursionError) as fault:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            if len(lines) > 1:
                return [_json(line) for line in lines], "line"
        except (json.JSONDecodeError, RecursionError):
            pass
        where = f" (line {fault.lineno})" if isinstance(fault, json.JSONDecodeError) else " (nested too deep)"
        raise ImportRefused(f"'{quote(path.name)}' is damaged JSON{where}. Was the file cut off?") from fault


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> float:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def _resources(documents: list[Any], noun: str, path: Path) -> Iterator[Resource]:
    for line, document in enumerate(documents, start=1):
        kind = _kind(document)
        if kind is None:
            raise ImportRefused(
                f"'{quote(path.name)}' is JSON, but not a FHIR resource: a Bundle or QuestionnaireResponse is "
                "needed."
            )
        if kind != "Bundle":
            yield Resource(line, None, kind, document)
            continue
        entries = document.get("entry", [])
        for place, entry in enumerate(entries if isinstance(entries, list) else [], start=1):
            inner = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(inner, dict) and (inner_kind := _kind(inner)) is not None:
                yield Resource(place if noun == "entry" else line, _text(entry.get("fullUrl")), inner_kind, inner)


def _kind(content: Any) -> str | None:
    return _text(content.get("resourceType")) if isinstance(content, dict) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
