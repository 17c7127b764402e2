"""Make docs/instruments from the catalogue; with --check only tell whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from mbc.instruments.documentation.instrument_pages import differing, write

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "instruments"

if __name__ == "__main__":
    check = "--check" in sys.argv[1:]
    names = differing(FOLDER) if check else write(FOLDER)
    print(f"{'out of date' if check else 'written'}: {', '.join(names) or 'nothing'}")
    sys.exit(1 if check and names else 0)
