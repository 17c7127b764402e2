"""Definition files of one's own join the catalogue, never silently in place of what is built in."""

from __future__ import annotations

import re

import polars as pl
import pytest

from mbc import instruments as package
from mbc.errors import DefinitionError, SettingsError, UnknownInstrument
from mbc.instruments import instrument, instruments, keys, load_file, risk_flags, score
from mbc.instruments.library import origin
from mbc.instruments.own import folders
from mbc.instruments.own.check import check
from mbc.instruments.own.template import replacement, start
from mbc.instruments.shipped import shipped


@pytest.fixture
def folder(tmp_path, monkeypatch):
    made = tmp_path / "own"
    made.mkdir()
    monkeypatch.setenv("MBC_INSTRUMENTS", str(made))
    return made


def put(folder, key, text=None, **options):
    (folder / f"{key}.toml").write_text(text or start(key, **options), encoding="utf-8")


# Joined to the catalogue


def test_a_file_in_the_folder_is_an_instrument_like_any_other(folder):
    put(folder, "loneliness", items=4, answers=(1, 4), name="Our loneliness scale")
    assert instrument("loneliness").name == "Our loneliness scale"
    assert keys()[-1] == "loneliness"
    assert instruments().filter(key="loneliness").row(0)[1:4] == ("Our loneliness scale", "other", 4)
    assert package()["key"].to_list() == instruments()["key"].to_list()
    frame = pl.DataFrame({f"loneliness_{n}": [n] for n in range(1, 5)})
    assert score(frame, "loneliness")["loneliness_total"].to_list() == [10.0]
    assert (origin("loneliness"), origin("rses")) == ("own", "built-in")


def test_its_risk_items_speak_too(folder):
    flag = '[[flag]]\nitem = "q1"\nlabel = "harm"\n'
    put(folder, "danger", start("danger", items=2).replace("[sources.own]", f"{flag}[sources.own]"))
    frame = pl.DataFrame({"danger_1": [1, None], "danger_2": [0, 0]})
    assert risk_flags(frame, "danger")["danger_flag_q1"].to_list() == ["risk", "ask"]


def test_a_file_that_is_added_edited_or_removed_is_noticed(folder):
    with pytest.raises(UnknownInstrument):
        instrument("mine")
    put(folder, "mine", items=3)
    assert len(instrument("mine").items) == 3
    put(folder, "mine", items=12)
    assert len(instrument("mine").items) == 12
    (folder / "mine.toml").unlink()
    assert "mine" not in keys()


def test_several_folders_may_be_named(folder, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    put(folder, "one")
    put(other, "two")
    monkeypatch.setenv("MBC_INSTRUMENTS", f"{folder}{folders.os.pathsep}{other}")
    assert keys()[-2:] == ("one", "two")
    put(other, "one")
    with pytest.raises(DefinitionError, match="'one' is defined twice"):
        keys()


def test_without_a_folder_there_is_the_catalogue_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("MBC_INSTRUMENTS", "")
    assert folders.folders() == ()
    monkeypatch.delenv("MBC_INSTRUMENTS")
    monkeypatch.setattr(folders, "default_folder", lambda: tmp_path / "none")
    assert folders.folders() == ()
    monkeypatch.setattr(folders, "default_folder", lambda: tmp_path)
    put(tmp_path, "mine")
    assert origin("mine") == "own"


def test_a_folder_is_in_force_for_a_while(tmp_path, monkeypatch):
    monkeypatch.delenv("MBC_INSTRUMENTS", raising=False)
    put(tmp_path, "mine")
    with folders.using(tmp_path):
        assert "mine" in keys()
    assert "mine" not in keys()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My scale.toml", "not named after a key"),
        ("other.toml", "in a folder it must be the file's name, 'other'"),
    ],
)
def test_a_file_is_found_by_its_name(name, message, folder):
    (folder / name).write_text(start("mine"), encoding="utf-8")
    with pytest.raises(DefinitionError, match=message):
        instruments()


def test_a_folder_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("MBC_INSTRUMENTS", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match=r"There is no folder .*MBC_INSTRUMENTS"):
        instrument("rses")


def test_a_faulty_file_is_told_with_its_lines_and_does_not_touch_the_others(folder):
    put(folder, "mine", start("mine").replace("range = [0, 15]", "range = [0, 51]"))
    with pytest.raises(DefinitionError, match=r"mine\.toml, line \d+, scale 'total', range: is \[0, 51\]"):
        instrument("mine")
    assert instrument("rses").key == "rses"


# Never in place of a built-in by accident


def test_the_key_of_a_built_in_is_refused(folder):
    put(folder, "rses", re.sub(r"(?m)^replaces.*\n", "", replacement("rses")))
    with pytest.raises(DefinitionError, match="'rses' is a built-in instrument; choose another") as fault:
        instrument("rses")
    assert 'replaces = "rses"' in str(fault.value)
    assert instrument("phq9").key == "phq9"


def test_a_built_in_is_replaced_only_on_purpose_and_marked(folder):
    before = instrument("rses").version
    put(folder, "rses", replacement("rses").replace("Rosenberg Self-Esteem Scale", "Ours"))
    assert instrument("rses").name == "Ours"
    assert instrument("rses").version == f"{before}-own"
    assert keys()[0] == "rses"
    assert keys().count("rses") == 1
    assert origin("rses") == "own, in place of the built-in"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('replaces = "rses"', 'replaces = "phq9"', "is 'phq9', but key is 'rses'"),
        ('replaces = "rses"', 'replaces = "rsse"', "'rsse' is not a built-in instrument. Did you mean"),
        ('-own"', '"', "records must distinguish the two"),
    ],
)
def test_what_replaces_says_so_rightly(old, new, message, tmp_path):
    text = replacement("rses")
    assert old in text
    (tmp_path / "rses.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(message in fault.text for fault in check(tmp_path / "rses.toml").faults)


@pytest.mark.parametrize("key", shipped())
def test_every_built_in_may_be_copied_and_changed(key, tmp_path):
    (tmp_path / f"{key}.toml").write_text(replacement(key), encoding="utf-8")
    found = check(tmp_path / f"{key}.toml", in_folder=True)
    assert found.faults == ()
    assert load_file(tmp_path / f"{key}.toml") == found.instrument


# A start that is right as it stands


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"items": 1},
        {"items": 36, "answers": (1, 7), "rule": "mean"},
        {"answers": (-2, 2)},
        {"name": 'A "B" \\ C'},
    ],
)
def test_a_start_passes_as_it_is_and_with_every_example_taken_in(options, tmp_path):
    text = start("mine", **options)
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    assert check(file, in_folder=True).faults == ()
    file.write_text(re.sub(r"(?m)^#(?=[a-z\[])", "", text), encoding="utf-8")
    found = check(file, in_folder=True)
    assert found.faults == ()
    assert found.instrument.main_scale.change_norm.kind == "alpha"


@pytest.mark.parametrize(
    ("key", "options", "message"),
    [
        ("My scale", {}, "lower-case letters"),
        ("rses", {}, "'rses' is a built-in instrument"),
        ("mine", {"items": 0}, "a questionnaire has 1 to 200"),
        ("mine", {"answers": (3, 0)}, "the lowest must come first"),
    ],
)
def test_a_start_that_could_not_be_used_is_refused(key, options, message):
    with pytest.raises(DefinitionError, match=message):
        start(key, **options)
    with pytest.raises(DefinitionError, match="no built-in instrument 'mine' to replace"):
        replacement("mine")
