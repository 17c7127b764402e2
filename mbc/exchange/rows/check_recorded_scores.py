"""Compare scores that were recorded with the answers with those that the answers give."""

from __future__ import annotations

import polars as pl

from mbc.exchange.files.messages import count_noun, join_numbers
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.questionnaires import Questionnaire
from mbc.exchange.rows.parsed import NUMBER
from mbc.instruments import instrument, score_stated

REMARK = "remark"
_REMARKS_SCHEMA = {NUMBER: pl.Int64(), REMARK: pl.String()}


def compare_recorded_scores(
    answered: pl.DataFrame, scores: pl.DataFrame, questionnaire: Questionnaire
) -> pl.DataFrame:
    """Remark on recorded scores that differ from the answers' own, beyond the digits they are written with.

    Parameters
    ----------
    answered : polars.DataFrame
        Administrations of one questionnaire, with their ``answers``; null where only a score was recorded.
    scores : polars.DataFrame
        ``number, scale, text, value`` as recorded.
    one : Questionnaire
        Their instrument, form and coding.

    Returns
    -------
    polars.DataFrame
        ``number, remark``. Both are stored: the record keeps what was given, and computes its own scores.
    """
    both = answered.filter(pl.col("answers").is_not_null() & pl.col(NUMBER).is_in(scores[NUMBER].implode()))
    if both.is_empty():
        return pl.DataFrame(schema=_REMARKS_SCHEMA)
    digits = pl.col("text").str.extract(r"[.,](\d+)$").str.len_chars().fill_null(0).cast(pl.Float64)
    compared = scores.join(
        _scored(both, questionnaire), on=[NUMBER, "scale"], how="inner", maintain_order="left"
    ).filter((pl.col("value") - pl.col("own")).abs() > 0.5 * pl.lit(10.0).pow(-digits) + 1e-9)
    remark = pl.format(
        "{}: {} is recorded, but the answers give {}; both are stored", "scale", "text", _plain("own")
    )
    return compared.group_by(NUMBER, maintain_order=True).agg(remark.str.join("; ").alias(REMARK))


def mismatch_notes(administrations: pl.DataFrame, noun: str) -> list[str]:
    """List for a file where recorded scores differ."""
    remarked = administrations.filter(pl.col(REMARK).is_not_null())
    notes: list[str] = []
    for (key,), group in remarked.group_by("instrument", maintain_order=True):
        measure = instrument(str(key))
        if not measure.safety_channel:
            notes.append(
                f"{measure.name}: {count_noun(len(group), 'recorded score')} differing from the answers; both are "
                f"stored ({noun} {join_numbers(group[ROW])})."
            )
    return notes


def _scored(both: pl.DataFrame, questionnaire: Questionnaire) -> pl.DataFrame:
    """Score of each scale from the answers, one row per administration and scale; null where it has none."""
    items = [f"item {n}" for n in range(1, len(questionnaire.items) + 1)]
    wide = both.select(NUMBER, *(pl.col("answers").list.get(n).alias(name) for n, name in enumerate(items)))
    form, coding = questionnaire.form.key, questionnaire.coding.key
    done = score_stated(wide, questionnaire.instrument, items=items, form=form, coding=coding, invalid="null")
    columns = {
        f"{questionnaire.instrument.key}_{scale.key}": scale.key for scale in questionnaire.instrument.scales
    }
    own = done.select(NUMBER, *columns).unpivot(
        on=list(columns), index=NUMBER, variable_name="scale", value_name="own"
    )
    return own.with_columns(pl.col("scale").replace_strict(columns, return_dtype=pl.String))


def _plain(column: str) -> pl.Expr:
    return pl.col(column).round(2).cast(pl.String).str.strip_suffix(".0")
