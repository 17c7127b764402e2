"""A report of a record with safety data is the same, to the byte, as of the same record without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from mbc import reports
from mbc.care.plan.battery import read_battery
from mbc.instruments import instrument
from mbc.reports import Document
from mbc.store import CouplesContraindication, ReleaseOfInformation, Store
from tests.attack.test_safety_twins import CLIENT, make_twin
from tests.dashboards.record import day
from tests.reports.documents import read_pdf

DAY = day(11)
DOCUMENTS: dict[str, Callable[[Store], Document]] = {
    "client": lambda store: reports.client_report(store, CLIENT, as_of=DAY),
    "summary": lambda store: reports.client_summary(store, CLIENT, as_of=DAY),
    "summary with everything": lambda store: reports.client_summary(
        store, CLIENT, include=["relationship", "alliance", "events", "goals"], as_of=DAY
    ),
    "measures": lambda store: reports.measures_report(store, CLIENT, as_of=DAY),
    "measures with everything": lambda store: reports.measures_report(
        store, CLIENT, include=["relationship", "alliance", "events", "goals"], as_of=DAY
    ),
    "couples": lambda store: reports.couples_report(store, CLIENT, "R-1", as_of=DAY),
}


@pytest.fixture(scope="module")
def twins(tmp_path_factory) -> Iterator[tuple[Store, Store]]:
    places = [f"sqlite:///{tmp_path_factory.mktemp('twin') / 'clinic.db'}" for _ in range(2)]
    for place, screened in zip(places, (False, True), strict=True):
        make_twin(place, screened=screened)
        with Store.open(place) as store, store.writing() as record:
            record.add(ReleaseOfInformation("R-1", CLIENT, "Dr Rowan", "planning", "rses phq9 csi4", DAY, day(30)))
            record.add_all(read_battery().planned(CLIENT, DAY))
            if screened:  # while it holds nothing is made for a couples therapist: another test
                ended = CouplesContraindication(CLIENT, day(2), "violence or fear", ended_on=day(9))
                record.add(ended, supersede="it ended")
    with Store.open(places[0]) as without, Store.open(places[1]) as screened:
        yield without, screened


def traces() -> re.Pattern[str]:
    """What would betray safety data: names, labels and items of screens, and of items that raise flags."""
    words = {"hits", "e-hits", "hark", "safety", "violence", "unsafe", "restricted", "suicid"}
    for key in ("hits", "e_hits", "hark"):
        definition = instrument(key)
        words |= {definition.name.lower(), *(item.label.lower() for item in definition.items)}
    phq9 = instrument("phq9")
    words |= {flag.label.lower() for flag in phq9.flags}
    return re.compile("|".join(rf"(?<!\w){re.escape(word)}" for word in sorted(words - {"fear", "insults"})))


@pytest.mark.long
@pytest.mark.parametrize(
    ("user", "kind"),
    [
        *((None, kind) for kind in DOCUMENTS),
        *(
            pytest.param("ash", kind, marks=pytest.mark.slow if f"{kind} with everything" in DOCUMENTS else ())
            for kind in DOCUMENTS
        ),
    ],
)
def test_safety_data_leave_no_trace(twins, kind, user):
    made = [DOCUMENTS[kind](store if user is None else store.as_user(user)) for store in twins]
    assert made[0].html() == made[1].html()
    pdfs = [document.pdf() for document in made]
    assert pdfs[0] == pdfs[1]
    printed = read_pdf(pdfs[1])
    everything = "\n".join([printed.text, printed.metadata, made[1].html(), *map(str, printed.alternatives)])
    assert traces().findall(everything.lower()) == []
