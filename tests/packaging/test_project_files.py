"""Files that people and forges look for say what is true: versions, commands and checks are the project's."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import mbc

MAKE = re.compile(r"^([a-z][a-z-]*):(?:[^=#]*)(?:##.*)?$", re.MULTILINE)


def recipes(makefile: str) -> dict[str, list[str]]:
    """Read the commands of each target."""
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=\S)", makefile.replace("\\\n", " ")):
        head, *lines = block.splitlines() or [""]
        if (target := MAKE.match(head)) and all(line.startswith("\t") for line in lines if line.strip()):
            found[target[1]] = [line.strip().removeprefix("@") for line in lines if line.strip()]
    return found


@pytest.fixture(scope="module")
def makefile(repository: Path) -> dict[str, list[str]]:
    return recipes((repository / "Makefile").read_text("utf-8"))


@pytest.mark.parametrize(
    "name",
    [
        "CITATION.cff",
        "CODE_OF_CONDUCT.md",
        "SECURITY.md",
        ".editorconfig",
        ".pre-commit-config.yaml",
        ".github/PULL_REQUEST_TEMPLATE.md",
        ".github/ISSUE_TEMPLATE/fault.yml",
        ".github/workflows/checks.yml",
        "docs/releasing.md",
    ],
)
def test_the_file_belongs_to_the_project(project_files: list[str], name: str):
    assert name in project_files


def test_every_target_that_is_announced_does_something(repository: Path, makefile):
    announced = re.search(r"^\.PHONY: (.*)$", (repository / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert announced
    # "setup" and "setup-run" are done when what they depend on is there
    assert [name for name in announced[1].split() if not makefile.get(name) and not name.startswith("setup")] == []


def test_documents_name_only_targets_that_exist(repository: Path, project_files: list[str], makefile):
    asked: dict[str, str] = {}
    for name in project_files:
        if name.endswith((".md", ".yml", ".yaml")) or name == ".ci/run":
            text = (repository / name).read_text("utf-8")
            code = re.findall(r"`make [a-z-]+`|^make [a-z -]+|run: make .*", text, re.MULTILINE)
            for line in code:
                words = shlex.split(line.strip("`").removeprefix("run: "))[1:]
                asked |= {word: name for word in words if "=" not in word}
    assert {"demo", "test", "check", "docs", "build", "sbom"} <= set(asked)
    assert {word: name for word, name in asked.items() if word not in makefile} == {}


def test_hooks_run_the_checks_of_make_check(repository: Path, makefile):
    checks = [
        command.replace("$(BIN)", ".venv/bin").replace("$(MAKE) --no-print-directory", "make")
        for command in makefile["check"]
        if not command.startswith("sh scripts/")
    ]
    configured = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text("utf-8"))
    (local,) = configured["repos"]
    assert local["repo"] == "local"
    assert sorted(hook["entry"] for hook in local["hooks"]) == sorted(checks)
    assert len(checks) > 4


def test_the_hooks_are_understood_by_pre_commit(repository: Path):
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_runs_tests_and_checks_on_every_python_that_is_supported(repository: Path, project):
    workflow = yaml.safe_load((repository / ".github/workflows/checks.yml").read_text("utf-8"))
    job = workflow["jobs"]["checks"]
    classifiers = [kind.split(" :: ") for kind in project["project"]["classifiers"]]
    supported = [kind[2] for kind in classifiers if kind[:2] == ["Programming Language", "Python"]]
    assert job["strategy"]["matrix"]["python"] == supported == ["3.11", "3.12", "3.13"]
    assert project["project"]["requires-python"] == ">=3.11,<3.14"
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert [run.split()[:2] for run in runs] == [["make", "test"], ["make", "check"]]
    assert workflow["permissions"] == {"contents": "read"}


def test_the_citation_is_of_this_version_and_licence(repository: Path, project):
    citation = yaml.safe_load((repository / "CITATION.cff").read_text("utf-8"))
    required = {"cff-version", "message", "title", "authors"}  # of the Citation File Format 1.2.0
    assert required <= set(citation)
    assert str(citation["version"]) == mbc.__version__
    assert citation["license"] == project["project"]["license"]


@pytest.mark.parametrize("name", ["fault.yml", "number.yml", "wish.yml"])
def test_a_form_has_what_a_forge_needs_and_distinct_fields(repository: Path, name: str):
    form = yaml.safe_load((repository / ".github/ISSUE_TEMPLATE" / name).read_text("utf-8"))
    assert form["name"]
    assert form["description"]
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields) > 1
    assert all(field["attributes"]["label"] for field in fields)


def test_links_of_the_files_at_the_top_lead_somewhere(repository: Path):
    links = {
        f"{page.name}: {link}": repository / link
        for page in repository.glob("*.md")
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    }
    assert len(links) > 5
    assert [shown for shown, path in links.items() if not path.exists()] == []


@pytest.mark.parametrize(
    "name", ["Makefile", "pyproject.toml", "mbc/errors.py", "docs/releasing.md", "CITATION.cff"]
)
def test_files_end_and_are_indented_as_the_editor_is_told(repository: Path, name: str):
    text = (repository / name).read_text("utf-8")
    assert text.endswith("\n")
    assert "\r" not in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert name == "Makefile" or "\t" not in text
