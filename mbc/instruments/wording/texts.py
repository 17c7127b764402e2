"""What a client is shown: the licensed text of a questionnaire in one language and one item order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mbc.errors import WordingError


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen, and the number it is kept as."""

    value: int  # in the wording's coding
    text: str  # "" where the form prints nothing at this point of the range


@dataclass(frozen=True, slots=True)
class WordedItem:
    """One question as it is printed."""

    id: str  # the instrument's item
    text: str
    options: tuple[Option, ...]  # in the order of the form; empty: any number of the accepted range


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of a questionnaire, loaded from a clinic's own copy.

    An answer is kept with ``form`` and ``coding``: they say what position and number mean.
    """

    instrument: str
    version: str  # of the definition that the text was checked against
    language: str  # BCP 47: "en", "pt-BR"
    form: str  # whose order the items follow
    coding: str  # that the options' values are in
    title: str | None
    instructions: str | None
    items: tuple[WordedItem, ...]
    copyright: str | None
    licence_held: str | None  # the clinic's own statement, where the licence is restricted
    file: str  # name of the file it came from
    sha256: str  # of that file
    loaded_at: datetime  # UTC

    def item(self, item_id: str) -> WordedItem:
        """One question by identity.

        Raises
        ------
        WordingError
            If there is no such item.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise WordingError(
            f"The wording of {self.instrument} ({self.language}) has no item {item_id!r}; "
            f"it has {', '.join(item.id for item in self.items)}."
        )
