"""Fill the pages of the documentation that follow from the code: a hook of MkDocs, called when the site is built.

A page holds a line such as ``<!-- from the code: commands -->``: ``commands`` (every command and option),
``environment`` (every variable), ``dictionary`` (every table and column of the record), ``questionnaires`` (which
may be used, from where, in which form).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mbc.cli.program import COMMANDS, program
from mbc.exchange.export import codebook
from mbc.instruments import instrument, keys
from mbc.store.schema import kinds, tables
from mbc.store.schema.column_types import metadata

ROOT = Path(__file__).resolve().parents[1]
TEXTS = tomllib.loads((ROOT / "scripts" / "reference_pages.toml").read_text("utf-8"))
PROSE: dict[str, str] = TEXTS["prose"]
LOADED = (tables, kinds)  # both add their tables to the same collection
VARIABLE = re.compile(r"\bMBC_[A-Z_]+\b")
KINDS = {
    "UtcDateTime": "moment", "String": "text", "Text": "text", "Integer": "whole number", "Double": "number",
    "BigInteger": "whole number",
}  # fmt: skip
FLASK_SETTINGS = {
    "MBC_IDLE_SECONDS",
    "MBC_SYNTHETIC",
    "MBC_PERSONAL",
}  # not of its environment
_LONG = 40  # characters of an option with its choices: they may break between two of them
PLACE = re.compile(r"^<!-- from the code: (\w+) -->$", re.MULTILINE)
ABOUT_VARIABLES = {
    "MBC_SIGN_IN": "TOML file about the clinic's own directory, as a way to sign in (`--sign-in`).",
    "MBC_ASKING": "TOML file with the clinic's settings about asking clients (`--settings`).",
    "MBC_BACKUP_KEY": "Key of a backup, where it is not the record's.",
    "MBC_BATTERY": "TOML file with the clinic's plan of measures for every client.",
    "MBC_BOX": "File of sealed answers of `mbc questionnaire` (`--box`).",
    "MBC_DEBUG": "`1` prints a traceback where mbc itself has a fault. It may hold what is on record.",
    "MBC_FOLDER": "Folder of the record of `mbc start` (`--folder`).",
    "MBC_INSTRUMENTS": "Folder with definition files of your own questionnaires (`--instruments`).",
    "MBC_LEAKED_PASSWORDS": "File of leaked passwords, as *Have I Been Pwned* gives them: none is accepted.",
    "MBC_MODELS": "Folder with model files, used instead of models of the clinic's own data (`--models`).",
    "MBC_PASSWORD": "Password for `mbc user add`, `mbc demo` and the first `mbc start`, where none is asked for.",
    "MBC_SECRET_KEY": "Signs the cookies of `mbc serve`. Better in a file: `MBC_SECRET_KEY_FILE`.",
    "MBC_SECRET_KEY_FILE": "File, readable by its owner only, with the key that signs the cookies.",
    "MBC_STORE": "Address of the record (`--store`).",
    "MBC_STORE_KEY": "Key of an encrypted record. Better in a file: `MBC_STORE_KEY_FILE`.",
    "MBC_STORE_KEY_FILE": "File, readable by its owner only, with the key of an encrypted record.",
    "MBC_STORE_PASSWORD_FILE": "File with the password of a PostgreSQL record.",
    "MBC_WORDING": "Folder in which the wording that you loaded is kept.",
}


def commands() -> str:
    """Describe every command with its options, in the order of ``mbc --help``."""
    parts = [
        PROSE["commands"],
        "| command | what it does |\n|---|---|",
        "\n".join(f"| [`mbc {name}`](#mbc-{name}) | {entry.help} |" for name, entry in COMMANDS.items()),
    ]
    for path, command in _commands(program, "mbc"):
        if path != "mbc":
            parts.append(_command(path, command))
    return "\n".join(parts) + "\n"


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _commands(inner, f"{path} {name}")


def _command(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    level = "#" * min(path.count(" ") + 1, 3)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [f"\n{level} {path}\n", "```text", usage, "```\n", _paragraphs(command.help or "")]
    rows = [
        f"| {names} | {_cell(text)} |"
        for names, text in (_option(option, context) for option in command.get_params(context))
        if names
    ]
    if rows:
        lines += ["", "| option | |", "|---|---|", *rows]
    return "\n".join(lines)


def _option(option: click.Parameter, context: click.Context) -> tuple[str, str]:
    record = option.get_help_record(context) if isinstance(option, click.Option) else None
    if record is None or "--help" in option.opts:
        return "", ""
    names = record[0].replace("|", "| ") if len(record[0]) > _LONG else record[0]
    return f"`{names}`", record[1]


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[").split())


def environment() -> str:
    """Describe every variable of the environment that the code reads."""
    rows = [f"| `{name}` | {ABOUT_VARIABLES[name]} |" for name in variables()]
    return "\n".join(
        [
            PROSE["environment"],
            "| variable | what it holds |",
            "|---|---|",
            *rows,
            "",
            PROSE["environment_end"].rstrip(),
            "",
        ]
    )


def variables() -> list[str]:
    """Name the variables that occur in the code."""
    files = (path for package in ("mbc", "dashboards") for path in (ROOT / package).rglob("*.py"))
    names = {name for path in files for name in VARIABLE.findall(path.read_text("utf-8"))}
    return sorted(name for name in names - FLASK_SETTINGS if not name.endswith("_"))


def dictionary() -> str:
    """Describe every table and column of the record."""
    texts = TEXTS
    ordered = sorted(metadata.tables)
    parts = [
        PROSE["dictionary"],
        "| table | what it holds |\n|---|---|",
        "\n".join(f"| [`{name}`](#{name}) | {texts['tables'][name]} |" for name in ordered),
    ]
    for name in ordered:
        rows = [
            f"| `{column.name}` | {_type(column)} | {_meaning(name, column.name, texts['columns'])} |"
            for column in metadata.tables[name].columns
        ]
        heading = f"\n## {name}\n\n{texts['tables'][name]}\n"
        parts.append("\n".join([heading, "| column | type | meaning |", "|---|---|---|", *rows]))
    return "\n".join(parts) + "\n"


def _type(column: Any) -> str:
    named = type(column.type).__name__
    words = KINDS.get(named, named.lower())
    extra = ["key"] if column.primary_key else []
    extra += ["may be blank"] if column.nullable else []
    links = sorted(key.target_fullname.partition(".")[0] for key in column.foreign_keys)
    extra += [f"of `{link}`" for link in dict.fromkeys(links)]
    return ", ".join([words, *extra])


def _meaning(table: str, column: str, own: dict[str, str]) -> str:
    apart = {(named.rstrip("s"), name): text for (named, name), text in codebook._APART.items()}  # noqa: SLF001
    here = own.get(f"{table}.{column}")
    return here or apart.get((table, column)) or own.get(column) or codebook._COLUMNS[column]  # noqa: SLF001


def questionnaires() -> str:
    """Say of every questionnaire whether it may be used, from where its text comes, and which form is which."""
    parts = [
        PROSE["questionnaires"],
        "| questionnaire | measures | may be used | which form, by its first topics | numbers on the sheet |",
        "|---|---|---|---|---|",
    ]
    for key in sorted(keys(), key=lambda name: (instrument(name).construct, name)):
        item = instrument(key)
        about = f"[{item.name}](instruments/{key}.md) (`{key}`)"
        codings = "; ".join(coding.title for coding in item.own_codings)
        may = f"{item.licence.status} (trust: {item.licence.confidence}){_owner(key)}"
        parts.append(f"| {about} | {item.construct_name} | {may} | {_forms(key)} | {_cell(codings)} |")
    parts.append(PROSE["questionnaires_end"].rstrip())
    return "\n".join(parts) + "\n"


def _owner(key: str) -> str:
    item = instrument(key)
    url = item.source(item.licence.source).url if item.licence.source else None
    return f"; [source]({url})" if url else ""


def _forms(key: str) -> str:
    item = instrument(key)
    if len(item.forms) == 1:
        return "one order"
    texts = []
    for form in item.forms:
        topics = ", ".join(item.item(item_id).label for item_id in form.order[:3])
        texts.append(f"**{form.key}**{' (default)' if form.default else ''}: {topics} ...")
    return "<br>".join(texts)


WRITERS = {
    "commands": commands,
    "environment": environment,
    "dictionary": dictionary,
    "questionnaires": questionnaires,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each placeholder by what it asks for."""
    return PLACE.sub(lambda found: WRITERS[found[1]](), markdown)
