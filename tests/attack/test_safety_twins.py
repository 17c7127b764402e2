"""Two records that differ only in one client's safety data look the same to everybody without the permission.

Whatever a role without ``safety:read`` can reach is asked of both: every reader, the audit log, verification,
every page, every command and every export. All of it must be equal, to the byte; moments of the clock and random
digests, which differ between any two records, are replaced by their kind first.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import plotly.utils
import pytest
from click.testing import CliRunner

from dashboards.app import PAGES, open_app
from dashboards.forms.catalogue import FORMS
from dashboards.pages.dispatch import page_for
from dashboards.pages.send.content import askings_of, waiting_words
from dashboards.routes import PageRequest
from dashboards.settings import Settings
from mbc import care
from mbc.care.askings.collect import asking_states
from mbc.care.signals.note import signals_of
from mbc.care.signals.report import signal_report
from mbc.cli.program import program
from mbc.errors import MbcError
from mbc.exchange.own_definitions import definitions_of, keep_definitions
from mbc.instruments import all_keys
from mbc.instruments.own.folders import using
from mbc.instruments.own.template import start
from mbc.store import (
    Administration,
    CouplesContraindication,
    DutyToReport,
    Event,
    Flag,
    FlagResponse,
    ImportSource,
    SafetyChange,
    SafetyPlan,
    Signal,
    SignalAnswer,
    Store,
)
from mbc.store.askings import AskedSheet
from mbc.store.reading.entry_readers import EntryReaders
from mbc.store.reading.readers import Readers
from tests.dashboards.conftest import sign_in, token_of
from tests.dashboards.record import PASSWORD, day, make_record
from tests.own_questionnaires import safety_questionnaire

pytestmark = pytest.mark.long

ROLES = ("noa", "oak", "ana", "res", "adam", "birch")
# noa treats the client; oak sees all that noa and birch see, and has the same commands
LOOKING = [pytest.param(role, marks=[pytest.mark.slow] * (role == "birch")) for role in ROLES]
RUNNING = [pytest.param(role, marks=[pytest.mark.slow] * (role in {"birch", "oak"})) for role in ROLES]
CLIENT, SIGNAL = "C001", "S-1"
MOMENT = re.compile(
    r"datetime\.datetime\([^)]*\)\)?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d|Z|UTC)?"
)
DIGEST = re.compile(r"\b[0-9a-f]{12,64}\b")
CLOCK = re.compile(r"\b\d\d:\d\d(:\d\d)?\b")
READERS = [
    *sorted(name for name in (*vars(EntryReaders), *vars(Readers)) if not name.startswith("_")), "provenance"
]  # fmt: skip


def make_twin(url: str, *, screened: bool) -> None:
    """The same clinic; in one of the two C001 answered a screen, from the same file as a care questionnaire."""
    make_record(url)
    with Store.open(url) as store:
        store.accounts.add("res", PASSWORD, "researcher")
        store.accounts.add("noa", PASSWORD, "clinician", "K1")
        store.accounts.add("lead", PASSWORD, "safety_lead")
        with (
            tempfile_of(start("lone", items=2, answers=(0, 4)), "lone") as folder,
            using(folder),
            store.writing(source=ImportSource("lone.csv", "ba" * 32)) as record,
        ):
            keep_definitions(record, ["lone"])
            record.add(Administration(CLIENT, "lone", day(1), (1, 2)))
        with store.writing(source=ImportSource("intake.csv", "ab" * 32)) as record:
            record.add(Administration(CLIENT, "who5", day(1), (3, 3, 3, 3, 3), source_line=2))
            if screened:
                record.add(
                    Administration(CLIENT, "hits", day(1), (4, 4, 4, 4), flags=(Flag("i1"),), source_line=2)
                )
            record.add(Administration("C003", "who5", day(1), (2, 2, 2, 2, 2), source_line=3))
            record.add(Signal(SIGNAL, CLIENT, day(2), "not on track", "rses.total 20 to 12"))
            record.add(SignalAnswer(SIGNAL, CLIENT, day(3), "seen"))
        ask_in_twin(store, screened=screened)
        if screened:
            with store.writing(source=ImportSource("screens.csv", "cd" * 32)) as record:
                record.add(Administration(CLIENT, "hark", day(2), (1, 1, 0, 0)))
                record.add(Event("V-9", CLIENT, day(2), "safety plan", "plan made"))
                record.add(SafetyPlan(CLIENT, day(2), next_review_on=day(3)))
                record.add(DutyToReport(CLIENT, day(2), "advice sought"))
                record.add(CouplesContraindication(CLIENT, day(2), "violence or fear"))
                record.add(SafetyChange(SIGNAL, CLIENT, day(3)))
            with store.writing(source=ImportSource("own.csv", "ef" * 32)) as record:
                with tempfile_of(safety_questionnaire("unsafe")) as folder, using(folder):
                    keep_definitions(record, ["unsafe"])
                record.add(Administration(CLIENT, "unsafe", day(2), (4, 1)))
            lead = store.as_user("lead")
            flag = lead.safety_flags(client_id=CLIENT).row(0, named=True)
            with lead.writing() as record:
                record.acknowledge(flag["administration_id"], flag["item"])
            with store.writing() as record:
                done = (flag["administration_id"], flag["item"], CLIENT, day(2), "asked, and a plan was made")
                record.add(FlagResponse(*done))
        with store.writing() as record:
            record.add(Administration(CLIENT, "who5", day(3), (4, 3, 4, 3, 4), source_line=9))


def ask_in_twin(store: Store, *, screened: bool) -> None:
    """The client is asked, in one of the two with a screen, and then wants no more of it."""
    sheets = [AskedSheet("checkin", "1", "standard", "0-4", "care", "{}")]
    sheets += [AskedSheet("hits", "1", "standard", "1-5", "safety", "{}")] if screened else []
    until = datetime(2999, 1, 1, tzinfo=UTC)
    numbers = [store.ask(CLIENT, sheets, language="en", expires_at=until) for _ in range(3)]
    store.note_progress(numbers[0], {"answered_at": until}, collected=True)
    store.note_progress(numbers[1], {"stopped_at": until}, collected=False)
    store.withdraw_asking(numbers[2])


@pytest.fixture(scope="module")
def made_twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of the two records, made once; a test gets copies."""
    folders = tmp_path_factory.mktemp("without"), tmp_path_factory.mktemp("screened")
    for folder, screened in zip(folders, (False, True), strict=True):
        make_twin(f"sqlite:///{folder / 'clinic.db'}", screened=screened)
    return folders


@pytest.fixture
def twins(made_twins: tuple[Path, Path], tmp_path: Path) -> tuple[str, str]:
    copies = [Path(shutil.copytree(made, tmp_path / made.name)) for made in made_twins]
    first, second = (f"sqlite:///{copy / 'clinic.db'}" for copy in copies)
    return first, second


@contextmanager
def tempfile_of(text: str, key: str = "unsafe") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{key}.toml").write_text(text)
        yield Path(folder)


def plain(value: object) -> str:
    """Write what was seen, without what differs between any two records."""
    text = value if isinstance(value, str) else repr(value)
    return CLOCK.sub("<clock>", DIGEST.sub("<digest>", MOMENT.sub("<moment>", text)))


def asked(look: Callable[[Store], object], store: Store) -> str:
    try:
        return plain(look(store))
    except MbcError as fault:
        return plain(f"{type(fault).__name__}: {fault}")


def rows_of(store: Store, reader: str) -> list[Any]:
    frame = getattr(store, reader)(*([[]] if reader == "administrations_to_score" else []))
    return frame.rows() if hasattr(frame, "rows") else [frame]


def page_of(store: Store, path: str) -> str:
    user = store.user
    assert user is not None
    layout = page_for(PAGES, path, PageRequest(store=store, user=user, path=path))
    return json.dumps(layout, cls=plotly.utils.PlotlyJSONEncoder, sort_keys=True)


def written_own(store: Store) -> object:
    with store.writing() as record:
        return record.add(Administration(CLIENT, "unsafe", day(9), (4, 4)))


def known_keys(store: Store) -> object:
    with definitions_of(store):
        return all_keys()


LOOKS: dict[str, Callable[[Store], object]] = {
    **{f"reader {name}": lambda store, name=name: rows_of(store, name) for name in READERS},
    "audit log": lambda store: store.audit.entries().rows(),
    "audit log, newest": lambda store: store.audit.entries(last=5).rows(),
    "verification": lambda store: store.verify(),
    "chain": lambda store: store.verify().chain,
    "break glass log": lambda store: store.break_glass_log().rows(),
    "preview": lambda store: store.preview([Administration(CLIENT, "hits", day(1), (4, 4, 4, 4))]),
    "preview of another": lambda store: store.preview([Administration(CLIENT, "hark", day(9), (0, 0, 0, 0))]),
    "preview of a conflict": lambda store: store.preview(
        [Administration(CLIENT, "who5", day(3), (1, 1, 1, 1, 1))]
    ),
    "preview of an own questionnaire": lambda store: store.preview(
        [Administration(CLIENT, "unsafe", day(9), (4, 4))]
    ),
    "writing an own questionnaire": written_own,
    "scores": lambda store: care.scores(store).rows(),
    "definitions": lambda store: store.definitions().drop("recorded_at").rows(),
    "questionnaires": known_keys,
    "review": lambda store: care.client_review(store, CLIENT),
    "signals": lambda store: signals_of(store, care.client_review(store, CLIENT)),
    "signal report": signal_report,
    "caseload": care.caseload,
    "outcomes": lambda store: care.clinic_report(store, definition="jacobson-truax", cohort="in-care"),
    "retention": lambda store: store.retention_due(date(2099, 1, 1), years=1).rows(),
    "releases": lambda store: store.releases(),
    "askings": lambda store: store.askings().drop("asking_id").rows(),
    "asked": lambda store: asking_states(store, CLIENT),
    "asked, on the page": lambda store: (askings_of(store, CLIENT), waiting_words(store, CLIENT)),
    "stopped": lambda store: store.has_stopped_askings(CLIENT),
    "safety": lambda store: (care.client_safety(store, CLIENT), care.safety_list(store)),
    **{
        f"page {path}": lambda store, path=path: page_of(store, path)
        for path in ("/caseload", f"/client/{CLIENT}", "/outcomes", "/open-points", "/to-review", "/other-records")
    },
    **{
        f"page {path}": lambda store, path=path: page_of(store, path)
        for path in (
            "/accounts",
            "/accounts/ash",
            "/caseloads",
            "/audit-log",
            "/erasure",
            "/cohort",
            "/settings",
            "/account",
        )
    },
}


@pytest.mark.parametrize("role", LOOKING)
def test_whatever_a_role_can_look_at_is_the_same_in_both(twins, role):
    seen = []
    for url in twins:
        with Store.open(url) as store:
            mine = store.as_user(role, origin="10.0.0.7")
            assert not mine.has_permission("safety:read")
            seen.append({name: asked(look, mine) for name, look in LOOKS.items()})
    differing = {name for name in LOOKS if seen[0][name] != seen[1][name]}
    assert not differing, {name: (seen[0][name][:2000], seen[1][name][:2000]) for name in differing}


COMMANDS = {
    "ask": ["ask", "--list"],
    "caseload": ["caseload"],
    "review": ["review", CLIENT],
    "signals": ["signals", "list", "--all"],
    "signal report": ["signals", "report"],
    "update of signals": ["signals", "update"],
    "answer to a signal": ["record", "answer", CLIENT, "seen", "--signal", SIGNAL],
    "outcomes": ["outcomes"],
    "audit": ["audit"],
    "audit to a file": ["audit", "--out", "{folder}/audit.csv"],
    "verify": ["verify"],
    "retention": ["retention", "show"],
    "export": ["export", "{folder}/record"],
    "deidentify": ["deidentify", "{folder}/cohort", "--seed", "1"],
}


def run(words: list[str], url: str, role: str, folder: Path) -> str:
    folder.mkdir()
    filled = [word.format(folder=folder) for word in words]
    result = CliRunner().invoke(program, [*filled, "--store", url, "--as", role], standalone_mode=False)
    said = result.output + (
        "" if result.exception is None else f"{type(result.exception).__name__}: {result.exception}"
    )
    made = "".join(
        f"{file.relative_to(folder)}\n{file.read_text(encoding='utf-8', errors='replace')}"
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    )
    return plain((said + made).replace(url, "<record>").replace(str(folder), "<folder>"))


@pytest.mark.parametrize("role", RUNNING)
@pytest.mark.parametrize("name", COMMANDS)
def test_whatever_a_command_prints_or_writes_is_the_same_in_both(twins, tmp_path, role, name):
    first, second = (run(COMMANDS[name], url, role, tmp_path / str(place)) for place, url in enumerate(twins))
    assert first == second


def test_the_two_records_do_differ_for_those_who_may_know(twins):
    with Store.open(twins[0]) as without, Store.open(twins[1]) as with_data:
        flags = [one.as_user("lead").safety_flags()["instrument"].to_list() for one in (without, with_data)]
    assert set(flags[1]) - set(flags[0]) == {"hits", "hark", "unsafe"}


SEALED = re.compile(r'value="[A-Za-z0-9_=.-]{24,}"')
WRITTEN_PAGES = (
    f"/client/{CLIENT}?plain=1", "/outcomes?plain=1", "/caseload?plain=1", f"/client/{CLIENT}/record",
    f"/client/{CLIENT}/record/signal/{SIGNAL}", f"/client/{CLIENT}/record/restricted",
    *(f"/client/{CLIENT}/record/{form}" for form in FORMS),
)  # fmt: skip


def test_the_pages_of_recording_are_the_same_in_both(twins):
    seen = []
    for url in twins:
        with open_app(url, Settings(secret_key="k" * 32)) as app:
            visitor = app.server.test_client()
            assert sign_in(visitor, "noa").status_code == 303
            pages = {path: visitor.get(path) for path in WRITTEN_PAGES}
            sent = {
                "form": "signal", "key": SIGNAL, "client": CLIENT, "token": "t", "answer": "not now",
                "reason": "exam week",
                "csrf": token_of(visitor.get(f"/client/{CLIENT}/record/event").text), "answered_on": "2026-01-26",
            }  # fmt: skip
            pages["an answer"] = visitor.post("/record-entry", data=sent)
            seen.append({path: plain(SEALED.sub("<sealed>", page.text)) for path, page in pages.items()})
    assert {path for path in seen[0] if seen[0][path] != seen[1][path]} == set()
    assert "exam week" in seen[0]["an answer"]  # of that day another answer is on record
