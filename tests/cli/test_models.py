"""``mbc models``: what the record keeps of the clinic's own models, and how they are made without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.store import Store
from tests.care.forecast.test_kept_models import N_CLIENTS, fill

pytestmark = pytest.mark.long


def run(*words: str) -> str:
    result = CliRunner().invoke(program, words, catch_exceptions=False, standalone_mode=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('models') / 'clinic.db'}"
    with Store.create(address) as store:
        fill(store)
    return address


def test_a_review_waits_for_no_fit_and_names_the_command_that_makes_it(url: str):
    assert "No forecast yet: 'mbc models --fit' fits the clinic's model." in run("review", "C1", "--store", url)
    assert run("models", "--store", url) == "rses.total: not fitted yet Fit them: mbc models --fit"
    made = run("models", "--fit", "--as-of", "2026-03-02", "--store", url)
    assert made == f"rses.total: learned from {N_CLIENTS} clients 1 fitted."
    assert "clients of this clinic, on 2 March 2026." in run("review", "C1", "--store", url)
    listed = run("models", "--as-of", "2026-03-05", "--store", url)
    assert listed == f"rses.total: learned from {N_CLIENTS} clients; 2026-03-02"
    assert run("models", "--fit", "--as-of", "2026-03-05", "--store", url) == "No model is due."
    assert "(due) Fit them" in run("models", "--as-of", "2026-03-09", "--store", url)
    assert run("models", "--fit", "--all", "--as-of", "2026-03-05", "--store", url).endswith("1 fitted.")


def test_too_few_clients_are_named(tmp_path: Path):
    address = f"sqlite:///{tmp_path / 'clinic.db'}"
    with Store.create(address) as store:
        fill(store, 3)
    assert "It needs 40 clients with two scores or more" in run("models", "--fit", "--store", address)


def test_all_without_fit_is_refused(url: str):
    result = CliRunner().invoke(program, ("models", "--all", "--store", url))
    assert result.exit_code == 2
    assert "--all must be given with --fit" in result.output
