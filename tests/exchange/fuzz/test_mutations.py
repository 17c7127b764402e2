"""No file breaks the program: files of every format, damaged by a seeded draw, end in an answer or a refusal.

``MBC_MUTATIONS`` sets how many are tried in ``make test-all``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

RUNNER = Path(__file__).with_name("run_mutations.py")
SHORT = range(30)  # of `make test`: one of each seed
LONG = int(os.environ.get("MBC_MUTATIONS", "2000"))
AT_ONCE = 500


def run(first: int, last: int) -> str:
    done = subprocess.run(
        [sys.executable, str(RUNNER), str(first), str(last)], capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    faults = [line for line in lines if " FAULT " in line]
    unfinished = [line for line in lines if not line.endswith("s") or line.count(" ") < 2]
    assert not faults, "\n".join(faults)
    assert done.returncode == 0, f"{unfinished[-1:]} took the process with it:\n{done.stderr[-2000:]}"
    assert len(lines) == last - first
    return done.stdout


def test_some_damaged_files_of_every_format_are_answered_or_refused():
    out = run(SHORT.start, SHORT.stop)
    assert len({line.split()[1] for line in out.splitlines()}) > 15  # kinds of file


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SHORT.stop, LONG, AT_ONCE))
def test_thousands_of_damaged_files_are_answered_or_refused(first):
    run(first, min(first + AT_ONCE, LONG))


def test_the_same_number_is_the_same_file():
    sys.path.insert(0, str(RUNNER.parent))
    try:
        from mutate import mutation  # noqa: PLC0415 - beside this test, as the runner finds it
    finally:
        sys.path.pop(0)
    assert mutation(7) == mutation(7)
    assert mutation(7) != mutation(27)
