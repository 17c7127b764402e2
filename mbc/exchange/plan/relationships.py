"""Which relationship an administration is about.

A file names it in its target column: by its label (R1) or identifier on record, or "self". For a questionnaire
about a relationship that names none, the first of these that applies: the target that the same occasion has on
record; the client's one relationship that is current on that day; else "self", which leaves open which was meant.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mbc.errors import StoreError
from mbc.exchange.cells.text import REASON
from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.header.options import ImportOptions
from mbc.instruments import instrument
from mbc.instruments.applicability import CURRENT
from mbc.store import Store
from mbc.store.schema.validation import check_id

SELF = "self"
RELATIONSHIPS_SCHEMA = {"relationship_id": pl.String(), "client_id": pl.String(), "label": pl.String()}
_PLACE = "place"  # row of the frame
_OCCASION = ("client_id", "instrument", "informant", "taken_on", "taken_at")


@dataclass(frozen=True, slots=True)
class Targets:
    """Administrations with their targets as the record names them, and relationships to register first."""

    administrations: pl.DataFrame
    new: pl.DataFrame
    """`RELATIONSHIPS_SCHEMA`."""
    notes: tuple[str, ...]


def find_targets(administrations: pl.DataFrame, store: Store | None, options: ImportOptions) -> Targets:
    """Replace the texts of the target column; what cannot be found is a reason to refuse the administration."""
    relationships = _relationships(store)
    frame, new = _named(administrations, relationships, options, known=store is not None)
    frame = frame.with_row_index(_PLACE)
    about = [key for key in frame["instrument"].drop_nulls().unique() if _is_about_relationship(key)]
    silent = frame.filter(
        pl.col("target").is_null() & pl.col(REASON).is_null() & pl.col("instrument").is_in(about)
    ).select(_PLACE, *_OCCASION)
    if store is not None and not silent.is_empty():
        of_known = silent.filter(pl.col("client_id").is_in(relationships["client_id"].implode()))
        targets = pl.concat([_current(of_known, relationships, store), _on_record(of_known, store)]).unique(
            _PLACE, keep="last"
        )
        if not targets.is_empty():
            frame = frame.join(targets, on=_PLACE, how="left", maintain_order="left")
            frame = frame.with_columns(pl.coalesce("target", "found").alias("target")).drop("found")
            silent = silent.filter(~pl.col(_PLACE).is_in(targets[_PLACE].implode()))
    return Targets(frame.drop(_PLACE).with_columns(pl.col("target").fill_null(SELF)), new, _left_open(silent))


def _is_about_relationship(key: str) -> bool:
    applies = instrument(key).applicability
    return applies.needs_relationship or applies.needs_target


def _relationships(store: Store | None) -> pl.DataFrame:
    if store is None:
        return pl.DataFrame(schema=RELATIONSHIPS_SCHEMA)
    return store.relationships().select(*RELATIONSHIPS_SCHEMA)


def _named(
    frame: pl.DataFrame, relationships: pl.DataFrame, options: ImportOptions, *, known: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Look up the identifiers of the labels that a file names."""
    frame = frame.with_columns(
        pl.when(pl.col("target").str.to_lowercase() == SELF).then(pl.lit(SELF)).otherwise("target").alias("target")
    )
    asked = frame.filter(
        pl.col("target").is_not_null() & (pl.col("target") != SELF) & pl.col("client_id").is_not_null()
    )
    if asked.is_empty():
        return frame, pl.DataFrame(schema=RELATIONSHIPS_SCHEMA)
    pairs = asked.select("client_id", "target").unique(maintain_order=True)
    labels: dict[str, dict[str, str]] = {}
    for relationship, client, label in relationships.iter_rows():
        labels.setdefault(client, {}).update(
            {label.casefold(): relationship, relationship.casefold(): relationship}
        )
    register = options.new_relationships or not known
    answers = [
        _find(client, text, labels.get(client, {}), register=register) for client, text in pairs.iter_rows()
    ]
    schema = {"found": pl.String, "why": pl.String, "is_new": pl.Boolean}
    pairs = pairs.hstack(pl.DataFrame(answers, schema=schema, orient="row"))
    new = pairs.filter("is_new").select(
        pl.col("found").alias("relationship_id"), "client_id", pl.col("target").alias("label")
    )
    frame = frame.join(pairs, on=["client_id", "target"], how="left", maintain_order="left").with_columns(
        pl.coalesce("found", "target").alias("target"), pl.coalesce(REASON, "why").alias(REASON)
    )
    used = frame.filter(pl.col(REASON).is_null())["target"].unique()
    return frame.drop(*schema), new.filter(pl.col("relationship_id").is_in(used.implode()))


def _find(
    client: str, text: str, labels: dict[str, str], *, register: bool
) -> tuple[str | None, str | None, bool]:
    """Give the identifier, or the reason why there is none, and whether it is new."""
    if (hit := labels.get(text.casefold())) is not None:
        return hit, None, False
    if register:
        try:
            return check_id("target", text if text.startswith(f"{client}.") else f"{client}.{text}"), None, True
        except StoreError:
            return None, f"target '{quote(text)}' is not a valid label; write a short one such as R1", False
    on_record = f"on record: {join_names(sorted(set(labels.values())))}" if labels else "none is on record"
    why = (
        f"target '{quote(text)}' is not a relationship of {client} ({on_record}). "
        "To register it: --new-relationships"
    )
    return None, why, False


def _current(silent: pl.DataFrame, relationships: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Find the one relationship current on the day; one whose status is not on record counts as current."""
    spans = (
        store.statuses()
        .filter(pl.col("relationship_id").is_not_null())
        .sort("since")
        .with_columns(pl.col("since").shift(-1).over("client_id", "relationship_id").alias("until"))
    )
    spans = relationships.join(spans, on=["client_id", "relationship_id"], how="left").filter(
        pl.col("status").is_null() | pl.col("status").is_in(list(CURRENT))
    )
    day = pl.col("taken_on")
    on_that_day = (pl.col("since").is_null() | (pl.col("since") <= day)) & (
        pl.col("until").is_null() | (day < pl.col("until"))
    )
    matches = silent.join(spans, on="client_id", how="inner").filter(on_that_day)
    return _only(matches, "relationship_id")


def _on_record(silent: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Find the target of the same occasion on record, so that a file imported again stays a duplicate."""
    keys = silent["instrument"].unique()
    columns = (*_OCCASION, pl.col("target").alias("on record"))
    on_record = [store.administrations(key).select(columns) for key in keys if not instrument(key).safety_channel]
    if store.has_permission("safety:read"):
        screens = [key for key in keys if instrument(key).safety_channel]
        on_record += [store.administrations(key, channel="safety").select(columns) for key in screens]
    if not on_record:
        return pl.DataFrame(schema={_PLACE: silent.schema[_PLACE], "found": pl.String})
    matches = silent.join(pl.concat(on_record), on=_OCCASION, how="inner", nulls_equal=True)
    return _only(matches, "on record")


def _only(matches: pl.DataFrame, column: str) -> pl.DataFrame:
    candidates = matches.group_by(_PLACE).agg(
        pl.col(column).first().alias("found"), pl.col(column).n_unique().alias("n")
    )
    return candidates.filter(pl.col("n") == 1).select(_PLACE, "found")


def _left_open(silent: pl.DataFrame) -> tuple[str, ...]:
    if silent.is_empty():
        return ()
    names = ", ".join(sorted(silent["instrument"].unique()))
    note = (
        f"{count_noun(len(silent), 'administration')} of {names} without a relationship's name, and no single one "
        "is current on record: stored as 'self'. To assign them, add a column 'target' with the relationship's "
        "label."
    )
    return (note,)
