"""A file of answers scored from the command line; bad files refused with row and reason, status 1."""

from __future__ import annotations

import gzip

import polars as pl
import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from tests.cli.in_process import mbc

pytestmark = pytest.mark.long

HEADER = ["id", *(f"phq9_{n}" for n in range(1, 10))]
ROWS = [["a", *"111111111"], ["b", *"22222222", ""], ["c", *"000000000"]]


def text(rows, separator=","):
    return "\n".join(separator.join(row) for row in [HEADER, *rows]) + "\n"


@pytest.fixture
def answers(tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text(text(ROWS), encoding="utf-8")
    return file


def call(*arguments):
    return CliRunner().invoke(program, ["score", *map(str, arguments)], catch_exceptions=False)


def command(*arguments):
    """Run the command as a user does, to its exit status."""
    return mbc("score", *arguments)


def test_a_summary_is_shown(answers):
    out = call(answers, "phq9")
    assert out.exit_code == 0
    assert "3 rows" in out.output
    assert "minimal 1, mild 1, moderate 0, moderately severe 1, severe 0" in out.output


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_all_rows_are_written_with_their_scores(answers, tmp_path, suffix):
    out = tmp_path / f"scored.{suffix}"
    assert call(answers, "phq9", "--out", out).exit_code == 0
    readers = {
        "csv": pl.read_csv,
        "tsv": lambda file: pl.read_csv(file, separator="\t"),
        "parquet": pl.read_parquet,
    }
    frame = readers[suffix](out)
    assert frame.columns[: len(HEADER)] == HEADER
    assert frame["phq9_total"].to_list() == [9.0, 18.0, 0.0]
    assert frame["phq9_total_prorated"].to_list() == [False, True, False]


def test_a_scored_parquet_file_is_read_as_well(tmp_path):
    file = tmp_path / "answers.parquet"
    pl.DataFrame({f"phq9_{n}": [1, 2] for n in range(1, 10)}).write_parquet(file)
    assert "2 rows" in call(file, "phq9").output


def test_rows_to_standard_output(answers):
    lines = call(answers, "phq9", "--out", "-").output.splitlines()
    assert lines[0].endswith("phq9_total,phq9_total_answered,phq9_total_band,phq9_total_prorated")
    assert lines[1] == "a,1,1,1,1,1,1,1,1,1,9.0,9,mild,false"


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_separators_and_encodings_are_recognised(tmp_path, separator, encoding):
    file = tmp_path / "answers.csv"
    file.write_bytes(text([["é", *"111111111"]], separator).encode(encoding))
    assert "mild 1" in call(file, "phq9").output


def test_options_reach_the_score(tmp_path):
    file = tmp_path / "rses.csv"
    file.write_text(",".join(f"Q{n}" for n in range(1, 11)) + "\n4,4,1,4,1,4,4,1,1,1\n", encoding="utf-8")
    out = call(file, "rses", "--items", "Q{n}", "--form", "b", "--coding", "1-4", "--out", "-")
    assert out.output.splitlines()[1].endswith(",30.0,10")
    names = ",".join(f"Q{n}" for n in range(1, 11))
    assert call(file, "rses", "--items", names, "--form", "b", "--coding", "1-4").exit_code == 0


def test_answers_out_of_range_are_refused_row_by_row(tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text(text([*ROWS, ["d", "5", *"11111111"], ["e", *"11111111", "often"]]), encoding="utf-8")
    done = command(file, "phq9")
    assert done.returncode == 1
    assert "2 rows have answers that are not accepted" in done.stderr
    assert "row 5, phq9_1: 5 (accepted: 0-3)" in done.stderr
    assert "row 6, phq9_9: 'often' (accepted: 0-3)" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert call(file, "phq9", "--invalid", "null").exit_code == 0


@pytest.mark.parametrize(
    ("content", "key", "message"),
    [
        (text(ROWS), "phq8", "There is no instrument 'phq8'. Did you mean 'phq9'"),
        (text(ROWS).replace("phq9_9", "PHQ_9"), "phq9", "Rename 'PHQ_9' -> 'phq9_9'?"),
        (text([["a", *(["1,5"] * 9)]], ";"), "phq9", "have 1.5 (accepted: 0-3)"),
        ("", "phq9", "is empty"),
        (text([]), "phq9", "no rows"),
    ],
)
def test_bad_files_are_refused_with_the_reason(tmp_path, content, key, message):
    file = tmp_path / "answers.csv"
    file.write_text(content, encoding="utf-8")
    done = command(file, key)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there(tmp_path):
    done = command(tmp_path / "no.csv", "phq9")
    assert (done.returncode, "cannot be read" in done.stderr) == (1, True)


def test_files_that_are_what_they_do_not_say(tmp_path):
    for name in ("answers.parquet", "answers.csv.gz"):
        (tmp_path / name).write_text("no such thing", encoding="utf-8")
        done = command(tmp_path / name, "phq9")
        assert done.returncode == 1
        assert "cannot be" in done.stderr


def test_nothing_is_overwritten_unasked(answers, tmp_path):
    out = tmp_path / "scored.csv"
    out.write_text("mine", encoding="utf-8")
    assert call(answers, "phq9", "--out", out).exit_code == 2
    assert out.read_text(encoding="utf-8") == "mine"
    assert call(answers, "phq9", "--out", answers, "--force").exit_code == 2
    assert call(answers, "phq9", "--out", out, "--force").exit_code == 0
    assert call(answers, "phq9", "--out", tmp_path / "scored.docx").exit_code == 2
    assert call(answers, "phq9", "--out", tmp_path / "no" / "scored.csv").exit_code == 2


def test_score_doubts_what_import_doubts(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(text([[str(n), *("1", "2", "3") * 3] for n in range(40)]))
    done = command(file, "phq9")
    assert done.returncode == 1
    assert "no answer of 360 is 0" in done.stderr
    assert command(file, "phq9", "--coding", "0-3").returncode == 0


def test_score_refuses_two_columns_of_one_name_and_says_how_to_name_blanks(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("phq9_1," + text(ROWS).replace("\n", "\n1,").removesuffix("1,"))
    assert "more than one column named 'phq9_1'" in command(file, "phq9").stderr
    file.write_text(text([["a", "NA", *"11111111"]]))
    refused = command(file, "phq9")
    assert "If NA means 'not answered': --blank NA" in refused.stderr
    assert "coding=" not in refused.stderr
    assert command(file, "phq9", "--blank", "NA").returncode == 0


def test_score_reads_words_decimal_commas_and_packed_files(tmp_path):
    file = tmp_path / "a.csv"
    words = ["Not at all", "Several days", "Nearly every day"] * 3
    file.write_text(text([["a", *words]]))
    done = command(file, "phq9")
    assert "answers in words are read as" in done.stderr
    assert " 12.0 " in done.stdout
    file.write_text(text([["a", *["1,0"] * 9]], ";").replace(",phq9", ";phq9"))
    assert " 9.0 " in command(file, "phq9").stdout
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(text(ROWS).encode()))
    assert "3 rows" in command(packed, "phq9").stdout


def test_five_answers_are_summarised_and_written_on_their_own_metric(tmp_path):
    header = ",".join(f"ecr_{n}" for n in range(1, 37))
    file = tmp_path / "ecr.csv"
    file.write_text("\n".join([header, ",".join("1" * 36), ",".join("15" * 18)]) + "\n", encoding="utf-8")
    out = call(file, "ecr", "--coding", "1-5")
    assert out.exit_code == 0
    assert [line.split()[0] for line in out.output.splitlines() if line.endswith("1-5  ")] == [
        "anxiety_1_5",
        "avoidance_1_5",
    ]
    call(file, "ecr", "--coding", "1-5", "--out", tmp_path / "scored.csv")
    scored = pl.read_csv(tmp_path / "scored.csv")
    # by hand: one reversed item of 18 for anxiety, nine of 18 for avoidance
    assert scored["ecr_anxiety_1_5"].to_list() == pytest.approx([(17 + 5) / 18, (17 * 5 + 1) / 18])
    assert scored["ecr_avoidance_1_5"].to_list() == pytest.approx([(9 + 9 * 5) / 18] * 2)
