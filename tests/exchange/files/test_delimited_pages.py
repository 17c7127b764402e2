"""A long file read a page at a time: the same plan, notes and record, to the last word, as read whole."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from itertools import product

import polars as pl
import pytest

from mbc.errors import ImportRefused, MbcError
from mbc.exchange import plan_import
from mbc.exchange.files import delimited_pages as text_pages
from mbc.exchange.plan.import_plan import ImportPlan
from mbc.store import Administration, Client, Clinician, Store

pytestmark = pytest.mark.long

PAGE = 400  # bytes: about ten rows
DAYS = [date(2024, 1, 1) + timedelta(days=place) for place in range(60)]


def rses(place: int, low: int = 0, high: int = 3) -> list[int]:
    return [random.Random(f"{place} {n}").randint(low, high) for n in range(10)]


def wide(
    *,
    separator: str = ",",
    day: Callable[[date], str] = str,
    answers: Callable[[int], list] = rses,
    more: Callable[[int], str] = lambda _: "",
    head: str = "",
    end: str = "\n",
) -> str:
    """Sixty rows of five clients; `more` is a last cell."""
    header = ["client_id", "date", *(f"rses_{n}" for n in range(1, 11)), *([head] if head else [])]
    lines = [
        [f"N{place % 5}", day(DAYS[place]), *map(str, answers(place)), *([more(place)] if head else [])]
        for place in range(60)
    ]
    return "".join(separator.join(line) + end for line in [header, *lines])


def with_line(text: str, place: int, change: Callable[[str], str]) -> str:
    lines = text.split("\n")
    lines[place] = change(lines[place])
    return "\n".join(lines)


def spoilt(place: int) -> list:
    """A few answers that nobody can give."""
    return [9 if place == 7 else "often" if place == 31 else 1.5 if place == 44 else "", *rses(place)[1:]]


PLAIN = wide()
PAGED: dict[str, str | bytes] = {
    "plain": PLAIN,
    "semicolons and Windows line ends": wide(separator=";", end="\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "no line end at the end": PLAIN.rstrip("\n"),
    "blank lines within": PLAIN.replace("N1,2024-01-12", "\n\nN1,2024-01-12"),
    "blank lines at the end": PLAIN + "\n\n\n",
    "quoted cells with line ends and quotes": wide(head="remark", more=lambda n: f'"a ""b""\n{"c" * n}, d"'),
    "answers that nobody can give": wide(answers=spoilt),
    "another coding throughout": wide(answers=lambda n: rses(n, 1, 4)),
    "another coding, shown late": wide(answers=lambda n: rses(n, 1, 4 if n > 50 else 3)),
    "perhaps another coding": wide(answers=lambda n: rses(n, 1, 3)),
    "day first": wide(day=lambda one: f"{20 + DAYS.index(one) % 5}/{1 + DAYS.index(one) // 5:02}/2023"),
    "times without a zone": wide(day=lambda one: f"{one} 1{one.day % 10}:30"),
    "moments": wide(day=lambda one: f"{one}T09:30+01:00"),
    "days that are none": wide(day=lambda one: "2024-02-31" if one.day == 15 else str(one)),
    "a row twice, pages apart": PLAIN + PLAIN.split("\n")[3] + "\n",
    "a row twice among answers that nobody can give": wide(answers=spoilt) + PLAIN.split("\n")[3] + "\n",
    "an occasion twice, pages apart": PLAIN
    + "".join(PLAIN.split("\n")[row][:-1] + end for row, end in ((3, "9\n"), (5, "0\n"))),
    "questionnaires without answers": wide(answers=lambda n: [""] * 10 if n % 7 == 0 else rses(n)),
    "recorded totals, some wrong": wide(head="rses_total", more=lambda n: str(n % 31)),
    "clients that are none": wide().replace("N3,", "N 3,"),
    "a clinician whom nobody knows": wide(head="clinician", more=lambda n: "K1" if n < 40 else "K7"),
    "forms and codings by row": wide(head="coding", more=lambda n: ["0-3", "1-4", "", "5-9"][n % 4]),
    "targets and sessions": wide(head="session", more=lambda n: str(n) if n % 9 else "first"),
    "an empty column at the right": wide(head="x", more=lambda _: "").replace(",x\n", ",\n"),
    "columns that nobody reads": wide(head="weather", more=lambda n: "rain" * (n % 3)),
}  # fmt: skip
WHOLE: dict[str, str | bytes] = {
    "Western European letters": wide(head="remark", more=lambda n: "é" * (n > 30)).encode("cp1252"),
    "UTF-16": PLAIN.encode("utf-16"),
    "short rows": with_line(PLAIN, 40, lambda line: line.rsplit(",", 2)[0]),
    "rows too long": with_line(PLAIN, 40, lambda line: f"{line},7"),
    "cut off in mid-row": PLAIN[: PLAIN.rindex(",") - 5],
    "a quotation mark that is not closed": with_line(PLAIN, 40, lambda line: line.replace("N", '"N', 1)),
    "the day or the month first": wide(day=lambda one: f"{one.replace(day=1 + one.day % 12):%d/%m/%Y}"),
    "day first, as only later pages tell": wide(day=lambda one: f"{one:%d/%m/%Y}"),
    "both orders, pages apart": wide(day=lambda one: f"{one:%d/%m/%Y}" if one.month == 1 else f"{one:%m/%d/%Y}"),
    "something in an unnamed column": wide(head="x", more=lambda n: "1" * (n == 50)).replace(",x\n", ",\n"),
    "a long file": "client,date,instrument,item,value\n"
    + "".join(f"N{n % 5},{DAYS[n]},rses,{i},1\n" for i, n in product(range(1, 11), range(60))),
    "nothing but a header": "client_id,date," + ",".join(f"rses_{n}" for n in range(1, 11)) + "\n" * 500,
    "two columns for the client": PLAIN.replace("rses_10", "client", 1),
}  # fmt: skip


def refusal_or_plan(path, now) -> tuple[object, ...] | ImportPlan:
    """The plan of a file, or why it is refused."""
    try:
        return plan_import(path, now=now)
    except MbcError as fault:
        return type(fault), str(fault), getattr(fault, "rows", ())


def said(plan: tuple[object, ...] | ImportPlan) -> tuple[object, ...]:
    """Everything that is said of a file, with the answers that would be stored; or why it is refused."""
    if isinstance(plan, tuple):
        return plan
    rows = [row for page in plan.proposal.parts.with_answers(plan.administrations) for row in page.iter_rows()]
    shown = (
        plan.to_frame().rows(),
        plan.notes,
        plan.refusals,
        plan.counts,
        plan.duplicates_in_file,
        plan.new_clients,
    )
    return *shown, plan.source, sorted(map(repr, rows))


FIRST = frozenset({
    "quoted cells with line ends and quotes", "an occasion twice, pages apart",
    "day first, as only later pages tell",
})  # fmt: skip
"""Those of make test; make test-all reads all of them."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in FIRST else pytest.mark.slow) for name in (*PAGED, *WHOLE)],
)
def test_pages_say_what_the_file_says(name, write, now, monkeypatch):
    path = write({**PAGED, **WHOLE}[name])
    whole = said(refusal_or_plan(path, now))
    monkeypatch.setattr(text_pages, "PAGE", PAGE)
    plan = refusal_or_plan(path, now)
    assert said(plan) == whole
    if name in PAGED:
        assert isinstance(plan, ImportPlan)
        parts = plan.proposal.parts
        assert len(list(parts.answered())) > 4
        assert sum(map(len, parts.answered())) == len(parts.reading.administrations)
        assert "answers" not in parts.reading.administrations.columns


def kept(path, now) -> tuple[object, ...]:
    """What is on record after a file was brought in twice."""
    with Store.create("sqlite://") as store:
        with store.writing(by="test") as record:
            record.add_all([Clinician("K1", "Dr. One"), Client("N1", clinician_id="K1")])
            record.add(Administration("N1", "rses", DAYS[1], (0,) * 10, form="a", coding="0-3"))
        plans = [plan_import(path, store, now=now, supersede="again"), plan_import(path, store, now=now)]
        done = plans[0].apply(store, skip_refused=True)
        again = plan_import(path, store, now=now, supersede="again").apply(store, skip_refused=True)
        frames = (store.administrations(history=True).drop("recorded_at"), store.answers(), store.totals())
        assert store.verify().intact
        with store._engine.connect() as connection:
            query = "SELECT source_line, content, source_sha256 FROM administration JOIN entry USING (entry_id)"
            lines = [tuple(line) for line in connection.exec_driver_sql(query)]
        counts = [plan.counts for plan in (*plans, done, again)]
        return counts, [frame.rows() for frame in frames], store.clients().rows(), lines


@pytest.mark.parametrize(
    "name",
    [
        "a row twice among answers that nobody can give",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                "plain",
                "answers that nobody can give",
                "a row twice, pages apart",
                "recorded totals, some wrong",
            )
        ),
    ],
)
def test_pages_leave_the_same_record(name, write, now, monkeypatch):
    path = write(PAGED[name])
    whole = kept(path, now)
    monkeypatch.setattr(text_pages, "PAGE", PAGE)
    assert kept(path, now) == whole


def test_a_file_that_changes_between_plan_and_storing_is_refused(store, write, now, monkeypatch):
    monkeypatch.setattr(text_pages, "PAGE", PAGE)
    plan = plan_import(write(PLAIN), store, now=now)
    write(with_line(PLAIN, 50, lambda line: line[:-1] + "0"))
    with pytest.raises(ImportRefused, match="changed while it was read; nothing was stored"):
        plan.apply(store)
    assert store.administrations().is_empty()
    assert "N1" not in store.clients()["client_id"]


def test_pages_know_their_rows_wherever_they_are_cut(write, monkeypatch):
    path = write(wide(head="remark", more=lambda n: '"two\nlines"' if n % 4 else ""))
    for page in (1, 50, 51, 52, 53, 97, 1 << 20):
        monkeypatch.setattr(text_pages, "PAGE", page)
        read = pl.concat([table.frame for table in text_pages.TextPages(path)])
        assert read["row in file"].to_list() == list(range(2, 62))
        assert read["date"].to_list() == list(map(str, DAYS))


PEAK = r"""
import re, sys
from pathlib import Path
from mbc.exchange import ImportOptions, read_plan
from mbc.exchange.files import delimited_pages
delimited_pages.PAGE = int(sys.argv[2])
plan = read_plan(sys.argv[1], None, ImportOptions())
stored = sum(len(page) for page in plan.proposal.parts.with_answers(plan.administrations))
# not resource.getrusage: its peak begins with that of the process that started this one
print(stored, 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]))
"""


def peak(path, page: int) -> tuple[int, int]:
    command = [sys.executable, "-c", PEAK, str(path), str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows, used = map(int, done.stdout.split())
    return rows, used


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other units")
@pytest.mark.slow
@pytest.mark.parametrize("parts", [1, 4])
def test_memory_hardly_grows_with_the_file(tmp_path, parts):
    """A row of 18 cells costs some 2,000 bytes while it is checked; of rows that are done few words stay."""
    header = "client_id,date," + ",".join(f"csi16_{n}" for n in range(1, 17)) + "\n"
    peaks = []
    for rows in (60_000 // parts, 180_000 // parts):  # three pages of the file, and nine
        path = tmp_path / f"{rows}.csv"
        answers = ",".join("5" for _ in range(16))
        lines = (f"N{n // 60:05},{DAYS[n % 60]},{answers}\n" for n in range(rows))
        path.write_text(header + "".join(lines))
        peaks.append(peak(path, text_pages.PAGE // parts))
    (few, before), (many, after) = peaks
    assert (few, many) == (60_000 // parts, 180_000 // parts)
    assert (after - before) / (many - few) < 900  # bytes a row
