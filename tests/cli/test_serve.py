"""``mbc serve``: what it says when it cannot, and what it keeps secret."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboards.settings import Settings
from dashboards.web.secret_key import secret_key
from mbc.cli.program import program
from mbc.errors import MbcError, SettingsError, StoreNotFound
from mbc.store import Store
from tests.cli.in_process import mbc

pytestmark = pytest.mark.long


def serve(*words: str):
    return CliRunner().invoke(program, ["serve", *words])


def test_a_record_that_is_not_there_is_refused(tmp_path: Path):
    fault = serve("--store", f"sqlite:///{tmp_path / 'none.db'}").exception
    assert isinstance(fault, StoreNotFound)
    assert not (tmp_path / "none.db.secret").exists()


def test_a_busy_port_is_told_with_what_to_do(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    Store.create(url).close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        fault = serve("--store", url, "--port", str(taken.getsockname()[1])).exception
    assert isinstance(fault, SettingsError)
    assert "another program is using it" in str(fault)


def test_a_host_that_is_not_there_is_told(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    Store.create(url).close()
    fault = serve("--store", url, "--host", "203.0.113.7", "--port", "0").exception
    assert isinstance(fault, MbcError)
    assert "Cannot listen on 203.0.113.7" in str(fault)


def test_a_fault_ends_with_a_message_and_status_1(tmp_path: Path):
    answer = mbc("serve", "--store", f"sqlite:///{tmp_path / 'none.db'}")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "none.db" in answer.stderr


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    first, second = secret_key(url), secret_key(url)
    (file,) = tmp_path.iterdir()
    assert first == second
    assert len(first) >= 32
    assert file.name == "clinic.db.secret"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    secret_key(url)
    (tmp_path / "clinic.db.secret").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        secret_key(url)


def test_a_record_on_a_server_needs_a_key_of_the_operators_own():
    with pytest.raises(SettingsError, match="MBC_SECRET_KEY"):
        secret_key("postgresql://clinic")
    assert secret_key("postgresql://clinic", given="g" * 40) == "g" * 40


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"secret_key": "short"}, "has 5 characters"),
        ({"secret_key": "k" * 40, "idle_minutes": 0}, "idle_minutes must be > 0, got 0"),
        ({"secret_key": "k" * 40, "absolute_hours": -1}, "absolute_hours must be > 0, got -1"),
    ],
)
def test_settings_that_protect_nobody_are_refused(about: dict, said: str):
    with pytest.raises(SettingsError, match=said):
        Settings(**about)
