"""Finished clients of four clinicians with a first and mostly a last PHQ-9, drawn with a seed."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from mbc.store import Administration, Client, Clinician, Episode, RelationshipStatus, Store

DAY = dt.date(2025, 1, 6)
SIZES = {"K2": 30, "K10": 24, "K1": 22, "K3": 7}  # not in the order of their identifiers


@dataclass
class Person:
    client: str
    clinician: str
    first: int
    last: int | None
    single: bool
    earlier: int


def people() -> list[Person]:
    draw = random.Random(8)
    made = []
    for clinician, size in SIZES.items():
        for number in range(size + 2):  # two of each without a last score
            first, single, earlier = draw.randint(8, 24), draw.random() < 0.4, draw.choice([0, 0, 1, 2])
            last = first - round(0.5 * first - 2 * single - earlier + draw.gauss(0, 3)) if number < size else None
            last = None if last is None else min(max(last, 0), 27)
            made.append(Person(f"{clinician}C{number:02d}", clinician, first, last, single, earlier))
    return made


def fill(store: Store, persons: list[Person]) -> None:
    with store.writing(by="test") as record:
        rows: list = [Clinician(name, name) for name in SIZES]
        for each in persons:
            client, begin = each.client, DAY + dt.timedelta(days=400)
            rows.append(Client(client, clinician_id=each.clinician))
            rows.append(RelationshipStatus(client, "single" if each.single else "partnered", DAY))
            for number in range(each.earlier):  # of another clinician, and not the care that is counted
                start = DAY + dt.timedelta(days=100 * number)
                rows.append(
                    Episode(f"{client}E{number}", client, "K2", start, start, start + dt.timedelta(days=50))
                )
            # where an episode names no clinician, it is the client's
            named = None if client.endswith("0") else each.clinician
            rows.append(Episode(f"{client}E9", client, named, begin, begin, begin + dt.timedelta(days=90)))
            scores = [(begin, each.first), (begin + dt.timedelta(days=80), each.last)]
            rows += [
                Administration(client, "phq9", day, totals={"total": score})
                for day, score in scores
                if score is not None
            ]
        record.add_all(rows)
