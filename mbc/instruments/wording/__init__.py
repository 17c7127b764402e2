"""What a client is shown: a clinic's own licensed wording, loaded, checked and kept outside the program.

mbc ships keys and its own short labels, never the authors' wording. A clinic loads that from the copy it may use:
a CSV file, a FHIR R4 Questionnaire or a REDCap data dictionary. Nothing is shown to a client without it.
"""

from __future__ import annotations

from mbc.instruments.wording.blank_file import blank
from mbc.instruments.wording.texts import Option, WordedItem, Wording
from mbc.instruments.wording.wording_files import Loaded, languages, load, loaded, of, remove, require

__all__ = [
    "Loaded",
    "Option",
    "WordedItem",
    "Wording",
    "blank",
    "languages",
    "load",
    "loaded",
    "of",
    "remove",
    "require",
]
