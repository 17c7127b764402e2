"""The ``mbc`` command: one module per command, loaded only when that command is called."""

from __future__ import annotations

from mbc.cli.program import main

__all__ = ["main"]
