"""Which resources a file of FHIR JSON holds: one, a Bundle of them, or one on each line."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard, cast

from mbc.errors import ImportRefused
from mbc.exchange.files.delimited import decode_json
from mbc.exchange.files.messages import count_noun, quote

MOST_BYTES = 256 << 20  # of JSON, which takes many times its size in memory
_DEEPEST_BUNDLE = 8
_MOST_NAMED = 8
_DAY = 10  # characters of a date
_MOST_DIGITS = 40  # of one number


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
    notes: tuple[str, ...] = ()
    """What the file does not hold, and which versions were left out."""

    def of(self, kind: str) -> Iterator[Resource]:
        """Those of one kind."""
        return (resource for resource in self.resources if resource.kind == kind)


def load_resources(path: str | Path) -> Loaded:
    """Read the resources of a FHIR JSON file (R4): a resource, a Bundle, or NDJSON as a bulk export writes it.

    Bundles inside Bundles are read too. Of a resource in several versions, as in a history, the newest is taken.

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
    collected = _Collected()
    for line, document in enumerate(documents, start=1):
        _collect(document, line if noun == "line" else None, path, collected)
    if not collected.resources:
        raise ImportRefused(f"'{quote(path.name)}' contains no FHIR resources: there is nothing to import.")
    resources, older = _newest(collected)
    notes = (*collected.notes, *older)
    return Loaded(path.name, hashlib.sha256(raw).hexdigest(), noun, tuple(resources), notes)


def _parsed(raw: bytes, path: Path) -> tuple[list[Any], str]:
    text = decode_json(raw, path)
    try:
        return [_json(text)], "entry"
    except (json.JSONDecodeError, RecursionError) as fault:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            if len(lines) > 1:
                return [_json(line) for line in lines], "line"
        except (json.JSONDecodeError, RecursionError):
            pass
        if isinstance(fault, RecursionError):
            raise ImportRefused(f"'{quote(path.name)}' is JSON nested too deeply to be a FHIR resource.") from None
        raise ImportRefused(
            f"'{quote(path.name)}' is damaged JSON (line {fault.lineno}). Was the file truncated?"
        ) from fault


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant, parse_int=_integer)


def _refuse_constant(name: str) -> float:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise json.JSONDecodeError(f"a number of {len(digits)} digits", digits[:_MOST_DIGITS], 0)
    return int(digits)


@dataclass(slots=True)
class _Collected:
    resources: list[Resource] = field(default_factory=list[Resource])
    notes: list[str] = field(default_factory=list[str])
    deleted: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Kind and id of a resource that a history says was deleted -> how many resources came before that entry."""


def _collect(document: Any, line: int | None, path: Path, collected: _Collected) -> None:
    kind = _kind(document)
    if kind is None:
        raise ImportRefused(
            f"'{quote(path.name)}' is JSON, but not a FHIR resource: a Bundle or QuestionnaireResponse is needed."
        )
    if kind == "Bundle":
        _collect_bundle(document, line, None, path, collected, depth=1)
    else:
        collected.resources.append(Resource(line or 1, None, kind, document))


def _collect_bundle(
    bundle: dict[str, Any], line: int | None, place: int | None, path: Path, collected: _Collected, *, depth: int
) -> None:
    if depth > _DEEPEST_BUNDLE:
        raise ImportRefused(f"'{quote(path.name)}' has Bundles nested more than {_DEEPEST_BUNDLE} deep.")
    entries = values_of(bundle.get("entry"))
    empty = 0
    for number, entry in enumerate(entries, start=1):
        here = line or place or number
        content = object_of(entry)
        inner = object_of(content.get("resource"))
        kind = _kind(inner)
        if kind == "Bundle":
            _collect_bundle(inner, line, here, path, collected, depth=depth + 1)
        elif kind is not None:
            collected.resources.append(Resource(here, _text(content.get("fullUrl")), kind, inner))
        elif not _is_deletion(entry, collected):
            empty += 1
    if empty:
        collected.notes.append(f"{count_noun(empty, 'entry', 'entries')} of a Bundle without a resource.")
    relations = {_text(object_of(link).get("relation")) for link in values_of(bundle.get("link"))}
    if "next" in relations:
        total = bundle.get("total")
        held = (
            f"{len(entries)} of {total} entries"
            if isinstance(total, int)
            else count_noun(len(entries), "entry", "entries")
        )
        collected.notes.append(
            f"This Bundle is one page of a search: it contains {held}. The other pages are not included; fetch "
            "and import them too."
        )


def _is_deletion(entry: object, collected: _Collected) -> bool:
    request = object_of(object_of(entry).get("request"))
    url = _text(request.get("url")) if request.get("method") == "DELETE" else None
    kind, sign, name = (url or "").rpartition("/")
    if not sign:
        return False
    collected.deleted.setdefault((kind.rpartition("/")[2], name), len(collected.resources))
    return True


def _newest(collected: _Collected) -> tuple[list[Resource], list[str]]:
    """Keep the newest version of each resource that is there in several, and none that was deleted since."""
    newest: dict[tuple[str, str], tuple[tuple[int, str, int], int]] = {}
    versions: Counter[tuple[str, str]] = Counter()
    kept: set[int] = set()
    for number, resource in enumerate(collected.resources):
        name = _text(resource.content.get("id"))
        version = _version(resource.content)
        if name is None or version is None:
            kept.add(number)
            continue
        key = (resource.kind, name)
        versions[key] += 1
        rank = (*version, -number)  # a history begins with the newest
        if key not in newest or rank > newest[key][0]:
            newest[key] = (rank, number)
    gone = {key for key, before in collected.deleted.items() if key in newest and newest[key][1] >= before}
    kept |= {number for key, (_, number) in newest.items() if key not in gone}
    notes: list[str] = []
    older = sum(count - 1 for count in versions.values())
    if older:
        notes.append(f"{count_noun(older, 'earlier version')} of resources left out; the newest is read.")
    if gone:
        notes.append(_deleted([collected.resources[newest[key][1]] for key in sorted(gone)]))
    return [resource for number, resource in enumerate(collected.resources) if number in kept], notes


def _deleted(resources: list[Resource]) -> str:
    note = f"{count_noun(len(resources), 'resource')} left out: deleted since then, according to the history."
    answers = [_of_whom(resource) for resource in resources if resource.kind == "QuestionnaireResponse"]
    if not answers:
        return note
    more = f", and {len(answers) - _MOST_NAMED} more" if len(answers) > _MOST_NAMED else ""
    return (
        f"{note[:-1]} ({', '.join(answers[:_MOST_NAMED])}{more}). If such a questionnaire is on record, 'mbc "
        "client history CLIENT' shows its number and 'mbc client withdraw' withdraws it."
    )


def _of_whom(resource: Resource) -> str:
    subject = _text(object_of(resource.content.get("subject")).get("reference"))
    day = _text(resource.content.get("authored"))
    return f"{resource.kind} of {quote(subject or 'nobody')} of {quote(day[:_DAY] if day else 'an unknown day')}"


def _version(content: dict[str, Any]) -> tuple[int, str] | None:
    meta = object_of(content.get("meta"))
    number, moment = _text(meta.get("versionId")), _text(meta.get("lastUpdated"))
    if number is None and moment is None:
        return None
    return (int(number) if number and number.isdecimal() and len(number) < _MOST_DIGITS else 0, moment or "")


def _kind(content: object) -> str | None:
    return _text(content.get("resourceType")) if is_object(content) else None


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value of JSON is an object, with names and values."""
    return isinstance(value, dict)


def object_of(value: object) -> dict[str, Any]:
    """Take the names and values of a JSON object; anything else has none."""
    return value if is_object(value) else {}


def values_of(value: object) -> list[object]:
    """Take the values of a JSON array; anything else has none."""
    return cast("list[object]", value) if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
