"""Definitions that the record in use brings along: known where no folder has a file of their key.

Which record is in use is a matter of the running task (a context variable), never of the process: two records that
are open at once each have their own definitions.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from mbc.errors import DefinitionError
from mbc.instruments.definition.definition import Instrument
from mbc.instruments.own import check


@dataclass(frozen=True, slots=True)
class RecordedDefinition:
    """The text of a definition file, as it was when answers were recorded."""

    key: str
    text: str

    @property
    def path(self) -> str:
        """What messages call it."""
        return f"{self.key}.toml of the record"


_in_use: ContextVar[tuple[RecordedDefinition, ...]] = ContextVar("definitions of the record in use", default=())


@contextmanager
def using_recorded(texts: Mapping[str, str]) -> Generator[None]:
    """Use the definitions of one record while the block runs, and those of no other.

    A definition that is faulty, or that this version of mbc cannot read, is passed over: its questionnaire is then
    not defined.

    Parameters
    ----------
    texts : mapping
        Key -> text of the definition file.

    Examples
    --------
    >>> from mbc.instruments import all_keys
    >>> from mbc.instruments.own.template import start
    >>> with using_recorded({"lone": start("lone", items=4, answers=(1, 4))}):
    ...     "lone" in all_keys()
    True
    >>> "lone" in all_keys()
    False
    """
    definitions = tuple(RecordedDefinition(key, text) for key, text in sorted(texts.items()))
    before = _in_use.set(tuple(each for each in definitions if _is_sound(each)))
    try:
        yield
    finally:
        _in_use.reset(before)


@contextmanager
def adding_recorded(texts: Mapping[str, str]) -> Generator[None]:
    """Use more definitions while the block runs; those in use go first."""
    with using_recorded({**texts, **{each.key: each.text for each in recorded()}}):
        yield


def recorded() -> tuple[RecordedDefinition, ...]:
    """List the definitions of the record in use."""
    return _in_use.get()


@lru_cache(maxsize=256)
def read_recorded(definition: RecordedDefinition) -> Instrument:
    """Read one; DefinitionError where it is faulty."""
    checked = check.check_text(definition.text, f"{definition.key}.toml", in_folder=True)
    if checked.instrument is None:
        raise DefinitionError(f"{definition.path} cannot be read: {checked.faults[0].text}")
    return checked.instrument


def _is_sound(definition: RecordedDefinition) -> bool:
    try:
        read_recorded(definition)
    except DefinitionError:
        return False
    return True
