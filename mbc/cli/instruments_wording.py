"""``mbc instruments wording``: a clinic's own licensed text, which clients are shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mbc.instruments import instrument, wording
from mbc.instruments.wording import Wording

_dir_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--wording-dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of the wording. [MBC_WORDING, or your data folder]",
)
_form_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--form", help="Item order of the text, such as 'b'."
)
_language_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--language", required=True, metavar="CODE", help="Its language: en, de, pt-BR."
)


@click.group("wording", short_help="The text shown to clients, from your own copy.")
def command() -> None:
    """Load, look at and remove the text of questionnaires.

    mbc ships scoring keys and short labels of its own, never the authors' wording. Load it from the copy that your
    clinic may use; nothing is shown to a client without it. It is kept outside the program.
    """


@command.command("load", short_help="Check and store a file of wording.")
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path))
@_language_option
@_form_option
@click.option("--coding", help="Numbers of the answer options, such as '1-4'.")
@click.option("--items", metavar="PATTERN", help="Names of the fields, such as 'q{n}_today'. [KEY_{n}, q{n}, n]")
@click.option("--title", help="Shown above the questions. [the file's]")
@click.option("--instructions", help="Shown above the questions. [the file's]")
@click.option(
    "--licence-held", metavar="TEXT", help="The licence under which the clinic uses it; stored with the text."
)
@click.option("--force", is_flag=True, help="Replace what is loaded for this language and order.")
@_dir_option
def load(key: str, file: Path, *, force: bool, **options: Any) -> None:
    """Check the text in FILE against the questionnaire KEY, and keep it.

    FILE is a CSV file ('mbc instruments wording blank KEY' writes one to fill in), a FHIR R4 Questionnaire (JSON)
    or a REDCap data dictionary. Every item must be there once, in the order of a form, with options whose numbers
    are those that the questionnaire accepts; whatever does not match is named.
    """
    made = wording.load(key, file, overwrite=force, **options)
    text = made.wording
    console = Console(highlight=False, soft_wrap=True)
    for note in made.notes:
        console.print(Text(note, style="dim"))
    console.print(
        Text(
            f"{key}: {len(text.items)} items in {text.language}, form {text.form!r}, coding {text.coding!r}, "
            f"kept in {made.path}"
        )
    )
    needed = instrument(key).licence.permission_needed_for
    if needed and text.licence_held is None:
        console.print(
            Text(f"Its licence: ask before {', '.join(needed)}. 'mbc instruments show {key}' says more.")
        )
    console.print(Text(f"Read it once as a client will see it: mbc instruments wording show {key} {_which(text)}"))


@command.command("list", short_help="List loaded wording.")
@_dir_option
def list_(directory: Path | None) -> None:
    """List the text that is loaded."""
    there = wording.loaded(directory=directory)
    if not there:
        click.echo("No wording is loaded. mbc instruments wording load KEY FILE --language CODE")
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("Key", "Language", "Form", "Coding", "Items", "From", "Loaded", "Licence held"):
        table.add_column(name, no_wrap=name in {"Key", "Language"}, justify="right" if name == "Items" else "left")
    for text in there:
        loaded = f"{text.loaded_at:%Y-%m-%d}"
        about = (text.instrument, text.language, text.form, text.coding, len(text.items), text.file, loaded)
        table.add_row(*(Text(str(cell)) for cell in (*about, text.licence_held or "")))
    Console(highlight=False).print(table)


@command.command("show", short_help="Read the text of one questionnaire.")
@click.argument("key")
@_language_option
@_form_option
@_dir_option
def show(key: str, language: str, form: str | None, directory: Path | None) -> None:
    """Show the questionnaire KEY as a client will see it; each option ends with its number."""
    text = wording.require(key, language, form, directory=directory)
    console = Console(highlight=False)
    console.print(Text(text.title or key, style="bold"))
    if text.instructions:
        console.print(Text(text.instructions))
    for number, item in enumerate(text.items, 1):
        console.print(Text(f"\n{number}. {item.text}", style="bold"))
        for option in item.options:
            console.print(Text.assemble(f"   ( ) {option.text}", (f"  [{option.value}]", "dim")))
    about = f"form {text.form!r}, coding {text.coding!r}, from {text.file}, loaded {text.loaded_at:%Y-%m-%d}"
    console.print(Text(f"\n{about}", style="dim"))
    for line in (text.copyright, text.licence_held and f"Licence held: {text.licence_held}"):
        if line:
            console.print(Text(line, style="dim"))


@command.command("remove", short_help="Remove loaded wording.")
@click.argument("key")
@_language_option
@_form_option
@_dir_option
def remove(key: str, language: str, form: str | None, directory: Path | None) -> None:
    """Remove the text of the questionnaire KEY in one language; clients are then not shown it any more."""
    gone = wording.remove(key, language, form, directory=directory)
    click.echo(f"Removed {gone.instrument} in {gone.language}, form '{gone.form}' (it came from {gone.file}).")


@command.command("blank", short_help="Start a file of wording.")
@click.argument("key")
@_form_option
@click.option("--coding", help="Numbers of the answer options, such as '1-4'.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write. [KEY_wording.csv; - for standard output]",
)
def blank(key: str, form: str | None, coding: str | None, out: Path | None) -> None:
    """Write a CSV file to fill in: a row for each item of the questionnaire KEY, a column for each option.

    Options that are the same for all items need filling in once: a row without any has those of the row above.
    """
    made = wording.blank(instrument(key), form=form, coding=coding)
    if out is not None and str(out) == "-":
        click.echo(made, nl=False)
        return
    file = out or Path(f"{key}_wording.csv")
    try:
        with file.open("x", encoding="utf-8-sig", newline="") as opened:  # the mark lets Excel read it as UTF-8
            opened.write(made)
    except FileExistsError:
        raise click.UsageError(f"'{file}' exists; give another name: --out FILE.") from None
    except OSError as fault:
        raise click.UsageError(f"'{file}' cannot be written: {fault.strerror}.") from None
    more = "".join(f" --{name} {value}" for name, value in (("form", form), ("coding", coding)) if value)
    click.echo(f"Wrote {file}. Fill in the columns 'text' and those of the options, then:")
    click.echo(f"  mbc instruments wording load {key} {file} --language en{more}")


def _which(text: Wording) -> str:
    return f"--language {text.language} --form {text.form}"
