"""Every shipped instrument is complete: provenance, licence, labels of our own, sources that are used."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib.resources import files

import pytest

import mbc
from mbc.instruments import CONSTRUCTS, all_keys, instrument, keys
from mbc.instruments.library import sources

every_instrument = pytest.mark.parametrize("key", all_keys())


def numbers(scale):
    return (*scale.bands, *scale.cutoffs, *scale.norms, *scale.reliabilities, *scale.changes)


def test_the_table_lists_what_there_is():
    table = mbc.instruments()
    assert table.columns == ["key", "name", "construct", "items", "scales", "licence"]
    assert set(table["construct"]) <= set(CONSTRUCTS)
    assert table.filter(key="ecr_r")["scales"].to_list() == ["anxiety, avoidance"]
    assert table.filter(key="csi16")["items"].to_list() == [16]
    with pytest.raises(mbc.MbcError, match=r"call mbc\.instrument\('phq9'\)"):
        mbc.instruments("phq9")


PROMISED = """
rses sses scs_sf csi32 csi16 csi4 ras qmi kmss das das7 rdas ecr ecr_r ecr_s ecr12 ecr_rs raas a_rsq
phq9 gad7 who5 k6 k10 core10 wsas ors wai_sr srs hits e_hits hark gbo gas checkin
"""
ONE_SCALE = """
rses scs_sf csi4 csi16 csi32 qmi kmss a_rsq phq9 gad7 who5 k6 k10 core10 wsas hits e_hits hark gbo gas
das7 ors srs checkin
"""


def test_every_promised_instrument_is_there_and_no_other():
    assert sorted(all_keys()) == sorted(PROMISED.split())
    assert set(all_keys()) - set(keys()) == {"gas", "gbo"}  # a person's own goals: no items to answer


@pytest.mark.parametrize(
    ("key", "scales"),
    [
        ("sses", "total performance social appearance"),
        ("das", "total consensus satisfaction cohesion affection"),
        ("rdas", "total consensus satisfaction cohesion"),
        ("raas", "anxiety close depend"),
        ("wai_sr", "total task bond goal total_sum"),
        ("ecr_s", "anxiety avoidance anxiety_sum avoidance_sum"),
        ("ras", "total sum"),
        *((key, "anxiety avoidance") for key in ("ecr", "ecr_r", "ecr12", "ecr_rs")),
        *((key, "total") for key in ONE_SCALE.split()),
    ],
)
def test_the_scales_carry_the_promised_names_the_main_one_first(key, scales):
    assert [scale.key for scale in instrument(key).scales] == scales.split()


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
        recalled = any("is recalled" in dispute for dispute in definition.disputes)
        assert scale.confidence in {"high", "medium"} or (recalled and scale.confidence == "unverified")
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
        assert names == tuple(f"{key}_{n}" for n in range(1, len(definition.items) + 1))


@every_instrument
def test_items_shared_with_another_instrument_exist_there(key):
    for item in instrument(key).items:
        if item.same_as:
            other, item_id = item.same_as.split(":")
            assert instrument(other).item(item_id).label == item.label


def test_every_source_is_cited():
    cited = {source.key for key in all_keys() for source in instrument(key).sources}
    assert set(sources()) - cited == set()


def test_recalled_numbers_are_marked():
    # Recalled and not opened: the tables of the CSI paper, the coefficients of the ECR-S, the GBO's change.
    for key in ("csi4", "csi16", "csi32"):
        assert instrument(key).main_scale.change_norm.confidence == "unverified"
    assert not instrument("gbo").main_scale.change.verified
    assert all(
        not one.verified for one in instrument("ecr_s").scale("anxiety").reliabilities if one.kind == "retest"
    )
    assert instrument("rses").main_scale.change_norm.verified


@pytest.mark.parametrize("key", ["ecr", "ecr_r", "ecr_s", "ecr12", "ecr_rs", "raas", "ras", "k10"])
def test_where_no_source_gives_spread_and_reliability_there_is_no_noise_figure_and_the_file_says_so(key):
    definition = instrument(key)
    assert all(scale.change_norm is None and scale.change is None for scale in definition.scales)
    assert any("tells change from noise" in one or "tell change from noise" in one for one in definition.disputes)


@pytest.mark.parametrize(
    ("key", "points", "confidence"),
    [
        # SD 3.61, alpha .70 (n = 685): the lower of two reliabilities, the larger band
        ("a_rsq", 5.48, "high"),
        ("core10", 6.75, "high"),  # SD 7.7, alpha .90 at 95 %; the published 6 is of 90 %
        ("qmi", 5.32, "medium"),  # SD 6.87, alpha .922, infertile patients
        ("rses", 5.61, "medium"),
    ],
)
def test_what_reliable_change_rests_on(key, points, confidence):
    norm = instrument(key).main_scale.change_norm
    assert 1.96 * norm.sd * (2 * (1 - norm.reliability)) ** 0.5 == pytest.approx(points, abs=0.01)
    assert norm.confidence == confidence


@pytest.mark.parametrize(
    ("key", "points", "z"),
    [("phq9", 6, None), ("gad7", 5.59, 1.96), ("rdas", 11.58, 1.96), ("core10", 6, 1.645)],
)
def test_published_reliable_changes_are_verified_and_carry_their_confidence(key, points, z):
    change = instrument(key).main_scale.change
    assert (change.points, change.kind, change.z, change.verified) == (points, "reliable", z, True)


def test_the_smaller_change_of_the_gad7_stands_beside_the_larger_with_the_dispute():
    gad7 = instrument("gad7")
    talking = [one for one in gad7.main_scale.changes if one.source == "talking_therapies"]
    assert [(one.points, one.default) for one in talking] == [(4, False)]
    assert any("5.59" in one and "4 points" in one for one in gad7.disputes)


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
    assert positions("sses", "total", None) == [2, 4, 5, 7, 8, 10, 13, 15, 16, 17, 18, 19, 20]
    assert positions("scs_sf", "total", None) == [1, 4, 8, 9, 11, 12]
    assert positions("ecr12", "avoidance", None) == [6, 9, 10, 11, 12]
    assert positions("ecr12", "anxiety", None) == []
    assert positions("ecr_rs", "avoidance", None) == [1, 2, 3, 4]
    assert positions("raas", "close", None) == [8, 13, 17]
    assert positions("raas", "depend", None) == [2, 7, 16, 18]
    assert positions("core10", "total", None) == [2, 3]
    for key in ("csi4", "csi16", "csi32", "qmi", "kmss", "rdas", "wai_sr", "k6", "k10", "wsas", "hits"):
        assert all(scale.reverse == () for scale in instrument(key).scales)


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
    for key in all_keys():
        folder = files("mbc.instruments") / "catalogue" / instrument(key).construct
        assert (folder / f"{key}.toml").is_file()
