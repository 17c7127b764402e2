"""Time to change against survival and cmprsk of R, and textbook tables (tests/reference/change.R)."""

import json
from pathlib import Path

import numpy as np
import pytest

from mbc import models
from mbc.errors import ModelError

R = json.loads((Path(__file__).parents[2] / "reference/change.json").read_text())
GEHAN = [10, 7, 32, 23, 22, 6, 16, 34, 32, 25, 11, 20, 19, 6, 17, 35, 6, 13, 9, 6, 10]
GEHAN_EVENT = [1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0]
TIMES = [1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 6, 7, 8, 8]
IMPROVED = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0]
LEFT = [1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_kaplan_meier_of_the_leukaemia_trial(validation):
    made = models.time_to_change(GEHAN, changed=GEHAN_EVENT)
    table, expected = made.kaplan_meier, R["km"]
    assert table["time"].to_list() == expected["time"]
    for i, time in enumerate(expected["time"]):
        validation(
            f"Kaplan-Meier at {time}",
            "R survival 3.5-3, Freireich 1963",
            expected["surv"][i],
            table["survival"][i],
        )
        assert table["standard_error"][i] == pytest.approx(expected["se"][i])
        assert table["lower"][i] == pytest.approx(expected["lower"][i])
        assert table["upper"][i] == pytest.approx(expected["upper"][i])
    validation("median", "Freireich et al. (1963)", 23.0, made.median_without_dropout)


def test_leaving_treatment_is_a_competing_end(validation):
    made = models.time_to_change(TIMES, changed=IMPROVED, dropped_out=LEFT)
    share = dict(zip(made.incidence["time"], made.incidence["incidence"], strict=True))
    errors = dict(zip(made.incidence["time"], made.incidence["standard_error"], strict=True))
    for i, time in enumerate(R["aj"]["time"]):
        if time in share:
            source = "R survival 3.5-3 (multi-state) = cmprsk 2.2-11"
            validation(f"Aalen-Johansen at {time}", source, R["aj"]["changed"][i], share[time])
            assert errors[time] == pytest.approx(R["aj"]["se"][i], rel=1e-10)
    validation("share changed", "cmprsk: cumulative incidence", 0.525, made.changed_by_end)
    validation("1 - Kaplan-Meier, too high", "hand", 0.68671, round(made.one_minus_kaplan_meier, 5))


def test_the_hazard_is_the_share_of_those_still_there():
    made = models.time_to_change(TIMES, changed=IMPROVED)
    hazard = dict(zip(made.hazard["time"], made.hazard["hazard"], strict=True))
    expected = {1: 1 / 15, 2: 1 / 13, 3: 1 / 11, 4: 2 / 8, 5: 0, 6: 1 / 5, 7: 1 / 3, 8: 0}
    assert hazard == pytest.approx(expected)
    assert made.hazard["survival"].to_list() == pytest.approx(
        [0.93333, 0.86154, 0.78322, 0.58741, 0.58741, 0.46993, 0.31329, 0.31329], abs=1e-5
    )


def test_turnbull_on_the_radiotherapy_arm(validation):
    data = R["turnbull"]
    made = models.interval_time_to_change(data["lower"], [np.inf if u is None else u for u in data["upper"]])
    assert made.converged
    rows = {(row["lower"], row["upper"]): row["mass"] for row in made.table.to_dicts()}
    source = "Finkelstein & Wolfe (1985) data; estimate printed by R package interval"
    for (low, high), mass in {
        (4, 5): 0.0463, (6, 7): 0.0334, (7, 8): 0.0887, (11, 12): 0.0708, (24, 25): 0.0926, (33, 34): 0.0818,
        (38, 40): 0.1209, (46, 48): 0.4656,
    }.items():  # fmt: skip
        validation(f"Turnbull mass in ({low}, {high}]", source, mass, round(rows[low, high], 4))


def test_turnbull_is_kaplan_meier_where_times_are_exact():
    upper = [t if e else np.inf for t, e in zip(GEHAN, GEHAN_EVENT, strict=True)]
    made = models.interval_time_to_change(GEHAN, upper)
    known = made.table.filter(made.table["upper"].is_finite())
    km = models.time_to_change(GEHAN, changed=GEHAN_EVENT).kaplan_meier
    assert known["survival"].to_list() == pytest.approx(km["survival"].to_list(), abs=1e-8)


def test_nobody_changed_gives_a_lower_bound_not_a_number():
    made = models.time_to_change([3, 5, 8], changed=[0, 0, 0], dropped_out=[1, 0, 1])
    assert (made.median, made.changed_by_end, made.reason) == (None, None, "all_censored")
    assert made.at_least == 8
    assert models.interval_time_to_change([3, 5], [None, None]).reason == "all_censored"


def test_everybody_changed_at_once():
    made = models.time_to_change([1, 1], changed=[1, 1])
    assert (made.changed_by_end, made.median) == (1.0, 1.0)


def test_nobody_at_all():
    made = models.time_to_change([], changed=[])
    assert (made.n, made.median, made.reason) == (0, None, "too_few_scores")


def test_contradictions_are_refused():
    with pytest.raises(ModelError, match="both changed and dropped out"):
        models.time_to_change([3], changed=[1], dropped_out=[1])
    with pytest.raises(ModelError, match="must be > 0"):
        models.time_to_change([0], changed=[1])
    with pytest.raises(ModelError, match="before lower"):
        models.interval_time_to_change([4], [3])
