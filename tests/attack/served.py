"""A record served by the command a clinic would use, and the raw connections that an attacker opens to it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.dashboards.record import PASSWORD


@dataclass
class Served:
    """A running server: its address, its process and what it has written."""

    port: int
    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: str | None = None, *, source: str = "127.0.0.1", **headers: str):
        """Send one request on a connection of its own; gives status, headers and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20, source_address=(source, 0))
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """Open a connection and send nothing."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0))

    def sign_in(self, username: str, password: str = PASSWORD) -> str:
        """Sign in; gives the cookie."""
        _, headers, page = self.ask("GET", "/sign-in")
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token
        status, headers, _ = self.ask(
            "POST",
            "/sign-in",
            urlencode({"csrf": token[1], "username": username, "password": password}),
            Cookie=headers["Set-Cookie"].split(";")[0],
            Content_Type="application/x-www-form-urlencoded",
        )
        assert status == 303, f"sign-in answered {status}"
        return headers["Set-Cookie"].split(";")[0]


@contextmanager
def serving(url: str, *words: str, environment: dict[str, str] | None = None) -> Iterator[Served]:
    """Serve a record until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mbc", "serve", "--store", url, "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **(environment or {})},
    )
    assert process.stdout
    patience = threading.Timer(120, process.kill)
    patience.start()
    line = process.stdout.readline()
    patience.cancel()
    address = re.search(r"http://127\.0\.0\.1:(\d+)", line)
    if address is None:
        process.kill()
        raise AssertionError(f"the server did not start: {line}{process.stderr.read() if process.stderr else ''}")
    served = Served(int(address[1]), process)
    reader = threading.Thread(target=_follow, args=(process, served.log), daemon=True)
    reader.start()
    try:
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=40)
        if process.poll() is None:
            process.kill()
            process.wait()
        reader.join(timeout=10)
        process.stdout.close()
        if process.stderr:
            process.stderr.close()


def _follow(process: subprocess.Popen[str], log: list[str]) -> None:
    assert process.stderr
    log.extend(line.rstrip("\n") for line in process.stderr)
