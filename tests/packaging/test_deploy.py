"""The example files in deploy/: each is tried with the program it is for."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attack.served import serving
from tests.dashboards.record import make_record

pytestmark = pytest.mark.long
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def certificate(folder: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine, to make a certificate with")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=clinic.example",
         "-addext", "subjectAltName=DNS:clinic.example",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def ask(port: int, folder: Path, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Ask through the proxy, as a browser that knows its certificate does."""
    trusted = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        trusted.wrap_socket(plain, server_hostname="clinic.example") as secure,
    ):
        connection = http.client.HTTPConnection("clinic.example")
        connection.sock = secure
        connection.request("GET", path, headers={"Host": "clinic.example"} | headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for _ in range(100):
            if process.poll() is not None:
                assert process.stdout
                raise AssertionError(process.stdout.read())
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                break
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


def check_through_proxy(port: int, folder: Path) -> None:
    status, headers, page = ask(port, folder, "/sign-in", **{"X-Forwarded-For": "203.0.113.5"})
    assert status == 200
    assert "Password" in page
    assert headers["Set-Cookie"].startswith("__Host-mbc=")
    assert "Secure" in headers["Set-Cookie"]
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert headers["Cache-Control"] == "no-store"
    assert ask(port, folder, "/readyz")[0] == 200  # from this machine
    assert ask(port, folder, "/caseload")[0] == 303


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('deployed') / 'clinic.db'}"
    make_record(url)
    return url


def test_nginx_in_front_of_a_served_record(record: str, tmp_path: Path):
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
    if nginx is None:
        pytest.skip("no nginx on this machine (apt-get install nginx-light)")
    certificate(tmp_path)
    http_port, https_port = free_port(), free_port()
    with serving(record, "--https", "--host-name", "clinic.example") as served:
        text = (DEPLOY / "nginx.conf").read_text()
        for before, after in (
            ("listen 80;", f"listen 127.0.0.1:{http_port};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{https_port} ssl;"),
            ("/etc/ssl/mbc/", f"{tmp_path}/"),
            ("/var/log/nginx/", f"{tmp_path}/"),
            ("127.0.0.1:8050", f"127.0.0.1:{served.port}"),
        ):
            assert before in text
            text = text.replace(before, after)
        paths = "".join(
            f"{kind}_temp_path {tmp_path}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = tmp_path / "nginx.conf"
        config.write_text(
            f"daemon off; pid {tmp_path}/pid; error_log stderr crit; user {_user()};\n"
            f"events {{}}\nhttp {{\n{paths}{text}\n}}\n"
        )
        tmp_path.chmod(0o755)
        subprocess.run([nginx, "-t", "-c", str(config)], check=True, capture_output=True)
        with running([nginx, "-c", str(config)], https_port):
            check_through_proxy(https_port, tmp_path)
            statuses = [ask(https_port, tmp_path, f"/client/C{number}")[0] for number in range(5)]
            assert statuses == [303] * 5
            connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=20)
            connection.request("GET", "/caseload", headers={"Host": "clinic.example"})
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("Location")) == (301, "https://clinic.example/caseload")
            connection.close()
        assert "C1" not in (tmp_path / "mbc.log").read_text()


def _user() -> str:
    import getpass  # noqa: PLC0415

    return getpass.getuser()


def test_caddy_in_front_of_a_served_record(record: str, tmp_path: Path):
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("no caddy on this machine (apt-get install caddy)")
    certificate(tmp_path)
    port = free_port()
    with serving(record, "--https", "--host-name", "clinic.example") as served:
        text = (DEPLOY / "Caddyfile").read_text()
        text = text.replace("127.0.0.1:8050", f"127.0.0.1:{served.port}")
        text = text.replace(
            "{\n\tservers", f"{{\n\tadmin off\n\tauto_https off\n\thttps_port {port}\n\tservers", 1
        )
        secure = f"clinic.example:{port} {{\n\ttls {tmp_path}/fullchain.pem {tmp_path}/privkey.pem\n"
        text = text.replace("clinic.example {\n", secure, 1)
        config = tmp_path / "Caddyfile"
        config.write_text(text)
        with running([caddy, "run", "--adapter", "caddyfile", "--config", str(config)], port):
            check_through_proxy(port, tmp_path)


def test_the_service_is_valid_and_hardened(tmp_path: Path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine")
    text = (DEPLOY / "mbc.service").read_text().replace("/opt/mbc/bin/mbc", "/bin/true")
    unit = tmp_path / "mbc.service"
    unit.write_text(text)
    verified = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False)
    ours = [line for line in verified.stderr.splitlines() if "mbc.service" in line and "user" not in line.lower()]
    assert not ours
    security = subprocess.run(
        [analyze, "security", "--offline=yes", str(unit)], capture_output=True, text=True, check=False
    )
    exposure = re.search(r"exposure level for mbc\.service: ([\d.]+)", security.stdout)
    if exposure is None:
        pytest.skip(f"systemd-analyze does not rate files here: {security.stderr.strip()[:100]}")
    assert float(exposure[1]) < 2.0


def test_the_service_names_options_that_exist():
    from mbc.cli.serve import command  # noqa: PLC0415

    (line,) = re.findall(r"^ExecStart=\S+ serve (.*)$", (DEPLOY / "mbc.service").read_text(), re.MULTILINE)
    options = {name for parameter in command.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", line)) <= options
