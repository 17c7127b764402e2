"""Which commands there are, and how a fault ends: a clear message and a status, never a traceback."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

from mbc.distribution import DISTRIBUTION
from mbc.errors import ImportRefused, MbcError, nearest

# name -> module in mbc.cli that defines `command`
COMMANDS: dict[str, str] = {
    "demo": "demo",
    "init": "init",
    "instruments": "instruments",
    "score": "score",
    "import": "import_",
    "export": "export",
    "client": "client",
    "caseload": "caseload",
    "review": "review",
    "outcomes": "outcomes",
    "validate": "validate",
    "deidentify": "deidentify",
    "user": "user",
    "audit": "audit",
    "rescore": "rescore",
    "verify": "verify",
    "erase": "erase",
    "serve": "serve",
    "backup": "backup",
    "restore": "restore",
    "encrypt": "encrypt",
    "key": "key",
}

REFUSED, USAGE = 1, 2
_MOST_ROWS = 50


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of a first day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"mbc.cli.{COMMANDS[cmd_name]}").command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Offer the nearest name when there is no such command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = nearest(args[0], COMMANDS)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"There is no command '{args[0]}'.{hint} 'mbc --help' lists them all.")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=DISTRIBUTION, prog_name="mbc")
def program() -> None:
    """Measurement-based care for individual relationship therapy."""


def main() -> NoReturn:
    """Run the command line; the process ends with 0, 1 (data refused) or 2 (wrong usage)."""
    try:
        status = program.main(prog_name="mbc", standalone_mode=False)
    except click.exceptions.Abort:
        _say("Interrupted; nothing was half-done.")
        sys.exit(130)
    except click.ClickException as fault:
        fault.show()
        sys.exit(USAGE)
    except MbcError as fault:
        _explain(fault)
        sys.exit(REFUSED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as fault:  # noqa: BLE001 - the outermost door: a user never meets a traceback
        if os.environ.get("MBC_DEBUG"):
            traceback.print_exc()
        _say(f"Unexpected fault in mbc itself ({type(fault).__name__}). Run again with MBC_DEBUG=1 for details.")
        sys.exit(REFUSED)
    sys.exit(status if isinstance(status, int) else 0)


def _explain(fault: MbcError) -> None:
    _say(str(fault))
    rows = fault.rows if isinstance(fault, ImportRefused) else ()
    for row in rows[:_MOST_ROWS]:
        _say(f"  {row}", style="default")
    if len(rows) > _MOST_ROWS:
        _say(f"  ... and {len(rows) - _MOST_ROWS} more rows", style="default")


def _say(message: str, *, style: str = "bold red") -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(message, style=style))
