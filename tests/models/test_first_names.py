"""The names that the pages and reviews build on."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from mbc import models


def test_jacobson_and_truax_print_an_index_of_3_16():
    change = models.reliable_change(32.5, 47.5, sd=7.5, reliability=0.80, higher_is_better=True)
    assert change.index == pytest.approx(3.16227766)
    assert change.standard_error == pytest.approx(4.74341649)
    assert change.threshold == pytest.approx(1.959963984540054 * 4.74341649)
    assert (change.lower, change.upper) == pytest.approx((23.20307452, 41.79692548))
    assert change.category == "improved"


def test_the_same_change_is_worse_where_lower_is_better():
    change = models.reliable_change(32.5, 47.5, sd=7.5, reliability=0.80, higher_is_better=False)
    assert change.index > 0
    assert change.category == "deteriorated"


def test_a_missing_score_gives_a_reason_and_no_number():
    change = models.reliable_change(None, 12.0, sd=5, reliability=0.9, higher_is_better=False)
    assert (change.change, change.index, change.category) == (None, None, None)
    assert change.reason == "missing_pre"


def test_columns_in_give_columns_out():
    change = models.reliable_change(
        [20, 15, None, 9], [10, 14, 9, None], sd=6, reliability=0.85, higher_is_better=False
    )
    assert change.category.tolist() == ["improved", "unchanged", None, None]
    assert change.reason.tolist() == [None, None, "missing_pre", "missing_post"]
    assert change.threshold.shape == (4,)
    assert change.to_frame()["index"].null_count() == 2


def test_recovery_needs_both_reliable_change_and_the_functional_side():
    pre, post = np.array([30.0, 30.0, 44.0, 60.0, 60.0]), np.array([50.0, 44.0, 46.0, 40.0, 59.0])
    change = models.reliable_change(pre, post, sd=7.5, reliability=0.80, higher_is_better=True)
    cut = models.cutoff("b", functional=(60, 7.5), higher_is_better=True)
    result = models.clinical_significance(pre, post, change=change, cutoff=cut)
    assert result.category.tolist() == ["recovered", "improved", "unchanged", "harmed", "unchanged"]
    assert result.crossed_unreliably.tolist() == [False, False, True, False, False]
    assert result.started_functional.tolist() == [False, False, False, True, True]


@pytest.mark.long
def test_importing_a_module_does_not_hide_the_function_of_its_name():
    code = (
        "import importlib; importlib.import_module('mbc.models.change.person.reliable_change');"
        "from mbc.models.effects.effect_size import EffectSize; from mbc import models;"
        "assert callable(models.reliable_change) and callable(models.effect_size)"
    )
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0


def test_every_public_name_is_where_it_is_said_to_be():
    package = importlib.import_module("mbc.models")
    missing = [name for name in package.__all__ if not hasattr(package, name)]
    assert not missing


def test_the_wilson_interval_of_nobody_is_not_a_number_by_accident():
    rate = models.wilson_interval(0, 0)
    assert (rate.estimate, rate.lower, rate.upper) == (None, None, None)
