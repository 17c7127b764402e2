"""Answers that a form exports in words, read as the numbers that their questionnaire gives them."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from mbc.exchange.choices.answer_words import normalised
from mbc.exchange.choices.standard_scales import words_of
from mbc.exchange.files.messages import quote
from mbc.exchange.header.columns import Columns
from mbc.exchange.header.options import ImportOptions
from mbc.instruments import Instrument, instrument

_LETTER = r"\p{L}"


def read_words(
    texts: pl.DataFrame, headers: Iterable[str], key: str | Instrument, columns: Columns, options: ImportOptions
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Replace the standard words of a questionnaire's answers by numbers of the coding that the file is read in.

    Words that the questionnaire does not have are left, and refused as answers later. Where a column of the file
    states a coding row by row, or the user says what answers count as, nothing is replaced.

    Parameters
    ----------
    texts : polars.DataFrame
        Columns of text.
    headers : iterable of str
        Columns that hold answers to the questionnaire.
    key : str or Instrument
        The questionnaire.

    Returns
    -------
    texts, notes
        With numbers, and what the words were read as.
    """
    measure = instrument(key) if isinstance(key, str) else key
    key = measure.key
    words = words_of(measure)
    coding = measure.coding(options.coding.get(key, options.coding.get("")))
    coding_column = columns.own(key, "coding") or columns.find("coding")
    stated_by_row = coding_column is not None and columns.table.frame[coding_column].is_not_null().any()
    if not words or coding.flipped or {"", key} & options.values.keys() or stated_by_row:
        return texts, ()
    headers = list(headers)
    worded = pl.concat([texts[header].drop_nulls().unique() for header in headers]) if headers else pl.Series()
    worded = worded.filter(worded.str.contains(_LETTER)).unique().sort() if len(worded) else worded
    known = {text: words[normalised(text)] - coding.offset for text in worded if normalised(text) in words}
    if not known:
        return texts, ()
    replaced = texts.with_columns(
        pl.col(header).replace({text: str(number) for text, number in known.items()}) for header in headers
    )
    read_as = sorted({(number, normalised(text)) for text, number in known.items()})
    listed = ", ".join(f"'{quote(word)}' = {number}" for number, word in read_as)
    return replaced, (f"{measure.name}: answers in words are read as {listed}.",)
