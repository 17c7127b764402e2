"""Damage to files, drawn from a seed: the same seed makes the same file."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"
_TOKENS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n\r\n", b"[" * 300,
    b"{" * 300, b"9" * 400, b"-1", b"1e999", b"NaN", b"NA", b"=1+1", b"\xe9", b"\xf0\x9f\x98\x80", b"&#0;", b"<a>",
    b"</c>", b"A99999999", b"XFD1048576", b"2026-02-30", b"true", b"null", b"PK\x03\x04", b"]]>", b"&amp;",
    b"%s{n}", b"../../x", b"a" * 5000,
)  # fmt: skip


def mutation(number: int) -> tuple[str, bytes]:
    """Make one damaged file: its name and bytes."""
    source = random.Random(number)
    seeds = sorted(SEEDS.iterdir())
    seed = seeds[number % len(seeds)]
    raw = seed.read_bytes()
    if raw.startswith(b"PK\x03\x04") and source.random() < 0.85:
        return seed.name, _inside(raw, source)
    return seed.name, damaged(raw, source)


def _inside(raw: bytes, source: random.Random) -> bytes:
    """Damage one part of an archive, and pack it again."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        sheets = [name for name in names if "sheet" in name or "shared" in name] or names
        chosen = source.choice(sheets if source.random() < 0.8 else names)
        for name in names:
            if name == chosen and source.random() < 0.05:
                continue
            content = old.read(name)
            new.writestr(name, damaged(content, source) if name == chosen else content)
    return made.getvalue()


def damaged(raw: bytes, source: random.Random) -> bytes:
    """Damage some bytes."""
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        raw = source.choice(_WAYS)(raw, source)
    return raw


def _place(raw: bytes, source: random.Random) -> int:
    return source.randrange(len(raw) + 1)


def _flip(raw: bytes, source: random.Random) -> bytes:
    if not raw:
        return raw
    at = source.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << source.randrange(8))]) + raw[at + 1 :]


def _any_byte(raw: bytes, source: random.Random) -> bytes:
    at = _place(raw, source)
    return raw[:at] + bytes([source.randrange(256)]) + raw[at + 1 :]


def _cut(raw: bytes, source: random.Random) -> bytes:
    return raw[: _place(raw, source)]


def _leave_out(raw: bytes, source: random.Random) -> bytes:
    at = _place(raw, source)
    return raw[:at] + raw[at + source.randrange(1, 200) :]


def _double(raw: bytes, source: random.Random) -> bytes:
    at = _place(raw, source)
    end = at + source.randrange(1, 400)
    return raw[:end] + raw[at:end] * source.choice((1, 1, 2, 50)) + raw[end:]


def _insert(raw: bytes, source: random.Random) -> bytes:
    at = _place(raw, source)
    return raw[:at] + source.choice(_TOKENS) + raw[at:]


def _number(raw: bytes, source: random.Random) -> bytes:
    places = [at for at, byte in enumerate(raw) if 0x30 <= byte <= 0x39]
    if not places:
        return raw
    at = source.choice(places)
    new = source.choice((b"0", b"9", b"-5", b"4294967295", b"99999999999999999999", b"1.5", b"", b"1e308"))
    return raw[:at] + new + raw[at + 1 :]


def _lines(raw: bytes, source: random.Random) -> bytes:
    lines = raw.split(b"\n")
    source.shuffle(lines)
    return b"\n".join(lines)


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip, _any_byte, _cut, _leave_out, _double, _insert, _number, _lines,
)  # fmt: skip
