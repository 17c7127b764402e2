"""How a file of wording is taken in, found again and removed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from mbc.errors import MbcError, WordingError
from mbc.instruments.definition.definition import Instrument
from mbc.instruments.library import instrument as load_instrument
from mbc.instruments.library import keys, origin
from mbc.instruments.shipped import shipped_wording
from mbc.instruments.wording import shelf
from mbc.instruments.wording.blank_file import refuse_goals
from mbc.instruments.wording.drafts import Draft, foreign_syntax, plain
from mbc.instruments.wording.from_csv import read_csv, read_table
from mbc.instruments.wording.from_fhir import read_questionnaire
from mbc.instruments.wording.from_redcap import is_dictionary, read_dictionary
from mbc.instruments.wording.item_match import MatchedWording, match
from mbc.instruments.wording.texts import Wording

_MOST_BYTES = 20_000_000  # a data dictionary of thousands of fields has a few million
_ASSERTED = 400  # characters of a statement that a licence is held


@dataclass(frozen=True, slots=True)
class Loaded:
    """A wording that was taken in, and what a reader should know of it."""

    wording: Wording
    path: Path  # where it is kept
    notes: tuple[str, ...]


def load(  # noqa: PLR0913 - each says what a file may leave open
    key: str | Instrument,
    file: str | Path,
    *,
    language: str,
    form: str | None = None,
    coding: str | None = None,
    items: str | None = None,
    title: str | None = None,
    instructions: str | None = None,
    licence_held: str | None = None,
    overwrite: bool = False,
    directory: str | Path | None = None,
) -> Loaded:
    """Check a file of wording against an instrument and keep it outside the program.

    Questions are matched to items by LOINC code, item id, or their number on the form; every item must be there
    once, in the form's order, with options whose values are just what the coding accepts.

    Parameters
    ----------
    key : str or Instrument
    file : str or Path
        CSV (``item``, ``text``, and options as columns ``0``, ``1``, ... or one column ``options``), a FHIR R4
        Questionnaire (JSON), or a REDCap data dictionary.
    language : str
        ``"en"``, ``"pt-BR"``.
    form, coding : str, optional
        Item order and answer coding of the text. Needed where the file cannot tell: questions that are only
        numbered, on an instrument with several orders; options that two codings accept.
    items : str, optional
        What fields are called, with ``{n}`` for their number: ``"q{n}_today"``. Default: ``{key}_{n}``, ``q{n}``.
    title, instructions : str, optional
        Shown above the questions; default: the file's.
    licence_held : str, optional
        The clinic's statement that it may use the text, kept with it. Needed where the licence is restricted.
    overwrite : bool
        Whether another wording of the same language and form may be replaced.
    directory : str or Path, optional
        Where wording is kept; default: ``MBC_WORDING``, or the user's data folder.

    Raises
    ------
    WordingError
        Naming everything that does not fit, and the repair.
    """
    definition = load_instrument(key) if isinstance(key, str) else key
    refuse_goals(definition)
    tag = shelf.language_tag(language)
    held = _licence(definition, licence_held)
    content, name = _content(Path(file))
    draft = _draft(content, name, tag)
    fitted = match(draft, definition, name, form=form, coding=coding, pattern=_pattern(items))
    made = Wording(
        instrument=definition.key,
        version=definition.version,
        language=tag,
        form=fitted.form.key,
        coding=fitted.coding.key,
        title=plain(title) or draft.title,
        instructions=plain(instructions) or draft.instructions or _section(draft, fitted),
        items=fitted.items,
        copyright=draft.copyright,
        licence_held=held,
        file=name,
        sha256=hashlib.sha256(content).hexdigest(),
        loaded_at=datetime.now(UTC),
    )
    for where, text in (("title", made.title), ("instructions", made.instructions)):
        if text is not None and (unfit := foreign_syntax(text)) is not None:
            raise WordingError(f"{name}, {where}: {unfit}.")
    _check_free(made, directory, overwrite=overwrite)
    return Loaded(made, shelf.put(made, directory), fitted.notes)


def of(
    key: str | Instrument, language: str, form: str | None = None, *, directory: str | Path | None = None
) -> Wording | None:
    """Wording of an instrument in a language, or None where none is loaded.

    Parameters
    ----------
    key : str or Instrument
    language : str
        Exactly: ``"en-GB"`` is not answered with ``"en"``.
    form : str, optional
        An item order; default: the instrument's default form, else whichever is loaded.
    directory : str or Path, optional
        As in ``load``.

    Raises
    ------
    WordingError
        If what is kept no longer fits the instrument.
    """
    definition = load_instrument(key) if isinstance(key, str) else key
    tag = shelf.language_tag(language)
    forms = (
        sorted(definition.forms, key=lambda candidate: not candidate.default)
        if form is None
        else [definition.form(form)]
    )
    for candidate in forms:
        wording = shelf.get(definition.key, tag, candidate.key, directory)
        if wording is not None:
            _check_current(wording, definition)
            return wording
    return _shipped(definition.key, tag) if form in (None, definition.form().key) else None


def require(
    key: str | Instrument, language: str, form: str | None = None, *, directory: str | Path | None = None
) -> Wording:
    """Wording of an instrument in a language; parameters as in ``of``.

    Raises
    ------
    WordingError
        If none is loaded: nothing is shown to a client then. The text says how to load it.
    """
    definition = load_instrument(key) if isinstance(key, str) else key
    wording = of(definition, language, form, directory=directory)
    if wording is not None:
        return wording
    request = f"{definition.key} in {shelf.language_tag(language)!r}" + (f", form {form!r}" if form else "")
    there = ", ".join(
        f"{wording.language} (form {wording.form})" for wording in loaded(definition, directory=directory)
    )
    raise WordingError(
        f"No wording is loaded for {request}; loaded: {there or 'none'}. Nothing is shown to a client without it. "
        f"Load your own copy: mbc instruments wording load {definition.key} FILE --language {language}."
    )


def loaded(key: str | Instrument | None = None, *, directory: str | Path | None = None) -> tuple[Wording, ...]:
    """Every wording that is kept, or every one of an instrument."""
    if key is None:
        return shelf.all_of(directory)
    definition = load_instrument(key) if isinstance(key, str) else key
    return shelf.all_of(directory, definition.key)


def languages(*, directory: str | Path | None = None) -> dict[str, tuple[str, ...]]:
    """Say which questionnaires can be shown to a client, and in which languages: wording of mbc's own included."""
    shown: dict[str, set[str]] = {key: set(shipped_wording(key)) for key in keys() if origin(key) == "built-in"}
    for wording in loaded(directory=directory):
        shown.setdefault(wording.instrument, set()).add(wording.language)
    return {key: tuple(sorted(tags)) for key, tags in shown.items() if tags}


def remove(
    key: str | Instrument, language: str, form: str | None = None, *, directory: str | Path | None = None
) -> Wording:
    """Remove a wording; parameters as in ``of``. What was removed is returned.

    Raises
    ------
    WordingError
        If there is none, or ``form`` is needed to tell which.
    """
    definition = load_instrument(key) if isinstance(key, str) else key
    tag = shelf.language_tag(language)
    there = [
        wording
        for wording in loaded(definition, directory=directory)
        if wording.language == tag and (form is None or wording.form == definition.form(form).key)
    ]
    if not there:
        require(definition, tag, form, directory=directory)
    if len(there) > 1:
        forms = " or ".join(f"--form {wording.form}" for wording in there)
        raise WordingError(
            f"{definition.key} in {tag!r} is loaded in {len(there)} item orders. Choose one: {forms}."
        )
    shelf.discard(definition.key, tag, there[0].form, directory)
    return there[0]


@cache
def _shipped(key: str, language: str) -> Wording | None:
    """Wording of a questionnaire of mbc's own; None for every other, and for one's own that takes its place."""
    file = shipped_wording(key).get(language)
    if file is None or origin(key) != "built-in":
        return None
    definition, content = load_instrument(key), file.read_bytes()
    draft = _draft(content, file.name, language)
    fitted = match(draft, definition, file.name, form=None, coding=None, pattern=None)
    return Wording(
        instrument=key,
        version=definition.version,
        language=language,
        form=fitted.form.key,
        coding=fitted.coding.key,
        title=draft.title,
        instructions=draft.instructions,
        items=fitted.items,
        copyright=None,
        licence_held=None,
        file=file.name,
        sha256=hashlib.sha256(content).hexdigest(),
        loaded_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _content(file: Path) -> tuple[bytes, str]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise WordingError(
                f"{file.name} has more than {_MOST_BYTES // 1_000_000} MB; is it a file of wording?"
            )
        content = file.read_bytes()
    except OSError as fault:
        raise WordingError(f"'{file}' cannot be read: {fault.strerror}.") from None
    if not content.strip():
        raise WordingError(f"{file.name} is empty.")
    return content, file.name


def _draft(content: bytes, name: str, language: str) -> Draft:
    """Read a file as what it is: JSON begins with a brace, a dictionary has its header."""
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}:
        return read_questionnaire(content.removeprefix(b"\xef\xbb\xbf"), name, language)
    table = read_table(content, name)
    return read_dictionary(table) if is_dictionary(table[0]) else read_csv(table, name)


def _pattern(items: str | None) -> str | None:
    if items is not None and items.count("{n}") != 1:
        raise WordingError(
            f"items is {items!r}; it must contain {{n}} once, for the number, such as 'q{{n}}_today'."
        )
    return items


def _section(draft: Draft, fitted: MatchedWording) -> str | None:
    """Heading that stands right above the first question."""
    first = fitted.lines[fitted.form.order[0]]
    return next((draft.sections[name] for name in first.names if name in draft.sections), None)


def _licence(definition: Instrument, held: str | None) -> str | None:
    statement = plain(held)
    if definition.licence.status == "restricted" and not statement:
        raise WordingError(
            f"{definition.key} has a restricted licence: {definition.licence.statement or 'ask its publisher.'} "
            "Say by which right your clinic uses it, and it is kept with the wording: "
            '--licence-held "licence no. 123 of 2026, until 2028".'
        )
    if len(statement) > _ASSERTED:
        raise WordingError(
            f"The statement of the licence has {len(statement)} characters; the limit is {_ASSERTED}."
        )
    return statement or None


def _check_free(made: Wording, directory: str | Path | None, *, overwrite: bool) -> None:
    try:
        old = shelf.get(made.instrument, made.language, made.form, directory)
    except WordingError:
        if overwrite:  # what cannot be read any more may be replaced
            return
        raise
    same = old is not None and replace(old, loaded_at=made.loaded_at) == made
    if old is not None and not overwrite and not same:
        raise WordingError(
            f"{made.instrument} in {made.language!r}, form {made.form!r}, is loaded already, from {old.file} on "
            f"{old.loaded_at:%Y-%m-%d}. Replace it: --force."
        )


def _check_current(wording: Wording, definition: Instrument) -> None:
    """Refuse text that was matched to a definition which has since changed."""
    try:
        order, coding = definition.form(wording.form).order, definition.coding(wording.coding)
    except MbcError:
        fits = False
    else:
        fits = tuple(item.id for item in wording.items) == order and all(
            {option.value for option in item.options} <= _accepted(coding.accepted(definition.item(item.id)))
            for item in wording.items
        )
    if not fits:
        raise WordingError(
            f"The wording of {definition.key} in {wording.language!r} was loaded for version {wording.version}, "
            f"and no longer fits its definition ({definition.version}). Load it again: mbc instruments wording "
            f"load {definition.key} FILE --language {wording.language} --force."
        )


def _accepted(span: tuple[int, int]) -> set[int]:
    return set(range(span[0], span[1] + 1))
