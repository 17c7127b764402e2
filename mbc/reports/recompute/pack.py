"""The recompute pack: a released period with a program that computes its figures again, in a folder."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import polars as pl

from mbc import __version__
from mbc.care.clinic.releases import release_table
from mbc.errors import ReportError
from mbc.store.releases import StoredRelease

PROGRAM = Path(__file__).with_name("recompute.py")
REQUIREMENTS = "# Python 3.11 or later; recompute.py uses its standard library alone, so nothing is installed.\n"


def write_pack(release: StoredRelease, folder: Path) -> Path:
    """Write the pack of a release into a new folder.

    Raises
    ------
    ReportError
        If there is something at that place, or the folder around it does not exist.
    """
    if folder.exists():
        raise ReportError(f"{folder} already exists: a pack is written into a new folder. Name another one.")
    if not folder.parent.is_dir():
        raise ReportError(f"The folder {folder.parent} does not exist. Make it first.")
    files = pack_files(release)
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        place = folder / name
        place.write_bytes(content)
        place.chmod(0o600)
    return folder


def pack_files(release: StoredRelease) -> dict[str, bytes]:
    """Give every file of the pack of a release; the same bytes every time."""
    content = json.dumps(release.content, sort_keys=True, ensure_ascii=False).encode()
    files = {
        "release.json": content,
        "figures.csv": _figures(release).encode(),
        "recompute.py": PROGRAM.read_bytes(),
        "requirements.txt": REQUIREMENTS.encode(),
        "README.txt": _readme(release).encode(),
    }
    sums = "".join(f"{hashlib.sha256(made).hexdigest()}  {name}\n" for name, made in sorted(files.items()))
    return {**files, "SHA256SUMS": sums.encode()}


def pack_archive(release: StoredRelease) -> bytes:
    """Give the pack as a zip file; the same bytes every time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in pack_files(release).items():
            entry = zipfile.ZipInfo(f"release-{release.name}/{name}", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _figures(release: StoredRelease) -> str:
    """Write the figures as they are in the release; what is hidden is blank."""
    table = release_table(release)
    hidden = pl.Series("hidden", [str(each) for each in table["hidden"]], pl.String)
    return table.with_columns(hidden).write_csv()


def _readme(release: StoredRelease) -> str:
    definitions = ", ".join(report["title"] for report in release.content["reports"])
    return (
        f"Release {release.name}: {release.start} to {release.end}. {definitions}.\n\n"
        "    python recompute.py\n\n"
        "computes every percentage, limit, worst and best case, band of completeness and hidden mark again from\n"
        "the published counts, and compares them with the release; it ends with status 1 if anything differs. It\n"
        "needs Python 3.11 or later and nothing else.\n\n"
        "release.json   what was published: counts, figures, definitions and rules; its sha256 is the release's:\n"
        f"               {release.sha256}\n"
        "figures.csv    the figures as a table; what is hidden is blank\n"
        "SHA256SUMS     of the files\n\n"
        "Means are published data, as the counts are: no other published number gives them. The counts come from\n"
        f"the clinic's record, which nobody outside may see. Written by mbc {__version__}.\n"
    )
