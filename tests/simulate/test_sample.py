"""The files in data/sample are what the generator writes, and hold nothing that they must not."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import mbc
from mbc.simulate.__main__ import main
from mbc.simulate.tables import write_files as writing

FOLDER = Path(__file__).resolve().parents[2] / "data" / "sample"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())


def test_regenerated_files_are_byte_for_byte_those_committed(sample, tmp_path):
    sample.write(tmp_path)
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert written == FILES
    differing = [name for name in FILES if (tmp_path / name).read_bytes() != (FOLDER / name).read_bytes()]
    assert differing == []


def test_checksums_list_every_file_and_agree_with_it():
    listed = dict(line.split("  ")[::-1] for line in (FOLDER / writing.CHECKSUMS).read_text().splitlines())
    assert sorted(listed) == [name for name in FILES if name != writing.CHECKSUMS]
    for name, digest in listed.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_the_sample_stays_small():
    assert sum((FOLDER / name).stat().st_size for name in FILES) < 1_500_000


def test_no_text_mentions_what_belongs_in_the_safety_channel():
    forbidden = re.compile(
        r"suicid|self.?harm|kill|violen|abus|danger|threat|weapon|hit\b|hurt|unsafe|safety|risk|crisis|ideation|death",
        re.IGNORECASE,
    )
    for name in FILES:
        assert not forbidden.search(name)
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert not forbidden.search(text), (name, forbidden.search(text))


def test_nothing_tells_the_storied_clients_apart_by_their_answers_to_single_items():
    labels = pl.read_csv(FOLDER / "events.csv").filter(pl.col("client_id") == "D-STEADY-AUTUMN")["label"].to_list()
    others = pl.read_csv(FOLDER / "events.csv").filter(pl.col("client_id") != "D-STEADY-AUTUMN")["label"].to_list()
    assert set(labels) <= set(others)  # every event of this client happens to others too


def test_no_file_holds_item_wording_or_labels(sample):
    keys = ["client_id", "taken_on", "session_number", "target", "informant", "form", "coding"]
    for key, frame in sample.administrations.items():
        assert frame.columns == [*keys, *mbc.instrument(key).item_columns()]
        assert set(frame.select(mbc.instrument(key).item_columns()).dtypes) == {pl.Int64}


def test_every_day_lies_before_the_end_of_the_record_which_is_past(sample):
    frames = writing.frames(sample)
    days = [frame[name] for frame in frames.values() for name, kind in frame.schema.items() if kind == pl.Date]
    assert max(day.max() for day in days if day.len() - day.null_count()) == date(2026, 10, 2)


@pytest.mark.parametrize("name", ["clients", "clinicians", "relationships", "goals", "events", "episodes"])
def test_identifiers_are_unique_and_fit_the_record(sample, name):
    ids = getattr(sample, name).to_series(0)
    assert ids.is_unique().all()
    assert ids.str.contains(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$").all()


def test_aliases_are_unique_and_some_clients_have_none(sample):
    aliases = sample.clients["alias"]
    assert aliases.drop_nulls().is_unique().all()
    assert 0 < aliases.null_count() < 30


def test_every_form_and_coding_that_a_practice_uses_is_met_in_the_sample(sample):
    def met(key):
        return set(sample.administrations[key].select("form", "coding").unique().iter_rows())

    assert met("rses") == {("a", "0-3"), ("b", "1-4")}
    assert {form for form, _ in met("ecr_r")} == {"canonical", "interleaved"}
    assert {coding for _, coding in met("gad7")} == {"0-3", "1-4"}
    assert {coding for _, coding in met("csi32")} == {"printed", "endorsement"}


def test_recorded_totals_belong_to_earlier_episodes_and_stay_on_the_scale(sample):
    earlier = sample.episodes.filter(pl.col("episode_id").str.ends_with(".E0"))
    joined = sample.totals.join(earlier, on="client_id", how="left")
    assert joined.height == sample.totals.height > 0
    assert joined.select(pl.col("taken_on").is_between("started_on", "ended_on").all()).item()
    for instrument, scale, score in sample.totals.select("instrument", "scale", "score").iter_rows():
        low, high = mbc.instrument(instrument).scale(scale).range
        assert low <= score <= high


def test_the_command_writes_the_same_files(tmp_path):
    done = CliRunner().invoke(main, [str(tmp_path / "new" / "folder")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "new" / "folder" / "SHA256SUMS").read_text() == (FOLDER / "SHA256SUMS").read_text()


def test_the_command_explains_what_it_cannot_make(tmp_path):
    done = CliRunner().invoke(main, [str(tmp_path), "--weeks", "20"])
    assert done.exit_code == 2
    assert "weeks must be at least 35 with the storied clients, got 20" in done.output
