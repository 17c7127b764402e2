"""Several worker processes: what ends in one has ended in all, and stopping or reloading refuses nobody."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from mbc.store import Clinician, Store
from tests.attack.served import Served, serving
from tests.dashboards.record import PASSWORD

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform == "win32", reason="worker processes need Linux or macOS"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A record of one clinician without clients: no models are made beside the pages."""
    address = f"sqlite:///{tmp_path_factory.mktemp('served') / 'clinic.db'}"
    with Store.create(address) as store:
        with store.writing(by="intake") as record:
            record.add(Clinician("K1", "One"))
        store.accounts.add("birch", PASSWORD, "clinician", "K1")
    return address


@pytest.fixture(scope="module")
def server(url: str) -> Iterator[Served]:
    with serving(url, "--workers", "2") as served:
        wait_for_workers(served, 2)
        yield served
    assert served.process.returncode == 0


def wait_for_workers(served: Served, count: int) -> None:
    for _ in range(300):
        if sum("worker started" in line for line in served.log) >= count:
            return
        time.sleep(0.2)
    raise AssertionError(f"the workers did not start: {served.log}")


def workers_of(served: Served) -> set[int]:
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not say which processes a process has started")
    return {int(number) for number in children.read_text().split()}


def test_a_sign_out_holds_in_every_worker(server: Served):
    cookie = server.sign_in("birch")
    status, headers, _ = server.ask("GET", "/caseload", Cookie=cookie)
    assert status == 200
    layout = server.ask("GET", "/_dash-layout", Cookie=cookie)
    token = re.search(r'"value":\s*"([^"]{20,})"', layout[2])
    assert token
    newest = headers.get("Set-Cookie", cookie).split(";")[0]
    layout_cookie = layout[1].get("Set-Cookie", newest).split(";")[0]
    status, _, _ = server.ask(
        "POST",
        "/sign-out",
        urlencode({"csrf": token[1]}),
        Cookie=layout_cookie,
        Content_Type="application/x-www-form-urlencoded",
    )
    assert status == 303
    for _ in range(12):  # each on a connection of its own, so both workers are asked
        assert server.ask("GET", "/caseload", Cookie=cookie)[0] == 303
        assert server.ask("GET", "/_dash-layout", Cookie=cookie)[0] == 401


def test_the_manager_never_runs_threads_before_it_copies_itself(server: Served):
    tasks = Path(f"/proc/{server.process.pid}/task")
    if not tasks.exists():
        pytest.skip("this system does not list the threads of a process")
    assert len(list(tasks.iterdir())) == 1


def test_a_worker_goes_only_when_the_one_in_its_place_answers():
    from dashboards.server.workers import PatientArbiter  # noqa: PLC0415 - gunicorn is for Linux and macOS

    arbiter = PatientArbiter.__new__(PatientArbiter)  # without the processes
    arbiter.WORKERS = {pid: SimpleNamespace(age=pid - 100, pid=pid) for pid in (104, 101, 103, 102)}
    arbiter._num_workers, arbiter.app = 2, SimpleNamespace(signs=bytearray(9))
    gone: list[tuple[int, int]] = []
    arbiter.kill_worker = lambda pid, sig: gone.append((pid, sig))
    arbiter.app.signs[1:3] = b"\1\1"  # the old ones answer, and the new ones have only been started
    arbiter._let_go()
    assert gone == []
    arbiter.app.signs[3] = 1
    arbiter._let_go()
    arbiter._let_go()  # asked again before the first has ended
    assert gone == [(101, signal.SIGTERM)]
    arbiter.app.signs[4] = 1
    arbiter._let_go()
    assert gone == [(101, signal.SIGTERM), (102, signal.SIGTERM)]


@pytest.mark.slow  # the test before this one asks the same of the manager without processes
def test_a_reload_replaces_the_workers_and_refuses_nobody(server: Served):
    before, stop, statuses = workers_of(server), threading.Event(), []

    def visit() -> None:
        while not stop.is_set():
            statuses.append(server.ask("GET", "/sign-in")[0])
            time.sleep(0.05)

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        server.process.send_signal(signal.SIGHUP)
        wait_for_workers(server, 4)
        for _ in range(100):
            if not before & workers_of(server):
                break
            time.sleep(0.2)
    finally:
        time.sleep(0.5)
        stop.set()
        visitor.join()
    assert not before & workers_of(server)
    assert len(workers_of(server)) == 2
    assert set(statuses) == {200}


def test_a_killed_worker_is_replaced(server: Served):
    started = sum("worker started" in line for line in server.log)
    os.kill(min(workers_of(server)), signal.SIGKILL)
    wait_for_workers(server, started + 1)
    assert server.ask("GET", "/readyz")[0] == 200
    assert len(workers_of(server)) == 2


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_an_answer_under_way_is_finished_when_the_server_stops(url: str, workers: str):
    with serving(url, "--workers", workers) as served:
        if workers == "2":
            wait_for_workers(served, 2)
        _, headers, page = served.ask("GET", "/sign-in")
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token
        body = urlencode({"csrf": token[1], "username": "ghost", "password": "x" * 20})
        answers: list[int] = []

        def sign_in() -> None:
            status, _, _ = served.ask(
                "POST",
                "/sign-in",
                body,
                Cookie=headers["Set-Cookie"].split(";")[0],
                Content_Type="application/x-www-form-urlencoded",
            )
            answers.append(status)

        visitors = [threading.Thread(target=sign_in) for _ in range(3)]
        for visitor in visitors:
            visitor.start()
        time.sleep(0.2)  # checking a password takes longer
        served.process.send_signal(signal.SIGTERM)
        for visitor in visitors:
            visitor.join()
        assert served.process.wait(timeout=40) == 0
        assert answers
        assert set(answers) <= {401, 429}
        assert len(answers) == 3
        assert not [line for line in served.log if "Traceback" in line]
