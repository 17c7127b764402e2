"""Made-up people at every boundary of the NHS definition, and its figures derived from their rows in plain Python.

The derivation shares no code with `mbc`: it walks the rows of one referral at a time, with dates and lists.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

START, END = dt.date(2026, 4, 1), dt.date(2026, 6, 30)
LIMITS = {"phq9": (10, 6, 27), "gad7": (8, 4, 21)}  # caseness, reliable change, highest score
Rows = list[dict[str, object]]


def days(n: int) -> dt.timedelta:
    return dt.timedelta(days=n)


@dataclass
class Tables:
    """Rows as they stand in the files of a record."""

    clients: Rows = field(default_factory=list)
    episodes: Rows = field(default_factory=list)
    sessions: Rows = field(default_factory=list)
    scores: Rows = field(default_factory=list)


def make_people(seed: int, size: int) -> Tables:
    """Draw people; waits, gaps, changes, endings and what is missing are drawn from around each limit."""
    draw = random.Random(seed)
    tables = Tables()
    for number in range(size):
        client = f"P{number:03d}"
        tables.clients.append({"client_id": client, "registered_on": dt.date(2024, 1, 1)})
        referred = None
        for episode in range(draw.choice([1, 1, 1, 1, 2, 3])):
            end = add_episode(tables, draw, client, f"{client}.E{episode + 1}", referred)
            if end is None:
                break
            referred = end + days(draw.choice([1, 2, 30]))
    return tables


def add_episode(
    tables: Tables, draw: random.Random, client: str, episode: str, referred: dt.date | None
) -> dt.date | None:
    """Add one referral with its sessions and questionnaires; give the day it ended, None where it is open."""
    if referred is None:
        referred = START - days(draw.choice([20, 40, 60, 90, 130, 160, 200, 400]))
    first = referred + days(draw.choice([0, 7, 28, 42, 43, 42, 60, 126, 127, 126]))
    held = [first]
    for _ in range(draw.choice([0, 0, 1, 1, 2, 5, 9])):
        gap = draw.choice([7, 7, 14, 28, 29, 90, 91]) if len(held) == 1 else draw.choice([7, 14])
        held.append(held[-1] + days(gap))
    if draw.random() < 0.08:
        held = []
    last = held[-1] if held else referred + days(30)
    near = [START - days(1), START, END, END + days(1)]
    ended = draw.choice([last, last + days(3), *[day for day in near if day >= last], None])
    clinician = draw.choice(["K1", "K1", "K2", "K3", None])
    tables.episodes.append(
        {
            "episode_id": episode, "client_id": client, "clinician_id": clinician, "referred_on": referred,
            "started_on": held[0] if held else None, "ended_on": ended,
            "ending": None if ended is None else draw.choice(["planned", "dropped out", "other"]),
        }
    )  # fmt: skip
    visits = [(day, True) for day in held]
    visits += [(day + days(3), False) for day in held if draw.random() < 0.15]  # missed appointments
    visits.sort()
    if ended is not None:
        visits = [visit for visit in visits if visit[0] <= ended or visit[1]]
    for position, (day, attended) in enumerate(visits, start=1):
        tables.sessions.append(
            {"client_id": client, "episode_id": episode, "number": position, "held_on": day, "attended": attended}
        )
    add_scores(tables, draw, client, referred, held, ended)
    return ended


def add_scores(
    tables: Tables,
    draw: random.Random,
    client: str,
    referred: dt.date,
    held: list[dt.date],
    ended: dt.date | None,
) -> None:
    taken = sorted(set(held or [referred]))
    until = ended or END + days(40)
    for instrument, (cut, step, most) in LIMITS.items():
        begin = draw.choice([cut - 1, cut, cut + 1, cut + step, cut + 2 * step, 0, most])
        finish = begin - draw.choice([0, step - 1, step, step + 1, 1 - step, -step, -step - 1, begin - cut + 1])
        finish = draw.choice([min(max(finish, 0), most), cut - 1, cut, min(max(finish, 0), most)])
        pattern = draw.random()
        if pattern < 0.06:
            continue  # never measured
        occasions = taken[:1] if pattern < 0.16 else taken
        for position, day in enumerate(occasions):
            score = begin if position == 0 else finish if position == len(occasions) - 1 else draw.randint(0, most)
            if day <= until:
                add_score(tables, client, instrument, day, score)
        if ended is not None and draw.random() < 0.1:  # a follow-up belongs to no referral
            add_score(tables, client, instrument, ended + days(1), draw.randint(0, most))
        if draw.random() < 0.05:  # nor does one from before
            add_score(tables, client, instrument, referred - days(1), draw.randint(0, most))


def add_score(tables: Tables, client: str, instrument: str, day: dt.date, score: int) -> None:
    already = {(row["client_id"], row["instrument"], row["taken_on"]) for row in tables.scores}
    if (client, instrument, day) not in already:
        tables.scores.append(
            {"client_id": client, "instrument": instrument, "scale": "total", "taken_on": day, "score": score}
        )


def nhs_by_hand(tables: Tables, start: dt.date = START, end: dt.date = END) -> dict[str, tuple[int, int]]:
    """Numerator and denominator of each figure, referral by referral."""
    counts: dict[str, list[int]] = {name: [0, 0] for name in NAMES}
    for episode in tables.episodes:
        count_one(counts, episode, tables, start, end)
    return {name: (hit, of) for name, (hit, of) in counts.items()}


NAMES = (
    "finished_course", "not_at_caseness", "recovery", "reliable_improvement", "reliable_deterioration",
    "no_reliable_change", "reliable_recovery", "first_treatment_6_weeks", "first_treatment_18_weeks",
    "first_to_second_over_28", "first_to_second_over_90", "open_no_contact_over_90", "ended_before_treatment",
    "ended_treated_once", "paired_both_measures",
)  # fmt: skip


def count_one(counts, episode, tables, start, end) -> None:
    def add(name: str, hit: bool) -> None:
        counts[name][1] += 1
        counts[name][0] += hit

    attended = sorted(
        row["held_on"]
        for row in tables.sessions
        if row["episode_id"] == episode["episode_id"] and row["attended"] and row["held_on"] <= end
    )
    ended = episode["ended_on"]
    if len(attended) >= 2 and start <= attended[1] <= end:
        gap = (attended[1] - attended[0]).days
        add("first_to_second_over_28", gap > 28)
        add("first_to_second_over_90", gap > 90)
    if (ended is None or ended > end) and attended:
        add("open_no_contact_over_90", (end - attended[-1]).days > 90)
    if ended is None or not start <= ended <= end:
        return
    add("ended_before_treatment", not attended)
    add("ended_treated_once", len(attended) == 1)
    if len(attended) < 2:
        return
    add("finished_course", True)
    wait = (attended[0] - episode["referred_on"]).days
    add("first_treatment_6_weeks", wait <= 42)
    add("first_treatment_18_weeks", wait <= 126)
    judge(add, episode, tables)


def judge(add, episode, tables) -> None:
    first, last = {}, {}
    for instrument in LIMITS:
        mine = sorted(
            (row["taken_on"], row["score"])
            for row in tables.scores
            if row["client_id"] == episode["client_id"]
            and row["instrument"] == instrument
            and episode["referred_on"] <= row["taken_on"] <= episode["ended_on"]
        )
        first[instrument] = mine[0][1] if mine else None
        last[instrument] = mine[-1][1] if len(mine) > 1 else None
    known = [name for name in LIMITS if first[name] is not None]
    paired = [name for name in LIMITS if last[name] is not None]
    case = any(first[name] >= LIMITS[name][0] for name in known)
    well = len(paired) == 2 and all(last[name] < LIMITS[name][0] for name in paired)
    up = any(first[name] - last[name] >= LIMITS[name][1] for name in paired)
    down = any(last[name] - first[name] >= LIMITS[name][1] for name in paired)
    add("not_at_caseness", bool(known) and not case)
    add("reliable_improvement", up and not down)
    add("reliable_deterioration", down and not up)
    add("no_reliable_change", up == down)
    add("paired_both_measures", len(paired) == 2)
    if case or not known:  # without any first score nobody is shown to be well: they stay in the denominator
        add("recovery", case and well)
        add("reliable_recovery", case and well and up and not down)
