"""``mbc instruments check | new | schema``: definition files of one's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from mbc.instruments import Instrument
from mbc.instruments.own import check as checking
from mbc.instruments.own import folders
from mbc.instruments.own.check import Checked
from mbc.instruments.own.json_schema import shipped_text
from mbc.instruments.own.template import replacement, start


@click.command("check", short_help="Check definition files of your own.")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Report all faults in the definition FILES, with line and correction; a folder means all its files."""
    console = Console(highlight=False, soft_wrap=True)
    results = [checking.check(file, in_folder=inside) for file, inside in _files(files)]
    for result in results:
        _report(console, result)
    if any(result.faults for result in results):
        ctx.exit(1)


@click.command("new", short_help="Start a definition file of your own.")
@click.argument("key")
@click.option("--name", help="Its full name.")
@click.option("--items", type=int, default=5, show_default=True, help="Number of items.")
@click.option("--answers", metavar="LOW-HIGH", default="0-3", show_default=True, help="Lowest and highest answer.")
@click.option("--rule", type=click.Choice(["sum", "mean"]), default="sum", show_default=True, help="Scoring rule.")
@click.option("--replace", is_flag=True, help="Copy the built-in KEY, to replace it.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write. [KEY.toml; - for standard output]",
)
def new(key: str, *, replace: bool, out: Path | None, answers: str, **options: Any) -> None:
    """Write a starting definition file for the questionnaire KEY: valid as it is, with comments."""
    text = replacement(key) if replace else start(key, answers=_span(answers), **options)
    file = _write(text, out or Path(f"{key}.toml"))
    if file is None:
        return
    click.echo(f"Wrote {file}. Edit it, then:")
    click.echo(f"  mbc instruments check {file}")
    click.echo(f"  mbc score ANSWERS.csv {file}     score with it right away")
    click.echo(f"To make it available everywhere, keep it in {folders.default_folder()},")
    click.echo(f"or in any folder that {folders.VARIABLE} or --instruments names.")


@click.command("schema", short_help="The JSON Schema of definition files, for editors.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write. [printed]")
def schema(out: Path | None) -> None:
    """Print the JSON Schema of definition files: editors that know it check while you type.

    Write it in the folder of your files, and make this the first line of each: #:schema ./instrument.schema.json
    """
    file = _write(shipped_text(), out or Path("-"))
    if file is not None:
        click.echo(f"Wrote {file}. First line of a definition file in the same folder: #:schema ./{file.name}")


def _files(given: tuple[Path, ...]) -> list[tuple[Path, bool]]:
    """Files to check, and whether each is found by its name."""
    definitions: list[tuple[Path, bool]] = []
    for path in given:
        if path.is_dir():
            inside = sorted(file for file in path.glob("*.toml") if not file.name.startswith("."))
            if not inside:
                raise click.UsageError(f"There is no definition file (.toml) in '{path}'.")
            definitions += [(file, True) for file in inside]
        else:
            definitions.append((path, False))
    return definitions


def _report(console: Console, result: Checked) -> None:
    if result.instrument is not None:
        console.print(Text.assemble((f"{result.name} is valid", "bold green"), f": {_summary(result.instrument)}"))
        return
    count = "1 fault" if len(result.faults) == 1 else f"{len(result.faults)} faults"
    console.print(Text.assemble((f"{result.name}: {count}", "bold red")))
    written = result.text.splitlines()
    for fault in result.faults:
        where = f"line {fault.line}: " if fault.line else ""
        console.print(Text(f"  {where}{fault.text}"))
        if fault.line and fault.line <= len(written):
            console.print(Text(f"      {written[fault.line - 1].strip()[:100]}", style="dim"))
    if result.note:
        console.print(Text(f"  {result.note}"))


def _summary(made: Instrument) -> str:
    scales = ", ".join(f"{scale.key} {scale.range[0]:g} to {scale.range[1]:g}" for scale in made.scales)
    return f"{made.name} ({made.key}), {len(made.items)} items; {scales}."


def _span(answers: str) -> tuple[int, int]:
    match = re.fullmatch(r"(-?\d+)\s*(?:-|to|,)\s*(-?\d+)", answers.strip())
    if not match:
        raise click.UsageError(f"--answers is '{answers}'; give the lowest and highest, such as 0-3 or 1-7.")
    return int(match[1]), int(match[2])


def _write(text: str, out: Path) -> Path | None:
    """Write a file that is not there yet; None when it was printed instead."""
    if str(out) == "-":
        click.echo(text, nl=False)
        return None
    try:
        with out.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise click.UsageError(f"'{out}' exists; give another name: --out FILE.") from None
    except OSError as fault:
        raise click.UsageError(f"'{out}' cannot be written: {fault.strerror}.") from None
    return out
