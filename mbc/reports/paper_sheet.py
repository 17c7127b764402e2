"""A questionnaire or goals on paper, or read out on the telephone: wording, the numbers to mark, and a code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from mbc.box.content import Question, Sheet
from mbc.care.askings.paper import PaperForm, PaperSheet
from mbc.care.words import number
from mbc.reports.catalogue import Catalogue, catalogue, languages
from mbc.reports.document import Block, Columns, Document, Heading, Notice, Paragraph, Run

_MOST_SHEETS = 12
# letters of the longest option: how many stand side by side
_COLUMNS = ((7, 11), (20, 6), (30, 3), (46, 2), (10_000, 1))
_NUMBER_ALONE = _COLUMNS[0][0]
_BOX = "[  ]"


def paper_document(form: PaperForm, day: dt.date) -> Document:
    """Lay a form out.

    Neither the client nor the clinic nor the questionnaire is named: a printed sheet can be found by others. The
    code tells those who may open the client's record which questionnaire it is.

    Parameters
    ----------
    form : PaperForm
        As `mbc.care.askings.paper.paper_form` gives it.
    day : date
        On which it was made.
    """
    main = form.language.split("-", maxsplit=1)[0]
    words = catalogue(main if main in languages() else "en")
    blocks: list[Block] = []
    for each in form.sheets:
        blocks += _sheet(each, words)
    if form.help_text:
        blocks.append(Notice((Run(f"{words.text('sheet.help')} ", strong=True), Run(form.help_text))))
    return Document(
        kind="sheet",
        title=words.text("sheet.title"),
        language=form.language,
        day=day,
        facts=words.text("sheet.date"),
        running=(" ".join((words.text("sheet.code"), *(each.code for each in form.sheets))),),
        page_words=words.text("page.page", page="{page}", pages="{pages}"),
        layouts=(tuple(blocks),),
        most_sheets=_MOST_SHEETS,
        sizes=(11.0,),
    )


def _sheet(each: PaperSheet, words: Catalogue) -> Iterator[Block]:
    sheet = each.sheet
    yield Heading(f"{words.text('sheet.code')} {each.code}")
    if sheet.about:
        yield Paragraph(f"{words.text('sheet.about')} {sheet.about}")
    yield Paragraph(words.text("sheet.how"), style="quiet")
    if sheet.instructions:
        yield Paragraph(sheet.instructions)
    for place, question in enumerate(sheet.questions, start=1):
        yield from _question(place, question, words)
    yield from _copyright(sheet)


def _question(place: int, question: Question, words: Catalogue) -> Iterator[Block]:
    heading = Paragraph((Run(f"{place}.  {question.text}", strong=True),))
    if not question.choices:
        span = words.text("sheet.number", low=f"{question.lowest:g}", high=f"{question.highest:g}")
        yield Columns(((heading, Paragraph(f"{span}  ____________")),), (1.0,))
        return
    signed = question.lowest < 0
    options = [f"{_BOX} {_option(choice.value, choice.text, signed=signed)}" for choice in question.choices]
    in_columns = _options(options, below=signed)
    yield Columns(((heading, in_columns),), (1.0,))  # one cell: no sheet ends within a question


def _option(value: int, text: str, *, signed: bool) -> str:
    written = number(value, signed=signed)
    return written if text in ("", str(value)) else f"{written}  {text}"


def _options(options: Sequence[str], *, below: bool) -> Block:
    """Set options side by side where they are short; worded levels one below the other, in order."""
    longest = max(map(len, options))
    most = next(columns for letters, columns in _COLUMNS if longest <= letters)
    most = 1 if below and longest > _NUMBER_ALONE else most
    columns = min(len(options), most)
    cells = [(Paragraph(option),) for option in options]
    cells += [(Paragraph(""),)] * (-len(cells) % columns)
    return Columns(tuple(cells), (1.0,) * columns)


def _copyright(sheet: Sheet) -> Iterator[Block]:
    if sheet.copyright:
        yield Paragraph(sheet.copyright, style="quiet")
