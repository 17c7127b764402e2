"""A PostgreSQL server of the tests' own: a private folder, no network, never as root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "mbc"
SETTINGS = (
    "listen_addresses=",  # a socket only
    "fsync=off", "autovacuum=off", "synchronous_commit=off", "full_page_writes=off",  # nothing is to last
    "wal_level=minimal", "max_wal_senders=0",
    "jit=off",  # compiling takes longer than these small queries
)  # fmt: skip


def programs() -> Path | None:
    """Find the folder with initdb and postgres: the newest that the system has."""
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    for folder in reversed(system):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found and shutil.which("postgres") else None


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Run a server until the block ends; yields the folder of its socket."""
    home = Path(tempfile.mkdtemp(prefix="mbc-pg-"))
    who = _somebody_else() if os.geteuid() == 0 else None
    try:
        if who is not None:
            os.chown(home, who.pw_uid, who.pw_gid)
        _start(
            [folder / "initdb", "-D", home / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"],
            who,
            home,
        )
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        server = subprocess.Popen(
            [folder / "postgres", "-D", home / "data", "-k", home, *settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=home,
            **_as(who),
        )
        try:
            _wait_for(server, home)
            yield home
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nothing here is to be kept
            server.wait(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def url(socket: Path, database: str) -> str:
    """Write the address of one database."""
    return f"postgresql://{USER}@/{database}?host={socket}"


def run(socket: Path, database: str, *statements: str) -> None:
    """Run statements in one session, each on its own."""
    import psycopg  # noqa: PLC0415 - an extra of the package

    with psycopg.connect(url(socket, database), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _somebody_else() -> pwd.struct_passwd:
    # PostgreSQL refuses to run as root
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _as(who: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def _start(command: list[Any], who: pwd.struct_passwd | None, home: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, check=False, **_as(who))
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")


def _wait_for(server: subprocess.Popen[bytes], socket: Path) -> None:
    import psycopg  # noqa: PLC0415 - an extra of the package

    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended at once, with status {server.returncode}")
        try:
            psycopg.connect(url(socket, "postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("PostgreSQL did not answer within 30 seconds")
