"""Catalogue facts about an exported questionnaire; a record may hold others, of the clinic's own."""

from __future__ import annotations

from mbc.errors import UnknownInstrument
from mbc.instruments import Instrument, instrument


def known(key: str) -> Instrument | None:
    """Find a questionnaire in the catalogue.

    Examples
    --------
    >>> known("rses").key, known("our_own_form")
    ('rses', None)
    """
    try:
        return instrument(key)
    except UnknownInstrument:
        return None
