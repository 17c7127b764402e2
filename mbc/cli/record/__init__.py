"""``mbc record``: write one entry in a line: what was written is printed, with the line that undoes it."""

from __future__ import annotations

import importlib

import click

from mbc.cli.lazy_group import CommandEntry, LazyGroup

COMMANDS: dict[str, CommandEntry] = {
    "answer": CommandEntry("signals", "An answer to a signal: seen, changed, not now."),
    "session": CommandEntry("care", "A session, kept or missed."),
    "rating": CommandEntry("goals", "The client's rating of a goal."),
    "goal": CommandEntry("goals", "A goal: new, revised or retired."),
    "homework": CommandEntry("entries", "Homework: what was agreed on, and how it went."),
    "win": CommandEntry("entries", "A small win."),
    "conflict": CommandEntry("entries", "A conflict, or several, and the repair."),
    "event": CommandEntry("entries", "An event in the client's life."),
    "relationship": CommandEntry("care", "A relationship: beginning, status, end."),
    "rupture": CommandEntry("entries", "A rupture of the alliance, and its repair."),
    "readiness": CommandEntry("entries", "Readiness for couples work, 0 to 10."),
    "clarity": CommandEntry("entries", "Clarity about a decision, 0 to 10."),
    "demographics": CommandEntry("entries", "Demographics, in the clinic's own codes."),
    "partner-view": CommandEntry("entries", "What the client thinks the partner would say."),
    "questionnaire": CommandEntry("paper", "A questionnaire on paper, by number keys."),
    "client": CommandEntry("care", "A new client."),
    "episode": CommandEntry("care", "An episode of care: opened or ended."),
    "release": CommandEntry("entries", "A release of information: who gets which scores until when."),
    "measure": CommandEntry("entries", "A questionnaire of the client's plan of measures."),
    "pause": CommandEntry("entries", "A pause in the plan of measures."),
    "pattern": CommandEntry("entries", "A pattern in a relationship."),
    "support": CommandEntry("entries", "The support network: its size and quality."),
    "safety-plan": CommandEntry("entries", "That a safety plan exists, and its reviews."),
    "duty-to-report": CommandEntry("entries", "That a duty to report was considered."),
    "contraindication": CommandEntry("entries", "That couples work is contraindicated."),
    "flag-response": CommandEntry("entries", "What was done about an answer that raised a flag."),
    "second-review": CommandEntry("entries", "That a second person has reviewed a flag."),
    "undo": CommandEntry("undo", "Undo the last change of an entry."),
}


@click.group(
    "record",
    cls=LazyGroup,
    entries=COMMANDS,
    load=lambda module, name: importlib.import_module(f"mbc.cli.record.{module}").COMMANDS[name],
    noun="entry",
    heading="Entries",
    hint="'mbc record --help' lists all of them.",
)
def command() -> None:
    """Write one entry about a client.

    Each is a line: 'mbc record session C001', 'mbc record win C001 "asked for help"'. Without --on, the date is
    today. What was written is printed, with the command that undoes it. An entry on record is corrected with
    --supersede REASON.
    """
