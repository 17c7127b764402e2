"""A definition file that contradicts itself is refused, with file, scale, key, value, what is accepted, repair."""

from __future__ import annotations

import polars as pl
import pytest

from mbc.errors import DefinitionError, UnknownInstrument
from mbc.instruments import instrument, load_file, score
from mbc.instruments.definition.build import build
from mbc.instruments.library import sources

GOOD = """
key = "mine"
name = "My questionnaire"
source = "kroenke2001"
licence = "free"
answers = { range = [0, 3] }
[[scale]]
key = "total"
items = ["q1", "q2"]
rule = "sum"
range = [0, 6]
"""
NUMBER = 'source = "kroenke2001"\nconfidence = "high"\n'


def refusal(text):
    with pytest.raises(DefinitionError) as fault:
        build(text, "mine.toml", sources())
    return str(fault.value)


def test_a_short_file_is_enough(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    mine = load_file(tmp_path / "mine.toml")
    assert [item.id for item in mine.items] == ["q1", "q2"]
    assert (mine.form().key, mine.coding().key) == ("standard", "0-3")
    assert score(pl.DataFrame({"mine_1": [1], "mine_2": [3]}), mine)["mine_total"].to_list() == [4.0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[0, 6]",
            "[0, 27]",
            "mine.toml, scale 'total', range: is [0, 27], but 2 items answered 0-3 can only sum to",
        ),
        ('"sum"', '"mean"', "2 items answered 0-3 can only average to [0, 3]"),
        ('"sum"', '"scaled_sum"\nfactor = 4', "can only sum, times 4, to [0, 24]"),
        (
            '"sum"',
            '"sums"',
            "scale 'total', rule: is 'sums'; it should be 'sum', 'mean', 'scaled_sum', 'scaled_mean', 'alg",
        ),
        ('"sum"', '"scaled_sum"', "scale 'total', factor: is for the rules 'scaled_sum'"),
        ('"sum"', '"algorithm"\nalgorithm = "mean_of_product"', "Did you mean 'mean_of_products'?"),
        ("licence", "license", "license: there is no such key; did you mean 'licence'?"),
        ("[0, 6]", '[0, 6]\nreverse = ["q9"]', "scale 'total', reverse: 'q9' does not exist"),
        ("[0, 6]", '[0, "six"]', "scale 'total', range[2]: is 'six'; it should be a valid number"),
        ("[0, 6]", '[0, 6]\nmissing = { rule = "prorate", atmost = 2 }', "missing.atmost: there is no such key"),
        ("[0, 6]", "[0, 6]\nmissing = { at_most = 1 }", "scale 'total', missing.rule: required, but absent"),
        ("[0, 6]", '[0, 6]\nmissing = { rule = "prorate", at_most = 2 }', "fewer than all 2 items may be blank"),
        ("[0, 6]", '[0, 6]\nbands = [{ from = 1, label = "a" }]', "begin at the bottom of the range, 0"),
        (
            "[0, 6]",
            '[0, 6]\nbands = [{ from = 0, label = "a" }, { from = 0, label = "b" }]',
            "each band must begin above the previous one",
        ),
        ("kroenke2001", "kroenke2002", "source: 'kroenke2002' does not exist. Did you mean 'kroenke2001'?"),
        (
            "[0, 6]",
            f'[0, 6]\nbetter = "lower"\n[[scale.cutoff]]\nvalue = 9\nside = "<"\nlabel = "x"\n{NUMBER}',
            "outside",
        ),
        ("[0, 6]", f'[0, 6]\n[[scale.cutoff]]\nvalue = 3\nside = "<"\nlabel = "x"\n{NUMBER}', "better: absent"),
        (
            "[0, 6]",
            '[0, 6]\n[[scale.cutoff]]\nvalue = 3\nside = "<"\nlabel = "x"\nsource = "kroenke2001"',
            "cutoff[1].confidence: required, but absent",
        ),
        (
            "[0, 6]",
            '[0, 6]\nchange_norm = { norm = "a", reliability = "b" }',
            "change_norm.norm: 'a' does not exist",
        ),
        ("[[scale]]", '[[form]]\nkey = "a"\ntitle = "t"\ndefault = true\norder = ["q1"]\n[[scale]]', "lacks q2"),
        ("[[scale]]", '[[coding]]\nkey = "a"\ntitle = "t"\n[[scale]]', "mark exactly one with default = true"),
        (
            "[[scale]]",
            '[[coding]]\nkey = "a"\ntitle = "t"\ndefault = true\noffset = 1\n[[scale]]',
            "the default coding has neither offset nor flip",
        ),
        ("[[scale]]", '[[flag]]\nitem = "q3"\nlabel = "x"\n[[scale]]', "flag, item: 'q3' does not exist"),
        ("answers = { range = [0, 3] }", "", "item 'q1', range: absent"),
        ("[0, 3]", "[3, 0]", "the lowest answer must come first"),
        ('"free"', '"fre"', "licence.status: is 'fre'; it should be 'free', 'permission' or 'restricted'"),
        ('"sum"', '"scaled_mean"\nfactor = 10', "can only average, times 10, to [0, 30]"),
        ('"sum"', '"procedure"', "scale 'total', procedure: is for the rule 'procedure' only"),
        ('licence = "free"', 'licence = "free"\nprocedures = ["goal_chang"]', "Did you mean 'goal_change'?"),
        (
            "[0, 6]",
            '[0, 6]\nmissing = { rule = "strict", source = "kroenke2001" }',
            "source and confidence go together",
        ),
        ("[[scale]]", '[[flag]]\nlabel = "x"\n[[scale]]', "names one item, or one scale"),
        ("[[scale]]", '[[flag]]\nscale = "sum"\nlabel = "x"\n[[scale]]', "flag, scale: 'sum' does not exist"),
        ("[[scale]]", '[[flag]]\nscale = "total"\nat_least = 7\nlabel = "x"\n[[scale]]', "above 0 and at most 6"),
        (
            "[[scale]]",
            '[[fact]]\ntext = "t"\nsource = "kroenke2002"\nconfidence = "high"\n[[scale]]',
            "fact.source: 'kroenke2002'",
        ),
        ('licence = "free"', 'licence = "free"\nkind = "goals"', "answers: kind 'goals' has none"),
        ('key = "mine"', 'key = "mine', "mine.toml is not valid TOML"),
    ],
)
def test_a_fault_is_told(old, new, message):
    assert message in refusal(GOOD.replace(old, new, 1))


def test_all_faults_are_told_at_once():
    text = refusal(GOOD.replace("kroenke2001", "nobody1900").replace("[0, 6]", "[0, 7]"))
    assert text.startswith("mine.toml has 2 faults:")
    assert "nobody1900" in text
    assert "[0, 7]" in text


@pytest.mark.parametrize("label", ["I feel low.", "how often have you felt low", "a b c d e f g"])
def test_a_label_is_never_the_sentence_of_the_author(label):
    items = f'items = [{{ id = "q1", label = "{label}" }}, {{ id = "q2" }}]\n[[scale]]'
    assert "never the author's sentence" in refusal(GOOD.replace("[[scale]]", items, 1))


def test_a_restricted_file_holds_no_item_text():
    items = 'items = [{ id = "q1", label = "mood" }, { id = "q2" }]\n[[scale]]'
    text = GOOD.replace('"free"', '"restricted"').replace("[[scale]]", items, 1)
    assert "a restricted licence allows no text" in refusal(text)


def test_ranges_may_differ_by_item():
    items = 'items = [{ id = "q1", range = [1, 7] }, { id = "q2", range = [1, 10] }]\n[[scale]]'
    text = GOOD.replace("[[scale]]", items, 1)
    assert "can only sum to [2, 17]" in refusal(text)
    assert build(text.replace("[0, 6]", "[2, 17]"), "mine.toml", sources()).items[1].maximum == 10


def test_a_file_may_bring_its_own_sources():
    text = GOOD.replace("kroenke2001", "me2026") + '\n[sources.me2026]\ncitation = "Me (2026). Notes."\n'
    assert build(text, "mine.toml", sources()).source("me2026").citation == "Me (2026). Notes."


def test_products_of_pairs_are_a_named_rule():
    items = ", ".join(f'{{ id = "q{n}" }}' for n in range(1, 5))
    text = (
        GOOD.replace("[0, 3]", "[1, 6]")
        .replace('items = ["q1", "q2"]', 'reverse = ["q2", "q4"]')
        .replace('"sum"', '"algorithm"\nalgorithm = "mean_of_products"')
        .replace("[0, 6]", "[1, 36]")
        .replace("[[scale]]", f"items = [{items}]\n[[scale]]", 1)
    )
    mine = build(text, "mine.toml", sources())
    frame = pl.DataFrame({"mine_1": [6, 2], "mine_2": [1, 3], "mine_3": [6, 5], "mine_4": [1, 6]})
    # 6 x (7-1), 6 x (7-1) and 2 x (7-3), 5 x (7-6), averaged
    assert score(frame, mine)["mine_total"].to_list() == [36.0, 6.5]


def test_an_item_that_may_not_apply_has_one_code_more_and_only_where_answers_are_summed():
    items = 'items = [{ id = "q1", may_not_apply = true }, { id = "q2" }]\n[[scale]]'
    text = GOOD.replace('items = ["q1", "q2"]\n', "").replace("[[scale]]", items, 1)
    mine = build(text, "mine.toml", sources())
    out = score(pl.DataFrame({"mine_1": [4, 3], "mine_2": [2, 2]}), mine)
    assert out["mine_total"].to_list() == [2.0, 5.0]
    assert out["mine_total_maximum"].to_list() == [3.0, 6.0]
    mean = text.replace('"sum"', '"mean"').replace("[0, 6]", "[0, 3]")
    assert "items that may not apply require rule 'sum'" in refusal(mean)


def test_goals_of_ones_own_need_no_items():
    text = (
        'key = "mine"\nkind = "goals"\nsource = "law_gbo"\nlicence = "free"\n[[scale]]\nkey = "total"\n'
        'rule = "procedure"\nprocedure = "goal_change"\nrange = [0, 10]\n'
    )
    mine = build(text, "mine.toml", sources())
    assert (mine.items, mine.item_columns(), mine.main_scale.procedure) == ((), (), "goal_change")


def test_a_built_in_key_is_never_shadowed(tmp_path):
    (tmp_path / "own.toml").write_text(GOOD.replace("mine", "rses"), encoding="utf-8")
    with pytest.raises(DefinitionError, match="'rses' is a built-in instrument; choose another"):
        load_file(tmp_path / "own.toml")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DefinitionError, match=r"no\.toml cannot be read"):
        load_file(tmp_path / "no.toml")


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(UnknownInstrument, match=r"There is no instrument 'PHQ-9'\. Did you mean 'phq9'"):
        instrument("PHQ-9")
