"""What a researcher may export: the clinic's record as tidy tables in which nobody can be recognised."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import polars as pl

from mbc.care.scoring.scores import scores
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, instrument
from mbc.instruments.library import keys
from mbc.privacy import OTHER, StudyIds, days_since, fold_rare, guard, label_prefix, random_study_ids
from mbc.store import Store
from mbc.store._aggregate_view import counting_view
from mbc.store.schema.records import Status, Valence

SELF = "self"
LEAST_FOR_RESEARCHERS = 5  # people who share a category, for a user's own view of the record


@dataclass(frozen=True, slots=True)
class Cohort:
    """De-identified tables: random study ids, days since each person's first contact, no dates, no free text.

    ``people``: study_id, therapist, sessions (held), days (from first to last contact), ending.
    ``scores``: study_id, day, episode, since_intake, session_number, instrument, scale, target, informant, score,
    answered, items, prorated.
    ``items``: instrument -> study_id, day, episode, since_intake, session_number, target, informant, form, coding,
    one column per item.
    ``sessions``: study_id, day, episode, since_intake, number, attended, modality.
    ``relationships``: study_id, day, target (R1, R2, ...; null: the person), status.
    ``goals``: study_id, goal (G1, ...), baseline, target_rating, higher_is_better, day, rating.
    ``events``: study_id, day, kind, valence.

    ``episode`` counts a person's episodes of care, and ``since_intake`` the days since the episode began: two
    treatments are never one course.

    Where an identifier of the clinic's own reads like one of these labels ("G1", "p007"), the labels get another
    letter (GX1, PX001), so that whatever reads like an identifier in a table is one.
    """

    people: pl.DataFrame
    scores: pl.DataFrame
    items: Mapping[str, pl.DataFrame]
    sessions: pl.DataFrame
    relationships: pl.DataFrame
    goals: pl.DataFrame
    events: pl.DataFrame
    smallest: int
    """Categories that fewer people than this have are folded into "other"."""
    withheld: tuple[str, ...]
    """Instruments whose item answers stay behind because an item of theirs is a safety matter."""

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by the name of its file."""
        named = {
            "people": self.people,
            "scores": self.scores,
            "sessions": self.sessions,
            "relationships": self.relationships,
            "goals": self.goals,
            "events": self.events,
        }
        return named | {f"items_{key}": frame for key, frame in self.items.items()}


@with_definitions_of_record
def deidentified_cohort(store: Store, *, k: int = 5) -> tuple[Cohort, StudyIds]:
    """Export the record of the clinic without identifying anybody.

    Item answers of an instrument with a risk item (PHQ-9, CORE-10) are withheld altogether: leaving out that item
    alone would let it be worked back from the total. Their scale scores stay. Safety flags, safety screens and
    everything written in words are left behind.

    Parameters
    ----------
    store : Store
        The record; a user's own view of it must hold the permission ``cohort:read``.
    k : int
        Categories (therapist, ending, kind of event, modality) of fewer than ``k`` people become "other"; at
        least 5 for a user's own view.

    Returns
    -------
    Cohort
        The tables, checked by `mbc.privacy.guard` before they are handed over.
    StudyIds
        The re-identification key. Store it separately, or not at all. A user's own view gets none: it is empty.

    Raises
    ------
    AccessDenied
        If this user may not have a cohort.
    IdentityLeft
        If a table still holds a date, an identifier, or free text.
    """
    source = counting_view(store, "de-identified cohort")
    is_operator = store.user is None  # only the operator's labels are searched for in every cell
    record = _Record.of(store if is_operator else source, k if is_operator else max(k, LEAST_FOR_RESEARCHERS))
    tables = record.cohort(scores(source))
    guard(tables.tables(), identifiers=record.identifiers, words=_words())
    return tables, record.ids if is_operator else StudyIds({})


@dataclass(frozen=True, slots=True)
class _Record:
    store: Store
    ids: StudyIds
    therapists: StudyIds
    origins: dict[str, dt.date]  # study id -> day 0
    targets: dict[str, str]  # relationship id -> R1, R2, ...
    goals: str  # what the number of a goal follows: "G"
    identifiers: frozenset[str]
    k: int

    @classmethod
    def of(cls, store: Store, k: int) -> _Record:
        clients, clinicians = store.clients(), store.clinicians()
        identifiers = _identifiers(store)
        ids = random_study_ids(clients["client_id"], avoid=identifiers)
        return cls(
            store=store,
            ids=ids,
            therapists=random_study_ids(clinicians["clinician_id"], prefix="T", avoid=identifiers),
            origins={ids.of[client_id]: day for client_id, day in _first_contacts(store).items()},
            targets=_numbered(store.relationships(), store.statuses(), label_prefix("R", identifiers)),
            goals=label_prefix("G", identifiers),
            identifiers=identifiers,
            k=k,
        )

    def cohort(self, scores: pl.DataFrame) -> Cohort:
        kept = [key for key in scores["instrument"].unique(maintain_order=True) if key in keys()]
        withheld = tuple(key for key in kept if instrument(key).flags)
        shared = [key for key in kept if key not in withheld and not instrument(key).safety_channel]
        return Cohort(
            people=self._people(),
            scores=self._scores(scores.filter(pl.col("instrument").is_in(kept))),
            items={key: self._items(instrument(key)) for key in shared},
            sessions=self._sessions(),
            relationships=self._relationships(),
            goals=self._goals(),
            events=self._events(),
            smallest=self.k,
            withheld=withheld,
        )

    def _anonymous(self, frame: pl.DataFrame, date: str) -> pl.DataFrame:
        """Study ids first, then days; sorted by them, so that the record's own order is gone."""
        swapped = self.ids.replace(frame, "client_id", name="study_id")
        dated = days_since(swapped, self.origins, date=date, by="study_id", name="day")
        return dated.select("study_id", "day", pl.exclude("study_id", "day")).sort(pl.all())

    def _in_episodes(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Say in which episode a day lies, and how long after its beginning; a day before all is in the first."""
        starts = self._anonymous(self.store.episodes().select("client_id", "started_on"), "started_on")
        starts = (
            starts.drop_nulls()
            .unique()
            .sort("study_id", "day")
            .with_columns(
                pl.int_range(1, pl.len() + 1).over("study_id").cast(pl.Int32).alias("episode"),
                pl.col("day").alias("start"),
            )
        )
        first = starts.group_by("study_id").agg(pl.col("start").min().alias("first"))
        dated = (
            frame.with_row_index("_row")
            .sort("day")
            .join_asof(starts.sort("day"), on="day", by="study_id", check_sortedness=False)
        )
        dated = dated.join(first, on="study_id", how="left").sort("_row").drop("_row")
        placed = dated.with_columns(
            pl.col("episode").fill_null(pl.when(pl.col("first").is_not_null()).then(1)),
            (pl.col("day") - pl.col("start").fill_null(pl.col("first"))).cast(pl.Int32).alias("since_intake"),
        )
        return placed.select("study_id", "day", "episode", "since_intake", *frame.columns[2:])

    def _fold(self, frame: pl.DataFrame, column: str) -> pl.DataFrame:
        return fold_rare(frame, column, person="study_id", k=self.k)

    def _targeted(self, frame: pl.DataFrame, column: str = "target") -> pl.DataFrame:
        known = {SELF: SELF} | self.targets
        return frame.with_columns(pl.col(column).replace_strict(known, default=None, return_dtype=pl.String))

    def _people(self) -> pl.DataFrame:
        store = self.store
        ending = store.episodes().sort("started_on").group_by("client_id").agg(pl.col("ending").last())
        held = store.sessions().filter("attended").group_by("client_id")
        span = held.agg(
            pl.len().cast(pl.Int64).alias("sessions"),
            (pl.col("held_on").max() - pl.col("held_on").min()).dt.total_days().alias("days"),
        )
        people = (
            store.clients()
            .select(
                "client_id",
                pl.col("clinician_id").replace_strict(self.therapists.of, default=None).alias("therapist"),
            )
            .join(span, on="client_id", how="left")
            .join(ending, on="client_id", how="left")
        )
        named = self.ids.replace(people, "client_id", name="study_id").with_columns(
            pl.col("sessions").fill_null(0)
        )
        return self._fold(self._fold(named, "therapist"), "ending").sort("study_id")

    def _scores(self, scores: pl.DataFrame) -> pl.DataFrame:
        wanted = (
            "client_id", "taken_on", "session_number", "instrument", "scale", "target", "informant",
            "score", "answered", "items", "prorated",
        )  # fmt: skip
        return self._in_episodes(self._anonymous(self._targeted(scores.select(wanted)), "taken_on"))

    def _items(self, of: Instrument) -> pl.DataFrame:
        answers = self.store.answers(of.key)
        occasion = ("client_id", "taken_on", "session_number", "target", "informant", "form", "coding")
        wide = answers.with_columns(pl.format(f"{of.key}_{{}}", "item").alias("column")).pivot(
            on="column", index=("administration_id", *occasion), values="value"
        )
        columns = [name for name in of.item_columns() if name in wide.columns]
        table = wide.select(*occasion, *(pl.col(name).cast(pl.Int64) for name in columns))
        return self._in_episodes(self._anonymous(self._targeted(table), "taken_on"))

    def _sessions(self) -> pl.DataFrame:
        sessions = self.store.sessions().select("client_id", "held_on", "number", "attended", "modality")
        return self._in_episodes(self._fold(self._anonymous(sessions, "held_on"), "modality"))

    def _relationships(self) -> pl.DataFrame:
        statuses = self.store.statuses().select(
            "client_id", "since", pl.col("relationship_id").alias("target"), "status"
        )
        return self._anonymous(self._targeted(statuses), "since")

    def _goals(self) -> pl.DataFrame:
        goals = self.store.goals().with_columns(
            pl.format("{}{}", pl.lit(self.goals), pl.col("set_on").rank("ordinal").over("client_id")).alias(
                "goal"
            ),
            pl.col("target").alias("target_rating"),
        )
        described = goals.select("goal_id", "goal", "baseline", "target_rating", "higher_is_better")
        ratings = self.store.goal_ratings().join(described, on="goal_id").drop("goal_id")
        return self._anonymous(ratings, "rated_on")

    def _events(self) -> pl.DataFrame:
        events = self.store.events().select("client_id", "occurred_on", "kind", "valence")
        return self._fold(self._anonymous(events, "occurred_on"), "kind")


def _first_contacts(store: Store) -> dict[str, dt.date]:
    """Day 0 of each client: the earliest day on which anything of theirs was recorded to happen in care."""
    days = [
        store.administrations().select("client_id", day="taken_on"),
        store.sessions().select("client_id", day="held_on"),
        store.episodes().select("client_id", day="started_on"),
        store.clients().select("client_id", day="registered_on"),
    ]
    # Later sources only fill in for clients whom the earlier ones do not know.
    first: dict[str, dt.date] = {}
    for frame in days:
        seen = frame.drop_nulls().group_by("client_id").agg(pl.col("day").min())
        for client, day in seen.iter_rows():
            first.setdefault(client, day)
    return first


def _numbered(relationships: pl.DataFrame, statuses: pl.DataFrame, prefix: str) -> dict[str, str]:
    """Relationships of each client as R1, R2, ... (with the prefix "R") in the order they began."""
    began = statuses.drop_nulls("relationship_id").group_by("relationship_id").agg(pl.col("since").min())
    ordered = (
        relationships.join(began, on="relationship_id", how="left")
        .sort("client_id", "since", "relationship_id", nulls_last=True)
        .with_columns(
            pl.format("{}{}", pl.lit(prefix), pl.int_range(1, pl.len() + 1).over("client_id")).alias("number")
        )
    )
    return dict(ordered.select("relationship_id", "number").iter_rows())


def _identifiers(store: Store) -> frozenset[str]:
    """Everything that points at somebody: labels of goals, events and relationships never leave their columns."""
    columns = [
        *store.clients().select("client_id", "alias").iter_columns(),
        *store.clinicians().select("clinician_id", "display_name").iter_columns(),
        store.episodes()["episode_id"],
        store.relationships()["relationship_id"],
        store.goals()["goal_id"],
        store.events()["event_id"],
    ]
    return frozenset(text for column in columns for text in column.drop_nulls())


def _words() -> dict[str, frozenset[str]]:
    """Give the words of our own in each column that holds nothing else: they stand there for everybody alike."""
    known = [instrument(key) for key in keys()]
    return {
        "instrument": frozenset(keys()),
        "scale": frozenset(scale.key for each in known for scale in each.scales),
        "form": frozenset(form.key for each in known for form in each.forms),
        "coding": frozenset(coding.key for each in known for coding in each.codings),
        "status": frozenset(get_args(Status)),
        "valence": frozenset(get_args(Valence)),
        "target": frozenset({SELF}),
        **dict.fromkeys(("therapist", "ending", "modality", "kind"), frozenset({OTHER})),
    }
