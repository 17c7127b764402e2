"""What is on file from before: earlier episodes of returning clients, of which only totals were kept."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from mbc.instruments import instrument
from mbc.simulate.drawn_clinic import Drawn
from mbc.simulate.people.population import NAMES, READINGS, ScaleModel
from mbc.simulate.streams import Floats, Ints, Stream
from mbc.simulate.tables.record_tables import clinician_ids, days, ids

RETURNING: Final = 0.06  # share of clients who had been in care before
KEPT: Final = ("phq9", "gad7", "rses")  # totals on the old file


def _returning(drawn: Drawn) -> tuple[Ints, Ints]:
    """Who came before, and on which day that episode began (days since the start of the record, negative)."""
    stream = Stream(drawn.seed, "earlier episodes")
    clients = len(drawn.people)
    before = stream.chance(RETURNING, clients)
    before[: len(drawn.stories)] = False
    begin = -330 - stream.integers(0, 200, clients)
    return np.flatnonzero(before), begin[before]


def earlier_episodes(drawn: Drawn) -> pl.DataFrame:
    """Episodes that had ended well before the record begins."""
    client, begin = _returning(drawn)
    return pl.DataFrame(
        {
            "episode_id": ids(drawn, client) + ".E0",
            "client_id": ids(drawn, client),
            "clinician_id": clinician_ids(drawn.clinicians).gather(pl.Series(drawn.people.clinician[client])),
            "referred_on": days(drawn.start, begin - 14),
            "started_on": days(drawn.start, begin),
            "ended_on": days(drawn.start, begin + 112),
            "ending": pl.repeat("planned", client.size, eager=True),
        }
    )


def totals(drawn: Drawn) -> pl.DataFrame:
    """Scores at the beginning and the end of the earlier episodes; no item answers were kept."""
    client, begin = _returning(drawn)
    parts = [_of_scale(drawn, reading, client, begin) for reading in READINGS if reading.instrument in KEPT]
    return pl.concat(parts).sort("client_id", "taken_on", "instrument")


def _of_scale(drawn: Drawn, reading: ScaleModel, client: Ints, begin: Ints) -> pl.DataFrame:
    foot, top = instrument(reading.instrument).scale(reading.scale).range
    stream = Stream(drawn.seed, "earlier totals", reading.instrument)
    construct = NAMES.index(reading.construct)
    now = drawn.state[client, construct, drawn.people.started[client]]
    better = instrument(reading.instrument).scale(reading.scale).higher_is_better
    worse = now + (-0.6 if better else 0.6) + 0.3 * stream.normal(client.size)

    def score(trait: Floats) -> pl.Series:
        return pl.Series(np.clip(np.round(reading.mean + reading.sd * trait), foot, top)).cast(pl.Int64)

    def row(day: Ints, trait: Floats) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "client_id": ids(drawn, client),
                "instrument": pl.repeat(reading.instrument, client.size, eager=True),
                "target": pl.repeat("self", client.size, eager=True),
                "informant": pl.repeat("client", client.size, eager=True),
                "taken_on": days(drawn.start, day),
                "session_number": pl.repeat(None, client.size, dtype=pl.Int64, eager=True),
                "scale": pl.repeat(reading.scale, client.size, eager=True),
                "score": score(trait),
            }
        )

    return pl.concat([row(begin, worse), row(begin + 112, now)])
