"""Where loaded wording is kept: a clinic's own folder, never the package and never its repository."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import platformdirs
from pydantic import TypeAdapter, ValidationError

from mbc.errors import WordingError
from mbc.instruments.wording.texts import Wording

VARIABLE = "MBC_WORDING"
_PACKAGE = Path(__file__).resolve().parents[2]
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{4})?(-(?:[A-Z]{2}|\d{3}))?(-[a-z0-9]{5,8})*")
_STORED = TypeAdapter(Wording)


def folder(directory: str | Path | None = None) -> Path:
    """Folder of the wording: the one given, else ``MBC_WORDING``, else the user's data folder.

    Raises
    ------
    WordingError
        If it lies inside the program or its repository: licensed text must not travel with either.
    """
    given = directory or os.environ.get(VARIABLE)
    chosen = (Path(given) if given else platformdirs.user_data_path("mbc", appauthor=False) / "wording").absolute()
    checkout = _PACKAGE.parent
    forbidden = checkout if (checkout / "pyproject.toml").is_file() else _PACKAGE
    if chosen.resolve().is_relative_to(forbidden):
        raise WordingError(
            f"The wording folder '{chosen}' is inside the program ({forbidden}), where licensed text must not be "
            f"stored. Give one outside: --wording-dir DIR, or {VARIABLE}."
        )
    return chosen


def language_tag(language: str) -> str:
    """Write a language as BCP 47 does.

    Raises
    ------
    WordingError
        If it is none.

    Examples
    --------
    >>> language_tag("EN"), language_tag("pt_br"), language_tag("zh-hant-tw")
    ('en', 'pt-BR', 'zh-Hant-TW')
    """
    first, *rest = language.strip().replace("_", "-").split("-")
    cased = {2: str.upper, 4: str.title}
    tag = "-".join([first.lower(), *(cased.get(len(part), str.lower)(part) for part in rest)])
    if not _LANGUAGE.fullmatch(tag):
        raise WordingError(f"language is {language!r}; give a code such as en, de or pt-BR.")
    return tag


def put(wording: Wording, directory: str | Path | None) -> Path:
    """Keep a wording; the file appears whole or not at all."""
    target = _path(folder(directory), wording.instrument, wording.language, wording.form)
    written = _STORED.dump_json(wording, indent=1)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as part:
            part.write(written)
        Path(part.name).replace(target)
    except OSError as fault:
        raise WordingError(
            f"The wording cannot be stored in '{target.parent}': {fault.strerror}. "
            "Give another folder: --wording-dir DIR."
        ) from None
    return target


def get(key: str, language: str, form: str, directory: str | Path | None) -> Wording | None:
    """Take a wording from the shelf; None where there is none."""
    path = _path(folder(directory), key, language, form)
    return _read(path) if path.is_file() else None


def all_of(directory: str | Path | None, key: str | None = None) -> tuple[Wording, ...]:
    """Take every wording, or every one of an instrument, by key, language and form."""
    return tuple(_read(path) for path in sorted(folder(directory).glob(f"{key or '*'}/*.*.json")))


def discard(key: str, language: str, form: str, directory: str | Path | None) -> None:
    """Remove a wording from the shelf."""
    path = _path(folder(directory), key, language, form)
    path.unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _path(root: Path, key: str, language: str, form: str) -> Path:
    return root / key / f"{language}.{form}.json"


def _read(path: Path) -> Wording:
    try:
        return _STORED.validate_json(path.read_bytes())
    except (OSError, ValidationError) as fault:
        detail = fault.strerror if isinstance(fault, OSError) else f"{fault.error_count()} faults"
        raise WordingError(
            f"'{path}' cannot be read as loaded wording ({detail}). Delete it, and load the wording again: "
            "mbc instruments wording load KEY FILE --language CODE."
        ) from None
