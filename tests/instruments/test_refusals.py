"""Every public function of the questionnaires refuses what it cannot read: by name, and nothing else is raised."""

from __future__ import annotations

import datetime as dt
import inspect
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mbc
from mbc import instruments, models
from mbc.errors import DefinitionError, FrameError, MbcError, UnknownInstrument
from tests.refusals import quietly, rules, wrong_options

pytestmark = pytest.mark.long

ROWS = 30
rng = np.random.default_rng(5)
RSES = pl.DataFrame({f"rses_{n}": rng.integers(0, 4, ROWS) for n in range(1, 11)})
PHQ9 = pl.DataFrame({f"phq9_{n}": rng.integers(0, 4, ROWS) for n in range(1, 10)})
SHEETS = pl.DataFrame(
    {"who": np.arange(ROWS) // 2, "about": ["mother", "partner"] * (ROWS // 2)}
    | {f"ecr_rs_{n}": rng.integers(1, 8, ROWS) for n in range(1, 10)}
)
CALLS: dict[str, dict[str, Any]] = {
    "across_targets": {"frame": SHEETS, "person": "who", "target": "about"},
    "all_keys": {},
    "applicable": {"instrument": "csi16", "status": "married"},
    "instrument": {"key": "rses"},
    "instruments": {},
    "keyed_items": {"frame": RSES, "key": "rses"},
    "keys": {},
    "load_file": {"path": "own.toml"},
    "phq9_algorithm": {"frame": PHQ9},
    "refused_answers": {"frame": RSES, "key": "rses"},
    "risk_flags": {"frame": PHQ9, "key": "phq9"},
    "score": {"frame": RSES, "key": "rses"},
    "score_stated": {"frame": RSES, "key": "rses"},
}
SCORING = [name for name, given in CALLS.items() if "frame" in given]


def functions() -> dict[str, Any]:
    return {name: getattr(instruments, name) for name in instruments.__all__ if name in CALLS}


def column_of(given: dict[str, Any]) -> str:
    """A column that the function reads as answers."""
    return next(name for name in given["frame"].columns if name.endswith("_3"))


def wrong_frames(given: dict[str, Any]) -> dict[str, object]:
    """Tables that cannot be scored, each of one kind."""
    frame: pl.DataFrame = given["frame"]
    name, pandas = column_of(given), given["frame"].to_pandas()
    return {
        "number": 5,
        "text": "answers.csv",
        "nothing": None,
        "columns twice": pd.concat([pandas, pandas], axis=1),
        "a column twice": pd.concat([pandas, pandas[[name]]], axis=1),
        "no item columns": pl.DataFrame({"a": [1]}),
        "dates": frame.with_columns(pl.lit(dt.date(2026, 1, 5)).alias(name)),
        "times": frame.with_columns(pl.lit(dt.datetime(2026, 1, 5, tzinfo=dt.UTC)).alias(name)),
        "lists": frame.with_columns(pl.lit([1, 2]).alias(name)),
        "structs": frame.with_columns(pl.struct(a=1).alias(name)),
        "complex numbers": pandas.assign(**{name: 1 + 2j}),
        "periods": pandas.assign(**{name: pd.period_range("2026-01", periods=len(pandas), freq="M")}),
        "bytes": frame.with_columns(pl.lit(b"1").alias(name)),
        "arrow dates": pa.table(
            {column: frame[column].to_list() for column in frame.columns if column != name}
            | {name: [dt.date(2026, 1, 5)] * frame.height}
        ),
    }


def cases() -> list[Any]:
    listed: list[Any] = []
    for name, given in CALLS.items():
        for parameter, accepted in rules(functions()[name]).items():
            values = wrong_options(parameter, accepted)
            if accepted.classes:
                values |= {"another object": object(), "a number": 3, "a list": ["rses"]}
            if parameter == "frame":
                values |= wrong_frames(given)
            if parameter in {"form", "coding", "scale", "key", "instrument"}:
                values["unknown word"] = "rsess"
            listed += [
                pytest.param(name, parameter, value, id=f"{name}-{parameter}-{kind}")
                for kind, value in values.items()
            ]
    return listed


def test_every_public_function_is_called_here_and_in_the_models():
    for package in (instruments, models):
        public = {name for name in package.__all__ if inspect.isfunction(getattr(package, name))}
        unchecked = {name for name in public if not hasattr(getattr(package, name), "accepted")}
        assert unchecked <= {"all_keys", "keys", "instruments", "instrument"}  # no arguments, or checked by itself
    public = {name for name in instruments.__all__ if inspect.isfunction(getattr(instruments, name))}
    assert public == set(CALLS)


@pytest.mark.parametrize("name", [name for name in CALLS if name != "load_file"])
def test_the_calls_themselves_are_accepted(name):
    assert quietly(functions()[name], CALLS[name]) is not None


@pytest.mark.parametrize(("name", "parameter", "value"), cases())
def test_a_wrong_value_is_refused_by_name(name, parameter, value):
    given = CALLS[name]
    with pytest.raises(MbcError) as refusal:
        quietly(functions()[name], {**given, parameter: value})
    text = str(refusal.value)
    accepted = rules(functions()[name])[parameter]
    if isinstance(value, str) and accepted.words:
        assert f"{parameter} must be " in text
        assert all(repr(word) in text for word in accepted.words)
    if isinstance(value, pl.DataFrame | pd.DataFrame | pa.Table) and "a" not in value.columns:
        assert column_of(given) in text


@pytest.mark.parametrize("key", [5, None, ["rses"], object(), 1.5, True, "rsess", ""])
def test_a_key_that_is_none_is_refused_with_the_known_ones(key):
    with pytest.raises(UnknownInstrument, match="Known: rses"):
        mbc.instrument(key)


@pytest.mark.parametrize("method", ["form", "coding", "scale", "item", "source"])
@pytest.mark.parametrize("word", ["typo", 5, ["a"]])
def test_a_part_that_an_instrument_has_not_is_refused_with_those_it_has(method, word):
    definition = mbc.instrument("rses")
    with pytest.raises(DefinitionError, match="rses has no"):
        getattr(definition, method)(word)


@pytest.mark.parametrize("name", SCORING)
@pytest.mark.parametrize("kind", ["polars", "pandas", "pyarrow", "lazy"])
def test_an_empty_table_gives_an_empty_result(name, kind):
    empty = CALLS[name]["frame"].clear()
    frame = {"polars": empty, "pandas": empty.to_pandas(), "pyarrow": empty.to_arrow(), "lazy": empty.lazy()}[kind]
    result = functions()[name](**{**CALLS[name], "frame": frame})
    result = result.collect() if isinstance(result, pl.LazyFrame) else result
    assert len(result) == 0


@pytest.mark.parametrize("value", [math.inf, -math.inf, 4, -1, 1.5, "many", "inf"])
@pytest.mark.parametrize("name", ["score", "score_stated", "keyed_items"])
def test_an_answer_that_is_none_is_refused_with_its_column(name, value):
    kind = pl.String if isinstance(value, str) else pl.Float64
    frame = RSES.with_columns(pl.lit(value, kind).alias("rses_3"))
    with pytest.raises(FrameError, match="rses_3"):
        functions()[name](frame, "rses")


def test_blank_answers_of_every_engine_count_as_blank():
    frame = RSES.cast(pl.Float64).with_columns(rses_3=pl.lit(math.nan))
    for table in (frame, frame.to_pandas(), frame.to_arrow(), frame.lazy().collect()):
        scored = pl.from_arrow(table) if isinstance(table, pa.Table) else table
        assert list(mbc.score(scored, "rses")["rses_total_answered"]) == [9] * ROWS


@pytest.mark.parametrize(
    "items", ["Q", ["rses_1"], ["rses_1"] * 10, [f"rses_{n}" for n in range(12)], [1] * 10, 3]
)
def test_columns_that_do_not_name_each_item_once_are_refused(items):
    with pytest.raises(FrameError, match="items"):
        mbc.score(RSES, "rses", items=items)


def test_needed_relationships_that_nobody_rated_leave_no_score():
    with pytest.raises(MbcError, match="needed"):
        instruments.across_targets(SHEETS, person="who", target="about", needed=["motehr"])
