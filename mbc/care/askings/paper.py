"""Sheets for paper and the telephone: loaded wording, or goals, and a code that opens the form for the answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from mbc.box.content import Sheet
from mbc.box.token import letters_of
from mbc.care.askings.ask import NO_OPTIONS, AskOptions, check_askable, worded_sheets
from mbc.care.askings.paper_goals import printed_goals
from mbc.care.askings.settings import AskingSettings
from mbc.errors import MbcError
from mbc.instruments import instrument
from mbc.store import Store


class PaperSheet(NamedTuple):
    """One questionnaire, or a list of goals, as it is printed."""

    code: str
    sheet: Sheet


class PaperForm(NamedTuple):
    """What is printed at once."""

    language: str
    sheets: tuple[PaperSheet, ...]
    help_text: str | None  # the clinic's own, where a sheet may ask for help


def paper_form(
    store: Store, settings: AskingSettings, client_id: str, keys: Sequence[str],
    options: AskOptions = NO_OPTIONS, *, today: date | None = None,
) -> PaperForm:  # fmt: skip
    """Put questionnaires and goals on paper, by the rules by which they are asked on a device.

    Goals stand on one sheet; there those with levels of goal attainment can be asked for, too.

    Parameters
    ----------
    store, settings, client_id, keys, options, today
        As `mbc.care.askings.ask.ask` takes them.

    Raises
    ------
    MbcError
        As `mbc.care.askings.ask.ask` does.
    """
    measures = [instrument(key) for key in dict.fromkeys(keys)]
    if not measures and not options.goals:
        raise MbcError("Name at least one questionnaire, a battery, or a goal.")
    language = options.language or settings.language
    check_askable(measures, settings, language, answers_alone=options.answers_alone)
    made = [
        PaperSheet(paper_code(client_id, kept.instrument, kept.form, kept.coding, kept.target), shown)
        for kept, shown in worded_sheets(store, client_id, measures, language, options, today)
    ]
    if options.goals:
        made.append(PaperSheet(*printed_goals(store, client_id, options.goals, language)))
    asks_for_help = any(each.sheet.asks_for_help for each in made)
    return PaperForm(language, tuple(made), settings.help_text(language) if asks_for_help else None)


def paper_code(client_id: str, instrument_key: str, form: str, coding: str, target: str) -> str:
    """Make the code of a sheet: six letters that fit one client, one questionnaire and one relationship.

    It is kept nowhere: the form for the answers makes the codes of all sheets that a client could have.

    Examples
    --------
    >>> code = paper_code("C001", "rses", "a", "0-3", "self")
    >>> code, code == paper_code("C002", "rses", "a", "0-3", "self")
    ('5J7-2F2', False)
    """
    return letters_of(f"paper\n{client_id}\n{instrument_key}\n{form}\n{coding}\n{target}", groups=(3, 3))
