"""Trials of scoring, change and import."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange import ImportPlan, export_record, import_record, plan_import
from mbc.instruments import instrument, keys, score
from mbc.models import reliable_change
from mbc.reports.installation.requirement import require
from mbc.reports.installation.synthetic import ROW, WIDE, day_of, synthetic_store
from mbc.store import Store


def published_score(_: Path) -> str:
    """Score a PHQ-9: five answers of 1 sum to 5, the first of "mild" (Kroenke, Spitzer & Williams, 2001)."""
    answers = pl.DataFrame({name: [int(n < 5)] for n, name in enumerate(instrument("phq9").item_columns())})
    row = score(answers, "phq9").row(0, named=True)
    total, band = row["phq9_total"], row["phq9_total_band"]
    require((total, band) == (5.0, "mild"), f"the score is {total:g}, {band}")
    return "PHQ-9, five answers of 1: 5, mild"


def blanks(_: Path) -> str:
    """Score a PHQ-9 with three blanks, which must give none."""
    names = instrument("phq9").item_columns()
    few = pl.DataFrame(
        {name: [None if n < 3 else 2] for n, name in enumerate(names)}, schema=dict.fromkeys(names, pl.Int64)
    )
    total = score(few, "phq9", missing="prorate").row(0, named=True)["phq9_total"]
    require(total is None, f"three blanks of nine gave {total}")
    return "PHQ-9 with three blanks of nine: no score"


def definitions(_: Path) -> str:
    """Load each definition that is shipped, which must name its source."""
    unsourced = [key for key in keys() if not any(source.citation for source in instrument(key).sources)]
    require(not unsourced, f"without a source: {', '.join(unsourced)}")
    return f"{len(keys())} questionnaires, each with its source"


def published_change(_: Path) -> str:
    """Work out the example of Jacobson & Truax (1991): 47.5 to 32.5 with s = 7.5 and r = .80 is -3.16."""
    index = reliable_change(47.5, 32.5, sd=7.5, reliability=0.80).index
    require(index is not None and round(index, 2) == -3.16, f"the index is {index}")
    return "47.5 to 32.5: index -3.16"


def _imported(folder: Path, store: Store, text: str) -> ImportPlan:
    path = folder / "answers.csv"
    path.write_text(text, encoding="utf-8")
    return plan_import(path, store, clinician="K1")


def all_or_nothing(folder: Path) -> str:
    """Import a file with a refused row, which must store nothing."""
    with synthetic_store(folder) as store:
        before = len(store.administrations())
        wrong = f"{WIDE}\nC2,2026-02-05,{ROW}\nC2,2026-02-06,{ROW.replace('1', '9')}\n"
        try:
            _imported(folder, store, wrong).apply(store)
        except ImportRefused:
            after = len(store.administrations())
            require(after == before, f"{after - before} rows were stored")
            return "a file with one refused row of two: nothing stored"
        require(condition=False, otherwise="the file was stored")
    return ""


def twice(folder: Path) -> str:
    """Import a file twice, which must store it once."""
    with synthetic_store(folder) as store:
        text = f"{WIDE}\nC2,2026-02-05,{ROW}\n"
        first = _imported(folder, store, text).apply(store).counts
        again = _imported(folder, store, text).apply(store).counts
    require(first["stored"] == 1, "the file was not stored")
    require(again["stored"] == 0, "it was stored twice")
    return "a file imported twice: stored once"


def doubtful_days(folder: Path) -> str:
    """Import a day that could be a month, which must be refused."""
    with synthetic_store(folder) as store:
        try:
            _imported(folder, store, f"{WIDE}\nC2,02/03/2026,{ROW}\n")
        except ImportRefused:
            return "02/03/2026: refused, asking which number is the day"
        require(condition=False, otherwise="02/03/2026 was accepted as a date")
    return ""


def round_trip(folder: Path) -> str:
    """Export and import a record, which must be the same."""
    with synthetic_store(folder) as store:
        export_record(store, folder / "out", include_safety=True)
        answers = day_of(store)
    with Store.create(f"sqlite:///{folder / 'other.db'}") as other:
        import_record(folder / "out", other)
        same = day_of(other).equals(answers)
    require(same, "the answers differ")
    return f"{len(answers)} answers exported as CSV and imported: the same"
