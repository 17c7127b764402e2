"""``mbc --help`` and what all commands have in common."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from mbc.cli.program import COMMANDS, program


def commands(command: click.Command, path: str = "mbc") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


EVERY = dict(commands(program))


def options(command: click.Command) -> dict[str, click.Option]:
    return {word: option for option in command.params if isinstance(option, click.Option) for word in option.opts}


def test_help_lists_every_command_and_loads_none() -> None:
    code = (
        "import sys\nfrom mbc.cli import main\nsys.argv = ['mbc', '--help']\ntry:\n    main()\n"
        "except SystemExit:\n    print(' '.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {"scipy", "polars", "numpy", "sqlalchemy", "narwhals", "mbc.store", "mbc.instruments"}
    assert loaded & {f"mbc.cli.{entry.module}" for entry in COMMANDS.values()} == set()
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_listed_command_is_there(name: str) -> None:
    module = importlib.import_module(f"mbc.cli.{COMMANDS[name].module}")
    assert module.command.name == name


def test_options_with_one_meaning_have_one_name() -> None:
    for path, command in EVERY.items():
        words = options(command)
        assert "--overwrite" not in words, path  # --force replaces files
        assert "--report" not in words, path  # --out writes a table
        if "--instrument" in words:
            assert "-i" in words, path


@pytest.mark.parametrize("path", EVERY)
def test_every_option_is_explained(path: str) -> None:
    hidden = {word for word, option in options(EVERY[path]).items() if option.hidden}
    unexplained = [word for word, option in options(EVERY[path]).items() if not option.help and word not in hidden]
    assert unexplained == []
