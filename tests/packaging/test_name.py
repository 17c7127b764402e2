"""The distribution is called mbc-toolkit everywhere: ``mbc`` on the public index is another project's."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import mbc
from mbc.distribution import DISTRIBUTION, UPGRADE, install_hint

IMPORT_NAME = "mbc"
OTHERS = rf"(?<![\w./-]){IMPORT_NAME}(?![\w-])"  # the bare name, which somebody else owns on the index
INSTALLER = "(?:pip3?|pipx|uv|uvx|poetry|pdm|conda|mamba)"
EXTRAS = "dashboards|dev|encrypted|export|postgres|reports|sign-in|spark"
OLD_KINDS = [
    rf"\b{INSTALLER}\b[ \w.-]*?\b(?:install|add|download|run|tool)\b(?:\s+[^\s`]+)*?\s+['\"`]*{OTHERS}",
    rf"{OTHERS}\\?\[(?:{EXTRAS})\b",
    rf"{OTHERS}\s*(?:[=~<>]=)\s*\d",
    rf"\bvia {OTHERS}",
    rf"""\b(?:version|distribution|metadata|requires|files)\(\s*['"]{IMPORT_NAME}['"]""",
    rf"""\bpackage_name\s*=\s*['"]{IMPORT_NAME}['"]""",
    rf"/(?:project|simple|pypi|v|dm)/{IMPORT_NAME}(?![\w-])",
]
LOOKS_OLD = re.compile("|".join(f"(?:{kind})" for kind in OLD_KINDS))


def old_kind(text: str) -> list[str]:
    """Lines and commands that would install, or ask for, somebody else's package."""
    lines = (line for line in joined(text) if IMPORT_NAME in line)  # as in every kind, and quickly seen
    return [found.group() for line in lines if (found := LOOKS_OLD.search(line))]


def joined(text: str) -> list[str]:
    return re.sub(r"\\\n\s*", "", text).splitlines()


@pytest.mark.long
def test_no_file_of_the_project_installs_somebody_elses_package(repository: Path, project_files: list[str]):
    found = {}
    for name in project_files:
        data = (repository / name).read_bytes()
        if b"\0" not in data and (lines := old_kind(data.decode("utf-8"))):
            found[name] = lines
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        f"pip install {IMPORT_NAME}",
        f"python -m pip install --upgrade {IMPORT_NAME}",
        f"pip3 install '{IMPORT_NAME}[export]'",
        f"Install it: pip install '{IMPORT_NAME}[dashboards]'.",
        f"uv pip install polars {IMPORT_NAME}",
        f"uv add {IMPORT_NAME}",
        f"pipx install {IMPORT_NAME}=={mbc.__version__}",
        f"pip install \\\n    {IMPORT_NAME}",
        rf"match='{IMPORT_NAME}\[postgres\]'",
        f"    # via {IMPORT_NAME} (pyproject.toml)",
        f'importlib.metadata.version("{IMPORT_NAME}")',
        f'package_name="{IMPORT_NAME}"',
        f"https://index.example/project/{IMPORT_NAME}/",
    ],
)
def test_the_search_finds_each_old_kind(line: str):
    assert old_kind(line)


@pytest.mark.parametrize(
    "line",
    [
        install_hint(),
        install_hint("export", "dashboards"),
        UPGRADE,
        "pip install -r requirements.lock",
        "mbc import rses.csv --clinician K01",
        f"# via {DISTRIBUTION} (pyproject.toml)",
        "git clone, then make setup: mbc is on your path",
        f'version("{DISTRIBUTION}")',
    ],
)
def test_the_search_lets_the_new_kind_pass(line: str):
    assert not old_kind(line)


def test_the_constant_is_the_name_that_is_published(project):
    assert project["project"]["name"] == DISTRIBUTION
    assert set(project["project"]["optional-dependencies"]) <= set(EXTRAS.split("|"))


def test_version_numbers_agree(project):
    assert version(DISTRIBUTION) == mbc.__version__ == project["project"]["version"]


def test_the_command_line_tells_the_version_of_the_distribution():
    shown = subprocess.run([sys.executable, "-m", "mbc", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"mbc, version {version(DISTRIBUTION)}\n"


def test_messages_name_only_extras_that_exist(repository: Path, project, project_files: list[str]):
    asked = set()
    for name in project_files:
        if name.endswith(".py") and name.startswith(("mbc/", "dashboards/", "tests/")):
            calls = re.findall(r"\binstall_hint\(([^)]*)\)", (repository / name).read_text("utf-8"))
            asked |= set(re.findall(r"['\"]([\w-]+)['\"]", " ".join(calls)))
    assert {"dashboards", "encrypted", "export", "postgres"} <= asked
    assert asked <= set(project["project"]["optional-dependencies"])
