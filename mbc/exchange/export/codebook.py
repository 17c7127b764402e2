"""What every column of an export means: one source for codebooks, labels and dictionaries.

Items carry our own short labels; the authors' wording is never part of an export.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from mbc.exchange.export.collect import ADMINISTRATIONS
from mbc.exchange.export.instrument_facts import known
from mbc.instruments import Coding, Instrument, Item

_COLUMNS: Mapping[str, str] = {
    "client_id": "client, by a pseudonym",
    "clinician_id": "clinician",
    "display_name": "display name of a clinician",
    "alias": "short label of the clinic's own for a client",
    "registered_on": "day on which the client was registered",
    "episode_id": "episode of care",
    "referred_on": "day of referral",
    "started_on": "first day of care",
    "ended_on": "last day of care",
    "ending": "how care ended",
    "relationship_id": "relationship; blank: the person",
    "kind": "kind of relationship or event",
    "since": "first day of this status",
    "number": "number of the session within its episode",
    "held_on": "day of the session",
    "attended": "whether the client attended",
    "modality": "how the session was held",
    "taken_on": "calendar day on which it was answered, where the client was",
    "taken_at": "moment at which it was answered (UTC), where known",
    "session_number": "session it belongs to",
    "target": "relationship that is rated, or self",
    "informant": "who answered",
    "version": "version of the questionnaire's definition",
    "form": "order of the items",
    "coding": "how answers are written as numbers",
    "instrument": "questionnaire",
    "scale": "scale of the questionnaire",
    "score": "score on the scale's own metric; blank: too few answers",
    "answered": "items answered",
    "items": "items of the scale",
    "prorated": "whether blanks were replaced by the client's own mean",
    "band": "band of the score",
    "recorded": "whether only the score was recorded",
    "goal_id": "goal",
    "baseline": "rating at the start",
    "higher_is_better": "whether a higher rating is better",
    "set_on": "day on which the goal was set",
    "retired_on": "day on which the goal was retired",
    "retired_reason": "why",
    "rated_on": "day of the rating",
    "rating": "the client's rating of the goal",
    "event_id": "event",
    "occurred_on": "day of the event",
    "label": "in the clinic's own words",
    "valence": "growth, hard or neutral",
    "status": "status",
    "step_forward": "of a relationship that ended: whether leaving was a step forward; blank: not answered",
    "homework_id": "homework",
    "task": "what was agreed on",
    "completion": "done, partly or not done; blank: not asked yet",
    "helpful": "how helpful, 0 to 10",
    "reviewed_on": "day on which it was asked about",
    "win_id": "small win",
    "conflict_id": "conflict",
    "intensity": "how strong, 0 to 10",
    "repaired": "whether it was repaired; blank: not known",
    "hours_to_repair": "hours until it was repaired",
    "count": "number of conflicts in the row",
    "rupture_id": "strain in the alliance",
    "repaired_on": "day of the repair",
    "reasons": "why, in the clinic's own words",
    "decision": "what the client's decision is about",
    "aspect": "what the client imagines the partner rating",
    "release_id": "consent to share scores",
    "recipient": "recipient of the scores",
    "purpose": "what for",
    "scales": "questionnaires or scales that may be shared",
    "signed_on": "day on which the client signed",
    "expires_on": "last day on which it is valid",
    "covers_from": "first day of the scores; blank: all",
    "covers_to": "last day of the scores; blank: all",
    "withdrawn_on": "day on which the client withdrew it",
    "withdrawn_reason": "why",
    "starts_on": "first day",
    "ends_on": "last day; blank: open",
    "every_days": "asked every so many days",
    "every_sessions": "asked every so many sessions",
    "before_sessions": "asked before these sessions",
    "baseline_askings": "how often asked within the first fortnight",
    "reason": "why",
    "pattern": "pattern in relationships; of a goal: that it is to change",
    "noted_on": "day on which the pattern was noted",
    "people": "number of people the client can count on",
    "quality": "how good that support is, 0 to 10",
    "recorded_on": "day on which it was recorded",
    "age_band": "age band, code of the clinic",
    "gender": "gender, code of the clinic",
    "ethnicity": "ethnicity, code of the clinic",
    "payer": "who pays, code of the clinic",
    "approach": "therapeutic approach, code of the clinic",
    "relationship_structure": "relationship structure, code of the clinic",
    "signal_id": "signal",
    "raised_on": "day on which the state newly asked for attention",
    "state": "state of the client",
    "inputs": "data the state was computed from",
    "model": "model the state was computed with",
    "answered_on": "day of the answer",
    "answer": "seen, changed or not now",
    "change": "what was changed",
    "made_on": "day on which it was made",
    "last_review_on": "day of the last review",
    "next_review_on": "day of the next review",
    "review_reason": "why it was or is reviewed",
    "considered_on": "day on which it was considered",
    "outcome": "with what outcome",
    "line": "line of the definition file",
    "text": "what the line says",
}
_APART = {  # where a table means something else by a name
    ("signals", "version"): "version of the model",
    ("alliance_ruptures", "occurred_on"): "day of the rupture",
    ("small_wins", "occurred_on"): "day of the small win",
    ("conflicts", "occurred_on"): "day of the conflict, or the last of them",
    ("homework", "set_on"): "day on which it was agreed on",
    ("alliance_ruptures", "kind"): "withdrawal, confrontation or mixed",
    ("couples_readiness", "rating"): "readiness for couples work, 0 to 10",
    ("demographics", "modality"): "how care is given, code of the clinic",
    ("decision_clarity", "rating"): "clarity about the decision, 0 to 10",
    ("imagined_partner_views", "rating"): "how the client thinks the partner would rate it, 0 to 10",
    ("safety_plans", "ended_on"): "day from which it is no longer valid",
    ("couples_contraindications", "since"): "day from which couples work is contraindicated",
    ("couples_contraindications", "ended_on"): "day from which it is no longer contraindicated",
}
_ENDS = re.compile(r"(-?\d+) (.+?) to (-?\d+) (.+)")


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of one table."""

    table: str
    name: str
    label: str
    type: str
    """text, date, moment, whole number, number, yes or no."""
    values: Mapping[float, str] = field(default_factory=dict[float, str])
    """Code -> our short label."""
    source: str = ""
    loinc: str = ""


def codebook(tables: Mapping[str, pl.DataFrame]) -> tuple[Variable, ...]:
    """Explain every column of every table."""
    return tuple(variable for name, table in tables.items() for variable in _of_table(name, table))


def as_frame(variables: tuple[Variable, ...]) -> pl.DataFrame:
    """Write a codebook as a table: table, column, label, type, values, loinc, source."""
    rows = [
        (
            variable.table,
            variable.name,
            variable.label,
            variable.type,
            " | ".join(f"{code:g}, {label}" for code, label in variable.values.items()) or None,
            variable.loinc or None,
            variable.source or None,
        )
        for variable in variables
    ]
    columns = ("table", "column", "label", "type", "values", "loinc", "source")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _of_table(name: str, table: pl.DataFrame) -> Iterator[Variable]:
    key = name.removeprefix(ADMINISTRATIONS) if name.startswith(ADMINISTRATIONS) else None
    measure = None if key is None else known(key)
    for column, dtype in table.schema.items():
        if key is not None and column.startswith(f"{key}_") and column[len(key) + 1 :].isdigit():
            yield _item(name, column, int(column[len(key) + 1 :]), table, measure)
        else:
            yield Variable(name, column, _label(name, column), _type(dtype))


def _label(table: str, column: str) -> str:
    if (table, column) in _APART:
        return _APART[table, column]
    if column == "target" and table == "goals":
        return "target rating"
    if column == "scale" and table == "goals":
        return "scale on which the goal is rated; blank: 0 to 10"
    return _COLUMNS.get(column, column.replace("_", " "))


def _item(table: str, column: str, place: int, frame: pl.DataFrame, measure: Instrument | None) -> Variable:
    if measure is None or place > len(measure.items):
        return Variable(table, column, f"item {place}", "number")
    forms = [form for form in measure.forms if form.key in set(frame["form"].drop_nulls())] or [measure.form()]
    items = {form.key: measure.item(form.order[place - 1]) for form in forms}
    labels = dict.fromkeys(item.label for item in items.values())
    several = "; ".join(f"{form}: {item.label}" for form, item in items.items())
    first = next(iter(items.values()))
    same = len(labels) == 1
    source = measure.source(measure.scales[0].source).citation
    return Variable(
        table=table,
        name=column,
        label=first.label if same else f"by form ({several})",
        type="whole number" if first.whole_numbers else "number",
        values=_values(frame, measure, list(items.values())),
        source=source,
        loinc=(first.loinc or "") if same else "",
    )


def _values(frame: pl.DataFrame, measure: Instrument, items: list[Item]) -> dict[float, str]:
    """Short labels of the answers; only the ends where one coding is in use, plain numbers where several are."""
    codings = [measure.coding(key) for key in frame["coding"].drop_nulls().unique(maintain_order=True)] or [
        measure.coding()
    ]
    spans = [coding.accepted(item) for coding in codings for item in items]
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    labels: dict[float, str] = {float(code): str(code) for code in range(low, high + 1)}
    if len(codings) == 1 and len(items) == 1:
        labels |= _ends(codings[0], items[0])
    return labels


def _ends(coding: Coding, item: Item) -> dict[float, str]:
    low, high = coding.accepted(item)
    apply = coding.not_applicable(item)
    high = high - 1 if apply is not None else high
    match = _ENDS.fullmatch(coding.title)
    first, last = (match[2], match[4]) if match else ("lowest answer", "highest answer")
    labels = {float(low): f"{low} {first}", float(high): f"{high} {last}"}
    return labels | ({float(apply): f"{apply} does not apply"} if apply is not None else {})


def _type(dtype: pl.DataType) -> str:
    if dtype == pl.Date:
        return "date"
    if isinstance(dtype, pl.Datetime):
        return "moment"
    if dtype == pl.Boolean:
        return "yes or no"
    if dtype.is_integer():
        return "whole number"
    return "number" if dtype.is_float() else "text"
