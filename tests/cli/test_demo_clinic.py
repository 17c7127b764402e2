from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import mbc
from mbc import Store, simulate
from mbc.cli.demo import make_clinic

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:  # test_demo makes them, too
        patch.setattr("mbc.care.forecast.kept_models.make_models", lambda *_: ())
        patch.setattr("mbc.care.make_release", lambda *_, **__: None)
        make_clinic(f"sqlite:///{folder / 'clinic.db'}", folder, "harbour lamp, seven geese")
    return f"sqlite:///{folder / 'clinic.db'}"


def test_the_whole_synthetic_clinic_comes_in_without_a_refusal(demo):
    made = simulate.clinic(alliance=True)
    with Store.open(demo) as store:
        for table in (
            "clients",
            "episodes",
            "relationships",
            "statuses",
            "sessions",
            "goals",
            "goal_ratings",
            "events",
        ):
            assert getattr(store, table)().height == getattr(made, table).height, table
        sheets = sum(frame.height for frame in made.administrations.values())
        kept = made.totals.select("client_id", "instrument", "taken_on").n_unique()
        assert store.administrations().height == sheets + kept
        assert store.totals().height == made.totals.height
        assert store.administrations()["episode_id"].null_count() == 0


@pytest.mark.parametrize(
    "key",
    ["rses", "ecr_r", pytest.param("csi32", marks=pytest.mark.slow), pytest.param("gad7", marks=pytest.mark.slow)],
)
def test_scores_from_the_record_are_those_of_the_files(demo, key):
    definition = mbc.instrument(key)
    column = f"{key}_{definition.main_scale.key}"
    sheets = simulate.clinic().administrations[key]
    with Store.open(demo) as store:
        kept = store.answers(key).pivot("item", index=["client_id", "taken_on", "form", "coding"], values="value")
    recorded = kept.rename({str(n): name for n, name in enumerate(definition.item_columns(), start=1)})
    for form, coding in sheets.select("form", "coding").unique().iter_rows():
        mine = (pl.col("form") == form) & (pl.col("coding") == coding)
        scores = [
            mbc.score(frame.filter(mine), key, form=form, coding=coding)
            .sort("client_id", "taken_on")[column]
            .to_list()
            for frame in (sheets, recorded)
        ]
        assert scores[0] == scores[1]


def test_the_first_clinician_sees_every_story(demo):
    with Store.open(demo) as store:
        mine = store.clients().filter(pl.col("clinician_id") == "K01")["client_id"]
    assert {story.client_id for story in simulate.STORIES} <= set(mine)


def test_the_files_beside_the_record_are_the_shipped_sample_and_the_alliance(demo):
    folder = Path(demo.removeprefix("sqlite:///")).parent / "files"
    sample = Path(__file__).resolve().parents[2] / "data" / "sample"
    made, shipped = (
        dict(reversed(line.split()) for line in (place / "SHA256SUMS").read_text().splitlines())
        for place in (folder, sample)
    )
    assert set(made) - set(shipped) == {"administrations/wai_sr.csv"}
    assert {name for name in shipped if made[name] != shipped[name]} == {"README.md"}
