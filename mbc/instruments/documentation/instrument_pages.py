"""What the documentation says of each instrument: one page each, and an index, made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mbc.instruments.definition.definition import Instrument, Scale
from mbc.instruments.documentation.explanations import markdown
from mbc.instruments.library import instrument
from mbc.instruments.shipped import CONSTRUCTS, shipped

COMMAND = "python scripts/instrument_pages.py"  # what makes them again

_TITLES = {
    "self_esteem": "Self-esteem",
    "relationship_satisfaction": "Relationship satisfaction",
    "attachment": "Attachment and relationship anxiety",
    "symptoms": "Symptoms and functioning",
    "alliance": "Working alliance",
    "safety": "Safety (a channel of its own)",
    "goals": "Goals",
    "check_in": "Weekly check-in",
}
_INTRODUCTION = """\
# Instruments

What each questionnaire measures, how it is scored, where every line on a chart comes from, what is disputed, and
how it may be used. `mbc instruments show KEY` says the same in the terminal.

Labels of items are our own: the authors' wording is not part of this program. A clinic loads it from its own
licensed copy.

**Trust** is *high* where a number was read in a source or checked on data, *medium* where the source is a
secondary one or its sample is narrow, *unverified* where it is recalled only; an unverified number is always shown
with that word.

**Change** says what tells change from noise: a published reliable change, or a spread and a reliability of one
described sample (95 %). *Own records* means that no source gives such a figure; the scatter of the clinic's own
clients stands in for it, once there are enough of them.
"""


def pages() -> dict[str, str]:
    """Write all pages: file name to text, the index among them.

    Examples
    --------
    >>> made = pages()
    >>> made["rses.md"].splitlines()[0]
    '# Rosenberg Self-Esteem Scale (`rses`)'
    """
    made = {f"{key}.md": _page(instrument(key)) for key in shipped()}
    return {"index.md": _index()} | made


def differing(folder: Path) -> list[str]:
    """List the pages that a folder lacks, holds in another state, or should no longer hold."""
    made = pages()
    there = {file.name for file in folder.glob("*.md")}
    wrong = [name for name, text in made.items() if name not in there or _read(folder / name) != text]
    return sorted([*wrong, *(there - set(made))])


def write(folder: Path) -> list[str]:
    """Bring a folder up to date; give the names of the pages that changed."""
    changed = differing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name in changed:
        if name in made:
            (folder / name).write_text(made[name], encoding="utf-8", newline="\n")
        else:
            (folder / name).unlink()
    return changed


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _page(of: Instrument) -> str:
    file = f"mbc/instruments/catalogue/{of.construct}/{of.key}.toml"
    return f"{markdown(of)}\n*Made from `{file}` by `{COMMAND}`; [all instruments](index.md).*\n"


def _index() -> str:
    parts = [_INTRODUCTION]
    for construct in CONSTRUCTS:
        listed = [definition for definition in map(instrument, shipped()) if definition.construct == construct]
        parts += ["\n".join([f"## {_TITLES[construct]}", "", *_table(listed)]) + "\n"]
    return "\n".join([*parts, f"*Made from the catalogue by `{COMMAND}`.*\n"])


def _table(listed: list[Instrument]) -> Iterator[str]:
    yield "| key | name | items | scales | change | licence |"
    yield "|" + " --- |" * 6
    for definition in listed:
        items = str(len(definition.items)) if definition.items else "own goals"
        scales = ", ".join(scale.key for scale in definition.scales)
        cells = (
            f"[`{definition.key}`]({definition.key}.md)",
            definition.name,
            items,
            scales,
            _change(definition),
            definition.licence.status,
        )
        yield "| " + " | ".join(cells) + " |"


def _change(of: Instrument) -> str:
    if of.safety_channel:
        return "not charted"
    lines = [line for scale in of.scales if (line := _rests_on(scale))]
    return lines[0] if lines else "own records"


def _rests_on(scale: Scale) -> str | None:
    if scale.change_norm is not None:
        return "published" if scale.change_norm.verified else "unverified"
    if scale.change is not None and scale.change.kind == "reliable":
        return "published" if scale.change.verified else "unverified"
    return None
