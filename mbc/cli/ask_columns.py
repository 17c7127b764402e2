"""Ask at a terminal what the columns of a file are, and save the answers for the next file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mbc.errors import MbcError
from mbc.exchange.files.messages import quote
from mbc.exchange.header.columns import ROLES, Columns
from mbc.exchange.header.mapping_file import write_mapping
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.questionnaires import item_pattern, key_of
from mbc.exchange.open_file import open_table
from mbc.instruments import Instrument, instrument, keys

_ASKED = ("client_id", "taken_on", "session_number", "target")
_NEEDED = ("client_id", "taken_on")


def ask_mapping(file: Path, options: ImportOptions, target: Path | None) -> ImportOptions:
    """Ask for the columns, the questionnaires, their forms and codings; save the answers next to the file.

    Parameters
    ----------
    file : Path
        What is to be imported.
    options : ImportOptions
        What is known already.
    target : Path, optional
        Where the mapping is saved; default: next to the file.

    Raises
    ------
    UsageError
        When there is no terminal to ask at.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "--map-interactively needs a terminal. Without one, name a file: --mapping FILE.toml."
        )
    table = open_table(file, options)
    click.echo(f"{quote(table.name, longest=80)}: {len(table.frame)} {table.noun}s. Its columns:")
    for place, name in enumerate(table.columns, start=1):
        example = next(iter(table.frame[name].drop_nulls()), "")
        click.echo(f"  {place:>3}  {quote(name):<32} {quote(example)}")
    columns = Columns(table, {**table.given, **options.columns})
    answers: dict[str, Any] = {"columns": {role: _column(columns, role) for role in _ASKED}}
    answers["columns"] = {role: header for role, header in answers["columns"].items() if header is not None}
    chosen = _questionnaires(table.columns, options)
    answers |= _about(chosen, table.columns, answers["columns"])
    if click.confirm("Are days written with the month first (01/31/2026)?", default=False):
        answers["date_format"] = "%m/%d/%Y"
    path = target or file.with_name(f"{file.name}.mapping.toml")
    kept = {name: value for name, value in answers.items() if value}
    write_mapping(path, kept, force=path.exists() and click.confirm(f"Replace {path}?", default=True))
    click.echo(f"Saved in {path}. Next time: --mapping {path}")
    merged = {
        name: {**getattr(options, name), **value} if isinstance(value, dict) else value
        for name, value in kept.items()
    }
    return replace(options, **merged)


def _column(columns: Columns, role: str) -> str | None:
    """Ask which column plays a role; a blank answer takes the one that is recognised, or none."""
    try:
        recognised = columns.find(role)
    except MbcError:
        recognised = None
    needed = role in _NEEDED and recognised is None
    while True:
        answer = click.prompt(
            f"Which column is {ROLES[role].what}? (number or header{'' if needed else ', blank for none'})",
            default=recognised or "",
            show_default=recognised is not None,
        ).strip()
        header = _header(columns.table.columns, answer)
        if header is not None or (not answer and not needed):
            return header
        click.echo(f"There is no column '{quote(answer)}'.")


def _header(columns: tuple[str, ...], answer: str) -> str | None:
    if answer in columns:
        return answer
    if answer.isdigit() and 1 <= int(answer) <= len(columns):
        return columns[int(answer) - 1]
    return None


def _questionnaires(columns: Iterable[str], options: ImportOptions) -> list[Instrument]:
    columns = list(columns)
    seen = [key for key in keys() if any(item_pattern(key).fullmatch(name) for name in columns)]
    guess = ", ".join(options.instruments or seen)
    while True:
        answer = click.prompt(
            "Which questionnaires does it contain? (keys, such as rses, phq9)", default=guess or None
        )
        try:
            return [instrument(key_of(part.strip())) for part in answer.split(",") if part.strip()]
        except ValueError as fault:
            click.echo(str(fault))


def _about(chosen: list[Instrument], columns: tuple[str, ...], taken: dict[str, str]) -> dict[str, Any]:
    """Ask how each questionnaire's items are named, ordered and coded."""
    answers: dict[str, Any] = {
        "instruments": tuple(measure.key for measure in chosen),
        "patterns": {},
        "form": {},
        "coding": {},
    }
    for measure in chosen:
        if not any(item_pattern(measure.key).fullmatch(name) for name in columns if name not in taken.values()):
            answers["patterns"][measure.key] = click.prompt(
                f"{measure.name}: how are its {len(measure.items)} item columns named? ({{n}} is the number)",
                default="Q{n}",
            )
        for kind, known in (("form", measure.forms), ("coding", measure.own_codings)):
            if len(known) > 1:
                for entry in known:
                    click.echo(f"  {entry.key}: {entry.title}")
                default = next(entry.key for entry in known if entry.default)
                choice = click.Choice([entry.key for entry in known])
                answers[kind][measure.key] = click.prompt(
                    f"{measure.name}: which {kind}?", type=choice, default=default
                )
    return answers
