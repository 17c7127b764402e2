"""What a changed definition would change in everybody's scores, before it does; and recomputing cached scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

import polars as pl

from mbc.care.scoring.definition_digest import definition_digest
from mbc.care.scoring.scores import compute_scores, current_sets, scores
from mbc.errors import InvalidResponse, UnknownInstrument
from mbc.exchange.own_definitions import keep_definitions, recorded_texts, with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.instruments import instrument as load
from mbc.instruments.library import own_text
from mbc.store import Store
from mbc.store.reading.score_cache import COLUMNS, ComputedScores
from mbc.store.schema.records import Channel

CHANNELS: tuple[Channel, ...] = get_args(Channel)
_KEY = ["administration_id", "scale"]
_VALUES = ("score", "answered", "prorated", "band", "maximum")


@dataclass(frozen=True, slots=True)
class BandMove:
    """How many scores would be in another band."""

    before: str | None
    after: str | None
    count: int


@dataclass(frozen=True, slots=True)
class ScaleChange:
    """What a definition changes on one scale. Changes are new score - old score, in scale points."""

    scale: str
    compared: int  # administrations with a score kept before, or one now
    changed: int  # of those: another score, or one where there was none, or none where there was one
    lowest: float | None  # of the changes, where there is a score before and after
    median: float | None
    highest: float | None
    appeared: int  # a score where there was none
    vanished: int  # no score where there was one
    bands: tuple[BandMove, ...]
    clients: tuple[str, ...]  # whose scores change


@dataclass(frozen=True, slots=True)
class Rescoring:
    """What the current definition changes in the scores of one questionnaire."""

    instrument: str
    old_version: str | None  # None: no score was kept under another definition
    new_version: str
    administrations: int  # on record now
    scales: tuple[ScaleChange, ...]

    @property
    def changed(self) -> int:
        """Scores that change."""
        return sum(scale.changed for scale in self.scales)


@with_definitions_of_record
def rescoring(store: Store) -> tuple[Rescoring, ...]:
    """Compare the scores that are kept under earlier definitions with those of today's. Changes nothing.

    Returns
    -------
    tuple of Rescoring
        One for each questionnaire whose definition is another than the one its scores were kept under. A
        questionnaire that the catalogue does not know at present is left out.
    """
    return tuple(_compare(store, known, old) for known, old in _outdated(store))


@with_definitions_of_record
def keep_scores(store: Store) -> int:
    """Work out every score that is not kept yet, and keep it; returns how many rows were added.

    Answers outside the accepted range are never kept: they are worked out, or refused, each time.
    """
    answers = store.administrations_to_score(list(current_sets(store)))
    return store.keep_scores(_to_keep(answers.answers, answers.totals))


@with_definitions_of_record
def rebuild_scores(store: Store, seen: tuple[Rescoring, ...] = ()) -> int:
    """Drop what is kept under earlier definitions and under today's, work everything out, and keep it.

    The clinic's own definitions in use are kept with the record, too.

    Scores of questionnaires that the catalogue does not know at present stay: nothing could be put in their place.

    Parameters
    ----------
    store : Store
        The record, as the operator sees it.
    seen : tuple of Rescoring
        What `rescoring` reported; written to the audit log, without naming anybody.
    """
    _keep_definitions_in_use(store)
    sets = store.score_sets()
    known = [row["set_id"] for row in sets.iter_rows(named=True) if _known(row["instrument"]) is not None]
    answers = store.administrations_to_score([])
    changed = {
        change.instrument: {"from": change.old_version, "to": change.new_version, "changed": change.changed}
        for change in seen
    }
    details = {"instruments": changed, "administrations": answers.answers["administration_id"].n_unique()}
    return store.keep_scores(_to_keep(answers.answers, answers.totals), dropping=known, logged=details)


def _keep_definitions_in_use(store: Store) -> None:
    """Keep the clinic's own definitions that are not the ones on record: from now on they are."""
    recorded = recorded_texts(store)
    asked = {key for channel in CHANNELS for key in store.administrations(channel=channel)["instrument"].unique()}
    changed = [key for key in asked if own_text(key) not in {None, recorded.get(key)}]
    if changed:
        with store.writing() as record:
            keep_definitions(record, changed)


@with_definitions_of_record
def wrong_scores(store: Store) -> int:
    """Count kept scores that are not what the answers give: the cache was edited."""
    sets = current_sets(store)
    if not sets:
        return 0
    kept = store.administrations_to_score(list(sets), checked=False).kept.join(_names(sets), on="set_id")
    answers = store.administrations_to_score([])
    fresh = pl.concat(
        [worked.scores for worked in _to_keep(answers.answers, answers.totals)] or [kept.select(COLUMNS).clear()]
    )
    both = kept.select(COLUMNS).join(fresh, on=_KEY, how="left", suffix="_now", nulls_equal=True)
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_now")) for name in (*_VALUES, "recorded"))
    return both.filter(~same).height


def _outdated(store: Store) -> Iterator[tuple[Instrument, pl.DataFrame]]:
    """Find the newest sets of each questionnaire that were made with another definition."""
    sets = store.score_sets()
    for (key,), group in sets.group_by("instrument", maintain_order=True):
        known = _known(str(key))
        if known is None:
            continue
        old = group.filter(pl.col("definition") != definition_digest(known)).sort("made_at", "set_id")
        if not old.is_empty():
            yield known, old.filter(pl.col("definition") == old["definition"][-1])


def _compare(store: Store, known: Instrument, old: pl.DataFrame) -> Rescoring:
    key = known.key
    kept = store.administrations_to_score(old["set_id"].to_list(), instrument=key, checked=False).kept
    before = kept.join(old.select("set_id", "scale"), on="set_id").select("client_id", *_KEY, "score", "band")
    after = scores(store, instrument=key, invalid="null").select("client_id", *_KEY, "score", "band")
    there = before.select("administration_id").unique()  # what came later has no score before
    both = before.join(
        after.join(there, on="administration_id", how="semi"), on=["client_id", *_KEY], how="full", coalesce=True
    )
    scales = tuple(
        _scale(str(name), frame) for (name,), frame in both.sort(_KEY).group_by("scale", maintain_order=True)
    )
    return Rescoring(
        key, old["version"][0], known.version, after["administration_id"].n_unique(), _in_order(known, scales)
    )


def _in_order(known: Instrument, scales: tuple[ScaleChange, ...]) -> tuple[ScaleChange, ...]:
    rank = {scale.key: position for position, scale in enumerate(known.scales)}
    return tuple(sorted(scales, key=lambda change: rank.get(change.scale, len(rank))))


def _scale(name: str, both: pl.DataFrame) -> ScaleChange:
    old, new = pl.col("score"), pl.col("score_right")
    moved = both.filter(old.ne_missing(new))
    change = moved.select((new - old).alias("by"))["by"].drop_nulls()
    bands = both.filter(pl.col("band").ne_missing(pl.col("band_right")))
    counted = (
        bands.group_by("band", "band_right")
        .len()
        .sort("len", "band", "band_right", descending=[True, False, False])
    )
    return ScaleChange(
        scale=name,
        compared=both.height,
        changed=moved.height,
        lowest=_number(change.min()),
        median=_number(change.median()),
        highest=_number(change.max()),
        appeared=moved.filter(old.is_null()).height,
        vanished=moved.filter(new.is_null()).height,
        bands=tuple(BandMove(*row) for row in counted.iter_rows()),
        clients=tuple(moved["client_id"].unique().sort()),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _to_keep(answers: pl.DataFrame, totals: pl.DataFrame) -> list[ComputedScores]:
    parts: dict[str, list[pl.DataFrame]] = {}
    definitions: dict[str, Instrument] = {}
    for (_key,), group in answers.group_by("instrument", maintain_order=True):
        for known, frame in _valid(group):
            definitions[known.key] = known
            parts.setdefault(known.key, []).append(frame)
    only = totals.join(answers.select("administration_id").unique(), on="administration_id", how="anti")
    for known, frame in compute_scores(answers.clear(), only, invalid="null"):
        definitions[known.key] = known
        parts.setdefault(known.key, []).append(frame)
    return [
        ComputedScores(key, known.version, definition_digest(known), pl.concat(parts[key]).select(COLUMNS))
        for key, known in definitions.items()
    ]


def _valid(answers: pl.DataFrame) -> Iterator[tuple[Instrument, pl.DataFrame]]:
    """Compute scores without administrations that have answers outside the range, located by bisection."""
    try:
        yield from list(compute_scores(answers, _no_totals(), invalid="raise"))
    except InvalidResponse:
        numbers = answers["administration_id"].unique().sort()
        if len(numbers) == 1:
            return
        middle = numbers[len(numbers) // 2]
        yield from _valid(answers.filter(pl.col("administration_id") < middle))
        yield from _valid(answers.filter(pl.col("administration_id") >= middle))


def _no_totals() -> pl.DataFrame:
    return pl.DataFrame(schema={"instrument": pl.String, "administration_id": pl.Int64})


def _names(sets: Mapping[int, tuple[Instrument, Scale]]) -> pl.DataFrame:
    rows = [(number, scale.key) for number, (_, scale) in sets.items()]
    return pl.DataFrame(rows, schema={"set_id": pl.Int64, "scale": pl.String}, orient="row")


def _known(key: str) -> Instrument | None:
    try:
        return load(key)
    except UnknownInstrument:
        return None
