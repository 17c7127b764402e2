"""Every publication that a methods paragraph cites, once: its key, its authors and where it was printed."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from mbc.distribution import DISTRIBUTION
from mbc.errors import ModelError, nearest


@dataclass(frozen=True, slots=True)
class Reference:
    """One publication. ``key`` is the first author and the year, as in the documentation."""

    key: str
    authors: str  # as BibTeX has them: "Surname, Given and Surname, Given"
    year: int
    title: str
    journal: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    doi: str = ""
    publisher: str = ""
    in_book: str = ""

    @property
    def surnames(self) -> list[str]:
        """Surnames of the authors."""
        return [author.partition(",")[0] for author in self.authors.split(" and ")]

    @property
    def citation(self) -> str:
        """As it is cited in the text: ``Jacobson & Truax, 1991``."""
        names = self.surnames
        who = names[0] if len(names) == 1 else " & ".join(names) if len(names) == 2 else f"{names[0]} et al."
        return f"{who}, {self.year}"

    @property
    def bibtex(self) -> str:
        """A BibTeX entry."""
        kind = "article" if self.journal else "inproceedings" if self.in_book else "book"
        values = {
            "author": self.authors,
            "title": f"{{{self.title}}}",
            "journal": self.journal,
            "booktitle": self.in_book,
            "publisher": self.publisher,
            "year": str(self.year),
            "volume": self.volume,
            "number": self.number,
            "pages": self.pages.replace("-", "--"),
            "doi": self.doi,
        }
        lines = [f"  {name} = {{{_escaped(value)}}}" for name, value in values.items() if value]
        return f"@{kind}{{{self.key},\n" + ",\n".join(lines) + "\n}"

    @property
    def printed(self) -> str:
        """As a list of references has it: authors, year, title, where it was printed."""
        where = self.journal or self.in_book or self.publisher
        volume = f" {self.volume}" if self.volume else ""
        number = f"({self.number})" if self.number else ""
        pages = f", {self.pages}" if self.pages else ""
        doi = f" doi:{self.doi}" if self.doi else ""
        authors = self.authors.replace(" and ", "; ")
        end = "" if self.title.endswith("?") else "."
        return f"{authors} ({self.year}). {self.title}{end} {where}{volume}{number}{pages}.{doi}"


def reference_list() -> str:
    """Write every publication with its key, as the documentation lists them."""
    table = references()
    return "\n".join(f"* `{key}`: {table[key].printed}" for key in sorted(table))


def _escaped(value: str) -> str:
    return value.replace("&", r"\&")


@functools.cache
def references() -> Mapping[str, Reference]:
    """Read ``references.toml``: every publication by its key."""
    text = resources.files("mbc.models.results").joinpath("references.toml").read_text(encoding="utf-8")
    return {key: Reference(key=key, **entry) for key, entry in tomllib.loads(text).items()}


def software_bibtex(version: str) -> str:
    """Write the entry of this program, key ``mbc``."""
    return (
        "@software{mbc,\n"
        "  author = {{The mbc contributors}},\n"
        "  title = {{mbc: measurement-based care for individual relationship therapy}},\n"
        f"  version = {{{version}}},\n"
        f"  note = {{Python package {DISTRIBUTION}}}\n"
        "}"
    )


def reference(key: str) -> Reference:
    """Give a publication by its key.

    Raises
    ------
    ModelError
        If no publication has it.

    Examples
    --------
    >>> reference("jacobson1991").citation
    'Jacobson & Truax, 1991'
    """
    table = references()
    if key not in table:
        near = nearest(key, table, most=1)
        raise ModelError(f"there is no reference {key!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    return table[key]


def bibtex_of(keys: Iterable[str], version: str) -> str:
    """Write the entries of publications, in order of their keys, then that of this program."""
    entries = [reference(key).bibtex for key in sorted(set(keys))]
    return "\n\n".join([*entries, software_bibtex(version)])
