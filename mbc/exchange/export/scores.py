"""Scores of an export: computed from the answers, or as recorded where there are none."""

from __future__ import annotations

import polars as pl

from mbc.exchange.export.instrument_facts import known
from mbc.instruments import Instrument, Scale, score_stated

SCORES: dict[str, pl.DataType] = {
    "client_id": pl.String(),
    "taken_on": pl.Date(),
    "taken_at": pl.Datetime("us", "UTC"),
    "session_number": pl.Int64(),
    "instrument": pl.String(),
    "scale": pl.String(),
    "target": pl.String(),
    "informant": pl.String(),
    "score": pl.Float64(),
    "answered": pl.Int64(),
    "items": pl.Int64(),
    "prorated": pl.Boolean(),
    "band": pl.String(),
    "recorded": pl.Boolean(),
}
_KEY = "administration_id"
_HEAD = ("client_id", "taken_on", "taken_at", "session_number", "instrument", "target", "informant")


def score_administrations(heads: pl.DataFrame, answers: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Score an export: one row per administration and scale, never without its count of answered items.

    Parameters
    ----------
    heads, answers, totals : polars.DataFrame
        Administrations, their answers and kept scores,
        as the record's readers give them. Questionnaires that the catalogue does not know are left out.

    Returns
    -------
    polars.DataFrame
        ``score`` is null where too few items were answered; ``recorded`` marks kept scores, which have no counts.
    """
    moments = heads.select(_KEY, "taken_at")
    answers, totals = (
        part.join(moments, on=_KEY, how="inner", maintain_order="left") for part in (answers, totals)
    )
    parts = [pl.DataFrame(schema=SCORES)]
    for (key, form, coding), group in answers.group_by("instrument", "form", "coding", maintain_order=True):
        if (measure := known(str(key))) is not None:
            parts += _from_answers(group, measure, form, coding)
    alone = totals.join(answers.select(_KEY).unique(), on=_KEY, how="anti")
    kept = alone.with_columns(
        pl.lit(None, SCORES[name]).alias(name) for name in ("answered", "items", "prorated", "band")
    )
    parts.append(kept.with_columns(recorded=pl.lit(value=True)).select(*SCORES))
    order = ("client_id", "taken_on", "instrument", "target", "scale")
    return pl.concat(parts).sort(order, nulls_last=True, maintain_order=True)


def _from_answers(answers: pl.DataFrame, measure: Instrument, form: object, coding: object) -> list[pl.DataFrame]:
    order = measure.form(None if form is None else str(form))
    items = measure.item_columns(order.key)
    places = list(range(1, len(items) + 1))
    wide = answers.pivot(on="item", index=[_KEY, *_HEAD], values="value", on_columns=places)
    wide = wide.rename({str(n): name for n, name in zip(places, items, strict=True)})
    done = score_stated(
        wide, measure, form=order.key, coding=None if coding is None else str(coding), invalid="null"
    )
    return [_long(done, measure, scale) for scale in measure.scales]


def _long(done: pl.DataFrame, measure: Instrument, scale: Scale) -> pl.DataFrame:
    column = f"{measure.key}_{scale.key}"

    def given(suffix: str) -> pl.Expr:
        name = f"{column}_{suffix}"
        return (pl.col(name) if name in done.columns else pl.lit(None)).cast(SCORES[suffix]).alias(suffix)

    return done.select(
        *_HEAD,
        pl.lit(scale.key).alias("scale"),
        pl.col(column).cast(pl.Float64).alias("score"),
        given("answered"),
        pl.lit(len(scale.items), pl.Int64).alias("items"),
        given("prorated").fill_null(value=False),
        given("band"),
        pl.lit(value=False).alias("recorded"),
    ).select(*SCORES)
