"""A long delimited file a page at a time: the same rows as when it is read at once, in constant memory.

Only plain files are read so: UTF-8, ordinary line ends, every row with a cell for each column. For any other there
is `NotPlain`, and the file is read at once, which gives the right message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mbc.errors import ImportRefused
from mbc.exchange.files.delimited import cells_of, header_of, refuse_what_is_no_text, separator_of, short_rows
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import TextTable, numbered, unique_names

PAGE = 1 << 20  # bytes
_LONGEST_RECORD = 16 * PAGE
_BOM = b"\xef\xbb\xbf"


class NotPlain(Exception):
    """The file is not one that can be read a page at a time."""


@dataclass(slots=True)
class TextPages:
    """The pages of a file, read again on each iteration."""

    path: Path
    separator: str | None = None
    sha256: str = field(default="", init=False)
    """Digest of the file's bytes, once it was read to the end."""

    def __iter__(self) -> Iterator[TextTable]:
        """Read the pages.

        Raises
        ------
        NotPlain
            When the file has to be read at once.
        ImportRefused
            When it is no longer the file that was read before.
        """
        digest = hashlib.sha256()
        names: tuple[str, ...] = ()
        repeated: tuple[str, ...] = ()
        header: list[str] = []
        row = 1
        for raw in _records(self.path, digest):
            text = _decoded(raw)
            if not names:
                refuse_what_is_no_text(raw, self.path)
                self.separator = self.separator or separator_of(text, self.path)
                header, text, row = header_of(text, self.separator, self.path)
                names, repeated = unique_names(header)
            table, rows = self._page(text, header, names, repeated, row)
            row += rows
            yield table
        if self.sha256 not in {"", digest.hexdigest()}:
            raise ImportRefused(
                f"'{quote(self.path.name)}' changed while it was read; nothing was stored. Import it again when "
                "no program is writing to it."
            )
        self.sha256 = digest.hexdigest()

    def _page(
        self, text: str, header: list[str], names: tuple[str, ...], repeated: tuple[str, ...], row: int
    ) -> tuple[TextTable, int]:
        """One page as a table, and how many rows of the file it spans."""
        body = text.lstrip("\r\n")
        before = text[: len(text) - len(body)].count("\n")
        row += before
        lines, body = body.count("\n"), body.rstrip("\r\n") + "\n"
        after = lines - body.count("\n")  # blank lines at the end of a page are no rows, but they are counted
        separator = str(self.separator)
        if body.strip() and short_rows(body, len(header), separator, row, self.path):
            raise NotPlain
        cells = cells_of(body, names, separator, row, self.path)
        if '"' not in body and len(cells) != body.count("\n") * bool(body.strip()):
            raise NotPlain
        frame = numbered(cells, names, first_row=row)
        unnamed = [name for name, written in zip(names, header, strict=True) if not written]
        if any(not frame[name].is_null().all() for name in unnamed):
            raise NotPlain  # whether such a column is one depends on all rows
        table = TextTable(
            name=self.path.name,
            sha256="",
            columns=tuple(name for name in names if name not in unnamed),
            repeated=repeated,
            frame=frame.drop(unnamed),
            encoding="utf-8",
            separator=separator,
        )
        return table, before + len(cells) + max(after, 0)


def _records(path: Path, digest: Any) -> Iterator[bytes]:
    """Cut a file where records end: at the end of a line, and not within quotation marks."""
    with path.open("rb") as file:
        start = file.read(len(_BOM))
        digest.update(start)
        rest = start.removeprefix(_BOM)
        while block := file.read(PAGE):
            digest.update(block)
            rest += block
            end = _last_end(rest)
            if end:
                yield rest[:end]
                rest = rest[end:]
            elif len(rest) > _LONGEST_RECORD:
                raise NotPlain
    if rest:
        yield rest


def _last_end(text: bytes) -> int:
    """Where the last complete record ends; 0 where none does."""
    end = text.rfind(b"\n")
    odd = text.count(b'"', 0, end + 1) % 2
    while end >= 0 and odd:
        before = text.rfind(b"\n", 0, end)
        odd = (odd + text.count(b'"', before + 1, end + 1)) % 2
        end = before
    return end + 1


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise NotPlain from None
    if "\x00" in text or ("\r" in text and "\n" not in text):
        raise NotPlain
    return text


def is_long(path: Path) -> bool:
    """Say whether a file is so long that reading it a page at a time is worth while."""
    return path.is_file() and path.stat().st_size > PAGE
