"""Every result of mbc.models is a table, prints readably, and writes its paragraph for a paper."""

from __future__ import annotations

import functools
import importlib
import pickle
import pkgutil
import re
import typing
import warnings
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mbc
from mbc import models
from mbc.errors import MbcError
from mbc.models import emerging
from mbc.models.growth.curve.curve_estimates import CurveEstimates
from mbc.models.growth.curve.curve_predictions import CurvePredictions
from mbc.models.growth.inference.fitted_model import FittedModel, PredictsRows, WithCoefficients
from mbc.models.results.methods.paragraph import DESCRIPTIONS
from mbc.models.results.references import reference_list, references
from mbc.models.results.result import Explained, Result, Summary
from tests.models.result_examples import EXAMPLES

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
KINDS: dict[str, type] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}
BASES = {Explained, Result, WithCoefficients, PredictsRows, FittedModel, CurveEstimates, CurvePredictions}
# Dataclasses that functions return though they are arguments of others, or parts of a model's machinery.
NOT_RESULTS = {"Norms", "Moments", "GradedItem"}


@functools.cache
def example(name: str) -> Any:
    """Make the example of a class, once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return EXAMPLES[name][0]()


def walk() -> set[type]:
    """Find every class of mbc.models by walking its modules."""
    modules = [
        importlib.import_module(module.name) for module in pkgutil.walk_packages(models.__path__, "mbc.models.")
    ]
    return {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    }


def returned(function: object) -> set[type]:
    """Classes that a function's annotation says it returns, those in lists and mappings among them."""
    try:
        hint = typing.get_type_hints(function).get("return")
    except (NameError, TypeError):
        return set()
    out: set[type] = set()
    todo = [hint]
    while todo:
        each = todo.pop()
        todo += list(typing.get_args(each))
        origin = typing.get_origin(each) or each
        if isinstance(origin, type) and origin.__module__.startswith("mbc.models"):
            out.add(origin)
    return out


def test_no_result_class_is_left_out():
    explained = [kind.__name__ for kind in walk() if issubclass(kind, Explained) and kind not in BASES]
    assert sorted(explained) == sorted(EXAMPLES)
    assert set(EXAMPLES) <= set(DESCRIPTIONS)


def test_whatever_a_public_function_returns_is_a_result():
    functions = [getattr(models, name) for name in models.__all__] + [emerging.joint_growth]
    given = {kind for function in functions if not isinstance(function, type) for kind in returned(function)}
    assert len(given) > 40
    lacking = {kind.__name__ for kind in given if is_dataclass(kind) and not issubclass(kind, Explained)}
    assert lacking <= NOT_RESULTS


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_table_is_of_the_kind_that_came_in_or_that_was_asked_for(name):
    result, from_pandas = example(name), EXAMPLES[name][1]
    assert isinstance(result.to_frame(), pd.DataFrame if from_pandas else pl.DataFrame)
    tables = {kind: result.to_frame(backend=kind) for kind in KINDS}
    for kind, table in tables.items():
        assert isinstance(table, KINDS[kind])
    names = [list(tables["pandas"].columns), tables["polars"].columns, tables["pyarrow"].column_names]
    assert names[0] == names[1] == names[2]
    assert names[0]
    assert len(tables["pandas"]) == tables["polars"].height == tables["pyarrow"].num_rows
    with pytest.raises(MbcError, match=r"backend must be 'polars', 'pandas' or 'pyarrow'.*Did you mean 'polars'"):
        result.to_frame(backend="polar")


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_prints_in_one_line_and_as_a_summary(name):
    result = example(name)
    line = repr(result)
    assert "\n" not in line
    assert len(line) < 400
    assert line.startswith(f"{name}(")
    assert "<" not in line
    assert "array(" not in line
    summary = result.summary()
    assert isinstance(summary, Summary) or name == "FastMixedLMResults"  # statsmodels' own
    assert repr(summary) == str(summary) or name == "FastMixedLMResults"
    assert len(str(summary).splitlines()) > 3
    html = result._repr_html_()
    assert html.startswith("<div>")
    assert html.count("<table>") == html.count("</table>") > 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_writes_its_paragraph_with_entries_for_what_it_cites(name):
    result = example(name)
    text, entries = result.methods_text(), result.bibtex()
    assert "\n" not in text
    assert f"mbc {mbc.__version__}" in text
    assert "[@" not in text
    assert "None" not in text
    assert "  " not in text
    keys = re.findall(r"^@\w+\{(\w+),", entries, flags=re.MULTILINE)
    assert keys[-1] == "mbc"
    assert keys[:-1] == sorted(set(keys[:-1]))
    for key in keys[:-1]:
        assert references()[key].citation in text
    assert len(keys) > 1 or name == "Pairs"


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "FastMixedLMResults"])
def test_a_copy_remembers_which_kind_of_frame_came_in(name):
    result = example(name)
    again = pickle.loads(pickle.dumps(result))
    assert type(again.to_frame()) is type(result.to_frame())
    assert again.methods_text()
    if hasattr(again, "residuals"):
        with pytest.raises(MbcError, match="does not contain its rows"):
            again.residuals()


PER_CLIENT = {
    "ReliableTrend", "TrueChangeCourse", "FirstReliableChange", "ClientSlopes", "Pairs", "SuddenGains", "Courses",
    "AttendanceWeights", "ClientCurve",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PER_CLIENT))
def test_a_table_of_clients_names_them(name):
    table = example(name).to_frame()
    if len(table):
        assert table["client"].str.startswith("C-").all()


def test_rows_of_pandas_columns_keep_their_index():
    change = example("ReliableChange").to_frame()
    assert list(change.index[:2]) == ["C-00", "C-01"]


def test_change_of_slopes_names_the_clients():
    change = models.reliable_change(method="growth", growth=example("GrowthCurve"), higher_is_better=False)
    table = change.to_frame()
    assert isinstance(table, pd.DataFrame)
    assert list(table["client"][:2]) == ["C-00", "C-01"]


def test_the_norm_its_source_and_the_seed_are_named():
    norms = models.Norms(sd=5.0, reliability=0.88, kind="retest", sample="students", source="Example 2001", n=120)
    text = models.reliable_change(30, 20, norms=norms, higher_is_better=False).methods_text()
    assert "(students) had a standard deviation of 5 and a test-retest reliability of 0.88, n = 120" in text
    assert "from Example 2001" in text
    assert "seed 0" in example("LaggedEffects").methods_text()
    assert "seed 1" in example("Bootstrap").methods_text()


def test_text_in_a_table_is_escaped_in_html():
    pairs = models.pre_post_pairs(
        pd.DataFrame({"client": ["<b>x</b>"] * 2, "week": [0.0, 1.0], "score": [3.0, 4.0]}),
        client="client", time="week", score="score", pre=0.0, post=1.0,
    )  # fmt: skip
    assert "<b>x" not in pairs._repr_html_()
    assert "&lt;b&gt;x" in pairs._repr_html_()


def test_every_publication_is_cited_and_stands_on_its_page():
    sources = (ROOT / "mbc/models/results/methods").rglob("*.py")
    cited = {key for file in sources for key in re.findall(r"@([a-z]+\d{4})", file.read_text(encoding="utf-8"))}
    assert cited == set(references())
    page = (ROOT / "docs/methods/references.md").read_text(encoding="utf-8")
    assert page.endswith(reference_list() + "\n")
