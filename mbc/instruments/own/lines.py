"""On which line of a TOML file each key is; the standard library's reader does not say."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}(?!")', re.DOTALL),
    re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\\n])*"'),
    re.compile(r"'[^'\n]*'"),
)
_SCALAR = re.compile(r"[^\s,\]}#][^,\]}#\n]*")
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


def lines(text: str) -> dict[Path, int]:
    r"""Find the line, from 1, of every key and every member of an array.

    Parameters
    ----------
    text : str
        TOML that ``tomllib`` reads.

    Examples
    --------
    >>> lines('key = "a"\n[[scale]]\nrange = [0, 6]\n')
    {('key',): 1, ('scale',): 2, ('scale', 0): 2, ('scale', 0, 'range'): 3,
     ('scale', 0, 'range', 0): 3, ('scale', 0, 'range', 1): 3}
    """
    return _Scan(text).document()


@dataclass(slots=True)
class _Scan:
    """A walk through the text; what is legal is known, so that only places have to be found."""

    text: str
    at: int = 0
    places: dict[Path, int] = field(default_factory=dict[Path, int])
    counts: dict[Path, int] = field(default_factory=dict[Path, int])  # members of arrays of tables

    def document(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip():
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)
        return self.places

    def _header(self) -> Path:
        start = self.at
        doubled = self.text.startswith("[[", self.at)
        self.at += 2 if doubled else 1
        keys = self._keys()
        self.at = self.text.index("]", self.at) + (2 if doubled else 1)
        path = self._inside(keys[:-1])
        for depth in range(1, len(keys)):
            self._note(self._inside(keys[:depth]), start)
        path = (*path, keys[-1])
        self._note(path, start)
        if doubled:
            number = self.counts.get(path, 0)
            self.counts[path] = number + 1
            path = (*path, number)
            self._note(path, start)
        return path

    def _inside(self, keys: list[str]) -> Path:
        """Path of a table; of an array of tables the member written last."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        start = self.at
        keys = self._keys()
        for depth in range(1, len(keys) + 1):
            self._note((*table, *keys[:depth]), start)
        self.at = self.text.index("=", self.at) + 1
        self._skip()
        self._value((*table, *keys))

    def _keys(self) -> list[str]:
        """Read a dotted key."""
        keys: list[str] = []
        while True:
            self._skip()
            bare = _BARE.match(self.text, self.at)
            if bare:
                keys.append(bare[0])
                self.at = bare.end()
            else:
                start = self.at
                self._string()
                keys.append(tomllib.loads(f"k = {self.text[start : self.at]}")["k"])
            self._skip()
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _value(self, path: Path) -> None:
        match self.text[self.at : self.at + 1]:
            case "[":
                self._members(path, "]")
            case "{":
                self._members(path, "}")
            case '"' | "'":
                self._string()
            case _:
                scalar = _SCALAR.match(self.text, self.at)
                self.at = scalar.end() if scalar else self.at + 1

    def _members(self, path: Path, end: str) -> None:
        self.at += 1
        number = 0
        while self._skip() and not self.text.startswith(end, self.at):
            if self.text.startswith(",", self.at):
                self.at += 1
            elif end == "}":
                self._pair(path)
            else:
                self._note((*path, number), self.at)
                self._value((*path, number))
                number += 1
        self.at += 1

    def _string(self) -> None:
        for form in _STRINGS:
            token = form.match(self.text, self.at)
            if token:
                self.at = token.end()
                return
        self.at += 1

    def _skip(self) -> bool:
        """Pass blanks and comments; False at the end of the text."""
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.at < len(self.text)

    def _note(self, path: Path, at: int) -> None:
        self.places.setdefault(path, self.text.count("\n", 0, at) + 1)
