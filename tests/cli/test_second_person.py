"""The operator chooses the risk answers that a second person looks at."""

from __future__ import annotations

from click.testing import CliRunner

from mbc.cli.program import program
from mbc.store import Store


def test_items_are_chosen_shown_and_taken_back(tmp_path):
    url = f"sqlite:///{tmp_path}/clinic.db"
    Store.create(url).close()

    def run(*words: str):
        return CliRunner().invoke(program, ["user", "second-person", *words, "--store", url])

    assert run().output == "No answer needs a second person.\n"
    assert run("phq9.i9", "hits").output == "A second person reviews: hits, phq9.i9.\n"
    assert run().output == "A second person reviews: hits, phq9.i9.\n"
    refused = run("phq9.i1")
    assert (refused.exit_code, "these items of the questionnaire do: i9" in refused.output) == (2, True)
    assert run("rses").exit_code == 2
    assert run("--none").output == "No answer needs a second person.\n"
