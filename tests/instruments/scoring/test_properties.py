"""What must hold for every instrument of the catalogue and any pattern of answers."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mbc
from mbc.instruments import Form, keys

pytestmark = pytest.mark.long

every_instrument = pytest.mark.parametrize("key", keys())


def _rules(key):
    """What scoring does for an instrument, whatever its items are."""
    definition = mbc.instrument(key)
    scales = frozenset((scale.rule, scale.missing.rule, bool(scale.reverse)) for scale in definition.scales)
    not_applicable = any(
        coding.not_applicable(item) is not None for coding in definition.codings for item in definition.items
    )
    return scales, len(definition.forms) > 1, not_applicable


ONE_OF_EACH = {_rules(key): key for key in reversed(keys())}.values()
# what holds for the rules of scoring, not for the items: make test asks one instrument of each kind of rules
every_rule = pytest.mark.parametrize(
    "key", [pytest.param(key, marks=() if key in ONE_OF_EACH else pytest.mark.slow) for key in keys()]
)
few = settings(
    max_examples=max(2, settings.default.max_examples // 20), deadline=None
)  # of up to thirty rows each


def sheets(key, *, blanks=False):
    """Draw rows of answers in the default form and coding, each inside what is accepted."""
    each = [st.integers(item.minimum, item.maximum) for item in mbc.instrument(key).items]
    row = st.tuples(*(st.none() | one for one in each) if blanks else each)
    return st.lists(row, min_size=1, max_size=30)


def scores(instrument, rows, **options):
    """Give the score columns, one dict per row; of a key, or of a definition."""
    definition = mbc.instrument(instrument) if isinstance(instrument, str) else instrument
    columns = definition.item_columns(options.get("form"))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.Float64), orient="row")
    return mbc.score(frame, definition, **options).drop(columns).rows(named=True)


def named_scales(key):
    return [(scale, f"{key}_{scale.key}") for scale in mbc.instrument(key).scales]


@every_instrument
def test_reversing_all_answers_mirrors_every_score(key):
    spans = [(one.minimum, one.maximum) for one in mbc.instrument(key).items]

    @few
    @given(sheets(key))
    def holds(rows):
        turned = [tuple(low + high - one for (low, high), one in zip(spans, row, strict=True)) for row in rows]
        for one, mirrored in zip(scores(key, rows), scores(key, turned), strict=True):
            for scale, name in named_scales(key):
                if scale.algorithm is None:
                    assert mirrored[name] == pytest.approx(sum(scale.range) - one[name])

    holds()


@every_rule
def test_a_form_is_only_an_order(key):
    """Every printed form, and one in any other order, with the map between them."""
    definition = mbc.instrument(key)
    default = definition.form().order

    @few
    @given(sheets(key, blanks=True), st.permutations(default))
    def holds(rows, shuffled):
        extra = Form("shuffled", "any other order", tuple(shuffled), default=False)
        widened = dataclasses.replace(definition, forms=(*definition.forms, extra))
        plain = scores(key, rows)
        for form in widened.forms:
            if not form.default:
                place = [default.index(item) for item in form.order]
                moved = [tuple(row[i] for i in place) for row in rows]
                assert scores(widened, moved, form=form.key) == plain

    holds()


def ways_of_writing(key):
    """The codings whose scores are on the instrument's own metric."""
    return [coding for coding in mbc.instrument(key).codings if not coding.metric]


@pytest.mark.parametrize("key", [key for key in keys() if len(ways_of_writing(key)) > 1])
def test_a_coding_is_only_a_way_of_writing(key):
    definition = mbc.instrument(key)

    @few
    @given(sheets(key))
    def holds(rows):
        plain = scores(key, rows)
        for coding in ways_of_writing(key):
            ways = [coding.affine(item) for item in definition.items]
            written = [
                tuple(sign * (one - constant) for (sign, constant), one in zip(ways, row, strict=True))
                for row in rows
            ]
            assert scores(key, written, coding=coding.key) == plain

    holds()


@every_rule
def test_prorating_a_complete_record_changes_nothing(key):
    @few
    @given(sheets(key))
    def holds(rows):
        for strict, prorated in zip(
            scores(key, rows, missing="strict"), scores(key, rows, missing="prorate"), strict=True
        ):
            assert {name: prorated[name] for name in strict} == strict
            assert not any(prorated[f"{name}_prorated"] for _, name in named_scales(key))

    holds()


@every_rule
@pytest.mark.parametrize("missing", ["prorate", pytest.param("strict", marks=pytest.mark.slow)])
def test_no_pattern_of_answers_leaves_the_printed_range(key, missing):
    @few
    @given(sheets(key, blanks=True))
    def holds(rows):
        for one in scores(key, rows, missing=missing):
            for scale, name in named_scales(key):
                low, high = scale.range
                assert one[name] is None or low - 1e-9 <= one[name] <= high + 1e-9

    holds()


@every_instrument
def test_the_ends_of_the_printed_range_can_be_reached(key):
    definition = mbc.instrument(key)
    for scale, name in named_scales(key):
        best = tuple(item.minimum if item.id in scale.reverse else item.maximum for item in definition.items)
        least = tuple(item.maximum if item.id in scale.reverse else item.minimum for item in definition.items)
        assert [one[name] for one in scores(key, [least, best])] == pytest.approx(list(scale.range))


@every_rule
def test_a_blank_removes_a_strict_score_and_leaves_the_others(key):
    definition = mbc.instrument(key)

    @few
    @given(sheets(key), st.integers(0, len(definition.items) - 1))
    def holds(rows, place):
        blank = definition.items[place].id
        pierced = [(*row[:place], None, *row[place + 1 :]) for row in rows]
        for one, without in zip(
            scores(key, rows, missing="strict"), scores(key, pierced, missing="strict"), strict=True
        ):
            for scale, name in named_scales(key):
                inside = blank in scale.items
                assert without[name] == (None if inside else one[name])
                assert without[f"{name}_answered"] == len(scale.items) - inside

    holds()


@every_rule
def test_a_score_is_there_exactly_when_enough_is_answered(key):
    @few
    @given(sheets(key, blanks=True))
    def holds(rows):
        for one in scores(key, rows, missing="prorate"):
            for scale, name in named_scales(key):
                answered = one[f"{name}_answered"]
                assert (one[name] is not None) is (answered >= scale.missing.at_least)
                assert one[f"{name}_prorated"] is (scale.missing.at_least <= answered < len(scale.items))

    holds()
