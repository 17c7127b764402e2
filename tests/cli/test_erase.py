"""``mbc erase`` as a user calls it."""

from __future__ import annotations

from datetime import date

import pytest
from click.testing import CliRunner

from mbc.cli import verify
from mbc.cli.erase import command
from mbc.errors import Erased, NotInRecord, StoreError
from mbc.exchange import plan_import
from mbc.store import Administration, Client, Store


@pytest.fixture
def url(tmp_path):
    where = f"sqlite:///{tmp_path / 'clinic.db'}"
    with Store.create(where) as store, store.writing(by="test") as record:
        record.add_all([Client("C1", "Wren"), Client("C2", "Lark")])
        record.add(Administration("C1", "rses", date(2026, 1, 5), (1,) * 10))
    return where


def erase(url, *words, typed=None):
    return CliRunner().invoke(command, [*words, "--store", url], input=typed, catch_exceptions=False)


def test_the_identifier_is_asked_for_before_anything_is_erased(url):
    done = erase(url, "C1", "--reason", "request of 2026-05-02", typed="C2\n")
    assert done.exit_code == 1
    assert "Nothing was erased" in done.output
    with Store.open(url) as store:
        assert store.clients().height == 2
    done = erase(url, "C1", "--reason", "request of 2026-05-02", typed="C1\n")
    assert done.exit_code == 0
    assert "Erased. Tombstone erased-" in done.output
    assert "questionnaires 1, answers 10, clients 1" in done.output
    assert "Earlier backups and exports still contain this client" in done.output
    assert "kept next to the record" in done.output
    checked = CliRunner().invoke(verify.command, ["--store", url])
    assert checked.exit_code == 0
    assert "one person erased by operator" in checked.output


def test_a_reason_is_needed_and_must_not_name_the_client(url):
    assert CliRunner().invoke(command, ["C1", "--yes", "--store", url]).exit_code == 2
    with pytest.raises(StoreError, match="names the client"):
        erase(url, "C1", "--yes", "--reason", "Wren asked")


def test_an_unknown_client_and_one_erased_before_are_told_apart(url):
    with pytest.raises(NotInRecord, match="There is no client 'C9' on record"):
        erase(url, "C9", "--yes", "--reason", "a request")
    erase(url, "C1", "--yes", "--reason", "a request")
    with pytest.raises(Erased, match=r"'C1' has already been erased \(erased-.*\)\. Its files were rewritten"):
        erase(url, "C1", "--yes", "--reason", "a request")


def test_an_old_file_does_not_bring_the_client_back(url, tmp_path):
    erase(url, "C1", "--yes", "--reason", "a request")
    items = ",".join(f"rses_{n}" for n in range(1, 11))
    path = tmp_path / "old.csv"
    path.write_text(f"client_id,taken_on,{items}\nC1,2026-02-05,{'1,' * 9}1\nC2,2026-02-05,{'2,' * 9}2\n")
    with Store.open(url) as store:
        planned = plan_import(path, store).administrations
        refused = planned.filter(outcome="refused")
        assert refused["client_id"].to_list() == ["C1"]
        assert "'C1' was erased on" in refused["reason"].item()
