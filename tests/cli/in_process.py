"""The ``mbc`` command as a user runs it, to its exit status, without a process of its own for each call."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

from mbc.cli import main


class Ended(NamedTuple):
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def mbc(*arguments: object) -> Ended:
    """Run the command line with these words."""
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    status = 0
    with (
        patch.object(sys, "argv", ["mbc", *map(str, arguments)]),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    texts = []
    for stream in (output, errors):
        stream.seek(0)
        texts.append(stream.read())
    return Ended(status, *texts)
