"""Is a client who is flagged as not on track truly not improving? On simulated clinics, and on real courses.

    python benchmarks/client_states.py [--seeds 20] [--real TABLE] [--write]

Each simulated clinic has 150 clients, of whom about 40 are in care on its last day. Their true mean improvement
over constructs is known (``truth.csv``): under a quarter of a standard deviation of clients at intake counts as
not improved. On real courses (columns ID, time, BDI), the state half-way through is compared with the later half.
``--write`` puts the tables into benchmarks/results, of which docs/validation.md is made.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mbc.care import CohortModels, caseload
from mbc.care.client.state import ScaleCourse, client_state
from mbc.care.course.noise import Noise
from mbc.care.course.relationships import Timeline
from mbc.care.course.segments import split
from mbc.care.course.verdicts import judged
from mbc.care.values.course import Occasion
from mbc.care.values.review import CaseloadRow
from mbc.exchange import import_record
from mbc.instruments import instrument
from mbc.simulate import clinic
from mbc.store import Store

UNIMPROVED = 0.25  # standard deviations of clients at intake
RELIABLE = 9.0  # points of the BDI
PAGE = Path(__file__).parent / "results/client_states.md"
WORDS = """## Who is flagged as not on track

`python benchmarks/client_states.py --real TABLE --write` made this section: {seeds} synthetic clinics of 150
clients (late responders, setbacks and clients who began well among them), each read on its last day. A client
counts as truly unimproved when the mean true improvement over constructs is under a quarter of a standard
deviation of clients at intake. "With room to improve": two in five of their scales with a cutoff began on its
distressed side.

{tables}

Clients who began well have no room and are not flagged, though the truth counts them as unimproved: that is most
of what is missed among all clients in care. Real courses (Beck Depression Inventory at every session; data ENRICHD
of the R package npmlda, not part of this project) are of one scale, so that nothing is averaged: 7 % of those
clients did not improve, and of those flagged half-way three in ten are among them.
"""


@dataclass(frozen=True, slots=True)
class Flags:
    """Of some clients, who was flagged and who had truly not improved."""

    flagged: np.ndarray
    unimproved: np.ndarray

    @property
    def share(self) -> float:
        """Share of clients flagged."""
        return float(self.flagged.mean())

    @property
    def prevalence(self) -> float:
        """Share of clients who had truly not improved."""
        return float(self.unimproved.mean())

    @property
    def precision(self) -> float:
        """Of those flagged, the share who had not improved."""
        return float((self.flagged & self.unimproved).sum() / max(self.flagged.sum(), 1))

    @property
    def recall(self) -> float:
        """Of those who had not improved, the share flagged."""
        return float((self.flagged & self.unimproved).sum() / max(self.unimproved.sum(), 1))


def simulated(seed: int) -> pl.DataFrame:
    """Judge the clients in care of one clinic: seed, room, flagged, unimproved, course."""
    made = clinic(seed=seed)
    last = made.start + dt.timedelta(weeks=made.weeks) - dt.timedelta(days=3)  # the last Friday
    with tempfile.TemporaryDirectory() as folder:
        files = made.write(Path(folder) / "record")
        with Store.open(f"sqlite:///{folder}/clinic.db", create=True) as store:
            import_record(files, store, by="benchmark")
            rows = caseload(store, as_of=last, cohort=CohortModels(store)).rows
    improvement = dict(made.truth.group_by("client_id").agg(pl.col("improvement").mean()).iter_rows())
    courses = dict(made.truth.select("client_id", "course").unique("client_id").iter_rows())
    in_care = [row for row in rows if row.closed is None and row.client_id in improvement]
    return pl.DataFrame(
        {
            "seed": seed,
            "room": [_began_with_room(row) for row in in_care],
            "flagged": [row.state.state == "not on track" for row in in_care],
            "watch": [row.state.state == "watch" for row in in_care],
            "unimproved": [improvement[row.client_id] < UNIMPROVED for row in in_care],
            "course": [courses[row.client_id] for row in in_care],
        }
    )


def _began_with_room(row: CaseloadRow) -> bool:
    """Whether two in five of a client's scales with a cutoff began on its distressed side."""
    sides: list[bool] = []
    for cell in row.cells:
        cutoff = instrument(cell.instrument).scale(cell.scale).cutoff
        first = next((point for point in cell.points if point is not None), None)
        if cutoff is not None and first is not None:
            sides.append(cutoff.distressed(first))
    return not sides or float(np.mean(sides)) >= 0.4


def real(path: Path) -> pl.DataFrame:
    """Judge each client of a table half-way; unimproved: the last two scores are under a quarter SD better."""
    table = pl.read_csv(path).drop_nulls("BDI").sort("ID", "time")
    spread = float(table.group_by("ID").agg(pl.col("BDI").first())["BDI"].std() or 1.0)
    scale = instrument("phq9").main_scale  # lower is better; its range is widened below
    noise = Noise(RELIABLE, True, "reliable change", "published", "medium")
    flagged: list[bool] = []
    unimproved: list[bool] = []
    for (_,), rows in table.group_by("ID", maintain_order=True):
        scores, days = rows["BDI"].to_list(), rows["time"].to_list()
        half = len(scores) // 2
        if half < 4 or len(set(days)) < len(days):
            continue
        start = dt.date(2000, 1, 1)
        occasions = [
            Occasion(i, start + dt.timedelta(days=int(day)), None, float(score), 21, 21, False, False, "self")
            for i, (day, score) in enumerate(zip(days[:half], scores[:half], strict=True))
        ]
        segments, _ = split(occasions, instrument("phq9"), scale, Timeline(), noise)
        (segment,) = judged(segments, scale, noise)
        flagged.append(client_state([ScaleCourse(scale, segment, spread)]).state == "not on track")
        unimproved.append((scores[0] - float(np.mean(scores[-2:]))) / spread < UNIMPROVED)
    return pl.DataFrame({"flagged": flagged, "unimproved": unimproved})


def _flags(table: pl.DataFrame) -> Flags:
    return Flags(table["flagged"].to_numpy(), table["unimproved"].to_numpy())


def _line(name: str, table: pl.DataFrame) -> str:
    every = _flags(table)
    by_seed = [_flags(part) for part in table.partition_by("seed")] if "seed" in table.columns else [every]
    worst = f"{max(one.share for one in by_seed):.0%} / {min(one.precision for one in by_seed):.0%} / "
    worst += f"{min(one.recall for one in by_seed):.0%}"
    return (
        f"| {name} | {table.height} | {every.prevalence:.0%} | {every.share:.0%} | {every.precision:.0%} "
        f"| {every.recall:.0%} | {worst} |"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    table = pl.concat([simulated(seed) for seed in range(1, asked.seeds + 1)])
    lines = [
        (
            "| clients | n | truly unimproved | flagged | precision | recall "
            "| worst seed: flagged / precision / recall |"
        ),
        "|---|---|---|---|---|---|---|",
        _line("in care", table),
        _line("in care, who began with room to improve", table.filter("room")),
        _line("seeds in which under 30 % had not improved", _with_fewer(table, 0.30)),
    ]
    if asked.real is not None:
        lines.append(_line("real courses, half-way", real(asked.real)))
    print("\n".join(lines))
    kinds = table.group_by("course").agg(pl.len().alias("n"), pl.col("flagged").mean(), pl.col("watch").mean())
    rows = [
        f"| {row['course']} | {row['n']} | {row['flagged']:.0%} | {row['watch']:.0%} |"
        for row in kinds.sort("flagged", descending=True).iter_rows(named=True)
    ]
    lines += ["", "| true course | n | not on track | watch |", "|---|---|---|---|", *rows]
    print("\n".join(lines[-len(rows) - 2 :]))
    if asked.write:
        PAGE.write_text(WORDS.format(seeds=asked.seeds, tables="\n".join(lines)), encoding="utf-8")


def _with_fewer(table: pl.DataFrame, share: float) -> pl.DataFrame:
    return table.filter(pl.col("unimproved").mean().over("seed") < share)


if __name__ == "__main__":
    main()
