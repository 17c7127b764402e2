"""How answers become scores: one set of expressions for every table engine."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast, get_args

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.errors import FrameError
from mbc.instruments import answers, refusals
from mbc.instruments.algorithms import ALGORITHMS
from mbc.instruments.answers import Invalid
from mbc.instruments.definition import Instrument, MissingRule, RiskFlag, Scale
from mbc.instruments.library import instrument as load
from mbc.instruments.sheet import Sheet, named

TableT = TypeVar("TableT")


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
    (items answered); ``_band`` where the scale has bands; ``_prorated`` where prorating is the rule in force.
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
        Item order and answer coding; default: the instrument's.
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
        Of the same kind. A lazy table stays lazy; with ``invalid="raise"`` one row of checks is collected from it.

    Raises
    ------
    UnknownInstrument, MissingItems, InvalidResponse, FrameError
        Each names what was met, what is accepted, and the repair.

    Examples
    --------
    >>> import polars as pl
    >>> answers = pl.DataFrame({f"Q{n}": [value] for n, value in enumerate([6, 5, 5, 5], 1)})
    >>> score(answers, "csi4", items="Q{n}").select("csi4_total", "csi4_total_answered").row(0)
    (21.0, 4)
    """
    _check_options(missing, invalid)
    definition = load(key) if isinstance(key, str) else key
    table = frames.open_frame(frame)
    sheet = _sheet(table, definition, items=items, form=form, coding=coding, invalid=invalid)
    scored: dict[str, nw.Expr] = {}
    judged: dict[str, nw.Expr] = {}
    for scale in definition.scales:
        rule = missing or scale.missing.rule
        scored |= _scored(sheet, scale, rule)
        judged |= _judged(sheet, scale, rule)
    return _attach(frame, table, sheet, scored, judged)


def risk_flags(
    frame: TableT,
    key: str | Instrument,
    *,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
) -> TableT:
    """Say what the risk items say, whatever the total says: the safety channel, apart from ``score``.

    Adds ``{key}_flag_{item}``: ``"risk"`` for an answer at or above the item's threshold, ``"ask"`` for a blank
    or unreadable one, null otherwise. A row with no answer at all counts as not given, and is null.

    Parameters
    ----------
    frame, key, items, form, coding
        As in ``score``.

    Examples
    --------
    >>> import polars as pl
    >>> answers = pl.DataFrame({f"phq9_{n}": [0, 1] for n in range(1, 9)} | {"phq9_9": [1, None]})
    >>> risk_flags(answers, "phq9")["phq9_flag_i9"].to_list()
    ['risk', 'ask']
    """
    definition = load(key) if isinstance(key, str) else key
    table = frames.open_frame(frame)
    sheet = _sheet(table, definition, items=items, form=form, coding=coding, invalid="null")
    made = {f"{definition.key}_flag_{flag.item}": _flag(sheet, flag) for flag in definition.flags}
    return _attach(frame, table, sheet, made)


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
    sheet = _sheet(table, definition, items=items, form=form, coding=coding, invalid=invalid)
    asked = definition.scale(scale)
    made = {f"{definition.key}_keyed_{item}": _keyed(sheet, asked, item).expr for item in asked.items}
    return _attach(frame, table, sheet, made)


def refused_answers(
    frame: object,
    key: str | Instrument,
    *,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
    numbered: str | None = None,
) -> list[str]:
    """Tell, row by row, the answers that ``score`` refuses; empty when there are none.

    Parameters
    ----------
    frame, key, items, form, coding
        As in ``score``; of a lazy table nothing is told, as its rows have no numbers.
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


@dataclass(frozen=True, slots=True)
class _Keyed:
    """An item as a scale counts it: ``sign * answer + constant``."""

    answer: nw.Expr  # in the coding of the table; null where blank
    sign: int
    constant: float

    @property
    def expr(self) -> nw.Expr:
        if self.sign < 0:
            return nw.lit(self.constant) - self.answer
        return self.answer + self.constant if self.constant else self.answer


def _keyed(sheet: Sheet, scale: Scale, item_id: str) -> _Keyed:
    item = sheet.instrument.item(item_id)
    sign, constant = sheet.coding.affine(item)
    if item_id in scale.reverse:
        sign, constant = -sign, item.minimum + item.maximum - constant
    return _Keyed(nw.col(named(item_id)), sign, float(constant))


def _scored(sheet: Sheet, scale: Scale, rule: MissingRule) -> dict[str, nw.Expr]:
    """Score and count of answered items, from the answers."""
    name = _name(sheet, scale)
    keyed = [_keyed(sheet, scale, item) for item in scale.items]
    answered = _answered(one.answer for one in keyed)
    if scale.algorithm is not None:
        parts = ALGORITHMS[scale.algorithm].units([one.expr for one in keyed])
        count = len(parts)
        total = _sum(parts) if rule == "strict" else nw.sum_horizontal(*parts) / _answered(parts) * count
    elif rule == "strict":
        count, total = len(keyed), _signed_sum(keyed)
    else:
        # Times before divided: a sum of whole answers stays exact, so a complete record is not changed.
        count = len(keyed)
        total = nw.sum_horizontal(*(one.expr for one in keyed)) * count / answered
    value = total / count if _averages(scale) else total * scale.factor
    if rule == "prorate":
        value = nw.when(answered >= scale.missing.at_least).then(value)
    return {name: value.cast(nw.Float64), f"{name}_answered": answered}


def _judged(sheet: Sheet, scale: Scale, rule: MissingRule) -> dict[str, nw.Expr]:
    """Band and mark of prorating, from the score and the count."""
    name = _name(sheet, scale)
    made: dict[str, nw.Expr] = {}
    answered = nw.col(f"{name}_answered")
    prorated = (answered >= scale.missing.at_least) & (answered < len(scale.items))
    if scale.bands:
        band = _band(nw.col(name), scale)
        withheld = rule == "prorate" and not scale.missing.bands_prorated
        made[f"{name}_band"] = nw.when(~prorated).then(band) if withheld else band
    if rule == "prorate":
        made[f"{name}_prorated"] = prorated
    return made


def _signed_sum(keyed: Sequence[_Keyed]) -> nw.Expr:
    """Sum that any blank makes null; constants are added once, which spares a column per reversed item."""
    added = [one.answer for one in keyed if one.sign > 0]
    taken = [one.answer for one in keyed if one.sign < 0]
    constant = nw.lit(sum(one.constant for one in keyed))
    if not taken:
        return _sum(added) + constant
    return (_sum(added) if added else nw.lit(0.0)) - _sum(taken) + constant


def _sum(parts: Iterable[nw.Expr]) -> nw.Expr:
    return functools.reduce(operator.add, parts)


def _answered(parts: Iterable[nw.Expr]) -> nw.Expr:
    blank = [part.is_null().cast(nw.Int16) for part in parts]
    return nw.lit(len(blank), nw.Int64) - nw.sum_horizontal(*blank).cast(nw.Int64)


def _averages(scale: Scale) -> bool:
    return scale.rule == "mean" or (scale.algorithm is not None and ALGORITHMS[scale.algorithm].averages)


def _band(value: nw.Expr, scale: Scale) -> nw.Expr:
    labelled = nw.lit(None, nw.String)
    for band in scale.bands:
        labelled = nw.when(value >= band.start).then(nw.lit(band.label)).otherwise(labelled)
    return labelled


def _flag(sheet: Sheet, flag: RiskFlag) -> nw.Expr:
    item = sheet.instrument.item(flag.item)
    sign, constant = sheet.coding.affine(item)
    answer = nw.col(named(flag.item)) * float(sign) + float(constant)
    flagged = nw.when(answer >= flag.at_least).then(nw.lit("risk")).otherwise(nw.lit(None, nw.String))
    if not flag.blank_asks:
        return flagged
    given = _answered(nw.col(named(one.id)) for one in sheet.instrument.items) > 0
    return nw.when(answer.is_null() & given).then(nw.lit("ask")).otherwise(flagged)


def _name(sheet: Sheet, scale: Scale) -> str:
    return f"{sheet.instrument.key}_{scale.key}"


def _sheet(
    table: frames.Frame,
    definition: Instrument,
    *,
    items: str | Sequence[str] | None,
    form: str | None,
    coding: str | None,
    invalid: Invalid,
) -> Sheet:
    columns = answers.item_columns(table, definition, definition.form(form), items)
    return answers.read(table, definition, columns, definition.coding(coding), invalid)


def _attach(frame: TableT, table: frames.Frame, sheet: Sheet, *steps: dict[str, nw.Expr]) -> TableT:
    """Add columns, each step seeing those of the step before."""
    names = [name for step in steps for name in step]
    taken = [name for name in names if name in table.collect_schema().names()]
    if taken:
        raise FrameError(
            f"The table already has {', '.join(taken)}, which would be overwritten. "
            "Drop or rename these columns first."
        )
    if not names:
        return frame
    exprs = [[expr.alias(name) for name, expr in step.items()] for step in steps if step]
    result = frames.add_columns(table, sheet.numbers, exprs, names)
    return cast("TableT", frames.close_frame(result, frame))


def _check_options(missing: str | None, invalid: str) -> None:
    if missing not in {None, *get_args(MissingRule)}:
        raise FrameError(
            f"missing is {missing!r}; it may be 'strict' or 'prorate', or be left out for the published rule."
        )
    if invalid not in get_args(Invalid):
        raise FrameError(f"invalid is {invalid!r}; it may be 'raise' or 'null'.")
