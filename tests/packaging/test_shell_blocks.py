"""The commands that the documentation shows exist, with the options that it gives them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.store import (
    Administration,
    Client,
    Clinician,
    Episode,
    Goal,
    Relationship,
    ReleaseOfInformation,
    Store,
)
from tests.dashboards.record import FIRST, PASSWORD, day, rses_answers

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(page.relative_to(ROOT).as_posix() for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^( *)```(?:sh|bash|zsh|powershell|console)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(mbc [a-z][^`]*)`")
PLACEHOLDER = "…"


def shell_lines(text: str) -> Iterator[str]:
    """Give the commands of the shell blocks, each on a line of its own."""
    for _, block in BLOCK.findall(text):
        yield from (line.strip() for line in block.replace("\\\n", " ").splitlines() if line.strip())


def mbc_words(line: str) -> list[str] | None:
    """Give the words after ``mbc``; None where a line is not a command of ours, or only names one."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    for place, word in enumerate(words):
        if words[max(place - 1, 0)] == "-u":
            continue  # a user of the system
        if word == "mbc" or word.endswith("/bin/mbc"):
            rest = words[place + 1 :]
            ends = [i for i, each in enumerate(rest) if each in {"|", ">", "&&", ";"}]
            return rest[: ends[0]] if ends else rest
        if word not in {"sudo", "-u"} and "=" not in word:
            return None
    return None


def refusal(words: list[str]) -> str:
    """Say what the command line does not know of these words; empty if it knows everything."""
    command: click.Command = program
    context = click.Context(program, info_name="mbc")
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            break
        name, *words = words
        inner = command.get_command(context, name)
        if inner is None:
            return f"there is no '{context.info_name} {name}'"
        command, context = inner, click.Context(inner, info_name=f"{context.info_name} {name}")
    if any(word in {"-h", "--help", "--version"} for word in words):
        return ""
    try:
        command.make_parser(context).parse_args(list(words))
    except click.BadOptionUsage:
        return ""  # a sentence that names an option leaves its value out
    except click.ClickException as fault:
        return f"{context.info_name}: {fault.format_message()}"
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_exists_with_its_options(page: str):
    text = (ROOT / page).read_text("utf-8")
    lines = [
        *shell_lines(text),
        *(line for line in INLINE.findall(text.replace("\n", " ")) if PLACEHOLDER not in line),
    ]
    wrong = [f"{line}: {why}" for line in lines if (words := mbc_words(line)) and (why := refusal(words))]
    assert wrong == []


def test_what_does_not_exist_is_named():
    assert refusal(["bakcup", "x"]) == "there is no 'mbc bakcup'"
    assert "--colour" in refusal(["backup", "x", "--colour"])
    assert refusal(["record", "session", "C-1", "--modality", "video"]) == ""
    assert mbc_words("sudo -u mbc /opt/mbc/bin/mbc init --store x  # first") == ["init", "--store", "x"]


BLOCKING = {"serve", "questionnaire", "demo", "start"}
RUN = (
    "README.md", "docs/access.md", "docs/backup.md", "docs/clinic.md", "docs/import-export.md", "docs/record.md",
    "docs/reports.md", "docs/researcher.md", "docs/own-questionnaires.md",
)  # fmt: skip
NOT_GIVEN = {  # lines with a file, a moment or an answer that only the reader has
    "docs/access.md": ("--as LEAD",),
    "docs/backup.md": ("restore /media", "backup FILE", "mbc encrypt", "store sqlcipher", "postgresql"),
    "docs/clinic.md": ("grant ilse", "clinicians phq9"),  # fifty finished clients
    "docs/import-export.md": ("answers.csv.gz", "letters.", ".json", "bulk", "eav", "DIR", "C-0142 17"),
    "docs/own-questionnaires.md": ("rses --replace", "score answers.csv loneliness"),
    "docs/record.md": ("next/", "retention erase", "mbc erase", "--head "),
    "docs/reports.md": ("--as ilse", "clinic.pdf", "report measures", "--benchmarks"),
    "docs/researcher.md": ("coarse", "mbc twin"),
}


@pytest.fixture
def example_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the examples of the pages name: two clients with a course, accounts, files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MBC_PASSWORD", PASSWORD)
    monkeypatch.setenv("MBC_FOLDER", str(tmp_path / "own"))
    answers = [Administration("C001", "rses", day(week), rses_answers(10 + week)) for week in range(6)]
    with Store.create("sqlite:///clinic.db") as store:
        with store.writing() as record:
            record.add_all([Clinician("K1", "Ash"), Clinician("K2", "Birch"), Client("C001", None, "K1", FIRST)])
            record.add_all([Client("C-0142", None, "K1", FIRST), Episode("E1", "C-0142", "K1", FIRST, FIRST)])
            record.add_all(
                [Relationship("R-1", "C-0142", "R1"), Goal("G1", "C-0142", "say what I need", FIRST, 2, 8)]
            )
            record.add_all([*answers, *(replace(each, client_id="C-0142") for each in answers)])
            record.add(ReleaseOfInformation("R-1", "C001", "couples therapist", "joint", "rses", FIRST, day(90)))
        store.accounts.add("ann", PASSWORD, "clinician", "K1")
        store.accounts.add("sue", PASSWORD, "supervisor", supervises=["K1"])
    header = "client_id,date," + ",".join(f"rses_{n}" for n in range(1, 11))
    Path("answers.csv").write_text(f"{header}\nC001,2026-05-04,3,0,3,2,0,1,3,1,0,3\n", "utf-8")
    for name, column, value in (("days", "day", 14), ("waves", "wave", 1)):
        text = header.replace("date", column)
        Path(f"{name}.csv").write_text(f"{text}\nC-02,{value},3,0,3,2,0,1,3,1,0,3\n", "utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_the_blocks_of_a_page_run_as_they_stand(page: str, example_record: Path):
    text = (ROOT / page).read_text("utf-8")
    if page == "README.md":
        (example_record / "clinic.db").unlink()
        (example_record / "rses.csv").write_text(re.findall(r"```csv\n(.*?)```", text, re.DOTALL)[0], "utf-8")
    if page == "docs/reports.md":
        CliRunner().invoke(program, ["release", "make", "2026-Q3"], catch_exceptions=False)
    (example_record / "stick").mkdir()
    failed = []
    for line in shell_lines(text):
        words = mbc_words(line.replace("/media/stick", "stick"))
        if not words or words[0] in BLOCKING or any(part in line for part in NOT_GIVEN.get(page, ())):
            continue
        redirect = None
        if ">" in line.partition("#")[0]:
            redirect = Path(line.partition("#")[0].rpartition(">")[2].strip())
        done = CliRunner().invoke(program, words, input="y\n" * 3)
        if redirect is not None:
            redirect.write_text(done.stdout, "utf-8")
        if done.exit_code:
            failed.append(f"{line}: {done.exception or done.output}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("page", PAGES)
def test_no_example_reads_a_file_of_the_repository(page: str):
    text = (ROOT / page).read_text("utf-8")
    assert re.findall(r"^(?:>>>|\.\.\.) .*[\"'](?:data|docs|tests)/.*$", text, re.MULTILINE) == []
