"""REDCap's exports, as REDCap and PyCap write them: a data file, and the dictionary that explains it."""

from __future__ import annotations

from mbc.exchange.redcap.answer_table import is_redcap, read_redcap
from mbc.exchange.redcap.dictionary import Dictionary, Field, read_dictionary
from mbc.exchange.redcap.eav import from_eav, is_eav

__all__ = ["Dictionary", "Field", "from_eav", "is_eav", "is_redcap", "read_dictionary", "read_redcap"]
