"""What is expected given case mix: lme4's numbers, statsmodels', and clinics whose truth is known."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t

from mbc.errors import ModelError
from mbc.models.change.groups.overdispersion import variance_beyond_chance
from mbc.models.effects.case_mix import fit_case_mix

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"


def _ordinary() -> Any:
    spec = importlib.util.spec_from_file_location("make_data", REFERENCE / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.case("ordinary").drop_nulls("y")


def made_clinic(seed: int, effects: list[float], size: int = 60) -> tuple[Any, Any, list[str]]:
    """Clients of clinicians whose case mix differs: the later in the list, the more severe."""
    draw = np.random.default_rng(seed)
    clinicians = np.repeat(np.arange(len(effects)), size)
    first = draw.normal(12 + clinicians, 4)
    alone = draw.random(first.size) < 0.2 + 0.08 * clinicians
    improvement = -3 + 0.6 * first - 2.0 * alone + np.array(effects)[clinicians] + draw.normal(0, 4, first.size)
    design = np.column_stack([np.ones(first.size), first, alone])
    return improvement, design, [f"K{number}" for number in clinicians]


NAMES = ("mean", "first", "alone")


def test_the_random_intercept_model_agrees_with_lme4():
    """`y ~ weeks + (1 | client)`, in the place of clinicians; ``lme4.R`` wrote the numbers."""
    expected = json.loads((REFERENCE / "lme4.json").read_text())["intercept_only"]
    rows = _ordinary()
    design = np.column_stack([np.ones(rows.height), rows["weeks"].to_numpy()])
    outcome, clients = rows["y"].to_numpy(), rows["client"].to_numpy()
    model = fit_case_mix(outcome, design, [str(name) for name in clients], ("mean", "weeks"))
    assert model.clients == expected["n"]
    np.testing.assert_allclose(model.coefficients, expected["beta"], rtol=1e-6)
    np.testing.assert_allclose(model.covariance, expected["vcov"], rtol=1e-5)
    assert model.within == pytest.approx(expected["sigma2"], rel=1e-6)
    assert model.between == pytest.approx(np.ravel(expected["G"])[0], rel=1e-5)
    for name, effect, spread in zip(np.unique(clients), expected["effects"], expected["spread"], strict=False):
        own = clients == name
        made = model.difference(outcome[own], design[own])
        assert made.shrunken == pytest.approx(effect[0], rel=1e-5)
        assert model.between * (1 - made.weight) == pytest.approx(np.ravel(spread)[0], rel=1e-5)


def test_without_differences_between_clinicians_it_is_least_squares():
    improvement, design, clinicians = made_clinic(3, [0.0] * 6)
    model = fit_case_mix(improvement, design, clinicians, NAMES)
    expected = sm.OLS(improvement, design).fit()
    assert model.between == 0
    np.testing.assert_allclose(model.coefficients, expected.params, rtol=1e-9)
    np.testing.assert_allclose(model.standard_errors, expected.bse, rtol=1e-9)
    assert model.r_squared == pytest.approx(expected.rsquared)
    own = np.array(clinicians) == "K0"
    made = model.difference(improvement[own], design[own])
    # the mean of residuals of least squares has the variance sigma^2 (1/n - x'(X'X)^-1 x)
    mix = design[own].mean(axis=0)
    spread = np.sqrt(expected.scale * (1 / own.sum() - mix @ np.linalg.inv(design.T @ design) @ mix))
    assert made.upper - made.difference == pytest.approx(t.ppf(0.975, improvement.size - 3) * spread)
    assert (made.shrunken, made.shrunken_lower) == (0.0, None)


def test_the_errors_are_those_of_the_mixed_model_equations():
    """Henderson's equations, solved with all effects at once, share no code with the closed forms."""
    improvement, design, clinicians = made_clinic(4, [-2.0, 0.0, 1.0, 2.5, -1.0], size=30)
    model = fit_case_mix(improvement, design, clinicians, NAMES)
    codes = np.unique(clinicians, return_inverse=True)[1]
    z = np.eye(5)[codes]
    both = np.hstack([design, z])
    equations = both.T @ both / model.within
    equations[3:, 3:] += np.eye(5) / model.between
    inverse = np.linalg.inv(equations)
    solution = inverse @ both.T @ improvement / model.within
    quantile = t.ppf(0.975, improvement.size - 3)
    for number in range(5):
        own = codes == number
        made = model.difference(improvement[own], design[own])
        assert made.shrunken == pytest.approx(solution[3 + number])
        assert made.shrunken_upper is not None
        spread = np.sqrt(inverse[3 + number, 3 + number])
        assert made.shrunken_upper - made.shrunken == pytest.approx(quantile * spread)
        # the error of the mean residual is a linear form of all effects and errors: A y - u
        v = model.between * z @ z.T + model.within * np.eye(improvement.size)
        hat = np.linalg.inv(design.T @ np.linalg.solve(v, design)) @ np.linalg.solve(v, design).T
        form = own / own.sum() - design[own].mean(axis=0) @ hat
        variance = form @ v @ form - 2 * model.between * form @ z[:, number] + model.between
        assert made.upper - made.difference == pytest.approx(quantile * np.sqrt(variance))


@pytest.mark.slow  # a simulation
@pytest.mark.long
def test_case_mix_alone_makes_no_differences_and_a_true_one_is_recovered():
    """Clinicians with severe clients see larger changes: adjusted, limits miss the truth one time in twenty."""
    covered, crude, estimates = [], [], []
    for seed in range(40):
        for effects in ([0.0] * 8, [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]):
            improvement, design, clinicians = made_clinic(seed, effects)
            model = fit_case_mix(improvement, design, clinicians, NAMES)
            names = np.array(clinicians)
            for number, effect in enumerate(effects):
                own = names == f"K{number}"
                made = model.difference(improvement[own], design[own])
                if any(effects):
                    estimates += [made.difference] if effect else []
                    continue
                covered.append(made.lower <= 0 <= made.upper)
                crude.append(abs(improvement[own].mean() - improvement.mean()) < 1.96 * 4 / np.sqrt(60))
    assert len(covered) == 320
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(crude) < 0.8  # without adjustment equal clinicians look different
    # relative to the mean of the eight, of which this clinician is one: 3 - 3/8
    assert np.mean(estimates) == pytest.approx(3 * 7 / 8, abs=0.2)


@pytest.mark.parametrize(
    ("clinicians", "size", "message"),
    [(4, 12, "needs 50 clients .* there are 48"), (2, 40, "3 clinicians with 5 such clients each; there are 2")],
)
def test_too_little_is_refused(clinicians, size, message):
    with pytest.raises(ModelError, match=message):
        fit_case_mix(*made_clinic(1, [0.0] * clinicians, size), NAMES)


def test_columns_that_follow_from_each_other_are_refused():
    improvement, design, clinicians = made_clinic(1, [0.0] * 4, 30)
    with pytest.raises(ModelError, match="follows from the others"):
        fit_case_mix(improvement, np.column_stack([design, 1 - design[:, 2]]), clinicians, (*NAMES, "together"))


def test_the_variance_of_a_funnel_is_that_of_equal_units():
    """With equal errors s the moment estimate is phi s^2 - s^2 (I - 1) / I, times I / (I - 1)."""
    draw = np.random.default_rng(2)
    differences = draw.normal(0, 3, 40)
    low, high = np.quantile(differences, (0.1, 0.9))
    squares = np.mean(np.clip(differences, low, high) ** 2)
    expected = (40 * squares - 39 * 0.5**2) / 39
    assert variance_beyond_chance(differences.tolist(), [0.5] * 40) == pytest.approx(expected)
    assert variance_beyond_chance([9.0] * 9, [0.5] * 9) == 0
    assert variance_beyond_chance([0.1, -0.1] * 10, [0.5] * 20) == 0
