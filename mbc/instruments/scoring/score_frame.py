"""How answers become scores: one set of expressions for every table engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.arguments import checks
from mbc.errors import FrameError
from mbc.instruments.definition.algorithms import ALGORITHMS
from mbc.instruments.definition.definition import Instrument, MissingRule, Scale
from mbc.instruments.library import instrument as load
from mbc.instruments.scoring import answers, refusals
from mbc.instruments.scoring.answer_sheet import Sheet, is_ours, named
from mbc.instruments.scoring.answers import Invalid
from mbc.instruments.scoring.doubt_warnings import warn_of_doubts
from mbc.instruments.scoring.keyed_items import (
    Keyed,
    applicable_sum,
    count_absent,
    count_present,
    keyed,
    plain_sum,
    signed_sum,
)
from mbc.instruments.scoring.result_columns import attach, open_sheet

TableT = TypeVar("TableT")


@checks(error=FrameError)
def score(
    frame: TableT,
    key: str | Instrument,
    *,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
    missing: MissingRule | None = None,
    invalid: Invalid = "raise",
) -> TableT:
    """Score a questionnaire; the same kind of table comes back with score columns added.

    Every scale adds ``{key}_{scale}`` (float, null where it cannot be given) and ``{key}_{scale}_answered``
    (items answered); ``_band`` where the scale has bands; ``_prorated`` where prorating is the rule in force;
    ``_maximum`` where an item may not apply (the highest score of those that do: then there is no band).
    Rows, their order, the index and all other columns stay as they are, and ``frame`` is not changed.

    Parameters
    ----------
    frame : table
        pandas, polars (eager or lazy), pyarrow, duckdb or pyspark; one row per administration. Answers may be
        whole numbers, whole floats or their digits as text; null, NaN and empty text are blank.
    key : str or Instrument
        ``"rses"``, or a definition from ``load_file``.
    items : str or sequence of str, optional
        ``"Q{n}"``, or one column per position of the form. Default: ``{key}_{n}``.
    form, coding : str, optional
        Item order and answer coding; default: the instrument's. Where a coding is another response scale (the
        ECR's ``"1-5"``), scores carry its name, such as ``ecr_anxiety_1_5``, and have no bands.
    missing : {"strict", "prorate"}, optional
        ``"strict"``: any blank item of a scale makes its score null. ``"prorate"``: the person's mean of the
        keyed items times their number, where enough are answered (80 %, or the instrument's own minimum), marked
        in ``_prorated``. A prorated score has a band only where prorating is the scale's published rule.
        Default: the published rule, else strict.
    invalid : {"raise", "null"}
        What happens to answers the coding does not accept.

    Returns
    -------
    table
        Of the same kind. A lazy table stays lazy; with ``invalid="raise"`` one row of checks and the answers of up
        to 5,000 rows are collected from it, with ``"null"`` nothing.

    Raises
    ------
    UnknownInstrument, MissingItems, InvalidResponse, FrameError
        Each names what was met, what is accepted, and the repair.

    Warns
    -----
    DoubtfulAnswers
        Where many answers look as if they were in another coding (no answer ever at one end) or another item
        order (items run against their scale; alpha is far better in another form). A coding that is stated is
        not doubted.

    Examples
    --------
    >>> import polars as pl
    >>> answers = pl.DataFrame({f"Q{n}": [value] for n, value in enumerate([6, 5, 5, 5], 1)})
    >>> score(answers, "csi4", items="Q{n}").select("csi4_total", "csi4_total_answered").row(0)
    (21.0, 4)
    """
    definition = load(key) if isinstance(key, str) else key
    table = frames.open_frame(frame)
    sheet = open_sheet(table, definition, items=items, form=form, coding=coding, invalid=invalid)
    if invalid == "raise" or isinstance(table, nw.DataFrame):
        warn_of_doubts(sheet, definition.form(form), coding_stated=coding is not None)
    return _attach_scores(frame, table, sheet, missing)


@checks(error=FrameError)
def score_stated(
    frame: TableT,
    key: str | Instrument,
    *,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
    missing: MissingRule | None = None,
    invalid: Invalid = "raise",
) -> TableT:
    """Score answers whose item order and coding are on record, or were asked about: neither is doubted again.

    Parameters
    ----------
    frame, key, items, form, coding, missing, invalid
        As in ``score``.
    """
    definition = load(key) if isinstance(key, str) else key
    table = frames.open_frame(frame)
    sheet = open_sheet(table, definition, items=items, form=form, coding=coding, invalid=invalid)
    return _attach_scores(frame, table, sheet, missing)


def _attach_scores(frame: TableT, table: frames.Frame, sheet: Sheet, missing: MissingRule | None) -> TableT:
    summed: dict[str, nw.Expr] = {}
    scored: dict[str, nw.Expr] = {}
    judged: dict[str, nw.Expr] = {}
    order: list[str] = []
    for scale in sheet.instrument.scales:
        rule, name = missing or scale.missing.rule, _name(sheet, scale)
        made = _summed(sheet, scale, rule)
        summed |= made
        scored[name] = _scored(sheet, scale, rule)
        judged |= _judged(sheet, scale, rule)
        order += [name, *(name for name in made if not is_ours(name))]
    return attach(frame, table, sheet, summed, scored, judged, order=[*order, *judged])


@checks(error=FrameError)
def keyed_items(
    frame: TableT,
    key: str | Instrument,
    *,
    scale: str | None = None,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
    invalid: Invalid = "raise",
) -> TableT:
    """Answers of one scale, all pointing the same way, in the default coding: what reliability is computed from.

    Adds ``{key}_keyed_{item}`` for each item of the scale.

    Examples
    --------
    >>> import polars as pl
    >>> answers = pl.DataFrame({f"ras_{n}": [5] for n in range(1, 8)})
    >>> keyed_items(answers, "ras").select("ras_keyed_i3", "ras_keyed_i4").row(0)
    (5.0, 1.0)
    """
    definition = load(key) if isinstance(key, str) else key
    table = frames.open_frame(frame)
    sheet = open_sheet(table, definition, items=items, form=form, coding=coding, invalid=invalid)
    if invalid == "raise" or isinstance(table, nw.DataFrame):
        warn_of_doubts(sheet, definition.form(form), coding_stated=coding is not None)
    chosen = definition.scale(scale)
    made = {
        f"{definition.key}_keyed_{item}{sheet.coding.metric}": keyed(sheet, chosen, item).expr.cast(nw.Float64)
        for item in chosen.items
    }
    return attach(frame, table, sheet, made)


@checks(error=FrameError)
def refused_answers(
    frame: object,
    key: str | Instrument,
    *,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
    numbered: str | None = None,
) -> list[str]:
    """List, row by row, the answers that ``score`` refuses; empty when there are none.

    Parameters
    ----------
    frame, key, items, form, coding
        As in ``score``; of a lazy table nothing is listed, as its rows have no numbers.
    numbered : str, optional
        A column that numbers the rows; default: the first row is 1.

    Examples
    --------
    >>> import polars as pl
    >>> refused_answers(pl.DataFrame({f"csi4_{n}": [5, 6] for n in range(1, 5)}), "csi4")
    ['row 2, csi4_2: 6 (accepted: 0-5)', 'row 2, csi4_3: 6 (accepted: 0-5)', 'row 2, csi4_4: 6 (accepted: 0-5)']
    """
    definition = load(key) if isinstance(key, str) else key
    table = frames.open_frame(frame)
    columns = answers.item_columns(table, definition, definition.form(form), items)
    sheet = answers.read_unchecked(table, definition, columns, definition.coding(coding))
    return refusals.rows(table, sheet, refusals.faulty_items(sheet), numbered=numbered)


def _summed(sheet: Sheet, scale: Scale, rule: MissingRule) -> dict[str, nw.Expr]:
    """Sum and count of answered items, each in one pass; the highest score, where items may not apply."""
    items = [keyed(sheet, scale, item) for item in scale.items]
    absent = count_absent(items)
    made = {
        _sum(scale): _total(scale, rule, items),
        f"{_name(sheet, scale)}_answered": count_present(item.answer for item in items),
    }
    if scale.algorithm is not None and rule == "prorate":
        made[_parts(scale)] = count_present(_units(scale, items))
    if absent is not None:
        made |= {f"{_name(sheet, scale)}_maximum": _highest(scale, items), _absent(scale): absent}
    return made


def _total(scale: Scale, rule: MissingRule, items: Sequence[Keyed]) -> nw.Expr:
    """Sum of a scale; with prorating, of what was answered."""
    if scale.algorithm is not None:
        units = _units(scale, items)
        return plain_sum(units) if rule == "strict" else plain_sum(unit.fill_null(0) for unit in units)
    if rule == "strict" and any(item.absent is not None for item in items):
        return applicable_sum(items)
    return signed_sum(items, present=rule == "prorate")


def _scored(sheet: Sheet, scale: Scale, rule: MissingRule) -> nw.Expr:
    """Score of a scale, from its sum and counts."""
    total, answered = nw.col(_sum(scale)), nw.col(f"{_name(sheet, scale)}_answered")
    absent = _optional(sheet, scale)
    counted, of = answered, nw.lit(len(scale.items)) if absent is None else nw.lit(len(scale.items)) - absent
    if scale.algorithm is not None:
        counted, of = nw.col(_parts(scale)), nw.lit(_unit_count(sheet, scale))
    if rule == "prorate":
        # Times before divided: a sum of whole answers stays exact, so a complete record is not changed.
        total = total * of / counted
    value = total * scale.factor / of if _averages(scale) else total * scale.factor
    if rule == "prorate":
        value = nw.when(answered >= _needed(scale, absent)).then(value)
    return value.cast(nw.Float64)


def _units(scale: Scale, items: Sequence[Keyed]) -> list[nw.Expr]:
    """Make what an algorithm adds up or averages."""
    return ALGORITHMS[scale.algorithm or ""].units([item.expr for item in items])


def _unit_count(sheet: Sheet, scale: Scale) -> int:
    return len(_units(scale, [keyed(sheet, scale, item) for item in scale.items]))


def _sum(scale: Scale) -> str:
    """Name the column of the sum; it is not handed back."""
    return _step("sum", scale)


def _parts(scale: Scale) -> str:
    """Name the column that counts what an algorithm has of its parts; it is not handed back."""
    return _step("parts", scale)


def _step(what: str, scale: Scale) -> str:
    """Name a column that is only a step on the way; no item id begins with a digit, so it meets none."""
    return named(f"0{what}_{scale.key}")


def _optional(sheet: Sheet, scale: Scale) -> nw.Expr | None:
    """Column that counts the items that do not apply; None where all of them always do."""
    optional = any(sheet.instrument.item(item).may_not_apply for item in scale.items)
    return nw.col(_absent(scale)) if optional else None


def _highest(scale: Scale, items: Sequence[Keyed]) -> nw.Expr:
    """Highest score that the items which apply can give."""
    lost = [
        nw.when(item.absent).then(nw.lit(item.highest)).otherwise(nw.lit(0.0))
        for item in items
        if item.absent is not None
    ]
    return nw.lit(scale.range[1]) - plain_sum(lost)


def _absent(scale: Scale) -> str:
    """Name the column that counts the items that do not apply; it is not handed back."""
    return _step("absent", scale)


def _needed(scale: Scale, absent: nw.Expr | None) -> nw.Expr:
    """Answered items that a prorated score needs: as many may be blank as when all items apply."""
    needed = nw.lit(scale.missing.at_least)
    return needed if absent is None else needed - absent


def _judged(sheet: Sheet, scale: Scale, rule: MissingRule) -> dict[str, nw.Expr]:
    """Band and mark of prorating, from the score and the count."""
    name = _name(sheet, scale)
    made: dict[str, nw.Expr] = {}
    answered = nw.col(f"{name}_answered")
    absent = _optional(sheet, scale)
    of = nw.lit(len(scale.items)) if absent is None else nw.lit(len(scale.items)) - absent
    prorated = (answered >= _needed(scale, absent)) & (answered < of)
    if scale.bands and sheet.coding.range is None:  # bands are drawn on the instrument's own metric
        band = _band(nw.col(name), scale)
        withheld = rule == "prorate" and not scale.missing.bands_prorated
        band = nw.when(~prorated).then(band) if withheld else band
        # Bands are for the whole scale: with an item left out, its points mean something else.
        made[f"{name}_band"] = band if absent is None else nw.when(absent == 0).then(band)
    if rule == "prorate":
        made[f"{name}_prorated"] = prorated
    return made


def _averages(scale: Scale) -> bool:
    averaging = scale.algorithm is not None and ALGORITHMS[scale.algorithm].averages
    return averaging or scale.rule in {"mean", "scaled_mean"}


def _band(value: nw.Expr, scale: Scale) -> nw.Expr:
    labelled = nw.lit(None, nw.String)
    for band in scale.bands:
        labelled = nw.when(value >= band.start).then(nw.lit(band.label)).otherwise(labelled)
    return labelled


def _name(sheet: Sheet, scale: Scale) -> str:
    return f"{sheet.instrument.key}_{scale.key}{sheet.coding.metric}"
