"""Groups of commands that are imported one by one, when a command is asked for: help texts load none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import click

from mbc.errors import nearest


class CommandEntry(NamedTuple):
    """Where a command is defined, and its line in the help of its group, which must load no command."""

    module: str
    help: str


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for.

    Parameters
    ----------
    entries : mapping of str to CommandEntry
        The commands, in the order in which help lists them.
    load : callable
        Gives the command of an entry, by its module and its name.
    noun, heading : str
        What one of them is called, and what stands above their list: "command", "Commands".
    hint : str
        Where all of them are listed.
    """

    def __init__(
        self,
        *args: Any,
        entries: Mapping[str, CommandEntry],
        load: Callable[[str, str], click.Command],
        noun: str,
        heading: str,
        hint: str,
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self._entries = entries
        self._load = load
        self._noun = noun
        self._heading = heading
        self._hint = hint

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the order of their entries."""
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        entry = self._entries.get(cmd_name)
        return None if entry is None else self._load(entry.module, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one-line help, without importing any of them."""
        with formatter.section(self._heading):
            formatter.write_dl([(name, entry.help) for name, entry in self._entries.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest name when the command does not exist."""
        if args and args[0] not in self._entries and not args[0].startswith("-"):
            near = nearest(args[0], self._entries)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"Unknown {self._noun} '{args[0]}'.{meant} {self._hint}")
        return super().resolve_command(ctx, args)
