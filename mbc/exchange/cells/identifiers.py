"""Identifiers in cells: the same person in every format, or a refusal where it is doubtful."""

from __future__ import annotations

import re

from mbc.errors import StoreError
from mbc.exchange.files.messages import quote
from mbc.store.schema.validation import check_id

_WHOLE_FLOAT = re.compile(r"(\d+)[.,]0+")
_DECIMAL = re.compile(r"[+-]?\d*[.,]\d+")
_SHORTENED = re.compile(r"\d([.,]\d+)?[eE][+-]?\d+")
_DATE = re.compile(r"(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})([T ].*)?")
_TRUTH = frozenset({"true", "false"})
_SUMMARIES = frozenset({
    "total", "totals", "grand total", "subtotal", "sum", "mean", "average", "avg", "median", "sd", "std", "stdev",
    "std dev", "min", "max", "minimum", "maximum", "count", "summe", "gesamt", "mittelwert", "durchschnitt",
    "anzahl", "somme", "moyenne", "suma", "media", "promedio", "totaal", "som", "gemiddelde",
})  # fmt: skip
_MOST_DIGITS = 15  # that a spreadsheet keeps of a number
_A_PSEUDONYM = "Use a pseudonym such as C-0142."


def client_identifier(text: str) -> str:
    """Read the pseudonym of a client: a whole number written as a float is that number.

    Raises
    ------
    ValueError
        When the text is not an identifier, or one that a program has made something else of: a date, a decimal, a
        truth value, a number that lost its last digits.

    Examples
    --------
    >>> client_identifier("C-01"), client_identifier("7.0"), client_identifier("007")
    ('C-01', '7', '007')
    >>> client_identifier("1.5")
    Traceback (most recent call last):
    ...
    ValueError: '1.5' is a decimal number, not the identifier of a client. Use a pseudonym such as C-0142.
    """
    for shape, what in ((_DATE, "a date"), (_SHORTENED, "a number that a program has shortened")):
        if shape.fullmatch(text):
            raise ValueError(f"'{quote(text)}' is {what}, not the identifier of a client. {_A_PSEUDONYM}")
    if text.casefold() in _TRUTH:
        raise ValueError(f"'{quote(text)}' is a truth value, not the identifier of a client. {_A_PSEUDONYM}")
    if text.casefold().strip(" :.") in _SUMMARIES:
        raise ValueError(f"'{quote(text)}' denotes a row of totals, not a client. Remove such rows from the file")
    integer = _WHOLE_FLOAT.fullmatch(text)
    if integer is not None and len(integer[1]) > _MOST_DIGITS:
        raise ValueError(
            f"'{quote(text)}' has more than {_MOST_DIGITS} digits, and a spreadsheet keeps no more digits of a "
            "number: the last ones may be wrong. Format the column as text, and enter the identifiers again"
        )
    if integer is None and _DECIMAL.fullmatch(text):
        raise ValueError(f"'{quote(text)}' is a decimal number, not the identifier of a client. {_A_PSEUDONYM}")
    return identifier(text)


def identifier(text: str) -> str:
    """Read an identifier of something else than a client.

    Raises
    ------
    ValueError
        When the text is not one.
    """
    if text.casefold().strip(" :.") in _SUMMARIES:
        raise ValueError(f"'{quote(text)}' denotes a row of totals, not a client. Remove such rows from the file")
    integer = _WHOLE_FLOAT.fullmatch(text)
    try:
        return check_id("it", integer[1] if integer else text)
    except StoreError:
        raise ValueError(
            f"'{quote(text)}' is not a valid identifier; accepted are 1 to 64 of A-Z a-z 0-9 . _ - beginning with "
            "a letter or digit (a pseudonym, never a name)"
        ) from None


def exact_identifier(text: str) -> str:
    """Read an identifier of a record, which stays as it is.

    Raises
    ------
    ValueError
        When the text is not one.
    """
    try:
        return check_id("it", text)
    except StoreError as fault:
        raise ValueError(str(fault)) from None
