"""Which named scoring rules exist beyond what a TOML file can say."""

from __future__ import annotations
