"""Reports of 150 clients on one core: the clinician's review, the client's summary, the plan of measures, as PDF.

Run: python benchmarks/reports.py [clients]. Processor time stands beside the time of the clock, which other work
on the machine lengthens.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mbc import reports
from mbc.care import CohortModels
from mbc.care.forecast.kept_models import make_models
from mbc.care.plan.battery import read_battery
from mbc.care.scoring.rescore import keep_scores
from mbc.exchange import import_record
from mbc.reports import Document
from mbc.store import Store

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"


def make_record(url: str) -> Store:
    """Make the sample clinic's record, with scores and models kept and a plan of measures for everybody."""
    store = Store.create(url)
    import_record(SAMPLE, store)
    keep_scores(store)
    days = store.administrations()["taken_on"]
    for _ in make_models(store, days.max()):
        pass
    with store.writing(by="benchmark") as record:
        for client in store.clients()["client_id"]:
            record.add_all(read_battery().planned(client, days.min()))
    return store


def measure(name: str, make: Callable[[str], Document], clients: list[str]) -> None:
    """Make a report of each client as PDF, and say how long it took."""
    clock, processor = time.perf_counter(), time.process_time()
    size = sum(len(make(client).pdf()) for client in clients)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    each = 1e3 * processor / len(clients)
    print(
        f"{name:<28}{len(clients):>5} reports {clock:>7.1f} s {processor:>7.1f} s of processor "
        f"{each:>6.0f} ms each {size / len(clients) / 1024:>6.0f} kB"
    )


def main() -> None:
    """Time each kind of report."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        store = make_record(f"sqlite:///{folder}/clinic.db")
        clients = store.clients()["client_id"].to_list()[: int(sys.argv[1]) if len(sys.argv) > 1 else 150]
        cohort = CohortModels(store)
        day = store.administrations()["taken_on"].max()
        clock = time.perf_counter()
        reports.client_report(store, clients[0], cohort=cohort, as_of=day).pdf()
        print(f"the first, with models and fonts read: {time.perf_counter() - clock:.1f} s")
        measure("review", lambda who: reports.client_report(store, who, cohort=cohort, as_of=day), clients)
        measure(
            "summary for the client",
            lambda who: reports.client_summary(store, who, cohort=cohort, as_of=day),
            clients,
        )
        measure(
            "plan of measures",
            lambda who: reports.measures_report(store, who, cohort=cohort, as_of=day),
            clients,
        )
        store.close()


if __name__ == "__main__":
    main()
