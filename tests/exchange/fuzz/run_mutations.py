"""Hand damaged files to the commands that read files, and say which of them met a fault of the program.

    python tests/exchange/fuzz/run_mutations.py FIRST LAST

Prints a line for each number: ``ok``, or ``FAULT`` and what it was. A number that is begun and never ended took
the process with it.
"""

from __future__ import annotations

# ruff: noqa: T201 - a script: it finds its neighbour, and prints
import contextlib
import faulthandler
import io
import os
import sys
import tempfile
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))
from mutate import SEEDS, mutation

from mbc.cli.program import program
from mbc.errors import MbcError

MORE = {
    "qualtrics.csv": ["--instrument", "rses"],
    "surveymonkey.csv": ["--instrument", "rses"],
    "limesurvey.csv": ["--instrument", "rses"],
    "microsoft.xlsx": ["--instrument", "rses"],
    "waves.csv": ["--start-date", "2026-01-05", "--days-per-wave", "28"],
    "eav.csv": ["--map", "taken_on=visit_date"],
}
"""What these need besides; files of the same name are read with it."""
SECONDS = 20  # of processor time for one file; more is a hang
PATIENCE = 300  # seconds until a file that computes nothing is given up


def commands(name: str, path: Path, store: str) -> list[list[str]]:
    """Which commands read a file of this kind."""
    imported = ["import", str(path), "--store", store, "--clinician", "K1", "--skip-refused"]
    worded = ["instruments", "wording", "load", "phq9", str(path), "--language", "en", "--force"]
    data = str(SEEDS / "redcap.csv")
    if name in MORE:
        return [[*imported, *MORE[name]]]
    if name == "questionnaire.json":
        responses = str(SEEDS / "responses.ndjson")
        return [["import", responses, "--store", store, "--questionnaire", str(path), "--dry-run"], worded]
    if name in {"record.json", "record.xlsx"}:  # taken for a record, as long as it looks like one
        return [["import", str(path), "--store", store], ["import", str(path), "--store", store, "--dry-run"]]
    if name == "map.toml":
        return [["import", str(SEEDS / "wide.csv"), "--store", store, "--mapping", str(path), "--dry-run"]]
    if name == "own.toml":
        return [["instruments", "check", str(path)], ["instruments", "show", str(path)]]
    if name == "dictionary.csv":
        return [["import", data, "--store", store, "--dictionary", str(path), "--dry-run"], worded]
    if name == "wording.csv":
        return [worded]
    if name == "bundle.json":
        return [imported, worded]
    if name in {"wide.csv", "utf16.csv", "quoted.csv", "wide.csv.gz", "wide.parquet", "typed.parquet"}:
        return [imported, ["score", str(path), "rses"]]
    return [imported]


def outcome(arguments: list[str]) -> str | None:
    """Run one command; the fault, or None where it ended as a command may."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            program.main(arguments, prog_name="mbc", standalone_mode=False)
        except (MbcError, click.ClickException, click.exceptions.Exit, SystemExit):
            return None
        except BaseException as fault:  # noqa: BLE001 - whatever it is, a user would see it
            return f"{type(fault).__name__}: {str(fault)[:200]}"
    return None


def main(first: int, last: int) -> None:
    """Run a range of mutations."""
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/clinic.db"
        os.environ["MBC_WORDING"] = f"{folder}/wording"
        outcome(["init", "--store", store])
        for number in range(first, last):
            name, content = mutation(number)
            path = Path(folder) / name
            path.write_bytes(content)
            print(f"{number} {name}", end=" ", flush=True)
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            began = sum(os.times()[:4])
            faults = [fault for arguments in commands(name, path, store) if (fault := outcome(arguments))]
            faulthandler.cancel_dump_traceback_later()
            took = sum(os.times()[:4]) - began
            if took > SECONDS:
                faults.append("a hang")
            print(f"{'FAULT ' + '; '.join(faults) if faults else 'ok'} {took:.1f}s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
