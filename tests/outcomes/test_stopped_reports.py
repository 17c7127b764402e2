"""A report by duckdb that is stopped leaves nothing; what a killed one leaves goes at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mbc.outcomes.working_folder import make_working_folder
from tests.outcomes.made_people import END, START, make_people
from tests.outcomes.test_nhs import write_record

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals, and no folder is held there"),
]

ENDLESS = 'query("e", "SELECT sum(a.range * b.range) FROM range(9999999) a, range(9999999) b").show()'
# the program, with a command that computes for longer than any test waits
ENGINE = f"""
import sys
from pathlib import Path
from mbc.cli import program
from mbc.outcomes.engines import table_engine
def endless(**_):
    program.end_cleanly_when_stopped()
    engine = table_engine("duckdb")
    kept = engine.keep(engine.read(Path(sys.argv[1])))
    print("ready", flush=True)
    kept.{ENDLESS}
program.program.main = endless
program.main()
"""
# the command itself; it computes so after its tables are made
REPORT = f"""
import mbc.cli.outcomes as outcomes
from mbc.cli import main
open_folders = outcomes.read_folders
def endless(*given, **options):
    tables = open_folders(*given, **options)
    print("ready", flush=True)
    tables["episodes"].{ENDLESS}
outcomes.read_folders = endless
main()
"""
HELD = """
import sys
from mbc.outcomes.working_folder import make_working_folder
print(make_working_folder(), flush=True)
sys.stdin.read()
"""


def start(script: str, home: Path, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(home)},
    )  # fmt: skip


def stop(process: subprocess.Popen[str], home: Path, number: int) -> tuple[int, str, list[Path]]:
    """Stop a process in the middle of its work; gives its status, what it said, and what it left."""
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    assert len(list(home.iterdir())) == 1
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, errors, list(home.iterdir())


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_stopped_engine_leaves_no_folder(tmp_path, number, status):
    pytest.importorskip("duckdb")
    file, home = tmp_path / "scores.csv", tmp_path / "temporary"
    file.write_text("score\n1\n")
    home.mkdir()
    with start(ENGINE, home, file) as process:
        assert stop(process, home, number) == (status, "Interrupted. No partial change was made.\n", [])


@pytest.mark.slow
def test_a_stopped_report_leaves_no_folder(tmp_path):
    pytest.importorskip("duckdb")
    folder, home = write_record(make_people(31, size=10), tmp_path / "clinic"), tmp_path / "temporary"
    home.mkdir()
    with start(REPORT, home, "outcomes", "--engine", "duckdb", folder, "--from", START, "--to", END) as process:
        assert stop(process, home, signal.SIGTERM) == (143, "Interrupted. No partial change was made.\n", [])


def test_what_killed_processes_left_goes_at_the_next_start_and_nobody_else_s(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with start(HELD, tmp_path) as killed, start(HELD, tmp_path) as running:
        folders = [Path(process.stdout.readline().strip()) for process in (killed, running) if process.stdout]
        for folder in folders:
            (folder / "kept.duckdb").write_bytes(b"x")
        (tmp_path / "mbc-other").mkdir()
        (tmp_path / "mbc-tables-elsewhere").symlink_to(tmp_path / "mbc-other")
        killed.kill()
        killed.wait()
        made = make_working_folder()
        kept = (*folders, made, tmp_path / "mbc-other")
        assert [folder.exists() for folder in kept] == [False, True, True, True]
        assert made.stat().st_mode & 0o777 == 0o700
        running.communicate("")
