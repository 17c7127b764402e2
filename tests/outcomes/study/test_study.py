"""A study from its file to the pooled rates: the same everywhere, nothing but what is published, no mix-ups."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mbc import outcomes
from mbc.errors import MbcError, SettingsError
from mbc.models import pool_proportions
from mbc.outcomes.study.result import write_result
from tests.cli.in_process import mbc
from tests.outcomes.made_people import make_people
from tests.outcomes.test_nhs import write_record

SPECIFICATION = """
name = "recovery"
version = "1"
question = "How many recovered?"
period = "2026-Q2"
cohort = "finished"
smallest_count = 5
definitions = ["nhs", "jacobson-truax"]
"""
CLINICS = ("north", "south", "west")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clinics' folders, the specification, and their results."""
    folder = tmp_path_factory.mktemp("study")
    spec = folder / "recovery.toml"
    spec.write_text(SPECIFICATION)
    for seed, clinic in enumerate(CLINICS):
        rows = write_record(make_people(40 + seed, size=150), folder / "rows" / clinic)
        made = mbc("study", "run", spec, rows, "--result", folder / clinic)
        assert made.returncode == 0, made.stderr
    return folder


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def test_a_result_has_published_numbers_and_nothing_of_anybody(home):
    text = (home / "north" / "result.json").read_text()
    result = outcomes.read_result(home / "north")
    assert not re.search(r"P\d{3}|\bK[123]\b|north", text)
    assert set(re.findall(r"\d{1,2} [A-Z][a-z]{2} \d{4}", text)) == {"1 Apr 2026", "30 Jun 2026"}
    assert not re.search(r"\d{4}-\d{2}-\d{2}", text)
    counts = [cell["rounded"] for each in result.reports for cell in each["counts"].values()]
    assert {count % 5 for count in counts if count is not None} == {0}
    assert None in counts
    figures = pl.read_csv(home / "north" / "figures.csv")
    assert set(figures["definition"]) == {"nhs", "jacobson-truax"}
    assert figures.filter("hidden")["count"].null_count() == figures.filter("hidden").height > 0
    assert (home / "north").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_either_engine_gives_the_same_figures(home, tmp_path):
    spec = home / "recovery.toml"
    made = mbc("study", "run", spec, home / "rows" / "north", "--engine", "duckdb", "--result", tmp_path / "n")
    assert made.returncode == 0, made.stderr
    here, other = outcomes.read_result(home / "north"), outcomes.read_result(tmp_path / "n" / "result.json")
    assert (here.reports, here.digest) == (other.reports, other.digest)
    assert here.run != other.run


def test_a_result_is_not_written_over(home):
    spec = home / "recovery.toml"
    again = mbc("study", "run", spec, home / "rows" / "north", "--result", home / "north")
    assert again.returncode == 1
    assert "not written by an export" in again.stderr


def test_each_rate_that_two_publish_is_pooled_and_the_others_say_who_hides_them(home, tmp_path):
    results = {clinic: outcomes.read_result(home / clinic) for clinic in CLINICS}
    made = outcomes.pool_results(outcomes.read_study(home / "recovery.toml"), results)
    common = next(rate for rate in made.rates if rate.definition == "nhs" and len(rate.clinics) == 3)
    figures = [
        next(figure for figure in result.reports[0]["figures"] if figure["metric"] == common.metric)
        for result in results.values()
    ]
    expected = pool_proportions(
        [figure["count"] for figure in figures], [figure["of"] for figure in figures], rounded_to=5
    )
    assert common.pooled is not None
    assert common.pooled.estimate == expected.estimate
    assert common.clinics == CLINICS
    for rate in made.rates:
        assert set(rate.clinics) | set(rate.hidden) == set(CLINICS)
        assert (rate.pooled is None) is (len(rate.clinics) < 2)
    assert any(rate.hidden for rate in made.rates)
    printed = mbc(
        "study",
        "pool",
        home / "recovery.toml",
        *(home / clinic for clinic in CLINICS),
        "--csv",
        tmp_path / "p.csv",
    )
    assert printed.returncode == 0, printed.stderr
    assert f"{common.title}: {100 * expected.estimate:.0f} %" in printed.stdout
    assert any(rate.pooled is not None and rate.hidden for rate in made.rates)
    assert re.search(r"2 clinics; hidden, or nobody, at 1\n", printed.stdout)
    assert pl.read_csv(tmp_path / "p.csv").height == len(made.rates)


@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('cohort = "finished"', 'cohort = "started"'),
        pytest.param('version = "1"', 'version = "2"', marks=pytest.mark.slow),
        pytest.param('period = "2026-Q2"', 'period = "2025 to 2026-Q2"', marks=pytest.mark.slow),
        ('"nhs", "jacobson-truax"', '"nhs", "hedis"'),
    ],
)
def test_results_of_another_specification_are_refused(home, tmp_path, old, new):
    other = tmp_path / "other.toml"
    other.write_text(changed(SPECIFICATION, old, new))
    refused = mbc("study", "pool", other, home / "north", home / "south")
    assert refused.returncode == 1
    assert "'north' answers another specification" in refused.stderr


def test_a_definition_counts_by_what_it_says_not_by_its_file(tmp_path):
    copy = mbc("outcomes", "--print-definition", "nhs").stdout
    digests = []
    for name, text in (("a", copy), ("b", copy), ("c", changed(copy, "caseness = 10", "caseness = 11"))):
        (tmp_path / f"{name}.toml").write_text(text)
        spec = tmp_path / f"spec-{name}.toml"
        spec.write_text(changed(SPECIFICATION, '["nhs", "jacobson-truax"]', f'["{name}.toml"]'))
        digests.append(outcomes.read_study(spec).digest)
    assert digests[0] == digests[1] != digests[2]


def test_what_decides_the_numbers_is_told_apart_from_words(tmp_path):
    def numbers(text: str) -> str:
        (tmp_path / "spec.toml").write_text(text)
        return outcomes.read_study(tmp_path / "spec.toml").numbers_digest

    copy = mbc("outcomes", "--print-definition", "nhs").stdout
    (tmp_path / "a.toml").write_text(changed(copy, 'title = "NHS Talking Therapies"', 'title = "As we say it"'))
    (tmp_path / "b.toml").write_text(changed(copy, "caseness = 10", "caseness = 11"))
    first = numbers(SPECIFICATION)
    for old, new in (
        ('name = "recovery"', 'name = "another"'),
        ('version = "1"', 'version = "2"'),
        ("How many recovered?", "And now?"),
        ('period = "2026-Q2"', 'period = "2026-Q2 to 2026-Q2"'),
        ('"nhs", "jacobson-truax"', '"jacobson-truax", "a.toml"'),
    ):
        assert numbers(changed(SPECIFICATION, old, new)) == first, new
    for old, new in (
        ('cohort = "finished"', 'cohort = "started"'),
        ("smallest_count = 5", "smallest_count = 6"),
        ('period = "2026-Q2"', 'period = "2026-Q1 to 2026-Q2"'),
        ('"nhs", "jacobson-truax"', '"b.toml", "jacobson-truax"'),
        ('"nhs", "jacobson-truax"', '"nhs"'),
    ):
        assert numbers(changed(SPECIFICATION, old, new)) != first, new


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_that_is_not_utf_8_is_refused_in_words(tmp_path, encoding):
    spec = tmp_path / "spec.toml"
    spec.write_bytes(changed(SPECIFICATION, "How many", "Combien sont guéris: how many").encode(encoding))
    with pytest.raises(SettingsError) as refused:
        outcomes.read_study(spec)
    assert "'spec.toml' is not UTF-8 text" in str(refused.value)
    assert "codec" not in str(refused.value)
    spec.write_bytes(SPECIFICATION.encode("utf-8-sig"))  # as editors on Windows write it
    assert outcomes.read_study(spec).specification.name == "recovery"


def edited(home: Path, clinic: str, **changes: Any) -> outcomes.StudyResult:
    return outcomes.read_result(home / clinic).model_copy(update=changes)


def test_other_versions_are_named_and_what_was_changed_is_refused(home):
    study = outcomes.read_study(home / "recovery.toml")
    north, south = (outcomes.read_result(home / clinic) for clinic in ("north", "south"))
    made = outcomes.pool_results(study, {"north": north, "south": edited(home, "south", mbc="0.1.0")})
    assert "0.1.0: south" in made.notes[0]
    assert outcomes.pool_results(study, {"north": north, "south": south}).notes == ()
    with pytest.raises(SettingsError, match="'a' and 'b' are the same result"):
        outcomes.pool_results(study, {"a": north, "b": north})
    with pytest.raises(SettingsError, match="two clinics at least"):
        outcomes.pool_results(study, {"a": north})
    reports = json.loads(json.dumps(south.reports))
    figure = next(each for each in reports[0]["figures"] if each["metric"] == "recovery")
    figure["count"] = 7
    with pytest.raises(SettingsError, match="'south' has counts of recovery that are not rounded to 5"):
        outcomes.pool_results(study, {"north": north, "south": edited(home, "south", reports=tuple(reports))})
    with pytest.raises(SettingsError, match="does not fit its own specification"):
        outcomes.pool_results(study, {"north": north, "south": edited(home, "south", reports=())})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version = "1"\n', "", "version: Field required"),
        ('version = "1"', 'version = "1"\ncolour = "red"', "colour: Extra inputs"),
        ("smallest_count = 5", "smallest_count = 4", "smallest_count"),
        ('cohort = "finished"', 'cohort = "done"', "cohort: Input should be 'finished'"),
        ('period = "2026-Q2"', 'period = "2026-05"', "calendar quarter or year"),
        ('period = "2026-Q2"', 'period = "2026 to 2025"', "ends .* before it starts"),
        ('period = "2026-Q2"', 'period = "2025 to "', "calendar quarter or year, .*; got ''"),
        ('"nhs", "jacobson-truax"', '"nhs", "nhs"', "have the same rules"),
        ('"nhs", "jacobson-truax"', '"saes"', "takes its reference from this clinic's own clients"),
        ('"nhs", "jacobson-truax"', '"nsh"', "Did you mean 'nhs'"),
        ('"nhs", "jacobson-truax"', '"../nhs.toml"', "in the same folder"),
        ('"nhs", "jacobson-truax"', '"away.toml"', "'away.toml' cannot be read"),
        ('name = "recovery"', 'name = "../x"', "name: String should match"),
        ('name = "recovery"', "name = ", "cannot be read"),
    ],
)
def test_a_specification_with_a_fault_is_refused(tmp_path, old, new, message):
    spec = tmp_path / "spec.toml"
    spec.write_text(changed(SPECIFICATION, old, new))
    with pytest.raises(MbcError, match=message):
        outcomes.read_study(spec)


def test_check_says_what_is_asked_and_wrong_files_are_refused(home, tmp_path):
    checked = mbc("study", "check", home / "recovery.toml")
    assert checked.returncode == 0
    for words in ("How many recovered?", "between 1 Apr 2026 and 30 Jun 2026", "NHS Talking Therapies", "under 5"):
        assert words in checked.stdout
    (tmp_path / "result.json").write_text("{}")
    (tmp_path / "north").mkdir()
    for path, words in ((tmp_path, "is not the result of a study"), (tmp_path / "north", "cannot be read")):
        refused = mbc("study", "pool", home / "recovery.toml", path, home / "south")
        assert refused.returncode == 1
        assert words in refused.stderr
    usage = mbc("study", "run", home / "recovery.toml", "--engine", "duckdb", "--result", tmp_path / "new")
    assert usage.returncode == 2


def test_a_period_that_is_not_over_is_refused(home):
    study = outcomes.read_study(home / "recovery.toml")
    with pytest.raises(SettingsError, match="ends on 2026-06-30 and is not over"):
        study.require_over(dt.date(2026, 6, 30))
    study.require_over(dt.date(2026, 7, 1))


def test_a_result_is_written_completely_or_not_at_all(home, tmp_path):
    result = outcomes.read_result(home / "north")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("ours")
    with pytest.raises(SettingsError, match="not written by an export"):
        write_result(result, tmp_path / "taken")
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["notes.txt"]
    write_result(result, tmp_path / "new")
    assert outcomes.read_result(tmp_path / "new") == result
