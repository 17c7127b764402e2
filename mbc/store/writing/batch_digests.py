"""Digests of many administrations at once: to the last letter what `mbc.store.schema.digests` gives each alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mbc.store.schema.digests import key_of
from mbc.store.writing.administration_batch import Answers, Completed, Totals

_MOST_WRITTEN = 10_000
_write = json.JSONEncoder(separators=(",", ":")).encode


class _Written(dict[Any, str]):
    """Values as JSON writes them, each written once."""

    def __missing__(self, value: Any) -> str:
        if len(self) > _MOST_WRITTEN:
            self.clear()
        self[value] = text = _write(value)
        return text


# Numbers and texts apart: one table would take 1, 1.0 and True for the same.
_numbers, _texts = _Written(), _Written()


def occasions(batch: Completed, days: Sequence[str]) -> list[str]:
    """Digest natural keys; ``days`` are their days, written as YYYY-MM-DD. See `digests.occasion_of`."""
    blake2b = hashlib.blake2b
    moments = ["" if each is None else each.isoformat() for each in batch.taken_at]
    keys = zip(batch.client_id, batch.instrument, batch.informant, batch.target, days, moments, strict=True)
    return [blake2b("\x1f".join(key).encode(), digest_size=16).hexdigest() for key in keys]


def contents(batch: Completed, occasion_digests: Sequence[str]) -> list[str]:
    """Digest what was handed in. See `digests.content_of`."""
    sha256, text = hashlib.sha256, _texts.__getitem__
    rows = zip(
        occasion_digests,
        map(text, batch.form),
        map(text, batch.coding),
        map(_number_or_null, batch.session_number),
        map(_joined_answers, batch.answers),
        map(_totals_json, batch.totals),
        strict=True,
    )
    return [
        sha256(f'["{occasion}",{form},{coding},{session},[{answers}],{totals}]'.encode()).hexdigest()
        for occasion, form, coding, session, answers, totals in rows
    ]


def leaves(
    batch: Completed,
    days: Sequence[str],
    *,
    numbers: Sequence[int],
    contents: Sequence[str],
    revisions: Sequence[int],
    supersedes: Sequence[int | None],
    reason: str | None,
    secrets: Mapping[str, str],
) -> bytes:
    """Digest administrations for their entry's seal, one after the other. See `digests.administration_leaf`."""
    blake2b, text = hashlib.blake2b, _texts.__getitem__
    keys = {client_id: key_of(secrets[client_id]) for client_id in set(batch.client_id)}
    rows = zip(
        map(keys.__getitem__, batch.client_id),
        numbers,
        contents,
        map(text, batch.version),
        map(text, batch.channel),
        map(text, batch.episode_id),
        revisions,
        ("null,null" if before is None else f"{before},{text(reason)}" for before in supersedes),
        map(_number_or_null, batch.source_line),
        _raised(batch, days),
        strict=True,
    )
    return b"".join(
        blake2b(
            f'[{number},"{content}",{version},{channel},{episode},{revision},{before},{line},{flags}]'.encode(),
            key=key,
            digest_size=32,
        ).digest()
        for key, number, content, version, channel, episode, revision, before, line, flags in rows
    )


def _number_or_null(number: int | None) -> str:
    return "null" if number is None else str(number)


def _joined_answers(answers: Answers) -> str:
    return ",".join(map(_numbers.__getitem__, answers))


def _totals_json(totals: Totals) -> str:
    return _write(totals) if totals else "[]"


def _raised(batch: Completed, days: Sequence[str]) -> list[str]:
    rows = zip(batch.flags, batch.client_id, batch.instrument, days, strict=True)
    return [
        _write(sorted([flag.item, flag.kind, client, key, day] for flag in flags)) if flags else "[]"
        for flags, client, key, day in rows
    ]
