"""Whether anybody on the network can stop the server: slow, idle and many connections, large bodies, sign-ins."""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlencode

import pytest

from tests.attack.served import Served, serving
from tests.dashboards.record import make_record

pytestmark = [pytest.mark.long, pytest.mark.slow]  # minutes of waiting: make attack, make test-all
PATIENCE = 5.0  # seconds that a visitor waits; the page itself takes a few milliseconds


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two workers"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if request.param > 1 and sys.platform == "win32":
        pytest.skip("worker processes need Linux or macOS")
    url = f"sqlite:///{tmp_path_factory.mktemp('served') / 'clinic.db'}"
    make_record(url)
    with serving(url, "--workers", str(request.param)) as served:
        _wait_until_ready(served)
        yield served


def _wait_until_ready(served: Served) -> None:
    for _ in range(60):
        with suppress(OSError):  # a busy machine may take longer to start than a question waits
            if served.ask("GET", "/readyz")[0] == 200:
                return
        time.sleep(0.5)
    raise AssertionError("the server is not ready")


def visit(served: Served, source: str = "127.0.0.9") -> float:
    """Open the sign-in page as somebody else; gives how long that took."""
    start = time.monotonic()
    status, _, page = served.ask("GET", "/sign-in", source=source)
    assert status == 200
    assert "Password" in page
    return time.monotonic() - start


def test_idle_connections_do_not_keep_visitors_out(server: Served):
    with ExitStack() as held:
        for _ in range(98):
            connection = held.enter_context(server.connect())
            connection.sendall(b"GET /sign-in/icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1024).startswith(b"HTTP/1.1 200")
        assert visit(server) < PATIENCE
        assert visit(server, "127.0.0.1") < PATIENCE  # also from the address that they all come from


def test_connections_that_send_slowly_do_not_keep_visitors_out(server: Served):
    stop = threading.Event()
    with ExitStack() as held:
        connections = [held.enter_context(server.connect()) for _ in range(110)]

        def trickle() -> None:
            for letter in b"GET /sign-in HTTP/1.1\r\nX-Slow: " + b"a" * 1000:
                for connection in connections:
                    with suppress(OSError):
                        connection.send(bytes([letter]))
                if stop.wait(0.5):
                    return

        attack = threading.Thread(target=trickle)
        attack.start()
        try:
            for _ in range(5):
                assert visit(server) < PATIENCE
                assert visit(server, "127.0.0.1") < PATIENCE
                time.sleep(0.3)
        finally:
            stop.set()
            attack.join()


def test_a_request_that_takes_too_long_is_cut_off(server: Served):
    with server.connect() as connection:
        connection.settimeout(1)
        start = time.monotonic()
        connection.sendall(b"GET /sign-in HTTP/1.1\r\n")
        while time.monotonic() - start < 40:
            try:
                connection.send(b"X: y\r\n")
                if connection.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 15 < time.monotonic() - start < 30


def test_a_large_body_is_refused_before_it_is_read(server: Served):
    def send(chunk: bytes, headers: bytes) -> tuple[int, int]:
        """Send 300 MB; gives how much was taken, and the status."""
        taken = 0
        with server.connect() as connection:
            connection.sendall(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
            with suppress(OSError):
                while taken < 300_000_000:
                    connection.sendall(chunk)
                    taken += len(chunk)
            answer = b""
            with suppress(OSError):
                answer = connection.recv(200)
        status = re.match(rb"HTTP/1\.[01] (\d+)", answer)
        return taken, int(status[1]) if status else 0

    block = b"a" * 65_536
    for chunk, headers in (
        (block, b"Content-Length: 300000000\r\n"),
        (b"10000\r\n" + block + b"\r\n", b"Transfer-Encoding: chunked\r\n"),
    ):
        taken, status = send(chunk, headers)
        assert taken < 20_000_000  # what the system's own buffers took before the connection was closed
        assert status in (0, 413)  # 0: the connection was reset before the answer could be read
    assert visit(server) < PATIENCE


def test_large_headers_are_refused(server: Served):
    with server.connect() as connection:
        with suppress(OSError):
            connection.sendall(
                b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n"
            )
        answer = b""
        with suppress(OSError):
            answer = connection.recv(200)
        assert answer == b"" or b" 431 " in answer.splitlines()[0]
    assert visit(server) < PATIENCE


def test_a_thousand_sign_ins_of_one_address_are_slowed_down(server: Served):
    source = "127.0.0.3"
    _, headers, page = server.ask("GET", "/sign-in", source=source)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    cookie = headers["Set-Cookie"].split(";")[0]
    body = urlencode({"csrf": token[1], "username": "nobody", "password": "x" * 20})
    statuses: list[int] = []

    def attempt(count: int) -> None:
        for _ in range(count):
            status, _, _ = server.ask(
                "POST",
                "/sign-in",
                body,
                source=source,
                Cookie=cookie,
                Content_Type="application/x-www-form-urlencoded",
            )
            statuses.append(status)

    attackers = [threading.Thread(target=attempt, args=(125,)) for _ in range(8)]
    for attacker in attackers:
        attacker.start()
    waits = []
    while any(attacker.is_alive() for attacker in attackers):
        waits.append(visit(server))
        waits.append(visit(server, source))
    for attacker in attackers:
        attacker.join()
    assert len(statuses) == 1000
    assert set(statuses) == {401, 429}
    assert statuses.count(401) < 60  # evaluated: twenty at once, then ten a minute, for all processes together
    assert max(waits) < PATIENCE


def test_many_connections_of_many_addresses_do_not_keep_visitors_out(server: Served):
    with ExitStack() as held:
        for number in range(600):
            connection = held.enter_context(server.connect(f"127.0.1.{number % 200 + 1}"))
            with suppress(OSError):
                connection.send(b"GET /")
        assert visit(server) < PATIENCE


def test_smuggled_requests_are_refused(server: Served):
    with server.connect() as connection:
        connection.sendall(
            b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\nGET /caseload HTTP/1.1\r\n\r\n"
        )
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(OSError):
            while chunk := connection.recv(4096):
                answer += chunk
    assert answer.split(b" ")[1] in (b"400", b"501")
    assert answer.count(b"HTTP/1.") == 1


def test_the_record_is_sound_afterwards(server: Served):
    assert server.ask("GET", "/readyz")[0] == 200
    assert not [line for line in server.log if "Traceback" in line]
