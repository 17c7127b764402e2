"""The client's pages under load: 200 clients, 50 requests a second, and no answer that is lost or counted twice.

Requests begin on time whether earlier ones have been answered or not, so no slow page is hidden.
Run: python benchmarks/questionnaire.py [seconds] [requests a second]
"""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import numpy as np

from mbc.box.box import Box
from mbc.box.content import Asking
from mbc.box.seal import KeyPair, unseal
from mbc.box.token import new_token
from mbc.care.askings.sheets import sheet_of
from mbc.instruments import instrument, wording

CLIENTS = 200
QUESTIONS = 8


@dataclass
class Load:
    """What was measured, by the kind of page."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, since: float, size: int) -> None:
        """Keep one request."""
        with self.lock:
            self.milliseconds.setdefault(kind, []).append(1e3 * (time.perf_counter() - since))
            self.bytes[kind] = max(size, self.bytes.get(kind, 0))


def ask(box: Box, keys: KeyPair) -> list[str]:
    sheet = sheet_of(wording.require("checkin", "de"), instrument("checkin"), None)
    asking = Asking(language="de", sheets=(sheet,), help_text="112")
    links = []
    for number in range(CLIENTS):
        token, until = new_token(), datetime.now(UTC) + timedelta(days=4)
        box.add(f"A{number}", asking, public_key=keys.public, expires_at=until, token=token)
        links.append(f"/f/{token}")
    return links


class Client:
    """One client's way: each step is one request."""

    def __init__(self, address: str, link: str, number: int) -> None:
        self.connection = http.client.HTTPConnection(address, timeout=30)
        self.steps = self.way(link, number)
        self.visit = ""

    def way(self, link: str, number: int) -> Iterator[tuple[str, str, str, str]]:
        """Give the requests of one client, in order: kind, method, path, body."""
        yield "greeting", "GET", link, ""
        yield "begin", "POST", link, "begin=1"
        for place in range(1, QUESTIONS + 1):
            yield "question", "GET", f"{self.visit}/{place}", ""
            yield "answer", "POST", f"{self.visit}/{place}", f"value={(number + place) % 5}"
        yield "review", "GET", f"{self.visit}/review", ""
        yield "send", "POST", f"{self.visit}/review", "send=1"
        yield "thanks", "GET", f"{self.visit}/sent", ""

    def step(self, load: Load, due: float) -> bool:
        """Make the next request; says whether there was one."""
        step = next(self.steps, None)
        if step is None:
            return False
        kind, method, path, body = step
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self.connection.request(method, path, body or None, headers)
        response = self.connection.getresponse()
        size = len(response.read())
        if response.status not in (200, 303):
            raise RuntimeError(f"{method} {kind}: {response.status}")
        if kind == "begin":
            self.visit = response.headers["Location"].rpartition("/")[0]
        load.add(kind, due, size)
        return True


def drive(address: str, links: list[str], seconds: float, rate: float) -> Load:
    load, clients = Load(), [Client(address, link, number) for number, link in enumerate(links)]
    waiting, lock = list(reversed(clients)), threading.Lock()
    start = time.perf_counter()

    def one_request(due: float) -> None:
        time.sleep(max(0.0, due - time.perf_counter()))
        with lock:
            client = waiting.pop() if waiting else None
        if client is not None and client.step(load, max(due, start)):
            with lock:
                waiting.insert(0, client)

    total = min(int(seconds * rate), len(clients) * (2 * QUESTIONS + 5))
    with ThreadPoolExecutor(64) as pool:
        for done in [pool.submit(one_request, start + n / rate) for n in range(total)]:
            done.result()
    return load


def check(box: Box, keys: KeyPair) -> tuple[int, int]:
    """Count the askings that were sent and the answers that are not what their client gave."""
    sent = wrong = 0
    for number in range(CLIENTS):
        contents = [unseal(keys, sealed) for sealed in box.sealed(f"A{number}")]
        answers = {content["place"]: content["value"] for content in contents if "place" in content}
        if any("sent" in content for content in contents):
            sent += 1
            wrong += answers != {place: (number + place + 1) % 5 for place in range(QUESTIONS)}
    return sent, wrong


def main(seconds: float, rate: float) -> None:
    keys = KeyPair.new()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clinic.box"
        box = Box(file)
        links = ask(box, keys)
        command = [sys.executable, "-m", "mbc", "questionnaire", "--box", str(file), "--port", "0"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        try:
            assert running.stdout
            address = re.search(r"http://(\S+)", running.stdout.readline())
            assert address
            load = drive(address[1], links, seconds, rate)
        finally:
            running.terminate()
            running.communicate(timeout=20)
        sent, wrong = check(box, keys)
        box.close()
    times = list(chain.from_iterable(load.milliseconds.values()))
    print(f"{CLIENTS} clients, {len(times)} requests at {rate:g} a second, in milliseconds from when each was due")
    print(f"{'':<10}{'n':>7}{'median':>9}{'p95':>9}{'max':>9}{'bytes':>9}")
    for kind, measured in [*load.milliseconds.items(), ("all", times)]:
        median, p95, most = np.percentile(measured, (50, 95, 100))
        size = load.bytes.get(kind, max(load.bytes.values()))
        print(f"{kind:<10}{len(measured):>7}{median:>9.1f}{p95:>9.1f}{most:>9.1f}{size:>9}")
    print(f"{sent} sent, {wrong} of them with an answer that was not given")


if __name__ == "__main__":
    arguments = [float(argument) for argument in sys.argv[1:]]
    main(*(arguments + [90.0, 50.0][len(arguments) :]))
