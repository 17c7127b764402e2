"""Describe a record or a copy of one on the command line: how much it holds, whether it is intact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mbc.store.maintenance.verification import VerifyReport

_MOST = 20
REFUSED = 1


def amounts(rows: dict[str, int]) -> str:
    """Describe how much a record holds.

    Examples
    --------
    >>> amounts({"client": 1, "administration": 6152, "answer": 61533})
    '1 client, 6,152 questionnaires'
    """
    return f"{_counted(rows['client'], 'client')}, {_counted(rows['administration'], 'questionnaire')}"


def size(count: int) -> str:
    """Format a number of bytes.

    Examples
    --------
    >>> size(989_728), size(900)
    ('1.0 MB', '900 bytes')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= 0.95 * unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"


def print_verification(report: VerifyReport, *, what: str) -> int:
    """Print the result of a verification; return the exit status of the command."""
    if report.intact:
        click.echo(f"Verified: {what} is intact, and its audit log is complete.")
        return 0
    faults = [*report.chain.faults, *report.faults]
    click.secho(f"{what[0].upper()}{what[1:]} was changed outside mbc before it was copied:", fg="red", err=True)
    for fault in faults[:_MOST]:
        click.echo(f"  {fault}", err=True)
    if len(faults) > _MOST:
        click.echo(f"  ... and {len(faults) - _MOST} more", err=True)
    return REFUSED


def warn(text: str) -> None:
    """Print a warning."""
    click.secho(text, fg="yellow", err=True)


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
