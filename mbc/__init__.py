"""Measurement-based care for individual relationship therapy.

The public names; each is loaded when first used, so that ``import mbc`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mbc import care, figures, models, simulate
    from mbc.errors import MbcError
    from mbc.instruments import Instrument, applicable, instrument, score
    from mbc.instruments.library import instruments
    from mbc.store import Store

__version__ = "0.1.0"

__all__ = [
    "Instrument",
    "MbcError",
    "Store",
    "__version__",
    "applicable",
    "care",
    "figures",
    "instrument",
    "instruments",
    "models",
    "score",
    "simulate",
]

_HOME = {
    "Instrument": "mbc.instruments",
    "MbcError": "mbc.errors",
    "Store": "mbc.store",
    "applicable": "mbc.instruments",
    "instrument": "mbc.instruments",
    "score": "mbc.instruments",
}


def __getattr__(name: str) -> object:
    # `mbc.instruments` is a package and also the public function of that name: the package is callable.
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in __all__:
        value = importlib.import_module(f"mbc.{name}")
    else:
        raise AttributeError(f"module 'mbc' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
