"""Two locks: what mbc needs to run, and the same versions with the tools to develop it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUN, DEVELOP = "requirements.lock", "requirements-dev.lock"
NOT_LOCKED = {"spark"}  # frames of Spark are read where a clinic has Spark; its 400 MB are nobody else's


def pins(path: Path) -> dict[str, list[Requirement]]:
    """Read the pinned packages of a lock; a package has several pins when interpreters need different versions."""
    lines = re.findall(r"^([A-Za-z0-9].*?==.*?)(?: \\)?$", path.read_text("utf-8"), re.MULTILINE)
    found: dict[str, list[Requirement]] = {}
    for pin in map(Requirement, lines):
        found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def exact(pin: Requirement) -> str:
    (only,) = pin.specifier
    assert only.operator == "=="
    return only.version


def group(project: dict[str, Any], name: str) -> list[Requirement]:
    found: list[Requirement] = []
    for entry in project["dependency-groups"][name]:
        found += [Requirement(entry)] if isinstance(entry, str) else group(project, entry["include-group"])
    return found


def declared(project: dict[str, Any]) -> list[Requirement]:
    extras = project["project"]["optional-dependencies"]
    return [
        *map(Requirement, project["project"]["dependencies"]),
        *(Requirement(line) for extra, lines in extras.items() if extra not in NOT_LOCKED for line in lines),
    ]


def satisfies(locked: dict[str, list[Requirement]], wanted: Requirement) -> bool:
    found = locked.get(canonicalize_name(wanted.name), [])
    return bool(found) and all(wanted.specifier.contains(exact(pin), prereleases=True) for pin in found)


def test_each_lock_holds_what_the_project_declares(repository: Path, project):
    run, develop = pins(repository / RUN), pins(repository / DEVELOP)
    assert [str(wanted) for wanted in declared(project) if not satisfies(run, wanted)] == []
    tools = [*declared(project), *group(project, "dev")]
    assert [str(wanted) for wanted in tools if not satisfies(develop, wanted)] == []


def test_to_develop_is_to_run_the_same_versions_with_tools_beside_them(repository: Path):
    run, develop = pins(repository / RUN), pins(repository / DEVELOP)
    assert run
    assert {name: develop.get(name) for name in run} == run


def test_nobody_who_only_runs_mbc_installs_the_tools(repository: Path, project):
    build = {canonicalize_name(tool.name) for tool in group(project, "build")}
    tools = {canonicalize_name(tool.name) for tool in group(project, "dev")} - build
    assert {"pytest", "playwright", "pyright", "ruff"} <= tools
    assert not tools & set(pins(repository / RUN))


@pytest.mark.parametrize("name", [RUN, DEVELOP])
def test_every_pin_has_hashes_and_no_registry_is_named(repository: Path, name: str):
    text = (repository / name).read_text("utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == sum(map(len, pins(repository / name).values()))
    assert [block.splitlines()[0] for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []
    assert not re.search(r"://|--(?:index-url|extra-index-url|find-links|trusted-host)", text)
