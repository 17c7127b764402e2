"""What a folder of a registry holds: its tables, their columns, keys and references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "day", "number", "yes or no"]
ADMINISTRATIONS = "administrations"
PARQUET_LAYOUT = 1
"""Version of the layout; a folder says in ``export.json`` which one it has."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    meaning: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """One table: its columns, what names a row, and which rows of other tables it names."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """No two rows of a clinic share these."""
    refers: tuple[tuple[str, str], ...] = ()
    """Column, and the table in which the same column names a row."""
    ordered: tuple[tuple[str, str], ...] = ()
    """Pairs of days of which the first is never after the second."""
    needed: bool = False


_CLIENT = Column("client_id", "text", "the client's pseudonym at this clinic", needed=True)
_INFORMANT = Column("informant", "text", "who answered: client, partner, clinician; blank is the client")
_TARGET = Column("target", "text", "the relationship that was rated, or self")
_HEAD = (
    _CLIENT,
    Column("taken_on", "day", "day on which it was answered", needed=True),
    Column("session_number", "number", "session it belongs to"),
    _TARGET,
    _INFORMANT,
    Column("episode_id", "text", "episode of care; blank: by the day"),
    Column("version", "text", "version of the questionnaire's definition"),
)
_SCORE_COLUMNS = (
    *_HEAD,
    Column("instrument", "text", "key of the questionnaire", needed=True),
    Column("scale", "text", "key of the scale", needed=True),
    Column("score", "number", "the score", needed=True),
)
_SCORE_KEY = ("client_id", "instrument", "scale", "taken_on", "taken_at", "session_number", "target", "informant")
_REFERS = (("client_id", "clients"), ("episode_id", "episodes"))
ANSWERS = Layout(
    ADMINISTRATIONS,
    "one file per questionnaire, named by its key; a row per administration, a column per item",
    (
        *_HEAD,
        Column("form", "text", "item order; blank: the questionnaire's own"),
        Column("coding", "text", "how answers are numbered; blank: the questionnaire's own"),
    ),
    key=("client_id", "taken_on", "taken_at", "session_number", "target", "informant"),
    refers=_REFERS,
)
TABLES: tuple[Layout, ...] = (
    Layout(
        "clients",
        "one row per client",
        (
            _CLIENT,
            Column("clinician_id", "text", "clinician"),
            Column("registered_on", "day", "day of registration"),
        ),
        key=("client_id",),
    ),
    Layout(
        "episodes",
        "one row per episode of care",
        (
            Column("episode_id", "text", "names the episode at this clinic", needed=True),
            _CLIENT,
            Column("clinician_id", "text", "clinician; limits count clients within clinicians"),
            Column("referred_on", "day", "day of referral", needed=True),
            Column("started_on", "day", "day care began"),
            Column("ended_on", "day", "day care ended; blank: it goes on", needed=True),
            Column("ending", "text", "how it ended: planned, dropped out, ..."),
        ),
        key=("episode_id",),
        refers=(("client_id", "clients"),),
        ordered=(("referred_on", "ended_on"), ("started_on", "ended_on")),
        needed=True,
    ),
    Layout(
        "sessions",
        "one row per appointment",
        (
            Column("episode_id", "text", "episode of care", needed=True),
            Column("held_on", "day", "day of the appointment", needed=True),
            Column("attended", "yes or no", "whether the client attended", needed=True),
            Column("client_id", "text", "the client"),
            Column("number", "number", "number of the session"),
        ),
        key=("client_id", "episode_id", "number", "held_on"),
        refers=(("episode_id", "episodes"), ("client_id", "clients")),
        needed=True,
    ),
    Layout(
        "statuses",
        "one row per change of a relationship's status",
        (
            _CLIENT,
            Column("relationship_id", "text", "the relationship; blank: the person"),
            Column("status", "text", "single, dating, partnered, cohabiting, married, separated, ended, widowed",
                   needed=True),
            Column("since", "day", "first day of this status", needed=True),
            Column("step_forward", "yes or no", "whether leaving was a step forward"),
        ),
        key=("client_id", "relationship_id", "since"),
        refers=(("client_id", "clients"),),
    ),
    Layout(
        "totals",
        "totals of questionnaires of which the answers were not kept",
        _SCORE_COLUMNS,
        key=_SCORE_KEY,
        refers=_REFERS,
    ),
    Layout(
        "scores",
        "scores in place of answers: where the table is there, it is what counts",
        _SCORE_COLUMNS,
        key=_SCORE_KEY,
        refers=_REFERS,
    ),
)  # fmt: skip


def layout_table() -> str:
    """Write the layout as Markdown, as docs/registry.md has it.

    Examples
    --------
    >>> print(layout_table().splitlines()[0])
    ### `clients`
    """
    lines: list[str] = []
    for table in (*TABLES, ANSWERS):
        name = f"{table.name}/KEY" if table is ANSWERS else table.name
        need = " Needed." if table.needed else ""
        lines += [f"### `{name}`", "", f"{table.meaning[0].upper()}{table.meaning[1:]}.{need}", ""]
        lines += ["| column | holds | meaning |", "|---|---|---|"]
        for column in table.columns:
            mark = " (needed)" if column.needed else ""
            lines.append(f"| `{column.name}` | {column.kind} | {column.meaning}{mark} |")
        if table is ANSWERS:
            lines.append(
                "| `KEY_1`, `KEY_2`, ... | number | answer to the item at that place; blank: not answered |"
            )
        lines.append("")
    return "\n".join(lines)
