"""``mbc ask --all-due``: everybody is asked for whom the plan has something due; the links are mailed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.askings import open_box
from mbc.cli.options import cohort_models, use_definitions

if TYPE_CHECKING:
    from mbc.box.content import Explanation
    from mbc.care.askings.ask_due import DueAskings
    from mbc.care.askings.settings import AskingSettings
    from mbc.store import Store


def ask_all_due(
    settings: AskingSettings, store_url: str, *, dry_run: bool, explain: bool, models_folder: Path | None
) -> None:
    """Ask everybody who is due and has an address on file; prints counts, and names nobody."""
    from mbc.care.askings.ask_due import ask_due, due_askings, refusals  # noqa: PLC0415 - quick command line
    from mbc.care.askings.collect import collect  # noqa: PLC0415
    from mbc.care.askings.mail import mail_of, read_contacts  # noqa: PLC0415
    from mbc.errors import MbcError  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    contacts = read_contacts(mail_of(settings))
    day = datetime.now().astimezone().date()
    with Store.open(store_url) as store, closing(open_box(settings, store_url)) as box:
        use_definitions(store)
        faults = tuple(collect(store, box).faults)
        due = due_askings(store, contacts, day)
        if dry_run:
            click.echo(f"{len(due.askings)} would be asked.")
            faults += refusals(store, settings, due.askings, day)
        else:
            words = explainer(store, store, settings.language, models_folder) if explain else None
            asked = ask_due(store, box, settings, due.askings, day, explain=words)
            click.echo(f"{asked.asked} asked.")
            faults += asked.faults
    _show(due)
    if faults:
        raise MbcError("\n".join(faults))


def _show(due: DueAskings) -> None:
    for key, number in sorted(Counter(key for asking in due.askings for key in asking.keys).items()):
        click.echo(f"  {key:<20}{number:>6}")
    if due.without_address:
        click.echo(f"{due.without_address} due, without an address on file.")
    if due.stopped:
        click.echo(f"{due.stopped} due, who have opted out.")


def explainer(
    store: Store, models_store: Store, language: str, folder: Path | None
) -> Callable[[str, Sequence[str]], Explanation]:
    """Give the function that explains how progress is measured, for a client and what they are asked.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    models_store : Store
        The record, for measurement error where none is published.
    language : str
    folder : Path, optional
        Of model files.
    """
    from mbc.reports import measures_explanation  # noqa: PLC0415 - quick command line

    cohort = cohort_models(models_store, folder, fits="when asked for")
    return lambda client_id, keys: measures_explanation(store, client_id, keys, language=language, cohort=cohort)
