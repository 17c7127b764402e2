"""A record of an older mbc: read by nobody and changed by nothing before somebody asks for its upgrade."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import Conflict, SettingsError, StoreOlder
from mbc.store import Client, Store, migrations
from mbc.store.backup import older_record
from mbc.store.backup.restore import examine, restore
from mbc.store.database import addresses
from mbc.store.database import engine as engines
from tests.store.migrations.test_migrations import lay_down

pytestmark = [pytest.mark.usefixtures("real_migrations"), pytest.mark.long]


@pytest.fixture(scope="module")
def laid_down(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a record of revision 0001."""
    folder = tmp_path_factory.mktemp("older")
    lay_down(f"sqlite:///{folder / 'clinic.db'}")
    return folder


@pytest.fixture
def older(laid_down: Path, tmp_path: Path) -> str:
    shutil.copytree(laid_down, tmp_path, dirs_exist_ok=True)
    return f"sqlite:///{tmp_path / 'clinic.db'}"


def content(url: str) -> str:
    return hashlib.sha256(Path(url.removeprefix("sqlite:///")).read_bytes()).hexdigest()


def run(*words: str):
    return CliRunner().invoke(program, [str(word) for word in words])


COMMANDS = (
    ("verify",), ("user", "list"), ("audit",), ("caseload",), ("outcomes",), ("serve", "--port", "0"),
    ("key", "change"), ("export", "OUT"),
)  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_changes_an_older_record(older: str, tmp_path: Path, words: tuple[str, ...]):
    words = tuple(str(tmp_path / "out") if word == "OUT" else word for word in words)
    before = content(older)
    run(*words, "--store", older)
    assert older_record.revision(older) == "0001"
    assert content(older) == before


def test_it_is_refused_with_what_to_do(older: str):
    with pytest.raises(StoreOlder, match=r"revision 0001.*Nothing was changed.*mbc upgrade --store sqlite:///"):
        Store.open(older)


def test_it_is_backed_up_as_it_is(older: str, tmp_path: Path):
    before, made = content(older), tmp_path / "made.mbcbackup"
    answer = run("backup", str(made), "--store", older)
    assert answer.exit_code == 0, answer.output
    assert "at revision 0001" in answer.output
    assert "mbc upgrade" in answer.output
    assert content(older) == before
    examined = examine(made)
    assert examined.manifest.revision == "0001"
    assert examined.report.intact
    restore(made, f"sqlite:///{tmp_path / 'back.db'}")
    with Store.open(f"sqlite:///{tmp_path / 'back.db'}") as back:
        assert back.verify().intact


def test_it_is_verified_as_it_is(older: str):
    before = content(older)
    answer = run("verify", "--store", older)
    assert answer.exit_code == 0, answer.output
    assert "intact" in answer.output
    assert content(older) == before


def test_an_upgrade_copies_first_and_says_what_it_did(older: str, tmp_path: Path):
    answer = run("upgrade", "--store", older)
    assert answer.exit_code == 0, answer.output
    copy = tmp_path / "clinic.db.before-upgrade-0001.mbcbackup"
    assert examine(copy).manifest.revision == "0001"
    assert f"from revision 0001 to {migrations.HEAD}" in answer.output
    for revision in migrations.REVISIONS[1:]:
        assert f"{revision}: {migrations.description(revision)}" in answer.output
    with Store.open(older) as store:
        assert store.verify().intact
        clients = store.clients().height
    again = run("upgrade", "--store", older)
    assert "up to date" in again.output
    restore(copy, f"sqlite:///{tmp_path / 'undone.db'}")
    with Store.open(f"sqlite:///{tmp_path / 'undone.db'}") as undone:
        assert undone.clients().height == clients


def test_an_upgrade_does_not_replace_a_copy(older: str, tmp_path: Path):
    (tmp_path / "copy").write_text("something else")
    with pytest.raises(Conflict, match="--force"):
        older_record.upgrade(older, tmp_path / "copy")
    assert older_record.revision(older) == "0001"


def test_an_upgrade_is_refused_while_the_record_is_in_use(older: str, tmp_path: Path):
    engine = engines.make_engine(addresses.address(older))
    try:
        with engines.reading(engine) as connection:
            connection.exec_driver_sql("SELECT count(*) FROM client").scalar()
            with pytest.raises(Conflict, match="Stop 'mbc serve'"):
                older_record.upgrade(older, tmp_path / "copy")
    finally:
        engine.dispose()
    assert older_record.revision(older) == "0001"


def test_without_a_copy_only_when_it_is_said(older: str, tmp_path: Path):
    assert run("upgrade", "--store", older, "--without-copy").exit_code == 0
    assert not list(tmp_path.glob("*.mbcbackup"))
    assert older_record.revision(older) == migrations.HEAD


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_on_a_server_the_copy_is_made_by_its_own_tools(empty_url: str, tmp_path: Path):
    lay_down(empty_url)
    with pytest.raises(SettingsError, match="pg_dump"):
        older_record.back_up_older(empty_url, tmp_path / "made")
    with pytest.raises(StoreOlder):
        Store.open(empty_url)
    done = older_record.upgrade(empty_url, None)
    assert done is not None
    assert (done.before, done.after) == ("0001", migrations.HEAD)
    with Store.open(empty_url) as store, store.writing(by="ann") as record:
        record.add(Client("C900"))
