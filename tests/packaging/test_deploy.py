"""The example files in deploy/: each is tried with the program it is for."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from mbc.box.box import Box
from mbc.box.content import Asking, Question, Sheet
from mbc.box.seal import KeyPair
from mbc.box.token import new_token
from mbc.care.askings.settings import read_settings
from mbc.cli.program import program
from tests.attack.served import serving
from tests.dashboards.record import make_record

pytestmark = pytest.mark.long
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def certificate(folder: Path, host: str = "clinic.example") -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine, to make a certificate with")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}",
         "-addext", f"subjectAltName=DNS:{host}",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def ask(
    port: int, folder: Path, path: str, *, host: str = "clinic.example", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], str]:
    """Ask through the proxy, as a browser that knows its certificate does."""
    trusted = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        trusted.wrap_socket(plain, server_hostname=host) as secure,
    ):
        connection = http.client.HTTPConnection(host)
        connection.sock = secure
        connection.request(method, path, headers={"Host": host} | headers)
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


def nginx_program() -> str:
    places = (os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
    nginx = shutil.which("nginx", path=os.pathsep.join(places))
    if nginx is None:
        pytest.skip("no nginx on this machine (apt-get install nginx-light)")
    return nginx


def nginx_configuration(folder: Path, name: str, changes: dict[str, str]) -> Path:
    """Write an example with the ports and folders of a test."""
    text = (DEPLOY / name).read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/pid; error_log stderr crit; user {_user()};\n"
        f"events {{}}\nhttp {{\n{paths}{text}\n}}\n"
    )
    folder.chmod(0o755)
    return config


def test_nginx_in_front_of_a_served_record(record: str, tmp_path: Path):
    nginx = nginx_program()
    certificate(tmp_path)
    http_port, https_port = free_port(), free_port()
    with serving(record, "--https", "--host-name", "clinic.example") as served:
        changes = {
            "listen 80;": f"listen 127.0.0.1:{http_port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{https_port} ssl;",
            "/etc/ssl/mbc/": f"{tmp_path}/",
            "/var/log/nginx/": f"{tmp_path}/",
            "127.0.0.1:8050": f"127.0.0.1:{served.port}",
        }
        config = nginx_configuration(tmp_path, "nginx.conf", changes)
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


def caddy_program() -> str:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("no caddy on this machine (apt-get install caddy)")
    return caddy


def test_caddy_in_front_of_a_served_record(record: str, tmp_path: Path):
    caddy = caddy_program()
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


FORM = "form.example"


@contextmanager
def questionnaire(folder: Path) -> Iterator[tuple[int, str]]:
    """Serve the clients' questionnaire with one asking; gives its port and the path of the link."""
    token = new_token()
    question = Question(text="How are you?", lowest=0, highest=4)
    with closing(Box(folder / "clinic.box")) as box:
        asking = Asking(language="en", sheets=(Sheet(questions=(question,)),))
        until = datetime.now(UTC) + timedelta(days=1)
        box.add("A1", asking, public_key=KeyPair.new().public, expires_at=until, token=token)
    command = [sys.executable, "-m", "mbc", "questionnaire", "--box", str(folder / "clinic.box"), "--port", "0",
               "--https"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        port = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert port
        yield int(port[1]), f"/f/{token}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


def check_questionnaire(port: int, folder: Path, path: str) -> None:
    status, headers, page = ask(port, folder, path, host=FORM)
    assert (status, "Start" in page) == (200, True)
    assert headers["Cache-Control"] == "no-store"
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Set-Cookie" not in headers
    status, headers, _ = ask(port, folder, path, host=FORM, method="POST")
    assert (status, headers["Location"].startswith("/v/")) == (303, True)
    assert ask(port, folder, "/healthz", host=FORM)[0] == 200  # from this machine


def test_nginx_in_front_of_the_questionnaire_writes_no_link_down(tmp_path: Path):
    nginx = nginx_program()
    certificate(tmp_path, FORM)
    http_port, https_port = free_port(), free_port()
    with questionnaire(tmp_path) as (port, path):
        changes = {
            "listen 80;": f"listen 127.0.0.1:{http_port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{https_port} ssl;",
            "/etc/ssl/form/": f"{tmp_path}/",
            "/var/log/nginx/": f"{tmp_path}/",
            "127.0.0.1:8051": f"127.0.0.1:{port}",
        }
        config = nginx_configuration(tmp_path, "nginx-questionnaire.conf", changes)
        with running([nginx, "-c", str(config)], https_port):
            check_questionnaire(https_port, tmp_path, path)
            plain = http.client.HTTPConnection("127.0.0.1", http_port, timeout=20)
            plain.request("GET", path, headers={"Host": FORM})
            answer = plain.getresponse()
            assert (answer.status, answer.getheader("Location")) == (301, f"https://{FORM}/")
            plain.close()
        written = "".join(file.read_text() for file in tmp_path.glob("*.log"))
        assert " 303 POST " in written
        assert path.rpartition("/")[2] not in written
        assert "127.0.0.1" not in written


def test_caddy_in_front_of_the_questionnaire(tmp_path: Path):
    caddy = caddy_program()
    certificate(tmp_path, FORM)
    https_port = free_port()
    with questionnaire(tmp_path) as (port, path):
        text = (DEPLOY / "Caddyfile-questionnaire").read_text().replace("127.0.0.1:8051", f"127.0.0.1:{port}")
        secure = f"{FORM}:{https_port} {{\n\ttls {tmp_path}/fullchain.pem {tmp_path}/privkey.pem\n"
        text = text.replace(f"{FORM} {{\n", secure, 1)
        config = tmp_path / "Caddyfile"
        config.write_text(f"{{\n\tadmin off\n\tauto_https off\n\thttps_port {https_port}\n}}\n{text}")
        with running([caddy, "run", "--adapter", "caddyfile", "--config", str(config)], https_port):
            check_questionnaire(https_port, tmp_path, path)


def test_the_example_of_settings_is_read():
    settings = read_settings(DEPLOY / "asking.toml")
    assert settings.box == "/var/lib/mbc-box/clinic.box"
    assert settings.mail
    assert settings.help_text("en")


SERVICES = sorted(file.name for file in DEPLOY.glob("*.service"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_valid_and_hardened(tmp_path: Path, name: str):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine")
    for file in DEPLOY.glob(f"{name.removesuffix('service')}*"):  # its timer, too
        (tmp_path / file.name).write_text(file.read_text().replace("/opt/mbc/bin/mbc", "/bin/true"))
    unit, timer = tmp_path / name, tmp_path / name.replace(".service", ".timer")
    units = [str(each) for each in (unit, timer) if each.is_file()]
    verified = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in verified.stderr.splitlines() if "mbc" in line and "user" not in line.lower()]
    assert not ours
    security = subprocess.run(
        [analyze, "security", "--offline=yes", str(unit)], capture_output=True, text=True, check=False
    )
    exposure = re.search(rf"exposure level for {re.escape(name)}: ([\d.]+)", security.stdout)
    if exposure is None:
        pytest.skip(f"systemd-analyze does not rate files here: {security.stderr.strip()[:100]}")
    assert float(exposure[1]) < 2.0


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_names_a_command_and_options_that_exist(name: str):
    (line,) = re.findall(r"^ExecStart=\S+ (.*)$", (DEPLOY / name).read_text(), re.MULTILINE)
    command = program.get_command(click.Context(program), line.split()[0])
    assert command
    options = {name for parameter in command.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", line)) <= options


def test_the_questionnaire_is_given_nothing_of_the_record():
    text = (DEPLOY / "mbc-questionnaire.service").read_text()
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert "User=mbc-form" in settings
    assert "InaccessiblePaths=-/var/lib/mbc -/etc/mbc" in settings
    assert not any(line.startswith(("Environment", "LoadCredential", "StateDirectory")) for line in settings)
