"""Libraries that only some formats need: loaded on use, and named when missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from mbc.distribution import install_hint
from mbc.errors import SettingsError


def require_library(module: str, what: str) -> ModuleType:
    """Load an optional library.

    Parameters
    ----------
    module : str
        Its import name.
    what : str
        What it is needed for, as the message should say it.

    Raises
    ------
    SettingsError
        When it is not installed.

    Examples
    --------
    >>> require_library("no_such_reader", "Excel workbooks")
    Traceback (most recent call last):
    ...
    mbc.errors.SettingsError: Excel workbooks need a library that is not installed (no_such_reader).
    Install it with: pip install 'mbc-toolkit[export]'
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise SettingsError(
            f"{what} need a library that is not installed ({module}). Install it with: {install_hint('export')}"
        ) from None
