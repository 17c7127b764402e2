"""Public names of a package that are imported when they are first used, so that importing the package is quick."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping


def public_names(
    package: str, names: Mapping[str, Iterable[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Make ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names are imported on first use.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    names : mapping
        Module, relative to the package -> the names taken from it. The empty name stands for the package itself:
        names under it are subpackages or attributes that the package sets by itself.

    Raises
    ------
    ValueError
        If two modules are listed for one name.

    Notes
    -----
    Type checkers do not see what is imported here: the package imports the same names under ``TYPE_CHECKING``.
    """
    modules: dict[str, str] = {}
    for module, members in names.items():
        for name in members:
            if name in modules:
                raise ValueError(f"{package}.{name} is listed twice.")
            modules[name] = module

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = modules[name]
        if module:
            value = getattr(importlib.import_module(f"{package}.{module}"), name)
        else:
            value = importlib.import_module(f"{package}.{name}")
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(modules), sorted(modules)
