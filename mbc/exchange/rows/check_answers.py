"""Check that answers and recorded scores are possible for their questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from mbc.exchange.cells.text import MISSING_TEXTS, REASON, number
from mbc.exchange.files.messages import quote, quote_expr
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.questionnaires import Questionnaire
from mbc.exchange.rows.answer_doubts import doubt
from mbc.exchange.rows.check_recorded_scores import REMARK, compare_recorded_scores, mismatch_notes
from mbc.exchange.rows.parsed import (
    NUMBER,
    READ_SCHEMA,
    TOTAL,
    Kind,
    Reading,
    Records,
    Seen,
    no_administration_faults,
    with_reasons,
)
from mbc.exchange.rows.possible_scores import ScoresSeen, impossible_reason, is_possible, scores_seen
from mbc.instruments import instrument
from mbc.instruments.scoring.doubts import ItemMoments, fitting_coding, undecided_coding

_LOOK_AT = 5_000  # questionnaires of a page; more would not make a wrong item order any clearer
_UNFIT = (pl.col("value") < pl.col("low")) | (pl.col("value") > pl.col("high"))
Extremes = Mapping[int, tuple[float, float]]


def check(records: Records, *, seen: Mapping[Kind, Seen] | None = None, trusted: bool = False) -> Reading:
    """Check every cell, and put each administration's answers in a row.

    Parameters
    ----------
    records : Records
        A file, taken apart; or one page of it.
    seen : mapping, optional
        Summary of all pages, where this is one page: it shows the coding of the file.
        trusted : bool
        Whether this is a record that was checked before: its coding is stated, its scores are as recorded.
    """
    cells = records.cells.with_columns(number("text").alias("value"))
    scores = records.scores.with_columns(number("text").alias("value"))
    known = _questionnaires(records.occasions)
    checked = {
        kind: _checked(questionnaire, occasions, cells, scores, records, seen, trusted=trusted)
        for kind, (questionnaire, occasions) in known.items()
    }
    rest = records.occasions.filter(pl.col("form").is_null())  # faulty: questionnaire, form or coding unknown
    nothing = [pl.lit(None, READ_SCHEMA[name]).alias(name) for name in ("answers", "totals", REMARK)]
    every = pl.concat([*(part.frame for part in checked.values()), rest.with_columns(nothing)]).sort(NUMBER)
    faults = [records.faults, *(faults for part in checked.values() for faults in part.faults)]
    return Reading(
        administrations=with_reasons(every, faults).select(*READ_SCHEMA),
        seen={kind: part.seen for kind, part in checked.items()},
        blank_rows=records.blank_rows,
        unread=records.unread,
        notes=records.notes,
        orders=records.orders,
    )


def notes_of(reading: Reading, noun: str) -> tuple[str, ...]:
    """List the decisions made in reading a file, and where recorded scores differ."""
    doubts = (note for seen in reading.seen.values() for note in _undecided(seen))
    return (*reading.notes, *doubts, *mismatch_notes(reading.administrations, noun))


@dataclass(frozen=True, slots=True)
class _Checked:
    """The administrations of one questionnaire, form and coding, and the faults found."""

    frame: pl.DataFrame
    faults: list[pl.DataFrame]
    seen: Seen


def _checked(
    questionnaire: Questionnaire,
    occasions: pl.DataFrame,
    cells: pl.DataFrame,
    scores: pl.DataFrame,
    records: Records,
    seen: Mapping[Kind, Seen] | None,
    *,
    trusted: bool,
) -> _Checked:
    numbers = occasions[NUMBER].implode()
    own, recorded = (frame.filter(pl.col(NUMBER).is_in(numbers)) for frame in (cells, scores))
    named = records.headers.get(questionnaire.instrument.key, ())
    answers = _answers(own, occasions[NUMBER], len(questionnaire.items))
    administrations = occasions.with_columns(answers, _totals(recorded, occasions[NUMBER]))
    remarks = compare_recorded_scores(administrations, recorded, questionnaire)
    accepted = _accepted(own, questionnaire)
    alone = recorded.filter(  # answers with a score show what it is worth
        pl.col(NUMBER).is_in(administrations.filter(pl.col("answers").is_null())[NUMBER].implode())
    )
    here = _seen(questionnaire, accepted, named, stated=bool({"", questionnaire.instrument.key} & records.stated))
    if trusted:
        here = replace(here, stated=True, form_stated=True)
    else:
        here = replace(
            here,
            scores=_scores_seen(alone, questionnaire),
            form_stated=bool({"", questionnaire.instrument.key} & records.stated_forms),
            moments=_moments(answers, len(questionnaire.items)),
        )
    in_file = here if seen is None else seen[kind_of(questionnaire)]
    return _Checked(
        frame=administrations.join(remarks, on=NUMBER, how="left", maintain_order="left"),
        faults=[
            *_answer_faults(accepted, in_file, named),
            _repeated(own, named),
            *_score_faults(recorded, alone, questionnaire, in_file),
        ],
        seen=here,
    )


def kind_of(questionnaire: Questionnaire) -> Kind:
    """Name a questionnaire with its form and coding."""
    return questionnaire.instrument.key, questionnaire.form.key, questionnaire.coding.key


def _questionnaires(occasions: pl.DataFrame) -> dict[Kind, tuple[Questionnaire, pl.DataFrame]]:
    settled = occasions.filter(pl.col("form").is_not_null())
    parts = settled.partition_by("instrument", "form", "coding", as_dict=True, maintain_order=True)
    questionnaires: dict[Kind, tuple[Questionnaire, pl.DataFrame]] = {}
    for (key, form, coding), part in parts.items():
        definition = instrument(str(key))
        questionnaire = Questionnaire(definition, definition.form(str(form)), definition.coding(str(coding)))
        questionnaires[kind_of(questionnaire)] = (questionnaire, part)
    return questionnaires


def _answer_faults(accepted: pl.DataFrame, in_file: Seen, headers: tuple[str, ...]) -> list[pl.DataFrame]:
    """Faults of answers that are not numbers, or not accepted by the coding."""
    value, questionnaire = pl.col("value"), in_file.questionnaire
    bad = accepted.filter(value.is_null() | _UNFIT | (pl.col("whole") & (value != value.floor())))
    measure = questionnaire.instrument
    fitting = fitting_coding(measure, questionnaire.form, questionnaire.coding, in_file.extremes)
    other = None if in_file.unfit is None else fitting
    reason = doubt(in_file)
    if other is not None:
        reason = coding_reason(questionnaire, other, str(in_file.unfit))
    if bad.is_empty() and reason is None:
        return []
    faults: list[pl.DataFrame] = []
    if reason is not None:
        faults.append(accepted.select(NUMBER).unique().with_columns(pl.lit(reason).alias(REASON)))
        bad = bad.filter(~_UNFIT.fill_null(value=False))
    faults.append(bad.select(NUMBER, _answer_reason(questionnaire, headers).alias(REASON)))
    return faults


def summarise(questionnaire: Questionnaire, answers: pl.DataFrame) -> Seen:
    """Summarise answers that are numbers already, one column per item, named by its position from 1."""
    cells = answers.with_row_index(NUMBER).unpivot(index=NUMBER, variable_name="item", value_name="value").select(
        pl.col(NUMBER).cast(pl.Int64), pl.col(NUMBER).cast(pl.Int64).alias(ROW), pl.col("item").cast(pl.Int64),
        pl.col("value").cast(pl.String).alias("text"), "value",
    ).drop_nulls("value")  # fmt: skip
    moments = ItemMoments.of(answers.head(_LOOK_AT).cast(pl.Float64).fill_null(np.nan).to_numpy())
    return replace(_seen(questionnaire, _accepted(cells, questionnaire), (), stated=False), moments=moments)


def _seen(questionnaire: Questionnaire, accepted: pl.DataFrame, headers: tuple[str, ...], *, stated: bool) -> Seen:
    """Summarise the answers: what shows another coding."""
    value, low, high = pl.col("value"), pl.col("low"), pl.col("high")
    at_lowest, one_above, unfit = accepted.select(
        (value == low).sum().alias("lowest"), (value == high + 1).sum().alias("above"), _UNFIT.sum().alias("unfit")
    ).row(0)
    return Seen(
        questionnaire,
        len(accepted),
        _extremes(accepted),
        _first_unfit(accepted, headers),
        at_lowest,
        one_above,
        unfit - one_above,
        stated=stated,
    )


def _accepted(cells: pl.DataFrame, questionnaire: Questionnaire) -> pl.DataFrame:
    """Cells with the lowest and highest accepted answer."""
    place = cells["item"] - 1
    lows, highs = zip(*questionnaire.accepted(), strict=True)
    return cells.with_columns(
        pl.Series(lows, dtype=pl.Int64).gather(place).alias("low"),
        pl.Series(highs, dtype=pl.Int64).gather(place).alias("high"),
        pl.Series([item.whole_numbers for item in questionnaire.items], dtype=pl.Boolean)
        .gather(place)
        .alias("whole"),
    )


def _answer_reason(questionnaire: Questionnaire, headers: tuple[str, ...]) -> pl.Expr:
    text, value = quote_expr(pl.col("text")), pl.col("value")
    accepted = pl.format("accepted are {} to {} (coding {})", "low", "high", pl.lit(questionnaire.coding.key))
    inside = (value >= pl.col("low")) & (value <= pl.col("high"))
    blank = pl.col("text").str.to_lowercase().is_in(list(MISSING_TEXTS))
    hint = pl.when(blank).then(pl.format(" (if it means 'not answered': --blank {})", text)).otherwise(pl.lit(""))
    return (
        pl.when(value.is_null())
        .then(pl.format("{}: '{}' is not a number; {}{}", _name(headers), text, accepted, hint))
        .when(inside)
        .then(pl.format("{}: {} is not a whole number; {}", _name(headers), text, accepted))
        .otherwise(pl.format("{}: {} is out of range; {}", _name(headers), text, accepted))
    )


def _name(headers: tuple[str, ...]) -> pl.Expr:
    """Name the column of an item, or its number where the file has no such columns."""
    if not headers:
        return pl.format("item {}", "item")
    named = [quote(header) for header in headers]
    return pl.col("item").replace_strict(list(range(1, len(named) + 1)), named, return_dtype=pl.String)


def _moments(answers: pl.Series, items: int) -> ItemMoments:
    """Sum complete questionnaires, as many as are needed to see how their items go together."""
    complete = answers.drop_nulls().head(_LOOK_AT).cast(pl.List(pl.Float64))
    grid = complete.list.to_array(items).to_numpy() if len(complete) else np.zeros((0, items))
    return ItemMoments.of(np.asarray(grid, dtype=np.float64).reshape(-1, items))


def _first_unfit(accepted: pl.DataFrame, headers: tuple[str, ...]) -> str | None:
    bad = accepted.filter(_UNFIT)
    if bad.is_empty():
        return None
    row = bad.sort(ROW).head(1).select(ROW, _name(headers).alias("name"), "text").row(0, named=True)
    return f"row {row[ROW]}, {row['name']}: {quote(row['text'])}"


def _repeated(cells: pl.DataFrame, headers: tuple[str, ...]) -> pl.DataFrame:
    """Faults of an item that one administration answers twice, differently."""
    place = cells[NUMBER] * 1000 + cells["item"]  # one number compares faster than a pair
    if headers or place.n_unique() == len(place):
        return no_administration_faults()
    twice = cells.group_by(NUMBER, "item").agg(
        pl.col("value").n_unique().alias("values"),
        pl.col(ROW).min().alias("first"),
        pl.col(ROW).max().alias("last"),
    )
    reason = pl.format("item {} is answered twice, differently (rows {} and {})", "item", "first", "last")
    return twice.filter(pl.col("values") > 1).sort(NUMBER, "item").select(NUMBER, reason.alias(REASON))


def _score_faults(
    scores: pl.DataFrame, alone: pl.DataFrame, questionnaire: Questionnaire, in_file: Seen
) -> list[pl.DataFrame]:
    """Faults of recorded scores: not a number, outside the scale, impossible, repeated, or on another metric."""
    if scores.is_empty():
        return []
    lows, highs = ({scale.key: scale.range[end] for scale in questionnaire.instrument.scales} for end in (0, 1))
    by_scale = scores.with_columns(
        pl.col("scale").replace_strict(lows, return_dtype=pl.Float64).alias("low"),
        pl.col("scale").replace_strict(highs, return_dtype=pl.Float64).alias("high"),
    )
    text, value = quote_expr(pl.col("text")), pl.col("value")
    span = pl.format(
        "{} of {} is {} to {}", "scale", pl.lit(questionnaire.instrument.name), _plain("low"), _plain("high")
    )
    reason = (
        pl.when(value.is_null())
        .then(pl.format("'{}' is not a number; {}", text, span))
        .when((value < pl.col("low")) | (value > pl.col("high")))
        .then(pl.format("{} is out of range; {}{}", text, span, pl.lit(_metric_hint(questionnaire))))
    )
    faults = by_scale.select(NUMBER, reason.alias(REASON)).filter(pl.col(REASON).is_not_null())
    twice = by_scale.group_by(NUMBER, "scale").agg(value.n_unique().alias("values")).filter(pl.col("values") > 1)
    unlike = twice.select(NUMBER, pl.format("{} appears twice with different values", "scale").alias(REASON))
    return [
        faults,
        *_impossible_faults(alone, questionnaire, in_file),
        unlike.sort(NUMBER),
        *_metric_faults(alone, questionnaire),
    ]


def _recorded(scores: pl.DataFrame) -> pl.DataFrame:
    """Scores within their text, with the digits that it has."""
    digits = pl.col("text").str.extract(r"[.,](\d+)\s*$").str.len_chars().fill_null(0).cast(pl.Int64)
    return scores.filter(pl.col("value").is_not_null()).with_columns(digits.alias("digits"))


def _scores_seen(alone: pl.DataFrame, questionnaire: Questionnaire) -> dict[str, ScoresSeen]:
    measure = questionnaire.instrument
    return {
        str(key): scores_seen(
            measure, measure.scale(str(key)), part.select("value", "digits").unique().iter_rows()
        )
        for (key,), part in _recorded(alone).group_by("scale")
    }


def _impossible_faults(alone: pl.DataFrame, questionnaire: Questionnaire, in_file: Seen) -> list[pl.DataFrame]:
    """Faults of scores that no answers give; of all of a scale where they would all fit another metric."""
    faults: list[pl.DataFrame] = []
    measure = questionnaire.instrument
    for key, seen in in_file.scores.items():
        scale = measure.scale(key)
        own = _recorded(alone).filter(pl.col("scale") == key)
        low, high = scale.range
        inside = own.filter(pl.col("value").is_between(low, high))
        reason = impossible_reason(measure, scale, seen)
        if reason is not None:
            faults.append(own.select(NUMBER, pl.lit(reason).alias(REASON)))
        elif seen.impossible is not None:
            possible = [
                is_possible(measure, scale, score) for score in inside.select("value", "digits").iter_rows()
            ]
            wrong = inside.filter(~pl.Series(possible, dtype=pl.Boolean))
            why = pl.format("{} is not a possible score of {} of {}", "text", "scale", pl.lit(measure.name))
            faults.append(wrong.select(NUMBER, why.alias(REASON)))
    return faults


def _plain(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_suffix(".0")


def _metric_hint(questionnaire: Questionnaire) -> str:
    others = [coding for coding in questionnaire.instrument.codings if not coding.default and coding.offset]
    if not others:
        return ""
    own = questionnaire.instrument.coding().key
    return f". Scores refer to answers coded {own}; with {others[0].key} they differ"


def _metric_faults(scores: pl.DataFrame, questionnaire: Questionnaire) -> list[pl.DataFrame]:
    if questionnaire.coding.default or scores.is_empty():
        return []
    reason = (
        f"a score of {questionnaire.instrument.name} is stored on the questionnaire's own metric, from answers "
        f"coded {questionnaire.instrument.coding().key}, not {questionnaire.coding.key}: convert it first"
    )
    return [scores.select(NUMBER).unique(maintain_order=True).with_columns(pl.lit(reason).alias(REASON))]


def _extremes(cells: pl.DataFrame) -> Extremes:
    known = cells.filter(pl.col("value").is_not_null()).group_by("item")
    ends = known.agg(pl.col("value").min().alias("low"), pl.col("value").max().alias("high"))
    return {item: (low, high) for item, low, high in ends.iter_rows()}


def coding_reason(questionnaire: Questionnaire, other: str, example: str) -> str:
    """Say that a file seems to be in another coding."""
    return (
        f"{questionnaire.instrument.name}: answers do not fit coding {questionnaire.coding.key} ({example}), but "
        f"all of them fit {other}. If that is the coding: --coding {questionnaire.instrument.key}={other}"
    )


def _undecided(seen: Seen) -> list[str]:
    """Warn when many answers never use what only this coding has: they may be in another."""
    questionnaire = seen.questionnaire
    measure, key = questionnaire.instrument, questionnaire.instrument.key
    reason = undecided_coding(measure, questionnaire.form, questionnaire.coding, seen)
    if reason is None:
        return []
    read_as = f"They are read as {questionnaire.coding.key}; if they are {reason.coding}"
    return [f"{measure.name}: {reason.text}. {read_as}: --coding {key}={reason.coding}."]


def _answers(cells: pl.DataFrame, numbers: pl.Series, items: int) -> pl.Series:
    """One list per administration, in the order of the form; null where no answer was given at all."""
    place = np.searchsorted(numbers.to_numpy(), cells[NUMBER].to_numpy())  # numbers rise
    grid = np.full((len(numbers), items), np.nan)
    grid[place, cells["item"].to_numpy() - 1] = cells["value"].to_numpy()
    given = np.zeros(len(numbers), dtype=bool)
    given[place] = True
    lists = pl.Series("answers", grid.ravel(), nan_to_null=True).reshape((len(numbers), items)).arr.to_list()
    return pl.select(pl.when(pl.Series(given)).then(lists)).to_series().alias("answers")


def _totals(scores: pl.DataFrame, numbers: pl.Series) -> pl.Series:
    """List recorded scores per administration; null where there is none."""
    listed = (
        scores.unique([NUMBER, "scale"], keep="first", maintain_order=True)
        .group_by(NUMBER)
        .agg(pl.struct("scale", pl.col("value").alias("score")).alias("totals"))
        .cast({"totals": pl.List(TOTAL)})
    )
    return numbers.to_frame(NUMBER).join(listed, on=NUMBER, how="left", maintain_order="left")["totals"]
