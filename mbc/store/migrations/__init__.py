"""How a record of any released mbc becomes one of today: Alembic, run from inside the package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sqlalchemy import URL, Connection, Engine, func, inspect, select, text

from mbc import __version__
from mbc.distribution import UPGRADE
from mbc.errors import Conflict, SettingsError, StoreError, StoreNewer, StoreNotFound, StoreOlder
from mbc.store.database import addresses, sqlcipher
from mbc.store.database import encryption_keys as keys
from mbc.store.database import engine as engines
from mbc.store.database.encryption_keys import Passphrase
from mbc.store.database.faults import explain_faults, not_made

Older = Literal["upgrade", "refuse", "keep"]
# every released revision, oldest first
REVISIONS: tuple[str, ...] = (
    "0001",
    "0002",
    "0003",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
)
HEAD = REVISIONS[-1]
VERSION_TABLE = "mbc_revision"
_LOCK = 7_265_623_002  # PostgreSQL: two servers started at once upgrade one after the other
_OURS = "entry"


def prepare(
    url: URL,
    *,
    create: bool,
    must_be_new: bool,
    key: Passphrase | None = None,
    raw_key: str | None = None,
    busy_seconds: float = engines.BUSY_SECONDS,
    older: Older = "upgrade",
) -> Engine:
    """Reach a record: make it, or find it, and bring it up to date if that is asked for.

    Parameters
    ----------
    url : URL
        Where it is.
    create, must_be_new : bool
        Whether it is made when there is none, and refused when there is one.
    key, raw_key : Passphrase or str, optional
        Opens an encrypted file; looked for when neither is handed in.
    busy_seconds : float
        How long to wait for another program that is writing.
    older : {"upgrade", "refuse", "keep"}
        What becomes of a record of an older mbc; one that is kept can only be copied.

    Raises
    ------
    StoreNotFound, StoreNewer, StoreOlder, StoreError, Conflict
        If it is absent, newer than this mbc, older and refused, not a record at all, or there although it
        should be new.
    """
    _prepare_file(url, create=create, key=key)
    engine = engines.make_engine(url, key=key, raw_key=raw_key, busy_seconds=busy_seconds)
    try:
        _bring_up_to_date(engine, create=create, must_be_new=must_be_new, older=older)
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to a revision inside the caller's transaction."""
    # takes 0.2 s to import, and only a record of another revision needs it
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def description(revision: str) -> str:
    """Say in one line what a revision brought."""
    from alembic.config import Config  # noqa: PLC0415 - see `upgrade`
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    script = ScriptDirectory.from_config(config).get_revision(revision)
    return (script.module.__doc__ or "").strip().splitlines()[0]


def revision_of(connection: Connection) -> str | None:
    """Read which revision wrote the record; None where there is none yet.

    Raises
    ------
    StoreError
        If the database belongs to another program.
    """
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    if tables:
        where = addresses.display_address(connection.engine.url)
        shown = ", ".join(sorted(tables)[:3])
        raise StoreError(
            f"The database at {where} belongs to another program (it contains {shown}). Choose another address."
        )
    return None


def _prepare_file(url: URL, *, create: bool, key: Passphrase | None) -> None:
    path = addresses.file_of(url)
    if path is None:
        return
    if path.is_dir():
        raise StoreError(f"{path} is a folder. Name the file in it: {url.drivername}:///{path}/clinic.db")
    if create and addresses.is_encrypted(url):
        _make_encrypted(path, key)
    elif create:
        engines.touch_private(path)
    elif not path.exists():
        raise StoreNotFound(_absent(url))


def _make_encrypted(path: Path, key: Passphrase | None) -> None:
    if path.exists():
        if path.stat().st_size:
            return
        path.unlink()  # what a process killed while making a record may leave behind
    if not path.parent.is_dir():
        raise StoreError(f"There is no folder {path.parent}. Create it first.")
    chosen = keys.new(path, key or keys.find(path))
    try:
        sqlcipher.make_file(path, chosen)
    except FileExistsError:
        return
    except OSError as fault:
        raise not_made(path, fault) from None
    keys.keep(path, chosen)


def _bring_up_to_date(engine: Engine, *, create: bool, must_be_new: bool, older: Older) -> None:
    with explain_faults(engine), engine.connect() as connection:
        revision = revision_of(connection)
        _require_utf8(connection)
    shown = addresses.display_address(engine.url)
    if revision is None and not create:
        raise StoreNotFound(_absent(engine.url))
    if revision is not None and revision not in REVISIONS:
        raise StoreNewer(
            f"The record at {shown} was written by a newer mbc (revision {revision}; this is mbc {__version__}, "
            f"which knows up to {HEAD}). Update this one: {UPGRADE}"
        )
    if revision is not None and must_be_new:
        raise Conflict(f"There is already a record at {shown}. Open it, or choose another address.")
    if revision not in (None, HEAD) and older == "refuse":
        raise StoreOlder(
            f"The record at {shown} was written by an older mbc (revision {revision}; this is mbc {__version__}, "
            f"which writes {HEAD}). Nothing was changed. "
            f"Copy and upgrade it: mbc upgrade --store {shown}"
        )
    if revision is None or (revision != HEAD and older == "upgrade"):
        with engines.writing(engine) as connection:
            upgrade(connection)


def _require_utf8(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise SettingsError(
            f"The database keeps texts as {encoding}, which cannot represent every name. Create one with UTF8: "
            "CREATE DATABASE mbc ENCODING 'UTF8' TEMPLATE template0"
        )


def _absent(url: URL) -> str:
    shown, path = addresses.display_address(url), addresses.file_of(url)
    place = "" if path is None or path.is_absolute() else f" (the file {path.absolute()})"
    return f"There is no record at {shown}{place} yet. Create one: mbc init --store {shown}"


__all__ = ["HEAD", "REVISIONS", "VERSION_TABLE", "Older", "description", "prepare", "revision_of", "upgrade"]
