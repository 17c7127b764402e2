"""What must hold for every instrument of the catalogue and any pattern of answers."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mbc
from mbc.instruments import keys

every_instrument = pytest.mark.parametrize("key", keys())
few = settings(max_examples=15, deadline=None)


def answers(key, form=None, coding=None, *, blanks=False):
    """One answer per position, each inside what the coding accepts."""
    definition = mbc.instrument(key)
    spans = [definition.coding(coding).accepted(definition.item(item)) for item in definition.form(form).order]
    each = [st.integers(low, high) for low, high in spans]
    return st.tuples(*(st.none() | one for one in each) if blanks else each)


def scores(key, given_answers, **options):
    columns = mbc.instrument(key).item_columns(options.get("form"))
    frame = pl.DataFrame({name: [one] for name, one in zip(columns, given_answers, strict=True)}, strict=False)
    return mbc.score(frame.cast(pl.Float64), key, **options).row(0, named=True)


def main_scales(key):
    return [(scale, f"{key}_{scale.key}") for scale in mbc.instrument(key).scales]


@every_instrument
def test_reversing_all_answers_mirrors_every_score(key):
    definition = mbc.instrument(key)
    spans = [(one.minimum, one.maximum) for one in definition.items]

    @few
    @given(answers(key))
    def holds(given_answers):
        turned = tuple(low + high - one for (low, high), one in zip(spans, given_answers, strict=True))
        row, mirrored = scores(key, given_answers), scores(key, turned)
        for scale, name in main_scales(key):
            if scale.algorithm is None:
                assert mirrored[name] == pytest.approx(sum(scale.range) - row[name])

    holds()


@every_instrument
def test_a_form_is_only_an_order(key):
    definition = mbc.instrument(key)
    order = definition.form().order

    @few
    @given(answers(key, blanks=True))
    def holds(given_answers):
        by_item = dict(zip(order, given_answers, strict=True))
        row = scores(key, given_answers)
        for form in definition.forms:
            other = scores(key, tuple(by_item[one] for one in form.order), form=form.key)
            assert _without_items(key, other) == _without_items(key, row)

    holds()


def _without_items(key, row):
    return {name: value for name, value in row.items() if not name.removeprefix(f"{key}_").isdigit()}


@every_instrument
def test_a_coding_is_only_a_way_of_writing(key):
    definition = mbc.instrument(key)

    @few
    @given(answers(key))
    def holds(given_answers):
        row = scores(key, given_answers)
        for coding in definition.codings:
            written = []
            for item_id, answer in zip(definition.form().order, given_answers, strict=True):
                sign, constant = coding.affine(definition.item(item_id))
                written.append(sign * (answer - constant))
            other = scores(key, tuple(written), coding=coding.key)
            assert [other[name] for _, name in main_scales(key)] == [row[name] for _, name in main_scales(key)]

    holds()


@every_instrument
def test_prorating_a_complete_record_changes_nothing(key):
    @few
    @given(answers(key))
    def holds(given_answers):
        strict = scores(key, given_answers, missing="strict")
        prorated = scores(key, given_answers, missing="prorate")
        assert {name: prorated[name] for name in strict} == strict
        assert not any(prorated[f"{name}_prorated"] for _, name in main_scales(key))

    holds()


@every_instrument
@pytest.mark.parametrize("missing", ["strict", "prorate"])
def test_no_pattern_of_answers_leaves_the_printed_range(key, missing):
    @few
    @given(answers(key, blanks=True))
    def holds(given_answers):
        row = scores(key, given_answers, missing=missing)
        for scale, name in main_scales(key):
            low, high = scale.range
            assert row[name] is None or low - 1e-9 <= row[name] <= high + 1e-9

    holds()


@every_instrument
def test_the_ends_of_the_printed_range_can_be_reached(key):
    definition = mbc.instrument(key)
    for scale, name in main_scales(key):
        for end, at_top in ((scale.range[0], False), (scale.range[1], True)):
            pattern = tuple(
                one.maximum if at_top != (one.id in scale.reverse) else one.minimum for one in definition.items
            )
            assert scores(key, pattern)[name] == pytest.approx(end)


@every_instrument
def test_a_blank_removes_a_strict_score_and_leaves_the_others(key):
    definition = mbc.instrument(key)

    @few
    @given(answers(key), st.integers(0, len(definition.items) - 1))
    def holds(given_answers, place):
        blank = definition.form().order[place]
        row = scores(key, given_answers, missing="strict")
        pierced = scores(key, (*given_answers[:place], None, *given_answers[place + 1 :]), missing="strict")
        for scale, name in main_scales(key):
            assert pierced[name] == (None if blank in scale.items else row[name])
            assert pierced[f"{name}_answered"] == len(scale.items) - (blank in scale.items)

    holds()
