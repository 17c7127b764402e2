"""Commands killed without warning: what was committed stays, nothing is half-done, running them again completes.

Processes are really killed (SIGKILL), at steps spread over their whole run and at any moment. The longer versions
are marked slow.
"""

from __future__ import annotations

import contextlib
import os
import random
from datetime import date, timedelta

import pytest

from mbc.errors import StoreNotFound
from mbc.store import Administration, Client, Store
from mbc.store.backup import archive
from mbc.store.database import sqlcipher
from tests.store.backup.test_backup_and_restore import contents
from tests.store.conftest import POSTGRES_LATER, STORE_KEY
from tests.store.processes.kill_runner import runner

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are copied, as Unix can"),
    pytest.mark.long,
]
ROWS = 300
OFTEN = pytest.param("often", marks=pytest.mark.slow)
ALL = ("sqlite", POSTGRES_LATER, pytest.param("sqlcipher", marks=pytest.mark.slow))
KILLS = {"seldom": (3, 1), "often": (60, 60)}  # at steps, and at any moment


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """What runs commands and kills them."""
    environment = {**os.environ, "MBC_STORE_KEY": STORE_KEY}
    with runner(tmp_path_factory.mktemp("commands"), **environment) as running:
        yield running


@pytest.fixture
def csv(tmp_path):
    """A file with many questionnaires of several clients."""
    path = tmp_path / "answers.csv"
    lines = ["client_id,date," + ",".join(f"rses_{item}" for item in range(1, 11))]
    for number in range(ROWS):
        day = date(2024, 1, 1) + timedelta(days=number // 10)
        turned = {2, 5, 6, 8, 9}  # these run the other way
        answers = [3 - number % 4 if item in turned else number % 4 for item in range(1, 11)]
        lines.append(f"C{number % 10},{day}," + ",".join(map(str, answers)))
    path.write_text("\n".join(lines) + "\n")
    return path


def moments(commands, often, *arguments, seed=1):
    """Run a command to its end, and give the ways in which to kill it: steps spread over it, and any moment."""
    whole = commands.run(*arguments)
    assert whole.status == 0, whole.said
    steps, moments = KILLS[often]
    chance = random.Random(seed)
    chosen = {round(1 + (whole.steps - 1) * part / max(1, steps - 1)) for part in range(steps)}
    ways = [{"step": step} for step in sorted(chosen)]
    return ways + [{"after": chance.uniform(0.002, 0.25)} for _ in range(moments)]


@pytest.fixture
def another(database, request, tmp_path):
    """An empty record of the same kind, in which to count the steps."""
    if database == "postgres":
        address = request.getfixturevalue("empty_url")
    else:
        address = f"{database}:///{tmp_path}/another.db"
    Store.create(address).close()
    return address


def fill(url, rows, *, name="before"):
    with Store.open(url, create=True) as store, store.writing(by=name) as record:
        record.add(Client("C1"))
        days = (date(2024, 1, 1) + timedelta(days=number) for number in range(rows))
        record.add_all(
            Administration("C1", "rses", day, tuple((number + item) % 4 for item in range(10)))
            for number, day in enumerate(days)
        )


def answers(store):
    return store.answers().drop("administration_id").sort("client_id", "taken_on", "item")


@pytest.mark.parametrize("database", ALL, indirect=True)
@pytest.mark.parametrize("often", ["seldom", OFTEN])
def test_an_import_killed_at_any_moment_is_all_there_or_not_at_all(commands, often, url, another, csv):
    again = ["import", csv, "--store", url]
    ways = moments(commands, often, "import", csv, "--store", another)
    with Store.open(another) as store:
        expected = answers(store)
        assert expected.height == 10 * ROWS
    killed, seen = 0, set()
    for way in ways:
        killed += commands.run(*again, **way).killed
        with Store.open(url) as store:
            held = (store.clients().height, store.administrations().height, store.answers().height)
            assert held in {(0, 0, 0), (10, ROWS, 10 * ROWS)}, way
            assert store.verify().intact, way
            seen.add(held[0])
    assert killed >= len(ways) / 3
    done = commands.run(*again)
    assert done.status == 0, done.said
    assert ("0 stored" in done.said) == (10 in seen)
    with Store.open(url) as store:
        assert answers(store).equals(expected)
        assert store.verify().intact
    assert "0 stored" in commands.run(*again).said


@pytest.mark.parametrize("database", ALL, indirect=True)
def test_programs_that_import_at_once_lose_and_double_nothing(commands, url, database, csv):
    """Two by two at an SQLite file, eight by eight at a server: files of their own, and the same."""
    many = 8 if database == "postgres" else 2
    header, *lines = csv.read_text().splitlines()
    orders = []
    for number in range(many):
        own = csv.with_name(f"own{number}.csv")
        own.write_text("\n".join([header, *(f"own{number}-{line}" for line in lines[:40])]) + "\n")
        orders += [["import", own, "--store", url], ["import", csv, "--store", url]]
    ended = commands.run_together(*orders)
    assert [(each.status, each.said) for each in ended if each.status not in {0, 1}] == []
    for (
        each
    ) in ended:  # whoever came second with a new client was told to try again, and nothing of theirs is there
        assert each.status == 0 or "Nothing was stored; run it again" in each.said, each.said
    again = [order for order, each in zip(orders, ended, strict=True) if each.status]
    assert all(commands.run(*order).status == 0 for order in again)
    with Store.open(url) as store:
        assert store.clients().height == 10 * (1 + many)
        assert store.administrations().height == ROWS + 40 * many
        assert store.answers().height == 10 * (ROWS + 40 * many)
        assert store.verify().intact


@pytest.mark.parametrize("database", ALL, indirect=True)
@pytest.mark.parametrize("often", ["seldom", OFTEN])
def test_a_backup_killed_at_any_moment_is_whole_or_not_there(commands, often, url, tmp_path):
    fill(url, 60)
    (tmp_path / "copies").mkdir()
    target = tmp_path / "copies" / "b.mbcbackup"
    again = ["backup", target, "--store", url]
    ways = moments(commands, often, "backup", tmp_path / "first.mbcbackup", "--store", url)
    there = 0
    for way in ways:
        commands.run(*again, **way)
        if target.exists():
            archive.check(target, archive.no_progress)
            there += 1
            target.unlink()
        with Store.open(url) as store:
            assert store.administrations().height == 60
            assert store.verify().intact
    assert there < len(ways)
    done = commands.run(*again)
    assert done.status == 0, done.said
    assert [path.name for path in target.parent.iterdir()] == ["b.mbcbackup"]  # what was left behind is gone


@pytest.mark.slow  # the next test asks the same of a file, each time from the same beginning
@pytest.mark.parametrize("database", ALL, indirect=True)
@pytest.mark.parametrize("often", ["seldom", OFTEN])
def test_a_restore_killed_at_any_moment_leaves_the_old_record_or_the_new_one(commands, often, url, tmp_path):
    fill(f"sqlite:///{tmp_path}/new.db", 60, name="after")
    with Store.open(f"sqlite:///{tmp_path}/new.db") as store:
        store.backup(tmp_path / "b")
    fill(url, 5)
    again = ["restore", tmp_path / "b", "--to", url, "--force"]
    ways = moments(commands, often, *again)
    for way in ways:
        commands.run(*again, **way)
        with Store.open(url) as store:
            assert store.administrations().height in {5, 60}, way
            assert store.verify().intact, way
            if store.administrations().height == 60:  # begin with the old one again
                for line in ("restore", "write"):
                    assert line in store.audit.entries()["action"].to_list()
    done = commands.run(*again)
    assert done.status == 0, done.said
    with Store.open(url) as store:
        assert store.administrations().height == 60
    assert not list(tmp_path.glob(".clinic.db.unfinished-*"))


@pytest.mark.parametrize("often", ["seldom", OFTEN])
def test_an_old_record_stays_until_a_restore_is_complete(commands, often, tmp_path):
    """Each time from the same beginning: the name stands for the old record, whole, or the new one, whole."""
    fill(f"sqlite:///{tmp_path}/new.db", 60, name="after")
    with Store.open(f"sqlite:///{tmp_path}/new.db") as store:
        store.backup(tmp_path / "b")
    (tmp_path / "at").mkdir()
    path = tmp_path / "at" / "clinic.db"
    url = f"sqlite:///{path}"
    fill(url, 5)
    old = path.read_bytes()
    again = ["restore", tmp_path / "b", "--to", url, "--force"]
    seen = set()
    for way in moments(commands, often, *again):
        for left in path.parent.iterdir():
            if left.is_file():
                left.unlink()
        path.write_bytes(old)
        commands.run(*again, **way)
        with Store.open(url) as store:
            seen.add(store.administrations().height)
            assert store.verify().intact, way
    assert seen == {5, 60}


@pytest.mark.parametrize("often", ["seldom", OFTEN])
def test_an_encryption_killed_at_any_moment_leaves_one_record_plain_or_encrypted(commands, often, tmp_path):
    fill(f"sqlite:///{tmp_path}/clinic.db", 30)
    path = tmp_path / "at" / "clinic.db"
    path.parent.mkdir()
    plain = (tmp_path / "clinic.db").read_bytes()
    path.write_bytes(plain)
    with Store.open(f"sqlite:///{path}") as store:
        expected = contents(store)["answer"]
    again = ["encrypt", "--store", f"sqlite:///{path}"]
    seen = set()
    for way in moments(commands, often, *again):
        for left in path.parent.iterdir():
            if left.is_file():
                left.unlink()
        path.write_bytes(plain)
        commands.run(*again, **way)
        kind = "sqlite" if sqlcipher.is_plain(path) else "sqlcipher"
        with Store.open(f"{kind}:///{path}") as store:
            assert contents(store)["answer"] == expected
            assert store.verify().intact
        seen.add(kind)
    assert seen == {"sqlite", "sqlcipher"}


def test_an_encryption_stopped_before_the_plain_file_was_gone_is_finished_by_the_next(commands, tmp_path):
    path = tmp_path / "clinic.db"
    url = f"sqlite:///{path}"
    fill(url, 5)
    again = ["encrypt", "--remove-plain", "--store", url]
    whole = path.read_bytes()
    removals = commands.run(*again).removals
    for left in tmp_path.glob("clinic.db*"):
        left.unlink()
    path.write_bytes(whole)
    assert commands.run(*again, step=removals["clinic.db.to-be-removed"]).killed
    assert list(tmp_path.glob("clinic.db.to-be-removed-*")), "the plain file is never set aside"
    assert not sqlcipher.is_plain(path)
    ended = commands.run(*again)
    assert ended.status == 1
    assert "The plain file that it left behind has now been overwritten and removed" in ended.said
    assert [left.name for left in tmp_path.glob("clinic.db*")] == ["clinic.db"]
    with Store.open(f"sqlcipher:///{path}") as store:
        assert store.administrations().height == 5


@pytest.mark.parametrize("often", ["seldom", OFTEN])
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("sqlcipher", marks=pytest.mark.slow)])
def test_making_a_record_killed_at_any_moment_leaves_none_or_a_whole_one(commands, often, kind, tmp_path):
    ways = moments(commands, often, "init", "--store", f"{kind}:///{tmp_path}/first.db")
    for number, way in enumerate(ways):
        url = f"{kind}:///{tmp_path}/{number}.db"
        commands.run("init", "--store", url, **way)
        with contextlib.suppress(StoreNotFound):  # any other fault would be a half-made record
            Store.open(url).close()
        with Store.open(url, create=True) as store:
            assert store.clients().is_empty()
            assert store.verify().intact


def test_a_kill_is_really_one(commands, tmp_path):
    """What the others rest on: a command that is killed has not ended by itself."""
    url = f"sqlite:///{tmp_path}/clinic.db"
    whole = commands.run("init", "--store", url)
    assert (whole.killed, whole.status) == (False, 0)
    assert whole.steps > 20
    assert "Created an empty record" in whole.said
    ended = commands.run("init", "--store", f"sqlite:///{tmp_path}/other.db", step=5)
    assert (ended.killed, ended.status, ended.said) == (True, None, "")
    with pytest.raises(StoreNotFound):
        Store.open(f"sqlite:///{tmp_path}/other.db")
