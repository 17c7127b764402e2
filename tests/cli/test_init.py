"""``mbc init``: an empty record, and what to do next."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mbc.store import Store
from tests.cli.in_process import mbc

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def beside(tmp_path, monkeypatch):
    """Be in an empty folder, with no record named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MBC_STORE", raising=False)


def test_a_record_is_made_beside_you_and_only_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mbc", "init"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Created an empty record at sqlite:///clinic.db" in done.stdout
    assert "mbc import FILE.csv " in done.stdout
    with Store.open(f"sqlite:///{tmp_path}/clinic.db") as store:
        assert store.clients().is_empty()
    again = mbc("init")
    assert again.returncode == 1
    assert "There is already a record at sqlite:///clinic.db" in again.stderr
    assert "Traceback" not in again.stderr


def test_the_address_may_come_from_the_environment_and_is_repeated_in_the_advice(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/other.db"
    monkeypatch.setenv("MBC_STORE", url)
    done = mbc("init")
    assert done.returncode == 0
    assert f"mbc import FILE.csv --store {url}" in done.stdout
    assert (tmp_path / "other.db").exists()


def test_an_address_that_is_none_is_explained(tmp_path):
    for url, says in (
        ("mysql://x/y", "cannot be kept"),
        (f"sqlite:///{tmp_path}/no/x.db", "There is no folder"),
    ):
        done = mbc("init", "--store", url)
        assert done.returncode == 1
        assert says in done.stderr
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
