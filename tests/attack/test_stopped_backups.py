"""A backup is killed, the disk is full or read-only, lines are cut off: nothing is left, nothing is missed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import SettingsError
from mbc.store import Client, Store
from mbc.store.backup import emergency
from mbc.store.backup.restore import restore
from tests.store.backup.test_full_disk import disk, fill_up

pytestmark = pytest.mark.long

KILLED = """
import os, signal, sys
from mbc.store.backup import create
create.back_up.__globals__["_manifest"] = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from mbc.cli.program import main
sys.argv = ["mbc", "backup", sys.argv[1], "--store", sys.argv[2]]
main()
"""


@pytest.fixture
def url(tmp_path) -> str:
    address = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(address) as store, store.writing(by="desk") as record:
        record.add(Client("C1"))
    return address


class Done:
    """What a command printed, and the status with which it ended."""

    def __init__(self, *words: str) -> None:
        result = CliRunner().invoke(program, [*words], standalone_mode=False)
        self.output, self.exception = result.output, result.exception
        self.exit_code = result.return_value if isinstance(result.return_value, int) else result.exit_code


def run(*words: str) -> Done:
    return Done(*words)


@pytest.mark.skipif(os.name != "posix", reason="processes are killed and folders held the POSIX way")
def test_a_killed_backup_is_named_and_swept_by_the_next(url, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    done = subprocess.run([sys.executable, "-c", KILLED, str(stick), url], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    (left,) = stick.iterdir()
    assert (left / "record.db").stat().st_size > 0  # a complete copy of the record
    listed = run("backup", str(stick), "--list")
    assert listed.exit_code == 1
    assert left.name in listed.output
    assert "left by an interrupted backup" in listed.output
    (stick / ".other-20260101T000000Z.mbcbackup.unfinished-abcd1234").mkdir()  # of another record: left alone
    (stick / "clinic.unfinished-notes").mkdir()  # somebody's own
    assert run("backup", str(stick), "--keep", "1", "--store", url).exit_code == 0
    names = {path.name for path in stick.iterdir()}
    assert left.name not in names
    assert len(names) == 3


@pytest.mark.parametrize("harm", ["full", "read-only"])
def test_a_record_on_a_full_or_read_only_disk_is_backed_up_and_verified(tmp_path, harm):
    place = tmp_path / "disk"
    disk(place, 4000)
    url = f"sqlite:///{place}/clinic.db"
    try:
        with Store.create(url) as store, store.writing(by="desk") as record:
            record.add(Client("C1"))
        other = sqlite3.connect(place / "clinic.db")  # keeps the log: what came last is in it alone
        other.execute("SELECT 1 FROM client").fetchall()
        with Store.open(url) as store, store.writing(by="desk") as record:
            record.add(Client("C2"))
        files = (place / "clinic.db", place / "clinic.db-wal")  # an old SQLite library is given no log
        kept = {path: path.read_bytes() for path in files if path.exists()}
        other.close()
        for path, content in kept.items():  # as after a power cut: the log has what the file has not
            path.write_bytes(content)
        if harm == "full":
            fill_up(place)
        else:
            options = ["mount", "-o", "remount,ro", str(place)]
            if subprocess.run(options, check=False, capture_output=True).returncode:
                pytest.skip("the small disk cannot be made read-only here")
        done = run("backup", str(tmp_path / "b.mbcbackup"), "--store", url)
        assert done.exit_code == 0, done.output
        assert "full or read-only" in done.output
        verified = run("verify", "--store", url)
        assert verified.exit_code == 0, verified.output
        assert ": intact" in verified.output
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    restore(tmp_path / "b.mbcbackup", f"sqlite:///{tmp_path}/back.db")
    with Store.open(f"sqlite:///{tmp_path}/back.db") as back:
        assert back.clients()["client_id"].to_list() == ["C1", "C2"]
        assert back.verify().faults == ()
    assert not [path for path in tmp_path.iterdir() if "unfinished" in path.name]


def test_the_copy_of_an_encrypted_record_is_encrypted_too(tmp_path, monkeypatch):
    pytest.importorskip("sqlcipher3")
    url = f"sqlcipher:///{tmp_path}/clinic.db"
    Store.create(url).close()
    monkeypatch.setattr(emergency, "cannot_be_written", lambda _: True)
    assert run("backup", str(tmp_path / "b.mbcbackup"), "--store", url).exit_code == 0
    assert b"CREATE TABLE" not in (tmp_path / "b.mbcbackup").read_bytes()


def test_a_head_kept_elsewhere_shows_that_lines_were_cut_off(url, tmp_path):
    anchor = tmp_path / "heads.txt"
    first = run("verify", "--head-to", str(anchor), "--store", url)
    assert first.exit_code == 0, first.output
    with Store.open(url) as store:
        store.audit.record("export", file="everything.csv")
    assert run("verify", "--head-to", str(anchor), "--store", url).exit_code == 0
    noted = anchor.read_text().splitlines()
    assert len(noted) == 2
    connection = sqlite3.connect(tmp_path / "clinic.db")
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DELETE FROM audit WHERE action = 'export'")  # the line, and whoever cuts knows mbc well
    for _, made_by in triggers:
        connection.execute(made_by)
    connection.commit()
    connection.close()
    assert run("verify", "--store", url).exit_code == 0  # the chain alone cannot know
    cut = run("verify", "--head-to", str(anchor), "--store", url)
    assert cut.exit_code == 1
    assert "have been removed or rewritten" in cut.output
    assert anchor.read_text().splitlines() == noted  # a head that is in doubt is not noted


def test_an_anchor_that_is_something_else_is_left_alone(url, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear colleague\n")
    done = run("verify", "--head-to", str(tmp_path / "letter.txt"), "--store", url)
    assert isinstance(done.exception, SettingsError)
    assert (tmp_path / "letter.txt").read_text() == "Dear colleague\n"
    assert isinstance(
        run("verify", "--head-to", str(Path("/nowhere/heads.txt")), "--store", url).exception, SettingsError
    )
