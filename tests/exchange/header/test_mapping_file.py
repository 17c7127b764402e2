from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc.errors import SettingsError
from mbc.exchange import ImportOptions
from mbc.exchange.header.mapping_file import read_mapping, write_mapping

TEXTS = st.text(min_size=1, max_size=12).filter(lambda text: "\ud800" not in text)


@given(
    header=TEXTS, words=st.dictionaries(TEXTS, st.integers(-9, 9), max_size=3), blank=st.lists(TEXTS, max_size=2)
)
def test_what_is_written_is_read_back(tmp_path_factory, header, words, blank):
    path = tmp_path_factory.mktemp("m") / "a.toml"
    said = {
        "columns": {"client_id": header, "rses_taken_on": "Tag"},
        "patterns": {"rses": "Q{n}"},
        "values": {"rses": words} if words else {},
        "blank": tuple(blank),
    }
    write_mapping(path, said)
    read = read_mapping(path)
    assert read == {name: value for name, value in said.items() if value}
    ImportOptions(**read)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns = 3", "columns: Input should be a valid dictionary"),
        ("colums = {}", "colums: Extra inputs are not permitted"),
        ("[columns]\nclent_id = 'x'", "Did you mean client_id"),
        ("a = [", "is not valid TOML"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(tmp_path, text, words):
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words):
        read_mapping(path)


def test_a_mapping_is_never_written_over_another_unasked(tmp_path):
    path = tmp_path / "a.toml"
    write_mapping(path, {"columns": {"client_id": "A"}})
    with pytest.raises(SettingsError, match="already exists"):
        write_mapping(path, {"columns": {"client_id": "B"}})
    write_mapping(path, {"columns": {"client_id": "B"}}, force=True)
    assert read_mapping(path) == {"columns": {"client_id": "B"}}
    assert path.stat().st_mode & 0o077 == 0
