"""The demo, run as a user runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from mbc.cli.demo import make_clinic
from mbc.store import Store

pytestmark = pytest.mark.long

_LONGEST = 120  # seconds
DEMO = ["-m", "mbc"]
_SMALLER = """
from functools import partial
from argon2 import PasswordHasher
from mbc import simulate
from mbc.cli import demo, main
from mbc.store.accounts import passwords
simulate.clinic = partial(simulate.clinic, clients=12, clinicians=2)
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
quarters = demo._quarters_over
demo._quarters_over = lambda day: quarters(day)[-1:]
main()
"""
SMALLER = ["-c", _SMALLER]
"""The demo with fewer clients, clinicians and releases, and passwords hashed quickly."""
PASSWORD = "seven geese, one harbour lamp"


@pytest.fixture
def demo(tmp_path: Path, program: list[str]) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "MBC_PASSWORD": PASSWORD}
    running = subprocess.Popen(
        [sys.executable, *program, "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    yield running
    if running.poll() is None:
        running.kill()
    running.communicate()


def lines_until(running: subprocess.Popen[str], last: str) -> str:
    said = ""
    assert running.stdout
    patience = threading.Timer(_LONGEST, running.kill)  # a demo that is stuck must not hold up every other test
    patience.start()
    try:
        for line in running.stdout:
            said += line
            if last in line:
                return said
    finally:
        patience.cancel()
    pytest.fail(f"the demo ended early, or was not ready after {_LONGEST} seconds:\n{said}")


@pytest.mark.parametrize(
    ("program", "sign"),
    [
        (SMALLER, signal.SIGTERM),
        pytest.param(DEMO, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(DEMO, signal.SIGINT, marks=pytest.mark.slow),
    ],
    ids=["fewer clients", "terminated", "interrupted"],
)
def test_the_demo_says_how_to_sign_in_and_leaves_nothing_behind(demo, tmp_path: Path, sign: signal.Signals):
    said = lines_until(demo, "Ctrl-C")
    address = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert address
    assert re.search(r"^  marten +clinician: .*Anxious to secure", said, re.MULTILINE)
    assert re.search(r"^  analyst +analyst: ", said, re.MULTILINE)
    assert PASSWORD in said

    with urlopen(f"{address[0]}/sign-in", timeout=20) as page:
        form, cookie = page.read().decode(), page.headers["Set-Cookie"].split(";")[0]
    token = re.search(r'name="csrf" value="([^"]+)"', form)
    assert token
    fields = f"csrf={token[1]}&username=marten&password={PASSWORD.replace(' ', '+')}".encode()
    with urlopen(Request(f"{address[0]}/sign-in", fields, {"Cookie": cookie}), timeout=20) as answer:
        assert answer.url == f"{address[0]}/sign-in"  # urllib follows without our cookie: back at the form
        assert answer.status == 200

    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["mbc"]
    demo.send_signal(sign)
    assert demo.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_clinic_that_is_kept_stays_and_is_not_written_over(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    make_clinic(url, tmp_path, PASSWORD)
    with Store.open(url) as store:
        assert store.clients().height == 150
        assert store.as_user("marten").clients().height > 20
        assert store.accounts.verify("analyst", PASSWORD) is not None

    began = time.monotonic()
    again = subprocess.run(
        [sys.executable, "-m", "mbc", "demo", "--port", "0", "--keep", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 1
    assert "is not empty" in again.stderr
    assert "mbc serve --store" in again.stderr
    assert time.monotonic() - began < 30
