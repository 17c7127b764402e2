"""``mbc export``: export the record, in a format that other programs read."""

from __future__ import annotations

from pathlib import Path

import click

from mbc.cli.options import as_option, force_option, instrument_option, instruments_option, store_option, view_of

_FORMATS = ("csv", "excel", "parquet", "spss", "fhir", "redcap", "bids")
_AT_HAND = "its definition was not found. Name its folder: --instruments DIR."
_BY_SUFFIX = {".xlsx": "excel", ".json": "fhir"}


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@store_option
@click.option(
    "--format", "kind", type=click.Choice(_FORMATS), help="Default: detected from the name; csv for a folder."
)
@click.option("--client", "clients", multiple=True, metavar="ID", help="Only this client; may be repeated.")
@instrument_option("instruments", "Only this questionnaire; may be repeated.")
@click.option("--scores", "only", flag_value="scores", help="Scores only.")
@click.option("--answers", "only", flag_value="answers", help="The answers, without scores.")
@click.option(
    "--include-safety", is_flag=True, help="Include safety screens and risk items; needs the permission."
)
@click.option(
    "--include-demographics", is_flag=True, help="Include demographics, in a separate table; needs the permission."
)
@instruments_option
@as_option
@force_option
def command(  # noqa: PLR0913 - an option each
    *,
    target: Path,
    store_url: str,
    kind: str | None,
    clients: tuple[str, ...],
    instruments: tuple[str, ...],
    only: str | None,
    include_safety: bool,
    include_demographics: bool,
    username: str | None,
    force: bool,
) -> None:
    """Write the record to TARGET: a folder, or a file for Excel (.xlsx) and FHIR (.json).

    Every export has a codebook, and can be imported again with 'mbc import'. Clients go by their pseudonyms; for
    research without them, see 'mbc deidentify'. Safety data are left out unless --include-safety asks for them.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed
    from rich.text import Text  # noqa: PLC0415

    from mbc.exchange.export.write import export_record  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    console = Console(highlight=False)
    with Store.open(store_url) as full_store, console.status("Reading the record") as status:
        store = view_of(full_store, username)
        done = export_record(
            store,
            target,
            format=kind or _BY_SUFFIX.get(target.suffix.casefold(), "csv"),  # pyright: ignore[reportArgumentType]
            clients=clients,
            instruments=instruments,
            answers=only != "scores",
            scores=only != "answers",
            include_safety=include_safety,
            include_demographics=include_demographics,
            force=force,
            progress=lambda what: status.update(f"Reading {what.replace('_', ' ')}"),
        )
    undefined = [key for key in done.undefined if key not in done.withheld]
    rows = ", ".join(f"{name.removeprefix('administrations/')} {count}" for name, count in done.rows.items())
    console.print(Text(f"Written to {target} ({done.format}): {rows}."), soft_wrap=True)
    if done.withheld:
        console.print(Text(_withheld(done.withheld, done.undefined)), soft_wrap=True)
    if undefined:
        console.print(Text(f"No scores of {', '.join(undefined)}: {_AT_HAND}"), soft_wrap=True)


def _withheld(keys: tuple[str, ...], undefined: tuple[str, ...]) -> str:
    message = f"Answers to {', '.join(keys)} are left out; --include-safety exports them, with the permission."
    strange = [key for key in keys if key in undefined]
    if not strange:
        return message
    return f"{message} It is not known whether {', '.join(strange)} asks about safety: {_AT_HAND}"
