"""Trials of the program's files and of what it needs."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from importlib import metadata
from pathlib import Path

from mbc.distribution import DISTRIBUTION
from mbc.reports.installation.requirement import NotApplicable, require
from mbc.reports.installation.synthetic import synthetic_store

_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^\]]*\])?\s*>=\s*([\w.]+)")


def files(_: Path) -> str:
    """Compare every file with the digest of the release."""
    listed = [file for file in metadata.files(DISTRIBUTION) or () if file.hash is not None]
    own = [file for file in listed if file.parts[0] in {"mbc", "dashboards"}]
    if not own:
        raise NotApplicable("installed for development, from a working copy: there is no list of released files")
    wrong: list[str] = []
    for file in own:
        path = Path(str(file.locate()))
        kind = file.hash.mode if file.hash else "sha256"
        digest = hashlib.new(kind, path.read_bytes()).digest() if path.is_file() else b""
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != (file.hash.value if file.hash else ""):
            wrong.append(str(file))
    require(not wrong, f"changed or missing: {', '.join(wrong[:5])}")
    return f"{len(own)} files, each with the digest of the release"


def dependencies(_: Path) -> str:
    """Compare what is installed with what the program needs."""
    needed = [text for text in metadata.requires(DISTRIBUTION) or () if "extra ==" not in text]
    wrong: list[str] = []
    for text in needed:
        match = _REQUIREMENT.match(text)
        if match is None:
            continue
        name, least = match.groups()
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if _numbers(installed) < _numbers(least):
            wrong.append(f"{name} {installed} is older than {least}")
    require(needed, "the distribution does not list its requirements")
    require(not wrong, ", ".join(wrong))
    return f"{len(needed)} packages in supported versions"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def no_network(folder: Path) -> str:
    """Work with a record, and watch for connections."""
    asked: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in {"socket.connect", "socket.getaddrinfo"}:
            asked.append(f"{event} {arguments[-1] if event == 'socket.connect' else arguments[0]}")

    sys.addaudithook(watch)  # cannot be removed again, so it is switched off
    try:
        with synthetic_store(folder) as store:
            store.verify()
            store.answers()
    finally:
        watching = False
    require(not asked, f"asked for: {', '.join(asked[:3])}")
    return "a record was created, read and verified: no connection"
