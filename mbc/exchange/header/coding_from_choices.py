"""Which answer coding a file is in, where the file itself lists the choices that its questions offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mbc.errors import ImportRefused
from mbc.exchange.choices.offered_scale import Offered, judge
from mbc.exchange.header.columns import Columns
from mbc.exchange.header.options import ImportOptions
from mbc.instruments import instrument


def coding_by_choices(
    columns: Columns, items: Mapping[str, Sequence[str]], options: ImportOptions
) -> tuple[ImportOptions, tuple[str, ...]]:
    """Settle the coding of questionnaires by the choices that a dictionary or value labels list.

    Answers of 1 to 3 fit a coding of 0 to 3, but mean something else where the questions offer 1 to 4. What the
    user or a column of the file states of a coding, or of the numbers of answers, takes precedence.

    Parameters
    ----------
    columns : Columns
        Of a table with its ``choices``.
    items : mapping
        Questionnaire -> headers of its items, in the order of the form.
    options : ImportOptions
        The user's options.

    Returns
    -------
    options, notes
        With the codings found, and notes about them.

    Raises
    ------
    ImportRefused
        When the choices are not those of a coding of the questionnaire: other numbers, another direction, or the
        labels of another questionnaire.
    """
    codings: dict[str, str] = {}
    notes: list[str] = []
    for key, headers in items.items():
        stated = {"", key} & {*options.coding, *options.values}
        if stated or columns.own(key, "coding") or columns.find("coding"):
            continue
        measure = instrument(key)
        form = measure.form(options.form.get(key, options.form.get("")))
        offered = [_numbered(columns.table.choices.get(header, {})) for header in headers]
        judgement = judge(measure, form, headers, offered)
        if judgement.problem is not None:
            raise ImportRefused(judgement.problem)
        if judgement.coding is not None:
            codings[key] = judgement.coding.key
        if judgement.coding is not None and not judgement.coding.default:
            notes.append(f"{measure.name}: the choices of the file are those of coding {judgement.coding.key}.")
        if judgement.note is not None:
            notes.append(judgement.note)
    return replace(options, coding={**options.coding, **codings}), tuple(notes)


def _numbered(choices: Mapping[str, str]) -> Offered:
    """Keep the choices whose codes are whole numbers."""
    return {int(code): label for code, label in choices.items() if code.removeprefix("-").isdecimal()}
