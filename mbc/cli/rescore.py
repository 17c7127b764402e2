"""``mbc rescore``: what a changed definition changes in stored scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from mbc.cli.options import instruments_option, store_option, use_definitions

if TYPE_CHECKING:
    from mbc.care.scoring.rescore import Rescoring, ScaleChange

_MOST_CLIENTS = 20


@click.command("rescore")
@click.option("--apply", "doing", is_flag=True, help="Recompute and store every score.")
@click.option("--clients", "named", is_flag=True, help="List the clients whose scores change, by identifier.")
@store_option
@instruments_option
def command(*, doing: bool, named: bool, store_url: str) -> None:
    """Show what the current definitions change in scores stored under earlier versions.

    Nothing is changed unless --apply asks for it. To see what a new version of a questionnaire of your own would
    do, put it in a separate folder and name that with --instruments, before it goes where mbc finds it.

    Answers are never changed: scores are always computed from them, with the current definition.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed

    from mbc.care.scoring.rescore import rebuild_scores, rescoring  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened

    console = Console(stderr=True)
    with Store.open(store_url) as store:
        use_definitions(store)
        with console.status("Computing scores"):
            changes = rescoring(store)
        for change in changes:
            _print_change(change, named=named)
        if not changes:
            click.echo(
                "No score is stored under an earlier definition: nothing would change."
                if store.score_sets().height
                else "No scores are stored yet, so there is nothing to compare. --apply stores them."
            )
        if doing:
            with console.status("Computing and storing scores"):
                kept = rebuild_scores(store, changes)
            click.echo(f"{kept:,} scores computed and stored.")
        elif changes:
            click.echo("Nothing was changed. --apply stores the new scores.")


def _print_change(change: Rescoring, *, named: bool) -> None:
    versions = f"version {change.old_version} -> {change.new_version}"
    if change.old_version == change.new_version:
        versions = f"version {change.new_version}, with a different definition or mbc version"
    counts = f"{change.administrations:,} on record; {_count(change.changed)} would change"
    click.echo(f"{change.instrument}: {versions}; {counts}")
    for scale in change.scales:
        for line in _lines(scale, named=named):
            click.echo(f"  {line}")


def _lines(scale: ScaleChange, *, named: bool) -> Iterator[str]:
    if not scale.changed and not scale.bands:
        yield f"{scale.scale}: none of {scale.compared:,} scores"
        return
    yield f"{scale.scale}: {scale.changed:,} of {scale.compared:,} scores, of {_clients(len(scale.clients))}"
    if scale.lowest is not None:
        spread = f"{_points(scale.lowest)} to {_points(scale.highest)}"
        yield f"  by {spread}, median {_points(scale.median)}"
    if scale.appeared:
        yield f"  {scale.appeared:,} with a new score"
    if scale.vanished:
        yield f"  {scale.vanished:,} no longer with a score"
    for move in scale.bands:
        yield f"  {move.count:,} from {move.before or '(no band)'} to {move.after or '(no band)'}"
    if named and scale.clients:
        more = len(scale.clients) - _MOST_CLIENTS
        yield f"  {', '.join(scale.clients[:_MOST_CLIENTS])}{f' and {more:,} more' if more > 0 else ''}"


def _clients(count: int) -> str:
    return f"{count:,} client" + ("" if count == 1 else "s")


def _points(value: float | None) -> str:
    return "?" if value is None else f"{value:+.2f}".rstrip("0").rstrip(".").replace("-", "\u2212")


def _count(count: int) -> str:
    return f"{count:,} score" + ("" if count == 1 else "s")
