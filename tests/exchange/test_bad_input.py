"""Every way a file can be wrong: what is said of it, and that nothing is stored then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mbc.errors import ImportRefused, MbcError
from mbc.exchange import plan_import

pytestmark = pytest.mark.long

RSES = ",".join(f"rses_{n}" for n in range(1, 11))
WIDE = f"client_id,date,{RSES}\n"
FINE = "C1,2026-01-05,3,2,1,0,3,2,1,0,3,2\n"
LONG = "client,date,instrument,item,value\n"
TOTALS = "client,date,instrument,scale,score\n"


@dataclass(frozen=True)
class Bad:
    """A file, how it is imported, and words that its refusal must have."""

    text: str | bytes
    words: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


CASES = {
    # the file as a whole
    "empty": Bad("", ("is empty",)),
    "header only": Bad(WIDE, ("has a header but no rows",)),
    "workbook that is none": Bad(b"PK\x03\x04...", ("damaged workbook", "Save it again")),
    "all rows blank": Bad(WIDE + "C1,2026-01-05,,,,,,,,,,\n", ("contains no answers: every row is blank",)),
    "no layout known": Bad("client,date,mood\nC1,2026-01-05,3\n", ("has no recognised layout", "'mood'")),
    "numbered columns of whom": Bad(
        "client,date,Q1,Q2,Q3\nC1,2026-01-05,1,2,3\n", ("--instrument KEY --items 'Q{n}'",)
    ),
    # columns
    "no client": Bad(
        f"clent,date,{RSES}\n{FINE}", ("no column for the client", "Nearest: 'clent'", "--map client_id=")
    ),
    "no date": Bad(f"client,dte,{RSES}\n{FINE}", ("no column for the date of", "Nearest: 'dte'")),
    "neither": Bad(f"a,b,{RSES}\n{FINE}", ("no column for the client", "; the date of the questionnaire")),
    "two clients": Bad(
        f"client,patient,date,{RSES}\nC1,{FINE}", ("2 columns that could be the client", "'client', 'patient'")
    ),
    "repeated column": Bad(
        f"client,date,date,{RSES}\nC1,2026-01-05,{FINE[3:]}", ("more than one column named 'date'",)
    ),
    "repeated item": Bad(
        WIDE.replace("rses_2", "rses_1") + FINE, ("more than one column named 'rses_1'",)
    ),
    "missing item": Bad(
        WIDE.replace("rses_7", "rse_7") + FINE,
        ("needs 10 item columns", "lacks 'rses_7'", "--map rses_7='rse_7'"),
    ),
    "missing items of a pattern": Bad(
        WIDE.replace("rses_", "Q").replace("Q7", "R7") + FINE,
        ("lacks 'Q7'", "--map rses_7='R7'"),
        {"instrument": "rses", "items": "Q{n}"},
    ),
    "items under other names": Bad(
        WIDE.replace("rses_", "Q") + FINE, ("--instrument rses --items 'Q{n}'",), {"instrument": "rses"}
    ),
    "one item too many": Bad(
        WIDE.strip() + ",rses_11\n" + FINE.strip() + ",1\n", ("has 10 items", "also has 'rses_11'")
    ),
    "mapped column absent": Bad(
        WIDE + FINE, ("has no column 'Client'", "'client_id'"), {"columns": {"client_id": "Client"}}
    ),
    "unknown instrument": Bad(WIDE + FINE, ("no instrument 'rsess'", "'rses'"), {"instrument": "rsess"}),
    "unknown coding": Bad(WIDE + FINE, ("no coding '1-5'", "0-3, 1-4"), {"coding": "1-5"}),
    "unknown form": Bad(WIDE + FINE, ("no form 'c'", "a, b"), {"form": "c"}),
    "coding of an absent one": Bad(
        WIDE + FINE, ("the file contains no 'gad7' but rses",), {"coding": {"gad7": "1-4"}}
    ),
    # cells
    "out of range": Bad(
        WIDE + FINE + "C2,2026-01-05,3,2,7,0,3,2,1,0,3,2\n",
        ("1 of 2 administrations refused", "row 3: rses_3: 7 is out of range; accepted are 0 to 3 (coding 0-3)"),
    ),
    "negative": Bad(WIDE + "C2,2026-01-05,3,2,-1,0,3,2,1,0,3,2\n", ("rses_3: -1 is out of range",)),
    "between two answers": Bad(
        WIDE + 'C2,2026-01-05,3,2,"1,5",0,3,2,1,0,3,2\n', ("rses_3: 1,5 is not a whole number",)
    ),
    "text answer": Bad(
        WIDE + "C2,2026-01-05,3,2,often,0,3,2,1,0,3,2\n", ("rses_3: 'often' is not a number",)
    ),
    "code for missing": Bad(
        WIDE + "C2,2026-01-05,3,2,NA,0,3,2,1,0,3,2\n", ("'NA' is not a number", "--blank NA")
    ),
    "other coding": Bad(
        WIDE + "C1,2026-01-05,4,2,1,1,3,2,1,1,3,2\nC2,2026-01-06,1,1,1,1,1,1,1,1,1,1\n",
        (
            "all 2 administrations refused",
            "row 2: Rosenberg Self-Esteem Scale: answers do not fit coding 0-3 (row 2, rses_1: 4), but all",
            "but all of them fit 1-4. If that is the coding: --coding rses=1-4",
            "row 3: Rosenberg",
        ),
    ),
    "unparseable date": Bad(
        WIDE + FINE.replace("2026-01-05", "someday"),
        ("row 2: date: 'someday' is not a date; accepted are 2026-01-31",),
    ),
    "future date": Bad(
        WIDE + FINE.replace("2026-01", "2027-01"), ("row 2: date: '2027-01-05' is in the future",)
    ),
    "early date": Bad(WIDE + FINE.replace("2026-01", "1826-01"), ("'1826-01-05' is before 1900",)),
    "open date order": Bad(
        WIDE + FINE.replace("2026-01-05", "05/01/2026"), ("or the month first?", "--date-format '%d/%m/%Y'")
    ),
    "blank date": Bad(WIDE + FINE.replace("2026-01-05", ""), ("row 2: the date is blank",)),
    "blank client": Bad(WIDE + FINE.replace("C1", ""), ("row 2: the client is blank",)),
    "a name for a client": Bad(
        WIDE + FINE.replace("C1", "Ann Miller"), ("'Ann Miller' is not a valid identifier", "never a name")
    ),
    "session number": Bad(
        WIDE.replace("date,", "date,session,") + FINE.replace("-05,", "-05,two,"),
        ("'two' is not a session number",),
    ),
    "new client of an unknown clinician": Bad(
        WIDE + FINE.replace("C1", "N1"),
        ("nor is the clinician 'K9' (on record: 'K1', 'K2'; --display-name registers a new one)",),
        {"clinician": "K9"},
    ),
    "unknown relationship": Bad(
        WIDE.replace("date,", "date,target,") + FINE.replace("-05,", "-05,R9,"),
        ("target 'R9' is not a relationship of C1 (on record: 'C1.R1')", "--new-relationships"),
    ),
    "twice in the file, differently": Bad(
        WIDE + FINE + FINE.replace("3,2\n", "3,3\n"), ("rows 2 and 3 differ, for one occasion",)
    ),
    # long files
    "unknown questionnaire in a row": Bad(
        LONG + "C1,2026-01-05,rses,1,3\nC1,2026-01-05,gad9,1,3\n",
        ("row 3: instrument: there is no questionnaire 'gad9'; did you mean", "gad7"),
    ),
    "blank questionnaire": Bad(LONG + "C1,2026-01-05,,1,3\n", ("row 2: the questionnaire is blank",)),
    "item beyond the last": Bad(
        LONG + "C1,2026-01-05,rses,11,3\n", ("the item is '11'", "has items 1 to 10")
    ),
    "item without a number": Bad(LONG + "C1,2026-01-05,rses,worth,3\n", ("the item is 'worth'",)),
    "blank item": Bad(LONG + "C1,2026-01-05,rses,,3\n", ("the item is blank",)),
    "item answered twice": Bad(
        LONG + "C1,2026-01-05,rses,1,3\nC1,2026-01-05,rses,1,2\n",
        ("rows 2-3: item 1 is answered twice, differently (rows 2 and 3)",),
    ),
    "answer of a long file": Bad(
        LONG + "C1,2026-01-05,rses,1,0\nC1,2026-01-05,rses,2,9\n",
        ("rows 2-3: item 2: 9 is out of range; accepted are 0 to 3",),
    ),
    "no item column": Bad(
        LONG.replace("item", "thing") + "C1,2026-01-05,rses,1,3\n",
        ("no column for the item's number",),
        {"layout": "long"},
    ),
    # files of totals
    "score out of range": Bad(
        TOTALS + "C1,2026-01-05,rses,total,35\n",
        ("35 is out of range", "is 0 to 30", "coded 1-4 (10 to 40)"),
    ),
    "score that is text": Bad(TOTALS + "C1,2026-01-05,rses,total,high\n", ("'high' is not a number",)),
    "unknown scale": Bad(
        TOTALS + "C1,2026-01-05,ecr_s,total,3\n", ("the scale is 'total'", "has anxiety, avoidance")
    ),
    "scale left open": Bad(TOTALS + "C1,2026-01-05,ecr_s,,3\n", ("the scale is blank",)),
    "score on another metric": Bad(
        TOTALS + "C1,2026-01-05,rses,total,25\n", ("stored on the questionnaire's own metric",), {"coding": "1-4"}
    ),
    # what a file could do to a terminal or a page
    "control characters": Bad(
        WIDE + FINE.replace("C1", "\x1b[31mC1"), ("'�[31mC1' is not a valid identifier",)
    ),
    "markup in a header": Bad("[bold]x[/],<b>y</b>\n1,2\n", ("It has '[bold]x[/]', '<b>y</b>'",)),
}  # fmt: skip


CELLS = [
    "", "C1", "C2", "Ann Miller", "2026-01-05", "05/01/2026", "2026-01-05T25:99Z", "0", "3", "2,5", "9" * 40,
    "1e5", "nan", "NA", "rses", "gad9", "total", "R1", "self", "b", "1-4", '"', "=1+1", "\x1b[2J", "[red]",
    "x\ny", "\u202e", "٣",
]  # fmt: skip
HEADERS = [
    "client", "id", "date", "taken_at", "instrument", "item", "value", "scale", "score", "target", "form",
    "coding", "session", "rses_1", "rses_10", "csi4_1", "csi4_2", "csi4_3", "csi4_4", "", "=x",
]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_file_holds_the_answer_is_a_plan_or_a_reason(untouched, tmp_path, now, data):
    header = data.draw(st.lists(st.sampled_from(HEADERS), min_size=2, max_size=9))
    row = st.lists(st.sampled_from(CELLS), min_size=0, max_size=len(header) + 1)
    rows = [header, *data.draw(st.lists(row, max_size=5))]
    separator = data.draw(st.sampled_from(",;"))
    path = tmp_path / "any.csv"
    path.write_text("\n".join(separator.join(cells) for cells in rows), encoding="utf-8")
    try:
        said = str(plan_import(path, untouched, now=now).to_frame().rows())
    except MbcError as fault:
        said = "\n".join([str(fault), *getattr(fault, "rows", ())])
    assert not any(character in said for character in "\x1b\u202e")


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_bad_input_is_refused_clearly_and_nothing_is_stored(untouched, write, now, case):
    store = untouched
    before = (store.clients(), store.administrations(), store.relationships())
    with pytest.raises(MbcError) as fault:
        plan_import(write(case.text), store, now=now, **case.options).apply(store)
    rows = fault.value.rows if isinstance(fault.value, ImportRefused) else ()
    said = "\n".join([str(fault.value), *rows])
    for words in case.words:
        assert words in said
    assert not any(character in said for character in "\x1b\x07\x9b")
    for was, is_ in zip(before, (store.clients(), store.administrations(), store.relationships()), strict=True):
        assert was.equals(is_)
