"""LHC-Forms (npm ``lforms``) works out the same scores from an exported Questionnaire as mbc does.

The package is not part of the project. ``npm install --legacy-peer-deps lforms`` in any folder, and
``MBC_LFORMS=FOLDER/node_modules/lforms``, or a global installation, lets this test run; it needs Chromium.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mbc.exchange import export_record
from mbc.exchange.own_definitions import definitions_of
from mbc.instruments import Coding, Form, Instrument, instrument, keys, score
from mbc.store import Administration, Client, Store

pytestmark = [pytest.mark.slow, pytest.mark.browser]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ANSWERED = 3  # sheets of each questionnaire
COMPUTE = """async ([questionnaire, responses]) => {
  const scores = [];
  for (const response of responses) {
    const form = LForms.Util.convertFHIRQuestionnaireToLForms(questionnaire, 'R4');
    const filled = LForms.Util.mergeFHIRDataIntoLForms('QuestionnaireResponse', response, form, 'R4');
    const data = new LForms.LFormsData(filled);
    data.hasSavedData = false;  // else a score that the response lacks counts as one that somebody deleted
    await data._expressionProcessor.runCalculations(true);
    const read_only = data.items.filter(item => item.editable === '0');
    scores.push(Object.fromEntries(read_only.map(item => [item.linkId, item.value ?? null])));
  }
  return scores;
}"""


def package() -> Path | None:
    named = os.environ.get("MBC_LFORMS")
    if named is None and (npm := shutil.which("npm")):
        root = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False).stdout.strip()
        named = f"{root}/lforms"
    return Path(named) if named and (Path(named) / "dist" / "lforms").is_dir() else None


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    folder = package()
    if folder is None:
        pytest.skip("The npm package lforms is not at hand: MBC_LFORMS names its folder.")
    if CHROMIUM is None:
        pytest.skip("Chromium is not at hand.")
    scripts = [
        folder / "dist" / "lforms" / "webcomponent" / "lhc-forms.js",
        folder / "dist" / "lforms" / "fhir" / "R4" / "lformsFHIR.min.js",
    ]
    html = tmp_path_factory.mktemp("lforms") / "page.html"
    tags = "".join(f'<script src="{script.as_uri()}"></script>' for script in scripts)
    html.write_text(f'<html><head><meta charset="utf-8"></head><body>{tags}</body></html>')
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(html.as_uri())
        opened.wait_for_function("typeof LForms !== 'undefined' && !!LForms.LFormsData ")
        yield opened
        browser.close()


def versions() -> list[tuple[Instrument, Form, Coding]]:
    every = [instrument(key) for key in keys()]
    return [(measure, form, coding) for measure in every for form in measure.forms for coding in measure.codings]


def drawn(measure: Instrument, form: Form, coding: Coding) -> list[dict[str, float]]:
    draw = random.Random(f"{measure.key} {form.key} {coding.key}")
    spans = [coding.accepted(measure.item(item)) for item in form.order]
    names = measure.item_columns()
    return [
        {name: float(draw.randint(*span)) for name, span in zip(names, spans, strict=True)}
        for _ in range(ANSWERED)
    ]


def exported(folder: Path, measure: Instrument, form: Form, coding: Coding, sheets: list[dict[str, float]]) -> Any:
    """Export a record of one client who filled in one questionnaire a few times."""
    with Store.create("sqlite://") as store, definitions_of(store):
        with store.writing(by="desk") as record:
            record.add(Client("C1"))
            for place, sheet in enumerate(sheets):
                day = date(2026, 1, 5) + timedelta(place)
                answers = tuple(sheet.values())
                record.add(Administration("C1", measure.key, day, answers, form=form.key, coding=coding.key))
        done = export_record(store, folder / "record.json", format="fhir", include_safety=True, force=True)
    entries = json.loads(done.path.read_text(encoding="utf-8"))["entry"]
    resources = [entry["resource"] for entry in entries]
    (questionnaire,) = [each for each in resources if each["resourceType"] == "Questionnaire"]
    responses = [each for each in resources if each["resourceType"] == "QuestionnaireResponse"]
    return questionnaire, sorted(responses, key=lambda each: each["authored"])


def test_lhc_forms_finds_the_same_scores_in_every_questionnaire_that_it_can_compute(page, tmp_path):
    compared: set[str] = set()
    for measure, form, coding in versions():
        if coding.metric:
            continue
        sheets = drawn(measure, form, coding)
        questionnaire, responses = exported(tmp_path, measure, form, coding, sheets)
        calculated = [item["linkId"] for item in questionnaire["item"] if item.get("readOnly")]
        if not calculated:
            continue
        theirs = page.evaluate(COMPUTE, [questionnaire, responses])
        ours = score(pl.DataFrame(sheets), measure, form=form.key, coding=coding.key).select(calculated)
        for row, computed in zip(ours.iter_rows(named=True), theirs, strict=True):
            assert computed == pytest.approx(row), (measure.key, form.key, coding.key)
        compared.add(measure.key)
    assert len(compared) > 25
    assert {"rses", "csi16", "ecr_s", "phq9", "gad7", "who5", "ors", "srs"} <= compared
