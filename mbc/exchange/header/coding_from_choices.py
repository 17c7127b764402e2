"""Which answer coding a file is in, where the file itself lists the choices that its questions offer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import TextTable
from mbc.exchange.header.columns import Columns
from mbc.exchange.header.options import ImportOptions
from mbc.instruments import Coding, Form, Instrument, instrument


def coding_by_choices(
    columns: Columns, items: Mapping[str, Sequence[str]], options: ImportOptions
) -> tuple[ImportOptions, tuple[str, ...]]:
    """Settle the coding of questionnaires by the choices that a dictionary or value labels list.

    Answers of 1 to 3 fit a coding of 0 to 3, but mean something else where the questions offer 1 to 4. What
    the user or a column of the file states of a coding, or of the numbers of answers, takes precedence.

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
        When the choices of a REDCap dictionary are those of no coding that the questionnaire has.
    """
    settled_codings: dict[str, str] = {}
    notes: list[str] = []
    for key, headers in items.items():
        if columns.own(key, "coding") or columns.find("coding"):
            continue
        offered = [_codes(columns.table.choices.get(header, ())) for header in headers]
        if {"", key} & {*options.coding, *options.values} or not any(offered):
            continue
        measure = instrument(key)
        form = measure.form(options.form.get(key, options.form.get("")))
        codings = sorted(measure.codings, key=lambda coding: not coding.default)
        fit = [coding for coding in codings if _fits(coding, measure, form, offered)]
        if fit and not fit[0].default:
            settled_codings[key] = fit[0].key
            notes.append(
                f"{measure.name}: the file's choices are those of coding {fit[0].key}; it is read as that."
            )
        elif not fit:
            notes.append(_unlike(columns.table, measure, headers, offered))
    return replace(options, coding={**options.coding, **settled_codings}), tuple(notes)


def _codes(choices: Collection[str]) -> frozenset[int]:
    return frozenset(int(code) for code in choices if code.removeprefix("-").isdecimal())


def _fits(coding: Coding, measure: Instrument, form: Form, offered: Sequence[frozenset[int]]) -> bool:
    """Both ends of the coding are offered and it does not go on: other codes, such as -9 or 99, mean no answer."""
    spans = [coding.accepted(measure.item(name)) for name in form.order]
    return all(
        len(codes) < 2 or ({low, high} <= codes and high + 1 not in codes and (low < 1 or low - 1 not in codes))
        for (low, high), codes in zip(spans, offered, strict=True)
    )


def _unlike(
    table: TextTable, measure: Instrument, headers: Sequence[str], offered: Sequence[frozenset[int]]
) -> str:
    header, codes = next((name, codes) for name, codes in zip(headers, offered, strict=True) if len(codes) > 1)
    problem = (
        f"{measure.name}: '{quote(header)}' offers {', '.join(map(str, sorted(codes)))}, which no answer coding "
        "of it "
        f"does ({', '.join(coding.key for coding in measure.codings)})"
    )
    if table.kind == "redcap":
        raise ImportRefused(
            f"{problem}. Say in a mapping file which number each stands for, [values.{measure.key}] with lines "
            "such as "
            '"1" = 0, or name the --coding.'
        )
    return f"{problem}: look whether its numbers mean what is read."
