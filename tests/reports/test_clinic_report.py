"""The clinic's report says what a release says; a stranger computes its figures again."""

from __future__ import annotations

import csv
import io
import json
import re
import runpy
import stat
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner

from mbc.care.clinic.releases import make_release
from mbc.cli.program import program
from mbc.errors import AccessDenied, ReportError
from mbc.reports.benchmarks import read_benchmarks
from mbc.reports.clinic_report import clinic_document, document_of, read_release
from mbc.reports.clinic_workbook import workbook_of
from mbc.reports.document import Heading, Picture, Table, all_words
from mbc.reports.recompute.pack import PROGRAM, pack_files, write_pack
from mbc.store import Store
from tests.care.clinic.test_releases import PASSWORD, QUARTERS, TODAY, fill
from tests.outcomes.made_people import make_people
from tests.reports.documents import read_html, read_pdf, squeezed


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('clinic') / 'clinic.db'}"
    with Store.create(address) as made:
        fill(made, make_people(seed=11, size=400))
        made.accounts.add("ana", PASSWORD, "analyst")
        made.accounts.add("ash", PASSWORD, "clinician", clinician_id="K1")
        for quarter in QUARTERS:
            make_release(made, quarter, today=TODAY)
    return address


@pytest.fixture(scope="module")
def store(url) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


def figures(store: Store, quarter: str) -> list[dict]:
    return [figure for report in store.release(quarter).content["reports"] for figure in report["figures"]]


def row_of(block: Table) -> bool:
    return "95 % interval" in block.headings


def test_it_says_what_the_release_says_and_nothing_that_it_hides(store):
    document = clinic_document(store.as_user("ana"))
    printed = read_pdf(document.pdf())
    text = squeezed(printed.text)
    for figure in figures(store, "2026-Q3"):
        assert squeezed(figure["words"]) in text, figure["metric"]
        if figure["bounds"]:
            assert squeezed(figure["bounds"]) in text, figure["metric"]
    (results,) = [block for block in document.blocks if isinstance(block, Table) and row_of(block)]
    before = {figure["metric"]: figure for figure in figures(store, "2026-Q2")}
    now = {figure["metric"]: figure for figure in figures(store, "2026-Q3")}
    percents = {None: "not shown"}
    main = ("recovery", "reliable_improvement", "reliable_deterioration", "reliable_recovery")
    for row, metric in zip(results.rows, main, strict=True):
        (rate,) = row[2]
        assert rate.text == percents.get(now[metric]["percent"], f"{now[metric]['percent']} %")
        assert row[5] == percents.get(before[metric]["percent"], f"{before[metric]['percent']} %")


def test_a_directors_page_and_an_appendix_tagged_and_the_same_bytes_every_time(store):
    document = clinic_document(store)
    for paper in ("a4", "us-letter"):
        content = document.pdf(paper=paper)
        printed = read_pdf(content)
        assert "Appendix" not in printed.pages[0].replace("appendix", "")
        assert "What this page does not show" in printed.pages[0]
        assert printed.pages[1].startswith("Appendix A")
        assert (printed.language, printed.part) == ("en", "1")
        assert all(printed.alternatives)
        assert content == document.pdf(paper=paper)
    names = [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 2]
    assert [name[:10] for name in names[-4:]] == ["Appendix A", "Appendix B", "Appendix C", "Appendix D"]
    assert ("class", "new-sheet") in read_html(document.html()).attributes
    words = " ".join(all_words(document.blocks))
    assert "Funnel plot of the releases" in words  # three releases have a rate
    assert not re.search(r"\bP\d{3}\b|\bK[123]\b", words)  # nobody's number, no clinician's
    assert re.search(r"(?i)hits|hark|safety|violence", words) is None


def test_the_first_release_has_no_trend(store):
    document = clinic_document(store, "2026-Q1")
    assert "This is the first release" in " ".join(all_words(document.blocks))


def test_the_workbook_has_the_figures_and_their_definitions(store):
    read = read_release(store.as_user("ana"))
    content = workbook_of(read)
    assert content == workbook_of(read)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["about", "figures", "flow", "definitions", "trends"]
    rows = list(book["figures"].iter_rows(values_only=True))
    metrics = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    for row, figure in zip(metrics, figures(store, "2026-Q3"), strict=True):
        assert (row["metric"], row["count"], row["worst"]) == (figure["metric"], figure["count"], figure["worst"])
    assert {row[0] for row in book["trends"].iter_rows(min_row=2, values_only=True)} == set(QUARTERS)
    texts = [row[2] for row in book["definitions"].iter_rows(min_row=2, values_only=True)]
    assert any("Reliable improvement: on at least one measure" in text for text in texts)


def test_who_sees_single_clients_has_no_report_of_the_clinic(store):
    with pytest.raises(AccessDenied, match="subtracted"):
        clinic_document(store.as_user("ash"))


def test_without_a_release_it_says_how_one_is_made(store, tmp_path):
    with Store.create(f"sqlite:///{tmp_path / 'c.db'}") as empty, pytest.raises(ReportError, match="release make"):
        clinic_document(empty)
    with pytest.raises(ReportError, match="2026-Q3, 2026-Q2, 2026-Q1"):
        clinic_document(store, "2025-Q1")


def test_every_released_number_is_computed_again(store):
    """In process, each release: every count-based figure of the release comes out of the pack's own program."""
    again = runpy.run_path(str(PROGRAM))
    for quarter in QUARTERS:
        files = pack_files(store.release(quarter))
        compared, wrong = again["differences"](json.loads(files["release.json"]))
        rows = list(csv.DictReader(io.StringIO(files["figures.csv"].decode())))
        assert wrong == again["table_differences"](json.loads(files["release.json"]), rows) == []
        rates = [each for each in figures(store, quarter) if each["unit"] == "percent"]
        assert compared == sum(2 if each["completeness"] else 8 for each in rates)


def test_a_stranger_runs_the_pack_and_is_told_of_every_change(store, tmp_path):
    """Without any package: -I leaves out the environment and -S what is installed."""
    folder = write_pack(store.release("2026-Q2"), tmp_path / "pack")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(folder / "recompute.py")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    fine = run()
    assert (fine.returncode, fine.stderr) == (0, "")
    assert re.fullmatch(r"\d{3} numbers computed again, 0 differences\.\n", fine.stdout)
    text = (folder / "release.json").read_text()
    (folder / "release.json").write_text(re.sub(r'"percent": (\d+)', '"percent": 99', text, count=1))
    changed = run()
    assert changed.returncode == 1
    assert "release.json is not the original file of the pack" in changed.stdout
    assert "percent is 99 but is recomputed as" in changed.stdout
    with pytest.raises(ReportError, match="already exists"):
        write_pack(store.release("2026-Q2"), folder)


@pytest.mark.slow
def test_the_pack_runs_in_an_environment_of_its_own(store, tmp_path):
    folder = write_pack(store.release("2026-Q1"), tmp_path / "pack")
    venv.create(tmp_path / "empty", with_pip=True)
    python = next((tmp_path / "empty").glob("*/python*"))
    install = [python, "-m", "pip", "install", "--no-index", "-r", folder / "requirements.txt"]
    subprocess.run(install, check=True, capture_output=True)
    subprocess.run([python, folder / "recompute.py"], check=True, capture_output=True, env={})


BENCHMARKS = """
[[benchmark]]
definition = "nhs"
measure = "reliable_recovery"
figure = 48.5
population = "five services, 2025"
n = 4120
source = "=Annual report, table 4"
read_on = 2026-11-02

[[benchmark]]
definition = "nhs"
measure = "reliable_recovery"
figure = 60
population = "goal of the board"
source = "Minutes of 3 March"
read_on = 2026-11-03
"""


def test_benchmarks_stand_next_to_their_rate_with_their_sources(store, tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(BENCHMARKS)
    read = read_release(store, None, read_benchmarks(file))
    blocks = document_of(read).blocks
    (table,) = [block for block in blocks if isinstance(block, Table) and block.headings[0] == "Benchmark"]
    assert table.rows == (
        ("48.5 %", "five services, 2025", "4120", "=Annual report, table 4", "2 Nov 2026"),
        ("60 %", "goal of the board", "a target", "Minutes of 3 March", "3 Nov 2026"),
    )
    (picture,) = [block for block in blocks if isinstance(block, Picture) and "with benchmarks" in block.alt]
    assert "48.5 % (five services, 2025)" in picture.svg
    assert any(isinstance(block, Heading) and block.text.startswith("Appendix E: benchmarks") for block in blocks)
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_of(read)))["benchmarks"]
    first = next(sheet.iter_rows(min_row=2, values_only=True))
    assert first[:5] == ("nhs", "reliable_recovery", 48.5, "five services, 2025", 4120)
    assert not str(first[5]).startswith("=")
    assert "benchmark" not in " ".join(all_words(clinic_document(store).blocks)).lower()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"nhs"', '"hedis"', "'hedis', but the release has nhs, jacobson-truax"),
        ('"reliable_recovery"', '"recovry"', "'recovry', which 'nhs' does not have. It has"),
        ('"reliable_recovery"', '"finished_course"', "'finished_course', which is only a count in 'nhs'"),
        ("48.5", "148.5", "benchmark 1 figure: Input should be less than or equal to 100"),
        ("read_on = 2026-11-02", "", "benchmark 1 read_on: Field required"),
        ("n = 4120", "size = 4120", "benchmark 1 size: Extra inputs"),
        ("[[benchmark]]", "[benchmark", "cannot be read as TOML"),
    ],
)
def test_a_faulty_file_of_benchmarks_is_refused_with_the_place(store, tmp_path, old, new, words):
    (tmp_path / "own.toml").write_text(BENCHMARKS.replace(old, new, 1))
    with pytest.raises(ReportError, match=re.escape(words)):
        read_release(store, None, read_benchmarks(tmp_path / "own.toml"))


def test_the_command_writes_each_kind_and_leaves_its_line(url, tmp_path):
    def run(*words: object) -> str:
        arguments = ["report", "clinic", *map(str, words), "--store", url, "--as", "ana"]
        result = CliRunner().invoke(program, arguments, catch_exceptions=False, standalone_mode=False)
        assert result.exit_code == 0
        return result.output

    for name in ("a.pdf", "a.html", "a.xlsx"):
        assert "Written to" in run("-o", tmp_path / name, "--release", "2026-Q2")
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert "recompute.py" in run("--recompute-pack", tmp_path / "pack")
    with Store.open(url) as store:
        lines = store.audit.entries(action="report").filter(pl.col("who") == "ana")
    kinds = [json.loads(detail) for detail in lines["detail"]]
    assert [kind["form"] for kind in kinds[-4:]] == ["pdf", "html", "xlsx", "recompute pack"]
    assert {kind["release"] for kind in kinds[-4:]} == {"2026-Q2", "2026-Q3"}
    assert lines["subject"].is_null().all()
    with pytest.raises(ReportError, match=r"\.pdf, \.html or \.xlsx"):
        run("-o", tmp_path / "a.docx")
    with pytest.raises(Exception, match="Nothing to write"):
        run()
    (tmp_path / "own.toml").write_text(BENCHMARKS)
    with pytest.raises(Exception, match="name its file with -o"):
        run("--recompute-pack", tmp_path / "pack2", "--benchmarks", tmp_path / "own.toml")
    assert not Path(tmp_path / "a.docx").exists()
