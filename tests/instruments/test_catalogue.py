"""Every shipped instrument is complete: provenance, licence, labels of our own, sources that are used."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib.resources import files

import pytest

import mbc
from mbc.instruments import CONSTRUCTS, instrument, keys
from mbc.instruments.library import sources

every_instrument = pytest.mark.parametrize("key", keys())


def numbers(scale):
    return (*scale.bands, *scale.cutoffs, *scale.norms, *scale.reliabilities, *scale.changes)


def test_the_table_lists_what_there_is():
    table = mbc.instruments()
    assert table.columns == ["key", "name", "construct", "items", "scales", "licence"]
    assert set(table["construct"]) <= set(CONSTRUCTS)
    assert table.filter(key="ecr_r")["scales"].to_list() == ["anxiety, avoidance"]
    assert table.filter(key="csi16")["items"].to_list() == [16]


def test_the_instruments_of_a_first_day_are_there():
    assert {"rses", "csi4", "csi16", "csi32", "ras", "ecr_r", "ecr_s", "phq9", "gad7", "who5"} <= set(keys())


@every_instrument
def test_a_definition_is_frozen_and_hashable(key):
    definition = instrument(key)
    assert hash(definition)
    assert instrument(key) is definition
    with pytest.raises(dataclasses.FrozenInstanceError):
        definition.key = "other"


@every_instrument
def test_it_says_what_it_measures_how_it_may_be_used_and_what_is_disputed(key):
    definition = instrument(key)
    assert definition.summary.endswith(".")
    assert definition.licence.statement.endswith(".")
    assert definition.disputes
    assert all(dispute.endswith(".") for dispute in definition.disputes)
    assert definition.version != "1"
    assert definition.construct in CONSTRUCTS


@every_instrument
def test_every_item_has_a_label_of_our_own_and_no_two_share_it(key):
    labels = [item.label for item in instrument(key).items]
    if instrument(key).licence.status == "restricted":
        assert labels == [f"item {n}" for n in range(1, len(labels) + 1)]
    else:
        assert len(set(labels)) == len(labels)
        assert not any(label.startswith("item ") for label in labels)


@every_instrument
def test_every_number_has_a_source_and_a_confidence(key):
    definition = instrument(key)
    known = {source.key for source in definition.sources}
    for scale in definition.scales:
        assert scale.source in known
        assert scale.confidence in {"high", "medium"}
        for number in numbers(scale):
            assert number.source in known
            assert number.verified is (number.confidence != "unverified")


@every_instrument
def test_a_change_norm_is_no_better_than_its_weaker_number(key):
    trust = ["unverified", "medium", "high"]
    for scale in instrument(key).scales:
        if scale.change_norm is not None:
            pairs = {(norm.sd, norm.confidence) for norm in scale.norms}
            confidence = dict(pairs)[scale.change_norm.sd]
            assert trust.index(scale.change_norm.confidence) <= trust.index(confidence)


@every_instrument
def test_columns_are_named_by_key_and_position(key):
    definition = instrument(key)
    assert key.isidentifier()
    for form in definition.forms:
        names = definition.item_columns(form.key)
        assert names[0] == f"{key}_1"
        assert len(names) == len(definition.items)


@every_instrument
def test_items_shared_with_another_instrument_exist_there(key):
    for item in instrument(key).items:
        if item.same_as:
            other, item_id = item.same_as.split(":")
            assert instrument(other).item(item_id).label == item.label


def test_every_source_is_cited():
    cited = {source.key for key in keys() for source in instrument(key).sources}
    assert set(sources()) - cited == set()


def test_recalled_numbers_are_marked():
    # Recalled and not opened: the tables of the CSI paper, the means of the ECR-R page.
    for key in ("csi4", "csi16", "csi32"):
        assert instrument(key).main_scale.change_norm.confidence == "unverified"
    assert instrument("ecr_r").scale("anxiety").change_norm.confidence == "unverified"
    assert instrument("rses").main_scale.change_norm.verified


def test_the_reverse_keys_are_those_of_the_printed_orders():
    assert positions("rses", "total", "a") == [2, 5, 6, 8, 9]
    assert positions("rses", "total", "b") == [3, 5, 8, 9, 10]
    assert positions("ras", "total", None) == [4, 7]
    assert positions("ecr", "avoidance", None) == [3, 15, 19, 25, 27, 29, 31, 33, 35]
    assert positions("ecr", "anxiety", None) == [22]
    assert positions("ecr_r", "anxiety", "canonical") == [9, 11]
    assert positions("ecr_r", "anxiety", "interleaved") == [2, 22]
    canonical = [20, 22, 26, 27, 28, 29, 30, 31, 33, 34, 35, 36]
    assert positions("ecr_r", "avoidance", "canonical") == canonical
    assert positions("ecr_r", "avoidance", "interleaved") == [3, 5, 11, 15, 17, 19, 25, 27, 29, 31, 33, 35]
    assert positions("ecr_s", "anxiety", None) == [8]
    assert positions("ecr_s", "avoidance", None) == [1, 5, 9]


def positions(key, scale, form):
    definition = instrument(key)
    order = definition.form(form).order
    return sorted(order.index(item) + 1 for item in definition.scale(scale).reverse)


def test_interleaved_is_odd_avoidance_and_even_anxiety():
    definition = instrument("ecr_r")
    order = definition.form("interleaved").order
    assert set(order[0::2]) == set(definition.scale("avoidance").items)
    # Items shared with the 1998 ECR stand where they stood there.
    for place, item_id in enumerate(order, 1):
        shared = definition.item(item_id).same_as
        assert shared in {None, f"ecr:i{place}"}


def test_nothing_is_read_on_import():
    code = "import sys, mbc; print([m for m in ('pydantic', 'polars', 'mbc.instruments') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_lies_in_the_folder_of_its_construct():
    for key in keys():
        folder = files("mbc.instruments") / "catalogue" / instrument(key).construct
        assert (folder / f"{key}.toml").is_file()
