"""How planned administrations become records of the store: with version, channel and what the safety rules say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from mbc.exchange.files.text_table import ROW
from mbc.instruments import instrument, risk_flags
from mbc.store import Client, Clinician, Relationship
from mbc.store.writing.administration_batch import SCHEMA

_PLACE = "place"


@dataclass(frozen=True, slots=True)
class Registrations:
    """What goes on record before the administrations that name it."""

    clinicians: pl.DataFrame
    """``clinician_id, display_name``."""
    clients: pl.DataFrame
    """``client_id, clinician_id``."""
    relationships: pl.DataFrame
    """``relationship_id, client_id, label``."""

    def records(self, *, on: date) -> Iterator[Clinician | Client | Relationship]:
        """Clinicians, then clients, then their relationships."""
        for clinician_id, display_name in self.clinicians.iter_rows():
            yield Clinician(clinician_id, display_name)
        for client_id, clinician_id in self.clients.iter_rows():
            yield Client(client_id, clinician_id=clinician_id, registered_on=on)
        for relationship_id, client_id, label in self.relationships.iter_rows():
            yield Relationship(relationship_id, client_id, label)

    def needed_by(self, administrations: pl.DataFrame) -> Registrations:
        """Only what some administrations name."""
        clients, targets = (administrations[name].unique().implode() for name in ("client_id", "target"))
        new = self.clients.filter(pl.col("client_id").is_in(clients))
        return Registrations(
            self.clinicians.filter(pl.col("clinician_id").is_in(new["clinician_id"].implode())),
            new,
            self.relationships.filter(pl.col("relationship_id").is_in(targets)),
        )


def as_records(frame: pl.DataFrame, *, flags: bool = False) -> pl.DataFrame:
    """Put administrations as the record takes them, in the order of the frame.

    Parameters
    ----------
    frame : polars.DataFrame
        Placed: all that is refused has been left out.
    flags : bool
        Also apply the risk rules of their questionnaires; their flags go to the safety channel only.
    """
    raised = _raised(frame) if flags else pl.repeat(None, len(frame), dtype=pl.Null, eager=True)
    definitions = [instrument(key) for key in frame["instrument"].unique()]
    versions = {definition.key: definition.version for definition in definitions}
    channels = {definition.key: "safety" if definition.safety_channel else "care" for definition in definitions}
    answered = pl.col("answers").is_not_null()  # order and coding are those of answers: a total alone has neither
    return frame.with_columns(
        pl.when(answered).then("form"),
        pl.when(answered).then("coding"),
        pl.coalesce("version", _by_instrument(versions)),
        _by_instrument(channels).alias("channel"),
        raised.alias("flags"),
        pl.col(ROW).alias("source_line"),
    ).select(*SCHEMA)


def _by_instrument(values: dict[str, str]) -> pl.Expr:
    return pl.col("instrument").replace_strict(values, return_dtype=pl.String)


def _raised(frame: pl.DataFrame) -> pl.Series:
    """Apply the risk rules to each administration; null where none applies."""
    kind = pl.List(pl.Struct({"item": pl.String(), "kind": pl.String()}))
    numbered = frame.with_row_index(_PLACE)
    parts = [pl.DataFrame(schema={_PLACE: pl.UInt32, "flags": kind})]
    answered = numbered.filter(pl.col("answers").is_not_null())
    for (key, form, coding), group in answered.partition_by("instrument", "form", "coding", as_dict=True).items():
        definition = instrument(str(key))
        if not definition.flags:
            continue
        items = [f"item {n}" for n in range(1, len(definition.items) + 1)]
        answers = group.select(
            _PLACE, *(pl.col("answers").list.get(place).alias(name) for place, name in enumerate(items))
        )
        flagged = risk_flags(answers, definition, items=items, form=str(form), coding=str(coding))
        columns = {f"{definition.key}_flag_{flag.item}": flag.item for flag in definition.flags}
        spoken = (
            flagged.select(_PLACE, *columns)
            .unpivot(on=list(columns), index=_PLACE, variable_name="item", value_name="kind")
            .drop_nulls("kind")
            .with_columns(pl.col("item").replace_strict(columns))
        )
        parts.append(
            spoken.group_by(_PLACE, maintain_order=True)
            .agg(pl.struct("item", "kind").alias("flags"))
            .cast({"flags": kind})
        )
    parts += _raised_by_scores(numbered.filter(pl.col("answers").is_null() & pl.col("totals").is_not_null()), kind)
    return numbered.select(_PLACE).join(pl.concat(parts), on=_PLACE, how="left", maintain_order="left")["flags"]


def _raised_by_scores(recorded: pl.DataFrame, kind: pl.DataType) -> list[pl.DataFrame]:
    """Apply the rules about a scale, where only its score was recorded."""
    lines = {
        (str(key), flag.item): flag.at_least
        for key in recorded["instrument"].unique()
        for flag in instrument(str(key)).flags
        if flag.on == "scale"
    }
    raised = [
        (place, [{"item": total["scale"], "kind": "risk"}])
        for place, key, totals in recorded.select(_PLACE, "instrument", "totals").iter_rows()
        for total in totals
        if (key, total["scale"]) in lines and total["score"] >= lines[key, total["scale"]]
    ]
    schema = {_PLACE: pl.UInt32(), "flags": kind}
    spoken = pl.DataFrame(raised, schema=schema, orient="row")
    return [spoken.group_by(_PLACE, maintain_order=True).agg(pl.col("flags").explode())] if raised else []
