"""Tables of true counts, and what `mbc` publishes of them: the same for Tau-Argus and for the tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from mbc import outcomes
from mbc.outcomes.definitions.definition_file import definition
from mbc.outcomes.publication import count_name, publish_reports
from mbc.outcomes.shared_counts import relations_between
from mbc.privacy.small_numbers.attacker import Relation, Shown
from mbc.privacy.small_numbers.protect import Table, protect
from mbc.privacy.small_numbers.rounded_counts import SmallNumberRule, small_number_rule
from tests.outcomes.made_people import END, START, make_people
from tests.outcomes.test_nhs import frames_of


@dataclass(frozen=True)
class Case:
    """True counts, how they are related, and what was published of them."""

    name: str
    rule: SmallNumberRule
    counts: dict[str, int]
    relations: tuple[Relation, ...]
    shown: dict[str, Shown]


def cases() -> Iterator[Case]:
    """Cross tables of both presets with counts around each limit, and two releases of two definitions."""
    draw = random.Random(11)
    for preset in ("nhs5", "cms11"):
        rule = small_number_rule(preset)
        k = rule.smallest
        near = [0, 1, 2, k - 1, k, k + 1, k + 2, 2 * k + 2, 4 * k]
        for number in range(15):
            counts, relations = cross_table([[draw.choice(near) for _ in range(3)] for _ in range(3)])
            shown = protect(Table(counts, relations), rule)
            yield Case(f"{preset} {number}", rule, counts, relations, shown)
    for seed in (5, 6):
        yield release(seed)


def cross_table(cells: list[list[int]]) -> tuple[dict[str, int], tuple[Relation, ...]]:
    """Give rows, columns and their totals."""
    counts = {f"{i}{j}": cell for i, row in enumerate(cells) for j, cell in enumerate(row)}
    sums: dict[str, tuple[str, ...]] = {f"{i}+": tuple(f"{i}{j}" for j in range(3)) for i in range(3)}
    sums |= {f"+{j}": tuple(f"{i}{j}" for i in range(3)) for j in range(3)}
    for total, parts in sums.items():
        counts[total] = sum(counts[part] for part in parts)
    counts["++"] = sum(counts[f"{i}+"] for i in range(3))
    sums |= {"++": ("0+", "1+", "2+")}
    related = [Relation(total, parts) for total, parts in sums.items()]
    return counts, (*related, Relation("++", ("+0", "+1", "+2")))


def release(seed: int) -> Case:
    """Give the counts of NHS Talking Therapies and Jacobson & Truax in one release."""
    frames = frames_of(make_people(seed, size=120))
    chosen = [definition("nhs"), definition("jacobson-truax")]
    reports = [outcomes.report(frames, each, start=START, end=END) for each in chosen]
    published, relations = publish_reports(reports, relations_between(reports, chosen))
    counts: dict[str, int] = {}
    shown: dict[str, Shown] = {}
    for place, (report, each) in enumerate(zip(reports, published, strict=True)):
        keys = dict.fromkeys(metric.key for metric in report.metrics)
        for key, table in zip(keys, report.tables, strict=True):
            counts |= {count_name(place, key, name): count for name, count in table.counts.items()}
        shown |= {f"{place}:{name}": cell for name, cell in each.counts.items()}
    named = {name for relation in relations for name in (relation.total, *relation.parts)}
    shown |= {name: Shown(None) for name in sorted(named - shown.keys())}  # known to exist, published nowhere
    return Case(f"release {seed}", small_number_rule("nhs5"), counts, relations, shown)
