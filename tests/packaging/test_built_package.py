"""The package as somebody else gets it: built, installed where nothing else is, and used far from here."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tarfile
import threading
import venv
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from urllib.request import urlopen

import pytest

import mbc
from mbc.distribution import DISTRIBUTION

pytestmark = pytest.mark.long

ANSWERS = "rses.csv"
LONGEST = 120  # seconds


@dataclass(frozen=True)
class Built:
    """The two files of a release."""

    wheel: Path
    source: Path


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and sees the dependencies; nothing of the repository."""

    home: Path
    elsewhere: Path

    def environment(self) -> dict[str, str]:
        ours = ("MBC_", "PYTHON", "COV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**kept, "HOME": str(self.elsewhere), "TMPDIR": str(self.elsewhere)}

    def command(self, name: str, *arguments: str) -> list[str]:
        return [str(self.home / "bin" / name), *arguments]

    def run(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            self.command(name, *arguments),
            cwd=self.elsewhere,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def build(source: Path, target: Path, *, kinds: tuple[str, ...]) -> Built:
    """Build with the tools of this environment: nothing is fetched."""
    wanted = [word for kind in kinds for word in ("-t", kind)]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *wanted, "-d", str(target)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (wheel,) = target.glob("*.whl")
    return Built(wheel, next(target.glob("*.tar.gz"), Path()))


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(repository, tmp_path_factory.mktemp("dist"), kinds=("sdist", "wheel"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = Installed(tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("elsewhere"))
    venv.create(place.home, with_pip=False, symlinks=True)
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-compile"]
    python = str(place.home / "bin" / "python")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", *options, str(built.wheel)],
        check=True,
        capture_output=True,
        env=place.environment(),
    )
    # Folders that a .pth file names are searched after the environment's own, and .pth files in them are not
    # obeyed: the dependencies are seen, the editable install of the repository is not.
    (site,) = place.home.glob("lib/python*/site-packages")
    lines = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (site / "dependencies.pth").write_text("\n".join(lines) + "\n", "utf-8")
    return place


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_both_packages_with_every_file_and_nothing_else(
    built: Built, repository: Path, project_files: list[str]
):
    names = [name for name in project_files if name.startswith(("mbc/", "dashboards/"))]
    ours = {name: (repository / name).read_bytes() for name in names}
    packed = contents(built.wheel)
    assert sorted(packed) == sorted(ours)
    assert packed == ours
    assert "mbc/py.typed" in packed


@pytest.mark.slow
def test_the_source_distribution_builds_the_same_wheel(built: Built, tmp_path: Path):
    subprocess.run(["tar", "-xf", str(built.source), "-C", str(tmp_path)], check=True)
    (source,) = tmp_path.iterdir()
    assert source.name == f"{DISTRIBUTION.replace('-', '_')}-{mbc.__version__}"
    again = build(source, tmp_path / "dist", kinds=("wheel",))
    assert again.wheel.name == built.wheel.name
    assert contents(again.wheel) == contents(built.wheel)


def test_the_source_distribution_holds_the_way_to_check_it_and_nobodys_data(built: Built):
    with tarfile.open(built.source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set(contents(built.wheel)) <= names
    assert {"LICENSE", "README.md", "CHANGELOG.md", "Makefile", "requirements.lock"} <= names
    assert {"tests/packaging/test_built_package.py", "docs/index.md", "scripts/setup.sh"} <= names
    assert not {name for name in names if name.startswith((".venv", "data/", "build/", "dist/"))}
    assert not {name for name in names if name.endswith((".db", ".secret", ".pyc"))}


def test_what_is_published_names_the_licence_and_no_tool_of_the_developers(built: Built):
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        published = Parser().parsestr(archive.read(name).decode("utf-8"))
    assert (published["Name"], published["Version"]) == (DISTRIBUTION, mbc.__version__)
    assert published["License-Expression"] == "BSD-3-Clause"
    extras = ["dashboards", "encrypted", "export", "postgres", "reports", "sign-in", "spark"]
    assert published.get_all("Provides-Extra") == extras
    assert not [line for line in published.get_all("Requires-Dist", []) if re.match("pytest|ruff|hatchling", line)]


def test_the_installed_package_is_the_wheel_and_not_the_repository(installed: Installed, repository: Path):
    ask = (
        "import importlib.metadata as m, json, sys, dashboards, mbc;"
        f"d = m.distribution('{DISTRIBUTION}');"
        "print(json.dumps([mbc.__file__, dashboards.__file__, str(d.locate_file('')), d.version, sys.path]))"
    )
    mine, pages, place, number, path = json.loads(installed.run("python", "-c", ask))
    for where in (mine, pages, place):
        assert Path(where).is_relative_to(installed.home)
    assert number == mbc.__version__
    assert str(repository) not in path


def test_version_and_help_of_the_installed_command(installed: Installed):
    assert installed.run("mbc", "--version") == f"mbc, version {mbc.__version__}\n"
    shown = installed.run("mbc", "demo", "--help")
    assert "synthetic clinic" in shown
    assert "--port" in shown


def test_the_installed_command_scores_a_file(installed: Installed):
    # Rosenberg (1965), 0-3 each, items 2, 5, 6, 8 and 9 reversed: 3 + 3 + 3 + 2 + 3 + 2 + 3 + 2 + 3 + 3 = 27
    header = ",".join(f"rses_{number}" for number in range(1, 11))
    (installed.elsewhere / ANSWERS).write_text(f"{header}\n3,0,3,2,0,1,3,1,0,3\n", "utf-8")
    lines = installed.run("mbc", "score", ANSWERS, "rses", "--out", "-").splitlines()
    row = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert float(row["rses_total"]) == 27
    assert int(row["rses_total_answered"]) == 10


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("demo",), ("start", "--name", "ann", "--plain", "--no-browser")],
    ids=["a clinic with invented people", "one person's own record"],
)
def test_the_installed_pages_show_the_sign_in(installed: Installed, words: tuple[str, ...]):
    running = subprocess.Popen(
        installed.command("mbc", *words, "--port", "0"),
        cwd=installed.elsewhere,
        env={**installed.environment(), "MBC_PASSWORD": "seven geese, one harbour lamp"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    patience = threading.Timer(LONGEST, running.kill)
    patience.start()
    try:
        assert running.stdout
        lines = iter(running.stdout.readline, "")
        address = next(found for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with urlopen(address.group(), timeout=LONGEST) as answer:
            assert answer.status == 200
            assert "mbc" in answer.read().decode("utf-8")
        if words[0] == "start":
            assert f"already open at {address.group()}" in installed.run("mbc", "start", "--no-browser")
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=LONGEST)
    finally:
        patience.cancel()
        if running.poll() is None:
            running.kill()
            running.communicate()
