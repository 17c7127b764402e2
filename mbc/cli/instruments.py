"""``mbc instruments``: list the questionnaires and explain them."""

from __future__ import annotations

from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mbc.cli import instruments_own, instruments_wording
from mbc.cli.options import instruments_option
from mbc.instruments import Instrument, instrument, instruments, load_file
from mbc.instruments.documentation.explanations import Section, explain
from mbc.instruments.library import origin


@click.group("instruments", invoke_without_command=True)
@instruments_option
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the questionnaires; 'mbc instruments show KEY' explains one."""
    if ctx.invoked_subcommand is None:
        _list()


@command.command("show", short_help="Explain one questionnaire.")
@click.argument("key")
def show(key: str) -> None:
    """Explain what KEY measures, its scoring, the source of each line, what is disputed and how it may be used.

    KEY is a key of the list, or a definition file of your own (FILE.toml).
    """
    console = Console(highlight=False)
    definition = find(key)
    console.print(Text.assemble((definition.name, "bold"), f"  ({definition.key})"))
    if not key.endswith(".toml") and origin(key) != "built-in":
        console.print(Text(f"This is {origin(key)}.", style="yellow"))
    for section in explain(definition):
        _print(console, section)


command.add_command(instruments_own.check)
command.add_command(instruments_own.new)
command.add_command(instruments_own.schema)
command.add_command(instruments_wording.command)


def find(key: str) -> Instrument:
    """Take a key of the catalogue, or a definition file of one's own."""
    return load_file(Path(key)) if key.endswith(".toml") else instrument(key)


def _list() -> None:
    console = Console(highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("Key", "Name", "Construct", "Items", "Scales", "Licence"):
        table.add_column(name, no_wrap=name == "Key", justify="right" if name == "Items" else "left")
    for key, name, _, items, scales, licence in instruments().iter_rows():
        whose = "" if origin(key) == "built-in" else f" ({origin(key)})"
        cells = (str(items), scales, licence)
        marked = Text.assemble(name, (whose, "yellow"))
        table.add_row(key, marked, instrument(key).construct_name, *(Text(cell) for cell in cells))
    console.print(table)
    console.print(Text("\n'mbc instruments show KEY' explains one.", style="dim"))


def _print(console: Console, section: Section) -> None:
    console.print()
    console.print(Text(section.title, style="bold underline"))
    for line in section.lines:
        console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    if not section.rows:
        return
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for name in section.header:
        table.add_column(name, overflow="fold", no_wrap=name in {"scale", "value", "trust", "key"})
    for row in section.rows:
        table.add_row(*(Text(cell, style="yellow" if cell == "unverified" else "") for cell in row))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
