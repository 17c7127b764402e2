"""Everything that is wrong with a definition file is told at once, each fault on its line."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc.instruments.own.check import check
from mbc.instruments.own.lines import lines
from mbc.instruments.shipped import shipped

GOOD = """\
key = "mine"
source = "kroenke2001"
licence = "free"
answers = { range = [0, 3] }
items = [
  { id = "q1", label = "one" },
  { id = "q2", label = "two" },
]
[[scale]]
key = "total"
rule = "sum"
range = [0, 6]
better = "lower"
[[scale.cutoff]]
value = 3
side = ">="
label = "high"
source = "kroenke2001"
confidence = "high"
"""


@pytest.fixture
def faults(tmp_path):
    def found(text):
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        return [(fault.line, fault.text) for fault in check(tmp_path / "mine.toml").faults]

    return found


def test_a_right_file_has_none(faults):
    assert faults(GOOD) == []
    assert faults("\ufeff" + GOOD.replace("\n", "\r\n")) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('key = "mine"', 'key = "My"', 1, "key: is 'My'"),
        ("kroenke2001", "kroenke1999", 2, "source: 'kroenke1999' does not exist"),
        ('"free"', '"fre"', 3, "licence.status: is 'fre'"),
        ("[0, 3]", "[3, 0]", 6, "item 'q1', range"),
        ('"q2"', '"q1"', 7, "item 'q1': occurs twice"),
        ('"two"', '"I feel two."', 7, "never the author's sentence"),
        ('rule = "sum"', 'rule = "sums"', 11, "scale 'total', rule: is 'sums'"),
        ("[0, 6]", "[0, 7]", 12, "scale 'total', range: is [0, 7]"),
        ("[0, 6]", '[0, "x"]', 12, "scale 'total', range[2]: is 'x'"),
        ("[0, 6]", '[0, 6]\nreverse = ["q3"]', 13, "scale 'total', reverse: 'q3' does not exist"),
        ("[0, 6]", '[0, 6]\nmissing = { rule = "prorate", at_most = 2 }', 13, "missing.at_most: is 2"),
        ('better = "lower"', "", 9, "scale 'total', better: absent"),
        ("value = 3", "value = 9", 14, "scale 'total', cutoff 9: is outside"),
        ('">="', '"=>"', 16, "scale 'total', cutoff[1].side: is '=>'"),
        ('"high"\nsource = "kroenke2001"', '"high"\nsource = "me"', 18, "cutoff.source: 'me' does not exist"),
        ("confidence", "confidance", 19, "did you mean 'confidence'?"),
        ("confidence", "confidance", 14, "cutoff[1].confidence: required, but absent"),
    ],
)
def test_a_fault_is_told_on_its_line(old, new, line, message, faults):
    assert any(where == line and message in text for where, text in faults(GOOD.replace(old, new, 1)))


def test_faults_of_form_do_not_hide_the_others(faults):
    text = GOOD.replace("licence", "license").replace("[0, 6]", "[0, 7]").replace("value = 3", 'value = "3"')
    told = faults(text.replace('better = "lower"', 'better = "lower"\nnmae = "x"'))
    assert [line for line, _ in told] == [None, 3, 12, 14, 16]
    assert "license: there is no such key; did you mean 'licence'?" in told[1][1]
    assert "range: is [0, 7]" in told[2][1]


def test_what_cannot_be_looked_at_yet_is_said(tmp_path):
    (tmp_path / "mine.toml").write_text(
        GOOD.replace("[0, 6]", '"0-6"').replace("kroenke", "kroneke"), encoding="utf-8"
    )
    found = check(tmp_path / "mine.toml")
    assert [fault.line for fault in found.faults] == [12]
    assert found.note == "Ranges, bands and sources are checked once this is corrected."


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("key = mine\n", 1, 'Text must be in quotation marks: "text".'),
        ("key = “mine”\n", 1, "Use straight quotation marks"),
        ('x = 1\nkey = "mine\n', 2, "Is a quotation mark missing?"),
        ("a = [1,\n2\nb = 3\n", 3, "Is a bracket or quotation mark left open there or above?"),
        ("sd = 0,85\n", 1, "Write decimals with a point: 0.85."),
        ("safety_channel = True\n", 1, "Write true and false in lower case."),
        ("only words\n", 1, "A line has the form: key = value."),
        ('[scale]\nkey = "a"\n[[scale]]\n', 3, "two brackets: [[scale]]"),
        ('key = "a"\nkey = "b"\n', 2, "Keep one"),
    ],
)
def test_what_is_no_toml_is_told_with_line_and_repair(text, line, message, faults):
    ((where, said),) = faults(text)
    assert where == line
    assert said.startswith("is not valid TOML")
    assert message in said


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b'key = "\xff"')
    for name in ("mine.toml", "none.toml"):
        assert "cannot be read as UTF-8 text" in check(tmp_path / name).faults[0].text


def test_an_empty_file_lacks_what_is_needed(faults):
    assert faults("") == [
        (None, f"{key}: required, but absent. Add it.") for key in ("key", "source", "licence", "scale")
    ]


# Lines: the standard library is the judge of which keys there are


def paths(node, path=()):
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*path, key)
            yield from paths(value, (*path, key))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield (*path, place)
            yield from paths(value, (*path, place))


@pytest.mark.parametrize("key", shipped())
def test_every_key_of_the_catalogue_is_found(key):
    text = shipped()[key].read_text(encoding="utf-8")
    found = lines(text)
    assert set(found) == set(paths(tomllib.loads(text)))
    written = text.splitlines()
    for path, line in found.items():
        if isinstance(path[-1], str):
            assert path[-1] in written[line - 1]


def test_lines_of_what_toml_allows():
    text = (
        'a.b = 1  # a.b\n"x y"."z#" = [ # ] not the end\n  1, "]", { q = """\nmany \\""" lines""", r = [] },\n'
        " ['''it's\n]''', 3], # }\n]\n[t.\"u.v\"]\nk = 'it' # it's\n[[t.m]]\n[[t.m.n]]\n"
        "i = 2024-01-01\n[[t.m]]\n[t.m.n]\n"
    )
    found = lines(text)
    assert set(found) == set(paths(tomllib.loads(text)))
    assert found["x y", "z#", 2, "r"] == 4
    assert found["x y", "z#", 3, 1] == 6
    assert found["t", "u.v", "k"] == 9
    assert found["t", "m", 0, "n", 0, "i"] == 12
    assert found["t", "m", 1, "n"] == 14


@given(st.text(alphabet="[]{}=#,.\n'\"ab1 \\", max_size=60))
def test_any_text_that_is_toml_has_its_lines(text):
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines(text)) == set(paths(data))
