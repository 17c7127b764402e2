"""What one user may export: tables of people and care, answers, kept scores, and scores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from mbc.exchange.export.instrument_facts import known
from mbc.exchange.export.scores import score_administrations
from mbc.exchange.own_definitions import DEFINITIONS, definition_lines, with_definitions_of_record
from mbc.store import Store
from mbc.store.schema.kinds import DEMOGRAPHICS_READER, ENTRIES
from mbc.store.schema.records import Channel
from mbc.store.schema.safety_rules import SAFETY_EVENT

ADMINISTRATIONS = "administrations/"
_HEAD = (
    "client_id", "taken_on", "taken_at", "session_number", "target", "informant", "episode_id", "version", "form",
    "coding",
)  # fmt: skip
_ENTITIES = ("clinicians", "clients", "episodes", "relationships", "statuses", "sessions")
_LATER = (
    "goals",
    "goal_ratings",
    "events",
    *(kind.reader for kind in ENTRIES if kind.channel == "care" and kind.reader != DEMOGRAPHICS_READER),
)
_SAFETY = tuple(kind.reader for kind in ENTRIES if kind.channel == "safety" and kind.portable)
_CARE_ROWS = {  # of tables that hold both channels
    "events": ~pl.col("kind").str.to_lowercase().str.starts_with(SAFETY_EVENT),
}
_KEY = "administration_id"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Collected:
    """The exported tables, and what was left out."""

    tables: Mapping[str, pl.DataFrame]
    """``clients``, ``administrations/rses`` (wide), ``totals``, ``goals``, ``scores`` ...; without empty ones."""
    withheld: tuple[str, ...]
    """Questionnaires whose answers are left out because one of their items concerns safety, or may."""
    undefined: tuple[str, ...] = ()
    """Questionnaires whose definition was not found."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export."""

    clients: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    answers: bool = True
    scores: bool = True
    safety: bool = False
    demographics: bool = False


@with_definitions_of_record
def collect(store: Store, selection: Selection, progress: Progress | None = None) -> Collected:
    """Read the selection, as far as this view of the record allows.

    Raises
    ------
    AccessDenied
        When this user may not read persons, or asks for the safety channel without its permission.
    NotInRecord
        When a client does not exist for this user.
    """
    report: Progress = progress or (lambda _: None)
    channels: tuple[Channel, ...] = ("care", "safety") if selection.safety else ("care",)
    heads, answers, totals = _questionnaires(store, selection, channels, report)
    tables: dict[str, pl.DataFrame] = {}
    kept, withheld = (heads, ()) if selection.safety else _without_risk_answers(heads, answers)
    if selection.answers:
        for name in _ENTITIES:
            report(name)
            tables[name] = _read(store, name, selection.clients)
        tables["clinicians"] = _named_clinicians(tables, selection)
        report("answers")
        tables |= _wide(kept, answers)
        tables["totals"] = _totals(kept, totals)
        apart = (DEMOGRAPHICS_READER,) if selection.demographics else ()
        for name in (*_LATER, *apart, *(_SAFETY if selection.safety else ())):
            report(name)
            tables[name] = _read(store, name, selection.clients)
        if not selection.safety:
            for name, rows in _CARE_ROWS.items():
                tables[name] = tables[name].filter(rows)
        tables[DEFINITIONS] = definition_lines(store, kept["instrument"].unique())
    if selection.scores:
        report("scores")
        tables["scores"] = score_administrations(heads, answers, totals)
    undefined = tuple(sorted(key for key in heads["instrument"].unique() if known(key) is None))
    return Collected({name: table for name, table in tables.items() if not table.is_empty()}, withheld, undefined)


def _questionnaires(
    store: Store, selection: Selection, channels: Sequence[Channel], report: Progress
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Administrations, answers and kept scores of all selected channels."""
    heads: list[pl.DataFrame] = []
    answers: list[pl.DataFrame] = []
    totals: list[pl.DataFrame] = []
    for channel in channels:
        for client in selection.clients or (None,):
            report("questionnaires")
            heads.append(store.administrations(client_id=client, channel=channel))
            answers.append(_answers(store, client, channel))
            totals.append(store.totals(client_id=client, channel=channel))
    parts = (pl.concat(heads), pl.concat(answers), pl.concat(totals))
    if selection.instruments:
        heads_, answers_, totals_ = (
            part.filter(pl.col("instrument").is_in(selection.instruments)) for part in parts
        )
        return heads_, answers_, totals_
    return parts


def _read(store: Store, name: str, clients: Collection[str]) -> pl.DataFrame:
    if name == "clinicians" or not clients:
        return getattr(store, name)()
    return pl.concat([getattr(store, name)(client_id=client) for client in clients])


def _named_clinicians(tables: Mapping[str, pl.DataFrame], selection: Selection) -> pl.DataFrame:
    """Only those whom the clients that leave name, where not all leave."""
    if not selection.clients:
        return tables["clinicians"]
    named = {*tables["clients"]["clinician_id"], *tables["episodes"]["clinician_id"]}
    return tables["clinicians"].filter(pl.col("clinician_id").is_in(list(named - {None})))


def _answers(store: Store, client_id: str | None, channel: Channel) -> pl.DataFrame:
    """Read answers, those to be scored but not to be exported among them."""
    if channel == "care" and not store.has_permission("safety:read"):
        return store.administrations_to_score([], client_id=client_id).answers
    return store.answers(client_id=client_id, channel=channel)


def _without_risk_answers(heads: pl.DataFrame, answers: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Leave administrations out whose answers hold a risk item.

    All of their answers: one item that is left out can be worked back from the others and the score.
    """
    risky = [key for key in heads["instrument"].unique(maintain_order=True) if _has_risk_item(key)]
    answered = answers.filter(pl.col("instrument").is_in(risky))
    ids = answered[_KEY].unique()
    kept = heads.filter(~pl.col(_KEY).is_in(ids.implode()))
    return kept, tuple(sorted(answered["instrument"].unique()))


def _has_risk_item(key: str) -> bool:
    measure = known(key)
    return measure is None or bool(measure.flags)  # one whose definition was not found may have some


def _wide(heads: pl.DataFrame, answers: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """One table per questionnaire: a row per administration, a column per item."""
    tables: dict[str, pl.DataFrame] = {}
    answers = answers.join(heads.select(_KEY), on=_KEY, how="semi")
    for (key,), own_answers in answers.group_by("instrument", maintain_order=True):
        most = max(int(own_answers["item"].max()), len(measure.items) if (measure := known(str(key))) else 0)  # pyright: ignore[reportArgumentType]
        cells = own_answers.pivot(on="item", index=_KEY, values="value", on_columns=list(range(1, most + 1)))
        cells = cells.rename({str(n): f"{key}_{n}" for n in range(1, most + 1)})
        head = heads.filter(pl.col("instrument") == key).select(_KEY, *_HEAD)
        table = head.join(cells, on=_KEY, how="inner", maintain_order="left")
        tables[f"{ADMINISTRATIONS}{key}"] = table.drop(_KEY)
    return dict(sorted(tables.items()))


def _totals(heads: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Join recorded scores with the details of their administration."""
    head = heads.select(_KEY, "taken_at", "episode_id", "version")
    names = (
        "client_id", "instrument", "target", "informant", "taken_on", "taken_at", "session_number", "episode_id",
        "version", "scale", "score",
    )  # fmt: skip
    return totals.join(head, on=_KEY, how="inner", maintain_order="left").select(names)
