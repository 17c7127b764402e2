"""``mbc verify --install``: try what a clinic may require on this installation, and write it down to be signed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

_COLOURS = {"met": "green", "NOT MET": "bold red", "not applicable": "dim"}


def try_installation(out: Path | None, *, force: bool) -> bool:
    """Try every requirement, print the results, and save the validation pack.

    Parameters
    ----------
    out : Path or None
        Where to save it: ``.html`` or ``.pdf``.
    force : bool
        Replace a file that is there.

    Returns
    -------
    bool
        Whether nothing is unmet.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed
    from rich.text import Text  # noqa: PLC0415

    from mbc.exchange.files.output import refuse_existing  # noqa: PLC0415
    from mbc.reports.document import checked_path  # noqa: PLC0415
    from mbc.reports.installation.pack import REQUIREMENTS, findings, validation_document  # noqa: PLC0415

    if out is not None:
        refuse_existing(checked_path(out), force=force)
        if out.suffix.lower() == ".pdf":  # fails at once where nothing can set it
            validation_document([() for _ in REQUIREMENTS], now=datetime.now().astimezone()).pdf()
    console = Console(highlight=False, soft_wrap=True)
    with Console(stderr=True).status("Testing each requirement with records of invented people"):
        results = findings()
    every = [finding for part in results for finding in part]
    for finding in every:
        line = Text(f"{finding.requirement.number:4}").append(
            f"{finding.result:15}", style=_COLOURS[finding.result]
        )
        console.print(line.append(finding.requirement.words))
        if finding.result != "met":
            console.print(Text(f"    {finding.seen}"))
    if out is not None:
        place = validation_document(results, now=datetime.now().astimezone()).save(out)
        click.echo(f"Saved in {place}, to be reviewed and signed.")
    unmet = sum(finding.result == "NOT MET" for finding in every)
    click.echo(f"{len(every)} requirements: {sum(f.result == 'met' for f in every)} met, {unmet} not met.")
    return unmet == 0
