"""What could be concluded of hidden counts, against the audit of Tau-Argus (tests/reference/small_numbers/)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from mbc.privacy.small_numbers.attacker import feasible_range
from tests.reference.small_numbers import make_tables

REFERENCE = Path(__file__).parents[2] / "reference" / "small_numbers"
pytestmark = pytest.mark.slow
ARGUS = json.loads((REFERENCE / "tau_argus.json").read_text())


@pytest.fixture(scope="module")
def cases():
    return {case.name: case for case in make_tables.cases()}


def audited(case, name: str) -> tuple[float, float]:
    """Whole numbers between the ends that Tau-Argus gives; above half of its stand-in there is no end."""
    low, high = ARGUS["cases"][case.name]["audit"][name]
    return math.ceil(low - 1e-6), math.inf if high > ARGUS["none"] / 2 else math.floor(high + 1e-6)


def test_the_audited_tables_are_those_that_are_published_now(cases):
    """If not, `tau_argus.py` says anew what could be concluded of them."""
    assert list(cases) == list(ARGUS["cases"])
    for name, case in cases.items():
        shown = {count: [cell.rounded, cell.small] for count, cell in case.shown.items()}
        assert shown == ARGUS["cases"][name]["shown"], name


def test_tau_argus_narrows_no_hidden_count(cases):
    hidden = 0
    for case in cases.values():
        for name, count in case.counts.items():
            low, high = audited(case, name)
            assert low <= count <= high, (case.name, name)
            if case.rule.hides(count):
                hidden += 1
                assert high - low >= case.rule.smallest - 2, (case.name, name)
    assert hidden > 100


def test_both_find_the_same_limits_of_every_count(cases):
    """In a cross table whole numbers are no narrower than fractions; in a release they may be, and never wider."""
    for case in cases.values():
        hidden = [name for name, cell in case.shown.items() if cell.rounded is None]
        for name in hidden if case.name.startswith("release") else case.shown:
            low, high = feasible_range({name: 1}, case.shown, case.relations, case.rule)
            lowest, highest = audited(case, name)
            if case.name.startswith("release"):
                assert lowest <= low <= high <= highest
            else:
                assert (low, high) == (lowest, highest), (case.name, name)
