"""Files of other countries, programs and questionnaires: read rightly, or refused with the reason."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mbc.errors import MbcError
from mbc.exchange import plan_import
from mbc.store import Store
from tests.exchange.hint_cases import wide

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("readers_in_process")]

ROW = ["C1", "2026-01-05"]
ONES = [1] * 9
CODES = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")
WORDS = ("Not at all", "Several days", "More than half the days", "Nearly every day")
File = str | bytes | Callable[[Path], Path]


def day(text: str) -> str:
    return wide("phq9", 9, ["C1", text, *ONES])


def person(text: str) -> str:
    return wide("phq9", 9, [text, "2026-01-05", *ONES])


def answer(text: str) -> str:
    return wide("phq9", 9, [*ROW, *[text] * 9])


def people(key: str, items: int, low: int, high: int, count: int = 30) -> str:
    source = random.Random(5)
    rows = [[f"N{n}", "2026-01-05", *[source.randint(low, high) for _ in range(items)]] for n in range(count)]
    rows += [["N-low", "2026-01-05", *[low] * items], ["N-high", "2026-01-05", *[high] * items]]
    return wide(key, items, *rows)


def totals(key: str, scores: list[float]) -> str:
    return f"client_id,date,{key}_total\n" + "".join(
        f"N{n},2026-01-05,{score:g}\n" for n, score in enumerate(scores)
    )


def response(answers: list[dict[str, Any]], **more: Any) -> str:
    items = [{"linkId": f"/{code}", "answer": [each]} for code, each in zip(CODES, answers, strict=False)]
    return json.dumps(
        {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "questionnaire": "http://x/phq9",
            "subject": {"reference": "Patient/C1"},
            "authored": "2026-01-05",
            "item": items,
            **more,
        }
    )


def coded(*pairs: tuple[str, str], system: str | None = "urn:x") -> str:
    codings = [{"code": code, "display": words} | ({"system": system} if system else {}) for code, words in pairs]
    return response([{"valueCoding": codings[n % len(codings)]} for n in range(9)])


def workbook(*rows: list[Any], percent: str | None = None) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        if percent is not None:
            book.active[percent].number_format = "0%" if percent.startswith("C") else "yyyy-mm-dd"
        book.save(folder / "a.xlsx")
        return folder / "a.xlsx"

    return make


GERMAN = "0, Überhaupt nicht | 1, An einzelnen Tagen | 2, An mehr als der Hälfte | 3, Beinahe jeden Tag"
PHQ9 = ["client_id", "date", *(f"phq9_{n}" for n in range(1, 10))]


def from_1904(folder: Path) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(PHQ9)
    book.active.append(["C1", date(2026, 1, 5), *ONES])
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


def redcap(choices: str, values: list[Any], *, kind: str = "radio", key: str = "gad7", day: str = "day",
           label: str = "Day") -> Callable[[Path], Path]:  # fmt: skip
    def make(folder: Path) -> Path:
        head = (
            'Variable / Field Name,Form Name,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",'
            "Text Validation Type OR Show Slider Number"
        )
        names = [f"{key}_{n}" for n in range(1, len(values) + 1)]
        fields = "".join(f'{name},g,{kind},{name},"{choices}",\n' for name in names)
        (folder / "d.csv").write_text(
            f"{head}\nrecord_id,base,text,ID,,\n{day},g,text,{label},,date_ymd\n{fields}", encoding="utf-8"
        )
        cells = ",".join(map(str, values))
        (folder / "a.csv").write_text(f"record_id,{day},{','.join(names)},g_complete\nC1,2026-01-05,{cells},2\n")
        return folder / "a.csv"

    return make


def spss(labels: dict[int, str], value: float = 1.0) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pyreadstat = pytest.importorskip("pyreadstat")
        names = [f"gad7_{n}" for n in range(1, 8)]
        frame = pl.DataFrame({"client_id": ["C1"], "date": ["2026-01-05"], **{name: [value] for name in names}})
        pyreadstat.write_sav(frame, folder / "a.sav", variable_value_labels=dict.fromkeys(names, labels))
        return folder / "a.sav"

    return make


def parquet(**columns: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pl.DataFrame({"client_id": ["C1"], "date": [date(2026, 1, 5)], **columns}).write_parquet(
            folder / "a.parquet"
        )
        return folder / "a.parquet"

    return make


def packed(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.csv", day("2026-01-05"))
    return folder / "a.zip"


DUTCH = ("Helemaal niet", "Verscheidene dagen", "Meer dan de helft", "Bijna elke dag")
REFUSED: dict[str, tuple[File, str]] = {
    # days
    "a Japanese day": (day("2026年1月5日"), "is not a date"),
    "a Buddhist year": (day("2569-01-05"), "is in the future"),
    "a Persian year": (day("1404/10/15"), "is before 1900"),
    "a month in French": (day("5 janv. 2026"), "is not a date"),
    "a month without a day": (day("01/2026"), "is not a date"),
    "seconds since 1970": (day("1767571200"), "is not a date"),
    "the day in the middle": (day("2026-25-01"), "is not a valid date"),
    "a FHIR month": (response([{"valueInteger": 1}] * 9, authored="2026-01"), "is not a date"),
    # people
    "a Cyrillic pseudonym": (person("\u04211"), "is not a valid identifier"),
    "an address": (person("a@b.org"), "is not a valid identifier"),
    "a row of means": (person("Mean"), "denotes a row of totals"),
    "a row of sums, in German": (person("Summe:"), "denotes a row of totals"),
    # answers
    "full-width digits": (answer("\uff13"), "is not a number"),
    "Arabic digits": (answer("\u0663"), "is not a number"),
    "a typographer's minus": (answer("\u22121"), "is not a number"),
    "a German blank": (answer("k.A."), "is not a number"),
    "true": (workbook(PHQ9, [*ROW, *[True] * 9]), "is not a number"),
    "true in FHIR": (response([{"valueBoolean": True}] * 9), "answered by true or false"),
    "numbered 0 to 6": (people("kmss", 3, 0, 6), "numbered 0 to 6, not 1 to 7"),
    "numbered from 1": (people("who5", 5, 1, 6), "numbered 1 to 6, not 0 to 5"),
    # choices
    "German choices reversed": (
        redcap(
            "0, Beinahe jeden Tag | 1, An mehr als der Hälfte | 2, An einzelnen Tagen | 3, Überhaupt nicht",
            [1] * 7,
        ),
        "run in the opposite direction",
    ),
    "Dutch labels reversed": (spss(dict(enumerate(reversed(DUTCH)))), "run in the opposite direction"),
    "a slider": (
        redcap("Not at all | | Nearly every day", [1] * 7, kind="slider"),
        "which is not one of its answer",
    ),
    "tens": (
        redcap("0, None | 10, Some | 20, More | 30, Most", [10] * 7),
        "which is not one of its answer codings",
    ),
    "yes and no": (redcap("", [1] * 7, kind="yesno"), "which is not one of its answer codings"),
    "codes one above their words": (coded(("1", WORDS[0]), ("2", WORDS[1])), "1 'Not at all' is 0"),
    "codes that fall": (coded(("3", WORDS[0]), ("0", WORDS[3])), "3 'Not at all' is 0"),
    "Dutch codes that fall": (
        coded(("3", DUTCH[0]), ("0", DUTCH[3])),
        "run in the opposite direction to their labels",
    ),
    "a LOINC answer with other words": (
        coded(("LA6569-3", WORDS[3]), system="http://loinc.org"),
        "1 'Nearly every day' is 3",
    ),
    # scores
    "a share": (
        workbook(["client_id", "date", "who5_total"], [*ROW, 0.52], percent="C2"),
        "is not a possible score of total",
    ),
    "T scores": (totals("phq9", [55, 61, 48]), "is out of range"),
    "sums of answers from 1": (totals("rses", [12, 39, 28, 20]), "fit the sum of answers coded 1-4 (10 to 40)"),
    "sums of answers from 1, of the GAD-7": (
        totals("gad7", [8, 25, 22]),
        "the sum of answers coded 1-4 (7 to 28)",
    ),
    # files and columns
    "a date of birth": (redcap("0, a | 1, b | 2, c | 3, d", [1] * 7, day="dob"), "no column for the date"),
    "a date of birth, in German": (
        redcap("0, a | 1, b | 2, c | 3, d", [1] * 7, day="datum", label="Geburtsdatum"),
        "no column for the date",
    ),
    "a tenth item": (wide("phq9", 10, [*ROW, *[1] * 10]), "leave the column out: --ignore 'phq9_10'"),
    "a zip archive": (packed, "is a zip archive"),
    "a page saved as .xls": ("<html><table><tr><td>client</td></tr></table></html>", "XML or HTML"),
    "items numbered from 0": (wide("phq9", 9, [*ROW, *ONES]).replace("phq9_9", "phq9_0"), "lacks 'phq9_9'"),
}
STORED: dict[str, tuple[File, list[Any], str]] = {
    "German Excel": (day("05.01.2026").replace(",", ";"), ONES, ""),
    "eight digits": (day("20260105"), ONES, ""),
    "the calendar of 1904": (from_1904, ONES, ""),
    "a space that does not break": (person("C1\u00a0"), ONES, ""),
    "line ends of old Macs": (day("2026-01-05").replace("\n", "\r"), ONES, ""),
    "decimals that are whole": (wide("phq9", 9, [*ROW, "2.0", "02", "+1", " 1 ", "1.", '"1,0"', 1, 1, 1]),
                                [2, 2, 1, 1, 1, 1, 1, 1, 1], ""),
    "code and words in one cell": (answer("2 - Several days"), ONES, "'several days' = 1"),
    "items in another order": (
        wide("phq9", 8, [*ROW, 3, *[1] * 8], first="client_id,date,phq9_9"),
        [1] * 8 + [3],
        "",
    ),
    "names in capitals": (wide("phq9", 9, [*ROW, *ONES], names="PHQ-9 Q{n}"), ONES, ""),
    "German choices": (
        redcap(GERMAN, [1] * 7),
        ONES[:7],
        "",
    ),
    "choices listed from the last": (
        redcap("3, Nearly every day | 2, More than half the days | 1, Several days | 0, Not at all", [1] * 7),
        ONES[:7],
        "",
    ),
    "Dutch labels from 1": (spss(dict(enumerate(DUTCH, 1))), ONES[:7], "those of coding 1-4"),
    "words as a Parquet enumeration": (
        parquet(**{f"gad7_{n}": pl.Series([WORDS[1]], dtype=pl.Enum(WORDS)) for n in range(1, 8)}),
        ONES[:7],
        "'several days' = 1",
    ),
    "decimals in Parquet": (
        parquet(**{f"gad7_{n}": pl.Series(["1.00"]).cast(pl.Decimal(5, 2)) for n in range(1, 8)}), ONES[:7], ""
    ),
    "codes and words that agree": (coded(("1", WORDS[1])), ONES, ""),
    "LOINC answers": (coded(("LA6569-3", WORDS[1]), system="http://loinc.org"), ONES, ""),
    "a small number shown as a day": (
        workbook(PHQ9, ["C1", 5, *ONES], percent="B2"),
        ONES,
        "Is the year right? One date is before 1950: 1900-01-05",
    ),
    "another alphabet": (
        wide("phq9", 9, [*ROW, "x", *ONES], first="client_id,date,\u5099\u8003").encode("gb18030"),
        ONES,
        "give the correct encoding, such as --encoding windows-1250",
    ),
}  # fmt: skip


def made(file: File, folder: Path) -> tuple[Path, dict[str, Any]]:
    if callable(file):
        path = file(folder)
    else:
        raw = file if isinstance(file, bytes) else file.encode()
        path = folder / ("a.json" if raw.startswith(b"{") else "a.csv")
        path.write_bytes(raw)
    dictionary = folder / "d.csv"
    return path, {"dictionary": dictionary} if dictionary.exists() else {}


ALIKE = frozenset({
    "a Japanese day", "a month without a day", "seconds since 1970", "a row of sums, in German", "Arabic digits",
    "a typographer's minus", "codes that fall", "German choices reversed", "sums of answers from 1, of the GAD-7",
    "a date of birth, in German",
})  # fmt: skip
"""Refused for the same reason as another file: in make test-all only."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in REFUSED]
)
def test_a_file_is_refused_with_its_reason_and_nothing_of_it_is_stored(name, untouched, tmp_path, now):
    file, words = REFUSED[name]
    path, options = made(file, tmp_path)
    assert words in reasons(path, untouched, clinician="K1", now=now, **options)


def reasons(path: Path, store: Store, **options: Any) -> str:
    """Why the whole file, or all that it holds, is refused."""
    try:
        plan = plan_import(path, store, **options)
    except MbcError as refusal:
        return str(refusal)
    assert plan.counts["stored"] == 0
    return " ".join(plan.refusals)


@pytest.mark.parametrize("name", STORED)
def test_a_file_is_read_rightly(name, untouched, tmp_path, now):
    file, answers, words = STORED[name]
    path, options = made(file, tmp_path)
    plan = plan_import(path, untouched, clinician="K1", now=now, **options)
    assert plan.refusals == ()
    (row,) = plan.administrations.iter_rows(named=True)
    assert (row["client_id"], row["answers"]) == ("C1", [float(each) for each in answers])
    assert words in " ".join(plan.notes)
    assert str(row["taken_on"]) == ("1900-01-05" if "small number" in name else "2026-01-05")
