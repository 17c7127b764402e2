"""People with what somebody might know of them: the same for pycanon, for anjana and for the tests."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl

from mbc.privacy.risk import Hierarchy, generalise

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample"
KNOWN = ("clinician", "registered", "sessions")
SENSITIVE = "ending"
K, MOST_LEFT_OUT = 5, 0.1
_BANDS = (5, 10, 15, 20, 30)


def sample() -> pl.DataFrame:
    """One row per client of the synthetic clinic: clinician, month of registration, sessions, ending."""
    clients = pl.read_csv(SAMPLE / "clients.csv", try_parse_dates=True)
    sessions = pl.read_csv(SAMPLE / "sessions.csv").filter("attended").group_by("client_id").len("attended")
    episodes = pl.read_csv(SAMPLE / "episodes.csv", try_parse_dates=True)
    last = episodes.sort("referred_on").group_by("client_id").last().select("client_id", "ending")
    joined = clients.join(sessions, on="client_id", how="left").join(last, on="client_id", how="left")
    return joined.sort("client_id").select(
        clinician="clinician_id",
        registered=pl.col("registered_on").dt.strftime("%Y-%m"),
        sessions=pl.col("attended").fill_null(0).map_elements(_band, return_dtype=pl.String),
        ending=pl.col("ending").fill_null("none"),
    )


def _band(sessions: int) -> str:
    low = max((edge for edge in (0, *_BANDS) if edge <= sessions), default=0)
    return f"{low:02d} or more"


def hierarchies(people: pl.DataFrame) -> dict[str, Hierarchy]:
    """Ever coarser versions of each column; past the last level nothing of it is given."""
    levels: dict[str, list[dict[object, str]]] = {name: [] for name in KNOWN}
    for name in KNOWN:
        levels[name].append({value: value for value in people[name].unique().to_list()})
    months, bands = levels["registered"][0], levels["sessions"][0]
    levels["registered"].append({value: f"{value[:4]}-Q{(int(value[5:]) + 2) // 3}" for value in months.values()})
    levels["registered"].append({value: value[:4] for value in months.values()})
    levels["sessions"].append(
        {value: "10 or more" if int(value[:2]) >= 10 else "fewer" for value in bands.values()}
    )
    return {name: Hierarchy(tuple(each)) for name, each in levels.items()}


def tables() -> dict[str, pl.DataFrame]:
    """The clinic, the clinic coarsened by mbc without those who are left out, and tables drawn at random."""
    people = sample()
    coarse, out, _ = generalise(people.select(KNOWN), hierarchies(people), k=K, most_left_out=MOST_LEFT_OUT)
    made = {"sample": people, "coarsened": coarse.with_columns(people[SENSITIVE]).filter(~out)}
    draw = random.Random(5)
    for number in range(12):
        size = draw.choice([1, 7, 40, 200])
        width = draw.choice([1, 2, 4])
        rows = {name: [f"{name} {draw.randrange(width)}" for _ in range(size)] for name in KNOWN}
        endings = draw.choice([1, 3, 6])
        rows[SENSITIVE] = [f"ending {draw.randrange(endings)}" for _ in range(size)]
        made[f"random {number}"] = pl.DataFrame(rows)
    return made
