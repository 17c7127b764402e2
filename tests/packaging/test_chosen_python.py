"""Which Python `make` takes: the newest that mbc supports, of one version the distribution's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
DISTRIBUTIONS = Path(f"/usr/bin/python{OURS}")


def chosen(path: Path, *versions: str) -> str:
    """Say which is chosen where a folder comes first on the path."""
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", str(ROOT / "scripts" / "python.sh"), *versions],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    return done.stdout.strip()


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def version(python: str) -> str:
    show = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", show], capture_output=True, text=True, check=True).stdout.strip()


def test_it_is_of_a_version_that_was_asked_for(tmp_path: Path):
    program(tmp_path / f"python{OURS}", f'exec "{sys.executable}" "$@"')
    assert version(chosen(tmp_path, OURS)) == OURS
    assert version(chosen(tmp_path)) in {"3.11", "3.12", "3.13"}
    assert chosen(tmp_path, "4.0") == ""


def test_a_name_that_starts_nothing_or_another_version_is_passed_over(tmp_path: Path):
    """As a shim of pyenv does whose version is not selected, or a link that was moved."""
    for number in ("4.0", "4.1"):
        program(tmp_path / f"python{number}", f'exec "{sys.executable}" "$@"' if number == "4.0" else "exit 127")
    program(tmp_path / "python3", "exit 127")
    program(tmp_path / f"python{OURS}", f'exec "{sys.executable}" "$@"')
    assert version(chosen(tmp_path, "4.1", "4.0", OURS)) == OURS


@pytest.mark.skipif(not DISTRIBUTIONS.exists(), reason=f"the distribution has no {DISTRIBUTIONS.name}")
def test_of_one_version_the_distributions_own_comes_first_if_it_can_make_environments(tmp_path: Path):
    other = program(tmp_path / f"python{OURS}", f'exec "{sys.executable}" "$@"')
    tried = subprocess.run([str(DISTRIBUTIONS), "-c", "import ensurepip"], capture_output=True, check=False)
    makes = tried.returncode == 0
    assert chosen(tmp_path, OURS) == str(DISTRIBUTIONS if makes else other)


def test_one_that_cannot_make_environments_is_better_than_none(tmp_path: Path):
    bare = 'case "$*" in *ensurepip*) exit 1 ;; *sys.version_info*) exit 0 ;; esac; exit 1'
    other = program(tmp_path / "python4.0", bare)
    assert chosen(tmp_path, "4.1", "4.0") == str(other)
