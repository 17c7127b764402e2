"""Everybody's scores, from the answers on record: one tidy row per administration and scale.

Scores cached under the current definition are read; the rest are computed. Reading keeps nothing:
see `mbc.care.scoring.rescore`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import polars as pl

from mbc.care.scoring.columns import HEAD, SCORED
from mbc.care.scoring.definition_digest import definition_digest
from mbc.errors import InvalidResponse, UnknownInstrument
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale, score_stated
from mbc.instruments import instrument as load
from mbc.store import Store

Invalid = Literal["raise", "null"]


@with_definitions_of_record
def scores(
    store: Store,
    *,
    client_id: str | None = None,
    instrument: str | None = None,
    invalid: Invalid = "raise",
) -> pl.DataFrame:
    """Score what is on record.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id, instrument : str, optional
        One client, one questionnaire.
    invalid : {"raise", "null"}
        What happens to answers outside the accepted range; ``"null"`` counts them as not answered.

    Returns
    -------
    pl.DataFrame
        client_id, administration_id, instrument, scale, target ("self" or a relationship's id), informant,
        taken_on, session_number, score (null = too few answers), answered, items, prorated, band, maximum (the
        highest score that could be reached, on scales with items that may not apply), recorded (True
        where only a total was kept: then answered, items and prorated are null). Sorted by client, day,
        administration and scale. Questionnaires that the catalogue does not know are left out, and so is the
        safety channel.

    Raises
    ------
    UnknownInstrument
        If ``instrument`` is asked for by a name that the catalogue does not have.
    NotInRecord
        If there is no such client for this user.
    """
    if instrument is not None:
        load(instrument)
    sets = current_sets(store, instrument)
    data = store.administrations_to_score(list(sets), client_id=client_id, instrument=instrument)
    parts = [SCORED.clear(), _kept(data.kept, sets)]
    parts += [frame for _, frame in compute_scores(data.answers, data.totals, invalid=invalid)]
    return pl.concat(parts).sort("client_id", "taken_on", "administration_id", "instrument", "scale")


def compute_scores(
    answers: pl.DataFrame, totals: pl.DataFrame, *, invalid: Invalid
) -> Iterator[tuple[Instrument, pl.DataFrame]]:
    """Work scores out, questionnaire by questionnaire; those the catalogue does not know are left out."""
    for (key, form, coding), group in answers.group_by("instrument", "form", "coding", maintain_order=True):
        known = _known(str(key))
        if known is not None:
            yield known, _from_answers(group, known, form, coding, invalid)
    for (key,), group in totals.group_by("instrument", maintain_order=True):
        known = _known(str(key))
        if known is not None:
            yield known, _from_totals(group, known, answers)


def current_sets(store: Store, instrument: str | None = None) -> dict[int, tuple[Instrument, Scale]]:
    """Find the cached scores whose definition is the current one: number of the set -> what it is of."""
    matching: dict[int, tuple[Instrument, Scale]] = {}
    for row in store.score_sets().iter_rows(named=True):
        known = None if instrument not in {None, row["instrument"]} else _known(row["instrument"])
        if known is None or row["definition"] != definition_digest(known):
            continue
        scale = next((scale for scale in known.scales if scale.key == row["scale"]), None)
        if scale is not None:
            matching[row["set_id"]] = known, scale
    return matching


def _kept(kept: pl.DataFrame, sets: Mapping[int, tuple[Instrument, Scale]]) -> pl.DataFrame:
    scales = [(number, scale.key, len(scale.items)) for number, (_, scale) in sets.items()]
    named = pl.DataFrame(scales, schema={"set_id": pl.Int64, "scale": pl.String, "items": pl.Int64}, orient="row")
    frame = kept.join(named, on="set_id", how="inner")
    return frame.with_columns(pl.when(~pl.col("recorded")).then("items").alias("items")).select(SCORED.columns)


def _known(key: str) -> Instrument | None:
    try:
        definition = load(key)
    except UnknownInstrument:
        return None
    return None if definition.safety_channel else definition


def _from_answers(
    answers: pl.DataFrame, known: Instrument, form: object, coding: object, invalid: Invalid
) -> pl.DataFrame:
    chosen = known.form(None if form is None else str(form))
    columns = known.item_columns(chosen.key)
    wide = answers.pivot(on="item", index=list(HEAD), values="value")
    wide = wide.rename({str(n): name for n, name in enumerate(columns, start=1) if str(n) in wide.columns})
    absent = [pl.lit(None, pl.Float64).alias(name) for name in columns if name not in wide.columns]
    table = wide.with_columns(absent)
    coded = None if coding is None else str(coding)
    try:
        done = _score(table, known, chosen.key, coded, "raise")
    except InvalidResponse:  # rare, and looking is cheaper than blanking every table
        if invalid == "raise":
            raise
        done = _score(table, known, chosen.key, coded, invalid)
    return pl.concat([_long(done, known, scale) for scale in known.scales])


def _score(
    table: pl.DataFrame, known: Instrument, form: str, coding: str | None, invalid: Invalid
) -> pl.DataFrame:
    # One plan for all expressions, run at once.
    return score_stated(table.lazy(), known, form=form, coding=coding, invalid=invalid).collect()


def _long(done: pl.DataFrame, known: Instrument, scale: Scale) -> pl.DataFrame:
    column = f"{known.key}_{scale.key}"

    def given(suffix: str, dtype: type[pl.DataType]) -> pl.Expr:
        name = f"{column}_{suffix}"
        return (pl.col(name) if name in done.columns else pl.lit(None)).cast(dtype).alias(suffix)

    return done.select(
        *HEAD,
        pl.lit(scale.key).alias("scale"),
        pl.col(column).cast(pl.Float64).alias("score"),
        given("answered", pl.Int64),
        pl.lit(len(scale.items), pl.Int64).alias("items"),
        given("prorated", pl.Boolean).fill_null(value=False),
        given("band", pl.String),
        given("maximum", pl.Float64),
        pl.lit(value=False).alias("recorded"),
    ).select(SCORED.columns)


def _from_totals(totals: pl.DataFrame, known: Instrument, answers: pl.DataFrame) -> pl.DataFrame:
    only = totals.join(answers.select("administration_id").unique(), on="administration_id", how="anti")
    scales = {scale.key: scale for scale in known.scales}
    only = only.filter(pl.col("scale").is_in(list(scales)))
    bands = [
        None if (band := scales[key].band(value)) is None else band.label
        for key, value in only.select("scale", "score").iter_rows()
    ]
    return only.with_columns(
        pl.lit(None, pl.Int64).alias("answered"),
        pl.lit(None, pl.Int64).alias("items"),
        pl.lit(None, pl.Boolean).alias("prorated"),
        pl.Series("band", bands, pl.String),
        pl.lit(None, pl.Float64).alias("maximum"),
        pl.lit(value=True).alias("recorded"),
    ).select(SCORED.columns)
