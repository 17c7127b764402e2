"""A served record gets its models beside the pages: a page says that they are being made, and then shows them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dashboards.server import model_timer
from dashboards.server.model_timer import ModelTimer, making_models
from mbc.store import Clinician, Store
from mbc.store.writing.transaction import Writing
from tests.care.forecast.test_kept_models import DAY, fill
from tests.dashboards.conftest import sign_in
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.long

N_CLIENTS = 45  # of whom a course can be learned
BEING_MADE = "No forecast yet: the clinic's model is being fitted."


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'clinic.db'}"
    with Store.create(address) as store:
        fill(store, N_CLIENTS)
        with store.writing() as record:
            assign_to(record)
        store.assign([f"C{client}" for client in range(N_CLIENTS)], "K1", reason="the first")
        store.accounts.add("ash", PASSWORD, "clinician", "K1")
    return address


def assign_to(record: Writing) -> None:
    record.add(Clinician("K1", "Dr Ash"))


def test_a_page_says_that_the_model_is_being_made_and_then_shows_it(url, make_app, monkeypatch):
    monkeypatch.setattr("mbc.care.forecast.clinic_models.cohort_model", lambda *_: pytest.fail("a page waits"))
    monkeypatch.setattr("mbc.care.forecast.clinic_models._LOOKED_FOR", 0.0)
    app = make_app(url, today=DAY)
    visitor = app.server.test_client()
    sign_in(visitor, "ash")
    page = visitor.get("/client/C1?plain=1")
    assert page.status_code == 200
    assert BEING_MADE in page.text
    ModelTimer(app).look()  # in a process of its own
    page = visitor.get("/client/C1?plain=1").text
    assert BEING_MADE not in page
    assert f"Learned from {N_CLIENTS} clients of this clinic, on 2 March 2026." in page


def test_the_timer_looks_at_once_and_ends_with_the_server(record_url, make_app, monkeypatch):
    looked = threading.Event()
    monkeypatch.setattr(ModelTimer, "look", lambda _: looked.set())
    with making_models(make_app(record_url, today=DAY), every=30):
        assert looked.wait(5)
    assert not any(thread.name == "models" for thread in threading.enumerate())


def test_a_fit_under_way_is_ended_with_the_server(record_url, make_app, monkeypatch):
    started = threading.Event()
    monkeypatch.setattr(model_timer, "due_models", lambda *_: [started.set() or "rses"])
    timer = ModelTimer(make_app(record_url, today=DAY))
    timer.thread.start()
    assert started.wait(5)
    timer.stop()
    assert not timer.thread.is_alive()
