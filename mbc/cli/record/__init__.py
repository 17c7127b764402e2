"""``mbc record``: write one entry in a line: what was written is printed, with the line that undoes it."""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click

from mbc.errors import nearest


class EntryCommand(NamedTuple):
    """Where a command is defined, and its line in the help of the group, which must load no command."""

    module: str
    help: str


COMMANDS: dict[str, EntryCommand] = {
    "answer": EntryCommand("signals", "An answer to a signal: seen, changed, not now."),
    "session": EntryCommand("care", "A session, kept or missed."),
    "rating": EntryCommand("goals", "The client's rating of a goal."),
    "goal": EntryCommand("goals", "A goal: new, revised or retired."),
    "homework": EntryCommand("entries", "Homework: what was agreed on, and how it went."),
    "win": EntryCommand("entries", "A small win."),
    "conflict": EntryCommand("entries", "A conflict, or several, and the repair."),
    "event": EntryCommand("entries", "An event in the client's life."),
    "relationship": EntryCommand("care", "A relationship: beginning, status, end."),
    "rupture": EntryCommand("entries", "A rupture of the alliance, and its repair."),
    "readiness": EntryCommand("entries", "Readiness for couples work, 0 to 10."),
    "clarity": EntryCommand("entries", "Clarity about a decision, 0 to 10."),
    "demographics": EntryCommand("entries", "Demographics, in the clinic's own codes."),
    "partner-view": EntryCommand("entries", "What the client thinks the partner would say."),
    "questionnaire": EntryCommand("paper", "A questionnaire on paper, by number keys."),
    "client": EntryCommand("care", "A new client."),
    "episode": EntryCommand("care", "An episode of care: opened or ended."),
    "release": EntryCommand("entries", "A release of information: who gets which scores until when."),
    "measure": EntryCommand("entries", "A questionnaire of the client's plan of measures."),
    "pause": EntryCommand("entries", "A pause in the plan of measures."),
    "pattern": EntryCommand("entries", "A pattern in a relationship."),
    "support": EntryCommand("entries", "The support network: its size and quality."),
    "safety-plan": EntryCommand("entries", "That a safety plan exists, and its reviews."),
    "duty-to-report": EntryCommand("entries", "That a duty to report was considered."),
    "contraindication": EntryCommand("entries", "That couples work is contraindicated."),
    "flag-response": EntryCommand("entries", "What was done about an answer that raised a flag."),
    "second-review": EntryCommand("entries", "That a second person has reviewed a flag."),
    "undo": EntryCommand("undo", "Undo the last change of an entry."),
}


class EntryGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, the most frequent first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"mbc.cli.record.{COMMANDS[cmd_name].module}")
        return module.COMMANDS[cmd_name]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one-line help, without importing any of them."""
        with formatter.section("Entries"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest name when the command does not exist."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = nearest(args[0], COMMANDS)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"Unknown entry '{args[0]}'.{hint} 'mbc record --help' lists all of them.")
        return super().resolve_command(ctx, args)


@click.group("record", cls=EntryGroup)
def command() -> None:
    """Write one entry about a client.

    Each is a line: 'mbc record session C001', 'mbc record win C001 "asked for help"'. Without --on, the date is
    today. What was written is printed, with the command that undoes it. An entry on record is corrected with
    --supersede REASON.
    """
