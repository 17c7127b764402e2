"""What decides a score: the definition of its questionnaire, and the code that works it out."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from types import ModuleType

import mbc.instruments
from mbc import __version__
from mbc.instruments import Instrument

_known: dict[str, tuple[Instrument, str]] = {}  # the last definition met of each key, with its digest


def definition_digest(instrument: Instrument) -> str:
    """Digest everything that a score of a questionnaire depends on, so that no kept score outlives a change.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> definition_digest(instrument("rses")) == definition_digest(instrument("who5"))
    False
    """
    known, digest = _known.get(instrument.key, (None, ""))
    if known is not instrument:
        digest = hashlib.sha256(f"{_code()}\x1f{instrument!r}".encode()).hexdigest()
        _known[instrument.key] = instrument, digest
    return digest


@cache
def _code() -> str:
    """Digest the code that scores, so that nobody has to remember to say that it changed."""
    found = hashlib.sha256(__version__.encode())
    for file in (*sorted(_folder(mbc.instruments).glob("*.py")), Path(__file__).with_name("scores.py")):
        found.update(file.read_bytes() if file.exists() else b"")
    return found.hexdigest()


def _folder(package: ModuleType) -> Path:
    return Path(str(package.__file__)).parent
