"""A file packed by gzip: what is inside, for a while."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import quote

MOST_UNPACKED = 1 << 30  # bytes
_PIECE = 1 << 20


@contextmanager
def unpacked(path: Path) -> Generator[Path]:
    """Give the unpacked file; it is gone when the block ends.

    Raises
    ------
    ImportRefused
        When the archive is damaged, or holds more than ``MOST_UNPACKED`` bytes.
    """
    with tempfile.TemporaryDirectory(prefix="mbc-") as folder:
        inner = Path(folder) / (path.stem if path.suffix.casefold() == ".gz" else path.name)
        size = 0
        try:
            with gzip.open(path) as packed, inner.open("wb") as target:
                while piece := packed.read(_PIECE):
                    size += target.write(piece)
                    if size > MOST_UNPACKED:
                        raise ImportRefused(
                            f"'{quote(path.name)}' unpacks to more than {MOST_UNPACKED >> 20} MB. Import parts."
                        )
        except (OSError, EOFError, zlib.error) as fault:
            raise ImportRefused(f"'{quote(path.name)}' is a damaged gzip archive ({fault}).") from fault
        yield inner
