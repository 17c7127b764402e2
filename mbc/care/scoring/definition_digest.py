"""What decides a score: the definition of its questionnaire, and the code that works it out."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import mbc.frames
import mbc.instruments
from mbc import __version__
from mbc.errors import MbcError
from mbc.instruments import Instrument

_known: dict[str, tuple[Instrument, str]] = {}  # the last definition seen of each key, with its digest


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
    """Digest the code that scores, so that nobody has to remember to report that it changed."""
    digest = hashlib.sha256(__version__.encode())
    for file in scoring_code():
        digest.update(file.read_bytes())
    return digest.hexdigest()


def scoring_code() -> tuple[Path, ...]:
    """List the files that decide a score, in a fixed order.

    Raises
    ------
    MbcError
        If a file is missing: a kept score could then outlive a change of the code.

    Examples
    --------
    >>> sorted({file.name for file in scoring_code()} & {"frames.py", "score_frame.py", "scores.py"})
    ['frames.py', 'score_frame.py', 'scores.py']
    """
    package = Path(str(mbc.instruments.__file__)).parent
    files = (
        *sorted(package.glob("*.py")),
        *sorted((package / "definition").glob("*.py")),
        *sorted((package / "scoring").glob("*.py")),
        *sorted((package / "own").glob("*.py")),
        Path(str(mbc.frames.__file__)),
        Path(__file__).with_name("scores.py"),
    )
    missing = [
        folder for folder in ("definition", "scoring") if not any(file.parent.name == folder for file in files)
    ]
    missing += [str(file) for file in files if not file.is_file()]
    if missing:
        raise MbcError(
            f"Incomplete installation: {', '.join(missing)} cannot be read; stored scores cannot be "
            "trusted. Reinstall it."
        )
    return files
