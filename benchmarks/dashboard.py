"""The pages over HTTP on a record of 10,000 clients, two processes: what a clinician and a supervisor wait for.

Run: python benchmarks/dashboard.py [--clients N] [--seconds N] [--folder DIR] [--only load|browser]

The record is made once (mbc.simulate, minutes) and kept in the folder, /dev/shm/mbc-dashboard by default: measure
as often as you like, then remove it. Times run from a request to the last byte of its answer; what the browser
does then is measured by itself, where Chromium and Playwright are there.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from dashboards.components import ids
from mbc import simulate
from mbc.care.forecast.kept_models import make_models
from mbc.care.scoring.rescore import keep_scores
from mbc.exchange import import_record
from mbc.store import Store

PASSWORD = "harbour lamp, seven geese"
CLINICIANS, SUPERVISED = 8, 20
THINKS = 1.0  # seconds between two pages
WORKERS = 2
PREPARES = 40.0  # seconds after its start in which a server prepares long caseloads


# --- the record


def _today() -> date:
    return datetime.now().astimezone().date()


def make_record(folder: Path, clients: int) -> str:
    """Make the record and its accounts, or find those made before."""
    url = f"sqlite:///{folder / 'clinic.db'}"
    if (folder / "ready").exists():
        return url
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    today = _today()
    start = today - timedelta(days=today.weekday(), weeks=simulate.WEEKS - 1)
    clinicians = max(clients // 40, SUPERVISED)
    clinic = simulate.clinic(clients=clients, clinicians=clinicians, start=start, alliance=True)
    with Store.create(url) as store:
        import_record(clinic.write(folder / "files"), store)
        keep_scores(store)  # as 'mbc import' does
        for model, _ in make_models(store, today):
            print(f"model of {model.instrument} {model.scale}", flush=True)
        known = list(store.clinicians()["clinician_id"])
        for number in range(CLINICIANS):
            store.accounts.add(f"clinician{number}", PASSWORD, "clinician", known[number])
        store.accounts.add("supervisor", PASSWORD, "supervisor", supervises=known[:SUPERVISED])
    shutil.rmtree(folder / "files")
    (folder / "ready").touch()
    return url


def caseload_of(url: str, username: str) -> list[str]:
    with Store.open(url) as store:
        return list(store.as_user(username).clients()["client_id"])


# --- the server


@dataclass
class Server:
    """What is served, and the processes that do it."""

    process: subprocess.Popen[str]
    port: int
    seconds: float  # until it listened

    def workers(self) -> list[int]:
        """Give the numbers of the processes that answer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(number) for number in children.split()]


@contextmanager
def serving(url: str) -> Iterator[Server]:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "mbc", "serve", "--store", url, "--port", "0", "--workers", str(WORKERS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    port = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
    assert port, "the server did not start"
    try:
        yield Server(process, int(port[1]), time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def memory(pid: int) -> dict[str, float]:
    """Read the megabytes of a process: resident, and its own share of what is shared."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) / 1000 for name in ("Rss", "Pss")}  # type: ignore[index]


def processor(pids: list[int]) -> float:
    """Read the milliseconds of processor time that some processes have used."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return 1e3 * used / os.sysconf("SC_CLK_TCK")


class Visitor:
    """A browser's requests, without the browser."""

    def __init__(self, port: int, username: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.cookies: dict[str, str] = {}
        token = re.search(r'name="csrf" value="([^"]+)"', self.ask("GET", "/sign-in").decode())
        assert token
        form = {"csrf": token[1], "username": username, "password": PASSWORD}
        self.ask("POST", "/sign-in", urlencode(form), "application/x-www-form-urlencoded")

    def ask(self, method: str, path: str, body: str = "", kind: str = "application/json") -> bytes:
        """Send a request with this visitor's cookies; gives the content of the answer."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        self.connection.request(method, path, body or None, headers | ({"Content-Type": kind} if body else {}))
        answer = self.connection.getresponse()
        content = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content

    def page(self, path: str) -> bytes:
        """Ask for a page as a link within the application does."""
        target = {"id": ids.MAIN, "property": "children"}
        asked = {"id": ids.URL, "property": "pathname", "value": path}
        body = {"output": f"{ids.MAIN}.children", "outputs": target, "inputs": [asked], "state": [],
                "changedPropIds": [f"{ids.URL}.pathname"]}  # fmt: skip
        return self.ask("POST", "/_dash-update-component", json.dumps(body))

    def address(self, path: str) -> bytes:
        """Ask for a page as a browser does at whose address bar it is typed: frame, layout, wiring, page."""
        for part in (path, "/_dash-layout", "/_dash-dependencies"):
            self.ask("GET", part)
        return self.page(path)


def timed(task: Callable[[], bytes]) -> tuple[float, int]:
    """Give milliseconds and bytes of an answer."""
    begun = time.perf_counter()
    size = len(task())
    return 1e3 * (time.perf_counter() - begun), size


# --- what is measured


@dataclass
class Load:
    """Milliseconds of client pages, by whether the visitor had opened the client before."""

    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    largest: int = 0
    processor: float = 0.0  # milliseconds of all of them
    lock: threading.Lock = field(default_factory=threading.Lock)


def clinician(visitor: Visitor, username: str, clients: list[str], until: float, load: Load) -> None:
    """Open one client after the other, thinking in between."""
    chosen, seen = random.Random(username), set[str]()
    time.sleep(chosen.random() * THINKS)
    while time.perf_counter() < until:
        client = chosen.choice(clients)
        milliseconds, size = timed(lambda client=client: visitor.page(f"/client/{client}"))
        with load.lock:
            (load.again if client in seen else load.first).append(milliseconds)
            load.largest = max(load.largest, size)
        seen.add(client)
        time.sleep(THINKS)


def under_load(server: Server, caseloads: dict[str, list[str]], seconds: float, used: Callable[[], float]) -> Load:
    """Have everybody open pages; they have signed in before, which takes a second of processor time each."""
    visitors = {username: Visitor(server.port, username) for username in caseloads}
    load, until = Load(), time.perf_counter() + seconds
    people = [
        threading.Thread(target=clinician, args=(visitors[username], username, clients, until, load))
        for username, clients in caseloads.items()
    ]
    before = used()
    for each in people:
        each.start()
    for each in people:
        each.join()
    load.processor = used() - before
    return load


def report(name: str, milliseconds: list[float], size: int = 0) -> None:
    ordered = sorted(milliseconds)
    if not ordered:
        return
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]  # noqa: E731
    kilobytes = f", {size / 1000:.0f} kB" if size else ""
    middle = statistics.median(ordered)
    shown = f"median {middle:.0f} ms, p95 {at(0.95):.0f} ms, largest {ordered[-1]:.0f} ms{kilobytes}"
    print(f"{name}: n {len(ordered)}, {shown}")


def measure(url: str, seconds: float) -> None:
    caseloads = {f"clinician{number}": caseload_of(url, f"clinician{number}") for number in range(CLINICIANS)}
    first, clients = next(iter(caseloads.items()))
    with serving(url) as server:
        print(f"listening after {server.seconds:.1f} s")
        begun = time.perf_counter()
        visitor = Visitor(server.port, first)
        print(f"sign-in {1e3 * (time.perf_counter() - begun):.0f} ms (a password is checked slowly on purpose)")
        report("first page after start: a client", *_one(timed(lambda: visitor.page(f"/client/{clients[0]}"))))
        report("first caseload", *_one(timed(lambda: visitor.page("/caseload"))))
        again = [timed(lambda: visitor.page("/caseload")) for _ in range(10)]
        report(f"caseload of {len(clients)}, again", [each for each, _ in again], again[0][1])
        report("by its address", *_one(timed(lambda: visitor.address(f"/client/{clients[1]}"))))
        time.sleep(PREPARES)
        supervisor = Visitor(server.port, "supervisor")
        for name in ("supervisor's first view", "supervisor's second view"):
            report(name, *_one(timed(lambda: supervisor.page("/caseload"))))
        pids = server.workers()
        load = under_load(server, caseloads, seconds, lambda: processor(pids))
        each = load.processor / (len(load.first) + len(load.again))
        report("client page, all", load.first + load.again, load.largest)
        print(f"  processor time of a page: {each:.0f} ms")
        report("  opened for the first time", load.first)
        report("  opened again", load.again)
        for pid in pids:
            print(f"worker {pid}: " + ", ".join(f"{name} {size:.0f} MB" for name, size in memory(pid).items()))


def _one(result: tuple[float, int]) -> tuple[list[float], int]:
    return [result[0]], result[1]


# --- what the browser does


# From the click until the first, and the last, of the charts in sight is drawn.
CHANGE = """async () => {
  const inSight = (chart) => {
    const box = chart.getBoundingClientRect();
    return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  };
  const charts = [...document.querySelectorAll(".js-plotly-plot")].filter(inSight);
  const begun = performance.now();
  const drawn = charts.map((chart) => new Promise((done) => {
    chart.once("plotly_afterplot", () => done(performance.now() - begun));
  }));
  document.querySelector("#better-is-up").click();
  const times = await Promise.all(drawn);
  return [Math.min(...times), Math.max(...times)];
}"""


def in_browser(url: str) -> None:
    """Change a control and count what the server is asked for."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not everybody has it

    name = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable"))), None)
    client = caseload_of(url, "clinician0")[0]
    with serving(url) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=name, args=["--no-sandbox", "--disable-gpu"])
        at = f"http://127.0.0.1:{server.port}"
        page = browser.new_page(base_url=at, viewport={"width": 1440, "height": 900})
        page.goto("/sign-in")
        page.get_by_label("User name").fill("clinician0")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", level=1).wait_for()
        page.goto(f"/client/{client}")
        page.locator("[id^='chart-'] .scatterlayer").first.wait_for()
        page.wait_for_load_state("networkidle")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        report("the first change of a control, all charts in sight", [page.evaluate(CHANGE)[1]])
        changes = [page.evaluate(CHANGE) for _ in range(20)]
        report("change of a control, first chart", [first for first, _ in changes])
        report("change of a control, all charts in sight", [last for _, last in changes])
        page.wait_for_load_state("networkidle")
        print(f"  requests for these changes, to keep the choice: {len(asked)}")
        browser.close()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--clients", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--folder", type=Path, default=Path("/dev/shm/mbc-dashboard"))
    options.add_argument("--only", choices=("load", "browser"))
    chosen = options.parse_args()
    url = make_record(chosen.folder, chosen.clients)
    with Store.open(url) as store:
        print(f"{_today()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; ", end="")
        print(f"{store.clients().height} clients, {store.administrations().height} questionnaires, SQLite")
    if chosen.only != "browser":
        measure(url, chosen.seconds)
    if chosen.only != "load":
        in_browser(url)


if __name__ == "__main__":
    main()
