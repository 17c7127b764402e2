"""Many questionnaires at once, as columns: the same record, to the last digest, as one by one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from mbc.errors import Conflict, NotInRecord, StoreError
from mbc.store import Administration, Client, Episode, Flag, Relationship, Store
from mbc.store.schema import digests
from mbc.store.schema.records import Channel
from mbc.store.writing import batch_digests as digesting
from mbc.store.writing.administration_batch import SCHEMA, completed, in_batches
from mbc.store.writing.administrations import Keyed
from tests.own_questionnaires import unreadable

pytestmark = pytest.mark.long

DAY = date(2026, 1, 5)
CHANNELS: dict[str, Channel] = {"mood": "care", "diary": "safety", "any": "care"}
ANSWERS = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=False), max_size=20)
TOTALS = st.dictionaries(st.sampled_from(["total", "anxiety", "avoidance"]), st.floats(-99, 99), max_size=3)
MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5))]),
)


def as_frame(records: list[Administration]) -> pl.DataFrame:
    """Write records as the columns that a file would give."""
    rows = [
        {
            **{name: getattr(each, name) for name in SCHEMA},
            "answers": list(each.answers) or None,
            "totals": [{"scale": scale, "score": score} for scale, score in each.totals.items()] or None,
            "flags": [{"item": flag.item, "kind": flag.kind} for flag in each.flags] or None,
        }
        for each in records
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


@st.composite
def questionnaires(draw: st.DrawFn) -> Administration:
    answers, totals = draw(ANSWERS), draw(TOTALS)
    instrument = draw(st.sampled_from(sorted(CHANNELS)))
    return Administration(
        client_id=draw(st.sampled_from(["C1", "C2"])),
        instrument=instrument,
        taken_on=DAY + timedelta(days=draw(st.integers(0, 3))),
        answers=tuple(answers),
        totals=totals if answers or totals else {"total": 1.0},
        version=draw(st.sampled_from(["1", "1965"])),
        form=draw(st.none() | st.just("a")),
        coding=draw(st.none() | st.just("0-3")),
        informant=draw(st.sampled_from(["client", "partner"])),
        target=draw(st.sampled_from(["self", "R1"])) if draw(st.booleans()) else "self",
        taken_at=draw(st.none() | MOMENTS),
        session_number=draw(st.none() | st.integers(0, 100_000)),
        channel=CHANNELS[instrument],
        flags=draw(st.sampled_from([(), (Flag("i9"),), (Flag("i3", "ask"), Flag("i9"))])),
        source_line=draw(st.none() | st.integers(0, 2**31 - 1)),
    )


def record_of_two(store: Store) -> Store:
    with store.writing(by="test") as record:
        record.add_all([Client("C1"), Client("C2"), Episode("E1", "C1"), Relationship("R1", "C1", "R1")])
        record.add(Relationship("R2", "C2", "R1"))
        for key, channel in CHANNELS.items():
            record.keep_definition(unreadable(key, channel))
    return store


def everything(store: Store) -> list[list[tuple[Any, ...]]]:
    """All that is kept of administrations with their digests, and what the audit trail counts."""
    tables = {"administration": "1", "answer": "1, 2", "total": "1, 2", "safety_flag": "1, 2"}
    with store._engine.connect() as connection:
        kept = [
            [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY {order}"))]
            for table, order in tables.items()
        ]
        details = connection.execute(text("SELECT detail FROM audit WHERE action = 'write' ORDER BY sequence"))
        return [
            *kept,
            [(json.loads(detail)["counts"],) for detail in details.scalars()],
        ]


def outcome(store: Store, add: Any, *, supersede: str | None) -> object:
    """What adding in one transaction did, or the refusal it met."""
    try:
        with store.writing(by="ann") as record:
            return add(record, supersede)
    except (Conflict, NotInRecord) as fault:
        return type(fault), str(fault)


@settings(max_examples=12, deadline=None)
@given(
    earlier=st.lists(questionnaires(), max_size=4),
    batch=st.lists(questionnaires(), min_size=1, max_size=8),
    reason=st.sampled_from([None, "misread"]),
)
def test_a_frame_is_kept_as_its_rows_one_by_one(earlier, batch, reason):
    """Where several rows cannot be kept, a batch names the first that does not belong, however it comes in."""
    with Store.create("sqlite://") as one, Store.create("sqlite://") as many, Store.create("sqlite://") as batched:
        for store in (one, many, batched):
            record_of_two(store)
            outcome(store, lambda record, why: record.add_all(earlier, supersede=why), supersede="again")
        alone = outcome(
            one, lambda record, why: [record.add(each, supersede=why) for each in batch], supersede=reason
        )
        together = outcome(
            many, lambda record, why: record.add_frame(as_frame(batch), supersede=why), supersede=reason
        )
        if isinstance(alone, list):
            assert together == alone
        else:
            assert isinstance(together, tuple)
            assert together == outcome(
                batched, lambda record, why: record.add_all(batch, supersede=why), supersede=reason
            )
        assert many.verify().intact
        assert one.verify().intact
        for reader in ("administrations", "answers", "totals"):
            for channel in ("care", "safety"):
                same = ["administration_id", "supersedes", "recorded_at"]
                shown = [getattr(store, reader)(channel=channel).drop(same, strict=False) for store in (one, many)]
                assert shown[0].equals(shown[1])
        assert one.safety_flags().drop("administration_id").equals(many.safety_flags().drop("administration_id"))


def test_the_two_ways_leave_the_same_bytes_behind(store, database):
    """Without duplicates the numbers are the same too: every table is compared whole."""
    batch = [
        Administration("C1", "rses", DAY, (3, -0.0, float("nan"), 1e-300), {"total": 6.5, "b": 2}, form="a"),
        Administration("C1", "rses", DAY, (3, 2, 1, 0), target="R1", episode_id="E1", flags=(Flag("i9"),)),
        Administration("C2", "hits", DAY, totals={"total": 7}, channel="safety", source_line=17),
        Administration("C2", "any", DAY, tuple(range(1000)), taken_at=datetime(2026, 1, 5, 9, tzinfo=UTC)),
    ]
    record_of_two(store)
    with store.writing(by="ann") as record:
        assert record.add_frame(as_frame(batch)) == ["stored"] * 4
    together = everything(store)
    with Store.create("sqlite://") as other:
        record_of_two(other)
        with other.writing(by="ann") as record:
            assert record.add_all(batch) == ["stored"] * 4
        alone = everything(other)
    # days and moments look otherwise when they come from PostgreSQL; answers, totals and counts do not
    assert together == alone if database == "sqlite" else together[1:3] + together[4:] == alone[1:3] + alone[4:]
    assert store.verify().intact


@given(batch=st.lists(questionnaires(), min_size=1, max_size=5), reason=st.none() | st.text(max_size=9))
def test_digests_of_many_are_those_of_each(batch, reason):
    keyed = Keyed.of(completed(batch))
    assert keyed.occasions == [digests.occasion(each) for each in batch]
    assert keyed.contents == [digests.content(each, key) for each, key in zip(batch, keyed.occasions, strict=True)]
    secrets = {each.client_id: digests.new_secret() for each in batch}
    before = [None if place % 2 else place for place in range(len(batch))]
    numbers, revisions = list(range(7, 7 + len(batch))), [0 if old is None else old + 1 for old in before]
    leaves = [
        digests.administration_leaf(
            digests.key_of(secrets[each.client_id]),
            administration_id=number,
            content=content,
            version=each.version,
            channel=each.channel,
            episode_id=each.episode_id,
            revision=revision,
            supersedes=old,
            reason=None if old is None else reason,
            source_line=each.source_line,
            flags=[(flag.item, flag.kind, each.client_id, each.instrument, each.taken_on) for flag in each.flags],
        )
        for each, number, content, revision, old in zip(
            batch, numbers, keyed.contents, revisions, before, strict=True
        )
    ]
    together = digesting.leaves(
        keyed.batch,
        keyed.days,
        numbers=numbers,
        contents=keyed.contents,
        revisions=revisions,
        supersedes=before,
        reason=reason,
        secrets=secrets,
    )
    assert together == b"".join(leaves)


SOUND = Administration("C1", "rses", DAY, (3, 2), {"total": 5}, flags=(Flag("i9"),))
UNSOUND: list[tuple[str, object]] = [
    ("client_id", "Ann Smith"), ("client_id", None), ("client_id", "C1\n"), ("client_id", "é"),
    ("client_id", "x" * 65),
    ("instrument", ""), ("version", None), ("form", "a b"), ("coding", "-3"), ("informant", None),
    ("target", "R 1"), ("episode_id", ""), ("taken_on", None), ("taken_on", date(1899, 12, 31)),
    ("taken_at", datetime(1899, 1, 1, tzinfo=UTC)), ("taken_at", datetime(9999, 1, 1, tzinfo=UTC)),
    ("session_number", -1), ("session_number", 100_001), ("source_line", -1), ("source_line", 2**31),
    ("channel", "other"), ("answers", [1.0, float("inf")]), ("answers", [0.0] * 1001),
    ("totals", [{"scale": "a b", "score": 1.0}]), ("totals", [{"scale": "total", "score": None}]),
    ("totals", [{"scale": "total", "score": float("nan")}]),
    ("totals", [{"scale": "total", "score": float("-inf")}]),
    ("flags", [{"item": "i 9", "kind": "risk"}]), ("flags", [{"item": "i9", "kind": "danger"}]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), UNSOUND, ids=str)
def test_a_row_no_record_could_hold_is_refused_with_the_record_s_own_words(name, value):
    row = as_frame([SOUND]).row(0, named=True)
    row[name] = value
    frame = pl.concat([as_frame([SOUND] * 3), pl.DataFrame([row], schema=SCHEMA)])
    given_to_record = {**row, "answers": row["answers"] or ()}
    given_to_record["totals"] = {each["scale"]: each["score"] for each in row["totals"]}
    with pytest.raises(StoreError) as alone:
        Administration(**{**given_to_record, "flags": tuple(Flag(**each) for each in row["flags"])})
    with pytest.raises(StoreError) as together:
        list(in_batches(frame))
    assert str(together.value) == str(alone.value)


def test_answers_or_totals_are_needed():
    frame = as_frame([replace(SOUND, totals={})]).with_columns(answers=pl.lit([], SCHEMA["answers"]))
    with pytest.raises(StoreError, match="needs answers or totals, but has neither"):
        list(in_batches(frame))


def test_a_frame_is_previewed_as_its_rows(store):
    record_of_two(store)
    with store.writing(by="ann") as record:
        record.add(SOUND)
    batch = [
        SOUND,
        replace(SOUND, answers=(0, 0)),
        replace(SOUND, client_id="C9"),
        replace(SOUND, form="b", target="R1"),
    ]
    assert store.preview(as_frame(batch)) == store.preview(batch)
    assert [each.outcome for each in store.preview(as_frame(batch))] == [
        "duplicate",
        "refused",
        "refused",
        "stored",
    ]
