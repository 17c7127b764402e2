"""``mbc score``: a file of answers to a file of scores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mbc.cli.instruments import find
from mbc.cli.options import force_option, instruments_option
from mbc.errors import ImportRefused, InvalidResponse, MissingItems
from mbc.exchange.answer_file import read_answers
from mbc.exchange.cells.text import MISSING_TEXTS
from mbc.exchange.files.messages import count_noun
from mbc.exchange.files.text_table import ROW
from mbc.instruments import Coding, Instrument, Scale, refused_answers, score_stated

_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")


@click.command("score")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--items", metavar="PATTERN", help="Item columns: 'Q{n}', or their names with commas. [KEY_{n}]")
@click.option("--form", help="Item order of the form used, such as 'b'.")
@click.option("--coding", help="Answer coding, such as '1-4'.")
@click.option(
    "--missing", type=click.Choice(["strict", "prorate"]), help="Rule for unanswered items. [the published rule]"
)
@click.option(
    "--invalid",
    type=click.Choice(["raise", "null"]),
    default="raise",
    show_default=True,
    help="Refuse answers out of range, or count them as blank.",
)
@click.option(
    "--blank", multiple=True, metavar="TEXT", help="Text that means 'not answered', such as NA; may be repeated."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File for all rows (.csv, .tsv, .parquet; - for CSV on standard output).",
)
@force_option
@instruments_option
def command(
    *,
    file: Path,
    key: str,
    items: str | None,
    blank: tuple[str, ...],
    out: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Score the answers in FILE (CSV, TSV or Parquet) to the questionnaire KEY.

    The rows come back with score columns added; without --out a summary is shown. KEY is a key of
    'mbc instruments', or a definition file of your own (FILE.toml).
    """
    definition = find(key)
    _check_out(file, out, force=force)
    columns = _items(items)
    form, coding = options["form"], options["coding"]
    read = read_answers(file, definition, items=columns, form=form, coding=coding, blank=blank)
    for note in read.notes:
        Console(stderr=True, highlight=False).print(Text("Note: ", style="yellow").append(note, style="default"))
    try:
        scored = score_stated(read.frame.drop(ROW, strict=False), definition, items=columns, **options)
    except InvalidResponse as fault:
        numbered = ROW if ROW in read.frame.columns else None
        rows = refused_answers(read.frame, definition, items=columns, form=form, coding=coding, numbered=numbered)
        raise ImportRefused(_with_blank(_as_options(str(fault)), rows), rows) from None
    except MissingItems as fault:
        raise MissingItems(_as_options(str(fault))) from None
    if out is None:
        _summarise(scored, definition, definition.coding(coding))
    else:
        _write(scored, out)


def _items(items: str | None) -> str | list[str] | None:
    if items is None or "{n}" in items:
        return items
    return [name.strip() for name in items.split(",")]


def _with_blank(message: str, rows: Sequence[str]) -> str:
    """Where texts such as NA were refused, say how to read them as blank instead of guessing at a coding."""
    texts = dict.fromkeys(text for row in rows for text in re.findall(r"'([^']*)'", row))
    blanks = [text for text in texts if text.casefold() in MISSING_TEXTS]
    if not blanks:
        return message
    start = message.partition(". All answers")[0].partition(". Correct them")[0].rstrip(".")
    return (
        f"{start}. If {', '.join(blanks)} means 'not answered': {' '.join(f'--blank {text}' for text in blanks)}"
    )


def _as_options(message: str) -> str:
    """Turn the Python of a hint into options of the command line."""
    message = re.sub(r"pass (coding|items|form)=(['\"])(.*?)\2", r"pass --\1 '\3'", message)
    message = message.replace('invalid="null"', "--invalid null")
    return message.replace("make 0 null", "name it with --blank 0")


def _check_out(file: Path, out: Path | None, *, force: bool) -> None:
    if out is None or str(out) == "-":
        return
    if out.suffix not in _SUFFIXES:
        raise click.UsageError(f"--out is '{out}'; its name must end in {', '.join(_SUFFIXES)}, or be -.")
    if out.exists() and file.exists() and out.samefile(file):
        raise click.UsageError("--out is the input file; give another name.")
    if out.exists() and not force:
        raise click.UsageError(f"'{out}' exists; give another name, or --force.")
    if not out.parent.is_dir():
        raise click.UsageError(f"There is no folder '{out.parent}'.")


def _write(scored: pl.DataFrame, out: Path) -> None:
    if str(out) == "-":
        click.echo(scored.write_csv(), nl=False)
        return
    if out.suffix == ".parquet":
        scored.write_parquet(out)
    else:
        scored.write_csv(out, separator="\t" if out.suffix == ".tsv" else ",")
    Console(stderr=True, highlight=False).print(Text(f"{count_noun(scored.height, 'row')} written to {out}."))


def _summarise(scored: pl.DataFrame, definition: Instrument, coding: Coding) -> None:
    console = Console(highlight=False)
    console.print(Text.assemble((definition.name, "bold"), f": {count_noun(scored.height, 'row')}"))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("scale", "scored", "prorated", "no score", "mean", "SD", "lowest", "highest", "range"):
        table.add_column(name, justify="left" if name in {"scale", "range"} else "right")
    for scale in definition.scales:
        table.add_row(*_cells(scored, f"{definition.key}_{scale.key}{coding.metric}", scale, coding))
    console.print(table)
    for scale in definition.scales:
        if scale.bands and not coding.metric:
            console.print(_bands(scored, definition, scale))
    console.print(Text("--out FILE writes every row with its scores.", style="dim"))


def _cells(scored: pl.DataFrame, name: str, scale: Scale, coding: Coding) -> tuple[str, ...]:
    scores = scored[name].drop_nulls()
    marked = f"{name}_prorated"
    prorated = int(scored[marked].sum()) if marked in scored.columns else 0
    digits = scale.decimals + 1
    figures = [
        "-" if value is None else f"{value:.{digits}f}"
        for value in (scores.mean(), scores.std(), scores.min(), scores.max())
    ]
    low, high = scale.range if coding.range is None else coding.range
    ends = f"{low:g}-{high:g}" if coding.range is None or scale.rule == "mean" else ""
    return (
        f"{scale.key}{coding.metric}",
        str(scores.len()),
        str(prorated),
        str(scored.height - scores.len()),
        *figures,
        ends,
    )


def _bands(scored: pl.DataFrame, definition: Instrument, scale: Scale) -> Text:
    counts = dict(scored[f"{definition.key}_{scale.key}_band"].drop_nulls().value_counts().iter_rows())
    listed = ", ".join(f"{band.label} {counts.get(band.label, 0)}" for band in scale.bands)
    return Text(f"{scale.key}: {listed}")
