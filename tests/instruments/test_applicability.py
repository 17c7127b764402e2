"""Satisfaction is asked of a current relationship; everything else of anybody."""

from __future__ import annotations

import pytest

import mbc
from mbc.errors import MbcError
from mbc.instruments import all_keys

NOW = ("dating", "partnered", "cohabiting", "married")
SATISFACTION = ("csi4", "csi16", "csi32", "das", "das7", "ras", "qmi", "kmss", "rdas")
OVER = ("single", "separated", "ended", "widowed")


@pytest.mark.parametrize("key", SATISFACTION)
def test_satisfaction_needs_a_current_relationship(key):
    assert all(mbc.applicable(key, status) for status in NOW)
    assert not any(mbc.applicable(key, status) for status in OVER)


@pytest.mark.parametrize("key", [key for key in all_keys() if key not in SATISFACTION])
def test_the_rest_applies_to_everybody_danger_and_goals_too(key):
    assert all(mbc.applicable(key, status) for status in NOW + OVER)


def test_a_definition_is_taken_as_well_as_a_key():
    assert not mbc.applicable(mbc.instrument("csi16"), "ended")


def test_an_unknown_status_is_told():
    with pytest.raises(MbcError, match=r"got 'maried'\. Did you mean 'married'\?"):
        mbc.applicable("csi16", "maried")


def test_every_instrument_of_satisfaction_says_so():
    for key in all_keys():
        definition = mbc.instrument(key)
        if definition.construct == "relationship_satisfaction":
            assert definition.applicability.needs_relationship


def test_who_must_be_named_and_who_must_work():
    needs = {key: mbc.instrument(key).applicability for key in all_keys()}
    assert {key for key, one in needs.items() if one.needs_target} == {*SATISFACTION, "ecr_rs"}
    assert {key for key, one in needs.items() if one.needs_employment} == {"wsas"}
