"""A table that cannot be written is a sentence, and what was there before stays as it was."""

from __future__ import annotations

import stat

import pytest

from tests.cli.in_process import mbc
from tests.dashboards.record import make_record

WRITING = [
    ("outcomes", "--csv"),
    ("signals", "report", "--csv"),
    pytest.param(("outcomes", "--about"), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('tables') / 'clinic.db'}"
    make_record(address)
    return address


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_a_folder_that_is_not_there_is_named(url, tmp_path, words):
    made = mbc(*words, tmp_path / "none" / "table.csv", "--store", url)
    assert made.returncode == 1
    assert "table.csv' cannot be written: No such file or directory." in made.stderr
    assert "Unexpected error" not in made.stderr


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_an_earlier_table_is_replaced_as_a_whole_and_is_its_owners_alone(url, tmp_path, words):
    table = tmp_path / "table.csv"
    table.write_text("an earlier one" * 1000)
    made = mbc(*words, table, "--store", url)
    assert made.returncode == 0, made.stderr
    assert "an earlier one" not in table.read_text()
    assert stat.S_IMODE(table.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [table]
